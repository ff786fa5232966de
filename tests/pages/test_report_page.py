"""The report: results put aside on any page, ordered, commented, and handed over as files."""

import io
import json
import zipfile

import numpy as np
import pytest
import yaml

from tests.visits import answers, go, has, no_fault, press, shown, visit, widget
from workbench.analysis import building, load_analysis, run_analysis
from workbench.analysis.build import build
from workbench.core.results import load
from workbench.jobs.queue import Queue
from workbench.ui import report_files
from workbench.ui.text import plain
from workbench.workspace.basket import Basket

HEADING = "What we <b>found</b> & why"
REMARK = "Look at <script>alert(1)</script> first."


def put_aside(page, **address):
    return no_fault(press(visit(page, **address), "Add to report"))


@pytest.fixture
def at_once(monkeypatch):
    """Reports are written here, without a process and without paper."""

    def start(order, folder):
        building.tell(folder, "running")
        (folder / building.ORDER).write_text(order.model_dump_json())
        build(order, folder)

    monkeypatch.setattr(report_files, "start_build", start)
    monkeypatch.setattr(report_files, "_prints", lambda: False)


@pytest.fixture
def two_results(me):
    """The report page after a wine prediction and a diabetes evaluation were put aside."""
    app = put_aside("shapley", model="wine-mlp")
    assert has(app, "button", "In the report")
    put_aside("workspace", model="diabetes-mlp")
    return me


def test_what_another_window_wrote_stays_and_is_shown(two_results):
    first, second = no_fault(visit("report")), no_fault(visit("report"))
    wine, diabetes = Basket(two_results.key).content.items
    no_fault(widget(first, "text_area", "Comment").set_value("From the first.").run())
    no_fault(first.text_area(key=f"remark-{wine.job}").set_value("Of the first.").run())
    no_fault(second.text_area(key=f"remark-{diabetes.job}").set_value("Of the second.").run())
    content = Basket(two_results.key).content
    assert content.comment == "From the first."
    assert [item.remark for item in content.items] == ["Of the first.", "Of the second."]
    assert widget(second, "text_area", "Comment").value == "From the first."
    assert second.text_area(key=f"remark-{wine.job}").value == "Of the first."


def test_a_heading_cannot_be_taken_away(two_results):
    app = no_fault(visit("report"))
    no_fault(widget(app, "text_input", "Heading").set_value("For the board").run())
    no_fault(widget(app, "text_input", "Heading").set_value("  ").run())
    assert Basket(two_results.key).content.heading == "For the board"
    assert widget(app, "text_input", "Heading").value == "For the board"


def test_an_empty_report_leads_to_an_explanation(me):
    app = no_fault(visit("report"))
    assert "Nothing has been put aside yet." in answers(app)[0]
    no_fault(press(app, "Explain a prediction"))
    assert len(app.get("plotly_chart")) == 1
    assert Basket(me.key).content.items == ()


