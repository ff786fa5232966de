"""Conversion: the graph says what the module said, or the module is refused in one sentence."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from workbench import api
from workbench.core.card import Architecture
from workbench.core.errors import RegistryError
from workbench.core.model import splits_first_layer
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.registry.convert import NOT_SPLIT, convert_module
from workbench.registry.store import load_model, publish


def schema(d=6, classes=("no", "yes"), **more):
    tasks = {0: "regression", 2: "binary"}
    features = tuple(Feature(name=f"x{i}", range=(-2, 2)) for i in range(d))
    return Schema(features=features, target="y", classes=classes,
                  task=tasks.get(len(classes), "multiclass"), **more)  # fmt: skip


def converted(module, known=None, **more):
    return convert_module(module, known or schema(), name="net", **more)


def refusal(module, known=None, **more):
    with pytest.raises(RegistryError) as caught:
        converted(module, known, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def randomise(module, seed=0):
    """Random numbers everywhere, running statistics included, in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    return module.eval()


def rows(n=5, p=6):
    return torch.randn(n, p, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


# --- the same numbers ----------------------------------------------------------------------------


class Credit(nn.Module):
    """A residual block, batch norm, dropout as layer and as function, functional activations."""

    def __init__(self, p):
        super().__init__()
        self.inp, self.norm = nn.Linear(p, 8), nn.BatchNorm1d(8)
        self.inner, self.head = nn.Linear(8, 8), nn.Linear(8, 1)
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        h = functional.relu(self.inp(x))
        h = h + self.drop(functional.relu(self.inner(self.norm(h)), inplace=True))
        h = functional.dropout(h, 0.1, training=self.training)
        return torch.sigmoid(self.head(h)).squeeze(1)


def people(n=40):
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "age": rng.integers(18, 80, n), "income": 1e4 * rng.gamma(2, size=n).round(3),
        "home": rng.choice(["rent", "own", "parents"], n), "late": rng.choice(["n", "y"], n),
    })  # fmt: skip


def preprocess(frame, stats):
    """What a user has in a notebook: dummies of pandas, standardised numbers after them."""
    dummies = pd.get_dummies(frame[["home", "late"]], drop_first=False).astype(float)
    numbers = (frame[["income", "age"]] - stats["mean"]) / stats["std"]
    return torch.from_numpy(np.concatenate([dummies, numbers], axis=1))


def test_a_users_network_is_explained_as_if_it_were_called_itself(tmp_path):
    """Shapley values by enumeration of the user's own code against the converted model's."""
    frame = people()
    stats = {"mean": frame[["income", "age"]].mean(), "std": frame[["income", "age"]].std()}
    network = randomise(Credit(7)).double()
    columns = [{"feature": "home", "equals": c} for c in ("own", "parents", "rent")]
    columns += [{"feature": "late", "equals": c} for c in ("n", "y")]
    columns += [{"feature": name, "mean": float(stats["mean"][name]),
                 "scale": float(stats["std"][name])} for name in ("income", "age")]  # fmt: skip
    known = Schema(
        features=(
            Feature(name="age", integer=True, range=(18, 80)), Feature(name="income"),
            Feature(name="home", kind="categorical", categories=("rent", "own", "parents")),
            Feature(name="late", kind="categorical", categories=("n", "y")),
        ),
        target="paid", task="binary", classes=("no", "yes"),
    )  # fmt: skip
    encoder = Architecture(name="columns", arguments={"columns": columns})
    made = convert_module(network, known, name="credit", encoder=encoder)
    folder = publish(made.encoder, made.network, made.card, tmp_path)
    model = load_model(folder).to(dtype=torch.float64)
    assert model.capabilities >= {"first_layer", "dropout", "differentiable"}
    assert set(model.network.state_dict()) == set(network.state_dict())

    def own(some):
        with torch.no_grad():
            return network.float().double()(preprocess(some, stats)).numpy()

    codes = frame.assign(
        home=frame["home"].map({c: i for i, c in enumerate(known.features[2].categories)}),
        late=frame["late"].map({"n": 0, "y": 1}),
    )
    X = torch.from_numpy(codes.to_numpy(float))
    np.testing.assert_allclose(model.predict(X)[:, 1], own(frame), rtol=0, atol=1e-12)

    explained, background = frame.iloc[:3], frame.iloc[10:30]
    names = list(known.names)
    values = np.zeros((3, 4))
    for row, known_of in itertools.product(range(3), itertools.product([0, 1], repeat=4)):
        mixed = background.copy()
        for name, fixed in zip(names, known_of, strict=True):
            if fixed:
                mixed[name] = explained.iloc[row][name]
        # every category must occur for get_dummies, as in the user's own training table
        value = own(pd.concat([mixed, frame]))[: len(mixed)].mean()
        size = sum(known_of)
        for i in range(4):
            if known_of[i]:
                values[row, i] += value * math.factorial(size - 1) * math.factorial(4 - size) / 24
            else:
                values[row, i] -= value * math.factorial(size) * math.factorial(3 - size) / 24
    table = Table(known, X, torch.arange(len(X)))
    found = api.explain(model, table[:3], table[10:30], method="exact", output="probability")
    np.testing.assert_allclose(found.values[:, :, 1], values, rtol=0, atol=1e-9)


