"""The page that says which explanation to believe: its card, its ways out, and what it rests on."""

import functools
import re
from functools import partial

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tests import onnx_files, visits
from tests.bundles import bundle, keep_table
from tests.functions import categories_table
from tests.jobs import finish
from tests.networks import tiny_table
from tests.reading import read_here
from tests.visits import (
    address,
    answers,
    go,
    has,
    no_fault,
    press,
    shown,
    upload_model,
    visit,
    widget,
)
from workbench import api
from workbench.core.settings import settings
from workbench.engines.lfa.advisor import QUESTIONS, advise, questions_for
from workbench.interop import uploaded
from workbench.jobs.desk import Desk
from workbench.jobs.queue import Queue
from workbench.plots.faithfulness_words import faithfulness_sentence
from workbench.plots.measures import measures_sentence
from workbench.registry.intake import receive_model
from workbench.ui import frame, jobs
from workbench.ui.recommendation import BADGES
from workbench.ui.text import markup, plain
from workbench.ui.verdict import verdict, verdict_sentence
from workbench.workspace.given import given_entries
from workbench.workspace.store import Workspace

PAGE = "which_explanation"
look = partial(visit, PAGE)


@pytest.fixture
def counted(monkeypatch):
    """The rows of all runs that a page asks for: a position, or how many are drawn."""
    calls, submit = [], Queue.submit

    def counting(self, request, **kwargs):
        calls.append(request.rows or request.count)
        return submit(self, request, **kwargs)

    monkeypatch.setattr(Queue, "submit", counting)
    return calls


@functools.cache
def drawn(name, count, *, seed=0):
    """What the engine says of rows that are drawn from the test split of a bundled model."""
    return api.faithfulness(name, rows_of(name).sample(count, seed=seed), device="cpu", seed=seed)


@functools.cache
def single(name, row=0):
    """What it says of one of them."""
    return api.faithfulness(name, rows_of(name)[[row]], device="cpu")


def rows_of(name):
    return api.load_table(api.load_model(name).card.training_table, split="test")


def said(app):
    """The card's answer, with ordinary spaces."""
    return answers(app)[0].replace("\N{NO-BREAK SPACE}", " ")


def badge(app):
    """Which of the four cards is in view."""
    (found,) = (
        state for state, (label, _, _) in BADGES.items() if f"{label}]" in shown(app)
    )  # fmt: skip
    return found


@pytest.mark.usefixtures("me")
def test_a_first_visit_recommends_what_the_engine_does(counted):
    app = no_fault(look())
    many, one = drawn("adult-mlp", 100), single("adult-mlp")
    expected = verdict_sentence(verdict(many, "removed", output=">50K", row=one))
    assert f">{markup(expected)}<" in said(app)
    assert badge(app) == "believe"
    assert plain(faithfulness_sentence(many, ">50K")) in shown(app)
    assert counted == [(0,), 100]
    assert len(app.get("plotly_chart")) == 4
    assert not address(app)


@pytest.mark.usefixtures("me")
def test_every_question_is_answered_from_the_same_runs(counted):
    app = no_fault(look(model="diabetes-mlp"))
    many, one = drawn("diabetes-mlp", 89), single("diabetes-mlp")
    (output,) = many.output_names
    assert widget(app, "selectbox", "Question").options == [
        QUESTIONS[key].words for key in questions_for(many)
    ]
    for question in questions_for(many):
        no_fault(widget(app, "selectbox", "Question").set_value(question).run())
        found = verdict(many, question, output=output, row=one)
        assert f">{markup(verdict_sentence(found))}<" in said(app), question
        assert badge(app) == found.state
    assert counted == [(0,), 89]


def test_many_rows_are_recommended_for_without_one():
    app = no_fault(look(model="wine-mlp", mode="many", count=20, output="cultivar 1"))
    many = drawn("wine-mlp", 20)
    found = verdict(many, "removed", output="cultivar 1")
    assert f">{markup(verdict_sentence(found))}<" in said(app)
    assert "over 20 rows" in said(app)
    assert len(app.get("plotly_chart")) == 3


@pytest.mark.usefixtures("me")
def test_where_none_is_adequate_the_card_says_so_and_leads_out(counted):
    app = no_fault(look(model="adult-mlp", question="moved-further", effort="quick"))
    assert badge(app) == "none"
    assert "Believe none of them" in said(app)
    no_fault(press(app, plain("Look closer: wide scale 0.5")))
    assert address(app)["lfa.wide_scale"] == "0.5"
    assert counted == [(0,), 100] * 2
    app = look(model="adult-mlp", question="moved-further")
    no_fault(press(app, plain(QUESTIONS["removed"].words)))
    assert "question" not in address(app)
    assert badge(app) == "believe"
    app = look(model="adult-mlp", question="moved-further", row=2)
    no_fault(press(app, "See which features work together"))
    assert visits.title(app) == "Which features made this prediction?"
    assert widget(app, "toggle", "Which features work together?").value
    assert widget(app, "number_input", "Row").value == 2
    app = look(model="adult-mlp", question="moved-further", row=2)
    no_fault(press(app, "Fit a function with pairs"))
    assert visits.title(app) == "Which simple model does it follow near a row?"
    assert address(app) == {"row": "2", "part": "neighbourhood", "function": "pairwise"}


