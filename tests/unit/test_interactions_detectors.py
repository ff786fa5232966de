"""Detectors side by side: known functions, what each says alone, who is left out, and ranks."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from tests.detectors import some_detectors
from tests.interaction_functions import Function, model_of, normal, table_of
from tests.networks import Opaque, tiny_model, tiny_table
from workbench import api
from workbench.core.detectors import KINDS, NOWHERE
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.engines.interactions.detectors_params import DetectorsParams
from workbench.numerics.reference_row import reference_row

# Of many features Shapley interactions take seconds, whatever the rows.
WITHOUT_SAMPLES = ",".join(name for name in KINDS if name != "shapley")
QUICK = {"permutations": 2, "shapley_rows": 4, "shapley_background": 4, "local_rows": 10}


def product_table(n=120):
    X = normal(n, 4)
    return table_of(X, X[:, 0] * X[:, 1] + X[:, 2])


def product_model(table):
    return model_of(Function(lambda a, b, c, _: 3 * a * b + c.sin()), table.schema)


def of(result, name):
    return result.detectors.index(name)


def test_every_detector_finds_the_only_pair_there_is():
    table = product_table()
    found = api.detectors(product_model(table), table)
    # A function is no chain of layers, so that no weights can be read.
    assert found.detectors == tuple(name for name in KINDS if name != "weights")
    assert dict(found.left_out)["weights"].startswith("it reads weights of a chain")
    assert (found.firsts() == 0).all()
    exact = [name for name in found.detectors if name != "loss"]
    for name in exact:
        assert (found.strengths[of(found, name), 1:] == 0).all(), name
    assert found.top(1)["pair"][0] == "x1 and x2"


def test_strengths_of_a_product_are_those_of_closed_forms():
    table = product_table()
    found = api.detectors(product_model(table), table, detectors=(
        "contexts", "friedman-root", "integrated-hessians", "cross-hessian", "shapley"
    ), friedman_rows=120, local_rows=120, shapley_rows=120, shapley_background=120)  # fmt: skip
    a, b = table.X.T[:2]
    # About the typical row every other row differs by the product of both differences.
    apart = (a - a.mean()) * (b - b.mean())
    expected = {
        "contexts": (3 * apart).square().mean(),
        "friedman-root": 3 * apart.std(correction=0),
        "integrated-hessians": 3 * apart.abs().mean() / 2,  # a quarter in each order
        "cross-hessian": 3 * a.std(correction=0) * b.std(correction=0),
        "shapley": 3 * (apart + np.cov(a, b, ddof=0)[0, 1]).abs().mean(),
    }
    for name, value in expected.items():
        assert found.strengths[of(found, name), 0, 0] == pytest.approx(float(value)), name
    signed = found.signed[of(found, "integrated-hessians"), 0, 0]
    assert signed == pytest.approx(3 * float(apart.mean()) / 2)
    assert np.isnan(found.signed[of(found, "friedman-root")]).all()
    errors = found.std_errors[of(found, "cross-hessian"), 0, 0]
    assert errors == pytest.approx(0, abs=1e-12)  # the bend is the same everywhere


def test_what_other_methods_compute_is_what_they_compute():
    table = tiny_table(n=40, d=5, task="binary")
    model = tiny_model(table)
    found = api.detectors(model, table, permutations=3, shapley_rows=40, shapley_background=40)
    alone = api.interaction_scores(model, table, permutations=3, detector="both", compare=True)
    for name, values in (
        ("mixed-difference", alone.mixed[0]), ("loss", np.abs(alone.losses[0])[:, None]),
        ("contexts", alone.in_contexts[0]), ("weights", alone.by_weights[0]),
    ):  # fmt: skip
        np.testing.assert_allclose(
            found.strengths[of(found, name)], np.broadcast_to(values, (10, 2)), rtol=1e-12
        )
    pairs = api.interactions(model, table, table, output="score").strongest(1)
    names = [f"{a} and {b}" for a, b in zip(pairs["feature"], pairs["other"], strict=True)]
    by_name = dict(zip(names, pairs["strength"], strict=True))
    np.testing.assert_allclose(
        found.strengths[of(found, "shapley"), :, 1],
        [by_name[name] for name in found.pair_names], rtol=1e-9,
    )  # fmt: skip


def test_integrated_hessians_of_a_network_add_up():
    table = tiny_table(n=30, d=4, task="regression")
    model = tiny_model(table)
    found = api.detectors(model, table, detectors="integrated-hessians", beta=5.0)
    assert found.missed < 1e-3
    assert found.smoothing > 0
    assert "softplus, beta 5" in " ".join(found.provenance.notes)
    # The typical row is where the way starts: a row like it has nothing to share out.
    typical = replace(
        table[:2], X=reference_row(table.X, table.schema).expand(2, -1).clone()
    )  # fmt: skip
    still = api.detectors(model, typical, detectors="integrated-hessians")
    assert (still.strengths == 0).all()
    assert still.missed == 0
    # So have rows that are typical but for rounding, as a mean of equal numbers is.
    other = tiny_table(n=80, d=4)
    alike = replace(other, X=other.X[:1].expand(80, -1).clone())
    same = api.detectors(tiny_model(other), alike, detectors="integrated-hessians")
    assert same.missed == 0


def test_features_of_several_columns_are_not_known_to_the_cross_hessian():
    table = tiny_table(n=30, d=5, task="multiclass")
    found = api.detectors(tiny_model(table), table, detectors="cross-hessian,weights")
    several = [len(feature.categories) > 0 for feature in table.schema.features]
    assert any(several)
    cross = found.strengths[of(found, "cross-hessian")]
    for (i, j), values in zip(found.pairs, cross, strict=True):
        assert np.isnan(values).all() == (several[i] or several[j])
    assert "of 5 features it knows the 3" in " ".join(found.provenance.notes)
    alone = table.schema.model_copy(update={"features": table.schema.features[1::2]})
    of_words = replace(table, schema=alone, X=table.X[:, 1::2])
    none = api.detectors(
        tiny_model(of_words), of_words, detectors="cross-hessian,weights"
    )  # fmt: skip
    assert "fewer than two are" in dict(none.left_out)["cross-hessian"]


@pytest.mark.parametrize("network", ["linear", "mlp"])
def test_an_additive_model_has_no_strongest_pair(network):
    table = tiny_table(n=60, d=5, task="regression")
    model = tiny_model(table, network=network, dtype=torch.float32)
    if network == "mlp":  # a unit for each feature
        with torch.no_grad():
            groups = model.groups
            for unit, weight in enumerate(model.network.first.weight):
                weight[groups != unit % 5] = 0
            rest = [m for m in model.network.modules() if isinstance(m, nn.Linear)][1:]
            rest[0].weight.copy_(rest[0].weight.abs())
            rest[0].bias.fill_(100.0)  # beyond its rectifier's kink
    found = api.detectors(model, table, detectors=(
        "mixed-difference", "contexts", "friedman", "friedman-root", "integrated-hessians",
        "shapley",
    ), beta=100.0)  # fmt: skip
    assert (found.firsts() == NOWHERE).all()
    assert (found.strengths == 0).all()


@pytest.mark.parametrize("d", [2, 3, 6, 62])
@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_what_it_takes_is_known_before(d, task):
    if d == 62 and task == "multiclass":
        return
    table = tiny_table(n=20, d=d, task=task)
    model = tiny_model(table)
    asked = WITHOUT_SAMPLES if d > 16 else ""
    params = DetectorsParams(**QUICK, nodes=4, detectors=asked)
    bound = METHODS["interactions.detectors"].cost(model, 20, 0, params)
    found = api.detectors(model, table, **params.model_dump())
    assert found.provenance.evaluations <= bound.evaluations
    own = {int(run): c for c, run in enumerate(found.shared)}.values()
    spent = sum(int(found.evaluations[c] + found.gradients[c]) for c in own)
    assert spent <= found.provenance.evaluations
    assert found.n_possible == math.comb(d, 2)


def test_what_cannot_serve_is_left_out_with_the_reason():
    table = product_table()
    model = product_model(table)
    unlabelled = replace(table, y=None)
    found = api.detectors(model, unlabelled, **QUICK)
    assert "does not say what is true" in dict(found.left_out)["loss"]
    assert "loss" not in found.detectors
    dear = api.detectors(model, table, most=30_000, **QUICK)
    reasons = dict(dear.left_out)
    assert "friedman" in reasons
    assert "the limit 'most' is 30,000" in reasons["friedman"]
    assert "mixed-difference" in dear.detectors
    with pytest.raises(InvalidInputError, match="No detector of interactions can serve"):
        api.detectors(model, unlabelled, detectors="loss")
    with pytest.raises(InvalidInputError, match="No detector of interactions can serve"):
        api.detectors(model, table, detectors="weights")


def test_a_black_box_has_no_slopes_to_take():
    table = product_table(20)
    model = product_model(table)
    model.network.black_box = True
    found = api.detectors(model, table, **QUICK)
    assert {"integrated-hessians", "cross-hessian", "weights"} <= dict(found.left_out).keys()
    assert (found.firsts() == 0).all()


def test_it_does_not_matter_how_a_network_is_written():
    table = tiny_table(n=20, d=4, task="binary")
    model = tiny_model(table)
    kept = "mixed-difference,friedman-root,integrated-hessians,cross-hessian"
    one = api.detectors(model, table, detectors=kept, **QUICK)
    other = replace(model, network=Opaque(model.network))
    two = api.detectors(other, table, detectors=kept, **QUICK)
    np.testing.assert_allclose(one.strengths, two.strengths, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_all_detectors_look_at_bundled_models(name):
    rows = api.load_table(name, split="test")[:12]
    found = api.detectors(f"{name}-mlp", rows, **QUICK)
    assert found.detectors == tuple(KINDS)
    assert found.left_out == ()
    known = np.isfinite(found.strengths)
    assert known.all(axis=(1, 2))[np.array(found.detectors) != "cross-hessian"].all()


def test_on_many_features_those_that_are_too_dear_are_left_out():
    rows = api.load_table("digits", split="test")[:20]
    found = api.detectors(
        "digits-mlp", rows, **QUICK, nodes=4, most=200_000, detectors=WITHOUT_SAMPLES
    )
    assert {"mixed-difference", "contexts", "weights"} <= set(found.detectors)
    assert {"friedman", "friedman-root"} <= dict(found.left_out).keys()
    assert len(found.pairs) == 500 < found.n_possible
    assert "of 2,016 pairs the 500" in " ".join(found.provenance.notes)


def test_ranks_and_agreement_are_those_of_the_strengths():
    found = some_detectors()
    assert found.ranks()[0].tolist() == [1, 2, 3, 4, 5, 6]
    assert found.ranks()[2].tolist() == [1, 3, 2, 4, 4, 4]
    np.testing.assert_array_equal(found.ranks()[3], [1, np.nan, np.nan, 3, 2, np.nan])
    assert found.firsts().tolist() == [0, 0, 0, 0]
    strengths = found.strengths[..., 0]
    rho = found.correlations()
    assert rho[0, 2] == pytest.approx(stats.spearmanr(strengths[0], strengths[2]).statistic)
    both = [0, 3, 4]
    assert rho[0, 3] == pytest.approx(
        stats.spearmanr(strengths[0, both], strengths[3, both]).statistic
    )
    assert found.overlaps(2)[0, 2] == 0.5
    assert found.overlaps(2)[0, 3] == 0.5
    assert np.isnan(found.overlaps(3)[0, 3])  # all that both know
    assert found.overlaps(5)[0, 2] == 1  # of three that the second one sees
    assert found.order()[0] == 0
    frame = found.to_frame()
    assert len(frame) == 24
    assert frame["relative"][7] == pytest.approx(8 / 9)
    top = found.top(2)
    assert list(top.columns) == ["pair", *found.detectors]
    assert list(found.costs()["seconds"]) == [0.1, 0.5, 2.0, 0.03]


def test_detectors_that_find_nothing_have_no_say():
    found = some_detectors([[0.0] * 6, [1.0, 5.0, 3.0, 0.0, 0.0, 0.0]])
    assert found.firsts().tolist() == [NOWHERE, 1]
    assert found.order()[0] == 1
    assert np.isnan(found.correlations()[0, 1])
    assert np.isnan(found.top(1)["mixed-difference"][0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"detectors": "loss,colour"}, "colour is no detector, choose among mixed-difference"),
        ({"detectors": "loss,loss"}, "a detector is named twice"),
        ({"nodes": 1}, "nodes"),
    ],
)
def test_settings_that_do_not_fit_are_refused(change, message):
    table = product_table(10)
    with pytest.raises(InvalidInputError, match=message):
        api.detectors(product_model(table), table, **change)


def test_results_that_do_not_go_together_are_refused():
    for change, message in (
        ({"units": ("EUR",)}, "do not fit their names and units"),
        ({"detectors": ("a", "b", "c", "d")}, "no detector 'a'"),
        ({"pairs": np.full((6, 2), 9)}, "not among the 4 there are"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            some_detectors(**change)
    with pytest.raises(InvalidInputError, match="at least 1 pair"):
        some_detectors().overlaps(0)
