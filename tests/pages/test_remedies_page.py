"""The page about remedies: choose, try, look closely, go back, keep."""

from urllib.parse import parse_qsl

import numpy as np
import pytest

from tests.visits import answers, go, has, no_fault, press, shown, visit, widget
from workbench import api
from workbench.core.settings import settings
from workbench.plots.remedies_words import remedies_sentence
from workbench.registry.store import list_models, remove_model
from workbench.ui import jobs
from workbench.ui.queue import queue
from workbench.ui.remedies_keep import code_of
from workbench.ui.remedies_views import ABOUT
from workbench.ui.text import markup, plain
from workbench.workspace import sources
from workbench.workspace.store import Workspace

QUICK = {
    "fairness__by": "age", "remedies__refits": 1,
    "remedies__epochs": 1, "remedies__resamples": 100,
    "remedies__remedies": "reweighing,group_thresholds",
}  # fmt: skip
SAME = {"by": "age", "refits": 1, "epochs": 1, "resamples": 100}


def look(**address):
    return visit("remedies", **{"model": "german-mlp", **QUICK, **address})


def position(name):
    return api.load_model("german-mlp").schema.index(name)


def tried(**address):
    """The page with its result, which a test before may have asked for already."""
    app = no_fault(look(**{f"fairness__cut__{position('age')}": "25"}, **address))
    wanted = has(app, "button", "Try the remedies")
    return no_fault(press(app, "Try the remedies")) if wanted else app


def test_nothing_starts_unasked_and_the_price_is_said():
    app = no_fault(look())
    (said,) = answers(app)
    assert "Nothing is known yet" in said
    assert "how long is known after the first run" in shown(app)
    assert has(app, "button", "Try the remedies")


def test_the_answer_stands_above_its_figures_and_what_speaks_against_it_below():
    app = tried()
    (said,) = answers(app)
    table = api.load_table("german", split="all")
    found = api.remedies(
        "german-mlp", table, bins="age=25", remedies="reweighing,group_thresholds",
        favourable="good", **SAME,
    )  # fmt: skip
    assert markup(remedies_sentence(found)) in said
    assert "How far can I trust this?" in shown(app)
    assert "WB060" in shown(app)
    assert plain("Watch out") in shown(app)
    assert not has(app, "button", "Try the remedies")
    assert {button.label for button in app.get("download_button")} >= {"HTML", "CSV", "JSON"}
    for view in ("conflicts", "gaps", "groups", "who", "multiplicity"):
        app = no_fault(widget(app, "button_group", "View").set_value(view).run())
        assert plain(ABOUT[view]) in shown(app)


@pytest.mark.parametrize("remedy", ["reweighing", "group_thresholds"])
def test_a_remedy_is_looked_at_closely_and_says_whether_it_can_be_kept(remedy):
    app = tried()
    app = no_fault(widget(app, "selectbox", "Look closely at").set_value(remedy).run())
    assert has(app, "button", "Keep as a model") == (remedy == "reweighing")
    assert (plain("could be kept as a model") in shown(app)) == (remedy != "reweighing")
    assert any(f"remedies='{remedy}'" in code.value for code in app.code)


def test_what_is_kept_is_a_model_of_ones_own():
    app = tried()
    app = no_fault(widget(app, "selectbox", "Look closely at").set_value("reweighing").run())
    widget(app, "text_input", "Name").set_value("even-credit").run()
    app = no_fault(press(app, "Keep as a model"))
    assert plain("even-credit@1") in shown(app)
    titles = [job.title for job in queue().jobs("local")]
    assert any(title.startswith("Reweighing to keep, german-mlp") for title in titles)
    model = sources.find_model("my:even-credit@1", "local")
    assert "Reweighing" in model.card.title or "reweighing" in model.card.title
    assert settings().home.exists()


def closely(app, remedy="reweighing"):
    return no_fault(widget(app, "selectbox", "Look closely at").set_value(remedy).run())


def own():
    return [entry.name for entry in list_models(Workspace("local").models_root)]


def test_what_a_reload_leaves_behind_is_kept_by_its_name_when_one_comes_back(monkeypatch):
    app = closely(tried(remedies__resamples=101))
    widget(app, "text_input", "Name").set_value("even-later").run()
    with monkeypatch.context() as hurry:
        hurry.setattr(jobs, "PATIENCE", 0.0)
        app = press(app, "Keep as a model")
    assert "It is kept as even-later when it is trained" in shown(app).replace("\\", "")
    assert "even-later" not in own()
    app = closely(tried(remedies__resamples=101))  # another visit, which knows the address alone
    assert f"{plain('even-later@1')} is among your models now." in shown(app)
    app = closely(tried(remedies__resamples=101))
    assert plain("Kept as even-later@1") in shown(app)
    assert own().count("even-later") == 1
    assert not has(app, "button", "Fine")


