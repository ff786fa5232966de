"""Friedman's H against its definition in a double loop, and in closed form."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.interaction_functions import Function, model_of, normal, table_of
from tests.networks import Opaque, tiny_model, tiny_table
from workbench.numerics.friedman import friedman
from workbench.numerics.swaps import swaps_of

PAIRS = [(0, 1), (0, 2), (1, 2)]


def found(model, table, pairs=PAIRS):
    counts = []
    result = friedman(
        pairs, swaps_of(model, model.encode(table.X), 2**29), len(table),
        outputs=lambda logits: model.outputs(logits, "score"), count=counts.append,
        rounding=2.0**-52,
    )  # fmt: skip
    return result, sum(counts)


def dependence(model, X, members):
    """Mean output over all rows, for each row whose features are put into them."""
    means = []
    for row in X:
        mixed = X.clone()
        mixed[:, list(members)] = row[list(members)]
        means.append(model.scores(mixed).mean(0).double())
    return torch.stack(means) - torch.stack(means).mean(0)


@pytest.mark.parametrize("wrap", [lambda network: network, Opaque])
def test_matches_the_definition(wrap):
    table = tiny_table(n=12, d=4, task="multiclass")
    model = tiny_model(table)
    model = replace(model, network=wrap(model.network))
    result, passes = found(model, table)
    assert passes == (3 + 3) * 12**2
    for place, (i, j) in enumerate(PAIRS):
        both, one, other = (dependence(model, table.X, s) for s in ((i, j), (i,), (j,)))
        apart = (both - one - other).square()
        np.testing.assert_allclose(
            result.shares[place], apart.sum(0) / both.square().sum(0), rtol=1e-9
        )
        np.testing.assert_allclose(result.roots[place], apart.mean(0).sqrt(), rtol=1e-9)


def test_a_product_has_the_statistic_of_its_closed_form():
    X = normal(80, 3) + torch.tensor([1.0, -0.5, 0.0])
    model = model_of(Function(lambda a, b, _: a * b + a), table_of(X).schema)
    result, _ = found(model, table_of(X))
    a, b, _ = X.T
    # Other features have no say, so the joint dependence is the function itself, and the rest of
    # the product is the product of both features less their means.
    rest = ((a - a.mean()) * (b - b.mean())).var(correction=0)
    assert result.roots[0, 0] == pytest.approx(float(rest.sqrt()))
    assert result.shares[0, 0] == pytest.approx(float(rest / (a * b + a).var(correction=0)))
    assert (result.shares[1:] == 0).all()
    assert (result.roots[1:] == 0).all()


def test_an_additive_function_has_nothing_but_zeros():
    X = normal(40, 3) * 1000
    model = model_of(Function(lambda a, b, c: a.sin() + b.square() - c), table_of(X).schema)
    result, _ = found(model, table_of(X))
    assert (result.shares == 0).all()
    assert (result.roots == 0).all()
