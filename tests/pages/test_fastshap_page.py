"""The page on which explainers are trained, judged and kept."""

from functools import partial

import pytest

from tests import visits
from tests.visits import answers, has, no_fault, press, shown, widget
from workbench import api
from workbench.ui.text import plain

visit = partial(visits.visit, "fastshap")
# Settings with which training takes a moment; what it learns is no good.
QUICK = {
    "fastshap__epochs": 1, "fastshap__warm_epochs": 2, "fastshap__surrogate_epochs": 1,
    "fastshap__width": 8, "fastshap__background": 10,
}  # fmt: skip


def test_a_model_without_an_explainer_says_so_and_offers_to_train_one():
    app = no_fault(visit(model="wine-mlp"))
    assert "wine-mlp has no explainer yet" in answers(app)[0]
    assert has(app, "button", "Train an explainer")
    assert not app.get("plotly_chart")
    assert widget(app, "selectbox", "Learn from").value == "train"


@pytest.mark.parametrize(
    ("model", "count", "told"),
    [("adult-mlp", 2, "2 explainers; the best"), ("digits-mlp", 1, "1 explainer")],
)
def test_a_bundled_explainer_shows_its_error_and_cannot_be_removed(model, count, told):
    app = no_fault(visit(model=model))
    assert f"{model} has {told} with an error of " in answers(app)[0]
    assert len(app.get("plotly_chart")) == 2 * count
    assert not has(app, "button", "Remove it")


def test_one_that_was_trained_is_judged_kept_used_and_removed():
    app = press(no_fault(visit(model="diabetes-mlp", **QUICK)), "Train an explainer")
    no_fault(app)
    assert any("rows that it never saw, its error is " in said for said in answers(app))
    assert len(app.get("plotly_chart")) == 2
    app = no_fault(press(app, "Keep this explainer"))
    assert "diabetes-mlp has 1 explainer" in answers(app)[0]
    assert has(app, "button", "Kept")

    explained = no_fault(visits.visit("shapley", model="diabetes-mlp", method="fastshap"))
    assert len(explained.get("plotly_chart")) == 1
    assert any(line.value.startswith(plain("shapley.fastshap")) for line in explained.caption)

    app = no_fault(press(app, "Remove it"))
    assert "diabetes-mlp has no explainer yet" in answers(app)[0]
    gone = visits.visit("shapley", model="diabetes-mlp", method="fastshap")
    assert not gone.exception
    assert "FastSHAP needs a trained explainer" in shown(gone)


def test_a_model_of_somebody_else_has_no_explainer_of_mine(somebody):
    somebody("ann")
    app = press(visit(model="wine-mlp", **QUICK), "Train an explainer")
    no_fault(press(app, "Keep this explainer"))
    assert "wine-mlp has 1 explainer" in answers(visit(model="wine-mlp"))[0]
    somebody("bob")
    assert "wine-mlp has no explainer yet" in answers(visit(model="wine-mlp"))[0]


def test_settings_that_train_nothing_are_a_sentence():
    app = visit(model="wine-mlp", fastshap__epochs=0, fastshap__warm_epochs=0)
    assert not app.exception
    assert "epochs and warm" in app.error[0].value


def test_trained_numbers_are_those_of_the_engine():
    app = press(visit(model="wine-mlp", **QUICK), "Train an explainer")
    rows = api.load_table("wine", split="train")
    settings = {name.partition("__")[2]: value for name, value in QUICK.items()}
    n = settings.pop("background")
    explainer = api.train_explainer("wine-mlp", rows, rows.sample(n, seed=0), **settings)
    bodies = "".join(element.proto.body for element in app.get("html"))
    assert explainer.digest in bodies
