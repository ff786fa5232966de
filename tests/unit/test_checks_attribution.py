"""Each check of attributions on a result that must pass and one that must not."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import FEATURES, build, example, numbered
from workbench import api  # noqa: F401 - registers every method
from workbench.checks import CHECKS, run_checks


def outcome(code, result):
    return CHECKS[code](result)


def shifted(result, gap):
    """The result with predictions that the attributions miss by ``gap`` in the last row."""
    predictions = result.predictions.copy()
    predictions[-1, 1] += gap
    return replace(result, predictions=predictions)


@pytest.mark.parametrize(
    ("dtype", "gap", "status"),
    [
        ("float32", 0.0, "ok"),
        ("float32", 9e-6, "ok"),
        ("torch.float32", 1e-4, "warning"),
        ("float32", 0.01, "failure"),
        ("float64", 9e-6, "failure"),
        ("float64", 1e-9, "warning"),
        ("float64", 1e-12, "ok"),
    ],
)
def test_additivity_gap(dtype, gap, status):
    result = build([[0.01, 0.01], [0.02, 0.01]], record={"dtype": dtype})
    found = outcome("WB001", shifted(result, gap))
    assert found.status == status
    assert found.evidence["max_gap"] == pytest.approx(gap, abs=1e-15)
    if gap:
        assert found.evidence["row"] == 17


def test_additivity_tolerance_grows_with_the_outputs():
    small = outcome("WB001", build([[0.05]]))
    assert small.tolerance == pytest.approx(1e-5)
    large = outcome("WB001", build([[5.0]], base=20_000.0, task="regression"))
    assert large.tolerance == pytest.approx(0.20005), "one part in 1e5 of the output is rounding"
    moved = outcome("WB001", build([[500.0]], base=0.0, task="regression"))
    assert moved.tolerance == pytest.approx(0.05), "one part in 1e4 of what the features moved"


def test_additivity_sentences():
    result = build([[0.01]])
    assert outcome("WB001", result).sentence.startswith("Attributions and base value add up")
    assert outcome("WB001", shifted(result, 0.5)).sentence == (
        "Attributions and base value miss the prediction by up to 0.5 (row 7), while rounding "
        "explains 5.1e-05."
    )
    half = build([[0.01]], record={"dtype": "bfloat16"})
    assert outcome("WB001", half).status == "not_applicable"
    assert outcome("WB001", half).sentence.endswith("is known for precision bfloat16.")
    broken = build([[np.nan]])
    assert outcome("WB001", broken).status == "failure"
    assert "not numbers" in outcome("WB001", broken).sentence


def test_an_explainer_with_a_large_error_says_what_to_use_instead():
    errors = np.full((1, 2, 2), 0.05)
    result = build([[0.1, 0.02]], std_errors=errors, record={"method": "shapley.fastshap"})
    found = outcome("WB002", result)
    assert found.status == "warning"
    assert "too much to rely on; use an estimator" in found.sentence
    small = build([[0.1, 0.02]], std_errors=0.1 * errors, record={"method": "shapley.fastshap"})
    assert outcome("WB002", small).status == "ok"


def test_the_order_is_judged_by_the_class_that_the_model_puts_first():
    errors = np.zeros((1, 2, 3))
    errors[..., 1] = 0.5
    result = build([[0.3, 0.1]], base=0.1, task="multiclass", std_errors=errors)
    first = int(result.predictions[0].argmax())
    assert outcome("WB005", result).status == ("warning" if first == 1 else "ok")
    errors = np.roll(errors, first - 1, axis=2)
    assert outcome("WB005", replace(result, std_errors=errors)).status == "warning"
    errors = np.roll(errors, 1, axis=2)
    assert outcome("WB005", replace(result, std_errors=errors)).status == "ok"


@pytest.mark.parametrize(
    ("method", "share", "status"),
    [
        ("shapley.integrated-gradients", 0.01, "ok"),
        ("shapley.integrated-gradients", 0.03, "warning"),
        ("shapley.expected-gradients", 0.2, "ok"),
        ("shapley.exact", 0.05, "failure"),
    ],
)
def test_a_method_may_miss_the_prediction_by_what_it_says(method, share, status):
    result = build([[1.0], [1.0]], record={"method": method})
    found = outcome("WB001", shifted(result, share))
    assert found.status == status
    assert ("of the largest move; more is not" in found.sentence) is (status == "ok")


def test_sampling_error_relative_to_the_largest_effect_of_the_row():
    errors = np.full((3, 2, 2), 0.001)
    errors[2, 1] = 0.05
    result = build([[0.1, 0.02], [0.2, 0.1], [0.25, 0.0]], std_errors=errors)
    found = outcome("WB002", result)
    assert found.status == "warning"
    assert found.evidence["worst"] == pytest.approx(0.2)
    assert found.evidence["median"] == pytest.approx(0.01)
    assert found.evidence["worst_row"] == 27
    assert found.sentence.startswith(
        "In 1 of 3 rows the standard error is above 10 % of the largest effect (up to 20 %, row 27)"
    )
    assert outcome("WB002", result[:2]).status == "ok"
    assert outcome("WB002", result[:2]).evidence["worst"] == pytest.approx(0.01)


def test_sampling_error_of_rows_without_effect():
    still = build([[0.0, 0.0]], std_errors=np.full((1, 2, 2), 0.1))
    assert outcome("WB002", still).evidence["worst"] == 1.0
    certain = build([[0.0, 0.0]], std_errors=np.zeros((1, 2, 2)))
    assert outcome("WB002", certain).status == "ok"


def test_exact_results_have_no_sampling_error():
    for code in ("WB002", "WB005"):
        found = outcome(code, example(n=4, sampled=False))
        assert found.status == "ok"
        assert found.sentence.startswith("Nothing was sampled")


def test_background_error_is_typical_over_features_and_relative_to_the_largest_effect():
    result = build([[0.2, 0.0], [-0.2, 0.1]])
    errors = np.array([[0.03, 0.006], [0.04, 0.008]])  # root mean squares: 0.0354, 0.0071
    found = outcome("WB003", replace(result, background_std_errors=errors / 2))
    assert found.status == "ok"
    assert found.evidence["typical_error"] == pytest.approx(0.0176777, rel=1e-5)
    assert found.evidence["ratio"] == pytest.approx(0.0883883, rel=1e-5)
    found = outcome("WB003", replace(result, background_std_errors=errors))
    assert (found.status, found.evidence["ratio"]) == ("warning", pytest.approx(0.1767767))
    assert found.sentence == (
        "Another draw of 100 background rows moves an attribution by about 0.035, 18 % of the "
        "largest effect; use more rows."
    )


@pytest.mark.parametrize(("n_background", "status"), [(19, "warning"), (20, "ok")])
def test_background_of_few_rows(n_background, status):
    errors = np.full((1, 2), 0.001)
    record = {"n_background": n_background}
    result = build([[0.2]], record=record, background_std_errors=errors)
    assert outcome("WB003", result).status == status


def test_background_of_one_row_has_no_standard_error():
    result = build([[0.2]], record={"n_background": 1}, background_std_errors=None)
    found = outcome("WB003", result)
    assert found.sentence == "The background has 1 row; use at least 20."
    assert found.evidence == {"rows": 1.0}


def test_no_background_is_not_applicable():
    found = outcome("WB003", build([[0.2]], record={"n_background": 0}))
    assert (found.status, found.sentence) == (
        "not_applicable",
        "The method uses no background rows.",
    )


def test_off_scale_names_features_and_rows():
    data = np.array([[40, 0, 10.0], [95, 1, 10], [120, 2, 17], [np.nan, 0, 10]])
    result = build(np.full((4, 3), 0.1), data=data)
    found = outcome("WB004", result)
    assert found.status == "warning"
    assert found.evidence == {"rows": 2.0, "features": 2.0, "first_row": 17.0}
    assert found.sentence == (
        "Outside the range of the training data in 2 of 4 rows (first: row 17), where the model "
        "was never tested: age at 95 years to 120 years (trained on 17 years to 90 years), "
        "education_num at 17 (trained on 1 to 16)."
    )
    assert outcome("WB004", result[[0, 3]]).status == "ok", "missing is not outside"


def test_off_scale_names_three_features_and_counts_the_rest():
    result = build(np.ones((1, 5)), features=numbered(5), data=np.full((1, 5), 99.0))
    assert outcome("WB004", result).sentence.endswith("(trained on -10 to 10), 2 more features.")


def test_off_scale_without_ranges_is_not_applicable():
    bare = tuple(f.model_copy(update={"range": None}) for f in FEATURES)
    found = outcome("WB004", example(n=3, features=bare))
    assert found.status == "not_applicable"
    assert found.sentence == "The schema does not say which range was trained on."


def test_rank_is_settled_where_the_difference_is_beyond_the_errors():
    errors = np.full((10, 2, 2), 0.01)
    edge = 1.959964 * 0.01 * np.sqrt(2)
    values = np.array([[0.1, -(0.1 - edge * factor)] for factor in [0.99] * 2 + [1.01] * 8])
    found = outcome("WB005", build(values, std_errors=errors))
    assert (found.status, found.evidence) == ("warning", {"share": 0.2, "rows": 2.0})
    assert found.sentence.startswith("In 2 of 10 rows the first two features could change places")
    found = outcome("WB005", build(values[1:], std_errors=errors[1:]))
    assert found.status == "warning", "1 of 9 rows is above 10 %"
    found = outcome("WB005", build(values[2:], std_errors=errors[2:]))
    assert (found.status, found.sentence) == ("ok", "The first feature is settled in 8 of 8 rows.")


def test_rank_of_one_feature_is_not_applicable():
    assert outcome("WB005", build([[0.1]])).sentence == "One feature alone has no rank."


def test_without_rows_nothing_applies():
    found = run_checks(example(n=2)[[]])
    assert {(o.status, o.sentence) for o in found} == {
        ("not_applicable", "There are no rows to check.")
    }