def test_a_row_for_which_the_recommendation_fails_has_a_card_of_its_own():
    app = no_fault(look(model="breast-cancer-mlp", question="few-removed"))
    assert badge(app) == "not_here"
    assert "Not for row 2: " in said(app)
    assert has(app, "button", "See which features work together")
    no_fault(press(app, "Try values on this row"))
    assert visits.title(app) == "What if this row were different?"


def test_a_limit_on_passes_changes_the_recommendation_and_nothing_else(counted):
    app = no_fault(look(model="diabetes-mlp", row=1, question="path", seed=3))
    many = drawn("diabetes-mlp", 89, seed=3)
    no_fault(widget(app, "number_input", "Passes per row, at most").set_value(10).run())
    expected = advise(many, "path", budget=10)
    assert expected.method != advise(many, "path").method
    assert f"{expected.calls:,} passes for a row" in "".join(e.proto.body for e in app.get("html"))
    assert address(app)["passes"] == "10"
    no_fault(widget(app, "number_input", "Passes per row, at most").set_value(1).run())
    assert "No explanation takes at most 1 pass for a row." in said(app)
    no_fault(press(app, "Allow any number of passes"))
    assert "passes" not in address(app)
    assert len(counted) == 2


def test_explanations_are_chosen_and_kept_in_the_address():
    app = no_fault(look(model="diabetes-mlp"))
    chosen = widget(app, "multiselect", "Explanations")
    assert chosen.value == ["lime", "kernelshap", "integrated-gradients"]
    no_fault(chosen.set_value(["smoothgrad", "kernelshap"]).run())
    assert address(app)["explanations"] == "smoothgrad,kernelshap"
    views = next(group for group in app.button_group if "Slopes" in group.options)
    no_fault(views.set_value("slope").run())
    assert len(app.get("plotly_chart")) == 4
    no_fault(widget(app, "multiselect", "Explanations").set_value([]).run())
    assert "Choose at least one explanation." in shown(app)
    app = no_fault(look(model="diabetes-mlp", explanations="occlusion,zzz"))
    assert widget(app, "multiselect", "Explanations").value == ["occlusion"]
    assert "Explanations 'zzz' is not available here." in shown(app).replace("\\", "")


def test_the_recommended_explanation_can_be_added_to_those_shown():
    app = no_fault(look(model="diabetes-mlp", question="one-removed"))
    no_fault(press(app, "Show Occlusion too"))
    assert address(app)["explanations"] == "lime,kernelshap,integrated-gradients,occlusion"
    assert not has(app, "button", "Show Occlusion too")


def test_every_measure_of_agreement_draws(counted):
    app = no_fault(look(model="diabetes-mlp", seed=4))
    for measure in ("sign", "rank", "same-rank", "signed-rank"):
        no_fault(widget(app, "selectbox", "Agreement in").set_value(measure).run())
        assert len(app.get("plotly_chart")) == 4
    assert len(counted) == 2


def test_the_worst_rows_of_a_cell_open_on_this_page():
    app = no_fault(look(model="diabetes-mlp"))
    widget(app, "selectbox", "Explanation").set_value("occlusion").run()
    no_fault(widget(app, "selectbox", "Neighbourhood").set_value("resample").run())
    many = drawn("diabetes-mlp", 89)
    worst = int(many.ids[many.worst("occlusion", "resample", count=1)[0]])
    (button,) = (b for b in app.button if b.label.startswith(f"Row {worst}\\:"))
    no_fault(button.click().run())
    at = int((rows_of("diabetes-mlp").ids == worst).nonzero()[0])
    assert widget(app, "number_input", "Row").value == at
    assert f"Row {worst} of diabetes" in shown(app)
    no_fault(widget(app, "selectbox", "Neighbourhood").set_value("one-at-a-time").run())
    assert "Occlusion misses nothing where one feature is removed, of any row" in shown(app)
    no_fault(widget(app, "selectbox", "Neighbourhood").set_value("near").run())
    assert "Not comparable" in shown(app)


