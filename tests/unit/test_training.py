"""Recipes give the bundled models again, and cards say what scikit-learn says of them."""

import dataclasses
import json
import threading

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy import stats
from sklearn import metrics

from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.data.bundled import load_table
from workbench.registry.store import find_version, list_models, load_model, read_card, registry_root
from workbench.training.recipes import RECIPES
from workbench.training.train import SPLIT_SENTENCE, evaluate, train


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """Trains the wine model two times, with other threads and other random numbers about."""
    root = tmp_path_factory.mktemp("models")
    threads = torch.get_num_threads()
    try:
        folders = [train("wine-mlp", root, Context())]
        torch.rand(17)
        torch.set_num_threads(1)
        folders.append(train("wine-mlp", root, Context(seed=5)))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
    return folders


def test_every_bundled_model_has_a_recipe():
    assert sorted(RECIPES) == [entry.name for entry in list_models()]


def test_training_again_gives_the_same_bits(twice):
    assert [folder.name for folder in twice] == ["1", "2"]
    first, second = ((folder / "model.safetensors").read_bytes() for folder in twice)
    assert first == second


def test_another_seed_gives_another_network_and_its_card_says_so(tmp_path, twice):
    folder = train("wine-mlp", tmp_path, Context(), seed=3)
    card, _ = read_card(folder)
    assert (card.seed, card.created_by) == (3, "workbench train wine-mlp --seed 3")
    assert card.weights_sha256 != read_card(twice[0])[0].weights_sha256
    assert train("wine-mlp", tmp_path, Context(), seed=RECIPES["wine-mlp"].seed).name == "2"


def test_training_again_gives_the_bundled_model(twice):
    again, bundled = (
        load_file(folder / "model.safetensors") for folder in (twice[0], find_version("wine-mlp@1"))
    )
    assert again.keys() == bundled.keys()
    for name, tensor in bundled.items():
        torch.testing.assert_close(again[name], tensor, atol=1e-5, rtol=1e-5)


def test_training_again_gives_the_bundled_card(twice):
    again, bundled = (
        json.loads((folder / "card.json").read_bytes())
        for folder in (twice[0], find_version("wine-mlp@1"))
    )
    found, expected = again.pop("metrics"), bundled.pop("metrics")
    for card in (again, bundled):
        del card["weights_sha256"]
    assert again == bundled
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize("name", RECIPES)
def test_a_card_says_where_its_model_comes_from(name):
    card, _ = read_card(find_version(f"{name}@1"))
    recipe, table = RECIPES[name], load_table(RECIPES[name].table)
    assert card.training_table == recipe.table
    assert card.training_digest == table.digest
    assert card.training_rows == len(table.split("train"))
    assert card.schema == table.schema
    assert (card.network, card.encoder, card.seed) == (recipe.network, recipe.encoder, recipe.seed)
    assert (card.title, card.limits, card.split) == (recipe.title, recipe.limits, SPLIT_SENTENCE)
    assert card.created_by == f"workbench train {name}"


def by_scikit_learn(model, rows):
    said, y = model.predict(rows.X).numpy(), rows.y.numpy()
    if model.schema.task == "regression":
        return {
            "root mean squared error": metrics.root_mean_squared_error(y, said[:, 0]),
            "R squared": metrics.r2_score(y, said[:, 0]),
        }
    said /= said.sum(1, keepdims=True)  # a softmax in single precision is a little off 1
    found = {
        "accuracy": metrics.accuracy_score(y, said.argmax(1)),
        "log-loss": metrics.log_loss(y, said, labels=range(said.shape[1])),
    }
    if model.schema.task == "binary":
        found["ROC AUC"] = metrics.roc_auc_score(y, said[:, 1])
    return found


@pytest.mark.parametrize("name", RECIPES)
def test_metrics_of_a_card_are_those_of_the_model_that_is_loaded(name):
    model = load_model(f"{name}@1")
    rows = load_table(RECIPES[name].table).split("test")
    expected = by_scikit_learn(model, rows)
    assert {metric.name: metric.value for metric in model.card.metrics} == pytest.approx(
        expected, rel=1e-5, abs=1e-5
    )
    for metric in model.card.metrics:
        assert metric.low <= metric.value <= metric.high
        assert metric.low < metric.high
        assert (metric.split, metric.n_rows) == ("test", len(rows))


def test_the_first_model_is_good_enough_to_be_explained():
    accuracy = {metric.name: metric for metric in load_model("adult-mlp").card.metrics}["accuracy"]
    assert accuracy.value >= 0.845


# --- metrics and their intervals -----------------------------------------------------------------

TASKS = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}


def labelled(task, n=200, seed=0):
    """Outputs ``[n, k]`` and rows whose target has something to do with them."""
    random = np.random.default_rng(seed)
    k = max(1, len(TASKS[task]))
    outputs = random.normal(size=(n, k))
    noisy = outputs + random.normal(size=(n, k))
    y = noisy[:, 0] if task == "regression" else noisy.argmax(1)
    schema = Schema(features=(Feature(name="a"),), target="y", task=task, classes=TASKS[task])
    rows = Table(
        schema=schema,
        X=torch.zeros(n, 1, dtype=torch.float64),
        ids=torch.arange(n),
        y=torch.from_numpy(y),
        name="toy/validation",
    )
    return torch.from_numpy(outputs), rows


