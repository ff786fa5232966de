"""Scores of pairs in several models whose every number is known."""

from dataclasses import replace

import numpy as np

from tests.interaction_functions import Function, model_of, normal, table_of
from workbench import api
from workbench.core.across_models import GIVEN
from workbench.core.interaction_scores import InteractionScores


def some_cloud(factors=(0.8, 1.2), *, tolerance=0.01, noise=0.002, **params) -> InteractionScores:
    """Scores of x1 x2 + x1 x3 / 2 + x3, and of a model for each factor.

    The first pair's score is multiplied by the factor, the second one's divided by it.
    """
    X = normal(300, 3)
    table = table_of(X, X[:, 0] * X[:, 1])
    model = model_of(Function(lambda a, b, c: a * b + a * c / 2 + c), table.schema)
    given = api.interaction_scores(model, table, permutations=4, device="cpu", **params)
    others = [replace(given, mixed=given.mixed * _scale(given, factor)) for factor in factors]
    m = 1 + len(factors)
    return replace(
        given.beside(others),
        excess=np.linspace(0, tolerance, m),
        noise=np.array([0.0, *[noise] * (m - 1)]),
        numbers=np.array([GIVEN, *range(m - 1)]),
        strengths=np.array([0.0, *[0.1] * (m - 1)]),
        stretches=np.array([0.0, *[1.0] * (m - 1)]),
        explorer="gaussian-units",
        tolerance=tolerance,
        base_loss=0.5,
    )


def _scale(given, factor):
    scale = np.ones(given.mixed.shape[1])
    scale[given.place("x1", "x2")] = factor
    scale[given.place("x1", "x3")] = 1 / factor
    return scale[None, :, None]