def test_bad_addresses_are_mended():
    app = no_fault(look(
        model="diabetes-mlp", question="zzz", row=-1, passes="many", cell__method="nobody",
        lfa__background="x", agreement="none", matrix=7,
    ))  # fmt: skip
    assert widget(app, "selectbox", "Question").value == "removed"
    assert widget(app, "number_input", "Row").value == 0
    assert widget(app, "number_input", "Passes per row, at most").value is None
    assert "Question 'zzz' is not available here." in shown(app).replace("\\", "")
    assert not {"question", "row", "passes", "cell.method"} & set(address(app))


def test_settings_that_do_not_fit_are_a_sentence():
    app = look(model="diabetes-mlp", lfa__scale=2.0)
    assert not app.exception
    (error,) = app.error
    assert "wide" in error.value


@pytest.mark.usefixtures("me")
def test_both_results_go_into_the_report():
    app = no_fault(look(model="diabetes-mlp", row=5))
    for _ in range(2):
        next(b for b in app.button if b.label == "Add to report").click().run()
    assert not has(app, "button", "Add to report")
    app = no_fault(go(app, "report"))
    assert "2 results are ready to hand over" in answers(app)[0]


def test_names_that_are_markup_are_shown_as_they_are(hostile_registry):
    app = no_fault(look(model="hostile"))
    text = shown(app)
    bodies = "".join(element.proto.body for element in app.get("html"))
    for name in hostile_registry.values():
        assert name not in text
    assert "<script>" not in bodies + text
    assert all("<script" not in chart.proto.spec for chart in app.get("plotly_chart"))


def test_a_black_box_has_no_way_and_no_gradients(me, tmp_path):
    table = onnx_files.people()
    keep_table(me, table, name="people")
    path = tmp_path / "people.onnx"
    fitted = LogisticRegression(max_iter=1000)
    fitted.fit(table.X.numpy().astype("float32"), onnx_files.as_words(table))
    onnx_files.export(fitted, path, matrix=4, zipmap=False)
    receive_model(
        {"people.onnx": path}, Workspace(me.key).models_root, name="people", schema=table.schema,
        sample=table,
    )  # fmt: skip
    app = no_fault(look(model="my:people", question="path", effort="quick"))
    assert "Question 'path' is not available here." in shown(app).replace("\\", "")
    assert widget(app, "multiselect", "Explanations").value == ["lime", "kernelshap"]
    assert "integrated-gradients" not in widget(app, "multiselect", "Explanations").options


@pytest.mark.parametrize("kind", ["categories", "missing"])
def test_categories_alone_and_missing_values_are_compared(me, kind):
    table = categories_table((2, 3, 4), n=40) if kind == "categories" else tiny_table(missing=True)
    keep_table(me, table)
    app = no_fault(upload_model(visit("add_model"), bundle(table), name="mine"))
    app = no_fault(look(model="my:mine", question="moved"))
    refused = "Question 'moved' is not available here." in shown(app).replace("\\", "")
    assert refused == (kind == "categories")
    assert len(app.get("plotly_chart")) == 4


def test_a_cohort_of_one_row_is_judged_by_itself(counted):
    rows = rows_of("diabetes-mlp")
    bmi = torch.sort(rows.X[:, rows.schema.index("bmi")]).values[-1]
    app = no_fault(look(model="diabetes-mlp", cohort=f"bmi:{float(bmi):g}.."))
    assert counted == [(0,)]
    assert "From this row alone" in shown(app)


def test_the_usual_measures_are_a_further_run_on_the_same_rows(counted):
    app = no_fault(look(model="diabetes-mlp", effort="quick", seed=5))
    no_fault(widget(app, "toggle", "The usual measures").set_value(True).run())
    assert counted == [(0,), 89, 89]
    assert len(app.get("plotly_chart")) == 5
    model, rows = api.load_model("diabetes-mlp"), rows_of("diabetes-mlp").sample(89, seed=5)
    measured = api.measures(
        model, rows, api.background_for(model, rows, n=264, seed=5), seed=5, device="cpu",
        perturbations=1024, copies=2, networks=1,
    )  # fmt: skip
    assert plain(measures_sentence(measured, measured.output_names[0])) in shown(app)
    no_fault(widget(app, "selectbox", "Measure").set_value("infidelity").run())
    assert len(counted) == 3


