"""A model speaks raw features; what it says is what is explained."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from workbench.core.card import Architecture, Card
from workbench.core.errors import InvalidInputError
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.schema import Feature, Schema

TASKS = {"regression": (), "binary": ("no", "yes"), "multiclass": ("a", "b", "c")}
LOGITS = st.floats(-30, 30)


class Doubling(nn.Module):
    """Each raw feature becomes two columns, the feature and its double."""

    def __init__(self, d):
        super().__init__()
        self.register_buffer("groups", torch.arange(d).repeat(2))

    def forward(self, X):
        return torch.cat([X, 2 * X], dim=1)


class Split(nn.Module):
    """A network that can hand over the sum after its first layer."""

    def __init__(self, p, k):
        super().__init__()
        self.first = nn.Linear(p, 8)
        self.last = nn.Linear(8, k)
        self.dropout = nn.Dropout(0.5)

    def rest(self, hidden):
        return self.last(self.dropout(hidden.tanh()))

    def forward(self, z):
        return self.rest(self.first(z))


def build(task="binary", network=None):
    schema = Schema(
        features=(Feature(name="a"), Feature(name="b")),
        target="y",
        task=task,
        classes=TASKS[task],
    )
    nothing = dict.fromkeys(
        ("title", "training_table", "training_digest", "split", "created_by", "licence",
         "intended_use", "limits"), "-",
    )  # fmt: skip
    card = Card(
        name="toy",
        version=2,
        schema=schema,
        encoder=Architecture(name="doubling"),
        network=Architecture(name="split"),
        metrics=(),
        training_rows=1,
        seed=0,
        weights_sha256="0" * 64,
        **nothing,
    )
    torch.manual_seed(0)
    network = network or Split(4, max(1, len(TASKS[task])))
    return Model(encoder=Doubling(2), network=network.train(), card=card, digest="d")


def rows(n):
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@given(st.lists(LOGITS, min_size=3, max_size=3))
def test_a_probability_is_the_softmax(logits):
    got = build("multiclass").outputs(torch.tensor([logits], dtype=torch.float64), "probability")[0]
    total = sum(math.exp(value) for value in logits)
    assert got.tolist() == pytest.approx([math.exp(value) / total for value in logits], rel=1e-12)


@given(LOGITS, LOGITS, st.floats(-1000, 1000))
def test_the_score_of_two_classes_is_the_log_odds_whatever_both_logits_share(a, b, shift):
    model = build("binary")
    logits = torch.tensor([[a, b]], dtype=torch.float64)
    scores = model.outputs(logits, "score")[0].tolist()
    assert scores == pytest.approx([a - b, b - a], abs=1e-12)
    shifted = model.outputs(logits + shift, "score")[0].tolist()
    assert shifted == pytest.approx(scores, abs=1e-9)


@given(st.floats(-15, 15))
def test_log_odds_are_those_of_the_probability(difference):
    model = build("binary")
    logits = torch.tensor([[0.0, difference]], dtype=torch.float64)
    p = model.outputs(logits, "probability")[0, 1].item()
    score = model.outputs(logits, "score")[0, 1].item()
    assert score == pytest.approx(math.log(p / (1 - p)), abs=1e-6)


def test_more_classes_are_scored_by_their_logits():
    logits = torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(build("multiclass").outputs(logits, "score"), logits)


@pytest.mark.parametrize("output", ["score", "probability"])
def test_a_regression_says_its_value_either_way(output):
    values = torch.tensor([[-3.0], [1e6]])
    assert torch.equal(build("regression").outputs(values, output), values)


@pytest.mark.parametrize("task", TASKS)
def test_predict_and_scores_encode_run_and_answer_in_double_precision(task):
    model, X = build(task), rows(7)
    logits = model.network(torch.cat([X, 2 * X], dim=1).float())
    for said, output in ((model.predict(X), "probability"), (model.scores(X), "score")):
        assert said.dtype == torch.float64
        assert not said.requires_grad
        torch.testing.assert_close(said, model.outputs(logits, output).double())


def test_more_rows_than_a_chunk_give_the_same_answers():
    model, X = build(), rows(2 * CHUNK_ROWS + 3)
    said = model.predict(X)
    assert said.shape == (len(X), 2)
    for start in (0, CHUNK_ROWS - 1, 2 * CHUNK_ROWS):
        part = model.predict(X[start : start + 3])
        torch.testing.assert_close(said[start : start + 3], part)


def test_a_model_is_in_evaluation_mode_without_parameter_gradients():
    model = build()
    assert not any(module.training for module in model.network.modules())
    assert not any(parameter.requires_grad for parameter in model.network.parameters())
    assert torch.equal(model.predict(rows(5)), model.predict(rows(5))), "dropout is active"


def test_inputs_still_have_gradients():
    X = rows(3).requires_grad_()
    model = build()
    model.network(model.encode(X)).sum().backward()
    assert X.grad.abs().min() > 0


def test_to_leaves_the_original():
    model, X = build(), rows(5)
    before = model.scores(X)
    double = model.to(dtype=torch.float64)
    assert (model.dtype, double.dtype) == (torch.float32, torch.float64)
    assert double.encode(X).dtype == torch.float64
    assert torch.equal(double.groups, model.groups)
    with torch.no_grad():
        double.network.first.weight.zero_()
    assert torch.equal(model.scores(X), before), "the copy shares its weights with the original"


@pytest.mark.cuda
def test_moves_to_the_gpu_and_answers_from_there_the_same():
    model, X = build(), rows(5)
    moved = model.to("cuda")
    assert (model.device.type, moved.device.type) == ("cpu", "cuda")
    torch.testing.assert_close(moved.predict(X), model.predict(X), atol=1e-6, rtol=1e-5)


def test_says_what_engines_may_ask_of_it():
    assert build().capabilities == {
        "differentiable", "first_layer", "dropout", "perturbable",
    }  # fmt: skip
    plain = build(network=nn.Sequential(nn.Linear(4, 2)))
    assert plain.capabilities == {"differentiable", "perturbable"}


class Sure(nn.Module):
    """A black box that is certain where the first feature is positive, and knows no else."""

    black_box = True

    def __init__(self):
        super().__init__()
        self.register_buffer("precision", torch.zeros(0, dtype=torch.float64))

    def forward(self, z):
        certain = torch.where(z[:, :1] > 0, 0.0, 0.5)
        return torch.cat([certain, 1 - certain], dim=1).log()


def test_a_black_box_has_answers_and_nothing_else():
    model = build(network=Sure())
    assert model.capabilities == {"black_box"}
    assert (model.device.type, model.dtype) == ("cpu", torch.float64)
    X = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    assert model.predict(X).tolist() == [[0.0, 1.0], [0.5, 0.5]]
    assert model.scores(X[1:]).tolist() == [[0.0, 0.0]]
    with pytest.raises(InvalidInputError) as caught:
        model.scores(X)
    assert str(caught.value) == (
        "Model toy@2 gives a probability of exactly 0 or 1 for some rows, whose log-odds are "
        "infinite; explain the probability instead of the score."
    )


def test_is_called_by_name_and_version():
    model = build()
    assert model.name == "toy@2"
    assert model.output_names == ("no", "yes")
    assert model.schema.names == ("a", "b")
    assert model.groups.tolist() == [0, 1, 0, 1]
    assert model.device == torch.device("cpu")
