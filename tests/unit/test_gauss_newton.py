"""Directions and steps of many networks at once against dense matrices and definitions."""

import pytest
import torch
from torch import nn

from workbench.numerics.ascent import ascend
from workbench.numerics.flat_weights import flat_weights
from workbench.numerics.gauss_newton import conjugate_gradients, curvature_product, slopes_of
from workbench.numerics.stream.boundary import steps_to_boundary


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def network(k=3):
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, k)).double()
    for place, own in enumerate(net.parameters()):
        own.data.copy_(numbers(*own.shape, seed=place))
    return net.requires_grad_(requires_grad=False)


def jacobian(flat, inputs):
    """Of the logits by all weights, row by row and weight by weight ``[n, k, p]``."""
    step, columns = 1e-6, []
    for place in range(flat.size):
        move = torch.zeros_like(flat.start)
        move[place] = step
        up, down = (
            flat.logits_at(flat.split(flat.start + sign * move), inputs) for sign in (1, -1)
        )
        columns.append((up - down) / (2 * step))
    return torch.stack(columns, -1)


@pytest.mark.parametrize("classes", [True, False])
def test_product_and_solution_are_those_of_the_dense_matrix(classes):
    flat, inputs = flat_weights(network()), numbers(7, 4, seed=9)
    J = jacobian(flat, inputs)
    share = flat.network(inputs).softmax(-1)
    B = torch.diag_embed(share) - share[:, :, None] * share[:, None]
    B = B if classes else 2 * torch.eye(3).double().expand(7, 3, 3)
    G = torch.einsum("nkp,nkl,nlq->pq", J, B, J) / 7
    right = numbers(2, flat.size, seed=10)
    product = curvature_product(flat, inputs, classes=classes, chunk=1)
    torch.testing.assert_close(product(right), right @ G, rtol=1e-6, atol=1e-8)
    got = conjugate_gradients(product, right, damping=0.1, steps=500, close=1e-10)
    dense = torch.linalg.solve(G + 0.1 * torch.eye(flat.size).double(), right.T).T
    torch.testing.assert_close(got, dense, rtol=1e-5, atol=1e-7)


def test_slopes_are_rows_of_the_jacobian():
    flat, inputs, contrasts = flat_weights(network()), numbers(6, 4), numbers(6, 3, seed=1)
    expected = torch.einsum("nk,nkp->np", contrasts, jacobian(flat, inputs))
    torch.testing.assert_close(
        slopes_of(flat, inputs, contrasts, 4), expected, rtol=1e-6, atol=1e-8
    )


def test_weights_are_cut_and_joined_in_their_order():
    flat = flat_weights(network())
    parts = flat.split(flat.start)
    assert all(torch.equal(parts[name], own) for name, own in flat.network.named_parameters())
    assert flat.penalised().sum() == 4 * 5 + 5 * 3
    part = flat_weights(flat.network, ("2.bias",))
    assert part.size == 3
    moved = part.logits_at(part.split(part.start + 1), numbers(2, 4))
    torch.testing.assert_close(moved, flat.network(numbers(2, 4)) + 1)


def test_steps_end_at_the_boundary_of_each_way():
    """A parabola, one that first falls, one that has a wall, and one that only rises steeply."""

    def excess(steps):
        a, b, c, d = steps
        wall = torch.where(c < 0.5, 0.01 * c, torch.inf)
        return torch.stack((a**2, b**2 - b, wall, 1e6 * d))

    steps, found = steps_to_boundary(excess, 0.04, torch.ones(4).double(), rounds=60)
    assert (found <= 0.04).all()
    expected = torch.tensor([0.2, 0.5 + 0.29**0.5, 0.5, 4e-8]).double()
    torch.testing.assert_close(steps, expected, rtol=2e-3, atol=0)


def test_no_step_where_every_step_is_worse():
    steps, _ = steps_to_boundary(lambda s: 1 + s, 0.5, torch.ones(2).double())
    assert steps.tolist() == [0.0, 0.0]


def test_a_climb_ends_at_the_boundary_and_never_leaves():
    """Up a plane within a ball: the highest point is known, and every point was evaluated."""
    way, seen = numbers(3, 4), []

    def rise(moves):
        return (way * moves).sum(1), way

    def excess(moves):
        size = moves.square().sum(1)
        seen.append(size)
        return size

    there = ascend(rise, excess, torch.zeros(3, 4).double(), 0.25, first=0.1)
    assert (there.square().sum(1) <= 0.25).all()
    torch.testing.assert_close((way * there).sum(1), 0.5 * way.norm(dim=1), rtol=2e-3, atol=0)
    assert any((size > 0.25).any() for size in seen), "the boundary was never met"
    assert len(seen) <= 200
