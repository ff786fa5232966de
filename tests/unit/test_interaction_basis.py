"""The Local Interaction Basis against its two identities, closed forms and finite differences."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from torch.func import jacrev, vmap

from workbench.numerics.basis_ablation import (
    Cut,
    edges_required,
    few_features,
    few_features_everywhere,
    few_of_both,
    schedule,
    strongest,
    through_edges,
    with_edges,
    with_edges_everywhere,
    with_features,
    with_features_everywhere,
)
from workbench.numerics.interaction_basis import (
    Basis,
    interaction_basis,
    moments,
    neuron_basis,
    principal_basis,
)
from workbench.numerics.section_jacobians import (
    GRADIENT,
    Dense,
    attributions,
    dense_edges,
    dense_gram,
    edges,
    gauss_legendre,
    jacobian_gram,
)

DOUBLE = torch.float64


def chain(widths, activation=nn.ReLU, seed=0):
    """Sections of a dense network, and their linear layers."""
    torch.manual_seed(seed)
    linears = [nn.Linear(a, b).to(DOUBLE) for a, b in pairwise(widths)]
    last = len(linears) - 1
    made = [nn.Sequential(m, activation()) if i < last else m for i, m in enumerate(linears)]
    for section in made:
        section.requires_grad_(False)
    return made, linears


def rows(n, d, seed=1):
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)
    return torch.from_numpy(mixed)[:, None]


def layers_of(sections, X):
    found = [X]
    for section in sections:
        found.append(section(found[-1]))
    return found


def fitted(sections, layers, *, rotated=False):
    """Bases from the last layer to the first, by the generic way."""
    last = principal_basis if rotated else neuron_basis
    bases = [last(*moments(layers[-1]))]
    for section, activations in zip(reversed(sections), reversed(layers[:-1]), strict=True):
        gram = jacobian_gram(section, activations, bases[0].into)
        bases.insert(0, interaction_basis(*moments(activations), gram))
    return bases


@pytest.fixture(scope="module")
def toy():
    sections, linears = chain([12, 10, 9, 4])
    layers = layers_of(sections, rows(1000, 12))
    return sections, linears, layers, fitted(sections, layers)


def slope(linear):
    return lambda f: (linear(f) > 0).to(DOUBLE)


def test_back_undoes_into_and_features_have_their_importance_as_covariance(toy):
    _, _, layers, bases = toy
    for activations, basis in zip(layers[:-1], bases, strict=False):
        torch.testing.assert_close(
            basis.back @ basis.into, torch.eye(len(basis), dtype=DOUBLE), atol=1e-9, rtol=0
        )
        mean, covariance = moments(basis.features(activations))
        assert mean.abs().max() < 1e-10
        wanted = torch.diag(basis.importance)
        assert (covariance - wanted).abs().max() < 1e-8 * basis.importance[0]
        assert (basis.importance.diff() <= 0).all()
        assert (basis.importance >= 0).all()
    assert len(bases[-2]) <= 4, "no more than there are outputs"


def test_every_feature_moves_the_next_ones_alike(toy):
    sections, _, layers, bases = toy
    for section, activations, here, there in zip(sections, layers, bases, bases[1:], strict=False):

        def onto(features, section=section, here=here, there=there):
            return there.features(section(here.activations(features)[None])[0])

        jacobians = vmap(jacrev(onto))(here.features(activations)).squeeze((1, 3))
        gram = torch.einsum("nij,nik->jk", jacobians, jacobians) / len(activations)
        assert (gram - torch.eye(len(here), dtype=DOUBLE)).abs().max() < 1e-6


def test_another_parametrisation_of_a_layer_changes_no_edge_but_those_of_principal_components(toy):
    sections, _, layers, bases = toy
    torch.manual_seed(5)
    turn = torch.randn(10, 10, dtype=DOUBLE)

    class Turned(nn.Module):
        def forward(self, f):
            return sections[0](f) @ turn

    class Back(nn.Module):
        def forward(self, f):
            return sections[1](f @ torch.linalg.inv(turn))

    others = [Turned(), Back(), sections[2]]
    new = layers_of(others, layers[0])
    again = fitted(others, new)
    for at in range(3):
        before = edges(sections[at], layers[at], bases[at], bases[at + 1])
        after = edges(others[at], new[at], again[at], again[at + 1])
        assert (after - before).abs().max() <= 1e-9 * before.max()
    pca = [principal_basis(*moments(f)) for f in layers]
    turned = [principal_basis(*moments(f)) for f in new]
    before = edges(sections[0], layers[0], pca[0], pca[1])
    after = edges(others[0], new[0], turned[0], turned[1])
    assert (after - before).abs().max() > 1e-2 * before.max()


def test_a_linear_network_has_one_edge_for_each_feature():
    sections, _ = chain([8, 7, 6, 5], activation=nn.Identity)
    layers = layers_of(sections, rows(1000, 8))
    bases = fitted(sections, layers, rotated=True)
    for at in range(3):
        found = edges(sections[at], layers[at], bases[at], bases[at + 1])
        off = found - torch.diag(found.diagonal())
        assert off.abs().max() <= 1e-7 * found.max()


def test_with_outputs_as_they_are_only_the_last_section_of_a_linear_network_has_more_edges():
    sections, _ = chain([8, 7, 6, 5], activation=nn.Identity)
    layers = layers_of(sections, rows(1000, 8))
    bases = fitted(sections, layers)
    for at in range(2):
        found = edges(sections[at], layers[at], bases[at], bases[at + 1])
        off = found - torch.diag(found.diagonal())
        assert off.abs().max() <= 1e-7 * found.max()


def test_turning_the_outputs_changes_no_earlier_edge(toy):
    sections, _, layers, bases = toy
    turned = fitted(sections, layers, rotated=True)
    for at in range(2):
        before = edges(sections[at], layers[at], bases[at], bases[at + 1])
        after = edges(sections[at], layers[at], turned[at], turned[at + 1])
        assert (after - before).abs().max() <= 1e-9 * before.max()


def test_the_closed_form_of_a_dense_section_equals_its_jacobians(toy):
    sections, linears, layers, bases = toy
    for at, linear in enumerate(linears):
        dense = Dense(linear.weight, slope(linear) if at < 2 else None)
        want = jacobian_gram(sections[at], layers[at], bases[at + 1].into)
        got = dense_gram(dense, layers[at], bases[at + 1].into, rows=300)
        assert (got - want).abs().max() <= 1e-10 * want.abs().max()
        want = edges(sections[at], layers[at], bases[at], bases[at + 1])
        got = dense_edges(dense, layers[at], bases[at], bases[at + 1], rows=300)
        assert (got - want).abs().max() <= 1e-9 * want.max()


def test_rows_in_parts_give_the_same_as_all_at_once(toy):
    sections, _, layers, bases = toy
    whole = jacobian_gram(sections[0], layers[0], bases[1].into)
    parts = jacobian_gram(sections[0], layers[0], bases[1].into, budget=50_000)
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-12)


def test_a_jacobian_by_rows_equals_one_by_columns_and_autograd():
    wide, _ = chain([5, 9])
    narrow, _ = chain([9, 5])
    for (section,) in (wide, narrow):
        d = section.weight.shape[1]
        X = rows(20, d)
        into = torch.eye(section.weight.shape[0], dtype=DOUBLE)
        want = section.weight.T @ section.weight
        torch.testing.assert_close(jacobian_gram(section, X, into), want)


@pytest.mark.parametrize(("d", "e"), [(5, 9), (9, 5)])
def test_edges_by_either_mode_are_those_of_gradients_one_after_another(d, e):
    torch.manual_seed(2)
    section = nn.Sequential(nn.Linear(d, e), nn.Tanh()).to(DOUBLE).requires_grad_(False)
    X = rows(40, d) / 3
    here, there = (principal_basis(*moments(f)) for f in (X, section(X)))
    want = torch.zeros(len(there), len(here), dtype=DOUBLE)
    for row in X:
        features = here.features(row).requires_grad_()
        said = there.features(section(here.activations(features)))[0]
        for i in range(len(there)):
            (slope,) = torch.autograd.grad(said[i], features, retain_graph=True)
            want[i] += (slope * features).detach()[0].square() / len(X)
    found = edges(section, X, here, there)
    assert (found - want).abs().max() <= 1e-9 * want.max()


def test_along_the_way_from_zero_a_relu_has_one_slope_and_a_tanh_many(toy):
    sections, _, layers, bases = toy
    part = layers[0][:50]
    straight = attributions(sections[0], part, bases[0], bases[1], GRADIENT)
    curved = attributions(sections[0], part, bases[0], bases[1], gauss_legendre(20))
    assert (curved - straight).abs().max() < 1e-12 * max(1, straight.abs().max())
    smooth, _ = chain([6, 8], activation=nn.Tanh)
    tanh = nn.Sequential(smooth[0], nn.Tanh())
    X = rows(200, 6) / 3
    first, last = (neuron_basis(*moments(f)) for f in (X, tanh(X)))
    exact = attributions(tanh, X, first, last, gauss_legendre(64))
    for points, most in ((8, 1e-4), (16, 1e-8)):
        found = attributions(tanh, X, first, last, gauss_legendre(points))
        assert (found - exact).abs().max() < most
    assert (attributions(tanh, X, first, last) - exact).abs().max() > 1e-2


@pytest.mark.parametrize("rounding", [(1, -1 - 1e-12), (-1 - 1e-12, 1)])
def test_the_sign_of_a_feature_of_equal_loadings_is_not_left_to_rounding(rounding):
    """Yes and no of one question: their columns always add up to 1."""
    spread = torch.tensor([*rounding, 0.0], dtype=DOUBLE)
    covariance = spread[:, None] * spread
    for basis in (
        principal_basis(torch.zeros(3, dtype=DOUBLE), covariance),
        interaction_basis(torch.zeros(3, dtype=DOUBLE), covariance, torch.eye(3, dtype=DOUBLE)),
    ):
        assert basis.back[0, 0] > 0 > basis.back[0, 1]


def test_random_signs_come_closer_with_their_number_and_are_exact_for_one_output(toy):
    sections, _, layers, bases = toy
    exact = jacobian_gram(sections[0], layers[0], bases[1].into)
    error = {}
    for sources in (1, 16, 256):
        rng = np.random.default_rng(0)
        drawn = jacobian_gram(sections[0], layers[0], bases[1].into, sources=sources, rng=rng)
        error[sources] = float((drawn - exact).norm() / exact.norm())
    assert error[256] < error[16] < error[1]
    one = bases[1].into[:, :1]
    exact = jacobian_gram(sections[0], layers[0], one)
    drawn = jacobian_gram(sections[0], layers[0], one, sources=1, rng=np.random.default_rng(3))
    torch.testing.assert_close(drawn, exact)


def test_with_positions_more_signs_come_closer():
    class Places(nn.Module):
        def forward(self, f):
            return torch.tanh(torch.einsum("nsd,st,de->nte", f, mix, weight))

    torch.manual_seed(3)
    mix, weight = torch.randn(4, 3, dtype=DOUBLE), torch.randn(5, 6, dtype=DOUBLE)
    X = torch.randn(60, 4, 5, dtype=DOUBLE)
    into = torch.randn(6, 6, dtype=DOUBLE)
    exact = jacobian_gram(Places(), X, into)
    error = {
        sources: np.mean([
            float((jacobian_gram(Places(), X, into, sources=sources,
                                 rng=np.random.default_rng(seed)) - exact).norm())
            for seed in range(8)
        ])
        for sources in (1, 4, 16)
    }  # fmt: skip
    assert error[16] < error[4] < error[1]
    assert error[1] / error[16] == pytest.approx(4, rel=0.4), "by the root of their number"


def test_constant_and_repeated_columns_dead_units_and_dead_layers_are_dropped():
    sections, linears = chain([6, 5, 3])
    X = rows(500, 6)
    X[..., 1] = X[..., 0]
    X[..., 2] = 4.0
    linears[0].weight[1] = 0.0
    linears[0].bias[1] = -1.0
    layers = layers_of(sections, X)
    bases = fitted(sections, layers)
    assert bases[0].unvisited == 2
    assert bases[1].unvisited == 1
    for basis in bases:
        assert torch.isfinite(basis.into).all()
        assert torch.isfinite(basis.back).all()
    linears[0].bias[:] = -1e6
    dead = layers_of(sections, X)
    bases = fitted(sections, dead)
    assert [len(basis) for basis in bases[:2]] == [0, 0]
    assert edges(sections[0], dead[0], bases[0], bases[1]).shape == (0, 0)


def judge_of(layers):
    truth = layers[-1][:, 0].argmax(1)
    return lambda outputs: float((outputs[:, 0].argmax(1) == truth).double().mean())


def cut_of(toy):
    sections, _, layers, bases = toy
    return Cut(sections, layers, bases, judge_of(layers))


def test_keeping_everything_changes_nothing_and_keeping_nothing_leaves_one_class(toy):
    cut = cut_of(toy)
    full = [len(basis) for basis in cut.bases]
    assert cut.base() == 1.0
    assert all(with_features(cut, at, full[at]) == 1.0 for at in range(3))
    assert with_features_everywhere(cut, max(full)) == 1.0
    masks = [torch.ones(full[at + 1], full[at], dtype=torch.bool) for at in range(3)]
    assert with_edges_everywhere(cut, masks) == 1.0
    largest = max(torch.bincount(cut.layers[-1][:, 0].argmax(1)) / 1000)
    assert with_features(cut, 0, 0) <= largest
    assert with_edges(cut, 1, torch.zeros_like(masks[1])) <= largest


def test_how_sure_a_loss_is_is_the_standard_error_of_its_mean_over_the_same_rows(toy):
    sections, _, layers, bases = toy
    truth = layers[-1][:, 0, 0] + torch.from_numpy(np.random.default_rng(4).normal(size=1000))

    def judge(outputs):
        return -(outputs[:, 0, 0] - truth).square()

    cut = Cut(sections, layers, bases, lambda outputs: float(judge(outputs).mean()), judge)
    outputs = few_features(cut, 0, 3)
    lost = (judge(outputs) - judge(layers[-1])).numpy()
    assert cut.error(outputs) == pytest.approx(stats.sem(lost), rel=1e-12)
    assert cut.error(layers[-1]) == 0, "nothing was lost on any row"
    assert np.isnan(cut_of(toy).error(outputs)), "worth is not known by rows"


def test_features_see_only_what_a_mask_leaves_them(toy):
    sections, _, layers, bases = toy
    cut = cut_of(toy)
    rng = np.random.default_rng(2)
    mask = torch.from_numpy(rng.random((len(bases[2]), len(bases[1]))) < 0.4)
    found = bases[2].features(through_edges(cut, 1, layers[1], mask))
    features = bases[1].features(layers[1])
    for i in range(len(bases[2])):
        seen = bases[1].activations(features * mask[i].to(DOUBLE))
        want = bases[2].features(sections[1](seen))[..., i]
        torch.testing.assert_close(found[..., i], want)


def test_of_few_features_few_edges_stay_by_the_definition(toy):
    """Feature by feature: what is left of it, seen through the edges that are left to it."""
    cut = cut_of(toy)
    rng = np.random.default_rng(5)
    sizes = [len(basis) for basis in cut.bases]
    edges = [torch.from_numpy(rng.random((b, a))) for a, b in pairwise(sizes)]
    features, kept = 3, 5
    here = cut.bases[0].features(cut.layers[0])
    for at, values in enumerate(edges):
        n_next = sizes[at + 1] if at + 1 == len(edges) else features
        block = values[:n_next, :features]
        least = block.flatten().sort(descending=True).values[kept - 1]
        there = torch.zeros(*here.shape[:2], sizes[at + 1], dtype=DOUBLE)
        for i in range(n_next):
            seen = torch.zeros_like(here)
            for j in range(features):
                if block[i, j] >= least:
                    seen[..., j] = here[..., j]
            after = cut.sections[at](cut.bases[at].activations(seen))
            there[..., i] = cut.bases[at + 1].features(after)[..., i]
        here = there
    want = cut.bases[-1].activations(here)
    torch.testing.assert_close(few_of_both(cut, edges, features, kept), want)


def test_with_all_edges_or_all_features_the_other_alone_is_left_out(toy):
    cut = cut_of(toy)
    sizes = [len(basis) for basis in cut.bases]
    edges = [torch.rand(b, a, dtype=DOUBLE) for a, b in pairwise(sizes)]
    torch.testing.assert_close(
        few_of_both(cut, edges, 2, 10**6), few_features_everywhere(cut, 2)
    )  # fmt: skip
    masks = [strongest(each, 4) for each in edges]
    assert cut.judge(few_of_both(cut, edges, 10**6, 4)) == with_edges_everywhere(cut, masks)


def test_the_strongest_edges_of_a_diagonal_are_the_diagonal():
    diagonal = torch.diag(torch.tensor([3.0, 2.0, 1.0]))
    assert strongest(diagonal, 3).equal(torch.eye(3, dtype=torch.bool))
    assert strongest(torch.ones(2, 2), 1).tolist() == [[True, False], [False, False]]


def test_how_few_edges_are_enough_is_found_and_not_more_for_a_greater_tolerance():
    def worth(n):
        return min(1.0, n / 100) if n != 30 else 0.1

    for least in (0.95, 0.6, 0.4):
        found, tried = edges_required(worth, 400, least)
        assert found == round(100 * least)
        assert all(tried[n] == worth(n) for n in tried)
    assert edges_required(lambda _: 1.0, 50, 0.9)[0] == 0
    assert schedule(500)[0] == 0


def test_a_basis_in_another_order_says_the_same():
    X = rows(100, 4)
    basis = principal_basis(*moments(X))
    order = torch.tensor([2, 0, 3, 1])
    turned = basis.reordered(order)
    torch.testing.assert_close(turned.features(X), basis.features(X)[..., order])
    torch.testing.assert_close(turned.activations(turned.features(X)), X)
    assert isinstance(turned, Basis)
