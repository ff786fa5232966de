"""Explanations across equally good models as figures, sentences, check, report and command."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from markupsafe import escape
from scipy import stats

import workbench
from tests.attribution_ranges import VALUES, one_range, range_of, several_ranges
from tests.attributions import HOSTILE_SCRIPT, build, hostile, numbered
from workbench.checks import CHECKS, run_checks
from workbench.cli.main import workbench as command
from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.results import load
from workbench.plots import options_of, render, views_of
from workbench.plots.attribution_range_words import range_sentence, stability_sentence
from workbench.plots.theme import DARK, LIGHT
from workbench.report import write_report


def test_an_interval_has_a_bar_over_the_models_and_a_line_for_sampling():
    errors = 0.01
    figure = render(one_range(errors=errors), "interval")
    bars, marks, texts = figure.data
    order = [0, 1, 2, 3, 4]  # 0.362, 0.278, 0.13, 0.104, 0.1
    np.testing.assert_allclose(np.array(bars.base, dtype=float), np.array(VALUES[0])[order] - 0.1)
    np.testing.assert_allclose(bars.x, 0.2)
    np.testing.assert_allclose(marks.x, np.array(VALUES[0])[order])
    np.testing.assert_allclose(marks.error_x.array, stats.norm.ppf(0.975) * errors)
    assert [bool(text.strip("\N{NO-BREAK SPACE}")) for text in texts.text] == [
        False, False, True, True, True,
    ]  # fmt: skip
    assert list(bars.marker.color) == [LIGHT.size] * 2 + [LIGHT.negative] * 3
    assert min(bars.y - marks.y) < 0, "beside each other, not on top"
    title = figure.layout.xaxis.title.text
    for part in ("probability of &gt;50K", "row 7", "4 equally good models", "line: 95 %, coalit"):
        assert part in title
    assert render(one_range(), "interval", dark=True).data[0].marker.color[4] == DARK.negative
    assert "2 of 4 with the other sign" in bars.hovertext[2]


def test_an_interval_says_where_no_sampling_error_is_known():
    figure = render(one_range(), "interval", output="<=50K")
    assert figure.data[1].error_x.array is None
    assert "its sampling error is not known" in figure.layout.xaxis.title.text
    np.testing.assert_allclose(figure.data[1].x[:2], [-0.262, 0.178])


def test_an_importance_has_ends_quartiles_the_given_model_and_ranks():
    shifts = np.random.default_rng(0).normal(size=(20, 5)) / 10
    result = several_ranges(8, shifts=shifts)
    ends, middle, mark, texts = render(result, "importance").data
    frame = result.importance(">50K")
    np.testing.assert_allclose(np.array(ends.base, dtype=float), frame["low"])
    np.testing.assert_allclose(np.array(ends.base + ends.x, dtype=float), frame["high"])
    np.testing.assert_allclose(np.array(middle.base + middle.x, dtype=float), frame["q75"])
    np.testing.assert_allclose(mark.x, frame["importance"])
    line = frame.iloc[1]
    expected = f"rank {line['best_rank']} to {line['worst_rank']}"
    assert texts.text[1].strip("\N{NO-BREAK SPACE}") == expected
    one = render(range_of(build(VALUES), shifts=(0.0,)), "importance")
    assert one.data[3].text[0].strip("\N{NO-BREAK SPACE}") == "rank 1"


def test_a_stability_counts_rows_and_of_one_row_models():
    shifts = np.random.default_rng(0).normal(size=(20, 5)) / 10
    result = several_ranges(8, shifts=shifts)
    found = result.rank_stability()
    bars, line = render(result, "stability").data
    assert sum(bars.y) == 8
    assert sum(line.y[:-1]) == 8
    below = [y for x, y in zip(bars.x, bars.y, strict=True) if x < 0.5]
    assert abs(sum(below) - (found.agreement.mean(0) < 0.5).sum()) <= 1
    (bars,) = render(result[2], "stability", measure="top").data
    assert sum(bars.y) == 20
    assert (
        "share of the 3 strongest features kept"
        in render(result, "stability", measure="top").layout.xaxis.title.text
    )
    assert options_of(result, "stability") == {"measure": ["order", "top"]}
    assert options_of(result, "interval") == {}
    with pytest.raises(InvalidInputError, match="no measure 'x'; choose one of order, top"):
        render(result, "stability", measure="x")


def test_figures_say_why_they_are_empty_and_what_they_leave_out():
    nothing = range_of(build(VALUES), shifts=np.zeros((0, 1)))
    for view in views_of(nothing):
        assert "No equally good model" in render(nothing, view).layout.annotations[0].text
        assert "No rows to show" in render(one_range()[[]], view).layout.annotations[0].text
    wide = range_of(build(np.linspace(1, 20, 20)[None], features=numbered(20)), shifts=(0.5,))
    for view in ("interval", "importance"):
        figure = render(wide, view, max_features=5)
        assert figure.layout.annotations[0].text == "15 more features, each at most 15.5"
        assert len(figure.data[0].x) == 5
    equal = range_of(build([[0.1, 0.1]]), shifts=(0.0,))
    assert "no order" in render(equal, "stability").layout.annotations[0].text.replace("<br>", " ")
    with pytest.raises(InvalidInputError, match="There is no row 1"):
        render(one_range(), "interval", row=1)


def test_names_that_want_to_be_markup_are_not():
    result = range_of(hostile(), shifts=(0.3, -0.3))
    for view in views_of(result):
        text = render(result, view).to_json()
        assert "<script>" not in text
        assert "<b>x" not in text
        assert "<u>yes" not in text


def test_a_sentence_names_what_flips_and_what_does_not():
    said = range_sentence(one_range())
    assert said == (
        "Row 7: equally good models disagree whether education_num = 9, hours_per_week = 60 and "
        "capital_gain = 0 speak for or against >50K. age = 47 years and marital_status = "
        "Married-civ-spouse have the same sign in all. Asked were this model and 4 found by "
        "Gaussian unit dropout, within 0.01 more cross-entropy in nats."
    )
    calm = range_sentence(one_range(shifts=(0.001,)), 0)
    assert calm.startswith("Row 7: equally good models agree on the sign of every feature")
    few = range_of(build([[0.3, 0.02]], task="regression"), shifts=(-0.1,))
    assert "disagree whether marital_status = Never-married raises or lowers income in USD" in (
        range_sentence(few)
    )
    many = range_of(build([[0.3, *[0.02] * 6]]), shifts=(-0.1,))
    assert "f1 = 0, f2 = 0, f3 = 0 and 3 more speak for" in range_sentence(many)


def test_a_sentence_about_many_rows_counts_them():
    values = [[0.3, 0.02, 0.2], [0.3, 0.2, 0.2], [0.3, 0.2, 0.03]]
    said = range_sentence(range_of(build(values), shifts=(-0.1,)))
    assert said.startswith(
        "For 2 of 3 rows a feature's sign depends on which of equally good models is asked, most "
        "often marital_status (1 row), education_num (1 row). Asked were this model and 1 found"
    )
    calm = range_sentence(range_of(build(values), shifts=(0.001,)))
    assert calm.startswith("For none of 3 rows does a feature's sign depend")
    nothing = range_sentence(range_of(build(values), shifts=np.zeros((0, 1))))
    assert nothing == (
        "Gaussian unit dropout found no model within 0.01 more cross-entropy in nats, so nothing "
        "is known of how far explanations differ; allow a larger tolerance."
    )
    assert range_sentence(one_range()[[]]).startswith("No rows to show")


def test_a_sentence_about_the_order_has_its_numbers():
    shifts = np.random.default_rng(0).normal(size=(20, 5)) / 10
    result = several_ranges(8, shifts=shifts)
    found = result.rank_stability()
    said = stability_sentence(result)
    assert f"{found.agreement.mean():.3g}" in said
    worst = f"\N{MINUS SIGN}{-found.agreement.min():.3g}"
    assert f"over 8 rows (model and row at worst {worst})" in said
    assert "of the 3 strongest features they keep" in said
    assert "(the worst" in stability_sentence(result, 3)
    assert "they keep 100 %" in stability_sentence(range_of(build([[0.1, 0.1]]), shifts=(0.0,)))


def test_the_check_counts_signs_that_flip():
    check = CHECKS["WB024"]
    assert check(one_range()).evidence["flipped"] == pytest.approx(3 / 5)
    assert "education_num, hours_per_week, capital_gain" in check(one_range()).sentence
    nothing = range_of(build(VALUES), shifts=np.zeros((0, 1)))
    assert check(nothing).status == "not_applicable"
    assert check(one_range()[[]]).status == "not_applicable"
    assert [found.code for found in run_checks(one_range())] == ["WB024"]


def test_a_report_shows_rows_importances_and_stability(tmp_path):
    page = write_report([one_range(), several_ranges(9)], tmp_path / "x.html", title="T")
    text = page.read_text(encoding="utf-8")
    for result in (one_range(), several_ranges(9)):
        assert str(escape(range_sentence(result))) in text
    assert "sign flips, share of rows" in text
    assert "WB024" in text
    empty = range_of(build(VALUES), shifts=np.zeros((0, 1)))
    bad = range_of(hostile(), shifts=(0.1, -0.1))
    text = write_report([empty, bad], tmp_path / "y.html", title="T").read_text(encoding="utf-8")
    assert HOSTILE_SCRIPT not in text
    assert "found no model within" in text


def ran(*arguments):
    said = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if said.exception is not None and not isinstance(said.exception, SystemExit):
        raise said.exception
    return said.output


FEW = ("--explained", 4, "--models", 12, "--background-rows", 20)


def test_the_command_and_the_verb_say_the_same(tmp_path):
    asked = ("explain-set", "wine-mlp", "wine", *FEW)
    said = ran(*asked, "--rows", 5, "--out", tmp_path)
    (file,) = tmp_path.glob("*.attribution_range")
    result = load(file)
    assert result.n_models == 4
    assert range_sentence(result) in said
    assert "share of the models with the same sign" in said
    rows = workbench.load_table("wine")[[5]]
    same = workbench.explain_set(
        "wine-mlp", rows, explained=4, models=12, background_rows=20, device="cpu"
    )
    np.testing.assert_array_equal(same.values, result.values)
    told = ran(*asked, "--rows", "0:3", "--class", result.output_names[0])
    assert "share of the rows for which the sign flips" in told
    content = json.loads(ran(*asked, "--rows", "5", "--json"))
    assert content["kind"] == "attribution_range"
    assert [check["code"] for check in content["checks"]] == ["WB024"]
    with pytest.raises(WorkbenchError, match="has no output 'x'"):
        ran(*asked, "--class", "x")
    with pytest.raises(WorkbenchError, match=r"does not share out .* call explain_set"):
        workbench.explain("wine-mlp", rows, method="rashomon.attributions")
