"""Rashomon capacity against closed forms of channels, and the rule that stops too early."""

import math

import numpy as np
import pytest
import torch

from workbench.numerics.stream.capacity import binary_capacity, capacity


def two(scores):
    """Return models' scores of one class as distributions over two."""
    return torch.stack([scores, 1 - scores], -1)


def bits(found):
    return torch.log2(found)


def stopped_by_small_changes(rows, rounds=1000):
    """Blahut and Arimoto's ascent that stops when weights hardly move, by definition."""
    w = np.full(len(rows), 1 / len(rows))
    for _ in range(rounds):
        divergences = (rows * np.log2(rows / (w @ rows))).sum(1)
        new = w * 2**divergences
        new /= new.sum()
        if ((new - w) ** 2).sum() / len(rows) < 1e-12:
            break
        w = new
    return float(w @ divergences)


def test_two_classes_by_formula_and_by_ascent():
    rng = torch.Generator().manual_seed(0)
    ends = torch.rand(200, 2, generator=rng).double().sort(1).values
    inner = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * torch.rand(200, 20, generator=rng).double()
    found = capacity(two(torch.cat([ends, inner], 1)))
    exact = binary_capacity(ends[:, 0], ends[:, 1])
    assert float((bits(found) - bits(exact)).abs().max()) < 1e-3


@pytest.mark.parametrize(("width", "expected"), [(0.05, 0.00180), (0.2, 0.02902), (0.6, 0.2780)])
def test_many_models_in_a_narrow_range(width, expected):
    scores = torch.linspace(0.5 - width / 2, 0.5 + width / 2, 2100).double()
    exact = float(bits(binary_capacity(scores[0], scores[-1])))
    assert exact == pytest.approx(expected, rel=0.01)
    assert float(bits(capacity(two(scores)[None]))[0]) == pytest.approx(exact, abs=1e-3)
    if width == 0.05:
        assert stopped_by_small_changes(two(scores).numpy()) < exact / 2


@pytest.mark.parametrize("error", [0.0, 0.1, 0.5])
def test_symmetric_channel_of_three_classes(error):
    rows = torch.full((1, 3, 3), error / 2).double()
    rows[0].fill_diagonal_(1 - error)
    entropy = -sum(p * math.log2(p) for p in rows[0, 0].tolist() if p)
    assert float(bits(capacity(rows))) == pytest.approx(math.log2(3) - entropy, abs=1e-3)


def test_from_1_to_the_number_of_classes():
    same = torch.tensor([0.3, 1e-9, 0.0, 1.0]).double()
    assert torch.equal(binary_capacity(same, same), torch.ones(4).double())
    assert float(binary_capacity(torch.tensor(0.0), torch.tensor(1.0))) == pytest.approx(2)
    torch.manual_seed(0)
    rows = torch.distributions.Dirichlet(torch.full((10,), 0.3)).sample((30, 40)).double()
    found = capacity(rows)
    assert bool(((found > 1) & (found < 10)).all())


@pytest.mark.parametrize("middle", [0.5, 0.01, 1e-6])
def test_ends_that_almost_meet_do_not_cancel(middle):
    widths = middle * torch.logspace(-7, -2, 60).double()
    found = bits(binary_capacity(middle - widths / 2, middle + widths / 2))
    expected = widths**2 / (8 * math.log(2) * middle * (1 - middle))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-12 / middle)
