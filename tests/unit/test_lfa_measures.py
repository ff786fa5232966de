"""Measures of the engine against their definitions in raw rows, closed forms, and promises."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.measures import MEASURES
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.schema import Feature
from workbench.core.table import Table
from workbench.engines import shapley
from workbench.engines.lfa.changes import Answers, Changes, draw_changes
from workbench.engines.lfa.measuring import NETWORKS
from workbench.engines.lfa.randomised import randomised
from workbench.engines.lfa.scene import make_scene

EXPLAINED = {"perturbations": 128}
FAST = {**EXPLAINED, "repeats": 20, "copies": 0, "networks": 0}
WHOLE = {"copies": 2, "networks": 1}


def case(*, d=5, task="binary", categorical=True, missing=False, network="mlp", **arguments):
    table = tiny_table(d=d, task=task, categorical=categorical, missing=missing)
    model = tiny_model(table, network=network, **arguments)
    return model, table[30:34], table[:12]


def measured(model, rows, background, **params):
    return api.measures(model, rows, background, device="cpu", **{**FAST, **params})


def explained(model, rows, background, **params):
    """The same explanations, by another method of the engine."""
    return api.faithfulness(model, rows, background, device="cpu", **{**EXPLAINED, **params})


def scores_of(result, measure):
    return result.scores[:, :, result.measures.index(measure)]


def scene_of(model, background, context=None):
    return make_scene(model, background, "probability", context or Context(), lambda: None)


def of_type(result, *types):
    return [i for i, kind in enumerate(result.types) if kind in types]


def test_exact_explanations_of_a_linear_model_are_without_fault():
    model, rows, background = case(task="regression", categorical=False, network="linear")
    result = measured(model, rows, background, copies=2)
    additive = [i for i in of_type(result, "contribution") if result.methods[i] != "resampled"]
    exact = [*additive, *of_type(result, "slope")]
    np.testing.assert_allclose(scores_of(result, "faithfulness-correlation")[:, exact], 1)
    assert scores_of(result, "infidelity")[:, exact].max() < 1e-10
    assert scores_of(result, "completeness-gap")[:, additive].max() < 1e-6
    slopes = of_type(result, "slope")
    assert scores_of(result, "max-sensitivity")[:, slopes].max() < 1e-6
    # Of a linear model no order is better than that of its own contributions.
    for measure, best in (("deletion", np.min), ("insertion", np.max)):
        found = scores_of(result, measure)
        every = found[:, of_type(result, "contribution", "anchor")]
        np.testing.assert_allclose(found[:, additive[0]], best(every, 1))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_deletion_insertion_and_completeness_by_definition(task):
    model, rows, background = case(task=task, missing=True)
    result, given = measured(model, rows, background), explained(model, rows, background)
    assert result.methods == given.methods
    reference = torch.from_numpy(given.reference)
    empty = model.predict(reference[None])[0].numpy()
    for i, x in enumerate(rows.X):
        full = model.predict(x[None])[0].numpy()
        for m, kind in enumerate(result.types):
            for k in range(len(full)):
                e, way = given.values[i, m, :, k], full[k] - empty[k]
                got = [scores_of(result, name)[i, m, k]
                       for name in ("deletion", "insertion", "completeness-gap")]  # fmt: skip
                if kind == "slope":
                    assert np.isnan(got).all()
                    continue
                order = np.argsort(-e if kind == "anchor" else -e * np.sign(way), kind="stable")
                curves = []
                for start, other in ((x, reference), (reference, x)):
                    points = [start.clone()]
                    for feature in order:
                        points.append(points[-1].clone())
                        points[-1][feature] = other[feature]
                    path = model.predict(torch.stack(points))[:, k].numpy()
                    curves.append(np.trapezoid((path - empty[k]) / way) / len(e))
                gap = np.nan if kind == "anchor" else abs(e.sum() - way) / abs(way)
                np.testing.assert_allclose(got, [*curves, gap], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_comprehensiveness_sufficiency_and_sensitivity_n_by_definition(task):
    """One row, one explanation and one removal at a time, from the definitions in raw rows."""
    model, rows, background = case(task=task, missing=True)
    result, made = measured(model, rows, background), explained(model, rows, background)
    given = replace(
        shapley.explain(model, rows, background, method="shapley.exact", device="cpu"),
        values=made.values[:, made.methods.index("lime")],
    )
    beside = api.measures(model, rows, background, device="cpu", given=given, **FAST)
    reference = torch.from_numpy(made.reference)
    scene = scene_of(model, background)
    subsets = draw_changes(scene, Context(), samples=20, scale=0.25, copies=0, radius=0.05).subsets
    counts = [1, 1, 1, 3]  # 5, 10, 20 and 50 % of five features, rounded up
    for i, x in enumerate(rows.X):
        full, empty = (model.predict(r[None])[0].numpy() for r in (x, reference))
        gone = full - model.predict(torch.where(subsets, reference, x)).numpy()
        for m, kind in enumerate(result.types):
            for k in range(len(full)):
                names = ("comprehensiveness", "sufficiency", "sensitivity-n")
                got = [scores_of(result, name)[i, m, k] for name in names]
                if kind == "slope":
                    assert np.isnan(got).all()
                    continue
                e, way = np.nan_to_num(made.values[i, m, :, k]), full[k] - empty[k]
                order = np.argsort(-e if kind == "anchor" else -e * np.sign(way), kind="stable")
                lost = []
                for kept in (False, True):
                    each = []
                    for n in counts:
                        changed = torch.zeros(5, dtype=torch.bool)
                        changed[order[:n]] = True
                        row = torch.where(~changed if kept else changed, reference, x)
                        each.append((full[k] - model.predict(row[None])[0, k].item()) / way)
                    lost.append(np.mean(each))
                said = subsets.double().numpy() @ e
                sizes = subsets.sum(1).numpy()
                by_size = [np.corrcoef(said[sizes == n], gone[sizes == n, k])[0, 1] for n in (2, 3)]
                np.testing.assert_allclose(got[:2], lost, rtol=1e-6, atol=1e-9)
                np.testing.assert_allclose(got[2], np.mean(by_size), rtol=1e-6, atol=1e-9)
    ours, theirs = (beside.methods.index(name) for name in ("lime", "given"))
    for name in ("comprehensiveness", "sufficiency", "sensitivity-n"):
        found = scores_of(beside, name)
        np.testing.assert_allclose(found[:, theirs], found[:, ours], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("missing", [False, True])
def test_faithfulness_infidelity_and_prediction_gaps_by_definition(missing):
    model, rows, background = case(categorical=False, missing=missing)
    params = {"scale": 0.4, "top": 0.3, "repeats": 30}
    result = measured(model, rows, background, **params)
    given = explained(model, rows, background, scale=0.4)
    scene = scene_of(model, background)
    changes = draw_changes(scene, Context(), samples=30, scale=0.4, copies=2, radius=0.05)
    steps, reference = changes.steps.numpy(), torch.from_numpy(given.reference)
    for i, x in enumerate(rows.X):
        base = model.predict(x[None])[0].numpy()
        known = ~torch.isnan(x).numpy()
        away = torch.from_numpy(steps * given.scales)
        moved = model.predict(x + away).numpy()
        gone = model.predict(torch.where(changes.subsets, reference, x)).numpy()
        for m, kind in enumerate(result.types):
            for k in range(2):
                e = np.nan_to_num(given.values[i, m, :, k])
                if kind == "slope":
                    predicted, happened = (steps * known) @ e, moved[:, k] - base[k]
                else:
                    predicted, happened = changes.subsets.numpy() @ e, base[k] - gone[:, k]
                correlation = np.corrcoef(predicted, happened)[0, 1]
                if kind == "anchor":
                    predicted = predicted * (predicted @ happened) / (predicted @ predicted)
                top = np.argsort(-np.abs(e), kind="stable")[:2]
                chosen = np.isin(np.arange(len(e)), top)
                gaps = [
                    np.abs(model.predict(x + away * mask).numpy()[:, k] - base[k]).mean()
                    for mask in (torch.from_numpy(chosen), torch.from_numpy(~chosen))
                ]
                expected = [
                    correlation, ((predicted - happened) ** 2).mean() / (happened**2).mean(), *gaps,
                ]  # fmt: skip
                names = "faithfulness-correlation", "infidelity", "pgi", "pgu"
                got = [scores_of(result, name)[i, m, k] for name in names]
                np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-12)


def test_stability_by_definition():
    model, rows, background = case()
    result, given = (
        measured(model, rows, background, copies=2, radius=1.5),
        explained(model, rows, background),
    )
    scene = scene_of(model, background)
    changes = draw_changes(scene, Context(), samples=20, scale=0.25, copies=2, radius=1.5)
    changed = [
        replace(rows, X=rows.X + step * torch.from_numpy(given.scales)) for step in changes.copies
    ]
    others = [explained(model, copy, background) for copy in changed]
    outputs = [model.predict(copy.X).numpy() for copy in changed]
    numbers = given.scales > 0
    scales = np.where(numbers, given.scales, 1.0)
    length = np.linalg.norm
    changed_class = 0
    for i, base in enumerate(given.predictions):
        x, r = rows.X[i].numpy(), given.reference
        point = np.where(numbers, (x - r) / scales, x != r)
        for m in range(len(result.methods)):
            for k in range(2):
                e = np.nan_to_num(given.values[i, m, :, k])
                ratios = np.array([
                    length(np.nan_to_num(o.values[i, m, :, k]) - e) / length(e) for o in others
                ])
                moves = np.array([length(step * numbers) for step in changes.copies.numpy()])
                answers = np.array([length(o[i] - base) for o in outputs]) / length(base)
                alike = np.array([o[i].argmax() == base.argmax() for o in outputs])
                changed_class += (~alike).sum()
                expected = [
                    ratios.max(), (ratios / (moves / length(point)))[alike].max(),
                    (ratios / answers)[alike].max(),
                ]  # fmt: skip
                got = [scores_of(result, n)[i, m, k] for n in ("max-sensitivity", "ris", "ros")]
                np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9)
    assert changed_class > 0


def test_rounding_of_an_output_is_no_change():
    model, rows, background = case(task="regression", categorical=False, network="linear")
    network = model.network
    for parameter in network.parameters():
        parameter.fill_(1.0) if parameter.ndim == 1 else parameter.mul_(1e-7)
    result = measured(model.to(dtype=torch.float32), rows, background, copies=4, radius=3.0)
    assert np.isnan(scores_of(result, "ros")).all()
    slopes = of_type(result, "slope")[0]
    assert np.isfinite(scores_of(result, "ris")[:, slopes]).all()


def test_randomisation_by_definition_and_of_the_anchors():
    model, rows, background = case()
    result = measured(model, rows, background, networks=2)
    given, found = explained(model, rows, background), scores_of(result, "randomisation")
    random = [randomised(model, Context().stream(NETWORKS, which)) for which in range(2)]
    others = [explained(other, rows, background) for other in random]
    for i, m, k in np.ndindex(found.shape):
        e = given.values[i, m, :, k].round(12)
        known = np.isfinite(e)
        expected = np.mean([
            spearmanr(e[known], o.values[i, m, known, k].round(12))[0] for o in others
        ])
        assert found[i, m, k] == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(found[:, of_type(result, "anchor")], 1)


def test_random_networks_keep_their_spread_and_leave_the_model_alone():
    model, _, _ = case()
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    other = randomised(model, Context().stream(NETWORKS, 0))
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, before[name])
        shuffled = other.network.state_dict()[name]
        assert torch.equal(shuffled.flatten().sort().values, value.flatten().sort().values)
        assert value.numel() < 4 or not torch.equal(shuffled, value)


def test_each_change_of_a_row_is_evaluated_once():
    model, rows, background = case()
    scene = scene_of(model, background)
    changes = draw_changes(scene, Context(), samples=10, scale=0.25, copies=0, radius=0.05)
    answers = Answers(scene, rows.X, changes)
    kept = torch.rand(4, 60, 5, generator=torch.Generator().manual_seed(0)) < 0.5
    before = scene.evaluations
    found = answers.removed(kept)
    distinct = sum(len(torch.unique(own, dim=0)) for own in kept)
    assert scene.evaluations - before == distinct < 4 * 2**5 + 1
    mixed = torch.where(kept, rows.X[:, None], scene.reference)
    expected = model.predict(mixed.flatten(0, 1)).view(4, 60, 2)
    torch.testing.assert_close(found, expected)
    before = scene.evaluations
    answers.gaps(kept, model.predict(rows.X))
    assert scene.evaluations - before == 10 * distinct


def test_categories_are_drawn_anew_in_their_set_alone():
    model, rows, background = case(missing=True)
    scene = scene_of(model, background)
    donor, x = scene.donors[3], rows.X
    step = torch.tensor([[0.5, 9.0, -0.3, 9.0, 0.2]]).double()
    changes = Changes(
        subsets=torch.zeros(1, 5, dtype=torch.bool), steps=step,
        redrawn=torch.tensor([[False, True, False, False, False]]),
        donors=model.encode(donor[None]), copies=torch.zeros(0, 5).double(),
    )  # fmt: skip
    sets = torch.tensor([[True, True, False, True, False], [True, False, True, False, True]])
    gaps = Answers(scene, x, changes).gaps(sets.expand(4, 2, 5), model.predict(x))
    for place, chosen in enumerate(sets):
        moved = torch.where(chosen & (scene.spread > 0), x + step * scene.spread, x)
        if chosen[1]:
            moved[:, 1] = donor[1]
        expected = (model.predict(moved) - model.predict(x)).abs()
        torch.testing.assert_close(gaps[:, place], expected)


def test_a_row_is_measured_alike_alone_and_among_others():
    model, rows, background = case(task="multiclass", missing=True)
    every = measured(model, rows, background, **WHOLE).scores
    alone = [measured(model, rows[i : i + 1], background, **WHOLE).scores for i in (0, 3)]
    np.testing.assert_allclose(np.concatenate(alone), every[[0, 3]], rtol=1e-9, atol=1e-12)


def test_leaves_out_what_is_not_asked_for():
    model, rows, background = case()
    result = measured(model, rows, background)
    agreement = {"rank-agreement", "sign-agreement"}  # with a given explanation
    left_out = {"max-sensitivity", "ris", "ros", "randomisation", *agreement}
    assert result.measures == tuple(key for key in MEASURES if key not in left_out)
    assert len(result.settings_words) == len(result.measures)
    whole = measured(model, rows, background, **WHOLE)
    assert whole.measures == tuple(key for key in MEASURES if key not in agreement)
    for measure in result.measures:
        np.testing.assert_array_equal(scores_of(result, measure), scores_of(whole, measure))


class Locked(nn.Module):
    """A network that gives nothing but answers."""

    black_box = True

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, inputs):
        return self.network(inputs)


def test_a_black_box_is_measured_by_its_answers():
    model, rows, background = case()
    locked = Model(model.encoder, Locked(model.network), model.card, model.digest)
    result = measured(locked, rows, background, **WHOLE)
    whole = measured(model, rows, background, copies=2)
    assert "randomisation" not in result.measures
    assert {"c-lime", "lime", "kernelshap", "occlusion"} < set(result.methods)
    assert not {"smoothgrad", "integrated-gradients"} & set(result.methods)
    assert any("neither gradients nor parameters" in note for note in result.provenance.notes)
    for method in result.methods:
        own, same = result.methods.index(method), whole.methods.index(method)
        for measure in result.measures:
            np.testing.assert_allclose(
                scores_of(result, measure)[:, own],
                scores_of(whole, measure)[:, same],
                rtol=1e-9,
                atol=1e-12,
            )
    record = METHODS["lfa.measures"]
    cost = record.cost(locked, len(rows), len(background), record.params(**(FAST | WHOLE)))
    assert result.provenance.evaluations <= cost.evaluations


def edge_case(columns, kinds):
    features = tuple(
        Feature(name=f"f{i}", kind="categorical", categories=("a", "b"))
        if kind == "categorical" else Feature(name=f"f{i}", range=(-5.0, 5.0))
        for i, kind in enumerate(kinds)
    )  # fmt: skip
    model, rows, _ = case(d=len(kinds))
    schema = model.schema.model_copy(update={"features": features})
    X = torch.tensor(columns, dtype=torch.float64).T
    table = Table(schema, X, torch.arange(len(X)), None, name="edge")
    return tiny_model(table), table, rows


def test_a_table_of_categories_alone_has_nothing_to_move():
    model, table, _ = edge_case([[0, 1, 0, 1, 1], [1, 1, 0, 0, 1]], ["categorical"] * 2)
    result = measured(model, table, table, copies=2)
    assert "slope" not in result.types
    for measure in ("max-sensitivity", "ris", "ros"):
        assert np.isnan(scores_of(result, measure)).all()
    assert np.isfinite(scores_of(result, "faithfulness-correlation")).any()


def test_one_feature_and_one_that_never_varies():
    model, table, _ = edge_case([[0.5, -1.0, 2.0, 0.1, 1.0]], ["numeric"])
    result = measured(model, table, table)
    assert np.isfinite(scores_of(result, "pgi")).all()
    assert np.isnan(scores_of(result, "pgu")).all()  # nothing is left to move
    np.testing.assert_allclose(scores_of(result, "complexity"), 0, atol=1e-12)
    model, table, _ = edge_case([[0.5, -1.0, 2.0, 0.3], [1.0] * 4], ["numeric"] * 2)
    assert np.isfinite(scores_of(measured(model, table, table, copies=2), "ris")).any()


def test_the_reference_row_itself_has_no_way_to_go():
    model, rows, background = case()
    reference = torch.from_numpy(explained(model, rows, background).reference)
    result = measured(model, replace(rows, X=reference.expand(4, -1).clone()), background, copies=1)
    for measure in ("completeness-gap", "deletion", "insertion", "ris"):
        assert np.isnan(scores_of(result, measure)).all()
    for method in ("lime", "kernelshap", "occlusion", "gradient-x-input"):  # nothing but zeros
        which = result.methods.index(method)
        assert np.isnan(scores_of(result, "max-sensitivity")[:, which]).all()
        assert np.isnan(scores_of(result, "complexity")[:, which]).all()


def test_refuses_a_row_that_the_model_cannot_answer():
    model, rows, background = case(categorical=False)
    X = rows.X.clone()
    X[2, 0] = 1e308
    with pytest.raises(InvalidInputError, match="no finite number for row 32 of 'tiny'"):
        measured(model.to(dtype=torch.float32), replace(rows, X=X), background)


def test_names_settings_that_do_not_fit():
    with pytest.raises(InvalidInputError, match=r"top: .* got 0.*copies: .* got -1"):
        measured(*case(), top=0.0, copies=-1)
