"""The page about features that work together: what it says is what the engines found."""

from functools import partial

import numpy as np
import pytest

from tests.visits import address, answers, no_fault, press, shown, visit, widget
from workbench import api
from workbench.engines.rashomon.again import near_copy
from workbench.plots.interaction_scores_words import pair_sentence, scores_sentence
from workbench.ui.text import markup, plain

PAGE, CLASS = "interactions", "cultivar 3"
SMALL = {"interactions__permutations": 2, "interactions__max_rows": 60}
CLOUD = {
    "interactions_part": "cloud", "interaction-cloud__permutations": 1,
    "interaction-cloud__max_rows": 40, "interaction-cloud__scored": 4,
    "interaction-cloud__models": 40,
}  # fmt: skip
look = partial(visit, PAGE, **SMALL)


@pytest.fixture(scope="module")
def wine():
    rows = api.load_table("wine")
    return api.interaction_scores("wine-mlp", rows, device="cpu", permutations=2, max_rows=60)


def control(app, label):
    (group,) = (group for group in app.button_group if group.label == label)
    return group


def charts(app):
    return len(app.get("plotly_chart"))


def test_a_first_visit_answers_and_opens_the_strongest_pair(wine):
    app = no_fault(look(model="wine-mlp"))
    (said,) = answers(app)
    assert markup(scores_sentence(wine, CLASS)) in said
    place = int(wine.order_of(CLASS)[0])
    assert plain(pair_sentence(wine, place, CLASS)) in shown(app)
    assert charts(app) == 2, "the bars, and the map of the pair"
    for title in ("Strong pairs vary apart", "Some pair matters", "First pair is first"):
        assert title in shown(app)
    frame = app.dataframe[0].value
    shares = 100 * wine.shares[0, wine.order_of(CLASS), wine.output_index(CLASS)]
    np.testing.assert_allclose(frame["value"], shares[: len(frame)])


def test_another_pair_is_looked_at(wine):
    app = look(model="wine-mlp")
    pair = widget(app, "selectbox", "Pair")
    place = int(wine.order_of(CLASS)[3])
    key = "-".join(str(i) for i in wine.sets[place][:2])
    no_fault(pair.set_value(key).run())
    assert plain(pair_sentence(wine, place, CLASS)) in shown(app)
    assert address(app)["pair"] == key
    effects = control(app, "Surface")
    no_fault(effects.set_value("effects").run())
    assert "without interaction the map is empty" in shown(app)


@pytest.mark.parametrize("view", ["heatmap", "network"])
def test_every_view(view):
    app = look(model="wine-mlp")
    no_fault(control(app, "View").set_value(view).run())
    assert charts(app) == 2


def test_a_pair_leads_on_to_its_halo_and_to_equally_good_models(wine):
    first = wine.set_names[int(wine.order_of(CLASS)[0])]
    app = look(model="wine-mlp")
    no_fault(press(app, "Its halo"))
    assert address(app)["interactions_part"] == "halo"
    assert set(address(app)["halo.pair"].split(",")) == set(first)
    app = look(model="wine-mlp")
    no_fault(press(app, "This pair across equally good models"))
    assert address(app)["interactions_part"] == "cloud"


def test_scores_in_the_loss_and_triples_are_there_where_asked_for():
    asked = {"interactions__detector": "both", "interactions__order": 3}
    app = no_fault(look(model="diabetes-mlp", **asked))
    ways = widget(app, "selectbox", "Scores")
    no_fault(ways.set_value("loss").run())
    assert "features that say the same push it above 0" in shown(app)
    assert "In the loss" in answers(app)[0]
    no_fault(control(app, "View").set_value("triples").run())


def test_across_equally_good_models_and_the_two_at_the_ends():
    app = no_fault(visit(PAGE, model="wine-mlp", **CLOUD))
    assert "equally good models" in answers(app)[0]
    assert control(app, "View").value == "swarm"
    toggle = widget(app, "toggle", "Show the models in which this pair does least and most")
    no_fault(toggle.set_value(True).run())
    assert charts(app) == 3
    assert "The model in which it does most" in shown(app)
    view = control(app, "View")
    no_fault(view.set_value("heatmap").run())
    cells = widget(app, "selectbox", "Cells")
    no_fault(cells.set_value("top").run())


def test_a_model_of_the_cloud_is_made_again():
    rows, whole = api.load_table("wine"), api.load_table("wine", split="all")
    model = api.load_model("wine-mlp")
    for explorer in ("gaussian-units", "scaling"):
        found = api.interactions_set(
            model, rows, whole, permutations=1, max_rows=40, scored=3, models=40,
            explorer=explorer, device="cpu",
        )  # fmt: skip
        other = near_copy(found, 2, model, rows, whole)
        again = api.interaction_scores(other, rows, permutations=1, max_rows=40, device="cpu")
        np.testing.assert_allclose(again.mixed[0], found.mixed[2], rtol=1e-3, atol=1e-6)
        assert not np.allclose(again.mixed[0], found.mixed[0], rtol=1e-3)
        assert near_copy(found, 0, model, rows, whole) is model
        with pytest.raises(Exception, match="There is no model 9 in this result"):
            near_copy(found, 9, model, rows, whole)
    with pytest.raises(Exception, match="about another model than diabetes-mlp"):
        near_copy(found, 1, api.load_model("diabetes-mlp"), rows, whole)


@pytest.mark.usefixtures("hostile_registry")
def test_names_that_are_markup_are_shown_as_they_are():
    app = no_fault(look(model="hostile"))
    assert "**bold** :red[x]" not in shown(app)
    assert all("<script>alert" not in element.proto.body for element in app.get("html"))
