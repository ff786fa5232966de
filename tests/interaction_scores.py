"""Scores of pairs whose every number is known, for tests of figures, checks and reports."""

import itertools
import math

import numpy as np

from tests.attributions import FEATURES, TASKS, numbered, provenance
from workbench.core.interaction_scores import NONE, InteractionScores
from workbench.core.schema import Schema

VARIANCE = 2.0


def some_scores(
    shares=(0.098, 0.03, 0.012, 0.004, 0.0006, 0.0002, 0.0, 0.0, 0.0, 0.0), *, features=FEATURES,
    task="binary", models=1, errors=0.004, loss=False, triples=False, sets=None, **changes,
):  # fmt: skip
    """Pairs with these shares of the variance of each output, in the order of names, then 0.

    The standard error is that share of the variance as well. Further models score a pair by 0.7 to
    1.3 of the given one, odd and even pairs the opposite way round. The sign goes up, down, up, …;
    pairs with a category have none.
    """
    schema = Schema(features=features, target="income", task=task, **TASKS[task])
    d, k = len(features), len(schema.output_names)
    pairs = list(itertools.combinations(range(d), 2)) if sets is None else sets
    shares = np.append(shares, np.zeros(len(pairs)))[: len(pairs)]
    if triples:
        pairs = pairs + list(itertools.combinations(range(d), 3))[:4]
        shares = np.append(shares, np.array([0.01, 0.004, 0.0002, 0.0])[: len(pairs) - len(shares)])
    s = len(pairs)
    ordered = np.array([all(len(features[i].categories) <= 2 for i in one) for one in pairs])
    signed = np.where(ordered, np.where(np.arange(s) % 2, -0.3, 0.3), np.nan)
    factors = np.linspace(0.7, 1.3, models - 1) if models > 1 else np.zeros(0)
    each = np.stack([
        shares, *(shares * np.where(np.arange(s) % 2, factor, 2 - factor) for factor in factors)
    ])  # fmt: skip

    def spread(values):
        return np.repeat(np.broadcast_to(values, (models, s))[:, :, None], k, 2)

    scored = -each * 0.1 + np.where(np.arange(s) == 1, 0.01, 0.0) if loss else None
    fields = {
        "provenance": provenance(
            method="interactions.scores",
            title="Scores of pairs of features",
            params={},
            reference="Liu and Owen (2006)",
            n_rows=500,
            background="none",
            n_background=0,
        ),
        "sets": np.array([[*one, *[NONE] * (3 - len(one))] for one in pairs]).reshape(-1, 3),
        "mixed": spread(each * VARIANCE),
        "mixed_std_errors": spread(np.full(s, errors * VARIANCE)),
        "signed": spread(signed),
        "signed_std_errors": spread(np.where(ordered, 0.05, np.nan)),
        "variances": np.full((models, k), VARIANCE),
        "totals": np.tile(np.linspace(0.5, 0.1, d)[None, :, None] * VARIANCE, (models, 1, k)),
        "mean_predictions": np.full(k, 1 / k),
        "excess": np.linspace(0, 0.01, models),
        "association": np.eye(d) * 0.8 + 0.2,
        "n_possible": math.comb(d, 2),
        "schema": schema,
        "output_names": schema.output_names,
        "unit": {"binary": "log-odds", "multiclass": "logit"}.get(task, "USD"),
        "loss_unit": "USD²" if task == "regression" else "nats",
        "losses": scored,
        "losses_std_errors": np.full((models, s), 0.001) if loss else None,
        "loss_effects": np.tile(np.linspace(0.2, 0.01, d), (models, 1)) if loss else None,
    }
    if models > 1:
        fields |= {
            "noise": np.full(models, 0.001), "numbers": np.arange(models) - 1,
            "strengths": np.full(models, 0.1), "stretches": np.ones(models),
            "explorer": "gaussian-units", "tolerance": 0.01, "base_loss": 0.4,
        }  # fmt: skip
    return InteractionScores(**(fields | changes))


def wide_scores(d=64, most=500):
    """Many features, of which some pairs were screened away."""
    pairs = list(itertools.combinations(range(d), 2))[:most]
    shares = 0.05 * 0.99 ** np.arange(most)
    return some_scores(shares, features=numbered(d), sets=pairs)
