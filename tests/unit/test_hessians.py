"""Second derivatives: closed forms, a double integral, sums that add up, and what they cost."""

import numpy as np
import pytest
import torch
from torch import nn

from workbench.core.errors import InvalidInputError
from workbench.numerics.hessians import Curved, cross_hessians, integrated_hessians, product_nodes

START = torch.tensor([0.3, -0.2, 0.5, 0.1], dtype=torch.float64)


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def curved(forward, columns=None, **changes):
    known = {
        "columns": torch.eye(4, dtype=torch.float64) if columns is None else columns,
        "constant_sum": False, "chunk_rows": 7, "count": lambda *_: None,
    }  # fmt: skip
    return Curved(forward=forward, **(known | changes))


def smooth_network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    return network.requires_grad_(False)


def bends_at(network, z):
    """Second derivatives of each output, one at a time."""
    hessian = torch.autograd.functional.hessian
    return torch.stack([hessian(lambda at, k=k: network(at)[k], z) for k in range(2)], -1)


def test_of_a_quadratic_pairs_share_a_quarter_each():
    A, b = numbers(4, 4), numbers(4)
    A = A + A.T

    def quadratic(z):
        return (torch.einsum("mi,ij,mj->m", z, A, z) / 2 + z @ b)[:, None]

    rows = numbers(5, 4)
    found = integrated_hessians(curved(quadratic), rows, START, 3)[..., 0]
    step = rows - START
    expected = A * step[:, :, None] * step[:, None, :] / 4
    slopes = step * (START @ A + b) + step * (step @ A) / 4
    expected.diagonal(dim1=1, dim2=2).add_(slopes)
    torch.testing.assert_close(found, expected)


def test_matches_the_double_integral():
    network, rows = smooth_network(), numbers(1, 4)
    found = integrated_hessians(curved(network), rows, START, 12)
    places, weights = np.polynomial.legendre.leggauss(12)
    places, weights = (1 + places) / 2, weights / 2
    for row, values in zip(rows, found, strict=True):
        step, total = row - START, torch.zeros(4, 4, 2, dtype=torch.float64)
        for a, u in zip(places, weights, strict=True):
            for b, v in zip(places, weights, strict=True):
                z = START + a * b * step
                bends = bends_at(network, z)
                total += u * v * a * b * step[:, None, None] * step[:, None] * bends
                slopes = torch.autograd.functional.jacobian(network, z).T
                total.diagonal().add_((u * v * step[:, None] * slopes).T)
        torch.testing.assert_close(values, total, rtol=1e-8, atol=1e-10)


def test_everything_adds_up_by_feature_too():
    network, rows = smooth_network(), numbers(9, 4, seed=3)
    columns = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]], dtype=torch.float64)
    found = integrated_hessians(curved(network, columns), rows, START, 32)
    torch.testing.assert_close(found.sum((1, 2)), network(rows) - network(START))
    alone = integrated_hessians(curved(network), rows, START, 32)
    torch.testing.assert_close(found[:, 0, 1], alone[:, :2, 2:].sum((1, 2)))


def test_cross_derivatives_are_those_of_autograd():
    network, rows = smooth_network(), numbers(10, 4)
    found = cross_hessians(curved(network), rows)
    expected = torch.stack([bends_at(network, row) for row in rows])
    torch.testing.assert_close(found, expected)


def test_outputs_that_add_up_take_a_pass_less():
    network, rows, passes = smooth_network(), numbers(3, 4), []

    def shares(z):
        return network(z).softmax(1)

    counts = {"count": lambda forwards, back: passes.append((forwards, back))}
    found = cross_hessians(curved(shares, constant_sum=True, **counts), rows)
    torch.testing.assert_close(found[..., 1], cross_hessians(curved(shares), rows)[..., 1])
    assert [sum(part) for part in zip(*passes, strict=True)] == [3, 3 * (1 + 4)]


def test_nothing_bends_a_linear_or_constant_network():
    rows = numbers(3, 4)
    for forward in (nn.Linear(4, 2).double().requires_grad_(False), lambda z: z.detach()[:, :2]):
        assert (cross_hessians(curved(forward), rows) == 0).all()


def test_a_function_without_second_derivative_is_refused():
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(_, z):
            return z.clone()

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(_, gradient):
            return 2 * gradient

    def forward(z):
        return Once.apply(z).tanh()

    with pytest.raises(InvalidInputError, match="cannot be differentiated twice"):
        cross_hessians(curved(forward), numbers(2, 4))


@pytest.mark.parametrize("m", [1, 5, 40])
def test_the_rule_knows_the_moments_of_a_product(m):
    nodes, weights = product_nodes(m)
    assert ((nodes > 0) & (nodes < 1)).all()
    assert (weights > 0).all()
    for power in range(2 * m):  # the mean of the power of each factor, squared
        assert (weights * nodes**power).sum() == pytest.approx(1 / (power + 1) ** 2, rel=1e-10)
