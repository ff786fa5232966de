"""Curves over scales against closed forms, and against single fits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.formulas import formula_case, one_output
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.engines.lfa.scales import ScalesParams

OPERATORS = ["add", "scale", "mask", "resample"]
MANY = {"samples": 4096, "heldout": 8192}


def within_errors(curves, expected, n=5):
    """Whether all shares are within so many standard errors, and a little more for the fit."""
    return np.abs(curves.shares() - expected) <= n * curves.spread[..., 0] + 2e-3


@pytest.mark.parametrize("operator", OPERATORS)
def test_of_a_linear_model_nothing_is_missed(operator):
    slope = torch.tensor([1.0, -2.0, 0.5]).double()
    model, table = formula_case(one_output(lambda x: x @ slope.to(x)), 3)
    curves = api.scale_curves(model, table[:4], table, operator=operator)
    if operator == "resample":  # which other value it is matters
        assert (curves.shares() > 0).all()
        return
    np.testing.assert_allclose(curves.shares(), 0, atol=1e-9)
    assert curves.widest(1e-6) == curves.scales[-1]
    assert curves.knee() is None


@pytest.mark.parametrize(("law", "fourth"), [("normal", 3.0), ("uniform", 1.8)])
def test_moves_of_a_quadratic_miss_its_curvature(law, fourth):
    model, table = formula_case(one_output(lambda x: x[:, 0] ** 2), 1)
    curves = api.scale_curves(model, table[:6], table, law=law, **MANY)
    tau = curves.scales * float(table.X.std(0, correction=0))
    bent = (fourth - 1) * tau**4
    expected = bent / (4 * table.X[:6].numpy() ** 2 * tau**2 + bent)
    assert within_errors(curves, expected).all()
    np.testing.assert_allclose(curves.shares(), expected, atol=0.06)


def test_the_way_along_a_quadratic_misses_its_curvature():
    model, table = formula_case(one_output(lambda x: x[:, 0] ** 2), 1)
    curves = api.scale_curves(model, table[:6], table, operator="scale", **MANY)
    s, start, x = curves.scales, float(table.X.mean()), table.X[:6].numpy()
    rise = 2 * (start + (1 - s / 2) * (x - start)) * (x - start)
    bent = (x - start) ** 4 * s**4 / 180
    expected = bent / (rise**2 * s**2 / 12 + bent)
    np.testing.assert_allclose(curves.shares(), expected, atol=1e-3)


def test_removals_of_a_product_miss_the_interaction():
    model, table = formula_case(one_output(lambda x: x[:, 0] * x[:, 1]), 2)
    table = replace(table, X=table.X - table.X.mean(0))
    curves = api.scale_curves(model, table[:6], table, operator="mask")
    kept = 1 / (1 + np.exp(-1 / curves.scales**2))
    expected = np.broadcast_to((1 - kept) / (1 + kept), (6, 12))
    np.testing.assert_allclose(curves.shares(), expected, atol=1e-6)
    assert (curves.spread == 0).all()
    assert "all coalitions were evaluated" in curves.provenance.notes[0]


def test_resampling_of_a_sum_misses_which_other_value_it_is():
    model, table = formula_case(one_output(lambda x: x[:, 0]), 1)
    curves = api.scale_curves(model, table[:6], table, operator="resample", count=4, **MANY)
    q, x, other = curves.scales, table.X[:6].numpy(), table.X.numpy()
    missed = np.broadcast_to(q * other.var(), (6, 4))  # of those that were replaced
    expected = missed / (missed + q * (1 - q) * (x - other.mean()) ** 2)
    assert within_errors(curves, expected).all()


def test_the_knee_of_a_wave_is_near_its_length():
    length = 2.0
    model, table = formula_case(
        one_output(lambda x: torch.sin(2 * np.pi * x[:, 0] / length)), 1, spreads=[1.0]
    )
    table = replace(table, X=(table.X - table.X.mean(0)) / table.X.std(0, correction=0))
    row = replace(table[:1], X=torch.zeros(1, 1, dtype=torch.float64))
    curves = api.scale_curves(model, row, table, count=24, **MANY)
    way = (2 * np.pi * curves.scales / length) ** 2
    expected = 1 - way * np.exp(-way) / (0.5 * (1 - np.exp(-2 * way)))
    assert within_errors(curves, expected[None]).all()
    assert length / 20 < curves.knee() < length / 4
    assert curves.widest(0.1) < length / 4


def test_a_scale_is_a_fit_at_that_scale():
    table = tiny_table(d=5, missing=True)
    model, rows = tiny_model(table), table[:4]
    for operator in ("add", "resample"):
        settings = {"operator": operator, "samples": 100, "heldout": 100, "seed": 2}
        curves = api.scale_curves(
            model, rows, table, smallest=0.1, largest=0.7, count=3, **settings
        )
        ends = api.scale_curves(model, rows, table, smallest=0.1, largest=0.7, count=2, **settings)
        np.testing.assert_array_equal(curves.shares()[:, ::2], ends.shares())
        for place, scale in enumerate(curves.scales):
            fitted = api.local_functions(model, rows, table, scale=float(scale), **settings)
            np.testing.assert_allclose(curves.missed[:, place], fitted.missed, rtol=1e-9)
            np.testing.assert_allclose(curves.total[:, place], fitted.total, rtol=1e-9)
    curves = api.scale_curves(model, rows, table, operator="mask", largest=1.0)
    fitted = api.local_functions(model, rows, table, operator="mask", scale=1.0)
    np.testing.assert_allclose(curves.shares()[:, -1], fitted.share_missed(), rtol=1e-6)


@pytest.mark.parametrize("operator", ["add", "mask", "resample"])
def test_its_standard_errors_are_those_of_other_seeds(operator):
    table = tiny_table(n=100, d=10, categorical=False)
    model, rows = tiny_model(table, scale=1.0), table[:4]
    runs = [
        api.scale_curves(
            model, rows, table, operator=operator, seed=seed, count=2, samples=400, heldout=60
        )
        for seed in range(12)
    ]
    told = np.sqrt((np.stack([run.spread[..., 0] for run in runs]) ** 2).mean(0))
    found = np.stack([run.shares(0) for run in runs]).std(0, ddof=1)
    assert 0.7 < np.median(told / found) < 1.4


def test_near_a_row_more_is_missed_the_further_one_looks():
    model, rows = api.load_model("adult-mlp"), api.load_table("adult", rows=":24")
    background = api.background_for(model, rows, n=200)
    curves = api.scale_curves(model, rows, background, smallest=0.02, largest=0.4, count=6)
    assert (np.diff(curves.curve().middle) > 0).all()
    assert curves.curve().middle[0] < 0.01
    assert curves.provenance.evaluations < 24 * 6 * 512 + 3000


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_row_does_not_depend_on_the_others(operator):
    table = tiny_table(d=5, missing=True)
    model = tiny_model(table)
    settings = {"operator": operator, "count": 3, "samples": 64, "heldout": 64}
    together = api.scale_curves(model, table[:6], table, **settings)
    alone = api.scale_curves(model, table[[4, 1]], table, **settings)
    np.testing.assert_allclose(alone.missed, together.missed[[4, 1]], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(alone.spread, together.spread[[4, 1]], rtol=1e-6, atol=1e-9)
    cost = METHODS["lfa.scales"].cost(model, 6, len(table), ScalesParams(**settings))
    assert together.provenance.evaluations <= cost.evaluations


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"smallest": 2.0, "largest": 1.0}, r"smallest \(2\) must be below largest \(1\)"),
        ({"smallest": 0.0}, "smallest: input should be greater than 0, got 0.0"),
        ({"operator": "mask", "law": "even"}, "law 'even' has no scale that could grow; choose"),
        ({"operator": "scale", "largest": 2.0}, "share of the way to the reference row; choose at"),
        ({"count": 1}, "count: input should be greater than or equal to 2, got 1"),
    ],
)
def test_says_what_does_not_go_together(settings, message):
    model, table = formula_case(one_output(lambda x: x.sum(1)), 3)
    with pytest.raises(InvalidInputError, match=message):
        api.scale_curves(model, table[:1], table, **settings)