ACTIVATIONS = (nn.ReLU, nn.GELU, nn.ELU, nn.SELU, nn.SiLU, nn.Mish, nn.Tanh, nn.Sigmoid, nn.PReLU,
               nn.Softplus, nn.Hardswish, nn.LeakyReLU, nn.ReLU6, nn.CELU, nn.Softsign,
               nn.LogSigmoid, nn.Identity)  # fmt: skip


class Residual(nn.Module):
    def __init__(self, width, inner, how):
        super().__init__()
        self.body, self.how = nn.Sequential(*inner), how
        self.gate = nn.Parameter(torch.rand(width))

    def forward(self, x):
        h = self.body(x)
        if self.how == "add":
            return x + h
        if self.how == "gate":
            return x * self.gate + (1 - self.gate) * h
        if self.how == "cat":
            return torch.cat([x, h], dim=-1).chunk(2, dim=1)[0] + h
        return torch.stack([x, h], dim=1).mean(dim=1) - x.sum(1, keepdim=True) / x.shape[1]


@st.composite
def modules(draw):
    width, layers = draw(st.integers(1, 6)), []
    for _ in range(draw(st.integers(0, 4))):
        following = draw(st.integers(1, 6))
        block = [nn.Linear(width, following, bias=draw(st.booleans()))]
        block.append(draw(st.sampled_from(ACTIVATIONS))())
        extra = draw(st.sampled_from([None, nn.BatchNorm1d, nn.LayerNorm, nn.RMSNorm]))
        block += [extra(following)] if extra else []
        block += [nn.Dropout(0.2)] if draw(st.booleans()) else []
        if draw(st.booleans()):
            inner = [nn.Linear(following, following), draw(st.sampled_from(ACTIVATIONS))()]
            how = draw(st.sampled_from(["add", "gate", "cat", "mean"]))
            block.append(Residual(following, inner, how))
        layers.append(nn.Sequential(*block) if draw(st.booleans()) else nn.ModuleList(block))
        width = following
    flat = [
        part
        for block in layers
        for part in (block if isinstance(block, nn.ModuleList) else [block])
    ]
    first = next((m for m in nn.Sequential(*flat).modules() if isinstance(m, nn.Linear)), None)
    p = first.in_features if first else width
    k = draw(st.sampled_from([0, 2, 3]))
    flat.append(nn.Linear(width, max(k, 1)))
    return randomise(nn.Sequential(*flat), draw(st.integers(0, 9))), p, k


def test_a_norm_that_makes_much_of_rounding_is_no_fault():
    """Two features that are nearly equal: a layer norm turns the last bits into the answer."""
    first, last = nn.Linear(2, 2), nn.Linear(2, 1)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[0.7, 0.3], [0.7, 0.3 + 1e-5]]))
        first.bias.copy_(torch.tensor([0.123, 0.1231]))
        last.weight.fill_(1.0).mul_(torch.tensor([1.0, -1.0]))
    module = nn.Sequential(first, nn.LayerNorm(2, eps=1e-12), last).eval()
    x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (module(x) - torch.cat([module(row) for row in x.split(1)])).abs().max() > 2e-5
    converted(module, schema(2, ()))


