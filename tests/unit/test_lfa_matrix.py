"""Which explanation is faithful where: known functions, the published methods, and refusals."""

import itertools
from dataclasses import replace
from functools import cache

import captum.attr
import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

import workbench as wb
from tests.functions import categories_table, formula_model, numbers_table
from tests.networks import shapley_by_permutations, tiny_model, tiny_table, value_by_definition
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.results import load
from workbench.core.schema import Feature
from workbench.core.table import Table
from workbench.engines.lfa.lines import design_errors, shares
from workbench.engines.lfa.masks import exponential_sizes, make_design, shapley_sizes
from workbench.numerics.reference_row import reference_row

SLOPES = ("vanilla-gradients", "smoothgrad", "c-lime")
CONTRIBUTIONS = ("lime", "kernelshap", "occlusion", "integrated-gradients", "gradient-x-input")
WEIGHTS = torch.tensor([1.5, -2.0, 0.5, 3.0], dtype=torch.float64)


def linear(inputs):
    return inputs @ WEIGHTS


def values(result, method):
    return result.values[:, result.method_index(method)]


@pytest.fixture(scope="module")
def straight():
    table = numbers_table()
    return table, api.faithfulness(
        formula_model(table, linear), table[:6], table, perturbations=256
    )


@pytest.mark.parametrize("method", SLOPES)
def test_slopes_recover_a_linear_function(straight, method):
    table, result = straight
    expected = np.tile(WEIGHTS.numpy() * table.X.numpy().std(0), (6, 1))[..., None]
    np.testing.assert_allclose(values(result, method), expected, atol=1e-9)


@pytest.mark.parametrize("method", CONTRIBUTIONS)
def test_contributions_recover_a_linear_function_times_the_way_from_the_reference(straight, method):
    table, result = straight
    away = (table.X[:6] - table.X.mean(0)).numpy()
    np.testing.assert_allclose(
        values(result, method)[..., 0], away * WEIGHTS.numpy(), atol=1e-9
    )  # fmt: skip


def test_a_linear_function_is_missed_nowhere_it_can_be_compared(straight):
    entries = straight[1].entries()
    found = {m: entries.value[i] for i, m in enumerate(straight[1].methods)}
    for method in (*SLOPES, *CONTRIBUTIONS):
        assert np.nanmax(found[method][:-1]) < 1e-15
    columns = straight[1].neighbourhoods
    assert np.isnan(found["lime"][[columns.index("near"), columns.index("wide")]]).all()
    assert np.isnan(found["smoothgrad"][columns.index("resample")])
    assert found["random"].min() > 0.1


@cache
def tiny():
    """A small network with two outputs that add up to one, on numbers and categories."""
    table = tiny_table(d=5, seed=1)
    return table, tiny_model(table, seed=1, scale=1.0)


@cache
def explained():
    table, model = tiny()
    return api.faithfulness(model, table[30:34], table[:30], perturbations=64)


def the_reference():
    table, _ = tiny()
    return Table(table.schema, reference_row(table.X[:30], table.schema)[None], torch.arange(1))


def test_kernelshap_is_the_shapley_value_against_the_reference():
    table, model = tiny()
    reference = the_reference().X
    for row in range(4):
        x = table.X[30 + row]
        exact = shapley_by_permutations(
            lambda s, x=x: value_by_definition(model, x, reference, s), 5
        )
        np.testing.assert_allclose(values(explained(), "kernelshap")[row], exact, atol=1e-12)
    assert (explained().std_errors[:, explained().method_index("kernelshap")] == 0).all()


@pytest.mark.parametrize("width", [0.7, 1.0, 3.0])
def test_lime_is_weighted_least_squares_over_all_coalitions(width):
    table, model = tiny()
    result = api.faithfulness(
        model, table[30:32], table[:30], perturbations=64, width=width
    )  # fmt: skip
    masks = torch.tensor(list(itertools.product([False, True], repeat=5)))
    weights = np.exp(-(~masks).sum(1).numpy() / width**2)
    for row in range(2):
        x = table.X[30 + row]
        y = [value_by_definition(model, x, the_reference().X, s).numpy() for s in masks]
        fit = LinearRegression().fit(masks.double().numpy(), np.array(y), sample_weight=weights)
        np.testing.assert_allclose(values(result, "lime")[row], fit.coef_.T, atol=1e-10)


