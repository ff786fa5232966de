"""Ranges of convex models against closed forms, constrained optimisers and their promises."""

import numpy as np
import pytest
import torch
from scipy import optimize

from workbench.core.encoder import TabularArguments, TabularEncoder
from workbench.core.errors import InvalidInputError
from workbench.data.bundled import load_table
from workbench.numerics.convex_range import (
    corrected,
    exact_ends,
    minimum,
    quadratic_range,
    separable,
    standstill,
)
from workbench.numerics.linear_loss import linear_loss

EPSILON = 0.01


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def problem(n=80, d=4, k=2, ridge=2e-2, seed=0, given="best"):
    """Rows whose labels no linear layer gets all right, and weights at or near the least loss."""
    X = numbers(n, d, seed=seed)
    y = (X @ numbers(d, k, seed=seed + 1) + 2 * numbers(n, k, seed=seed + 2)).argmax(1)
    weights = torch.zeros(k, d + 1, dtype=torch.float64)
    loss = linear_loss(X, weights, y, ridge=ridge)
    weights = loss.weights(weights, minimum(loss)[None])[0]
    if given == "near":
        weights = weights + 0.1 * numbers(k, d + 1, seed=seed + 3)
    return X, y, weights, linear_loss(X, weights, y, ridge=ridge)


def objective(X, y, ridge):
    """The loss of all weights ``[k, d + 1]``, flat, written from its definition with torch."""

    def value(flat, k):
        weights = flat.view(k, -1)
        logits = X @ weights[:, :-1].T + weights[:, -1]
        data = torch.nn.functional.cross_entropy(logits, y)
        return data + ridge / 2 * weights[:, :-1].square().sum()

    return value


def furthest_by_slsqp(X, y, weights, ridge, contrast, x, tolerance):
    """The largest change of a contrast of logits, by a general constrained optimiser."""
    k, value = len(weights), objective(X, y, ridge)
    start = weights.flatten()
    most = float(value(start, k)) + tolerance
    wide = torch.cat((x, torch.ones(1, dtype=torch.float64)))
    way = (contrast[:, None] * wide).flatten().numpy()

    def bound(flat):
        return most - float(value(torch.from_numpy(flat), k))

    def slope(flat):
        at = torch.from_numpy(flat).requires_grad_()
        return -torch.autograd.grad(value(at, k), at)[0].numpy()

    found = optimize.minimize(
        lambda flat: -way @ flat, start.numpy(), jac=lambda _: -way, method="SLSQP",
        constraints={"type": "ineq", "fun": bound, "jac": slope},
        options={"ftol": 1e-12, "maxiter": 500},
    )  # fmt: skip
    return way @ found.x - way @ start.numpy()


@pytest.mark.parametrize(
    ("k", "ridge", "given"),
    [(2, 2e-2, "best"), (2, 0.0, "near"), (3, 2e-2, "near"), (3, 0.0, "best")],
)
def test_exact_ends_are_those_of_a_general_optimiser(k, ridge, given):
    X, y, weights, loss = problem(k=k, ridge=ridge, given=given)
    targets = numbers(3, 4, seed=9)
    contrast = torch.zeros(k, dtype=torch.float64)
    contrast[0], contrast[1] = -1.0, 1.0
    rows, seen = loss.project(targets)
    directions = loss.flat(contrast.expand(3, k), rows)
    assert seen.all()
    ends = next(exact_ends(loss, minimum(loss), directions, torch.tensor([EPSILON])))
    got = (directions * ends).sum(1)
    expected = [furthest_by_slsqp(X, y, weights, ridge, contrast, row, EPSILON) for row in targets]
    np.testing.assert_allclose(got, expected, rtol=2e-4)


