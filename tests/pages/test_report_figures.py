"""Figures of a report: what is in view goes in, and the page Report lists it and drops it."""

import pytest
import yaml

from tests.pages.test_report_page import ANALYSIS, bring
from tests.visits import has, no_fault, press, shown, visit
from workbench.analysis import building, load_analysis
from workbench.analysis.build import build
from workbench.core.figures import ChosenFigure
from workbench.jobs.queue import Queue
from workbench.plots.chosen import fault_of
from workbench.ui import report_files
from workbench.ui.text import plain
from workbench.workspace.basket import Basket

MANY = {"model": "german-mlp", "mode": "many", "count": 12, "background": 20}
# Where results are shown, in pages and parts of them.
PLACES = [
    ("shapley", {"model": "wine-mlp"}),
    ("workspace", {"model": "wine-mlp"}),
    ("local_models", {"model": "german-mlp", "row": 3}),
    ("interactions", {"model": "german-mlp"}),
    ("fairness", {"model": "german-mlp", "fairness__by": "personal_status"}),
    ("profiles", {"model": "wine-mlp"}),
    ("equally_good_models", {"model": "german-mlp", "rashomon__models": 20}),
]


def figures(person):
    return [item.figures for item in Basket(person.key).content.items]


@pytest.fixture
def at_once(monkeypatch):
    """Reports are written here, without a process and without paper."""

    def start(order, folder):
        building.tell(folder, "running")
        (folder / building.ORDER).write_text(order.model_dump_json())
        build(order, folder)

    monkeypatch.setattr(report_files, "start_build", start)
    monkeypatch.setattr(report_files, "_prints", lambda: False)


def many(**address):
    app = visit("shapley", **MANY, **address)
    if has(app, "button", "Explain 12 rows"):
        app = press(app, "Explain 12 rows")
    return no_fault(app)


@pytest.mark.usefixtures("at_once")
def test_a_view_goes_in_with_its_options_and_another_one_to_the_same_result(me):
    chosen = {"view": "dependence", "dependence__feature": "duration"}
    app = many(**chosen)
    no_fault(press(app, "Add to report"))
    ((figure,),) = figures(me)
    assert (figure.view, figure.options["feature"]) == ("dependence", "duration")
    assert set(figure.options) == {"feature", "colour", "output"}
    app = many(**chosen)
    assert has(app, "button", "In the report")
    app = many(view="heatmap")
    assert not has(app, "button", "In the report")
    app = no_fault(press(app, "Add this view to report"))
    assert has(app, "button", "In the report")
    (both,) = figures(me)
    assert [one.view for one in both] == ["dependence", "heatmap"]

    app = no_fault(press(visit("report"), "Write the report"))
    assert not app.warning
    out = Basket(me.key).built / building.OUT
    (step,) = load_analysis(out / "analysis.yaml").steps
    assert step.figures == both
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count('class="plot"') == 2
    assert "feature duration" in page


def test_the_page_lists_figures_and_takes_them_out(me):
    no_fault(press(many(view="dependence", dependence__feature="duration"), "Add to report"))
    no_fault(press(many(view="bar"), "Add this view to report"))
    app = no_fault(visit("report"))
    assert any(box.label == "2 figures" for box in app.expander)
    assert plain("A feature's value and its effect (feature duration") in shown(app)
    app = no_fault(press(app, "Remove figure 1"))
    assert [one.view for (one,) in figures(me)] == ["bar"]
    app = no_fault(press(app, "Show the usual figures"))
    assert figures(me) == [()]
    assert plain("Figures: the usual ones.") in shown(app)
    assert not has(app, "button", "Remove figure 1")


@pytest.mark.parametrize(("page", "address"), PLACES, ids=[page for page, _ in PLACES])
def test_what_is_in_view_is_what_the_result_of_the_job_can_draw(page, address, me):
    app = visit(page, **address)
    for button in [b for b in app.button if b.label == "Add to report"]:
        no_fault(app.button(key=button.key).click().run())
    items = Basket(me.key).content.items
    assert items
    for item in items:
        result = Queue().result(item.job, me.key)
        assert item.figures
        assert [
            fault_of(result, figure) for figure in item.figures if fault_of(result, figure)
        ] == []


def test_a_file_brings_its_figures_and_one_that_does_not_fit_is_refused(me):
    wished = [{"view": "waterfall", "options": {"max_features": 3}}]
    first = ANALYSIS["steps"][0] | {"figures": wished}
    app = bring(no_fault(visit("report")), yaml.safe_dump(ANALYSIS | {"steps": [first]}))
    no_fault(press(app, "Run its steps"))
    assert figures(me) == [(ChosenFigure(**wished[0]),)]
    wished = [{"view": "dependence", "options": {"feature": "flavanoid"}}]
    wrong = ANALYSIS | {"steps": [ANALYSIS["steps"][0] | {"figures": wished}]}
    app = bring(no_fault(visit("report")), yaml.safe_dump(wrong))
    (error,) = app.error
    assert "no feature of the model, did you mean 'flavanoids'" in error.value.replace("\\", "")