def captum_says(method, **settings):
    """Explain the second output by encoded column, and add up what belongs to a feature."""
    table, model = tiny()
    ends, start = model.encode(table.X[30:34]), model.encode(the_reference().X)
    tool = getattr(captum.attr, method)(lambda z: model.outputs(model.network(z), "probability"))
    told = {"baselines": start} if method != "InputXGradient" else {}
    masks = {"feature_mask": model.groups[None]} if method == "FeatureAblation" else {}
    given = ends if told else ends - start
    found = tool.attribute(given, target=1, **told, **masks, **settings).detach()
    groups = torch.nn.functional.one_hot(model.groups, 5).double()
    return found, groups


def test_integrated_gradients_are_captums():
    found, groups = captum_says("IntegratedGradients", n_steps=400)
    ours = values(explained(), "integrated-gradients")[..., 1]
    np.testing.assert_allclose(ours, found @ groups, atol=2e-3)
    gap = ours.sum(1) - (values(explained(), "kernelshap")[..., 1]).sum(1)
    assert np.abs(gap).max() < 5e-3


def test_occlusion_is_captums_feature_ablation():
    found, groups = captum_says("FeatureAblation")
    by_feature = torch.stack([found[:, groups[:, j] > 0][:, 0] for j in range(5)], 1)
    np.testing.assert_allclose(values(explained(), "occlusion")[..., 1], by_feature, atol=1e-12)


def test_gradients_are_autograds():
    table, model = tiny()
    ends = model.encode(table.X[30:34]).requires_grad_()
    model.outputs(model.network(ends), "probability")[:, 1].sum().backward()
    start = model.encode(the_reference().X)
    groups = torch.nn.functional.one_hot(model.groups, 5).double()
    times = (ends.grad * (ends - start).detach()) @ groups
    np.testing.assert_allclose(
        values(explained(), "gradient-x-input")[..., 1], times, atol=1e-12
    )  # fmt: skip
    # The encoder divides by the spread over 60 rows, a slope is per spread of 30 background rows.
    scale = table.X[:30].numpy().std(0) / table.X.numpy().std(0)
    numbers = [0, 2, 4]
    slope = (ends.grad @ groups)[:, numbers].numpy() * scale[numbers]
    found = values(explained(), "vanilla-gradients")[..., 1]
    np.testing.assert_allclose(found[:, numbers], slope, atol=1e-6)
    assert np.isnan(found[:, [1, 3]]).all(), "a category has no slope"


def test_smoothed_slopes_have_a_closed_form_for_a_sine_and_say_how_sure_they_are():
    r"""Hold both against :math:`E \cos(w(x + s\xi)) = \cos(wx)\, e^{-w^2 s^2 / 2}`."""
    table = numbers_table(d=3)
    model = formula_model(table, lambda z: torch.sin(2 * z).sum(1))
    off = []
    for seed in range(20):
        result = api.faithfulness(model, table[:8], table, scale=0.5, seed=seed, perturbations=64)
        expected = 2 * np.cos(2 * table.X[:8].numpy()) * np.exp(-2 * 0.5**2)
        for method in ("smoothgrad", "c-lime"):
            error = result.std_errors[:, result.method_index(method), :, 0]
            off.append((values(result, method)[..., 0] - expected) / error)
    spread = np.sqrt(np.mean(np.square(off)))
    assert 0.7 < spread < 1.3


def test_drawn_coalitions_say_how_sure_they_are():
    """Hold z-scores of sampled values against exact ones, whose spread should be 1."""
    d, rng = 14, np.random.default_rng(0)
    table = numbers_table(d=d)
    a = torch.from_numpy(rng.normal(size=(d, 6)) / 2)
    model = formula_model(table, lambda z: torch.tanh(z @ a).sum(1))
    exact = api.faithfulness(model, table[:3], table, perturbations=2**14)
    for method in ("kernelshap", "lime"):
        assert (exact.std_errors[:, exact.method_index(method)] == 0).all()
        scores = []
        for seed in range(6):
            drawn = api.faithfulness(model, table[:3], table, perturbations=500, seed=seed)
            error = drawn.std_errors[:, drawn.method_index(method)]
            assert (error > 0).all()
            scores.append((values(drawn, method) - values(exact, method)) / error)
        assert 0.6 < np.sqrt(np.mean(np.square(scores))) < 1.5


