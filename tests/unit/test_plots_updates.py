"""Figures, words and report sections of churn and mitigation against the numbers they tell."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import example, hostile
from tests.churns import churn_of, some_churn, some_mitigation
from workbench.core.errors import InvalidInputError
from workbench.core.wording import percent
from workbench.engines.rashomon.realised import realised
from workbench.plots import options_of, render, views_of
from workbench.plots.churn_groups import groupings_of, groups_of
from workbench.plots.churn_words import (
    churn_sentence,
    group_sentence,
    noise_sentence,
    update_sentence,
)
from workbench.plots.mitigation_words import (
    abstention_sentence,
    by_construction_sentence,
    ensemble_sentence,
    selection_sentence,
)
from workbench.report.html import write_report


def notes(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def test_lines_by_tolerance_are_those_of_the_table():
    result = some_churn()
    frame = result.to_frame()
    figure = render(result, "tolerances", tolerance=0.01)
    drawn = {trace.name: trace for trace in figure.data if trace.name}
    np.testing.assert_allclose(drawn["worst case"].y, frame["worst"])
    np.testing.assert_allclose(drawn["expected (95 %)"].y, frame["expected"])
    assert len(figure.layout.shapes) == 1
    noisy = render(replace(result, noise=np.full(30, 0.008)), "tolerances")
    (ground,) = noisy.layout.shapes
    assert ground.x1 == pytest.approx(0.016)


def test_the_likeliest_rows_are_drawn_first_and_coloured_by_effect():
    result = some_churn(updated=True)
    figure = render(result, "rows", max_rows=8)
    order = np.lexsort((result.base_margins, -result.flips().value))[:8]
    order = order[result.flips().value[order] > 0]
    drawn = {t.name: t for t in figure.data}
    right = result.base == result.truth
    for name, wanted in (("breaks", right), ("fixes", ~right)):
        if name in drawn:
            assert all(wanted[order[int(place)]] for place in drawn[name].y)
    changed = (result.update_decisions != result.base)[order]
    assert list(drawn["changed by the update"].y) == list(np.flatnonzero(changed))
    bars = sum(len(t.y) for t in figure.data if t.type == "bar")
    assert bars == len(order)


def test_pairs_begin_with_the_given_model():
    result = some_churn(m=12)
    (heat,) = render(result, "pairs").data
    np.testing.assert_allclose(sorted(heat.z[0][1:]), sorted(result.churn()))
    np.testing.assert_allclose(np.sort(heat.z[1:, 1:].ravel()), np.sort(result.pairwise().ravel()))


def test_groups_add_up_and_are_chosen_by_category():
    result = some_churn()
    by = groupings_of(result)
    assert by[0] == "marital_status"
    assert by[-1] == "decision"
    assert options_of(result, "groups") == {"by": by}
    found = groups_of(result)
    np.testing.assert_allclose(
        found.fixes + found.breaks + found.neutral, found.churn[:, 0], atol=1e-12
    )
    assert (found.sizes * found.churn[:, 0]).sum() / len(result) == pytest.approx(
        result.churn().mean()
    )
    with pytest.raises(InvalidInputError, match="There are no groups by 'x'; choose one of"):
        render(result, "groups", by="x")


def test_an_update_is_drawn_against_what_was_foreseen():
    result = some_churn(updated=True)
    found = realised(result)
    _, line = render(result, "update").data
    np.testing.assert_allclose(line.y, found.bins[:, 1])
    assert any(f"AUC {found.area[0]:.2f}" in text for text in notes(render(result, "update")))


def test_views_without_something_to_show_are_left_out():
    assert "update" not in views_of(some_churn())
    assert "update" in views_of(some_churn(updated=True))
    assert views_of(some_mitigation()) == ("reduction", "abstention", "candidates")
    nothing = some_churn(excess=np.full(30, 0.015))
    for view in ("rows", "pairs", "groups"):
        figure = render(nothing, view, tolerance=0.01)
        assert "No prospective" in notes(figure)[0].replace("<br>", " ")


def test_lines_of_judges_are_their_metrics():
    result = some_mitigation()
    figure = render(result, "reduction", metric="width")
    assert len(figure.data) == 3
    for trace, values in zip(figure.data, result.metrics[:, :, 2], strict=True):
        np.testing.assert_allclose(trace.y, values[:, 0])
        np.testing.assert_allclose(trace.error_y.array, values[:, 2] - values[:, 0])
    assert len(render(result, "reduction").data) == 9


def test_abstention_draws_both_ways():
    result = some_mitigation()
    found = result.abstention()
    one, other = render(result, "abstention").data
    np.testing.assert_allclose(one.y, found.by_set)
    np.testing.assert_allclose(other.y, found.by_confidence)


def test_where_all_are_right_the_axis_ends_at_all_and_nothing_differs():
    result = some_mitigation()
    right = replace(result, truth=result.predictions.argmax(1).astype(float))
    low, high = render(right, "abstention").layout.yaxis.range
    assert 0.9 < low < 1 < high < 1.05
    assert abstention_sentence(right).endswith("leaves 100 % right: no difference.")


def test_sentences_say_the_numbers():
    result = some_churn()
    said = churn_sentence(result)
    assert said.startswith("30 models (Gaussian unit dropout) whose cross-entropy is at most 0.02")
    assert f"change the decision of {percent(result.churn().mean())} of 60 rows on average" in said
    assert f"{percent(result.worst())} at worst" in said
    assert churn_sentence(result[[]]) == "There are no rows to decide."
    none = some_churn(excess=np.full(30, 0.015))
    assert churn_sentence(none, 0.01).startswith("No model was found whose cross-entropy")
    assert group_sentence(result).startswith("By marital_status")
    updated = some_churn(updated=True)
    share = realised(updated).churn[0]
    assert update_sentence(updated).startswith(f"tiny@2 changes {percent(share)} of the rows")
    assert "There is no update" in update_sentence(result)
    base = result.predictions
    same = result.with_update(base, "same")
    assert "nothing to tell apart" in update_sentence(same)


def test_a_tolerance_within_chance_is_doubted():
    noisy = replace(some_churn(), noise=np.full(30, 0.006))
    assert noise_sentence(noisy, 0.01).startswith("A tolerance of 0.01 cannot be told from 0")
    assert "are 0.012" in noise_sentence(noisy, 0.01)
    assert noise_sentence(noisy, 0.02) == ""


def test_values_of_a_regression_move():
    single = example("regression", n=60)
    moved = churn_of(
        np.random.default_rng(0).normal(size=(9, 60, 1)), np.zeros((60, 1)), single=single,
        movement=0.5,
    )  # fmt: skip
    assert "values move most for" in group_sentence(moved)


def test_a_group_of_few_rows_is_not_named():
    result = some_churn()
    rare = result.data.copy()
    rare[:, 1] = 0
    rare[:3, 1] = 2
    assert "There are no two groups by marital_status of 20 rows" in group_sentence(
        replace(result, data=rare), "marital_status"
    )


def test_mitigation_in_words():
    result = some_mitigation()
    assert "which did not build the ensembles" in ensemble_sentence(result)
    assert "from 20 % to 14.8 %" in ensemble_sentence(result)
    assert "by construction" in by_construction_sentence(result)
    refused = percent(1 - result.refused.mean())
    assert f"leaves {refused} of the rows" in abstention_sentence(result)
    assert selection_sentence(result).startswith("Of 10 models trained again, 6 are as good") or (
        "5 are as good" in selection_sentence(result)
    )
    unsure = result.reduction.copy()
    unsure[..., 1] = -0.1
    assert "which may be chance" in ensemble_sentence(replace(result, reduction=unsure))
    sure = np.abs(result.margins)
    assert "none is refused" in abstention_sentence(replace(result, least_support=sure))
    assert "none would be left" in abstention_sentence(replace(result, least_support=-sure - 1))


@pytest.mark.parametrize("dark", [False, True])
def test_names_are_text_not_markup(dark):
    single = hostile(n=4)
    base = np.full((4, len(single.output_names)), 0.5)
    base[:, 0] = 0.6
    outputs = np.stack([base[:, ::-1]] * 3)
    result = churn_of(outputs, base, single=single).with_update(base[:, ::-1], "<script>x</script>")
    for view in views_of(result):
        drawn = render(result, view, dark=dark).to_json()
        assert "<script>" not in drawn
        assert "<i>a" not in drawn


def test_reports_show_both(tmp_path):
    results = [some_churn(updated=True), some_mitigation()]
    page = write_report(results, tmp_path / "r.html", title="Updates").read_text(encoding="utf-8")
    for text in (
        "Rows that are most likely to change", "What the update changed",
        "Disagreement by judge and size", "independent", "WB025", "WB026",
    ):  # fmt: skip
        assert text in page
    none = some_churn(excess=np.full(30, 0.5))
    page = write_report([none], tmp_path / "n.html", title="None").read_text(encoding="utf-8")
    assert re.search("No model was found", page)
    single = example("regression", n=4)
    moved = churn_of(np.ones((3, 4, 1)), np.zeros((4, 1)), single=single, movement=0.5)
    assert write_report([moved], tmp_path / "m.html", title="Moved").is_file()