def test_moves_are_what_they_say():
    """Loss, slope and curvature against the definition and autograd, for weights not centred."""
    X, y, weights, loss = problem(k=3, given="near")
    value = objective(X, y, 2e-2)
    moves = 0.3 * numbers(5, loss.size, seed=4)
    whole = torch.stack([value(w.flatten(), 3) for w in loss.weights(weights, moves)])
    given = value(weights.flatten(), 3)
    torch.testing.assert_close(
        loss.loss(moves) - loss.loss(standstill(loss)) - loss.spare, whole - given
    )
    got = loss.derivatives(moves)
    one, slope = moves[0], torch.func.grad(lambda m: loss.loss(m[None])[0])
    torch.testing.assert_close(got[1][0], slope(one), rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(got[2][0], torch.func.jacrev(slope)(one), rtol=1e-8, atol=1e-10)


def test_a_squared_loss_has_its_range_in_closed_form():
    """Both ways give the known interval of least squares, from weights that are not the best."""
    X, y = numbers(50, 3), numbers(50, seed=5)
    weights = numbers(1, 4, seed=6)
    loss = linear_loss(X, weights, y, classes=False)
    wide = torch.cat((X, torch.ones(50, 1, dtype=torch.float64)), 1)
    best = torch.linalg.lstsq(wide, y[:, None]).solution[:, 0]
    room = (wide @ weights[0] - y).square().mean() + EPSILON - (wide @ best - y).square().mean()
    x = torch.cat((numbers(4, 3, seed=7), torch.ones(4, 1, dtype=torch.float64)), 1)
    half = (room * 50 * (x * torch.linalg.solve(wide.T @ wide, x.T).T).sum(1)).sqrt()
    rows, _ = loss.project(x[:, :-1])
    directions = loss.flat(torch.ones(4, 1, dtype=torch.float64), rows)
    tolerance = torch.tensor([EPSILON], dtype=torch.float64)
    picture = quadratic_range(loss, directions, tolerance, standstill(loss)[0])
    middle = x @ weights[0] + directions @ picture.middle
    torch.testing.assert_close(middle, x @ best)
    torch.testing.assert_close(picture.radius[0] * picture.reach, half)
    ends = next(exact_ends(loss, minimum(loss), directions, torch.tensor([EPSILON])))
    torch.testing.assert_close((directions * ends).sum(1) + x @ weights[0], x @ best + half)


def logistic(name):
    """L2-logistic regression with a penalty of 1e-2 |w|²/2 on a bundled table, and its test rows.

    With two logits the penalty on both rows of weights is 2e-2: the best of them are w/2 and -w/2.
    """
    table = load_table(name)
    encoder_rows = torch.cat([table.split(part).X for part in ("train", "validation")])
    y = torch.cat([table.split(part).y for part in ("train", "validation")])
    encoder = TabularEncoder(table.schema, TabularArguments())
    encoder.fit(encoder_rows)
    X, test = encoder(encoder_rows).double(), encoder(table.split("test").X).double()
    weights = torch.zeros(2, X.shape[1] + 1, dtype=torch.float64)
    loss = linear_loss(X, weights, y, ridge=2e-2)
    weights = loss.weights(weights, minimum(loss)[None])[0]
    loss = linear_loss(X, weights, y, ridge=2e-2)
    rows, _ = loss.project(test)
    contrast = torch.tensor([[-1.0, 1.0]], dtype=torch.float64).expand(len(rows), 2)
    margins = (test @ weights[:, :-1].T + weights[:, -1]) @ contrast[0]
    return loss, loss.flat(contrast, rows), margins


@pytest.mark.parametrize("name", ["german", "breast-cancer"])
def test_the_closed_form_is_within_five_percent_of_exact(name):
    loss, directions, margins = logistic(name)
    tolerance = torch.tensor([EPSILON], dtype=torch.float64)
    picture = quadratic_range(loss, directions, tolerance, minimum(loss))
    far, share = corrected(loss, picture, tolerance)
    low, high = (
        margins + directions @ picture.middle + sign * end * picture.reach
        for sign, end in zip((-1, 1), far[0], strict=True)
    )
    both = torch.cat((directions, -directions))
    ends = next(exact_ends(loss, minimum(loss), both, tolerance))
    gain = (both * ends).sum(1)
    top, bottom = margins + gain[: len(margins)], margins - gain[len(margins) :]
    ratio = (high.sigmoid() - low.sigmoid()).mean() / (top.sigmoid() - bottom.sigmoid()).mean()
    assert 0.95 < ratio < 1.05
    flips = [((a > 0) != (b > 0)).double().mean() for a, b in ((low, high), (bottom, top))]
    assert abs(flips[0] - flips[1]) < 0.02
    assert (high <= top + 1e-3 * (top - bottom)).all(), "beyond what is possible"
    excess = loss.loss(ends) - loss.loss(standstill(loss))
    assert (excess <= EPSILON * (1 + 1e-9)).all(), "out of the set"
    assert (excess > EPSILON * (1 - 1e-3)).all(), "not at the boundary"
    assert (share > 0.9).all()


def test_no_tolerance_no_range():
    """At the best weights a tolerance of 0 leaves nothing but them; less leaves nothing."""
    _, _, _, loss = problem(ridge=2e-2)
    rows, _ = loss.project(numbers(5, 4, seed=9))
    directions = loss.flat(torch.tensor([[-1.0, 1.0]]).double().expand(5, 2), rows)
    tolerances = torch.tensor([-1.0, 0.0], dtype=torch.float64)
    none, only = exact_ends(loss, minimum(loss), directions, tolerances)
    assert none.isnan().all()
    assert ((directions * only).sum(1).abs() < 1e-6).all()
    radius = quadratic_range(loss, directions, tolerances, minimum(loss)).radius
    assert radius[0].isnan()
    assert radius[1] < 1e-6


def test_doubling_the_rows_narrows_the_range_at_a_fixed_sum_of_losses():
    X, y, weights, loss = problem(ridge=0.0)
    twice = linear_loss(X.repeat(2, 1), weights, y.repeat(2))
    targets = numbers(5, 4, seed=9)

    def width(loss, tolerance):
        directions = loss.flat(
            torch.tensor([[-1.0, 1.0]]).double().expand(5, 2), loss.project(targets)[0]
        )
        ends = next(exact_ends(loss, minimum(loss), directions, torch.tensor([tolerance])))
        return (directions * ends).sum(1)

    torch.testing.assert_close(width(twice, EPSILON), width(loss, EPSILON), rtol=1e-4, atol=0)
    assert (width(twice, EPSILON / 2) < 0.8 * width(loss, EPSILON)).all()


def test_copies_of_columns_do_no_harm_and_unseen_categories_are_told():
    """One-hot columns add up to 1; a category that no admission row has is outside their span."""
    rng = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 3, (90,), generator=rng)
    y = (torch.rand(90, generator=rng) < torch.tensor([0.2, 0.5, 0.7])[codes]).long()
    hot = torch.nn.functional.one_hot(codes, 4).double()
    loss = linear_loss(hot, torch.zeros(2, 5, dtype=torch.float64), y)
    assert loss.size == 3
    rows, seen = loss.project(torch.eye(4, dtype=torch.float64))
    assert seen.tolist() == [True, True, True, False]
    centre = minimum(loss)
    share = torch.stack([y[codes == c].double().mean() for c in range(3)])
    torch.testing.assert_close(loss.moved(centre[None], rows)[0, :3].softmax(-1)[:, 1], share)


def test_rows_that_a_line_tells_apart_have_no_range():
    X = numbers(30, 2)
    y = (X[:, 0] > 0).long()
    loss = linear_loss(X, torch.zeros(2, 3, dtype=torch.float64), y)
    assert separable(loss)
    with pytest.raises(InvalidInputError, match=r"The range is unbounded.*give a ridge penalty"):
        minimum(loss)
    y[X[:, 0].argmax()] = 0
    mixed = linear_loss(X, torch.zeros(2, 3, dtype=torch.float64), y)
    assert not separable(mixed)
    assert minimum(linear_loss(X, torch.zeros(2, 3).double(), y, ridge=0.1)).isfinite().all()
