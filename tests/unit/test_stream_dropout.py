"""Near-copies by dropout: closed forms, one noise per member, and the weights that make them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.networks import Opaque, tiny_model, tiny_table
from workbench.core.errors import InvalidInputError
from workbench.numerics.stream.dropout import Dropout
from workbench.numerics.stream.family import Family, Members, materialise
from workbench.numerics.stream.near_copies import NearCopies, chain_of
from workbench.numerics.stream.noise import deviations, draw
from workbench.numerics.stream.published import PublishedDropout

SITES = ["units", "weights", "rank-one"]
LAWS = ["gaussian", "bernoulli"]
TABLE = tiny_table()
CLOSE = {"atol": 1e-6, "rtol": 1e-5}


def members_of(numbers, strength=0.4, stretch=1.0):
    b = len(numbers)
    ones = torch.ones(b).double()
    return Members(torch.tensor(numbers), strength * ones, stretch * ones)


def build(network="mlp", **arguments):
    return tiny_model(TABLE, network=network, dtype=torch.float32, **arguments)


def inputs_of(model):
    return model.encode(TABLE.X)


@pytest.mark.parametrize("law", LAWS)
def test_excess_loss_of_a_linear_model_has_its_closed_form(law):
    d, n, k, v = 50, 10_000, 20_000, 0.1 / 0.9
    table = tiny_table(n=n, d=d, categorical=False, task="regression")
    model = tiny_model(table, network="linear")
    X = model.encode(table.X)
    generator = torch.Generator().manual_seed(0)
    y = X @ torch.randn(d, generator=generator).double()
    y += 2 * torch.randn(n, generator=generator).double()
    A = X.T @ X / n
    w = torch.linalg.solve(A + torch.eye(d) / n, X.T @ y / n)
    model.network.first.weight.copy_(w[None])
    family = Dropout(model, "weights", law, seed=0)
    moved = family.weights(members_of(list(range(k)), v**0.5))["first.weight"][:, 0] - w
    gradient = 2 * (A @ w - X.T @ y / n)
    excess = torch.einsum("ki,ij,kj->k", moved, A, moved) + moved @ gradient
    T = w[:, None] * A * w
    assert float(excess.mean()) == pytest.approx(v * float(T.trace()), rel=0.02)
    if law == "gaussian":
        variance = 2 * v**2 * T.square().sum() + v * (w * gradient).square().sum()
        assert float(excess.std()) == pytest.approx(float(variance.sqrt()), rel=0.03)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("site", SITES)
def test_noise_has_mean_1_and_the_strength_as_its_standard_deviation(site, law):
    model, strength = build(hidden=(64,)), 0.5
    for name, found in (
        Dropout(model, site, law, 0).weights(members_of(list(range(4000)), strength)).items()
    ):
        own = dict(model.network.named_parameters())[name]
        ratio = found / own
        assert float(ratio.mean()) == pytest.approx(1, abs=0.02), name
        spread = (ratio - 1).square().mean().sqrt()
        assert float(spread) == pytest.approx(strength, rel=0.05), name


@given(st.integers(0, 2**31), st.integers(1, 40))
def test_numbers_of_a_member_are_its_own(number, size):
    alone = draw("gaussian", 3, torch.tensor([number]), size)
    among = draw("gaussian", 3, torch.tensor([5, number, number + 1]), size)
    assert torch.equal(alone[0], among[1])
    assert not torch.equal(among[1], among[2])
    assert not torch.equal(alone, draw("gaussian", 4, torch.tensor([number]), size))


def test_members_are_independent_of_each_other():
    drawn = draw("gaussian", 0, torch.arange(2000), 50)
    products = drawn.T @ drawn / 2000 - torch.eye(50)
    assert float(products.abs().max()) < 5 / 2000**0.5
    neighbours = (drawn[1:] * drawn[:-1]).mean()
    assert abs(float(neighbours)) < 5 / (2000 * 50) ** 0.5


def test_strength_0_changes_nothing_and_bernoulli_drops_at_its_rate():
    drawn = draw("bernoulli", 0, torch.arange(400), 250)
    nothing, some = torch.zeros(400).double(), torch.full((400,), 0.5).double()
    assert bool((deviations("bernoulli", drawn, nothing) == 0).all())
    u = 1 + deviations("bernoulli", drawn, some)
    assert set(u.unique().tolist()) == {0.0, 1.25}  # rate 0.2, so 1 / (1 - 0.2)
    assert float((u == 0).double().mean()) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("network", ["mlp", "tabular-resnet"])
def test_a_member_is_the_model_that_its_weights_make(network, site, law):
    arguments = {} if network == "mlp" else {"width": 8, "hidden": 12}
    model = build(network, **arguments)
    family = Dropout(model, site, law, 1)
    assert isinstance(family, Family)
    members = members_of([4, 9, 2], stretch=0.7)
    said = family.logits(inputs_of(model), members)
    for place in range(3):
        made = materialise(family, members, place)
        with torch.no_grad():
            torch.testing.assert_close(said[place], made.network(inputs_of(model)), **CLOSE)
        other = materialise(Dropout(model, site, law, 2), members, place)
        assert len({made.digest, other.digest, model.digest}) == 3
    assert not torch.allclose(said[0], said[1])


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("site", SITES)
def test_a_stretch_goes_so_far_along_the_way_from_the_model(site, law):
    model = build()
    family, own = Dropout(model, site, law, 1), dict(model.network.named_parameters())
    still, half, whole = (
        family.weights(members_of([4, 9], stretch=stretch)) for stretch in (0.0, 0.5, 1.0)
    )
    for name, base in own.items():
        if name not in whole:
            continue
        assert not torch.allclose(whole[name], base.expand_as(whole[name]))
        torch.testing.assert_close(still[name], base.expand_as(still[name]), rtol=0, atol=0)
        torch.testing.assert_close(half[name], (base + whole[name]) / 2, **CLOSE)


def test_noise_on_units_is_what_dropout_does_to_what_leaves_an_activation():
    model = build(hidden=(16, 8))
    family, members = Dropout(model, "units", "bernoulli", 0), members_of([3], 0.8)
    numbers = draw("bernoulli", 0, members.numbers, 24)
    drawn = 1 + deviations("bernoulli", numbers, members.strengths)
    first, net = model.network.first, model.network.layers
    with torch.no_grad():
        hidden = first(inputs_of(model)).relu() * drawn[:, :16]
        expected = net[5](net[2](hidden).relu() * drawn[:, 16:])
    torch.testing.assert_close(family.logits(inputs_of(model), members)[0], expected, **CLOSE)


@pytest.mark.parametrize("site", SITES)
def test_answers_do_not_depend_on_the_other_rows_and_members(site):
    model = build()
    family, X = Dropout(model, site, "gaussian", 0), inputs_of(model)
    members = members_of(list(range(30)))
    whole = family.logits(X, members).softmax(-1)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    shuffled = family.logits(X[order], members).softmax(-1)
    single = torch.cat([family.logits(x[None], members) for x in X], 1).softmax(-1)
    for other in (shuffled[:, order.argsort()], single):
        assert float((other - whole).abs().max()) < 1e-6
        assert torch.equal(other.argmax(-1), whole.argmax(-1))
    for step in (1, 7):
        parts = [family.logits(X, members.take(slice(i, i + step))) for i in range(0, 30, step)]
        torch.testing.assert_close(torch.cat(parts).softmax(-1), whole, atol=1e-5, rtol=0)


def test_published_dropout_depends_on_the_other_rows_and_makes_no_model():
    model = build()
    X, members = inputs_of(model), members_of([1, 2])
    family = PublishedDropout(model, "gaussian", 0)
    whole = family.logits(X, members)
    assert isinstance(family, Family)
    assert not torch.allclose(family.logits(X.flip(0), members).flip(1), whole)
    nothing = family.logits(X, members._replace(strengths=torch.zeros(2).double()))
    with torch.no_grad():
        torch.testing.assert_close(nothing, model.network(X).expand(2, -1, -1), **CLOSE)
    with pytest.raises(InvalidInputError, match="not one model but another one for every row"):
        materialise(family, members)


def test_published_dropout_moves_logits_of_a_model_without_hidden_units():
    model = build("linear")
    X, members = inputs_of(model), members_of([1, 2])
    with torch.no_grad():
        own = model.network(X)
    assert not torch.allclose(PublishedDropout(model, "bernoulli", 0).logits(X, members)[0], own)


@pytest.mark.parametrize("site", ["units", "rank-one"])
def test_logits_are_never_touched(site):
    model = build("linear")
    if site == "units":
        with pytest.raises(InvalidInputError, match="has no hidden units"):
            Dropout(model, site, "gaussian", 0)
        return
    found = Dropout(model, site, "gaussian", 0).weights(members_of([0]))["first.weight"][0]
    ratio = found / model.network.first.weight
    torch.testing.assert_close(ratio[0], ratio[1])  # columns move as one, rows of logits never


def test_only_weights_of_linear_layers_move_and_the_first_is_left_to_noise_on_weights():
    model = build("tabular-resnet", width=8, hidden=12)
    names = set(Dropout(model, "units", "gaussian", 0).weights(members_of([0])))
    assert "first.weight" not in names
    assert all(name.endswith(".weight") for name in names)
    assert set(Dropout(model, "weights", "gaussian", 0).weights(members_of([0]))) == names | {
        "first.weight"
    }


def test_a_network_that_hides_its_input_keeps_layers_as_wide_as_it():
    width = len(build().groups)
    layers = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4), nn.ReLU())
    model = build()
    object.__setattr__(model, "network", Opaque(nn.Sequential(layers, nn.Linear(4, 2))).eval())
    names = Dropout(model, "units", "gaussian", 0).weights(members_of([0]))
    assert set(names) == {"network.1.weight"}


class Adds(nn.Module):
    """A network whose parts stand in order but are not used so."""

    def __init__(self, width):
        super().__init__()
        self.one, self.act, self.two = nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)

    def forward(self, x):
        return x + self.two(self.act(self.one(x)))


def test_knows_a_chain_from_what_only_looks_like_one():
    width = len(build().groups)
    assert [name for name, _ in chain_of(build(hidden=(4,)).network, width)] == [
        "first", "layers.0", "layers.1", "layers.2",
    ]  # fmt: skip
    assert chain_of(Adds(width).requires_grad_(requires_grad=False), width) == ()
    assert chain_of(build("tabular-resnet", width=8, hidden=8).network, width) == ()


def test_biases_and_any_layer_may_differ_and_no_change_is_none():
    model = build(hidden=(6, 5))
    X = inputs_of(model)
    copies = NearCopies(model.network, X.shape[1])
    torch.manual_seed(0)
    changed = {
        name: value + 0.3 * torch.randn(3, *value.shape)
        for name, value in model.network.named_parameters()
        if name != "layers.2.weight"
    }
    found = copies.logits(X, changed)
    for place in range(3):
        own = {name: value[place] for name, value in changed.items()}
        with torch.no_grad():
            expected = torch.func.functional_call(model.network, own, (X,))
        torch.testing.assert_close(found[place], expected, **CLOSE)
    with torch.no_grad():
        assert torch.equal(copies.logits(X, {})[0], model.network(X))
    assert copies.row_bytes(["layers.5.weight"]) < copies.row_bytes(["first.weight"])


@pytest.mark.cuda
@pytest.mark.parametrize("site", SITES)
def test_members_are_the_same_on_a_gpu(site):
    model = build()
    members = members_of(list(range(50)))
    here = Dropout(model, site, "gaussian", 0).logits(inputs_of(model), members)
    moved = model.to("cuda")
    there = Dropout(moved, site, "gaussian", 0).logits(inputs_of(moved), members)
    torch.testing.assert_close(there.softmax(-1).cpu(), here.softmax(-1), atol=1e-5, rtol=0)
