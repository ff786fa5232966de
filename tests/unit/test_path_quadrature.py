"""Quadrature along a path: what it integrates exactly, and what its errors are worth."""

import numpy as np
import pytest
import torch
from scipy import stats

from workbench.numerics.path_quadrature import MOST_RULES, errors_of, gauss_legendre


@pytest.mark.parametrize("n", [2, 3, 7, 24, 200])
def test_polynomials_are_exact_and_unseen_by_the_null_rules(n):
    places, rules = gauss_legendre(n)
    n_rules = min(MOST_RULES, max(1, n // 3))
    assert rules.shape == (1 + n_rules, n)
    degrees = range(min(2 * n, 40))
    for degree in degrees:
        found = rules @ places**degree
        assert abs(found[0] - 1 / (1 + degree)) < 1e-12
        if degree < n - n_rules:
            assert found[1:].abs().max() < 1e-12
    norms = rules.norm(dim=1)
    torch.testing.assert_close(norms, norms[:1].expand_as(norms))


@pytest.mark.parametrize("n", [6, 12, 24, 100])
@pytest.mark.parametrize("n_jumps", [3, 60])
def test_jumps_anywhere_are_covered_as_often_as_said(n, n_jumps):
    """Step functions: the integral of each is known in closed form."""
    random = np.random.default_rng(n + n_jumps)
    quadrature = gauss_legendre(n)
    where = random.random((3000, n_jumps, 1))
    size = random.standard_normal(where.shape)
    steps = torch.from_numpy((size * (quadrature.places.numpy() > where)).sum(1))  # (s, q)
    truth = torch.from_numpy((size * (1 - where)).sum((1, 2)))
    found = steps @ quadrature.rules.T  # (s, 1 + r)
    off, errors = (found[:, 0] - truth).abs(), errors_of(found[:, 1:])
    assert 0.9 < float(errors.square().mean().sqrt() / off.square().mean().sqrt()) < 1.2
    half = stats.t.ppf(0.975, quadrature.dof) * errors
    assert 0.935 < float((off <= half).double().mean()) < 0.98


def test_what_is_smooth_has_next_to_no_error():
    places, rules = gauss_legendre(24)
    found = rules @ torch.exp(2 * places)
    assert abs(found[0] - (np.exp(2) - 1) / 2) < 1e-13
    assert errors_of(found[None, 1:])[0] < 1e-12
