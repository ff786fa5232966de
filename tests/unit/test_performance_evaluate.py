"""Every number of an evaluation against scikit-learn, and every interval against simulation."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import special, stats
from sklearn import metrics
from sklearn.calibration import calibration_curve

from tests.networks import tiny_model, tiny_table
from tests.performances import evaluated, of_probabilities, one_class
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.core.performance import AREAS, CLASS_METRICS
from workbench.core.results import load
from workbench.engines.performance import calibration, resampling
from workbench.engines.performance.params import EvaluateParams
from workbench.engines.performance.regression import regression

CLASSES3 = ("red", "green", "blue")


def value(fields, name):
    return fields["metrics"][fields["metric_names"].index(name), 0]


def draw(k, n, *, seed=0, weighted=True):
    """Probabilities with ties, and classes that follow them with some noise."""
    rng = np.random.default_rng(seed)
    p = special.softmax(rng.normal(size=(n, k)).round(1) * 1.5, axis=1)
    y = (rng.random((n, 1)) > p.cumsum(1)[:, :-1]).sum(1)
    return p, y, rng.uniform(0.1, 4, n) if weighted else np.ones(n)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_two_classes_equal_scikit_learn(weighted, threshold):
    p, y, w = draw(2, 500, weighted=weighted)
    fields = of_probabilities(p, y, weights=w, threshold=threshold)
    predicted = (p[:, 1] >= threshold).astype(int)
    about = {"sample_weight": w}
    counts, support = metrics.precision_recall_fscore_support(y, predicted, **about)[:3], [0, 1]
    expected = {
        "accuracy": metrics.accuracy_score(y, predicted, **about),
        "share of the commonest class": max(np.average(y == c, weights=w) for c in support),
        "balanced accuracy": metrics.balanced_accuracy_score(y, predicted, **about),
        "log-loss": metrics.log_loss(y, p, **about),
        "Brier score": metrics.brier_score_loss(y, p[:, 1], **about),
        "ROC AUC": metrics.roc_auc_score(y, p[:, 1], **about),
        "average precision": metrics.average_precision_score(y, p[:, 1], **about),
        "precision": counts[0][1],
        "recall": counts[1][1],
        "F1": counts[2][1],
    }
    for name, number in expected.items():
        assert value(fields, name) == pytest.approx(number, abs=1e-12), name
    np.testing.assert_array_equal(fields["confusion"], metrics.confusion_matrix(y, predicted))
    np.testing.assert_allclose(
        fields["confusion_shares"],
        metrics.confusion_matrix(y, predicted, normalize="all", **about),
    )
    np.testing.assert_allclose(fields["class_metrics"][:, :, 0].T, counts)


@pytest.mark.parametrize("weighted", [False, True])
def test_more_classes_equal_scikit_learn(weighted):
    p, y, w = draw(3, 400, weighted=weighted)
    fields = of_probabilities(p, y, classes=CLASSES3, weights=w)
    predicted, about = p.argmax(1), {"sample_weight": w}
    onehot = np.eye(3)[y]
    expected = {
        "accuracy": metrics.accuracy_score(y, predicted, **about),
        "log-loss": metrics.log_loss(y, p, **about),
        "Brier score": np.average(np.square(p - onehot).sum(1), weights=w),
        "mean ROC AUC": metrics.roc_auc_score(
            onehot, p, average="macro", sample_weight=w, multi_class="ovr"
        ),
        "mean F1": metrics.f1_score(y, predicted, average="macro", **about),
    }
    for name, number in expected.items():
        assert value(fields, name) == pytest.approx(number, abs=1e-12), name
    for c in range(3):
        assert fields["areas"][c, 0, 0] == pytest.approx(
            metrics.roc_auc_score(y == c, p[:, c], **about)
        )
        assert fields["areas"][c, 1, 0] == pytest.approx(
            metrics.average_precision_score(y == c, p[:, c], **about)
        )
    assert fields["curve_names"] == CLASSES3


@pytest.mark.parametrize("weighted", [False, True])
def test_a_regression_equals_scikit_learn(weighted):
    rng = np.random.default_rng(0)
    y, predicted = rng.normal(size=(2, 300))
    predicted += y
    w = rng.uniform(0.1, 4, 300) if weighted else np.ones(300)
    fields = regression(predicted, y, w, np.arange(300), EvaluateParams(bins=5), Context())
    about = {"sample_weight": w}
    expected = {
        "root mean squared error": metrics.root_mean_squared_error(y, predicted, **about),
        "mean absolute error": metrics.mean_absolute_error(y, predicted, **about),
        "mean error": np.average(predicted - y, weights=w),
        "R squared": metrics.r2_score(y, predicted, **about),
    }
    assert set(expected) == set(fields["metric_names"])
    for name, number in expected.items():
        assert value(fields, name) == pytest.approx(number, abs=1e-12), name
    low, high = fields["metrics"][:, 1], fields["metrics"][:, 2]
    assert ((low < fields["metrics"][:, 0]) & (fields["metrics"][:, 0] < high)).all()
    assert list(fields["residual_n"]) == [60] * 5
    order = np.argsort(predicted)
    first = (y - predicted)[order[:60]]
    if not weighted:
        np.testing.assert_allclose(
            fields["residuals"][0, 1:], np.quantile(first, [0.05, 0.25, 0.5, 0.75, 0.95])
        )
    assert fields["residuals"][0, 0] == pytest.approx(
        np.average(predicted[order[:60]], weights=w[order[:60]])
    )
    assert fields["histogram_counts"].sum() == 300


def test_calibration_bins_are_those_of_scikit_learn():
    p, y, _ = draw(2, 1000, weighted=False)
    fields = of_probabilities(p, y, bins=7)
    observed, predicted = calibration_curve(y, p[:, 1], n_bins=7, strategy="quantile")
    np.testing.assert_allclose(fields["calibration"][:, 0], predicted)
    np.testing.assert_allclose(fields["calibration"][:, 1], observed)
    shares = fields["calibration_n"] / 1000
    error = (shares * np.abs(observed - predicted)).sum()
    assert value(fields, "calibration error") == pytest.approx(error)
    for (_, share, low, high), n in zip(
        fields["calibration"], fields["calibration_n"], strict=True
    ):
        wilson = stats.binomtest(round(share * n), int(n)).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx(tuple(wilson))


def test_calibration_of_more_classes_is_that_of_the_class_predicted():
    p, y, _ = draw(3, 600, weighted=False)
    fields = of_probabilities(p, y, classes=CLASSES3)
    right, top = calibration_curve(p.argmax(1) == y, p.max(1), n_bins=10, strategy="quantile")
    np.testing.assert_allclose(fields["calibration"][:, :2], np.stack([top, right], axis=1))
    assert fields["calibration_of"] == "the class predicted"


def test_weights_are_repeated_rows():
    """Whole weights give the numbers of a table that holds each row so many times."""
    p, y, _ = draw(2, 200, weighted=False)
    times = np.random.default_rng(1).integers(1, 5, 200)
    by_weight = of_probabilities(p, y, weights=times)
    repeated = of_probabilities(np.repeat(p, times, axis=0), np.repeat(y, times))
    same = [name for name in by_weight["metric_names"] if name != "calibration error"]
    for name in same:
        assert value(by_weight, name) == pytest.approx(value(repeated, name)), name
    wide = np.diff(by_weight["metrics"][:, 1:])[: len(same)]
    narrow = np.diff(repeated["metrics"][:, 1:])[: len(same)]
    assert (wide > narrow).all(), "a weight is not as good as more rows"


def test_one_class_is_undefined_with_a_reason_and_never_zero(tmp_path):
    result = one_class()
    found = {m.name: m for m in result.measures() if not m.of}
    assert math.isnan(found["ROC AUC"].value)
    assert found["ROC AUC"].note == "no row is yes"
    assert found["balanced accuracy"].note == "no row is yes"
    assert found["recall"].note == "no row is yes"
    assert not math.isnan(found["accuracy"].value)
    of_yes = {m.name: m for m in result.measures() if m.of == "yes"}
    assert math.isnan(of_yes["recall"].value)
    assert result.undefined["recall of yes"] == "no row is yes"
    assert len(result.curve("roc", 0)) == 0
    back = load(result.save(tmp_path / "result"))
    assert back.undefined == result.undefined
    np.testing.assert_array_equal(back.metrics, result.metrics)
    frame = back.to_frame().set_index(["metric", "class"])
    assert frame.loc[("ROC AUC", ""), "note"] == "no row is yes"


def test_a_class_that_is_never_predicted_has_no_precision():
    p = np.tile([0.6, 0.3, 0.1], (40, 1))
    fields = of_probabilities(p, np.arange(40) % 3, classes=CLASSES3)
    assert fields["undefined"]["precision of blue"] == "no row is called blue"
    assert np.isnan(fields["class_metrics"][2, 0]).all()
    assert fields["class_metrics"][2, 1, 0] == 0, "recall is known, and nothing was found"


def test_a_single_row_has_values_without_intervals():
    result = evaluated("regression", n=60)
    table = tiny_table(n=60, task="regression")
    one = api.evaluate(tiny_model(table), table[:1])
    assert one.undefined["mean absolute error"] == "an interval needs at least 2 rows"
    assert one.undefined["R squared"] == "the target does not vary over the rows"
    assert not math.isnan(one.metric("mean absolute error").value)
    assert not result.undefined


@pytest.mark.parametrize(
    ("model", "table"),
    [("adult-mlp", "adult"), ("german-mlp", "german"), ("digits-mlp", "digits"),
     ("diabetes-mlp", "diabetes")],
)  # fmt: skip
def test_cards_of_bundled_models_are_reproduced(model, table):
    chosen = api.load_model(model)
    result = api.evaluate(chosen, api.load_table(table), weights=False)
    for recorded in chosen.card.metrics:
        found = result.metric(recorded.name)
        assert found.value == pytest.approx(recorded.value, rel=1e-5), recorded.name
        room = 0.25 * (recorded.high - recorded.low)
        assert found.low == pytest.approx(recorded.low, abs=room)
        assert found.high == pytest.approx(recorded.high, abs=room)


def test_weights_of_the_table_are_used_and_said():
    result = api.evaluate("adult-mlp", api.load_table("adult"))
    assert result.weighted
    assert result.effective_rows < len(result)
    assert result.provenance.notes == (
        "rows count by column 'fnlwgt'; they tell as much as 4,957 rows of equal weight",
    )
    assert result.confusion.sum() == len(result), "counts stay counts"


def coverage(runs, truth, name):
    """Share of simulated evaluations whose interval holds the truth."""
    place = runs[0]["metric_names"].index(name)
    bounds = np.array([fields["metrics"][place, 1:] for fields in runs])
    return ((bounds[:, 0] <= truth) & (truth <= bounds[:, 1])).mean()


@pytest.fixture(name="few_resamples")
def _few_resamples(monkeypatch):
    monkeypatch.setattr(resampling, "RESAMPLES", 120)


def simulated(random, *, n=120):
    """Positive scores are shifted by one: the area is that of two normals, the rest follows."""
    y = (random.random(n) < 0.4).astype(int)
    score = random.normal(size=n) + 1.2 * y
    p = special.expit(score)
    return of_probabilities(np.stack([1 - p, p], axis=1), y)


@pytest.mark.usefixtures("few_resamples")
def test_intervals_of_shares_and_areas_cover_as_often_as_they_say():
    big = simulated(np.random.default_rng(99), n=400_000)
    runs = [simulated(np.random.default_rng(seed)) for seed in range(150)]
    names = ("accuracy", "balanced accuracy", "log-loss", "Brier score", *AREAS, *CLASS_METRICS)
    for name in names:
        assert 0.89 <= coverage(runs, value(big, name), name) <= 1, name


@pytest.mark.usefixtures("few_resamples")
def test_intervals_of_a_regression_cover_as_often_as_they_say():
    def make(random, n=100):
        y = random.normal(size=n)
        said = 0.8 * y + random.normal(size=n) * 0.6
        return regression(said, y, np.ones(n), np.arange(n), EvaluateParams(), Context())

    truths = {
        "root mean squared error": math.sqrt(0.04 + 0.36),
        "mean absolute error": math.sqrt(0.4 * 2 / math.pi),
        "mean error": 0.0,
        "R squared": 0.6,
    }
    runs = [make(np.random.default_rng(seed)) for seed in range(120)]
    for name, truth in truths.items():
        assert 0.88 <= coverage(runs, truth, name) <= 1, name


@pytest.mark.parametrize("slope", [1.0, 0.5])
@pytest.mark.usefixtures("few_resamples")
def test_intervals_of_the_calibration_error_cover(slope):
    """Right probabilities have an error of zero; too bold ones the mean of their distances."""
    z = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    apart = special.expit(slope * z) - special.expit(z)
    truth = np.abs(apart.reshape(10, -1).mean(1)).mean()
    hits = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        z = random.normal(size=500)
        happened = random.random(500) < special.expit(slope * z)
        found = calibration.calibrate(
            special.expit(z), happened, np.ones(500), Context(seed=seed), n_bins=10, level=0.95
        )
        low, high = found.error_bounds
        assert low <= found.error <= high
        hits += low <= truth <= high
    assert hits >= 85


def test_fewer_rows_than_there_are_give_the_same_interval(monkeypatch):
    """A resample of 2,000 of 20,000 rows, rescaled, is as wide as one of all rows."""
    x = np.random.default_rng(0).normal(size=20_000)

    def means(rows):
        return x[rows].mean(1)

    found = []
    for drawn in (20_000, 2_000):
        monkeypatch.setattr(resampling, "MAX_DRAWN", drawn)
        found.append(
            resampling.bootstrap(x.mean(), means, len(x), Context(), address=1, level=0.95)
        )
    widths = [high - low for low, high in found]
    assert widths[0] == pytest.approx(2 * 1.96 / math.sqrt(20_000), rel=0.15)
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


def test_resamples_do_not_depend_on_blocks(monkeypatch):
    one = evaluated("multiclass").metrics
    monkeypatch.setattr(resampling, "BLOCK_ELEMENTS", 1000)
    np.testing.assert_array_equal(one, evaluated("multiclass").metrics)


def test_levels_nest_and_thresholds_trade():
    wide, narrow = (evaluated(level=level) for level in (0.99, 0.8))
    assert (wide.metrics[:, 1] <= narrow.metrics[:, 1] + 1e-12).all()
    assert (wide.metrics[:, 2] >= narrow.metrics[:, 2] - 1e-12).all()
    low, high = (evaluated(threshold=t).metric("recall").value for t in (0.2, 0.8))
    assert low > high


def test_rows_are_predicted_in_chunks_with_progress(monkeypatch):
    monkeypatch.setattr("workbench.engines.performance.evaluation.STEP_ROWS", 16)
    seen = []
    table = tiny_table(n=40)
    api.evaluate(tiny_model(table), table, progress=lambda *step: seen.append(step))
    assert [step for step in seen if step[2] == "rows"] == [
        (16, 40, "rows"), (32, 40, "rows"), (40, 40, "rows")
    ]  # fmt: skip


def unlabelled(table):
    return replace(table, y=None)


def renamed(table):
    return replace(table, schema=table.schema.model_copy(update={"classes": ("nope", "yep")}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (unlabelled, "Table 'tiny' does not say what is true: it has no column 'y', which model "
                     "tiny@1 predicts; add that column or choose rows that have it."),
        (renamed, "The classes of table 'tiny' are not those of model tiny@1; read the file with "
                  "the model's schema."),
        (lambda t: replace(t, y=t.y.double().fill_(math.nan)),
         "Column 'y' has no value in row 0 of table 'tiny'; fill it in or leave out the row."),
        (lambda t: t[:0], "There are no rows to evaluate on in 'tiny'; give at least one."),
        (lambda t: replace(t, weights=torch.zeros(len(t), dtype=torch.float64)),
         "All rows of table 'tiny' have weight 0; set weights to false or choose other rows."),
    ],
)  # fmt: skip
def test_says_what_is_wrong(change, message):
    table = tiny_table()
    with pytest.raises(InvalidInputError) as fault:
        api.evaluate(tiny_model(table), change(table))
    assert str(fault.value) == message


def test_a_row_without_a_usable_answer_is_named():
    table = tiny_table(task="regression")
    model = tiny_model(table)
    rows = replace(table, X=table.X.clone())
    rows.X[7, 0] = 1e308
    with pytest.raises(InvalidInputError, match="returns no usable number for row 7 of 'tiny'"):
        api.evaluate(model, rows)


def test_records_that_no_background_was_used():
    result = evaluated()
    assert METHODS["performance.evaluate"].uses == {"labels"}
    record = result.provenance
    assert (record.background, record.n_background, record.background_digest) == ("none", 0, "")
    assert record.evaluations == len(result) == 300
