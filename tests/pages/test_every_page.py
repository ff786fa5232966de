"""Every page with every bundled model: no fault, and something to see."""

import pytest
import streamlit as st

from tests.visits import MODELS, PAGES, address, answers, go, no_fault, title, visit, widget
from workbench import api
from workbench.plots import performance_sentence
from workbench.ui import frame, jobs
from workbench.ui.quality import VIEW_NAMES
from workbench.ui.text import markup

TITLES = {
    "add_data": "Which rows would you like to look at?",
    "add_model": "Which model would you like to look into?",
    "equally_good_models": "How much do equally good models disagree?",
    "fairness": "Who is worse off, and how sure is that?",
    "fastshap": "Can a network explain it at once, and how well?",
    "health": "Is this workbench in order?",
    "inside": "What does it compute on the way?",
    "interactions": "Which features work together?",
    "jobs": "What is running, and what has finished?",
    "local_models": "Which simple model does it follow near a row?",
    "people": "Who is decided narrowly, and what would have changed it?",
    "profiles": "How does the output move with a feature?",
    "registry": "Which models are there, and how do two differ?",
    "remedies": "What would help, and what would it cost?",
    "report": "What do I hand over?",
    "shapley": "Which features made this prediction?",
    "what_if": "What if this row were different?",
    "which_explanation": "Which explanation should I believe?",
    "workspace": "What am I looking at, and how good is it?",
}
# What computes on 64 features for half a minute when its page is opened; other models have results.
LONG = {"digits-mlp": ("equally_good_models", "interactions")}
# Two that read different columns, and two of different kinds of target.
PAIRS = [(name, "adult-mlp@1") for name in MODELS if name != "adult-mlp"]


def test_there_is_a_title_for_every_page():
    assert tuple(TITLES) == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_by_its_address(page):
    app = no_fault(visit(page))
    assert title(app) == TITLES[page]
    assert answers(app)
    assert not address(app)


@pytest.mark.parametrize("name", MODELS)
def test_every_page_follows_the_model(name):
    app = visit(model=name)
    for page in PAGES:
        if page in LONG.get(name, ()):
            continue
        no_fault(go(app, page))
        assert title(app) == TITLES[page]
        if page in {"shapley", "workspace"}:
            assert widget(app, "selectbox", "Model").value == name


@pytest.fixture
def nothing_runs(monkeypatch, tmp_path):
    """A home of its own, in which runs wait for ever and pages do not wait for them."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(frame, "start_jobs", lambda: None)
    monkeypatch.setattr(jobs, "PATIENCE", 0.0)
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(("name", "page"), [(n, page) for n in LONG for page in LONG[n]])
def test_a_page_opens_before_its_long_run_is_over(name, page):
    app = no_fault(visit(page, model=name))
    assert title(app) == TITLES[page]
    assert widget(app, "selectbox", "Model").value == name


@pytest.mark.parametrize("name", MODELS)
def test_the_quality_of_every_model_in_every_view(name):
    app = no_fault(visit(model=name))
    model = api.load_model(name)
    rows = api.load_table(model.card.training_table, split="test")
    (body,) = answers(app)
    assert f">{markup(performance_sentence(api.evaluate(model, rows)))}<" in body
    views = app.button_group[1]
    expected = {
        "binary": {"metrics", "confusion", "roc", "pr", "calibration"},
        "multiclass": {"metrics", "confusion", "roc", "pr", "calibration"},
        "regression": {"metrics", "residuals"},
    }[model.schema.task]
    assert set(views.options) == {VIEW_NAMES[view] for view in expected}
    for view in expected:
        no_fault(app.button_group[1].set_value(view).run())
        assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize("name", MODELS)
def test_the_data_and_the_card_of_every_model(name):
    app = no_fault(visit(model=name, about="data"))
    model = api.load_model(name)
    assert len(app.get("plotly_chart")) == 3
    assert f"{name} " in answers(app)[0]
    rows, meanings = (element.value for element in app.dataframe)
    table = api.load_table(model.card.training_table, split="test")
    assert len(rows) == min(50, len(table))
    assert list(meanings["column"]) == list(model.schema.names)
    last = model.schema.names[-1]
    no_fault(widget(app, "selectbox", "Feature").set_value(last).run())
    assert address(app).get("feature") == last

    app = no_fault(visit(model=name, about="model"))
    card = "".join(element.proto.body for element in app.get("html"))
    assert model.digest in card
    assert len(app.dataframe[0].value) == len(model.schema.features)


@pytest.mark.parametrize("name", MODELS)
def test_many_rows_of_every_model_in_both_views(name):
    app = visit("shapley", model=name, mode="many", count=3, effort="quick", method="permutation")
    no_fault(widget(app, "button", "Explain 3 rows").click().run())
    assert len(app.get("plotly_chart")) == 1
    no_fault(app.button_group[2].set_value("beeswarm").run())
    assert len(app.get("plotly_chart")) == 1
    assert len(app.dataframe[0].value) == len(api.load_model(name).schema.features)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_every_model_is_compared_with_another(one, other):
    app = no_fault(visit("registry", one=f"{one}@1", other=other))
    heads = list(app.dataframe[1].value.columns)
    assert heads[1:] == [f"{one}@1", other]