@pytest.mark.usefixtures("at_once")
def test_results_are_listed_reordered_commented_and_written(two_results):
    app = no_fault(visit("report"))
    assert "2 results are ready to hand over." in answers(app)[0]
    wine, diabetes = Basket(two_results.key).content.items
    assert "wine-mlp" in wine.title
    assert "diabetes-mlp" in diabetes.title
    assert shown(app).index(plain(wine.title)) < shown(app).index(plain(diabetes.title))
    no_fault(app.text_area(key=f"remark-{wine.job}").set_value(REMARK).run())
    no_fault(app.text_input(key=f"head-{wine.job}").set_value("=A wine").run())
    no_fault(widget(app, "text_input", "Heading").set_value(HEADING).run())
    no_fault(widget(app, "text_area", "Comment").set_value("One.\n\n*Two*.").run())
    assert app.button(key=f"up-{wine.job}").disabled
    assert app.button(key=f"down-{diabetes.job}").disabled
    no_fault(app.button(key=f"up-{diabetes.job}").click().run())
    content = Basket(two_results.key).content
    assert [item.job for item in content.items] == [diabetes.job, wine.job]
    assert (content.heading, content.items[1].remark) == (HEADING, REMARK)
    assert app.button(key=f"up-{diabetes.job}").disabled

    no_fault(press(app, "Write the report"))
    assert has(app, "download_button", "Download HTML")
    out = Basket(two_results.key).built / building.OUT
    page = (out / "report.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    assert "What we &lt;b&gt;found&lt;/b&gt; &amp; why" in page
    assert "Look at &lt;script&gt;alert(1)&lt;/script&gt; first." in page
    assert REMARK not in page
    assert page.index("diabetes-mlp@1") < page.index("wine-mlp@1")
    analysis = load_analysis(out / "analysis.yaml")
    assert analysis.comments == ("One.", "*Two*.")
    assert [step.remark for step in analysis.steps] == ["", REMARK]
    assert analysis.steps[1].title == "=A wine"
    assert has(app.run(), "download_button", "Download HTML")
    no_fault(widget(app, "text_input", "Heading").set_value("Another").run())
    assert not has(app, "download_button", "Download HTML")


@pytest.mark.usefixtures("at_once")
def test_what_is_written_is_what_was_seen_and_runs_again(two_results, tmp_path):
    app = no_fault(press(visit("report"), "Write the report"))
    assert not app.warning
    out = Basket(two_results.key).built / building.OUT
    queue, jobs = Queue(), [item.job for item in Basket(two_results.key).content.items]
    seen = [queue.result(job, two_results.key) for job in jobs]
    (out_again := tmp_path / "again").mkdir()
    again = run_analysis(out / "analysis.yaml", out=out_again)
    assert again.exit_code == 0
    assert [(r.step.id, r.as_expected, r.reused) for r in again.steps] == [
        (r.step.id, True, False) for r in again.steps
    ]
    for run, result in zip(again.steps, seen, strict=True):
        kept = load(out / "steps" / f"{run.step.id}.{result.kind}")
        for field, value in vars(result).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(getattr(kept, field), value)
                np.testing.assert_array_equal(getattr(run.result, field), value)


@pytest.mark.usefixtures("at_once")
def test_everything_comes_in_one_archive(two_results):
    no_fault(press(visit("report"), "Write the report"))
    folder = Basket(two_results.key).built / building.OUT
    names = set(zipfile.ZipFile(io.BytesIO(report_files._everything(folder))).namelist())
    assert {"analysis.yaml", "analysis.ipynb", "numbers.json", "report.html"} <= names
    assert "steps/performance-evaluate.performance" in names


def test_a_process_of_its_own_writes_it(two_results):
    app = no_fault(visit("report"))
    order = report_files._order(Basket(two_results.key).content, two_results)
    folder = Basket(two_results.key).built
    building.start_build(order, folder)
    building.start_build(order, folder)  # joins the first
    assert building.find_build(order, folder).state == "running"
    process = building._processes[folder]
    assert process.wait(120) == 0
    found = building.find_build(order, folder)
    assert (found.state, found.error) == ("done", "")
    assert {"html", "yaml", "ipynb"} <= set(found.files)
    assert building.find_build(order.model_copy(update={"owner": "else"}), folder).state == "none"
    assert app.title


def test_writing_can_be_cancelled_and_leaves_nothing(two_results):
    folder = Basket(two_results.key).built
    visit("report")
    order = report_files._order(Basket(two_results.key).content, two_results)
    building.start_build(order, folder)
    building.cancel_build(folder)
    assert building.find_build(order, folder).state == "cancelled"
    assert not list(folder.rglob("*.html"))
    assert not (folder / building.OUT).exists()
    assert has(visit("report"), "button", "Write the report")


def test_only_some_reports_are_written_at_once(two_results, monkeypatch):
    monkeypatch.setattr(building, "AT_ONCE", 0)
    app = no_fault(press(visit("report"), "Write the report"))
    assert "other reports are being written" in app.toast[0].value
    assert has(app, "button", "Write the report")
    assert not (Basket(two_results.key).built / building.ORDER).exists()


def test_a_writer_that_vanished_is_told(two_results):
    folder = Basket(two_results.key).built
    visit("report")
    order = report_files._order(Basket(two_results.key).content, two_results)
    building.tell(folder, "running", started=0.0)
    (folder / building.ORDER).write_text(order.model_dump_json())
    app = no_fault(visit("report"))
    assert plain("The workbench was stopped while it was written.") in shown(app)
    assert has(app, "button", "Write the report")


def test_a_result_is_taken_out_here_or_where_it_was_put_in(two_results):
    app = no_fault(visit("report"))
    wine, diabetes = Basket(two_results.key).content.items
    no_fault(app.button(key=f"out-{diabetes.job}").click().run())
    assert "1 result is ready to hand over." in answers(app)[0]
    no_fault(press(visit("shapley", model="wine-mlp"), "In the report"))
    assert "Nothing has been put aside yet." in answers(go(app, "report"))[0]
    assert wine.job != diabetes.job


@pytest.mark.usefixtures("at_once")
def test_a_result_that_is_gone_is_told_and_the_rest_is_handed_over(two_results):
    wine, diabetes = Basket(two_results.key).content.items
    Queue().remove(wine.job, two_results.key)
    app = no_fault(visit("report"))
    assert "1 of 2 results is ready to hand over." in answers(app)[0]
    (warning,) = app.warning
    assert warning.value == "It is no longer there: its job was removed. Remove it here too."
    no_fault(press(app, "Write the report"))
    (step,) = load_analysis(Basket(two_results.key).built / building.OUT / "analysis.yaml").steps
    assert step.method == "performance.evaluate"
    Queue().remove(diabetes.job, two_results.key)
    app.run()
    assert plain("None of the results is ready yet.") in shown(app)
    assert not has(app, "button", "Write the report")


def test_a_large_run_is_put_aside_from_the_list_of_jobs(me):
    large = {"mode": "many", "count": 45, "method": "kernel", "background": 264}
    app = visit("shapley", model="diabetes-mlp", **large)
    no_fault(press(app, "Explain 45 rows"))
    no_fault(press(visit("jobs"), "Add to report"))
    (item,) = Basket(me.key).content.items
    assert item.title.endswith("diabetes-mlp, 45 rows of diabetes")
    assert "1 result is ready" in answers(visit("report"))[0]


def test_lengths_are_bounded_where_they_are_typed(two_results):
    app = no_fault(visit("report"))
    item = Basket(two_results.key).content.items[0]
    assert widget(app, "text_input", "Heading").max_chars == 200
    area = app.text_area(key=f"remark-{item.job}")
    assert area.max_chars == 2000
    no_fault(area.set_value("w" * 2000).run())
    assert Basket(two_results.key).content.items[0].remark == "w" * 2000


def bring(app, text, name="a.yaml"):
    content = text if isinstance(text, bytes) else text.encode()
    return app.file_uploader[0].set_value([(name, content, "")]).run()


ANALYSIS = {
    "format": 1, "title": "Of <b>wine</b>", "level": "auditor", "comments": ["First.", "Second."],
    "models": {"wine-mlp@1": None}, "tables": {"wine": None},
    "steps": [
        {"id": "one", "method": "shapley.permutation", "model": "wine-mlp@1", "table": "wine",
         "split": "test", "rows": [2], "background": 20, "seed": 3, "title": "A bottle",
         "remark": "Mind the alcohol."},
        {"id": "two", "method": "performance.evaluate", "model": "wine-mlp@1", "table": "wine",
         "split": "test"},
    ],
}  # fmt: skip


@pytest.mark.usefixtures("at_once")
def test_an_analysis_file_is_run_as_jobs_and_put_aside(me):
    app = no_fault(visit("report"))
    no_fault(bring(app, yaml.safe_dump(ANALYSIS)))
    assert "2 steps" in shown(app)
    no_fault(press(app, "Run its steps"))
    content = Basket(me.key).content
    assert (content.heading, content.comment) == ("Of <b>wine</b>", "First.\n\nSecond.")
    assert content.level == "auditor"
    assert [item.heading for item in content.items] == ["A bottle", ""]
    queue = Queue()
    for item in content.items:
        assert queue.wait(item.job, me.key, 60).state == "done"
    result = queue.result(content.items[0].job, me.key)
    assert (result.provenance.seed, result.provenance.n_background) == (3, 20)
    no_fault(press(visit("report"), "Write the report"))
    numbers = json.loads((Basket(me.key).built / building.OUT / "numbers.json").read_text())
    assert list(numbers["steps"]) == ["shapley-permutation", "performance-evaluate"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"models": {"wine-mlp@1": "0" * 64}}, "another model 'wine-mlp@1'"),
        ({"tables": {"wine": "0" * 64}}, "another table 'wine'"),
        ({"format": 99}, "update the workbench"),
        ({"surprise": 1}, "surprise"),
        ({"steps": [ANALYSIS["steps"][1] | {"table": "../../etc/passwd"}]}, "no table"),
        ({"steps": [ANALYSIS["steps"][1] | {"model": "/etc@1"}]}, "no model"),
        ({"steps": [ANALYSIS["steps"][1] | {"model": "my:nobodys@1"}]}, "no model"),
        ({"steps": [ANALYSIS["steps"][0] | {"params": {"budget": -1}}]}, "budget"),
    ],
)
def test_an_analysis_that_does_not_fit_is_refused_in_a_sentence(me, change, said):
    app = no_fault(visit("report"))
    app = bring(app, yaml.safe_dump(ANALYSIS | change))
    assert not app.exception
    (error,) = app.error
    assert said in error.value.replace("\\", "")
    assert not has(app, "button", "Run its steps")
    assert Basket(me.key).content.items == ()


@pytest.mark.parametrize("text", ["", "steps: [", "- a", b"\xff\xfe", "a: &x [*x]"])
@pytest.mark.usefixtures("me")
def test_what_is_no_analysis_file_is_refused(text):
    app = bring(no_fault(visit("report")), text)
    assert not app.exception
    assert len(app.error) == 1


def test_many_results_are_looked_at_in_parts(me):
    basket = Basket(me.key)
    for i in range(45):
        basket.add(f"job-{i}", f"Result {i}")

    def listed(app):
        return [button.key for button in app.button if button.label == "Up"]

    app = no_fault(visit("report"))
    assert listed(app) == [f"up-job-{i}" for i in range(10)]
    assert not app.button(key="down-job-9").disabled
    app = no_fault(widget(app, "segmented_control", "Results").set_value(40).run())
    assert listed(app) == [f"up-job-{i}" for i in range(40, 45)]
    for i in range(40, 45):
        basket.remove(f"job-{i}")
    assert listed(no_fault(app.run())) == [f"up-job-{i}" for i in range(30, 40)]
