"""Value functions against their definitions, and their promises about cost and cancelling."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import ledoit_wolf

from tests.networks import tiny_model, tiny_table, value_by_definition
from workbench.core.context import Context
from workbench.core.counter_rng import stream
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.method import METHODS
from workbench.core.results import Attribution
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.core.wording import percent
from workbench.engines import shapley
from workbench.engines.shapley.exact import all_coalitions, shapley_weights
from workbench.engines.shapley.params import SampledParams
from workbench.numerics.game import GROUPS, Game
from workbench.numerics.gaussian import fit_normal
from workbench.numerics.maskers import marginal
from workbench.numerics.neighbours import NeighbourGame, nearest_weights
from workbench.numerics.reference_row import reference_row
from workbench.numerics.value_functions import make_game

TASKS = ["binary", "multiclass", "regression"]
# Estimators over coalitions, whichever are registered; FastSHAP asks a surrogate instead.
OTHERS = [
    name.removeprefix("shapley.")
    for name, method in METHODS.items()
    if issubclass(method.params, SampledParams)
    and method.yields is Attribution
    and "explainer" not in method.needs  # which stands in for the marginal game alone
    and name not in {"shapley.kernel", "shapley.permutation"}
]
CONDITIONAL = ["baseline", "neighbours", "gaussian"]


def everything(d):
    return torch.tensor(list(itertools.product([False, True], repeat=d)))


def game_of(value, model, background, **options):
    defaults = {"output": "probability", "link": "identity", "context": Context()}
    return make_game(model, background, value=value, **(defaults | options))


def correlated(n, *, d=4, strength=0.8, seed=0, task="regression"):
    """Normal numbers of different units, each pair with the same correlation."""
    rng = np.random.default_rng(seed)
    scale, mean = 10.0 ** np.arange(d), np.arange(d) * 3.0
    covariance = (strength + (1 - strength) * np.eye(d)) * np.outer(scale, scale)
    X = torch.from_numpy(rng.multivariate_normal(mean, covariance, n))
    features = tuple(Feature(name=f"x{i}") for i in range(d))
    classes = ("no", "yes") if task == "binary" else ()
    schema = Schema(features=features, target="y", task=task, classes=classes)
    return Table(schema, X, torch.arange(n), name="correlated"), mean, covariance


# --- baseline


def test_reference_row_is_mean_and_mode():
    features = (
        Feature(name="age", integer=True, has_missing=True),
        Feature(name="job", kind="categorical", categories=("a", "b", "c"), has_missing=True),
        Feature(name="sex", kind="categorical", categories=("f", "m"), has_missing=True),
    )
    nan = math.nan
    rows = torch.tensor(
        [[1, 2, nan], [2, 1, nan], [nan, 2, nan], [4, 1, 0.0], [3, nan, 1]], dtype=torch.float64
    )
    got = reference_row(rows, Schema(features=features))
    torch.testing.assert_close(
        got, torch.tensor([2.5, 1, nan], dtype=torch.float64), equal_nan=True
    )


@pytest.mark.parametrize("task", TASKS)
def test_baseline_is_the_definition_at_one_evaluation_a_coalition(task):
    table = tiny_table(task=task, missing=True)
    model, background = tiny_model(table), table[:25]
    game = game_of("baseline", model, background)
    reference = reference_row(background.X, table.schema)
    x, coalitions = table.X[40], everything(5)
    got = game.values(x[None], coalitions)[0]
    for coalition, value in zip(coalitions, got, strict=True):
        torch.testing.assert_close(value, value_by_definition(model, x, reference[None], coalition))
    assert game.n_groups == 0
    assert game.background_std_errors(got[None]) is None
    assert game.evaluations <= 1 + GROUPS + 2**5 - 1


def test_baseline_says_how_sure_its_base_value_is():
    """Against the spread of base values over backgrounds drawn anew."""
    table = tiny_table(n=4000, d=3, categorical=False)
    model = tiny_model(table, scale=0.5)
    games = [game_of("baseline", model, table[i * 50 : (i + 1) * 50]) for i in range(80)]
    spread = torch.stack([game.empty for game in games]).std(0)
    told = torch.stack([game.empty_std_errors for game in games]).pow(2).mean(0).sqrt()
    torch.testing.assert_close(told, spread, rtol=0.3, atol=0)
    assert game_of("baseline", model, table[:2]).empty_std_errors.isnan().all()


# --- neighbours


def neighbours_by_definition(model, x, background, coalition, k):
    """Plain loops; rows that tie for the last places share them."""
    schema = model.schema
    spread = [c[~c.isnan()].std(correction=0) for c in background.T]
    away = []
    for b in background:
        total = 0
        for j in torch.nonzero(coalition)[:, 0].tolist():
            if b[j].isnan() or x[j].isnan():
                distance = float(b[j].isnan() != x[j].isnan())
            elif schema.features[j].kind == "categorical" or spread[j] < 1e-12:
                distance = float(b[j] != x[j])
            else:
                distance = float(abs(b[j] - x[j]) / spread[j])
            total += round(distance * 2**20)
        away.append(total)
    weights = torch.zeros(len(away), dtype=torch.float64)
    left = k
    for distance in sorted(set(away)):
        tied = [i for i, other in enumerate(away) if other == distance]
        weights[tied] = min(left, len(tied)) / len(tied) / k
        left -= min(left, len(tied))
    return weights @ model.predict(torch.where(coalition, x, background))


@given(st.data())
@settings(max_examples=12)
def test_neighbours_match_the_definition(data):
    d = data.draw(st.integers(1, 4))
    task = data.draw(st.sampled_from(["binary", "regression"]))
    table = tiny_table(
        d=d, task=task, categorical=data.draw(st.booleans()), missing=data.draw(st.booleans())
    )
    model = tiny_model(table)
    n, k = data.draw(st.integers(2, 12)), data.draw(st.integers(1, 5))
    chunk = data.draw(st.sampled_from([None, 1, 7]))
    game = NeighbourGame(model, table[:n], nearest=k, context=Context(chunk_rows=chunk))
    x, coalitions = table.X[40], everything(d)[1:]
    got = game.values(x[None], coalitions)[0, :, : game.n_outputs]
    for coalition, value in zip(coalitions, got, strict=True):
        expected = neighbours_by_definition(model, x, table.X[:n], coalition, min(n, k))
        torch.testing.assert_close(value, expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("link", ["identity", "logit"])
def test_all_rows_as_neighbours_are_the_marginal_game(link):
    table = tiny_table(missing=True)
    model, background = tiny_model(table), table[:25]
    all_rows = NeighbourGame(model, background, nearest=25, link=link, context=Context())
    plain = Game(model, marginal(background), link=link, context=Context())
    torch.testing.assert_close(
        all_rows.values(table.X[40:43], everything(5)), plain.values(table.X[40:43], everything(5))
    )
    torch.testing.assert_close(all_rows.empty, plain.empty)


def test_neighbours_say_when_every_row_is_one():
    table = tiny_table()
    model = tiny_model(table)
    (said,) = game_of("neighbours", model, table[:10]).notes
    assert said.startswith("all 10 background rows are a neighbour, near or far, so that these are")
    assert game_of("neighbours", model, table[:11]).notes == ()
    (said,) = game_of("neighbours", model, table[:1]).notes
    assert said.startswith("the only background row is a neighbour")


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=12),
    st.floats(0.01, 1.0),
)
def test_neighbours_weights_are_shared_and_add_up(away, share):
    weights = nearest_weights(np.array(away, dtype=float)[:, None], share)[:, 0]
    assert weights.sum() == pytest.approx(1)
    k = max(share * len(away), 1e-9)
    assert (weights <= max(1.0, 1 / k) + 1e-9).all()
    for i, j in itertools.combinations(range(len(away)), 2):
        assert (weights[i] >= weights[j]) if away[i] <= away[j] else (weights[i] <= weights[j])


def test_neighbours_do_not_depend_on_the_order_of_the_background():
    table = tiny_table(d=6)
    model = tiny_model(table, dtype=torch.float32)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    one, other = (
        game_of("neighbours", model, rows).values(table.X[40:43], everything(6))
        for rows in (table[:30], table[:30][order])
    )
    torch.testing.assert_close(one, other, atol=0, rtol=0)


def test_neighbours_find_the_conditional_mean_that_the_marginal_misses():
    """Two copies of one column: known one, the other is known as well."""
    rng = np.random.default_rng(0)
    column = torch.from_numpy(rng.normal(size=(400, 1)))
    features = (Feature(name="a"), Feature(name="copy"))
    schema = Schema(features=features, target="y", task="regression")
    table = Table(schema, column.expand(-1, 2).clone(), torch.arange(400))
    model = tiny_model(table, network="linear")
    x, only_first = table.X[:50], torch.tensor([[True, False]])
    said = model.predict(x)[:, 0]
    near = game_of("neighbours", model, table[50:]).values(x, only_first)[:, 0, 0]
    far = game_of("marginal", model, table[50:]).values(x, only_first)[:, 0, 0]
    assert (near - said).square().mean() < 0.05 * (far - said).square().mean()


def test_groups_of_neighbours_tell_the_error_of_the_background():
    """Against the spread of attributions over backgrounds drawn anew."""
    table, *_ = correlated(4100, d=3, task="binary")
    model = tiny_model(table, scale=1.0)
    coalitions, weights = all_coalitions(3), shapley_weights(3)
    values, errors = [], []
    for i in range(40):
        game = game_of("neighbours", model, table[100 + i * 100 : 200 + i * 100])
        found = torch.einsum("dm,nmk->ndk", weights, game.values(table.X[:4], coalitions))
        values.append(found[..., :2])
        errors.append(game.background_std_errors(found))
    spread = torch.stack(values).std(0)
    told = torch.stack(errors).pow(2).mean(0).sqrt()
    ratio = (told / spread)[..., 1]
    assert 0.75 < ratio.mean() < 1.3


def test_neighbours_of_many_features():
    table = tiny_table(d=70)
    model = tiny_model(table)
    coalitions = torch.rand(20, 70, generator=torch.Generator().manual_seed(0)) < 0.5
    game = NeighbourGame(model, table[:6], nearest=3, context=Context())
    got = game.values(table.X[40:41], coalitions)[0, :, :2]
    for coalition, value in zip(coalitions, got, strict=True):
        expected = neighbours_by_definition(model, table.X[40], table.X[:6], coalition, 3)
        torch.testing.assert_close(value, expected)


# --- gaussian


def test_shrinkage_is_that_of_ledoit_and_wolf():
    table, *_ = correlated(30, d=6, strength=0.3)
    fit = fit_normal(table.X)
    Z = ((table.X - table.X.mean(0)) / table.X.std(0, correction=0)).numpy()
    expected, shrinkage = ledoit_wolf(Z, assume_centered=True)
    assert fit.shrinkage == pytest.approx(shrinkage)
    np.testing.assert_allclose(fit.correlation.numpy(), expected)


def test_gaussian_of_a_linear_model_equals_the_conditional_mean():
    """The draws are mirrored, so the mean of a linear model is exact for the fitted normal."""
    table, *_ = correlated(200)
    model = tiny_model(table, network="linear")
    game = game_of("gaussian", model, table[:100])
    fit = fit_normal(table.X[:100])
    covariance = (fit.correlation * fit.scale[:, None] * fit.scale).numpy()
    x = table.X[150:153]
    for coalition in everything(4)[1:-1]:
        s = coalition.numpy()
        means = np.tile(fit.mean.numpy(), (3, 1))
        inner = covariance[np.ix_(s, s)]
        slopes = covariance[np.ix_(~s, s)] @ np.linalg.inv(inner)
        means[:, ~s] += (x.numpy() - means)[:, s] @ slopes.T
        means[:, s] = x.numpy()[:, s]
        got = game.values(x, coalition[None])[:, 0, :1]
        torch.testing.assert_close(got, model.predict(torch.from_numpy(means)))
    torch.testing.assert_close(game.empty[:1], model.predict(fit.mean[None])[0])


def test_draws_are_mirrored_within_each_group():
    table, *_ = correlated(100, d=3)
    fit = fit_normal(table.X)
    draws = fit.draw(60, stream(0))
    for group in range(GROUPS):
        torch.testing.assert_close(draws[group::GROUPS].mean(0), fit.mean)
    assert len(draws.unique(dim=0)) == 60
    assert len(fit.draw(7, stream(0))) == 7


def test_regression_of_the_unknown_on_the_known():
    fit = fit_normal(correlated(100, d=4)[0].X)
    for known, slopes in zip(everything(4), fit.regression(everything(4)), strict=True):
        R, s = fit.correlation, known
        expected = torch.zeros(4, 4, dtype=torch.float64)
        expected[np.ix_(s, ~s)] = torch.linalg.inv(R[s][:, s]) @ R[s][:, ~s]
        torch.testing.assert_close(slopes, expected)


def test_gaussian_is_right_about_a_curved_model():
    """E[exp(a x)] of a normal x given another has a closed form, from the true distribution."""
    table, mean, covariance = correlated(20_000, d=2, strength=0.6)

    class Exponential(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("slope", torch.tensor([0.0, 0.05], dtype=torch.float64))

        def forward(self, inputs):
            return (inputs @ self.slope).exp()[:, None]

    encoder = torch.nn.Identity()
    encoder.groups = torch.arange(2)
    model = replace(tiny_model(table), encoder=encoder, network=Exponential())
    x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    game = game_of("gaussian", model, table)
    got = float(game.values(x, torch.tensor([[True, False]]))[0, 0, 0])
    centre = mean[1] + covariance[1, 0] / covariance[0, 0] * (1.0 - mean[0])
    rest = covariance[1, 1] - covariance[1, 0] ** 2 / covariance[0, 0]
    assert got == pytest.approx(math.exp(0.05 * centre + 0.05**2 * rest / 2), rel=0.01)


def test_gaussian_of_independent_features_is_marginal():
    table, *_ = correlated(4000, d=3, strength=0.0, task="binary")
    model = tiny_model(table, scale=1.0)
    coalitions = everything(3)
    drawn, plain = (
        game_of(value, model, table[:3000]).values(table.X[3990:], coalitions)[..., :2]
        for value in ("gaussian", "marginal")
    )
    torch.testing.assert_close(drawn, plain, atol=0.02, rtol=0)


def test_gaussian_matches_shap_for_a_linear_model():
    import shap

    table, *_ = correlated(400, d=4, strength=0.5)
    model = tiny_model(table, network="linear")
    got = shapley.explain(model, table[390:395], table[:380], method="exact", value="gaussian")
    fit = fit_normal(table.X[:380])
    covariance = (fit.correlation * fit.scale[:, None] * fit.scale).numpy()
    slope = (model.network.first.weight[0] / model.encoder.scale).numpy()
    explainer = shap.LinearExplainer(
        (slope, 0.0), shap.maskers.Impute({"mean": fit.mean.numpy(), "cov": covariance})
    )
    expected = explainer.shap_values(table.X[390:395].numpy())
    size = np.abs(expected).max()
    np.testing.assert_allclose(got.values[:, :, 0], expected, atol=0.05 * size)


def test_gaussian_of_constant_and_repeated_columns_is_finite():
    table, *_ = correlated(60, d=3)
    X = torch.cat([table.X, table.X[:, :1], torch.full((60, 1), 0.1, dtype=torch.float64)], 1)
    features = tuple(Feature(name=f"x{i}") for i in range(5))
    schema = table.schema.model_copy(update={"features": features})
    wide = Table(schema, X, table.ids)
    model = tiny_model(wide)
    game = game_of("gaussian", model, wide[:40])
    x = X[50:51].clone()
    x[0, 4] = 7.0
    values = game.values(x, everything(5))
    assert torch.isfinite(values).all()
    alone = game.values(x, torch.tensor([[False] * 4 + [True]]))[0, 0, 0]
    drawn = torch.cat([game._draws[:, :4], torch.full((40, 1), 7.0, dtype=torch.float64)], 1)
    torch.testing.assert_close(alone, model.predict(drawn).mean())


def test_gaussian_says_how_sure_it_is():
    """Against the spread over seeds, for a model that is far from linear."""
    table, *_ = correlated(120, d=3, task="binary")
    model = tiny_model(table, scale=3.0)
    games = [game_of("gaussian", model, table[:100], context=Context(seed=s)) for s in range(40)]
    coalitions, weights = all_coalitions(3), shapley_weights(3)
    found = torch.stack([
        torch.einsum("dm,nmk->ndk", weights, game.values(table.X[110:114], coalitions))
        for game in games
    ])
    errors = [game.background_std_errors(f) for game, f in zip(games, found, strict=True)]
    told = torch.stack(errors).pow(2).mean(0).sqrt()[..., 1]
    ratio = told / found.std(0)[..., 1]
    assert 0.75 < ratio.mean() < 1.3
    base = torch.stack([game.empty[:2] for game in games]).std(0)
    told_base = torch.stack([game.empty_std_errors for game in games]).pow(2).mean(0).sqrt()
    torch.testing.assert_close(told_base, base, rtol=0.3, atol=0)


def test_gaussian_says_when_the_rows_are_too_few_to_fit():
    table = tiny_table(categorical=False)
    model, d = tiny_model(table), len(table.schema.features)
    (said,) = game_of("gaussian", model, table[: 2 * d - 1]).notes
    kept = 1 - fit_normal(table.X[: 2 * d - 1].double()).shrinkage
    assert said == (
        f"{2 * d - 1} background rows say little of how {d} features go together: of their "
        f"correlations {percent(kept)} was kept; give at least {2 * d} rows, or use value "
        "'marginal'"
    )
    assert game_of("gaussian", model, table[: 2 * d]).notes == ()


def test_gaussian_needs_numbers_without_gaps():
    table = tiny_table()
    with pytest.raises(InvalidInputError, match="numbers alone, and 'c1' has categories; use"):
        game_of("gaussian", tiny_model(table), table[:20])
    gaps = tiny_table(categorical=False, missing=True)
    model = tiny_model(gaps)
    with pytest.raises(InvalidInputError, match="missing values, and 'x0' has one in the backgr"):
        game_of("gaussian", model, gaps[:40])
    full = replace(gaps, X=gaps.X.nan_to_num())
    game = game_of("gaussian", model, full[:40])
    broken = full.X[50:51].clone()
    broken[0, 2] = torch.nan
    with pytest.raises(InvalidInputError, match="and 'x2' has one in a row to explain"):
        game.values(broken, everything(5))
    with pytest.raises(InvalidInputError, match="'tiny' has one row; give more"):
        game_of("gaussian", model, full[:1])


# --- both ways of conditioning


def test_conditional_attributions_are_closer_to_the_truth_than_marginal_ones():
    """The truth from the distribution that the rows came from, over many draws."""
    table, mean, covariance = correlated(500, task="binary")
    model, rows = tiny_model(table, scale=1.0), table.X[:8]
    coalitions, weights = all_coalitions(4), shapley_weights(4)
    draws = torch.from_numpy(stream(0).multivariate_normal(mean, covariance, 1000))
    truth = torch.zeros(8, 16, dtype=torch.float64)
    for place, known in enumerate(coalitions):
        s = known.numpy()
        slopes = np.zeros((4, 4))
        slopes[np.ix_(s, ~s)] = np.linalg.pinv(covariance[np.ix_(s, s)]) @ covariance[np.ix_(s, ~s)]
        for row, x in enumerate(rows):
            completed = draws + (x - draws) @ torch.from_numpy(slopes)
            truth[row, place] = model.predict(torch.where(known, x, completed))[:, 1].mean()
    expected = truth @ weights.T

    def error(value):
        values = game_of(value, model, table[100:]).values(rows, coalitions)[..., 1]
        return float((values @ weights.T - expected).square().mean().sqrt())

    assert error("gaussian") < 0.25 * error("marginal")
    assert error("neighbours") < 0.5 * error("marginal")


# --- what all promise


def small_case(value, task, seed=0):
    plain = value == "gaussian"
    table = tiny_table(task=task, categorical=not plain, missing=not plain, seed=seed)
    return tiny_model(table, dtype=torch.float32), table[40:42], table[:30]


@pytest.mark.parametrize("value", CONDITIONAL)
@pytest.mark.parametrize(
    ("method", "task"),
    [(method, task) for method in ("exact", "kernel", "permutation") for task in TASKS]
    + [(method, "binary") for method in OTHERS],
)
def test_every_estimator_takes_every_value_function(method, task, value):
    model, rows, background = small_case(value, task)
    got = shapley.explain(model, rows, background, method=method, value=value)
    again = shapley.explain(model, rows, background, method=method, value=value)
    np.testing.assert_array_equal(got.values, again.values)
    assert np.isfinite(got.values).all()
    assert np.isfinite(got.base_std_errors).all()
    assert got.gap == pytest.approx(0, abs=1e-5)
    assert (got.background_std_errors is None) == (value == "baseline")
    name = f"shapley.{method}"
    cost = METHODS[name].cost(model, 2, 30, METHODS[name].params(value=value))
    assert 0 < got.provenance.evaluations <= cost.evaluations
    exact = shapley.explain(model, rows, background, method="exact", value=value)
    assert (np.abs(got.values - exact.values) <= 4 * got.half_widths() + 1e-5).all()


@pytest.mark.parametrize("value", CONDITIONAL)
@pytest.mark.parametrize("n", [2, 3, 19, 20, 41])
def test_no_more_evaluations_than_background_rows(value, n):
    model, rows, _ = small_case(value, "binary")
    table = tiny_table(categorical=value != "gaussian", missing=value != "gaussian")
    game = game_of(value, model, table[:n])
    assert game.evaluations <= n
    game.values(rows.X, everything(5))
    assert game.evaluations <= n + 2 * (n * 30 + 1)


@pytest.mark.parametrize("value", CONDITIONAL)
def test_independent_of_chunks(value):
    model, rows, background = small_case(value, "multiclass")
    plain, *others = (
        game_of(value, model, background, context=Context(chunk_rows=chunk)).values(
            rows.X, everything(5)
        )
        for chunk in (None, 5, 10_000)
    )
    for other in others:
        torch.testing.assert_close(other, plain, atol=1e-6, rtol=0)


@pytest.mark.parametrize("value", CONDITIONAL)
def test_own_coalitions_of_each_row(value):
    model, rows, background = small_case(value, "binary")
    game = game_of(value, model, background)
    own = torch.from_numpy(stream(0).random((2, 6, 5)) < 0.5)
    got = game.values(rows.X, own)
    for x, coalitions, values in zip(rows.X, own, got, strict=True):
        torch.testing.assert_close(game.values(x[None], coalitions)[0], values)


@pytest.mark.parametrize("value", CONDITIONAL)
def test_reports_progress_and_can_be_cancelled(value, monkeypatch):
    monkeypatch.setattr("workbench.numerics.game.REPORT_EVERY", 20)
    model, rows, background = small_case(value, "binary")
    seen = []
    context = Context(progress=lambda *step: seen.append(step), chunk_rows=10)
    game_of(value, model, background, context=context).values(rows.X, everything(5))
    assert len(seen) >= 2
    assert [done for done, *_ in seen] == sorted(done for done, *_ in seen)

    def stop(*_):
        raise CancelledError("stop")

    with pytest.raises(CancelledError):
        game_of(value, model, background, context=replace(context, progress=stop)).values(
            rows.X, everything(5)
        )


@pytest.mark.parametrize("value", CONDITIONAL)
def test_halves_its_chunks_when_memory_runs_out(value, monkeypatch):
    model, rows, background = small_case(value, "binary")
    expected = game_of(value, model, background).values(rows.X, everything(5))
    game = game_of(value, model, background)
    real = type(model).outputs

    def outputs(self, logits, output):
        if len(logits) > 5:
            raise torch.OutOfMemoryError
        return real(self, logits, output)

    monkeypatch.setattr(type(model), "outputs", outputs)
    torch.testing.assert_close(game.values(rows.X, everything(5)), expected, atol=1e-6, rtol=0)
    assert game.chunk_rows <= 5
