"""Changes of inputs against other packages, and inside a first layer."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.networks import Opaque
from workbench.numerics.input_maps import Mapped, behind, residual_map, without_columns
from workbench.registry.architectures import MLP, MLPArguments


def inputs(n=200, p=6):
    z = torch.randn(n, p, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z[:, 3] += 2 * z[:, 0]
    z[:, 4] -= z[:, 1]
    return z


def network(p=6):
    torch.manual_seed(0)
    return MLP(p, 2, MLPArguments(hidden=(8, 4))).double().eval()


def test_residuals_are_those_of_fairlearn():
    from fairlearn.preprocessing import CorrelationRemover

    z = inputs()
    theirs = CorrelationRemover(sensitive_feature_ids=[0, 1]).fit_transform(z.numpy())
    ours = residual_map(z, [0, 1])(z).numpy()
    np.testing.assert_allclose(ours[:, 2:], theirs, atol=1e-10)
    np.testing.assert_allclose(ours[:, :2], 0, atol=1e-10)
    correlations = np.corrcoef(np.hstack([z[:, :2].numpy(), ours[:, 2:]]).T)[:2, 2:]
    np.testing.assert_allclose(correlations, 0, atol=1e-10)


def test_one_hot_columns_are_taken_out_whole():
    z = inputs()
    z[:, :3] = torch.eye(3, dtype=torch.float64)[torch.arange(200) % 3]
    left = residual_map(z, [0, 1, 2])(z)
    for level in range(3):
        np.testing.assert_allclose(
            left[torch.arange(200) % 3 == level, 3:].mean(0), z[:, 3:].mean(0)
        )


@pytest.mark.parametrize("change", [
    residual_map(inputs(), [0, 1]), without_columns(6, [2, 5], {0: 1, 3: 4}),
], ids=["residuals", "masks"])  # fmt: skip
def test_a_first_layer_takes_the_change_in(change):
    z, net = inputs(), network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found, same_make = behind(change, net)
    assert same_make
    assert {name: value.shape for name, value in found.state_dict().items()} == {
        name: value.shape for name, value in before.items()
    }
    torch.testing.assert_close(found(z), net(change(z)))
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_what_shows_no_first_layer_gets_one_step_more():
    z, change = inputs(), residual_map(inputs(), [0])
    found, same_make = behind(change, Opaque(network()))
    assert not same_make
    assert isinstance(found, Mapped)
    torch.testing.assert_close(found(z), network()(change(z)))


def test_hidden_and_merged_columns_by_hand():
    change = without_columns(4, [3], {0: 1})
    z = torch.tensor([[1.0, 0, 5, 7], [0, 1, 6, 8], [0, 0, 9, 9]], dtype=torch.float64)
    assert change(z).tolist() == [[0, 1, 5, 0], [0, 1, 6, 0], [0, 0, 9, 0]]


def test_a_first_layer_without_bias_is_not_given_one():
    net = nn.Module()
    net.first = nn.Linear(6, 2, bias=False).double()
    net.rest = lambda hidden: hidden
    _, same_make = behind(residual_map(inputs() + 1, [0]), net)
    assert not same_make