@given(modules())
@settings(max_examples=40)
def test_random_networks_convert_and_agree(tmp_path_factory, drawn):
    module, p, k = drawn
    known = schema(p, tuple("abc"[:k]))
    made = converted(module, known)
    folder = publish(made.encoder, made.network, made.card, tmp_path_factory.mktemp("made"))
    model = load_model(folder).to(dtype=torch.float64)
    assert splits_first_layer(model.network)
    x = rows(9, p)
    expected = module.double()(x)
    torch.testing.assert_close(model.network(model.encode(x)), expected, rtol=1e-12, atol=1e-12)
    hidden = model.network.first(model.encode(x))
    torch.testing.assert_close(model.network.rest(hidden), expected, rtol=1e-12, atol=1e-12)
    assert set(model.network.state_dict()) <= set(module.state_dict())  # not what is never used


class Tokens(nn.Module):
    """A transformer for tables in a few lines: embeddings, a class token, attention."""

    def __init__(self):
        super().__init__()
        self.weight, self.token = nn.Parameter(torch.rand(4, 8)), nn.Parameter(torch.rand(1, 1, 8))
        self.table, self.norm = nn.Embedding(3, 8), nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.register_buffer("offset", torch.arange(2))
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        codes = (x[:, 4:] > 0).long() + self.offset
        t = torch.cat([x[:, :4].unsqueeze(-1) * self.weight, self.table(codes)], dim=1)
        t = torch.cat([self.token.expand(x.shape[0], -1, -1), t], 1)
        n = self.norm(t)
        t = t + self.attention(n, n, n, need_weights=False)[0]
        return self.head(t[:, 0])


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.forward_ = nn.LayerNorm(6), nn.Linear(12, 2)
        self.bn = nn.BatchNorm1d(6)

    def forward(self, x, scale=1.0):
        a, b = x.view(x.size(0), 2, 3).unbind(1)
        h = torch.cat((a * torch.sigmoid(b), b.clamp(min=-0.5)), dim=-1)
        h = self.first(h).to(x.dtype) ** 2
        h -= h.mean(dim=1, keepdim=True)
        low = torch.where(h < 0, h, torch.zeros_like(h))
        h = torch.cat([self.bn(h), low.transpose(0, 1).contiguous().t()], 1)
        return self.forward_(h * scale)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 6)
        self.b.weight = self.a.weight
        self.out = nn.Linear(6, 2)

    def forward(self, x):
        return self.out(self.b(self.a(self.a(x).tanh()).tanh()).tanh())


@pytest.mark.parametrize("kind", [Tokens, Mixed, Tied])
def test_networks_of_other_shapes_agree(kind, tmp_path):
    module = randomise(kind())
    made = converted(module)
    assert made.notes == (() if kind is Tied else (NOT_SPLIT,))
    folder = publish(made.encoder, made.network, made.card, tmp_path)
    network = load_model(folder).to(dtype=torch.float64).network
    x = rows(9)
    torch.testing.assert_close(network(x), module.double()(x), rtol=1e-9, atol=1e-9)


def test_a_module_is_left_as_it_is():
    module = nn.Sequential(nn.Linear(6, 4), nn.Dropout(0.5), nn.Linear(4, 2)).double().train()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    converted(module)
    assert module.training
    assert module[0].weight.requires_grad
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


def test_weight_norm_is_resolved():
    module = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(6, 2)))
    made = converted(module)
    torch.testing.assert_close(made.network(rows().float()), module(rows().float()))


def test_the_tabular_encoder_learns_from_the_table():
    X = rows(50) * 3 + 7
    known = schema(6)
    made = converted(nn.Linear(6, 2), known, encoder=Architecture(name="tabular"), rows=X)
    torch.testing.assert_close(made.encoder.mean.double(), X.mean(0), rtol=1e-6, atol=1e-6)
    assert refusal(nn.Linear(6, 2), known, encoder=Architecture(name="tabular")).startswith(
        "The tabular encoder learns mean and scale from the training table; give it with --table"
    )


