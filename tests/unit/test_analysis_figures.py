"""Figures that an analysis names: refused in words, and the same in report, files and notebook."""

import csv
import io
import json
import zipfile

import nbformat
import pytest

from tests.analyses import RIGHT, SHAP, analysis
from tests.attributions import example
from workbench import api
from workbench.analysis import (
    Replay,
    analysis_of,
    load_analysis,
    parse_analysis,
    run_analysis,
    to_yaml,
)
from workbench.core.errors import InvalidInputError
from workbench.core.figures import ChosenFigure
from workbench.jobs.request import Request
from workbench.plots import render, view_sentence
from workbench.report.document import Document, Entry
from workbench.report.embedded import narrowed
from workbench.report.html import sections_of, write_html

HOSTILE = "<script>alert(1)</script>"
CHOSEN = [
    {"view": "dependence", "options": {"feature": "flavanoids", "colour": "alcohol"}},
    {"view": "waterfall", "options": {"row": 1, "max_features": 4}},
]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A folder that a run of one step with two figures left, and the run."""
    out = tmp_path_factory.mktemp("run") / "out"
    return out, run_analysis(analysis(SHAP | {"figures": CHOSEN}), out=out)


def test_the_report_shows_them_in_place_of_the_usual_ones(ran):
    out, run = ran
    (section,) = sections_of(run.document)
    number = run["shap"].ids[1]
    assert [picture.title for picture in section.pictures] == [
        "A feature's value and its effect (feature flavanoids, colour alcohol)",
        f"From the base value to the prediction (row {number}, max features 4)",
    ]
    drawn = render(run["shap"], "waterfall", row=1, max_features=4)
    assert section.pictures[1].light["data"] == narrowed(json.loads(drawn.to_json()))["data"]
    said = view_sentence(run["shap"], "dependence", feature="flavanoids", colour="alcohol")
    assert said in section.answers
    usual = sections_of(Document("Usual", (Entry(run["shap"]),)))[0]
    assert section.answers[: len(usual.answers)] == usual.answers
    assert (section.tables, section.outcomes) == (usual.tables, usual.outcomes)
    assert "feature flavanoids" in (out / "report.html").read_text(encoding="utf-8")


def test_they_are_in_every_file_of_the_run(ran):
    out, _ = ran
    entry = json.loads((out / "report.json").read_text(encoding="utf-8"))["results"][0]
    assert entry["figures"] == CHOSEN
    archive = zipfile.ZipFile(out / "report.zip")
    (line,) = csv.DictReader(io.StringIO(archive.read("manifest.csv").decode()))
    assert line["figures"] == (
        "dependence (feature = flavanoids, colour = alcohol); waterfall (row = 1, max_features = 4)"
    )
    kept = load_analysis(out / "analysis.yaml")
    assert [figure.model_dump() for figure in kept.steps[0].figures] == CHOSEN
    assert parse_analysis(to_yaml(kept)) == kept


def test_the_notebook_draws_them(ran):
    out, run = ran
    cells = nbformat.read(out / "analysis.ipynb", as_version=4).cells
    drawn = [cell.source for cell in cells if "wb.plot" in cell.source]
    names = {"wb": api, "result": run["shap"]}
    figures = [eval(source, names) for source in drawn]  # noqa: S307 - what a reader would run
    assert [figure.to_json() for figure in figures] == [
        render(run["shap"], part["view"], **part["options"]).to_json() for part in CHOSEN
    ]


def test_a_file_without_figures_is_what_it_was():
    plain = analysis(SHAP)
    assert "figures" not in to_yaml(plain)
    assert plain.steps[0].figures == ()
    asked = plain.steps[0].request(model_digest="0" * 64, table_digest="1" * 64)
    with_some = analysis(SHAP | {"figures": CHOSEN}).steps[0]
    assert with_some.request(model_digest="0" * 64, table_digest="1" * 64).key == asked.key


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ([{"view": "dependance"}], "step 'shap', figure 1: there is no view 'dependance' of "
         "'attribution', did you mean 'dependence'"),
        ([{"view": "bar"}, {"view": "bar", "options": {"by": "x"}}], "step 'shap', figure 2: view "
         "'bar' has no option 'by', choose output, max_features"),
        ([{"view": "bar", "option": {}}], "step 'shap', figure 1, option: there is no such key, "
         "did you mean 'options'"),
        ([{"view": "bar", "options": {"max_features": [1]}}], "step 'shap', figure 1, "
         "options.max_features: must be text or a finite number"),
        ([{}], "step 'shap', figure 1, view: is missing"),
        ([{"view": "bar"}] * 25, "step 'shap', figures: must have at most 24 entries"),
        ("bar", "step 'shap', figures: must be a list"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_before_anything_runs(figures, said):
    with pytest.raises(InvalidInputError) as caught:
        analysis(SHAP | {"figures": figures})
    assert str(caught.value).startswith(f"The analysis does not fit: {said}")
    assert str(caught.value).count(";") == 0


@pytest.mark.parametrize(
    ("view", "options", "said"),
    [
        ("dependence", {"feature": "flavanoid"}, "feature of view 'dependence' is no feature of "
         "the model, did you mean 'flavanoids'"),
        ("cohorts", {"by": "hue_"}, "by of view 'cohorts' is no feature of the model, did you mean "
         "'hue'"),
        ("bar", {"output": "cultivar 4"}, "output of view 'bar' is no output of the model, did you "
         "mean 'cultivar 3'"),
        ("bar", {"output": 3}, "output of view 'bar' is no output of the model, choose "),
        ("waterfall", {"row": 2}, "there is no row 2, the result has 2 rows, counted from 0"),
    ],
)  # fmt: skip
def test_what_model_and_rows_do_not_have_is_told_before_anything_runs(
    view, options, said, monkeypatch
):
    monkeypatch.setattr(Replay, "attempt", lambda *_: pytest.fail("a step was run"))
    with pytest.raises(InvalidInputError, match=f"step 'shap', figure 1: {said}"):
        run_analysis(analysis(SHAP | {"figures": [{"view": view, "options": options}]}))


def test_what_only_the_result_can_tell_fails_the_run_and_not_the_report(tmp_path):
    figures = [{"view": "cohorts"}, {"view": "bar"}]
    run = run_analysis(analysis(SHAP | {"figures": figures}, RIGHT), out=tmp_path / "out")
    assert run.exit_code == 1
    assert run.faults == (
        "step 'shap', figure 1 cannot be drawn: view 'cohorts' has nothing to say of this result, "
        "choose waterfall, bar, beeswarm, dependence, heatmap, decision.",
    )
    assert [figure.view for figure in run.document.entries[0].figures] == ["bar"]
    assert run.faults[0] in run.document.comments
    assert (tmp_path / "out/report.html").exists()
    assert [len(step.figures) for step in run.analysis.steps] == [2, 0]


def test_a_request_becomes_a_step_with_its_figures():
    asked = Request(
        method="shapley.exact", params={}, model="m@1", model_digest="0" * 64, table="t",
        table_digest="1" * 64, background=3,
    )  # fmt: skip
    figure = ChosenFigure(view="dependence", options={"feature": HOSTILE})
    made = analysis_of([asked, asked], figures=[[figure], []])
    assert [step.figures for step in parse_analysis(to_yaml(made)).steps] == [(figure,), ()]


def test_a_step_whose_result_no_report_shows_has_no_figures():
    training = SHAP | {"method": "fastshap.train", "params": {}, "figures": [{"view": "errors"}]}
    with pytest.raises(InvalidInputError, match="results of kind 'explainer' have no figures in a"):
        analysis(training)


@pytest.mark.parametrize("level", ["summary", "analyst", "auditor"])
def test_every_level_shows_them_by_its_own_rule(level, tmp_path):
    figures = (ChosenFigure(view="beeswarm"), ChosenFigure(view="heatmap"))
    document = Document("A title", (Entry(example(n=8), figures=figures),), level=level)
    text = write_html(document, tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'id="result-1-chosen-1"' in text
    assert ('id="result-1-chosen-2"' in text) == (level != "summary")
    assert "result-1-bar" not in text
