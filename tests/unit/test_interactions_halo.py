"""Halos: the toy of the publication, materialised copies, known defects, bad input."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch import nn

from tests.halos import fitting_case, some_halo
from tests.interaction_functions import Function, model_of, normal, table_of
from tests.networks import Opaque, tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.halo import Halo
from workbench.core.method import METHODS
from workbench.core.results import load
from workbench.engines.interactions import halos
from workbench.engines.interactions.halo_params import HaloParams
from workbench.engines.interactions.halo_shape import shape_of
from workbench.numerics.row_losses import row_losses
from workbench.numerics.scaled_losses import excess, row_losses_of_reference, scores_in_loss
from workbench.numerics.scaled_rows import ScaledRows
from workbench.numerics.second_differences import donors_of


def toy(**params):
    """Loss (3 - (m1 m2 + m1 + m2))^2 at x = (1, 1)."""
    table = table_of(torch.ones(2, 2, dtype=torch.float64), torch.full((2,), 3.0).double())
    model = model_of(Function(lambda a, b: a * b + a + b), table.schema)
    return api.halo(model, table, tolerance=0.1, relative=False, **params)


def test_the_toy_of_the_publication():
    found = toy()
    half = np.sqrt(found.budgets * 0.1) / 2
    for feature in range(2):
        np.testing.assert_allclose(found.boundaries[feature], [1 - half, 1 + half], rtol=1e-9)
    expected = {(-1, -1): 0.188976, (1, -1): 0.000156, (-1, 1): 0.000156, (1, 1): 0.211337}
    even = np.isclose(found.shares[:, 0], 0.5)
    assert even.sum() == 4
    for signs, value in zip(found.signs[even], found.excess[0, even], strict=True):
        assert value == pytest.approx(expected[tuple(signs)], abs=1e-6)
    m = found.masks[0]
    np.testing.assert_allclose(found.excess[0], (3 - (m.prod(1) + m.sum(1))) ** 2, atol=1e-12)
    assert m.shape == (36, 2)
    angles = np.arctan2(*found.directions.T[::-1])
    assert (np.diff(angles) > 0).all()
    assert np.diff(np.append(angles, angles[0] + 2 * np.pi)).max() < np.pi / 6
    assert not found.members[0][(found.signs[:, 0] == found.signs[:, 1])].any()
    assert found.members[0][(found.signs[:, 0] != found.signs[:, 1])].all()
    assert found.outside == 0.5


def test_even_angles_share_out_the_tolerance():
    found = toy(angles=8)
    assert found.masks.shape == (1, 32, 2)
    np.testing.assert_allclose(found.shares.sum(1), 1)
    np.testing.assert_allclose(np.diff(np.arctan2(*found.directions.T[::-1])), np.pi / 16)
    half = np.sqrt(found.shares * 0.1) / 2
    np.testing.assert_allclose(found.masks[0], 1 + found.signs * half, rtol=1e-9)


@pytest.mark.parametrize("budgets", [2, 7, 25])
def test_any_number_of_budgets_works(budgets):
    found = toy(budgets=budgets)
    assert found.masks.shape == (1, 4 * (budgets - 1), 2)
    half = np.sqrt(found.shares * 0.1) / 2
    np.testing.assert_allclose(found.masks[0], 1 + found.signs * half, rtol=1e-9)


def test_the_published_search_is_a_setting():
    exact, published = toy(), toy(search="published")
    assert 1e-6 < np.abs(exact.boundaries - published.boundaries).max() < 1.01e-4
    np.testing.assert_allclose(exact.excess, published.excess, atol=1e-3)
    assert published.provenance.params["search"] == "published"


def test_shares_of_triples():
    plain, zeros = (shape_of(3, 10, 0, with_zeros=with_zeros) for with_zeros in (False, True))
    assert (plain.shares.shape, zeros.shares.shape) == ((36 * 8, 3), (63 * 8, 3))
    for shape in (plain, zeros):
        np.testing.assert_allclose(shape.shares.sum(1), 1)
        rows = np.concatenate([shape.steps, shape.signs], 1)
        assert len(np.unique(rows, axis=0)) == len(rows)
    assert plain.shares.min() == pytest.approx(0.1)
    assert zeros.shares.min() == 0


# --- copies ------------------------------------------------------------------------------------


def materialised(model, mask):
    """The model with the columns of its first layer scaled by raw feature."""
    network = copy.deepcopy(model.network)
    with torch.no_grad():
        network.first.weight *= torch.as_tensor(mask)[model.groups]
    return replace(model, network=network)


def losses_of(model, table):
    with torch.no_grad():
        logits = model.network(model.encode(table.X))
    return row_losses(logits, table.y, model.schema.n_classes)


def rows_of(model, table, budget=2**29):
    seen = []
    rows = ScaledRows(model, model.encode(table.X), budget, seen.append)
    return rows, lambda logits, own: row_losses(logits, table.y[own], model.schema.n_classes), seen


@pytest.mark.parametrize(
    ("task", "opaque", "n_masks"),
    [("binary", False, 1000), ("regression", True, 1000), ("multiclass", False, 50)],
)
def test_members_are_those_of_a_direct_evaluation(task, opaque, n_masks):
    table = tiny_table(n=25, d=5, task=task)
    model = tiny_model(table)
    asked = replace(model, network=Opaque(model.network)) if opaque else model
    rows, losses, seen = rows_of(asked, table, budget=2**20)
    rng = np.random.default_rng(0)
    masks = np.ones((n_masks, 5))
    for mask in masks:
        mask[rng.choice(5, 2, replace=False)] = 1 + rng.normal(size=2)
    masks = torch.from_numpy(masks)
    reference = row_losses_of_reference(rows, losses, 5)
    found = excess(rows, losses, reference, masks)
    own = losses_of(model, table)
    torch.testing.assert_close(reference, own)
    network, weight = copy.deepcopy(model.network), model.network.first.weight
    z, direct = model.encode(table.X), []
    for mask in masks:  # one network after the other, with weights that were really scaled
        network.first.weight.data = weight * mask[model.groups]
        direct.append(row_losses(network(z), table.y, model.schema.n_classes) - own)
    direct = torch.stack(direct)
    torch.testing.assert_close(found.values[:, 0], direct.mean(1))
    torch.testing.assert_close(found.std_errors[:, 0], direct.std(1) / 5)
    tolerance = float(direct.mean(1).median()) + 1e-9
    assert torch.equal(found.values[:, 0] <= tolerance, direct.mean(1) <= tolerance)
    assert sum(seen) == (n_masks + 1) * 25


def test_flags_of_a_result_are_those_of_a_direct_evaluation():
    (model, table), found = fitting_case(), some_halo()
    own = losses_of(model, table).mean()
    assert found.reference_loss == pytest.approx(float(own), rel=1e-12)
    assert found.tolerance == pytest.approx(0.05 * float(own))
    for place, one in enumerate(found.sets):
        for at in np.flatnonzero(found.known[place]):
            mask = np.ones(4)
            mask[one] = found.masks[place, at]
            rise = float(losses_of(materialised(model, mask), table).mean() - own)
            assert found.excess[place, at] == pytest.approx(rise, abs=1e-12)
            assert found.members[place, at] == (rise <= found.tolerance)
    assert not found.members[~found.known].any()


@pytest.mark.parametrize("members", [(1,), (0, 3), (0, 1, 2)])
@pytest.mark.parametrize("opaque", [False, True])
def test_scores_are_those_of_the_definition(members, opaque):
    table = tiny_table(n=15, d=4)
    model = tiny_model(table)
    asked = replace(model, network=Opaque(model.network)) if opaque else model
    rows, losses, _ = rows_of(asked, table, budget=2**20)
    donors = donors_of(15, 3, lambda r: Context().stream(r))
    masks = 1 + torch.from_numpy(np.random.default_rng(1).normal(size=(4, 4)))
    found = scores_in_loss(rows, losses, members, masks, donors)
    for place, mask in enumerate(masks):
        scaled = materialised(model, mask)
        base, totals = losses_of(scaled, table), []
        for others in donors:

            def rise(chosen, scaled=scaled, others=others, base=base):
                X = table.X.clone()
                X[:, list(chosen)] = X[others][:, list(chosen)]
                return losses_of(scaled, replace(table, X=X)) - base

            single = sum(rise((i,)) for i in members) if len(members) > 1 else 0
            totals.append(rise(members) - single)
        torch.testing.assert_close(found.values[place, 0], torch.stack(totals).mean())
    assert (found.std_errors > 0).all()


def test_a_joint_exchange_changes_both_columns_and_keeps_them_together():
    table = table_of(normal(30, 3))
    seen = []

    def spy(a, b, c):
        seen.append(torch.stack([a, b, c], 1))
        return a * b + c

    model = model_of(Function(spy), table.schema)
    rows, losses, _ = rows_of(model, table)
    donors = donors_of(30, 1, lambda r: Context().stream(r))
    mask = torch.tensor([[2.0, -0.5, 1.0]]).double()
    scores_in_loss(rows, losses, (0, 1), mask, donors)
    base, joint, first, second = torch.cat(seen).split(30)
    torch.testing.assert_close(base, table.X * mask)
    torch.testing.assert_close(joint[:, :2], (table.X * mask)[donors[0], :2])
    assert (joint[:, :2] != base[:, :2]).all()
    for single, column in ((first, 0), (second, 1)):
        assert ((single != base).nonzero()[:, 1] == column).all()
    assert torch.equal(joint[:, 2], base[:, 2])


def test_the_loss_is_that_of_probabilities_not_of_decisions():
    (model, table), found = fitting_case(), some_halo()
    said = model.predict(table.X)
    assert found.reference_loss == pytest.approx(log_loss(table.y, said))
    assert found.loss_unit == "nats"


def test_one_hot_columns_are_one_feature():
    found = some_halo()
    assert found.boundaries.shape == (4, 2, 11)
    assert fitting_case()[0].groups.shape[0] > 4
    involved = set(found.sets.ravel().tolist())
    for feature in range(4):
        known = np.isfinite(found.main_effects[feature]).any()
        assert known == (feature in involved)


def test_the_family_depends_on_where_zero_is():
    X = normal(100, 2)
    first = nn.Linear(2, 6).double()
    rest = nn.Sequential(nn.Tanh(), nn.Linear(6, 1).double())
    shifted = copy.deepcopy(first)
    with torch.no_grad():
        shifted.bias -= 5 * first.weight[:, 1]
        y = rest(first(X))[:, 0] + normal(100, 1)[:, 0]
    table, moved = table_of(X, y), table_of(X + torch.tensor([0.0, 5.0]), y)
    one = api.halo(model_of(nn.Sequential(first, *rest), table.schema), table)
    two = api.halo(model_of(nn.Sequential(shifted, *rest), table.schema), moved)
    assert one.reference_loss == pytest.approx(two.reference_loss)
    np.testing.assert_allclose(one.boundaries[0], two.boundaries[0], atol=1e-8)
    assert np.abs(one.boundaries[1, :, 5] - two.boundaries[1, :, 5]).min() > 0.01
    assert "another 0" in one.provenance.notes[0]


# --- what a result says ------------------------------------------------------------------------


def test_ranges_are_over_models_that_are_as_good():
    found = some_halo()
    good = found.members[0]
    assert 0 < good.sum() < found.known[0].sum()
    spread = found.spread(0)
    kept = np.append(found.scores[0, good], found.reference_scores[0])
    assert (spread.low, spread.high) == (kept.min(), kept.max())
    assert spread.low <= spread.reference <= spread.high
    wider = replace(found, tolerance=found.tolerance * 10).spread(0)
    assert wider.low <= spread.low
    assert wider.high >= spread.high


def test_a_frame_has_a_line_for_each_joint_model(tmp_path):
    for order, v in ((2, 36), (3, 288)):
        found = some_halo(order=order)
        frame = found.to_frame()
        assert len(frame) == len(found.sets) * v
        assert frame["member"].sum() == found.members.sum()
        first = found.set_names[0]
        assert list(frame.loc[0, ["feature", "other"]]) == list(first[:2])
        assert frame.loc[0, "third"] == (first[2] if order == 3 else "")
        assert found.place(*reversed(first)) == 0
        back = load(found.save(tmp_path / f"halo{order}"))
        assert isinstance(back, Halo)
        np.testing.assert_array_equal(back.members, found.members)


def test_sets_can_be_named_or_ranked_by_the_loss():
    found = some_halo(pair="x2,x0")
    assert found.set_names == (("x0", "x2"),)
    by_loss = some_halo(rank="loss", top=6)
    assert len(by_loss.sets) == 6
    assert (np.diff(np.abs(by_loss.reference_scores)) <= 1e-12).all()
    with pytest.raises(InvalidInputError, match="x0, x2 was not looked at"):
        some_halo(pair="x0,c1").place("x0", "x2")


def test_what_it_takes_is_known_before():
    table = tiny_table(n=6, d=3)
    model = tiny_model(table)
    settings = [
        {"search": "published"}, {"angles": 5, "pair": ("x0", "c1")},
        {"order": 3, "zeros": True, "budgets": 4},
    ]  # fmt: skip
    for given in settings:
        params = HaloParams(permutations=1, top=1, reach=1.0, **given)
        found = api.halo(model, table, **params.model_dump())
        bound = METHODS["interactions.halo"].cost(model, 6, 0, params).evaluations
        assert found.provenance.evaluations <= bound


# --- bad input ---------------------------------------------------------------------------------


def test_a_model_that_says_the_same_of_all_rows_has_no_joint_models():
    table = table_of(normal(20, 3), normal(20, 1)[:, 0])
    found = api.halo(
        model_of(Function(lambda a, b, c: 0 * (a + b + c)), table.schema), table, top=1
    )
    assert not found.known.any()
    assert np.isnan(found.outside)
    assert found.spread(0) == (0, 0, 0)
    assert any("does not depend on the scale of x1, x2" in n for n in found.provenance.notes)


def test_codes_that_a_black_box_reads_are_not_scaled():
    table = tiny_table(n=20, d=4)
    model = tiny_model(table)
    opaque = Opaque(model.network)
    opaque.black_box = True
    closed = replace(model, network=opaque)
    found = api.halo(closed, table, permutations=1)
    assert found.set_names == (("x0", "x2"),)
    assert np.isnan(found.boundaries[[1, 3]]).all()
    with pytest.raises(InvalidInputError, match="Feature 'c1' of model tiny@1 cannot be scaled"):
        api.halo(closed, table, pair="c1,x0")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pair": "x0"}, "pair names 1 features and order is 2"),
        ({"pair": "x0,x0"}, "named twice"),
        ({"pair": "x0,z"}, "no feature 'z'"),
        ({"angles": 4, "search": "published"}, "knows steps of the tolerance only"),
        ({"order": 3, "budgets": 2}, "at least three budgets"),
        ({"tolerance": 0}, "tolerance"),
    ],
)
def test_says_what_is_wrong(change, message):
    table = tiny_table(n=20, d=4)
    with pytest.raises(InvalidInputError, match=message):
        api.halo(tiny_model(table), table, **change)


def test_a_perfect_model_needs_an_absolute_tolerance():
    X = normal(20, 2)
    table = table_of(X, X[:, 0] * X[:, 1])
    model = model_of(Function(lambda a, b: a * b), table.schema)
    with pytest.raises(InvalidInputError, match="set relative to false"):
        api.halo(model, table)
    assert api.halo(model, table, relative=False).known.all()
    with pytest.raises(InvalidInputError, match="reads 2 features, too few for sets of 3"):
        api.halo(model, table, order=3)


def test_sets_must_be_of_features_and_a_tolerance_above_nothing():
    found = some_halo()
    for change, message in (
        ({"sets": found.sets + 3}, "not among the 4"),
        ({"tolerance": 0.0}, "above 0"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            replace(found, **change)


def test_where_the_strongest_pairs_make_no_triple_features_must_be_named(monkeypatch):
    monkeypatch.setattr(halos, "chosen_pairs", lambda *_: [(0, 1), (2, 3)])
    model, table = fitting_case()
    with pytest.raises(InvalidInputError, match="make up a set of 3 features"):
        api.halo(model, table, order=3)


@pytest.mark.cuda
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_gpu_finds_the_same(task):
    model, table = fitting_case(task)
    for hidden in (model, replace(model, network=Opaque(model.network))):
        here, there = (
            api.halo(hidden, table, device=device, top=2, angles=3) for device in ("cpu", "cuda")
        )
        np.testing.assert_array_equal(here.sets, there.sets)
        for name in ("boundaries", "masks", "excess", "excess_std_errors", "scores"):
            np.testing.assert_allclose(
                getattr(there, name), getattr(here, name), rtol=1e-7, atol=1e-9, err_msg=name
            )
