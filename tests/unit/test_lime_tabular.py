"""LIME for tables against the package lime, closed forms, and its promises."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from lime.discretize import DecileDiscretizer, EntropyDiscretizer, QuartileDiscretizer
from lime.lime_base import LimeBase
from torch import nn

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.data.bundled import load_table
from workbench.engines.lime import sampler as sampling_of
from workbench.engines.lime import tabular
from workbench.engines.lime.levels import learn_levels
from workbench.engines.lime.neighbourhood import Columns, around, places_of
from workbench.engines.lime.params import LimeParams

SAMPLINGS = ("discretised", "mean-centred", "around")
PACKAGE_NAMES = {
    "forward": "forward_selection", "highest": "highest_weights", "lasso": "lasso_path",
    "none": "none", "auto": "auto",
}  # fmt: skip


def given(**changes):
    """Settings, with few samples."""
    return {"perturbations": 400, **changes}


def injected(model, rows, background, row, params):
    """The samples of one row as the package takes them: data, labels, distances."""
    sampler = sampling_of.make_sampler(model, rows, background, params, Context())
    places = places_of(rows.X[row : row + 1].numpy(), sampler.levels, params.sampling)
    at = places.at.numpy()
    draws = sampler.draws(0)
    columns = Columns(places, params.sampling, 0)
    z = columns.of(columns.table(draws, slice(None)), slice(1))[0, 1:].T
    away = torch.where(places.as_level, -z, z).numpy()
    data = np.concatenate([at, at + away])
    if params.sampling == "around":
        moved = around(draws, rows.X[row : row + 1], sampler.scales, sampler.is_number)[0]
        answers = model.predict(moved).numpy()  # the plain way, whole rows
    else:
        answers = sampler.answers(0, rows.X, torch.arange(1))[0].numpy()
    labels = np.concatenate([model.predict(rows.X[row : row + 1]).numpy(), answers])
    return data, labels, np.sqrt(((data - data[0]) ** 2).sum(1))


def white(z, y, w):
    """Standard errors of a ridge regression (penalty 1) by White's formula."""
    X = np.concatenate([np.ones((len(z), 1)), z], 1)
    bread = np.linalg.inv((X.T * w) @ X + np.diag([0.0] + [1.0] * z.shape[1]))
    missed = y - X @ bread @ (X.T * w) @ y
    return np.sqrt(np.diag(bread @ (X.T * (w * missed) ** 2) @ X @ bread))[1:]


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("selection", PACKAGE_NAMES)
@pytest.mark.parametrize("count", [2, 6])
def test_equals_the_package_given_the_same_samples(sampling, selection, count):
    table = tiny_table(n=200, d=7, task="multiclass")
    model, rows = tiny_model(table), table[:2]
    asked = given(
        sampling=sampling, selection=selection, num_features=count, perturbations=200
    )  # fmt: skip
    result = api.lime(model, rows, table, **asked)
    width = 0.75 * np.sqrt(7)
    package = LimeBase(lambda far: np.sqrt(np.exp(-(far**2) / width**2)), random_state=0)
    for row, output in np.ndindex(2, 3):
        data, labels, distances = injected(model, rows, table, row, LimeParams(**asked))
        intercept, pairs, score, local = package.explain_instance_with_data(
            data, labels, distances, output, count, PACKAGE_NAMES[selection]
        )
        expected = np.zeros(7)
        expected[[j for j, _ in pairs]] = [value for _, value in pairs]
        assert set(np.flatnonzero(result.selected[row, :, output])) == {int(j) for j, _ in pairs}
        np.testing.assert_allclose(result.coefficients[row, :, output], expected, atol=1e-8)
        assert result.intercepts[row, output] == pytest.approx(intercept, abs=1e-8)
        assert result.r2[row, output] == pytest.approx(score, abs=1e-8)
        assert result.local_predictions[row, output] == pytest.approx(float(local[0]), abs=1e-8)
        weights = package.kernel_fn(distances)
        used = result.selected[row, :, output]
        np.testing.assert_allclose(
            result.std_errors[row, used, output],
            white(data[:, used], labels[:, output], weights), rtol=1e-4,
        )  # fmt: skip
        share = weights.sum() ** 2 / (weights**2).sum() / len(weights)
        assert result.effective_share[row] == pytest.approx(share)


