"""Profiles of features against scikit-learn, replicas from the definition, and closed forms."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence
from torch import nn

from tests.interaction_functions import Function, model_of, normal, table_of
from tests.networks import Opaque, tiny_model, tiny_table
from tests.profiles import numbers, raw_formula_model
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.engines.profiles.params import ProfileParams

TASKS = ["binary", "multiclass", "regression"]


class Estimator(RegressorMixin, BaseEstimator):
    """One output of a model, as scikit-learn asks for it."""

    def __init__(self, model=None, which=0):
        self.model, self.which = model, which

    def fit(self, X, y):  # noqa: ARG002 - as estimators are called
        self.n_features_in_ = X.shape[1]
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return self.model.predict(torch.tensor(X, dtype=torch.float64)).numpy()[:, self.which]


def oracle(model, rows, places, grids, which, kind):
    """Ask scikit-learn, on the same grid."""
    found = partial_dependence(
        Estimator(model, which), rows.X.numpy(), features=places, kind=kind, method="brute",
        custom_values=dict(zip(places, grids, strict=True)),
    )  # fmt: skip
    return found[kind][0]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("wrap", [nn.Identity, Opaque], ids=["split", "opaque"])
def test_mean_and_single_curves_are_those_of_scikit_learn(task, wrap):
    table = tiny_table(task=task)
    model = tiny_model(table)
    if wrap is Opaque:
        model = replace(model, network=Opaque(model.network))
    found = api.profiles(model, table, points=6, curves=60, device="cpu")
    which = len(model.output_names) - 1
    for place in range(5):
        profile = found.profile(place, which)
        wanted = oracle(model, table, [place], [profile.grid], which, "individual")
        np.testing.assert_allclose(profile.curves, wanted, atol=1e-9)
        np.testing.assert_allclose(profile.mean[0], wanted.mean(0), atol=1e-9)
        errors = wanted.std(0, ddof=1) / np.sqrt(len(table))
        np.testing.assert_allclose(profile.std_errors[0], errors, atol=1e-9)


def test_single_precision_is_within_a_millionth_of_scikit_learn():
    table = tiny_table()
    model = tiny_model(table, dtype=torch.float32)
    found = api.profiles(model, table, device="cpu")
    for place in range(5):
        profile = found.profile(place, 1)
        wanted = oracle(model, table, [place], [profile.grid], 1, "average")
        np.testing.assert_allclose(profile.mean[0], wanted, atol=1e-6)


@pytest.mark.parametrize("pair", ["x0,x2", "x0,c1", "c3,c1"])
def test_the_surface_of_a_pair_is_that_of_scikit_learn(pair):
    table = tiny_table()
    model = tiny_model(table)
    found = api.profiles(model, table, pair=pair, pair_points=5, device="cpu").pair_profile(1)
    places = [model.schema.names.index(name) for name in pair.split(",")]
    wanted = oracle(model, table, places, [found.x, found.y], 1, "average")
    np.testing.assert_allclose(found.mean[0], wanted, atol=1e-9)
    assert np.isfinite(found.effects).all() == (pair == "x0,x2")
    assert found.counts.sum() == len(table)


def effects_by_definition(model, X, place, ends, which):
    """Accumulated local effects, row by row and interval by interval."""
    rises = [[] for _ in ends[1:]]
    for x in X:
        s = max(1, next(i for i, end in enumerate(ends) if x[place] <= end))
        low, high = x.clone(), x.clone()
        low[place], high[place] = ends[s - 1], ends[s]
        rises[s - 1].append(
            float(model.predict(high[None])[0, which] - model.predict(low[None])[0, which])
        )
    effects = np.concatenate([[0], np.cumsum([np.mean(some) for some in rises])])
    return effects - np.interp(X[:, place], ends, effects).mean()


def pair_by_definition(model, X, places, ends, which):
    """Accumulated local effects of two features beyond each, straight from the definition."""
    (i, j), (xs, ys) = places, ends
    cells = {}
    for x in X:
        s = max(1, int(np.searchsorted(xs, float(x[i]))))
        t = max(1, int(np.searchsorted(ys, float(x[j]))))

        def at(u, v, x=x):
            moved = x.clone()
            moved[i], moved[j] = xs[u], ys[v]
            return float(model.predict(moved[None])[0, which])

        rise = at(s, t) - at(s - 1, t) - at(s, t - 1) + at(s - 1, t - 1)
        cells.setdefault((s, t), []).append(rise)
    h = np.zeros((len(xs), len(ys)))
    for s in range(1, len(xs)):
        for t in range(1, len(ys)):
            h[s, t] = h[s - 1, t] + h[s, t - 1] - h[s - 1, t - 1] + np.mean(cells[s, t])

    def alone(surface, rows_of):
        total = [0.0]
        for s in range(1, len(surface)):
            own = [(t, n) for (u, t), n in rows_of.items() if u == s]
            rise = sum(
                n
                * (
                    (surface[s, t] - surface[s - 1, t])
                    + (surface[s, t - 1] - surface[s - 1, t - 1])
                )
                / 2
                for t, n in own
            )
            total.append(total[-1] + rise / sum(n for _, n in own))
        return np.array(total)

    rows_of = {cell: len(some) for cell, some in cells.items()}
    turned = {(t, s): n for (s, t), n in rows_of.items()}
    h = h - alone(h, rows_of)[:, None] - alone(h.T, turned)[None]
    corners = sum(
        n * (h[s, t] + h[s - 1, t] + h[s, t - 1] + h[s - 1, t - 1]) / 4
        for (s, t), n in rows_of.items()
    )
    return h - corners / len(X)


def test_accumulated_effects_are_those_of_the_definition():
    table = tiny_table(n=40)
    model = tiny_model(table)
    found = api.profiles(model, table, points=5, device="cpu")
    for place in (0, 2, 4):
        profile = found.profile(place, 1)
        wanted = effects_by_definition(model, table.X, place, profile.grid, 1)
        np.testing.assert_allclose(profile.effects[0], wanted, atol=1e-12)
    for place in (1, 3):
        assert not found.profile(place, 1).accumulates


def test_effects_are_0_on_average_where_most_rows_have_one_value():
    X = normal(300, 2)
    X[:270, 0] = 0.0
    table = table_of(X)
    model = model_of(Function(lambda a, b: 2 * a + b), table.schema)
    found = api.profiles(model, table, points=5).profile("x1")
    wanted = 2 * (found.grid - float(X[:, 0].mean()))
    np.testing.assert_allclose(found.effects[0], wanted, atol=1e-12)


def test_accumulated_effects_of_a_pair_are_those_of_the_definition():
    table = tiny_table(n=60)
    model = tiny_model(table)
    found = api.profiles(model, table, pair="x0,x4", pair_points=4, device="cpu").pair_profile(1)
    wanted = pair_by_definition(model, table.X, (0, 4), (found.x, found.y), 1)
    np.testing.assert_allclose(found.effects[0], wanted, atol=1e-12)


def test_of_a_linear_function_both_are_its_lines():
    table = numbers(d=3)
    model = raw_formula_model(table, lambda z: 2 * z[:, 0] - 3 * z[:, 1] + 1)
    found = api.profiles(model, table, pair="x0,x1", device="cpu")
    for place, slope in ((0, 2.0), (1, -3.0), (2, 0.0)):
        profile = found.profile(place)
        for curve in (profile.mean[0], profile.effects[0], *profile.curves):
            rise = slope * (profile.grid - profile.grid[0])
            np.testing.assert_allclose(curve - curve[0], rise, atol=1e-9)
        # All rows rise alike, so nothing is left to chance.
        np.testing.assert_allclose(profile.effect_errors, 0, atol=1e-7)
    np.testing.assert_allclose(found.pair_effects, 0, atol=1e-9)
    assert list(found.ranking()) == [1, 0, 2]


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_of_a_product_the_mean_curve_ignores_that_features_go_together(correlation):
    table = numbers(n=4000, correlation=correlation)
    model = raw_formula_model(table, lambda z: z[:, 0] * z[:, 1])
    found = api.profiles(model, table, points=60, pair="x0,x1", device="cpu")
    profile = found.profile("x0")
    # The mean curve is x0 times the mean of x1, whatever their correlation.
    mean = table.X[:, 1].mean().item()
    np.testing.assert_allclose(profile.mean[0], profile.grid * mean, atol=1e-9)
    # The slope near x0 = z is E[x1 | x0 = z] = correlation z: effects correlation (z^2 - 1) / 2.
    inner = np.abs(profile.grid) < 2
    wanted = correlation * (profile.grid**2 - 1) / 2
    np.testing.assert_allclose(profile.effects[0, inner], wanted[inner], atol=0.12)
    # Beyond each alone there is their product, less correlation times what x0^2 and x1^2 say.
    pair = found.pair_profile()
    x, y = np.meshgrid(pair.x, pair.y, indexing="ij")
    beyond = x * y - correlation * (x**2 + y**2) / 2
    inner = (np.abs(x) < 1.3) & (np.abs(y) < 1.3)
    apart = pair.effects[0][inner] - beyond[inner]
    assert apart.std() < 0.12


def test_effect_errors_are_the_spread_over_tables():
    formula = lambda z: z[:, 0] * z[:, 1]  # noqa: E731 - said once, used twice
    ends, seen, told = None, [], []
    for seed in range(60):
        table = numbers(n=200, correlation=0.3, seed=seed)
        X = table.X.clone()
        X[:, 0] = torch.from_numpy(np.random.default_rng(seed).integers(0, 4, 200).astype(float))
        profile = api.profiles(
            raw_formula_model(table, formula), replace(table, X=X), features="x0", device="cpu"
        ).profile()
        ends = profile.grid if ends is None else ends
        np.testing.assert_array_equal(profile.grid, ends)
        seen.append(profile.effects[0])
        told.append(profile.effect_errors[0])
    np.testing.assert_allclose(np.std(seen, axis=0), np.mean(told, axis=0), rtol=0.3)


def test_missing_values_are_a_value_of_their_own():
    table = tiny_table(missing=True)
    model = tiny_model(table)
    found = api.profiles(model, table, curves=0, device="cpu")
    for place in range(5):
        profile = found.profile(place, 1)
        assert np.isnan(profile.grid[-1])
        assert profile.labels[-1] == "missing"
        X = table.X.clone()
        X[:, place] = torch.nan
        assert profile.mean[0, -1] == pytest.approx(model.predict(X)[:, 1].mean().item())
        assert profile.counts[-1] == int(table.X[:, place].isnan().sum())
        assert profile.counts.sum() == len(table)
        assert np.isnan(profile.effects[0, -1])
    numeric = found.profile(0, 1)
    known = table.X[~table.X[:, 0].isnan()]
    wanted = effects_by_definition(model, known, 0, numeric.grid[:-1], 1)
    np.testing.assert_allclose(numeric.effects[0, :-1], wanted, atol=1e-12)
    assert found.curves.shape[0] == 0


def run(model, table, chunk_rows=None, budget=2**29, **params):
    settings = ProfileParams.model_validate(params)
    context = Context(chunk_rows=chunk_rows, budget=budget)
    return METHODS["profiles.curves"].explain(model, table, table, settings, context)


@pytest.mark.parametrize("tight", [{"chunk_rows": 48}, {"budget": 2**16}])
def test_does_not_depend_on_how_many_rows_go_at_once(tight):
    table = tiny_table()
    model = tiny_model(table)
    many = run(model, table, pair="x0,x2")
    one = run(model, table, **tight, pair="x0,x2")
    for name in ("mean", "std_errors", "effects", "effect_errors", "curves", "pair_effects"):
        np.testing.assert_allclose(getattr(one, name), getattr(many, name), atol=1e-12)
    np.testing.assert_array_equal(one.counts, many.counts)
    np.testing.assert_array_equal(one.ids, many.ids)


def test_curves_pass_through_what_the_model_says_of_the_row():
    table = tiny_table()
    model = tiny_model(table)
    found = run(model, table, points=500, curves=9)
    np.testing.assert_allclose(
        found.predictions, model.predict(torch.from_numpy(found.data)).numpy()
    )
    for place in range(5):
        profile = found.profile(place, 1)
        at = [int(np.flatnonzero(profile.grid == value)[0]) for value in found.data[:, place]]
        np.testing.assert_allclose(profile.curves[np.arange(9), at], found.predictions[:, 1])
    np.testing.assert_allclose(found.base[0], model.predict(table.X).mean(0).numpy())


def test_counts_and_cost():
    table = tiny_table(missing=True)
    model = tiny_model(table)
    found = run(model, table, points=7, pair="x0,c1", pair_points=3)
    cost = METHODS["profiles.curves"].cost(
        model, len(table), 0, ProfileParams(points=7, pair="x0,c1", pair_points=3)
    )
    pair = found.pair_counts.size
    assert found.provenance.evaluations == len(table) * (1 + len(found.grid) + pair)
    assert found.provenance.evaluations <= cost.evaluations
    known = int((~table.X[:, 0].isnan()).sum())
    assert found.interval_counts[found.of == 0].sum() == known


def test_points_are_quantiles_and_where_these_fall_together_other_values():
    table = numbers(n=1000)
    X = table.X.clone()
    X[:950, 0] = 0.0
    X[950:, 0] = torch.arange(1.0, 51.0)
    model = raw_formula_model(table, lambda z: z[:, 0] + z[:, 1])
    found = run(model, replace(table, X=X), points=11)
    first, second = found.profile("x0").grid, found.profile("x1").grid
    assert len(first) == len(second) == 11
    assert first[0] == 0
    assert first[-1] == 50
    assert np.diff(first).max() <= 8
    wanted = np.quantile(table.X[:, 1].numpy(), np.linspace(0, 1, 11), method="inverted_cdf")
    np.testing.assert_array_equal(second, wanted)
    assert (found.interval_counts[found.of == 0][1:] > 0).all()


def test_a_constant_feature_has_one_point_and_no_effect():
    table = numbers(n=20)
    X = table.X.clone()
    X[:, 0] = 3.0
    found = run(
        raw_formula_model(table, lambda z: z[:, 0] * z[:, 1]), replace(table, X=X), pair="x0,x1"
    )
    profile = found.profile("x0")
    assert profile.grid.tolist() == [3.0]
    assert profile.effects.tolist() == [[0.0]]
    assert found.spreads()[0] == 0.0
    assert found.pair_effects.any() == np.False_
    one = run(raw_formula_model(table, lambda z: z[:, 0]), table[:1])
    assert np.isnan(one.std_errors).all()
    assert one.mean[0, 0, 0] == pytest.approx(float(table.X[0, 0]))


def test_says_what_does_not_fit():
    table = tiny_table()
    model = tiny_model(table)
    with pytest.raises(InvalidInputError, match="The model has no feature 'age'; choose among x0,"):
        api.profiles(model, table, features="x0,age")
    with pytest.raises(InvalidInputError, match="a pair is two features"):
        api.profiles(model, table, pair="x0")
    with pytest.raises(InvalidInputError, match="a feature is named twice"):
        api.profiles(model, table, pair="x0,x0")
    with pytest.raises(InvalidInputError, match="no rows to average over"):
        api.profiles(model, table[:0])
    found = api.profiles(model, table, features="x2,c1", device="cpu")
    assert found.asked == ("x2", "c1")
    with pytest.raises(InvalidInputError, match="no profile of feature 'x0'; choose one of x2, c1"):
        found.profile("x0")
    with pytest.raises(InvalidInputError, match="No pair of features was looked at"):
        found.pair_profile()


def test_the_frame_has_a_line_for_each_point_and_output():
    table = tiny_table()
    found = api.profiles(tiny_model(table), table, features="c1", pair="c1,x0", device="cpu")
    frame = found.to_frame()
    levels = table.schema.features[1].categories
    assert list(frame["label"].unique()) == list(levels)
    assert len(frame) == 2 * len(levels)
    line = frame[(frame["label"] == levels[0]) & (frame["output"] == "yes")].iloc[0]
    assert line["mean"] == found.mean[0, 0, 1]
    assert len(found.pair_frame()) == found.pair_counts.size