class TestRunsThatDoNotEnd:
    """Nobody works on the list; the tests are the worker."""

    @pytest.fixture(autouse=True)
    def queue(self, monkeypatch, tmp_path):
        monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
        monkeypatch.setattr(frame, "start_jobs", lambda: None)
        monkeypatch.setattr(jobs, "PATIENCE", 0.0)
        queue = Queue(settings().home)
        yield queue
        queue.close()

    def done(self, queue, result):
        """Be the worker of one run."""
        desk = Desk(queue.home, "cpu")
        claim = desk.claim()
        queue.store.put(claim.key, result)
        desk.end(claim, "done", seconds=0.1)
        desk.close()

    def test_both_are_asked_for_once_and_shown_as_waiting(self, queue):
        app = no_fault(look(model="wine-mlp"))
        assert len(app.get("progress")) == 2
        assert "Comparing explanations of row 1 …" in shown(app)
        assert "Comparing explanations of 36 rows …" in shown(app)
        app.run()
        assert [job.state for job in queue.jobs("local")] == ["queued"] * 2
        assert has(app, "selectbox", "Question")

    def test_the_row_alone_is_of_use_while_the_rows_fail(self, queue):
        app = look(model="wine-mlp")
        self.done(queue, single("wine-mlp"))
        no_fault(app.run())
        assert "of what the model does of row 1." in said(app)
        assert "From this row alone" in shown(app)
        assert len(app.get("progress")) == 1
        finish(queue, state="failed", error="Row 3 is *infinite*.")
        app.run()
        assert [error.value for error in app.error] == [plain("Row 3 is *infinite*.")]
        assert "of what the model does of row 1." in said(app)
        press(app, "Compare explanations of 36 rows")
        self.done(queue, drawn("wine-mlp", 36))
        no_fault(app.run())
        assert "over 36 rows" in said(app)

    def test_the_rows_are_of_use_when_the_row_is_cancelled(self, queue):
        app = look(model="wine-mlp")
        finish(queue, state="cancelled")
        self.done(queue, drawn("wine-mlp", 36))
        no_fault(app.run())
        assert re.search(r"over 36 rows\.", said(app))
        assert [info.value for info in app.info] == [jobs.STOPPED["cancelled"]]
        assert has(app, "button", "Compare explanations of row 1")


def attributions(rows):
    """A table of attributions of rows as another program writes it."""
    found = api.explain("wine-mlp", rows, method="kernel", budget=64, device="cpu").to_frame()
    wide = found.pivot_table(index=["row", "output"], columns="feature", values="attribution")
    return wide.reset_index().to_csv(index=False).encode()


@pytest.fixture
def upload(monkeypatch):
    """Brings a file of attributions, which is read here."""
    monkeypatch.setattr(uploaded, "call", read_here)

    def bring(app, content, name="shap.csv"):
        return app.file_uploader[0].set_value((name, content, "text/csv")).run()

    return bring


def test_an_explanation_from_elsewhere_is_brought_compared_measured_and_removed(
    me, upload, monkeypatch
):
    asked, submit = [], Queue.submit
    monkeypatch.setattr(
        Queue, "submit",
        lambda self, request, **more: asked.append(request) or submit(self, request, **more),
    )  # fmt: skip
    rows = rows_of("wine-mlp")
    app = upload(look(model="wine-mlp", row=2), attributions(rows[:12]))
    no_fault(app)
    assert address(app)["given"] == "shap"
    assert "shap.csv explains 12 rows of the test split" in shown(app).replace("\\", "")
    beside = [request.rows for request in asked if request.given == "my:shap"]
    assert beside == [(2,), tuple(range(12))]
    widget(app, "toggle", "The usual measures").set_value(True).run()
    no_fault(app)
    assert asked[-1].method == "lfa.measures"
    assert (asked[-1].given, asked[-1].rows) == ("my:shap", tuple(range(12)))
    # A row that it does not explain is looked at without it.
    app = look(model="wine-mlp", row=20, given="shap")
    assert "shap.csv does not explain row" in shown(app).replace("\\", "")
    press(app, "Remove it")
    assert not given_entries(me.key)
    assert not has(no_fault(look(model="wine-mlp", row=2)), "selectbox", "Beside ours")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x80\x04cposix\nsystem\n", "looks like a pickle"),
        (b"alcohol,ash\n1,2\n", "Attributions lack a column for"),
        (b"", "is empty"),
    ],
)
def test_what_cannot_be_brought_is_told_in_one_sentence(me, upload, content, said):
    app = upload(look(model="wine-mlp", row=2), content)
    assert not app.exception
    (error,) = app.error
    assert said in error.value, error.value
    assert "\n" not in error.value
    assert not given_entries(me.key)
    assert not Workspace(me.key).drafts()


def test_a_process_that_lies_about_a_file_is_not_believed(me, upload, monkeypatch):
    def lie(*asked):
        said = read_here(*asked)
        return {**said, "columns": said["columns"][1:]}

    monkeypatch.setattr(uploaded, "call", lie)
    app = upload(look(model="wine-mlp", row=2), attributions(rows_of("wine-mlp")[:3]))
    assert "could not be read; save it again" in app.error[0].value
    assert not given_entries(me.key)