def test_a_network_that_is_trained_and_not_kept_says_so():
    app = closely(tried(remedies__resamples=102))
    assert "Trained, not kept yet" not in shown(app)
    widget(app, "text_input", "Name").set_value("even-gone").run()
    app = no_fault(press(app, "Keep as a model"))
    assert "Trained, not kept yet" not in shown(app)
    remove_model("even-gone", Workspace("local").models_root)
    link = next(job.link for job in queue().jobs("local") if "to keep" in job.title)
    page, _, choices = link.partition("?")
    app = no_fault(visit(page, **dict(parse_qsl(choices))))
    assert "Trained, not kept yet: press Keep as a model." in shown(app)
    n_jobs = len(queue().jobs("local"))
    widget(app, "text_input", "Name").set_value("even-back").run()
    app = no_fault(press(app, "Keep as a model"))
    assert f"{plain('even-back@1')} is among your models now." in shown(app)
    assert len(queue().jobs("local")) == n_jobs  # it was not trained again


def test_a_name_that_cannot_be_one_starts_nothing():
    app = tried()
    app = no_fault(widget(app, "selectbox", "Look closely at").set_value("reweighing").run())
    before = len(queue().jobs("local"))
    for name, refusal in {
        "No name": "cannot be called",
        "german-mlp": "belongs to a model that comes with the workbench; give yours another",
    }.items():
        widget(app, "text_input", "Name").set_value(name).run()
        app = press(app, "Keep as a model")
        assert refusal in app.error[0].value
    assert len(queue().jobs("local")) == before
    assert "german-mlp" not in own()


def test_what_was_kept_is_not_said_beside_the_refusal_of_another_name():
    app = closely(tried(remedies__resamples=103))
    widget(app, "text_input", "Name").set_value("even-first").run()
    app = no_fault(press(app, "Keep as a model"))
    assert "is among your models now" in shown(app)
    widget(app, "text_input", "Name").set_value("No name").run()
    app = press(app, "Keep as a model")
    assert "cannot be called" in app.error[0].value
    assert "is among your models now" not in shown(app)


def test_steps_are_compared_and_undone():
    app = tried()
    assert not has(app, "button", "Undo the last")
    other = next(
        own for own in ("reweighing", "group_thresholds")
        if own != widget(app, "selectbox", "Look closely at").value
    )  # fmt: skip
    app = widget(app, "selectbox", "Look closely at").set_value(other).run()
    app = no_fault(widget(app, "button_group", "View").set_value("who").run())
    app = widget(app, "selectbox", "What groups should have alike").set_value(
        "equal_opportunity"
    ).run()  # fmt: skip
    assert "The settings have changed since" in shown(app)
    app = no_fault(press(app, "Try the remedies"))
    assert "What you tried so far" in "\n".join(h.value for h in app.subheader)
    assert len([b for b in app.button if b.label == "Go back to it"]) == 1
    app = no_fault(press(app, "Undo the last"))
    assert not has(app, "button", "Undo the last")
    goal = widget(app, "selectbox", "What groups should have alike")
    assert goal.value == "demographic_parity"
    assert widget(app, "selectbox", "Look closely at").value == other
    assert widget(app, "button_group", "View").value == "who"


def test_masking_asks_what_to_hide():
    app = no_fault(look(remedies__remedies="masking"))
    hidden = widget(app, "multiselect", "Hide from the network")
    assert "age" in hidden.value
    assert any("=" in option for option in hidden.options)


def test_a_regression_and_rows_without_truth_say_what_to_do():
    app = no_fault(visit("remedies", model="diabetes-mlp"))
    assert "predicts a number" in shown(app)
    assert not has(app, "button", "Try the remedies")


def test_several_attributes_are_evened_out_one_at_a_time():
    app = no_fault(go(visit("remedies", model="adult-mlp"), "remedies"))
    chosen = widget(app, "selectbox", "Even out groups of")
    assert chosen.options[-1] == " x ".join(chosen.options[:-1])


@pytest.mark.parametrize("split", ["test", "all"])
def test_code_that_is_shown_runs_and_finds_the_same(split):
    table = api.load_table("german", split="all")
    rows = table if split == "all" else table.split(split)
    found = api.remedies(
        "german-mlp", table, rows, bins="age=25", remedies="group_thresholds", seed=3, **SAME
    )
    code = code_of(found, "group_thresholds", model="german-mlp@1", table="german", split=split)
    names = {}
    exec(code.replace("print(result.to_frame())", ""), names)  # noqa: S102 - our own code
    np.testing.assert_array_equal(names["result"].decisions, found.decisions)
    np.testing.assert_array_equal(names["result"].gap_changes, found.gap_changes)