@pytest.mark.parametrize(
    ("bins", "package"),
    [("quartile", QuartileDiscretizer), ("decile", DecileDiscretizer),
     ("entropy", EntropyDiscretizer)],
)  # fmt: skip
def test_bins_are_those_of_the_package(bins, package):
    table = load_table("breast-cancer").split("train")
    X, y = table.X.numpy(), table.y.numpy()
    expected = package(X, [], table.schema.names, labels=y, random_state=0)
    for j, found in enumerate(learn_levels(table, LimeParams(bins=bins))):
        np.testing.assert_allclose(found.edges, expected.maxs[j][:-1], rtol=1e-12)
        np.testing.assert_array_equal(found.level_of(X[:, j]), expected.lambdas[j](X[:, j]))
        np.testing.assert_allclose(found.centre, expected.means[j], rtol=1e-9)
        np.testing.assert_allclose(found.spread, expected.stds[j], rtol=1e-6, atol=2e-11)
        np.testing.assert_allclose(found.low, expected.mins[j])
        np.testing.assert_allclose(found.high, expected.maxs[j])


def test_draws_follow_the_background():
    table = tiny_table(n=2000, d=4, missing=True)
    for known, column in zip(learn_levels(table, LimeParams()), table.X.numpy().T, strict=True):
        levels, values = known.draw((np.arange(20_000) + 0.5) / 20_000)
        counts = np.bincount(levels, minlength=len(known.shares))
        np.testing.assert_allclose(counts / 20_000, known.shares, atol=2e-4)
        np.testing.assert_array_equal(known.level_of(values), levels)
        assert np.isnan(values).mean() == pytest.approx(np.isnan(column).mean(), abs=2e-4)
        if len(known.centre):
            inside = values[~np.isnan(values)]
            assert inside.min() >= np.nanmin(column)
            assert inside.max() <= np.nanmax(column)
            assert inside.mean() == pytest.approx(np.nanmean(column), abs=0.05)


def linear_case(d=6):
    table = tiny_table(n=400, d=d, task="regression", categorical=False)
    model = tiny_model(table, network="linear")
    slope = model.network.first.weight[0].numpy() / model.encoder.scale.numpy()
    return model, table, slope * table.X.numpy().std(0)


@pytest.mark.parametrize("sampling", ["mean-centred", "around"])
def test_recovers_the_slopes_of_a_linear_model(sampling):
    model, table, slopes = linear_case()
    result = api.lime(
        model, table[:3], table, sampling=sampling, perturbations=5000, selection="none"
    )
    np.testing.assert_allclose(result.coefficients[:, :, 0], np.tile(slopes, (3, 1)), rtol=2e-3)
    np.testing.assert_allclose(result.local_predictions, result.predictions, atol=1e-2)
    assert (result.r2 > 0.9999).all()


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_error_falls_at_least_with_the_root_of_the_samples(sampling):
    table = tiny_table(n=400, d=5)
    model = tiny_model(table, scale=1.0)
    settings = {"sampling": sampling, "selection": "none"}
    truth = api.lime(model, table[:2], table, perturbations=100_000, **settings)
    sizes, errors = [250, 1000, 4000], []
    for n in sizes:
        found = [
            api.lime(model, table[:2], table, perturbations=n, seed=seed, **settings)
            for seed in range(1, 6)
        ]
        # The penalty shrinks by a known amount that falls faster than noise.
        wrong = np.stack([one.coefficients - truth.coefficients for one in found])
        errors.append(np.sqrt((wrong**2).mean()))
    assert np.polyfit(np.log(sizes), np.log(errors), 1)[0] < -0.4