# --- what the output means -----------------------------------------------------------------------

SIX = nn.Linear(6, 1)


@pytest.mark.parametrize(
    ("module", "classes", "output", "to_probabilities", "note"),
    [
        (nn.Linear(6, 2), 2, "auto", lambda o: o.softmax(1), None),
        (nn.Linear(6, 1), 2, "auto", lambda o: torch.cat([1 - o.sigmoid(), o.sigmoid()], 1),
         "Its one output z became the logits 0 of 'a' and z of 'b'."),
        (nn.Sequential(nn.Linear(6, 1), nn.Sigmoid()), 2, "auto",
         lambda o: torch.cat([1 - o, o], 1),
         "Its last sigmoid was left out: what goes into it became the logit of 'b', that of 'a' is "
         "0."),
        (nn.Sequential(nn.Linear(6, 3), nn.Softmax(dim=1)), 3, "auto", lambda o: o,
         "Its last softmax was left out: what goes into it are the logits."),
        (nn.Sequential(nn.Linear(6, 3), nn.LogSoftmax(dim=-1)), 3, "auto", lambda o: o.exp(), None),
        (nn.Sequential(nn.Linear(6, 3), nn.Softmax(dim=1), nn.Threshold(-1.0, 0.0)), 3,
         "probabilities", lambda o: o,
         "Its outputs are probabilities, whose logarithms became the logits."),
        (nn.Sequential(nn.Linear(6, 1), nn.Hardsigmoid()), 2, "probabilities",
         lambda o: torch.cat([1 - o, o], 1),
         "Its outputs are probabilities, whose logarithms became the logits."),
        (nn.Linear(6, 1), 0, "auto", lambda o: o, None),
    ],
    ids=["logits", "one logit", "sigmoid", "softmax", "log-softmax", "shares", "share", "value"],
)  # fmt: skip
def test_outputs_become_logits(module, classes, output, to_probabilities, note, tmp_path):
    made = converted(module, schema(6, tuple("abc"[:classes])), output=output)
    folder = publish(made.encoder, made.network, made.card, tmp_path)
    model = load_model(folder).to(dtype=torch.float64)
    expected = to_probabilities(module.double()(rows()))
    torch.testing.assert_close(model.predict(rows()), expected, rtol=1e-9, atol=1e-12)
    assert [n for n in made.notes if n != NOT_SPLIT] == ([note] if note else [])
    assert all(n in model.card.created_by for n in made.notes)


def test_a_sigmoid_is_exact_where_its_logarithm_would_not_be():
    module = nn.Sequential(nn.Linear(6, 1), nn.Sigmoid())
    nn.init.constant_(module[0].weight, 30.0)
    made = converted(module)
    z = module[0](torch.ones(1, 6))
    assert torch.equal(made.network(torch.ones(1, 6)), torch.cat([torch.zeros_like(z), z], 1))


@pytest.mark.parametrize(
    ("module", "classes", "output", "message"),
    [
        (nn.Linear(6, 3), 2, "auto", "The network gives 3 outputs, the schema has 2 classes (a, "
         "b); correct the classes."),
        (nn.Linear(6, 2), 0, "auto", "The network gives 2 outputs (auto) and the schema has no "
         "classes; name the classes in the schema or with --classes."),
        (nn.Linear(6, 2), 2, "value", "The schema has classes, so the output is no value; choose "
         "another."),
        (nn.Linear(6, 1), 2, "logits", "The network gives one output for two classes; that is "
         "one-logit."),
        (nn.Linear(6, 2), 2, "one-logit", "The network gives 2 outputs, not one logit."),
        (nn.Sequential(nn.Linear(6, 3), nn.Sigmoid()), 3, "auto", "The network ends in a sigmoid "
         "of "
         "3 outputs, which do not add up to 1; let it give one logit per class."),
        (nn.Sequential(nn.Linear(6, 3), nn.Softplus()), 3, "probabilities", "The network's outputs "
         "do not add up to 1, so they are no probabilities; choose logits."),
    ],
)  # fmt: skip
def test_outputs_that_do_not_fit(module, classes, output, message):
    assert refusal(module, schema(6, tuple("abc"[:classes])), output=output) == message


