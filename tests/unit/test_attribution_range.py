"""Attributions over equally good models: what the result says of them, against the definition."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.attribution_ranges import SHIFTS, VALUES, one_range, range_of, several_ranges
from tests.attributions import build
from workbench.core.errors import InvalidInputError
from workbench.core.results import AttributionRange, load

EVERY = np.array([0.0, *SHIFTS])


def test_the_span_holds_the_given_model_and_all_others():
    result = one_range()
    low, high = result.span(">50K")
    np.testing.assert_allclose(low[0], np.array(VALUES[0]) - 0.1)
    np.testing.assert_allclose(high[0], np.array(VALUES[0]) + 0.1)
    other = result.span("<=50K")
    np.testing.assert_allclose(other.low, -high)
    one_sided = one_range(shifts=(0.1,))
    np.testing.assert_allclose(one_sided.span().low[0], VALUES[0])


def test_a_feature_whose_sign_depends_on_the_model_is_flagged_and_no_other():
    result = one_range()
    assert result.flips()[0].tolist() == [False, False, True, True, True]
    assert result.unanimous()[0].tolist() == [True, True, False, False, False]
    # 0.03 - 0.1, 0.03 - 0.05 are below 0; nothing can be said where the given model has no sign.
    agreement = result.sign_agreement()[0]
    np.testing.assert_allclose(agreement[:4], [1, 1, 0.5, 0.5])
    assert np.isnan(agreement[4])
    assert result.opposed()[0].tolist() == [0, 0, 2, 2, 0]
    assert result.flips("<=50K")[0].tolist() == result.flips(">50K")[0].tolist()


def test_signs_within_their_own_sampling_error_do_not_count():
    errors = 0.04 / stats.norm.ppf(0.975)
    result = one_range(errors=errors)
    values = np.array(VALUES[0])[None] + EVERY[:, None]
    expected = np.where(np.abs(values) > 0.04, np.sign(values), 0)
    np.testing.assert_array_equal(result.signs()[:, 0], expected)
    assert result.flips()[0].tolist() == [False, False, True, True, True]
    assert not one_range(errors=0.08).flips()[0, 2], "0.03 - 0.1 is within 0.157 of 0"
    assert np.isnan(one_range(errors=0.08).sign_agreement()[0, 2])


def test_the_choice_of_background_rows_counts_with_its_degrees_of_freedom():
    half = 0.065
    result = one_range(drawn=half / stats.t.ppf(0.975, 9), background_dof=9.0)
    assert result.signs()[1, 0, 2] == -1, "0.03 - 0.1 is beyond 0.065"
    assert result.signs()[2, 0, 2] == 0, "0.03 - 0.05 is not"
    np.testing.assert_allclose(result.given.uncertainty(), half)


def test_what_is_small_beside_the_largest_need_not_count():
    result = one_range()
    assert result.flips(least=0.25)[0].tolist() == [False, False, True, True, True]
    assert result.flips(least=0.3)[0].tolist() == [False, False, False, True, True]


def test_the_given_model_alone_has_no_width():
    result = range_of(build(VALUES), shifts=(0.0, 0.0))
    low, high = result.span()
    np.testing.assert_array_equal(low, high)
    assert not result.flips().any()
    stable = result.rank_stability()
    np.testing.assert_allclose(stable.agreement, 1)
    np.testing.assert_array_equal(stable.kept, 1)
    frame = result.importance()
    np.testing.assert_array_equal(frame["low"], frame["high"])
    assert (frame["best_rank"] == frame["worst_rank"]).all()


def test_where_no_model_was_admitted_nothing_is_said():
    result = range_of(build(VALUES), shifts=np.zeros((0, 1)))
    assert result.n_models == 0
    assert np.isnan(result.span().low).all()
    assert np.isnan(result.sign_agreement()).all()
    assert result.rank_stability().agreement.shape == (0, 1)
    assert result.importance()["low"].isna().all()
    assert result.to_frame()["high"].isna().all()


def test_rank_stability_is_that_of_spearman():
    result = several_ranges(6, shifts=np.random.default_rng(0).normal(size=(4, 5)) / 10)
    found = result.rank_stability(top=2)
    for place in range(4):
        for row in range(6):
            one, other = (
                np.abs(values[row, :, 1]) for values in (result.given_values, result.values[place])
            )
            expected = stats.spearmanr(one, other).statistic
            assert found.agreement[place, row] == pytest.approx(expected)
            both = set(np.argsort(-one)[:2]) & set(np.argsort(-other)[:2])
            assert found.kept[place, row] == len(both) / 2
    with pytest.raises(InvalidInputError, match="The strongest features are 1 to 5, got 6"):
        result.rank_stability(top=6)


def test_equal_sizes_have_no_order():
    result = range_of(build([[0.1, -0.1, 0.1]]), shifts=(0.05,))
    assert np.isnan(result.rank_stability().agreement).all()


def test_importance_ranges_over_the_models():
    result = several_ranges(5, shifts=np.random.default_rng(1).normal(size=(6, 5)) / 10)
    frame = result.importance(">50K").set_index("feature")
    size = np.abs(np.concatenate([result.given_values[None], result.values]))[..., 1].mean(1)
    for j, name in enumerate(result.names):
        line = frame.loc[name]
        assert line["importance"] == pytest.approx(size[0, j])
        assert (line["low"], line["high"]) == (size[:, j].min(), size[:, j].max())
        assert line["median"] == pytest.approx(np.median(size[:, j]))
        ranks = [1 + int((one > one[j]).sum()) for one in size]
        assert (line["best_rank"], line["worst_rank"]) == (min(ranks), max(ranks))
    assert frame["importance"].is_monotonic_decreasing


def test_each_model_is_an_attribution_of_its_own():
    result = one_range(errors=0.01)
    model = result.model(3)
    np.testing.assert_array_equal(model.values, result.values[3])
    np.testing.assert_allclose(model.gap, 0, atol=1e-12)
    np.testing.assert_allclose(result.given.gap, 0, atol=1e-12)
    with pytest.raises(InvalidInputError, match="no model 4 in this range; it has 4"):
        result.model(4)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_table_and_the_file_hold_every_number(task, tmp_path):
    result = several_ranges(3, task, errors=0.01)
    frame = result.to_frame()
    k = len(result.output_names)
    assert len(frame) == 3 * 5 * k
    line = frame[(frame["row"] == 17) & (frame["output"] == result.output_names[-1])].iloc[2]
    assert line["feature"] == "education_num"
    assert line["attribution"] == result.given_values[1, 2, -1]
    assert line["sampling_high"] - line["attribution"] == pytest.approx(0.01959964)
    assert line["high"] == pytest.approx(result.given_values[1, 2, -1] + 0.1)
    assert frame["row"].tolist()[: 5 * k] == [7] * 5 * k
    back = load(result.save(tmp_path / "x.attribution_range"))
    assert isinstance(back, AttributionRange)
    assert back.to_frame().equals(frame)
    np.testing.assert_array_equal(result[1].values, result.values[:, 1:2])
    np.testing.assert_array_equal(result[[2, 0]].ids, [27, 7])


def test_names_and_explorers_are_checked():
    result = one_range()
    with pytest.raises(InvalidInputError, match="does not fit its names"):
        replace(result, output_names=("a",))
    with pytest.raises(InvalidInputError, match="not known to this version"):
        replace(result, explorer="guessing")