def independent(sequence, m, _):
    """Plain Monte Carlo in place of evenly spread points."""
    seed = int(sequence.draw(1, dtype=torch.float64)[0, 0] * 2**52)
    return np.random.default_rng(seed).random((m, sequence.dimension))


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_standard_errors_are_the_spread_over_seeds(sampling, monkeypatch):
    table = tiny_table(n=300, d=5)
    model = tiny_model(table, scale=1.0)

    def spread():
        found = [
            api.lime(
                model, table[:2], table, sampling=sampling, perturbations=500, seed=seed,
                selection="none",
            )
            for seed in range(24)
        ]  # fmt: skip
        values = np.stack([one.coefficients[..., 1] for one in found])
        claimed = np.sqrt(np.stack([one.std_errors[..., 1] ** 2 for one in found]).mean(0))
        return np.sqrt((values.std(0, ddof=1) ** 2).mean() / (claimed**2).mean())

    assert spread() < 1.05  # evenly spread points are better than the standard error says
    monkeypatch.setattr(sampling_of, "uniform", independent)
    assert spread() == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_row_gets_the_same_bits_whatever_the_others_are(sampling):
    table = tiny_table(n=60, d=5, missing=True)
    model = tiny_model(table)
    order = np.random.default_rng(0).permutation(20)
    one = api.lime(model, table[:20], table, **given(sampling=sampling))
    other = api.lime(model, table[:20][order], table, **given(sampling=sampling))
    for name in ("coefficients", "std_errors", "r2", "stability", "intercepts"):
        np.testing.assert_array_equal(getattr(one, name)[order], getattr(other, name))
    another = api.lime(model, table[:20], table, seed=1, **given(sampling=sampling))
    assert (one.coefficients != another.coefficients).any()


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_small_blocks_give_the_same(sampling):
    table = tiny_table(n=60, d=5)
    model = tiny_model(table)
    results = [
        tabular.METHODS["lime.tabular"].explain(
            model, table[:20], table, LimeParams(**given(sampling=sampling)), context
        )
        for context in (Context(budget=2**10, chunk_rows=7), Context(budget=2**30))
    ]
    np.testing.assert_allclose(results[0].coefficients, results[1].coefficients, atol=1e-10)
    np.testing.assert_allclose(results[0].std_errors, results[1].std_errors, rtol=1e-4)


def test_samples_that_do_not_depend_on_the_row_are_asked_about_once():
    table = tiny_table(n=60, d=5)
    model = tiny_model(table)
    for sampling, times in zip(SAMPLINGS, (1, 1, 7), strict=True):
        result = api.lime(model, table[:7], table, **given(sampling=sampling))
        pilot = 0 if sampling == "discretised" else 80
        assert result.provenance.evaluations == 400 * times + pilot + 7
        np.testing.assert_array_equal(result.samples, 400)


def trained_network(train):
    """A network of two layers of 64, trained for a moment."""
    model = tiny_model(train, hidden=(64, 64), scale=1.0, dtype=torch.float32)
    network, inputs = model.network.requires_grad_(True), model.encode(train.X)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(200):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(inputs), train.y.long()).backward()
        optimiser.step()
    network.requires_grad_(False)
    return model


@pytest.mark.parametrize(
    ("sampling", "least"), [("discretised", 0.85), ("mean-centred", 0.85), ("around", 0.6)]
)
def test_the_strongest_features_are_more_stable_than_with_independent_samples(
    sampling, least, monkeypatch
):
    """Top-5 sets over 10 seeds; with independent samples they are those of the package."""
    table = load_table("breast-cancer")
    train, rows = table.split("train"), table.split("test")[:12]
    model = trained_network(train)
    test = table.split("test")
    assert (model.predict(test.X).argmax(1) == test.y).double().mean() > 0.9

    def stability():
        tops = []
        for seed in range(10):
            result = api.lime(model, rows, train, sampling=sampling, seed=seed)
            order = np.argsort(-np.abs(result.coefficients[:, :, 0]), axis=1)[:, :5]
            tops.append([set(top) for top in order.tolist()])
        pairs = [
            len(one & two) / len(one | two)
            for own in zip(*tops, strict=True)
            for one, two in itertools.combinations(own, 2)
        ]
        return np.mean(pairs)

    ours = stability()
    monkeypatch.setattr(sampling_of, "uniform", independent)
    assert ours >= max(least, stability())