def test_what_is_missed_of_a_parabola_has_a_closed_form():
    r"""Of :math:`x^2` moved by :math:`s\xi`, a slope misses :math:`2s^4` of what moves."""
    table = numbers_table(n=60, d=1)
    model = formula_model(table, lambda z: z[:, 0] ** 2)
    result = api.faithfulness(
        model, table[:20], table, scale=0.5, wide_scale=2.0, heldout=20_000, perturbations=64
    )
    x = table.X[:20, 0].numpy()
    for name, s in (("near", 0.5), ("wide", 2.0)):
        column = result.neighbourhood_index(name)
        missed = result.missed[:, result.method_index("vanilla-gradients"), column, 0]
        np.testing.assert_allclose(missed, 2 * s**4, rtol=0.1)
        np.testing.assert_allclose(result.total[:, column, 0], 4 * x**2 * s**2 + 2 * s**4, rtol=0.1)
    # On the way from 0 the slope is 2ax per unit: of a uniform a, the mean slope misses a quarter.
    column = result.neighbourhood_index("path")
    ig = result.missed[:, result.method_index("integrated-gradients"), column, 0]
    np.testing.assert_allclose(ig / result.total[:, column, 0], 0.25, atol=0.02)


@pytest.mark.parametrize(("d", "m"), [(3, 100), (8, 100), (20, 500), (60, 500)])
def test_a_design_serves_every_law_that_treats_coalitions_of_a_size_alike(d, m):
    laws = exponential_sizes(d, 1.5), shapley_sizes(d)
    design = make_design(d, m, laws[0] + laws[1], np.random.default_rng(0))
    assert len(design.masks) <= max(m, 2 * d + 2) + d
    assert (design.sizes == d - 1).sum() == d, "each feature can be removed alone"
    among = torch.tensor([float(len(list(itertools.combinations(range(d), s)))) for s in (1, 2)])
    assert design.counts[1] == among[0]
    for law in laws:
        weights = design.weights(law)
        assert float(weights.sum()) == pytest.approx(1)
        here = design.counts > 0
        by_size = torch.zeros(d + 1, dtype=torch.float64).index_add_(0, design.sizes, weights)
        np.testing.assert_allclose(by_size[here], law[here] / law[here].sum(), atol=1e-12)
    np.testing.assert_array_equal(design.masks[design.first], ~design.masks[design.second])


def test_doubling_a_weight_is_having_the_sample_twice():
    rng = np.random.default_rng(0)
    z = torch.from_numpy(rng.integers(0, 2, (40, 4)).astype(float))
    y = torch.from_numpy(rng.normal(size=(2, 40, 1)))
    once, twice = torch.ones(40).double(), torch.ones(40).double()
    twice[7] = 2
    again = torch.cat([z, z[7:8]])
    found = shares(z, twice).fit(y)
    same = shares(again, torch.ones(41).double()).fit(torch.cat([y, y[:, 7:8]], 1))
    np.testing.assert_allclose(found, same, atol=1e-12)
    assert (found - shares(z, once).fit(y)).abs().max() > 1e-3


def test_a_design_listed_in_full_has_no_error():
    design = make_design(5, 100, torch.ones(6).double(), np.random.default_rng(0))
    line = shares(design.masks.double(), design.weights(shapley_sizes(5)))
    rest = torch.randn(2, len(design.masks), 1, dtype=torch.float64)
    assert (design_errors(line, rest, design) == 0).all()


def test_rows_do_not_depend_on_each_other_or_on_memory():
    table, model = tiny()
    alone = api.faithfulness(model, table[32:33], table[:30], perturbations=64)
    np.testing.assert_allclose(alone.values[0], explained().values[2], atol=1e-12)
    np.testing.assert_allclose(alone.missed[0], explained().missed[2], atol=1e-12)
    method = wb.list_methods()["lfa.matrix"]
    settings = method.params(perturbations=64)
    small = method.explain(
        model, table[30:34], table[:30], settings, Context(budget=2**16, chunk_rows=7)
    )
    np.testing.assert_allclose(small.values, explained().values, atol=1e-12)