# --- what cannot be converted --------------------------------------------------------------------

ONNX = (
    "torch.onnx.export(model.eval(), torch.zeros(2, 6), 'model.onnx', input_names=['X'], "
    "output_names=['output'], dynamic_axes={'X': {0: 'n'}, 'output': {0: 'n'}}, dynamo=False)."
)


def with_forward(forward, *more):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.more = nn.Linear(6, 2), nn.Sequential(*more)

    Own.forward = forward
    return Own()


def branch(self, x):
    return self.linear(x) if x.sum() > 0 else self.linear(-x)


def in_place(self, x):
    h = self.linear(x)
    kept = h
    h += 1
    h.relu_()
    return kept


def over_rows(self, x):
    return self.linear(x - x.mean(0))


def two_inputs(self, x, codes):
    return self.linear(x) + codes


def two_outputs(self, x):
    return self.linear(x), x


def sorts(self, x):
    return self.linear(torch.sort(x, dim=1)[0])


def recurs(self, x):
    return self.linear(self.more[0](x[:, None])[0][:, 0])


def stays_on(self, x):
    return self.linear(functional.dropout(x, 0.5) * 0 + x)


def infinite(self, x):
    return self.linear(x).masked_fill(x[:, :2] > 1e9, -math.inf)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (with_forward(branch), "The network cannot be followed step by step, as what it does "
         "depends on its numbers or on something other than tensors (symbolically traced variables "
         "cannot be used as inputs to control flow); export it to ONNX instead, as a black box: "
         + ONNX),
        (with_forward(two_inputs), "The network does not take the encoder's rows of 6 columns "
         "(two_inputs() missing 1 required positional argument: 'codes'); give the --encoder that "
         "makes the columns it was trained on."),
        (with_forward(two_outputs), "The network gives tuple for 61 rows; its forward must return "
         "one tensor [rows, outputs]."),
        (with_forward(sorts), "The network calls 'sort', which a graph cannot; rewrite it with "
         "other functions, or export the network to ONNX, as a black box: " + ONNX),
        (with_forward(recurs, nn.LSTM(6, 6, batch_first=True)), "Layer 'more.0' is a LSTM, which a "
         "graph cannot hold; replace it, or export the network to ONNX, as a black box: " + ONNX),
        (with_forward(stays_on), "The network calls dropout without training=self.training, so it "
         "stays on after training; add that, or use nn.Dropout."),
        (with_forward(infinite), "The network passes -inf to a function, which a graph cannot "
         "hold; "
         "write it otherwise, or export the network to ONNX: " + ONNX),
        (nn.Linear(5, 2), "The network does not take the encoder's rows of 6 columns (mat1 and "
         "mat2 "
         "shapes cannot be multiplied (61x6 and 5x2)); give the --encoder that makes the columns "
         "it "
         "was trained on."),
        (nn.Sequential(nn.LazyLinear(2)), "The network cannot be copied"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_says_what_cannot_be_followed(module, message):
    said = refusal(module)
    assert said == message or (message.endswith("copied") and said.startswith(message))


@pytest.mark.parametrize("forward", [in_place, over_rows])
def test_a_graph_that_differs_is_not_used(forward):
    said = refusal(with_forward(forward))
    assert said.startswith("The converted network differs from the module by up to ")
    assert said.endswith(
        "a row's output must depend on that row alone, and steps must not change tensors in place."
    )


def test_numbers_must_be_finite():
    module = nn.Linear(6, 2)
    module.weight.data[0, 0] = torch.nan
    assert refusal(nn.Sequential(module)) == (
        "Tensor '0.weight' of the network holds NaN or infinity; train it again, or use a large "
        "number in the place of infinity."
    )