def test_draws_more_samples_until_the_strongest_features_are_told_apart():
    table = tiny_table(n=300, d=8)
    model, rows = tiny_model(table), table[:12]
    few = api.lime(model, rows, table, **given(top=2))
    many = api.lime(model, rows, table, **given(top=2, max_perturbations=3000))
    assert not few.separated.all()
    assert set(np.unique(many.samples)) <= {400, 800, 1600, 3000}
    assert len(set(many.samples.tolist())) > 1
    settled = many.samples == 400
    np.testing.assert_array_equal(settled, few.separated.all(1))
    np.testing.assert_allclose(
        many.coefficients[settled], few.coefficients[settled], atol=1e-12
    )  # fmt: skip
    assert many.separated[many.samples < 3000].all()
    assert many.provenance.evaluations <= 3000 + 12
    full = api.lime(
        model, rows, table, perturbations=1600, top=2, seed=0
    )  # the same sequence  # fmt: skip
    same = many.samples == 1600
    np.testing.assert_allclose(many.coefficients[same], full.coefficients[same], atol=1e-10)
    open_rows = (~many.separated).any(1).sum()
    said = [note for note in many.provenance.notes if "not told apart" in note]
    assert bool(said) == bool(open_rows)


def test_says_when_the_kernel_is_inactive_and_when_the_fit_is_poor():
    table = tiny_table(n=300, d=12)
    model = tiny_model(table, scale=6.0)
    usual = api.lime(model, table[:5], table, **given())
    assert any("hardly tells near from far for 5 of 5 rows" in n for n in usual.provenance.notes)
    narrow = api.lime(
        model, table[:5], table, **given(sampling="around", kernel_width=1.0, perturbations=4000)
    )
    assert (narrow.effective_share < 0.5).all()
    assert not any("near from far" in note for note in narrow.provenance.notes)
    for result in (usual, narrow):
        poor = (result.r2 < 0.1).any(1).sum()
        assert any("less than 10 %" in note for note in result.provenance.notes) == bool(poor)
    assert (narrow.r2 < 0.1).any()


def odd_table(n=200):
    """A constant, a number and a category that are always missing, and one category only."""
    rng = np.random.default_rng(0)
    features = (
        Feature(name="x"), Feature(name="constant"), Feature(name="none", has_missing=True),
        Feature(name="one", kind="categorical", categories=("a",)),
        Feature(name="never", kind="categorical", categories=("a", "b"), has_missing=True),
        Feature(name="c", kind="categorical", categories=("a", "b", "c")),
    )  # fmt: skip
    nothing = np.full(n, np.nan)
    X = np.stack([
        rng.normal(size=n), np.full(n, 0.1), nothing, np.zeros(n), nothing, rng.integers(0, 3, n)
    ], 1)  # fmt: skip
    schema = Schema(features=features, target="y", task="binary", classes=("no", "yes"))
    y = torch.from_numpy(rng.integers(0, 2, n))
    return Table(schema, torch.from_numpy(X), torch.arange(n), y, name="odd")


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("selection", PACKAGE_NAMES)
def test_features_that_never_vary_get_nothing(sampling, selection):
    table = odd_table()
    model = tiny_model(table)
    result = api.lime(
        model, table[:3], table, **given(sampling=sampling, selection=selection, num_features=4)
    )
    np.testing.assert_allclose(result.coefficients[:, 1:5], 0, atol=1e-9)
    assert (np.abs(result.coefficients[:, [0, 5]]) > 1e-4).any(1).all()
    assert not result.provenance.notes or "no background row" not in result.provenance.notes[0]