def test_a_black_box_is_asked_for_answers_alone():
    table, model = tiny()
    model.network.black_box = True
    try:
        result = api.faithfulness(model, table[30:32], table[:30], perturbations=64)
    finally:
        del model.network.black_box
    assert set(result.methods) == {
        "lime", "kernelshap", "occlusion", "c-lime", "resampled", "random", "size",
    }  # fmt: skip
    assert "path" not in result.neighbourhoods
    assert any("black box" in note for note in result.provenance.notes)


def test_without_numbers_nothing_moves():
    table = categories_table((2, 3, 4))
    model = formula_model(table, lambda z: z @ torch.arange(9.0).double())
    result = api.faithfulness(model, table[:4], table, perturbations=64)
    assert not set(result.methods) & set(SLOPES)
    assert not {"near", "wide"} & set(result.neighbourhoods)
    assert np.isfinite(result.missed).all()


@pytest.mark.parametrize("kind", ["constant", "missing", "one category", "copy", "one feature"])
def test_degenerate_columns_get_no_effect_and_no_fault(kind):
    table = numbers_table(d=1 if kind == "one feature" else 4)
    X = table.X.clone()
    features = list(table.schema.features)
    if kind == "constant":
        X[:, 1] = 3.0
    elif kind == "missing":
        X[::3, 1] = torch.nan
        features[1] = Feature(name="x1", has_missing=True)
    elif kind == "one category":
        X[:, 1] = 0
        features[1] = Feature(name="x1", kind="categorical", categories=("only",))
    elif kind == "copy":
        X[:, 1] = X[:, 0]
    schema = table.schema.model_copy(update={"features": tuple(features)})
    changed = replace(table, schema=schema, X=X)
    model = formula_model(changed, lambda z: torch.tanh(z).sum(1))
    result = api.faithfulness(model, changed[:6], changed, perturbations=64)
    assert np.isfinite(result.total).all()
    for i, method in enumerate(result.methods):
        told = result.values[:, i]
        assert np.isfinite(told[..., 0] if kind == "constant" else told[:, 0]).any(), method
    if kind in {"constant", "one category"}:
        contributions = [result.method_index(m) for m in (*CONTRIBUTIONS, "resampled")]
        np.testing.assert_allclose(result.values[:, contributions, 1], 0, atol=1e-9)
    if kind == "missing":
        slopes = [result.method_index(m) for m in SLOPES]
        assert np.isnan(result.values[0, slopes, 1]).all()


def test_refusals_are_sentences():
    table, model = tiny()
    with pytest.raises(InvalidInputError, match=r"wide_scale \(0.1\) must not be below scale"):
        api.faithfulness(model, table[:2], table, wide_scale=0.1)
    for wrong in ({"scale": 0.0}, {"width": -1.0}, {"share": 0.0}, {"perturbations": 1}):
        with pytest.raises(InvalidInputError, match=next(iter(wrong))):
            api.faithfulness(model, table[:2], table, **wrong)
    with pytest.raises(InvalidInputError, match="There are no rows to explain"):
        api.faithfulness(model, table[:0], table)
    sick = formula_model(numbers_table(), lambda z: z[:, 0] / 0)
    with pytest.raises(InvalidInputError, match="returns no finite number for row 0"):
        api.faithfulness(sick, numbers_table()[:2], numbers_table())


def test_a_result_survives_a_file_and_reads_itself(tmp_path):
    result = explained()
    back = load(result.save(tmp_path / "a.faithfulness"))
    np.testing.assert_array_equal(back.entries().low, result.entries().low)
    frame = result.to_frame()
    assert len(frame) == len(result.methods) * len(result.neighbourhoods) * 2
    worst = result.worst("lime", "mask-shapley", count=2)
    ratios = result.missed[:, 0, result.neighbourhood_index("mask-shapley"), 1]
    assert list(worst) == list(np.argsort(-ratios)[:2])
    for wrong in (("shap", "path"), ("lime", "nowhere")):
        with pytest.raises(InvalidInputError, match="choose one of"):
            result.worst(*wrong)
    one = result[2]
    assert np.isnan(one.entries().low).all()


@cache
def bundled(name):
    rows = wb.load_table(name)[:100]
    return rows, wb.faithfulness(f"{name}-mlp", rows, output="score")


