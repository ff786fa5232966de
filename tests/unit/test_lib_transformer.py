"""A small transformer against one written head by head, and its sections' bases and edges."""

from types import SimpleNamespace

import pytest
import torch

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.engines.lib.bases import fit_lib, fit_pca, rule_name
from workbench.engines.lib.params import LibParams
from workbench.engines.lib.sections import Sections
from workbench.engines.lib.transformer import NAMES, SmallTransformer, cut_transformer
from workbench.numerics.basis_ablation import Cut, with_edges, with_features
from workbench.numerics.section_jacobians import attributions, gauss_legendre

TOKENS, WIDTH, HEADS = 12, 8, 2


def network(kind=SmallTransformer, seed=0):
    torch.manual_seed(seed)
    made = kind(tokens=TOKENS, outputs=5, width=WIDTH, heads=HEADS)
    with torch.no_grad():  # biases are zero at first, which would hide faults
        for bias in (made.mlp.up.bias, made.mlp.down.bias):
            bias.normal_(0, 0.5)
    return made


def rows(n=200):
    return torch.randint(0, TOKENS, (n, 3), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def toy():
    tokens = rows()
    sections = cut_transformer(network(), tokens)
    layers = sections.layers(tokens)
    return SimpleNamespace(
        sections=sections, layers=layers,
        lib=fit_lib(sections, layers, LibParams(), Context(), lambda _: None),
        pca=fit_pca(sections, layers, LibParams(), Context(), lambda _: None),
    )  # fmt: skip


def by_definition(made, tokens):
    """Scores of one row, with a causal mask, at every position, one head at a time."""
    stream = torch.stack([made.embedding.token[t] for t in tokens]) + made.embedding.position
    heads = made.attention
    brought = stream.clone()
    for h in range(HEADS):
        query, key, value = (
            stream @ matrix[h] for matrix in (heads.query, heads.key, heads.value)
        )  # fmt: skip
        scores = query @ key.T / (WIDTH // HEADS) ** 0.5
        hidden = torch.ones(3, 3, dtype=torch.bool).triu(1)
        brought = (
            brought + scores.masked_fill(hidden, -torch.inf).softmax(1) @ value @ (heads.output[h])
        )
    stream = brought
    up, down = made.mlp.up, made.mlp.down
    stream = stream + torch.relu(stream @ up.weight.T + up.bias) @ down.weight.T + down.bias
    return (stream @ made.unembed.weight.T)[-1]


def test_it_is_a_causal_transformer_read_at_the_last_position():
    made = network().double()
    tokens = rows(20)
    want = torch.stack([by_definition(made, row) for row in tokens])
    torch.testing.assert_close(made(tokens), want, rtol=1e-12, atol=1e-12)


def test_sections_add_up_to_the_network(toy):
    tokens = rows()
    assert toy.sections.names == NAMES
    assert [tuple(layer.shape[1:]) for layer in toy.layers] == [(3, 8), (1, 8), (1, 8), (1, 5)]
    whole = network().double()(tokens)
    assert (toy.layers[-1][:, 0] - whole).abs().max() <= 1e-9
    split = toy.sections.layers(tokens, rows=7)
    torch.testing.assert_close(split[-1], toy.layers[-1])


class Crossing(SmallTransformer):
    def forward(self, tokens):
        return super().forward(tokens) + self.embedding(tokens)[:, 0] @ self.unembed.weight.T


def test_a_network_whose_sections_do_not_add_up_is_refused():
    with pytest.raises(InvalidInputError, match="do not add up to the network"):
        cut_transformer(network(Crossing), rows())
    with pytest.raises(InvalidInputError, match="multiple of the number of heads"):
        SmallTransformer(tokens=3, outputs=2, width=6, heads=4)


def test_attention_is_integrated_and_what_bends_is_not(toy):
    rules = [rule_name(toy.sections, at, LibParams()) for at in range(3)]
    assert rules == ["gauss-legendre 8", "gradient", "gradient"]
    basis, after = toy.lib.bases[1:3]
    part = toy.layers[1][:50]
    torch.testing.assert_close(
        attributions(toy.sections.parts[1], part, basis, after),
        attributions(toy.sections.parts[1], part, basis, after, gauss_legendre(20)),
        rtol=1e-10, atol=1e-10,
    )  # fmt: skip


def test_identities_of_the_basis_hold_with_positions(toy):
    """Back undoes into, covariances are importances, and features are equally sensitive."""
    for at, section in enumerate(toy.sections.parts):
        here, there, layer = toy.lib.bases[at], toy.lib.bases[at + 1], toy.layers[at]
        k = len(here)
        assert (here.back @ here.into - torch.eye(k)).abs().max() <= 1e-9
        features = here.features(layer).reshape(-1, k)
        assert features.mean(0).abs().max() <= 1e-10 * here.importance[0].sqrt().clamp(min=1)
        spread = features.T @ features / len(features) - here.importance.diag()
        assert spread.abs().max() <= 1e-8 * here.importance[0]
        gram = torch.zeros(k, k, dtype=torch.float64)
        for row in layer:  # of each row, by plain autograd: [t i s j]
            jacobian = torch.autograd.functional.jacobian(
                lambda f, section=section, there=there: (section(f[None]) @ there.into)[0], row
            )
            inner = torch.einsum("tisd,jd->tisj", jacobian, here.back)
            gram += torch.einsum("tisj,tisk->jk", inner, inner)
        gram /= layer.shape[0] * layer.shape[1]
        assert (gram - torch.eye(k)).abs().max() <= 1e-6
    assert len(toy.lib.bases[2]) <= 5, "before a linear head no more features than classes"


def test_attributions_and_what_is_constant_give_the_feature(toy):
    """The integral along the way from zero is what the feature gains: of attention as well."""
    section, here, there = toy.sections.parts[0], *toy.lib.bases[:2]
    part, rule = toy.layers[0][:5], gauss_legendre(32)
    signed = attributions(section, part, here, there, rule)[:, 0].sum(-1)
    # What no feature carries, by plain autograd: the mean, and directions that were dropped.
    steady = part - here.features(part) @ here.back
    for point, weight in zip(rule.points, rule.weights, strict=True):
        for n, row in enumerate(part):
            slope = torch.autograd.functional.jacobian(
                lambda f: (section(f[None]) @ there.into)[0, 0], row * point
            )
            signed[n] += weight * torch.einsum("ksd,sd->k", slope, steady[n])
    torch.testing.assert_close(signed, (section(part) @ there.into)[:, 0], rtol=1e-9, atol=1e-9)


class Turned(torch.nn.Module):
    """A section with its inputs and outputs in other coordinates."""

    def __init__(self, section, inward, outward):
        super().__init__()
        self.section, self.inward, self.outward = section, inward, outward

    def forward(self, activations):
        return self.section(activations @ self.inward) @ self.outward


def test_other_coordinates_of_a_layer_change_no_edge_but_those_of_principal_components(toy):
    torch.manual_seed(3)
    turn = torch.randn(WIDTH, WIDTH, dtype=torch.float64) + 2 * torch.eye(WIDTH)
    same = torch.eye(WIDTH, dtype=torch.float64)
    attention, mlp, unembed = toy.sections.parts
    parts = (Turned(attention, same, turn), Turned(mlp, turn.inverse(), same), unembed)
    other = Sections(NAMES, parts, toy.sections.dense, toy.sections.bends)
    layers = [toy.layers[0], toy.layers[1] @ turn, *toy.layers[2:]]
    for fit, old, is_same in ((fit_lib, toy.lib, True), (fit_pca, toy.pca, False)):
        new = fit(other, layers, LibParams(), Context(), lambda _: None)
        change = max(
            float((a - b).abs().max() / b.abs().max())
            for a, b in zip(new.edges, old.edges, strict=True)
        )
        assert (change <= 1e-9) if is_same else (change > 1e-2)


def test_what_is_kept_whole_changes_nothing_and_nothing_kept_is_one_answer(toy):
    truth = toy.layers[-1][:, 0].argmax(1)

    def judge(outputs):
        return float((outputs[:, 0].argmax(1) == truth).double().mean())

    cut = Cut(toy.sections.parts, toy.layers, toy.lib.bases, judge)
    for at, edges in enumerate(toy.lib.edges):
        assert with_features(cut, at, len(toy.lib.bases[at])) == 1.0
        assert with_edges(cut, at, torch.ones_like(edges, dtype=torch.bool)) == 1.0
        assert with_features(cut, at, 0) <= float(truth.bincount().max()) / len(truth) + 1e-12
