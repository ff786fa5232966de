"""Rounded kinks: each function against its formula, in place, and close where it is sharp."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from workbench.numerics.smoothing import Smoothing, smoothed

U = torch.linspace(-9, 9, 181, dtype=torch.float64)
KINKS = {
    "relu": functional.relu,
    "module": nn.ReLU(),
    "tensor": lambda u: u.relu(),
    "leaky": nn.LeakyReLU(0.2),
    "prelu": nn.PReLU(init=0.3).double().requires_grad_(False),
    "relu6": nn.ReLU6(),
    "hardtanh": nn.Hardtanh(-2.0, 3.0),
    "abs": torch.abs,
    "builtin abs": abs,
    "in place": lambda u: nn.ReLU(inplace=True)(u.clone()),
    "underscored": lambda u: torch.relu_(u.clone()),
}


@pytest.mark.parametrize("kink", KINKS.values(), ids=KINKS)
def test_comes_close_where_it_is_sharp_and_bends_where_it_is_not(kink):
    def call(u):
        return kink(u[:, None])[:, 0]

    mode = Smoothing(50.0)
    near = smoothed(call, mode)(U)
    assert mode.replaced
    assert not mode.kinked
    assert 1e-4 < (near - call(U)).abs().max() < 0.06  # 2 log 2 / 50, at most
    at = torch.zeros(1, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(smoothed(call, Smoothing(1.0))(at), at, create_graph=True)
    (bend,) = torch.autograd.grad(slope, at)
    assert torch.isfinite(bend).all()


def test_a_rectifier_becomes_softplus():
    found = smoothed(functional.relu, Smoothing(3.0))(U)
    torch.testing.assert_close(found, (1 + (3 * U).exp()).log() / 3)


def test_in_place_writes_where_the_network_reads():
    def forward(u):
        own = u.clone()
        own.relu_()
        return own

    torch.testing.assert_close(
        smoothed(forward, Smoothing(3.0))(U), functional.softplus(U, 3.0)
    )  # fmt: skip


def test_says_what_it_left_with_kinks_and_leaves_no_trace():
    mode = Smoothing(5.0)
    smoothed(lambda u: u.clamp(min=0) + u.tanh(), mode)(U)
    assert mode.kinked == {"clamp"}
    assert not mode.replaced
    torch.testing.assert_close(functional.relu(U), U.clamp(min=0))
