"""Local models as a table, figure, sentence, checks, report, verb and command."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from markupsafe import escape

import workbench
from tests.attributions import hostile
from tests.local_models import local_models_of, one_local_model, several_local_models
from workbench import api
from workbench.checks import CHECKS, run_checks
from workbench.cli.main import workbench as command
from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.results import LocalModels, load
from workbench.plots import render, views_of
from workbench.plots.local_models import fit_sentence, local_sentence
from workbench.report import write_report

EXPLAIN = ("explain", "diabetes-mlp", "diabetes", "--method", "lime")


def ran(*arguments):
    said = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if said.exception is not None and not isinstance(said.exception, SystemExit):
        raise said.exception
    return said.output


def test_conditions_name_the_bin():
    one = one_local_model()
    assert [one.condition(0, j) for j in range(5)] == [
        "37 years < age ≤ 48 years", "marital_status = Married-civ-spouse", "education_num ≤ 9",
        "hours_per_week > 40", "capital_gain ≤ 0",
    ]  # fmt: skip
    missing = replace(one, data=np.full((1, 5), np.nan))
    assert missing.condition(0, 0) == "age = missing"
    assert replace(one, edges=((),) * 5).condition(0, 0) == "age = 47 years"


def test_the_table_has_a_line_for_every_coefficient(tmp_path):
    result = several_local_models(4)
    frame = result.to_frame()
    assert len(frame) == 4 * 5 * 2
    line = frame[(frame["row"] == 17) & (frame["output"] == ">50K")].iloc[2]
    assert line["feature"] == "education_num"
    assert line["coefficient"] == result.coefficients[1, 2, 1]
    assert line["high"] - line["low"] == pytest.approx(2 * 1.959964 * 0.01)
    assert (line["r2"], line["effective_share"], line["samples"]) == (0.6, 0.8, 5000)
    back = load(result.save(tmp_path / "x.local_models"))
    assert isinstance(back, LocalModels)
    assert back.edges == result.edges
    assert back.to_frame().equals(frame)
    np.testing.assert_array_equal(result[1].coefficients, result.coefficients[1:2])
    np.testing.assert_array_equal(result[[2, 0]].ids, [27, 7])


def test_names_and_outputs_are_checked():
    result = one_local_model()
    with pytest.raises(InvalidInputError, match="do not fit their names"):
        replace(result, meanings=("x",))
    with pytest.raises(InvalidInputError, match="There is no output 'maybe'"):
        result.output_index("maybe")
    with pytest.raises(InvalidInputError, match="There is no output 2; the last one is 1"):
        result.output_index(2)


def test_the_figure_has_a_bar_for_each_selected_feature_largest_first():
    result = one_local_model()
    assert views_of(result) == ("coefficients",)
    figure = render(result, "coefficients")
    bars = figure.data[0]
    np.testing.assert_allclose(bars.x, [0.262, -0.178, 0.09, 0.012])
    np.testing.assert_allclose(bars.error_x.array, 1.959964 * 0.01)
    assert figure.layout.yaxis.ticktext[2] == "37 years &lt; age<br>≤ 48 years"
    assert bars.marker.color[0] != bars.marker.color[1]
    other = render(result, "coefficients", output="<=50K", max_features=2)
    np.testing.assert_allclose(other.data[0].x, [-0.262, 0.178])
    assert "2 more features, each at most 0.09" in other.layout.annotations[0].text
    with pytest.raises(InvalidInputError, match="no row 1 in this result"):
        render(result, "coefficients", row=1)
    nothing = local_models_of(hostile(n=1), selected=np.zeros((1, 3, 2), dtype=bool))
    assert "no feature" in render(nothing, "coefficients").layout.annotations[0].text


def test_hostile_names_are_shown_and_not_obeyed(tmp_path):
    result = local_models_of(hostile())
    text = render(result, "coefficients").to_json()
    assert "<script>" not in text
    path = write_report([result], tmp_path / "r.html", title="Report")
    page = path.read_text("utf-8").split("<main")[1].split("</main>")[0]
    assert "<script>alert" not in page
    assert "<img" not in page


def test_sentences():
    one = one_local_model()
    assert local_sentence(one) == (
        "Row 7: in a linear model of its neighbourhood of probability of >50K, marital_status = "
        "Married-civ-spouse and 37 years < age ≤ 48 years raise it most; education_num ≤ 9 lowers "
        "it."
    )
    assert local_sentence(one, output="<=50K").endswith(
        "marital_status = Married-civ-spouse and 37 years < age ≤ 48 years lower it most; "
        "education_num ≤ 9 raises it."
    )
    assert fit_sentence(one) == (
        "The local model says 0.486 of the row, the model 0.426; it explains R² = 0.60 of the "
        "variance over 5,000 samples (effective 80 %); the 2 strongest features of half samples "
        "overlap by 90 %."
    )
    noisy = one_local_model(errors=1.0)
    assert "no feature moves probability of >50K by more than its unc" in local_sentence(noisy)
    several = several_local_models()
    assert local_sentence(several).startswith("In the local models of 12 rows, probability of")
    assert fit_sentence(several).startswith("R² is 0.60 in the middle of 12 rows")
    assert local_sentence(several[[]]) == fit_sentence(several[[]])


@pytest.mark.parametrize(
    ("code", "changes", "status"),
    [
        ("WB012", {"r2": 0.11}, "ok"), ("WB012", {"r2": 0.09}, "warning"),
        ("WB013", {"share": 0.94}, "ok"), ("WB013", {"share": 0.96}, "warning"),
        ("WB013", {"share": 0.003}, "ok"), ("WB013", {"share": 0.0002, "r2": 1.0}, "warning"),
        ("WB012", {"share": 0.0002, "r2": 1.0}, "not_applicable"),
        ("WB014", {"stability": 0.51}, "ok"), ("WB014", {"stability": 0.49}, "warning"),
        ("WB014", {"stability": 0.1, "top": 5}, "not_applicable"),
    ],
)  # fmt: skip
def test_checks_hold_to_their_tolerance(code, changes, status):
    found = CHECKS[code](several_local_models(**changes))
    assert found.status == status
    assert CHECKS[code](one_local_model(**changes)).status == status


def test_checks_say_what_to_do():
    poor = CHECKS["WB012"](several_local_models(r2=0.05)).sentence
    assert "in the middle of 12 rows it explains 5 %" in poor
    assert "below 10 % for 12" in poor
    assert "nearly a global one" in CHECKS["WB013"](one_local_model(share=0.99)).sentence
    narrow = CHECKS["WB013"](one_local_model(share=0.0002)).sentence
    assert "as much as 1.0 of equal weight, and 10 are needed; choose a larger kernel" in narrow
    around = one_local_model(share=0.99, sampling="around")
    assert "as wide as the samples" in CHECKS["WB013"](around).sentence
    assert {found.status for found in run_checks(several_local_models()[[]])} == {"not_applicable"}


def test_a_report_shows_every_row_of_a_few_and_a_pick_of_many(tmp_path):
    def page(result):
        path = write_report([result], tmp_path / "report.html", title="Report")
        return path.read_text("utf-8").split("<main")[1].split("</main>")[0]

    one = one_local_model()
    text = page(one)
    assert escape(local_sentence(one)) in text
    assert escape(fit_sentence(one)) in text
    assert "Every coefficient" in text
    assert text.count("<figure") == 1
    several = several_local_models()
    text = page(several)
    picked = several.pick(5)
    assert text.count("<figure") == len(picked)
    for row in picked:
        assert escape(local_sentence(several, int(row))) in text
    assert "Coefficients over all rows" in text


@pytest.fixture(scope="module")
def rows():
    return api.select_rows(api.load_table("diabetes", model=api.load_model("diabetes-mlp")), "0:3")


def test_the_verb_reads_names_and_frames(rows):
    got = workbench.lime("diabetes-mlp", rows, perturbations=200, seed=2)
    assert isinstance(got, workbench.LocalModels)
    assert got.provenance.n_background == len(api.load_table("diabetes", split="train"))
    framed = api.lime("diabetes-mlp", rows.to_frame(), perturbations=200, seed=2)
    np.testing.assert_allclose(got.coefficients, framed.coefficients, atol=1e-9)
    with pytest.raises(InvalidInputError, match="seed must be a whole number"):
        api.lime("diabetes-mlp", rows, rows, seed=-1)
    with pytest.raises(InvalidInputError, match="budget is not a setting"):
        api.lime("diabetes-mlp", rows, rows, budget=100)
    with pytest.raises(InvalidInputError, match=r"'lime\.tabular' does not share out .* call lime"):
        api.explain("diabetes-mlp", rows, rows, method="lime")
    assert api.find_method("lime") == api.find_method("tabular") == "lime.tabular"
    assert api.find_method("reference") == "lime.reference"


def test_the_command_prints_coefficients_fit_and_checks(rows):
    said = ran(*EXPLAIN, "--rows", 0, "--perturbations", 400, "--n-background", 200).splitlines()
    model = api.load_model("diabetes-mlp")
    background = api.background_for(model, rows, n=200)
    result = api.lime(model, rows[:1], background, perturbations=400)
    assert said[:2] == [local_sentence(result), fit_sentence(result)]
    assert said[3] == "  coefficients for progression, ± 95 % from samples"
    first = abs(result.coefficients[0, :, 0]).argmax()
    assert result.condition(0, first) in said[4]
    assert " ± " in said[4]
    for found in run_checks(result):
        assert any(found.code in line and found.sentence in line for line in said)
    for note in result.provenance.notes:
        assert f"  Note: {note}." in said
    few = ran(*EXPLAIN, "--rows", 0, "--perturbations", 200, "--background", "diabetes")
    assert "264 rows of diabetes/train" in few
    several = ran(*EXPLAIN, "--rows", "0:3", "--perturbations", 400).splitlines()
    assert several[3] == "  mean |coefficient| for progression over 3 rows"


def test_the_command_writes_files_that_a_report_reads(tmp_path):
    said = ran(*EXPLAIN, "--rows", "0:2", "--perturbations", 200, "--out", tmp_path)
    (file,) = tmp_path.glob("*.local_models")
    assert f"Wrote {file}" in said
    assert {path.suffix for path in tmp_path.iterdir()} == {".local_models", ".csv", ".json"}
    assert ran("report", tmp_path) == f"Wrote {tmp_path / 'report.html'}\n"
    content = json.loads(ran(*EXPLAIN, "--rows", 0, "--perturbations", 200, "--json"))
    assert content["kind"] == "local_models"
    assert np.shape(content["fields"]["coefficients"]) == (1, 10, 1)
    assert [found["code"] for found in content["checks"]] == ["WB012", "WB013", "WB014"]
    with pytest.raises(WorkbenchError, match="sampling is not a setting"):
        ran("explain", "diabetes-mlp", "diabetes", "--method", "kernel", "--sampling", "around")
