"""Errors by group of models of a number, against fairlearn and scikit-learn."""

from dataclasses import replace

import fairlearn.metrics as fl
import numpy as np
import pytest
import torch
from sklearn.metrics import (
    mean_absolute_error,
    mean_pinball_loss,
    root_mean_squared_error,
)

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.error_audit import MEASURES
from workbench.core.errors import InvalidInputError
from workbench.core.results import ErrorAudit, load
from workbench.numerics.least_chance import least_chance
from workbench.plots.error_audit import errors_sentence

QUICK = {"resamples": 200, "device": "cpu"}


def test_equals_fairlearn_and_sklearn_on_diabetes():
    model, rows = api.load_model("diabetes-mlp"), api.load_table("diabetes", split="all")
    found = api.error_audit(model, rows, quantile=0.8, **QUICK)
    said, truth = model.predict(rows.X)[:, 0].numpy(), rows.y.numpy()
    frame = fl.MetricFrame(
        metrics={
            "mean_prediction": fl.mean_prediction,
            "mean_absolute_error": mean_absolute_error,
            "root_mean_squared_error": root_mean_squared_error,
            "quantile_loss": lambda y, s: mean_pinball_loss(y, s, alpha=0.8),
        },
        y_true=truth, y_pred=said, sensitive_features=rows.to_frame()["sex"].astype(str).to_numpy(),
    )  # fmt: skip
    for name in frame.by_group.columns:
        m = list(MEASURES).index(name)
        theirs = frame.by_group[name].to_dict()
        ours = dict(zip(found.group_names, found.values[m, :, 0], strict=True))
        assert ours == pytest.approx(theirs, rel=1e-9)
        assert found.gaps[m, 0, 0] == pytest.approx(frame.difference()[name], rel=1e-6, abs=1e-9)
        assert found.overall[m, 0] == pytest.approx(frame.overall[name], rel=1e-9)
    error = list(MEASURES).index("mean_error")
    assert found.overall[error, 0] == pytest.approx((said - truth).mean())


def test_numbers_lie_in_their_intervals_and_survive_a_file(tmp_path):
    rows = tiny_table(task="regression", n=200)
    found = api.error_audit(tiny_model(rows), rows, by="c1,c3", **QUICK)
    assert found.partition_names == ("c1", "c3", "c1 x c3")
    for part in (found.values, found.overall, found.differences, found.gaps):
        value, low, high = np.moveaxis(part, -1, 0)
        assert (low <= value + 1e-9).all()
        assert (value <= high + 1e-9).all()
    np.testing.assert_array_equal(found.differences[:, found.references], 0)
    assert found.sizes[found.groups_of(2)].sum() == 200
    back = load(found.save(tmp_path / "errors"))
    assert isinstance(back, ErrorAudit)
    np.testing.assert_array_equal(back.values, found.values)
    assert len(found.to_frame()) == len(found) * len(MEASURES)


def test_a_planted_error_is_found_and_a_fair_one_is_not():
    rows = tiny_table(task="regression", n=400)
    model = tiny_model(rows)
    said = model.predict(rows.X)[:, 0]
    noise = np.random.default_rng(0).normal(size=400)
    group = rows.X[:, 1].numpy() == 1
    error = list(MEASURES).index("mean_error")
    for shift, seen in ((0.0, False), (1.0, True)):
        labelled = type(rows)(
            rows.schema,
            rows.X,
            rows.ids,
            said + torch.from_numpy(noise - shift * group),
            name="planted",
        )
        found = api.error_audit(model, labelled, by="c1", **QUICK)
        assert (found.adjusted[error, 0] < 0.05) == seen
        assert (found.gaps[error, 0, 1] > 0) == seen


def test_says_what_is_wrong():
    rows = tiny_table(n=60)
    with pytest.raises(InvalidInputError, match=r"decides between classes.*workbench fairness"):
        api.error_audit(tiny_model(rows), rows, by="c1", **QUICK)
    numbers = tiny_table(task="regression", n=60)
    with pytest.raises(InvalidInputError, match="predicts a number, so that nobody is refused"):
        api.audit(tiny_model(numbers), numbers, by="c1", device="cpu")
    with pytest.raises(InvalidInputError, match="quantile: input should be less than 1"):
        api.error_audit(tiny_model(numbers), numbers, by="c1", quantile=1.0)


def test_a_plain_gap_stays_beyond_chance_however_many_gaps_are_looked_at():
    rows = tiny_table(task="regression", n=300)
    model = tiny_model(rows)
    said = model.predict(rows.X)[:, 0]
    column = rows.X[:, rows.schema.names.index("c1")]
    rows = replace(rows, y=said + 50.0 * (column == column.max()))
    found = api.error_audit(model, rows, by="c1,c3,x0", bins="x0=0", depth=3, **QUICK)

    error = list(MEASURES).index("mean_absolute_error")
    assert found.adjusted[error, 0] <= 0.05
    assert "more than chance brings" in errors_sentence(found)
    few = least_chance(found)
    hard = replace(
        found, chances=np.full_like(found.chances, few), adjusted=np.full_like(found.adjusted, 0.2)
    )
    assert "would take more draws to tell that from chance" in errors_sentence(hard)
    near = replace(
        found, chances=np.full_like(found.chances, 0.02), adjusted=np.full_like(found.adjusted, 0.2)
    )
    assert "of 42 comparisons some show as much by chance (20 % after correction)" in (
        errors_sentence(near)
    )


def test_groups_that_are_too_small_by_the_setting_are_not_compared():
    rows = tiny_table(task="regression", n=200)
    found = api.error_audit(tiny_model(rows), rows, by="c1", least_rows=500, **QUICK)
    assert errors_sentence(found) == (
        "By c1, fewer than two groups have enough rows to be compared (500)."
    )
