"""Results of tests whether interactions are in the data: made up, and of tiny tables."""

from dataclasses import replace
from functools import cache

import numpy as np

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.interaction_test import InteractionTest
from workbench.numerics.null_band import null_band

QUICK = {"simulations": 5, "refits": 2, "epochs": 2, "max_rows": 20}


@cache
def tiny_test(task="binary", **params) -> InteractionTest:
    """An untrained network on random labels; networks that hardly train."""
    table = tiny_table(n=100, task=task)
    return api.interaction_test(tiny_model(table), table, table.split("test"), **(QUICK | params))


def some_test(
    *, real=(0.2, 0.01, 0.01, 0.0001), given=(0.25, 0.012, 0.2, 0.0002), excess=-0.05, noise=0.01,
    wide=0.3,
) -> InteractionTest:  # fmt: skip
    """Four pairs of five features: in the data, as in any network, the model's own, none."""
    base = tiny_test()
    rng = np.random.default_rng(0)
    pairs = np.array([(0, 1), (0, 2), (1, 2), (3, 4)])
    without = np.array([0.01, 0.01, 0.01, 0.0001])
    simulated = without * np.exp(wide * rng.normal(size=(20, 4)))
    observed = np.array(real) * np.exp(wide * rng.normal(size=(5, 4)) / 2)
    band = null_band(observed, simulated.reshape(10, 2, 4), n_tests=4)
    return replace(
        base, pairs=pairs, observed=observed, simulated=simulated, given=np.array(given),
        band_low=band.low, band_high=band.high, p=band.p, q=band.q, in_data=band.q <= base.level,
        shared=band.shared,
        n_possible=4, additive_loss=0.5, additive_loss_noise=0.02,
        network_losses=0.5 + excess + np.linspace(-0.01, 0.01, 5), network_excess=excess,
        network_noise=noise, given_loss=0.49, given_excess=-0.01, given_noise=0.01,
    )  # fmt: skip