@pytest.mark.parametrize("name", ["wine", "breast-cancer"])
def test_each_neighbourhood_is_won_by_what_was_made_for_it(name):
    """No free lunch: one table, and every column has a winner of its own kind."""
    _, result = bundled(name)
    value = result.entries(1).value
    methods, columns = result.methods, result.neighbourhoods

    def misses(method, column):
        return value[methods.index(method), columns.index(column)]

    made_for = {"mask-exponential": "lime", "mask-shapley": "kernelshap",
                "one-at-a-time": "occlusion", "path": "integrated-gradients"}  # fmt: skip
    for column, own in made_for.items():
        others = [misses(m, column) for m in methods if m != own]
        assert misses(own, column) <= 1.1 * np.nanmin(others), (column, own)
    for slope in ("smoothgrad", "c-lime"):
        assert misses(slope, "near") < misses("random", "near")
        for method in ("lime", "kernelshap", "integrated-gradients"):
            assert misses(slope, "mask-shapley") > misses(method, "mask-shapley")


@pytest.mark.parametrize("name", ["wine", "breast-cancer"])
def test_removing_what_counts_least_favours_masks_and_moving_it_favours_slopes(name):
    """Remove or move the k weakest features: what is left unmoved ranks them well."""
    rows, result = bundled(name)
    model, X = wb.load_model(f"{name}-mlp"), rows.X.double()
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.normal(size=(64, X.shape[1])) * result.scales * 0.25)
    reference = torch.from_numpy(result.reference)
    ways = {
        "removed": lambda weak: torch.where(weak, reference, X)[None],
        "moved": lambda weak: X + noise[:, None] * weak,
    }
    change = {}
    for way, method in itertools.product(ways, (*SLOPES[:2], "lime", "kernelshap", "occlusion")):
        size = np.abs(result.values[:, result.method_index(method), :, 1])
        order = size.argsort(1).argsort(1)
        total = 0.0
        for k in (1, 3, 5, 8, 11):
            said = model.scores(ways[way](torch.from_numpy(order < k)).flatten(0, 1))[:, 1]
            total += float((said.view(-1, len(X)) - model.scores(X)[:, 1]).abs().mean())
        change[way, method] = total
    for slope, mask in itertools.product(SLOPES[:2], ("lime", "kernelshap")):
        assert change["removed", mask] < change["removed", slope]
        assert change["moved", slope] < change["moved", mask]


@pytest.mark.parametrize("network", ["mlp", "linear"])
def test_a_row_that_is_the_reference_has_nothing_to_remove(network):
    table = tiny_table(d=4, missing=True, n=1)
    model = tiny_model(table, network=network, dtype=torch.float32)
    result = api.faithfulness(model, table, table, perturbations=64)
    masks = [result.neighbourhood_index(n) for n in result.neighbourhoods if n != "resample"]
    assert (result.total[:, masks] == 0).all()
    assert np.isnan(result.entries().value).all()
    advice = wb.advise(result, "removed")
    assert "the model does not move" in advice.reason
    assert advice.instead.startswith("Choose other rows, or a background with other rows")
    mask = api.local_functions(model, table, table, operator="mask")
    assert (mask.total == 0).all()
    assert (mask.fitted_total == 0).all()
    curves = api.scale_curves(model, table, table, operator="mask", count=3)
    assert (curves.total == 0).all()


def test_what_is_missed_of_removals_is_exact_where_all_coalitions_are_listed():
    """Weigh every coalition by the Shapley kernel, and add up what KernelSHAP leaves."""
    table, model = tiny()
    result = explained()
    assert result.listed
    masks = torch.tensor(list(itertools.product([False, True], repeat=5)))
    inner = (masks.sum(1) % 5 > 0).numpy()
    size = masks.sum(1).numpy()[inner]
    kernel = np.array([1 / (len(list(itertools.combinations(range(5), s))) * s * (5 - s))
                       for s in size])  # fmt: skip
    kernel = kernel / kernel.sum()
    phi = values(result, "kernelshap")[0]
    x = table.X[30]
    y = np.array([value_by_definition(model, x, the_reference().X, s).numpy() for s in masks])
    rest = (y - masks.double().numpy() @ phi)[inner]
    missed = kernel @ (rest - kernel @ rest) ** 2
    column = result.neighbourhood_index("mask-shapley")
    np.testing.assert_allclose(
        result.missed[0, result.method_index("kernelshap"), column], missed, atol=1e-12
    )