def by_name(outputs, rows):
    return {metric.name: metric for metric in evaluate(outputs, rows)}


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_interval_of_an_accuracy_is_wilsons(task):
    outputs, rows = labelled(task)
    accuracy = by_name(outputs, rows)["accuracy"]
    right = int((outputs.argmax(1) == rows.y).sum())
    expected = stats.binomtest(right, len(rows)).proportion_ci(method="wilson")
    assert (accuracy.low, accuracy.high) == pytest.approx(tuple(expected), abs=1e-12)
    assert (accuracy.interval, accuracy.split, accuracy.n_rows) == ("Wilson", "validation", 200)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_interval_of_a_log_loss_is_that_of_a_mean(task):
    outputs, rows = labelled(task)
    loss = by_name(outputs, rows)["log-loss"]
    losses = torch.nn.functional.cross_entropy(outputs, rows.y, reduction="none").numpy()
    expected = stats.norm.interval(0.95, losses.mean(), stats.sem(losses))
    assert loss.value == pytest.approx(losses.mean(), abs=1e-12)
    assert (loss.low, loss.high) == pytest.approx(expected, abs=1e-12)


def areas(y, scores, axis=-1):
    """Areas under ROC curves from sums of ranks, for many samples at once."""
    above = y.sum(axis)
    ranks = (stats.rankdata(scores, axis=axis) * y).sum(axis)
    return (ranks - above * (above + 1) / 2) / (above * (y.shape[axis] - above))


def shares_explained(y, scores, axis=-1):
    """R squared of many samples at once."""
    left = ((y - scores) ** 2).sum(axis)
    return 1 - left / (y.var(axis) * y.shape[axis])


def mean_errors(y, scores, axis=-1):
    """Root mean squared errors of many samples at once."""
    return np.sqrt(((y - scores) ** 2).mean(axis))


@pytest.mark.parametrize(
    ("task", "name", "metric", "many"),
    [
        ("binary", "ROC AUC", metrics.roc_auc_score, areas),
        ("regression", "R squared", metrics.r2_score, shares_explained),
        ("regression", "root mean squared error", metrics.root_mean_squared_error, mean_errors),
    ],
)
def test_a_bootstrap_interval_is_that_of_scipy(task, name, metric, many):
    outputs, rows = labelled(task, n=120)
    scores = outputs[:, -1] - outputs[:, 0] if task == "binary" else outputs[:, 0]
    expected = stats.bootstrap(
        (rows.y.numpy(), scores.numpy()), many, paired=True, method="percentile",
        n_resamples=2000, rng=1,
    )  # fmt: skip
    found = by_name(outputs, rows)[name]
    # The ends of two bootstraps of 2,000 differ by about a tenth of the standard error.
    assert (found.low, found.high) == pytest.approx(
        tuple(expected.confidence_interval), abs=0.3 * expected.standard_error
    )
    value = metric(rows.y.numpy(), scores.numpy())
    assert found.value == pytest.approx(value)
    assert many(rows.y.numpy(), scores.numpy()) == pytest.approx(value)
    assert found == by_name(outputs, rows)[name], "the bootstrap differs from run to run"


def test_resamples_of_a_single_class_are_drawn_again():
    outputs, rows = labelled("binary", n=6)
    rows = dataclasses.replace(rows, y=torch.tensor([0, 0, 0, 0, 0, 1]))
    auc = by_name(outputs, rows)["ROC AUC"]
    assert 0 <= auc.low <= auc.value <= auc.high <= 1


def test_a_perfect_model_has_a_log_loss_of_zero_at_least():
    _, rows = labelled("multiclass", n=30)
    outputs = torch.nn.functional.one_hot(rows.y, 3).double() * 5
    found = by_name(outputs, rows)
    assert found["accuracy"].value == found["accuracy"].high == 1.0
    assert found["accuracy"].low < 0.95, "thirty rows cannot promise more"
    assert found["log-loss"].low >= 0


# --- stopping and refusing -----------------------------------------------------------------------


def test_a_cancelled_training_publishes_nothing(tmp_path):
    cancel, threads = threading.Event(), torch.get_num_threads()
    context = Context(cancel=cancel, progress=lambda done, *_: cancel.set() if done == 2 else None)
    with pytest.raises(CancelledError, match=r"^Cancelled after 3 of 300 epochs, validation loss"):
        train("wine-mlp", tmp_path, context)
    assert list(tmp_path.iterdir()) == []
    assert torch.get_num_threads() == threads


def test_leaves_the_random_numbers_alone(tmp_path):
    def stop(*_):
        raise CancelledError("Cancelled.")

    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    with pytest.raises(CancelledError):
        train("diabetes-mlp", tmp_path, Context(progress=stop))
    assert torch.equal(torch.rand(3), expected)


def test_says_which_recipes_there_are(tmp_path):
    with pytest.raises(InvalidInputError) as caught:
        train("../wine-mlp", tmp_path, Context())
    assert str(caught.value) == (
        "There is no recipe '../wine-mlp'; choose one of adult-mlp, adult-linear, german-mlp, "
        "breast-cancer-mlp, wine-mlp, diabetes-mlp, digits-mlp."
    )


def test_tests_have_left_the_bundled_registry_alone():
    assert {entry.versions for entry in list_models(registry_root())} == {(1,)}
