"""Each check of an evaluation on a result that must pass and one that must not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from tests.attributions import example
from tests.performances import evaluated, one_class
from workbench.checks import CHECKS, run_checks
from workbench.checks.performance import CHANCE, ERROR_TOLERANCE

BASE = evaluated()


def outcome(code, result):
    return CHECKS[code](result)


def named(result, table, trained_on="tiny"):
    record = result.provenance.model_copy(update={"table": table})
    return replace(result, provenance=record, trained_on=trained_on)


def test_rare_classes_are_named():
    found = outcome("WB006", one_class())
    assert found.status == "warning"
    assert found.evidence == {"rows": 0.0, "classes": 1.0}
    assert found.sentence == (
        "Fewer than 30 rows of yes (0), so what is said of such classes is rough; read their "
        "intervals, or evaluate on more rows."
    )
    fine = outcome("WB006", evaluated())
    least = int(evaluated().supports.min())
    assert (fine.status, fine.evidence["rows"]) == ("ok", float(least))
    assert fine.sentence == f"Every class has at least 30 rows; the rarest has {least}."


@pytest.mark.parametrize(("n", "status"), [(29, "warning"), (30, "ok")])
def test_a_regression_counts_all_rows(n, status):
    found = outcome("WB006", evaluated("regression", n=n))
    assert (found.status, found.evidence) == (status, {"rows": float(n)})


def calibrated(slope, n, seed=0):
    """A result whose bins are those of probabilities that are too bold by ``slope``."""
    result = BASE
    random = np.random.default_rng(seed)
    z = np.sort(random.normal(size=n)).reshape(10, -1)
    said, true = special.expit(z), special.expit(slope * z)
    observed = (random.random(z.shape) < true).mean(1)
    bins = np.stack([said.mean(1), observed, observed, observed], axis=1)
    metrics = result.metrics.copy()
    place = result.metric_names.index("calibration error")
    metrics[place] = np.abs(observed - said.mean(1)).mean()
    noise = np.sqrt((said * (1 - said)).mean(1) / z.shape[1])
    return replace(
        result, calibration=bins, calibration_n=np.full(10, n // 10), calibration_noise=noise,
        metrics=metrics,
    )  # fmt: skip


def test_right_probabilities_pass_at_the_rate_of_chance():
    statuses = [outcome("WB007", calibrated(1.0, 1000, seed)) for seed in range(200)]
    assert sum(found.evidence["chance"] < CHANCE for found in statuses) <= 7
    spread = [found.evidence["chance"] for found in statuses]
    assert stats.kstest(spread, "uniform").pvalue > 0.001


def test_bold_probabilities_are_found_where_they_matter():
    found = outcome("WB007", calibrated(0.4, 5000))
    assert found.status == "warning"
    assert found.evidence["error"] > ERROR_TOLERANCE
    assert "more than by chance; where the model says" in found.sentence
    slight = outcome("WB007", calibrated(0.95, 1_000_000))
    assert slight.status == "ok"
    assert slight.evidence["chance"] < CHANCE
    assert slight.sentence.endswith("more than by chance but too little to matter.")
    few = outcome("WB007", calibrated(1.0, 100))
    assert few.sentence.endswith("no more than by chance.")


def test_a_regression_has_no_probabilities():
    found = outcome("WB007", evaluated("regression"))
    assert (found.status, found.sentence) == (
        "not_applicable", "A regression predicts no probabilities.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "trained_on", "status", "sentence"),
    [
        ("tiny/test", "tiny", "ok", "The model was not trained on the rows of tiny/test."),
        ("tiny/train", "tiny", "warning",
         "The rows of tiny/train were used to train the model, so it looks better than it is; "
         "evaluate on tiny/test."),
        ("tiny", "tiny", "warning",
         "Some of the rows of tiny were used to train the model, so it looks better than it is; "
         "evaluate on tiny/test."),
        ("breast_cancer/train", "breast-cancer", "warning",
         "The rows of breast_cancer/train were used to train the model, so it looks better than "
         "it is; evaluate on breast_cancer/test."),
        ("tiny/validation", "tiny", "ok",
         "The model was not trained on the rows of tiny/validation, but they may have decided "
         "when training ended; the test rows had no say at all."),
        ("other", "tiny", "not_applicable",
         "The model was trained on tiny; whether rows of other are among those is not known."),
        ("tiny", "", "not_applicable",
         "The model's card does not say what it was trained on."),
    ],
)  # fmt: skip
def test_rows_that_were_trained_on(table, trained_on, status, sentence):
    found = outcome("WB008", named(evaluated(n=60), table, trained_on))
    assert (found.status, found.sentence) == (status, sentence)


def test_checks_of_another_kind_do_not_apply():
    found = outcome("WB001", evaluated(n=60))
    assert (found.status, found.sentence) == (
        "not_applicable", "It is about results of kind 'attribution', not 'performance'.",
    )  # fmt: skip
    assert outcome("WB006", example(n=2)).status == "not_applicable"
    assert [o.code for o in run_checks(evaluated(n=60))] == ["WB006", "WB007", "WB008"]
    assert [o.code for o in run_checks(example(n=2))][-1] == "WB005"