@pytest.mark.parametrize("bins", ["decile", "entropy"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_other_bins(bins, task):
    table = tiny_table(n=200, d=4, task=task, missing=True)
    model = tiny_model(table)
    result = api.lime(model, table[:3], table, **given(bins=bins))
    assert np.isfinite(result.coefficients).all()
    assert 1 <= len(result.edges[0]) <= (9 if bins == "decile" else 7)
    assert result.edges[1] == ()


def test_a_table_of_categories_alone():
    table = odd_table()
    kept = [5, 4]
    schema = table.schema.model_copy(
        update={"features": tuple(table.schema.features[j] for j in kept)}
    )  # fmt: skip
    categories = replace(table, schema=schema, X=table.X[:, kept])
    model = tiny_model(categories)
    results = [
        api.lime(model, categories[:3], categories, **given(sampling=sampling))
        for sampling in SAMPLINGS
    ]
    for other in results[1:]:
        np.testing.assert_allclose(other.coefficients, results[0].coefficients, atol=1e-12)


def test_a_value_that_no_background_row_has_is_told():
    table = odd_table()
    X = table.X[:2].clone()
    X[0, 4] = 1.0
    result = api.lime(tiny_model(table), replace(table[:2], X=X), table, **given())
    assert "1 row has a value of never that no background row has" in result.provenance.notes[0]


def test_a_constant_model_depends_on_nothing():
    table = tiny_table(n=100, d=4)
    model = tiny_model(table, network="linear", scale=0.0)
    result = api.lime(model, table[:2], table, **given())
    np.testing.assert_allclose(result.coefficients, 0, atol=1e-12)
    np.testing.assert_allclose(result.r2, 1)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"num_features": 6}, "num_features is 6, and the model has 5 features; choose at most 5"),
        ({"num_features": 0}, "num_features: input should be greater than or equal to 1, got 0"),
        ({"kernel_width": 0.0}, "kernel_width: input should be greater than 0"),
        ({"kernel_width": -1.0}, "kernel_width: input should be greater than 0"),
        ({"kernel_width": float("inf")}, "kernel_width: input should be a finite number"),
        ({"max_perturbations": 100}, r"max_perturbations \(100\) must not be below perturbations"),
        ({"sampling": "everywhere"}, "sampling: input should be 'discretised', 'mean-centred' or"),
    ],
)
def test_settings_that_do_not_fit(params, message):
    table = tiny_table()
    with pytest.raises(InvalidInputError, match=message):
        api.lime(tiny_model(table), table[:2], table, **params)


def test_tables_and_models_that_do_not_fit():
    table = tiny_table()
    model = tiny_model(table)
    with pytest.raises(InvalidInputError, match="Entropy bins need the labels of the background"):
        api.lime(model, table[:2], replace(table, y=None), bins="entropy")
    with pytest.raises(InvalidInputError, match="There are no rows to explain"):
        api.lime(model, table[:0], table)
    broken = model.to()
    broken.network.first.weight.fill_(torch.nan)
    with pytest.raises(InvalidInputError, match="returns no finite number for some rows"):
        api.lime(broken, table[:2], table)


def test_picks_rows_that_cover_what_matters():
    table = tiny_table(n=60, d=5)
    result = api.lime(tiny_model(table), table[:4], table, **given())
    values = np.zeros((4, 5, 2))
    values[0, [0, 1], 1] = 1.0, 1.0
    values[1, [0, 1, 2], 1] = 1.0, 1.0, 0.1
    values[2, [3], 1] = -9.0
    values[3, [3], 1] = 0.5
    known = replace(result, coefficients=values)
    # Weights: sqrt(2), sqrt(2), sqrt(.1), sqrt(9.5), 0.
    np.testing.assert_array_equal(known.pick(1, output="yes"), [1])
    np.testing.assert_array_equal(known.pick(5, output=1), [1, 2])
    with pytest.raises(InvalidInputError, match="at least 1 row, got 0"):
        known.pick(0)
