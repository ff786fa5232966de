"""The training loop: a closed form, the best epoch, the same bits, and a stop when asked."""

import copy
import threading

import numpy as np
import pytest
import torch
from torch import nn

from workbench.core.context import Context
from workbench.core.errors import CancelledError
from workbench.numerics.fitting import FitSettings, fit


def data(n=40, seed=0, noise=0.0):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, 3, generator=generator)
    y = X @ torch.tensor([1.0, -2.0, 0.5]) + 3 + noise * torch.randn(n, generator=generator)
    return X, y


def squared(outputs, y):
    return nn.functional.mse_loss(outputs[:, 0], y)


def network(*, dropout=0.0):
    torch.manual_seed(7)
    return nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 1))


def test_finds_the_least_squares_solution():
    X, y = data(noise=0.5)
    module = nn.Linear(3, 1)
    settings = FitSettings(epochs=400, batch=40, rate=0.05, decay=0.0, patience=400)
    fit(module, (X, y), (X, y), squared, settings, Context())
    solution, *_ = np.linalg.lstsq(np.hstack([X, np.ones((40, 1))]), y, rcond=None)
    found = [*module.weight.detach()[0].tolist(), module.bias.item()]
    np.testing.assert_allclose(found, solution, atol=1e-3)
    assert not module.training


def test_keeps_the_weights_of_its_best_epoch():
    module, seen = network(), []
    # Twelve rows and a high rate overfit, so that the last epoch is not the best.
    settings = FitSettings(epochs=200, batch=4, rate=0.05, decay=0.0, patience=5)
    context = Context(progress=lambda *_: seen.append(copy.deepcopy(module.state_dict())))
    train, validation = data(12, noise=3.0), data(50, seed=1, noise=3.0)
    history = fit(module, train, validation, squared, settings, context)
    best = int(np.argmin(history))
    assert len(history) == len(seen) < 200, "it did not stop early"
    assert best == len(history) - 1 - settings.patience
    state = module.state_dict()
    assert all(torch.equal(state[name], seen[best][name]) for name in state)
    with torch.no_grad():
        assert squared(module(validation[0]), validation[1]).item() == min(history)


def test_without_patience_spent_it_runs_to_the_end():
    seen = []
    settings = FitSettings(epochs=6, batch=8, rate=1e-4, decay=0.0, patience=10)
    context = Context(progress=lambda *arguments: seen.append(arguments))
    history = fit(network(), data(), data(seed=1), squared, settings, context)
    assert [step[:2] for step in seen] == [(i, 6) for i in range(1, 7)]
    assert seen[-1][2] == f"epochs, validation loss {history[-1]:.4f}"


def trained(seed):
    module = network(dropout=0.5)
    settings = FitSettings(epochs=4, batch=8, patience=10)
    return fit(module, data(), data(seed=1), squared, settings, Context(seed=seed)), module


def test_the_same_seed_gives_the_same_bits_whatever_was_drawn_before():
    history, module = trained(0)
    torch.rand(100)
    np.random.default_rng().random(100)
    again, other = trained(0)
    assert history == again
    assert all(map(torch.equal, module.parameters(), other.parameters()))
    assert trained(1)[0] != history


def test_leaves_the_random_numbers_alone():
    module = network(dropout=0.5)
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    fit(module, data(), data(seed=1), squared, FitSettings(epochs=2), Context(seed=5))
    assert torch.equal(torch.rand(3), expected)


def test_a_last_batch_of_one_row_does_not_break_batch_normalisation():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    settings = FitSettings(epochs=2, batch=8)
    fit(module, data(17), data(seed=1), squared, settings, Context())
    assert int(module[1].num_batches_tracked) in {2, 4}, "two batches of 8 rows an epoch"


def test_no_epochs_change_nothing():
    module = network()
    before = copy.deepcopy(module.state_dict())
    assert fit(module, data(), data(), squared, FitSettings(epochs=0), Context()) == ()
    assert all(torch.equal(before[name], t) for name, t in module.state_dict().items())


def test_stops_when_asked():
    cancel, seen = threading.Event(), []

    def progress(done, _total, _message):
        seen.append(done)
        if done == 3:
            cancel.set()

    context = Context(progress=progress, cancel=cancel)
    with pytest.raises(CancelledError, match=r"^Cancelled after 4 of 50 epochs, validation loss"):
        fit(network(), data(), data(), squared, FitSettings(epochs=50), context)
    assert seen == [1, 2, 3]
