"""Models of one's own: let in, listed, explained, compared, removed; or refused in a sentence."""

import pytest

from tests.bundles import bundle, keep_table, zipped
from tests.networks import tiny_table
from tests.visits import answers, go, has, no_fault, press, shown, upload_model, visit, widget
from workbench.registry.sniff import recipe
from workbench.ui.text import markup, plain
from workbench.workspace.sources import find_model
from workbench.workspace.store import Workspace

TABLE = tiny_table(n=50, d=4)
# What a pickle of a network begins with; nothing here could be loaded.
PICKLE = b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05torch\x94."


def test_a_bundle_becomes_a_model_that_is_explained_like_any_other(me):
    keep_table(me, TABLE)
    app = no_fault(visit("add_model"))
    assert "Bring a model of your own" in answers(app)[0]
    no_fault(upload_model(app, bundle(TABLE, title="A model of *mine*")))
    (said,) = app.success
    assert said.value.startswith(f"{plain('A model of *mine*')} is in: version 1 of tiny")
    assert "You have 1 model here." in answers(app)[0]
    no_fault(press(app, "Explain a prediction"))
    assert widget(app, "selectbox", "Model").value == "my:tiny@1"
    assert widget(app, "selectbox", "Table").value == "my:rows"
    assert len(app.get("plotly_chart")) == 1
    no_fault(go(app, "workspace"))
    assert len(app.get("plotly_chart")) == 1
    app = no_fault(visit(model="my:tiny", about="model"))
    card = "".join(element.proto.body for element in app.get("html"))
    assert "your upload" in card
    assert find_model("my:tiny", me.key).digest in card


def test_a_zip_brings_a_second_version_and_both_are_compared(me):
    keep_table(me, TABLE)
    app = visit("add_model")
    no_fault(upload_model(app, {"one.zip": zipped(bundle(TABLE))}, name="My Model"))
    press(app, "Fine")
    no_fault(upload_model(app, {"two.zip": zipped(bundle(TABLE, seed=1))}, name="My Model"))
    assert "version 2 of my\\-model" in app.success[0].value
    app = no_fault(visit("registry", one="my:my-model@1", other="my:my-model@2"))
    assert "2 of them yours" in answers(app)[0]
    assert "say the same about" in answers(app)[1]
    assert len(app.get("plotly_chart")) == 1
    assert list(app.dataframe[1].value.columns[1:]) == ["my-model@1", "my-model@2"]


@pytest.mark.usefixtures("me")
def test_a_version_is_given_an_alias_opened_and_removed():
    app = upload_model(visit("add_model"), bundle(TABLE))
    go(app, "registry")

    def select(place):
        app.session_state["registry-list"] = {"selection": {"rows": [place], "columns": []}}
        return app.run()

    place = list(app.dataframe[0].value["model"]).index("tiny@1 · yours")
    no_fault(select(place))
    assert "**tiny@1 · yours**" in shown(app)
    no_fault(press(app, "Set alias"))
    assert list(app.dataframe[0].value["aliases"])[place] == "production"
    select(place)
    assert widget(app, "button", "Remove").disabled
    widget(app, "checkbox", "Sure").check().run()
    select(place)
    no_fault(press(app, "Remove"))
    assert "0 of them yours" in answers(app)[0]
    # What belongs to everybody is not an analyst's to change.
    no_fault(select(0))
    assert has(app, "button", "Open")
    assert not has(app, "button", "Set alias")
    assert not has(app, "button", "Remove")


@pytest.mark.parametrize("name", ["model.pt", "it's **mine** <b>.pkl"])
def test_a_pickle_is_refused_with_its_recipe_in_one_sentence(me, name):
    app = upload_model(visit("add_model"), {name: PICKLE})
    assert not app.exception
    (error,) = app.error
    kind = "torch"
    assert plain(recipe(kind, name)) in error.value
    assert name == "model.pt" or name not in error.value
    assert not app.success
    assert Workspace(me.key).drafts() == ()
    no_fault(go(app, "registry"))
    assert "0 of them yours" in answers(app)[0]


def test_faults_of_a_bundle_are_sentences_and_leave_nothing_behind(me):
    files = bundle(TABLE)
    weights, card = files["model.safetensors"], files["card.json"]
    cases = {
        "Weights alone do not say which network they belong to; upload card.json with them, as "
        "workbench convert writes it.": {"model.safetensors": weights},
        "The weights are not those of the card (another SHA-256 stands there); upload the two "
        "that belong together, or leave weights_sha256 out of the card.": {
            "card.json": card, "model.safetensors": bundle(TABLE, seed=3)["model.safetensors"],
        },
        "'card.json' is not valid JSON": {"card.json": card[:-5], "model.safetensors": weights},
    }  # fmt: skip
    app = visit("add_model")
    for sentence, given in cases.items():
        upload_model(app, given)
        (error,) = app.error
        assert plain(sentence) in error.value
    assert Workspace(me.key).drafts() == ()
    assert "Bring a model of your own" in answers(no_fault(visit("add_model")))[0]


def test_a_title_that_is_markup_is_shown_as_it_is(me):
    keep_table(me, TABLE)
    evil = "<img src=x onerror=alert(1)> **b** :red[x] [a](http://evil.test)"
    app = no_fault(
        upload_model(visit("add_model"), bundle(TABLE, title=evil, limits=evil, licence=evil))
    )
    pages = [app, go(app, "add_model"), visit(model="my:tiny", about="model"), visit("registry")]
    pages.append(visit("shapley", model="my:tiny"))
    for page in pages:
        text = shown(no_fault(page))
        bodies = "".join(element.proto.body for element in page.get("html"))
        assert evil not in text
        assert evil not in bodies
    assert plain(evil) in shown(pages[2])
    assert markup(evil) in "".join(element.proto.body for element in pages[2].get("html"))


@pytest.mark.usefixtures("me")
def test_a_model_without_rows_says_how_to_get_some():
    app = upload_model(visit("add_model"), bundle(TABLE))
    press(app, "See how good it is")
    assert not app.exception
    (error,) = app.error
    assert error.value == plain(
        "No table here has the features that tiny reads; add one on the page Add data, or choose "
        "another model."
    )
    # The sidebar still offers the way back.
    widget(app, "selectbox", "Model").set_value("wine-mlp").run()
    no_fault(app)
