"""From a recipe to a published model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats
from torch import Tensor, nn

from workbench.core.card import Metric
from workbench.core.context import Context
from workbench.core.counter_rng import stream
from workbench.core.errors import InvalidInputError
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.data.bundled import load_table
from workbench.numerics.fitting import Loss, fit
from workbench.numerics.intervals import LEVEL, wilson
from workbench.numerics.ranking import area
from workbench.registry.architectures import build_encoder, build_network
from workbench.registry.store import publish
from workbench.training.recipes import NOT_FOR_DECISIONS, RECIPES, Recipe

RESAMPLES = 2000
Numbers = npt.NDArray[Any]
SPLIT_SENTENCE = "60 % training, 20 % validation, 20 % test, by row number (Table.split)"


def train(name: str, root: Path, context: Context, *, seed: int | None = None) -> Path:
    """Train a bundled model again from its recipe and publish it as a new version.

    Parameters
    ----------
    seed
        Instead of the recipe's, which alone gives the bundled weights.

    Raises
    ------
    InvalidInputError
        If there is no such recipe.
    """
    if name not in RECIPES:
        raise InvalidInputError(f"There is no recipe {name!r}; choose one of {listing(RECIPES)}.")
    recipe = RECIPES[name] if seed is None else replace(RECIPES[name], seed=seed)
    table = load_table(recipe.table)
    parts = {part: table.split(part) for part in ("train", "validation", "test")}
    with _one_thread():
        module = _build(recipe, parts["train"])
        fit(
            module,
            _labelled(parts["train"]),
            _labelled(parts["validation"]),
            _loss_of(table),
            recipe.settings,
            Context(seed=recipe.seed, progress=context.progress, cancel=context.cancel),
        )
        with torch.no_grad():
            outputs = module(parts["test"].X)
    encoder, network = module
    card = {
        "name": name,
        "title": recipe.title,
        "schema": table.schema,
        "encoder": recipe.encoder,
        "network": recipe.network,
        "metrics": tuple(evaluate(outputs, parts["test"])),
        "training_table": recipe.table,
        "training_digest": table.digest,
        "training_rows": len(parts["train"]),
        "split": SPLIT_SENTENCE,
        "created_by": f"workbench train {name}{'' if seed is None else f' --seed {seed}'}",
        "seed": recipe.seed,
        "licence": "Apache-2.0; the training data has its own licence, see sample_data/README.md",
        "intended_use": NOT_FOR_DECISIONS,
        "limits": recipe.limits,
    }
    return publish(encoder, network, card, root)


def _build(recipe: Recipe, rows: Table) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        encoder = build_encoder(recipe.encoder, rows.schema)
        encoder.fit(rows.X)
        n_outputs = len(rows.schema.output_names)
        network = build_network(recipe.network, len(encoder.groups), n_outputs)
        if rows.schema.task == "regression":
            _start_at_the_mean(network, rows)
    return nn.Sequential(encoder, network)


def _start_at_the_mean(network: nn.Module, rows: Table) -> None:
    """Set the last bias to the target's mean, and the last weights to its scale.

    A network predicts its target in the target's own unit, so that no scaling hides behind it;
    from zero it would spend its first hundred epochs on climbing to the mean.
    """
    assert rows.y is not None  # noqa: S101 - bundled tables have targets
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    with torch.no_grad():
        last.bias.fill_(rows.y.mean().item())
        last.weight.mul_(rows.y.std().item())


def _labelled(rows: Table) -> tuple[Tensor, Tensor]:
    assert rows.y is not None  # noqa: S101 - bundled tables have targets
    y = rows.y.float() if rows.schema.task == "regression" else rows.y
    return rows.X, y


def _loss_of(table: Table) -> Loss:
    if table.schema.task != "regression":
        return nn.functional.cross_entropy
    assert table.y is not None  # noqa: S101 - bundled tables have targets
    variance = table.y.var().item()
    return lambda values, y: nn.functional.mse_loss(values[:, 0], y) / variance


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep sums in one order: the same weights however many cores there are."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def evaluate(outputs: Tensor, rows: Table) -> Iterator[Metric]:
    """Yield the metrics of logits or values ``[n, k]`` on labelled rows, with 95 % intervals."""
    assert rows.y is not None  # noqa: S101 - callers pass labelled rows
    about: dict[str, Any] = {"split": rows.name.rpartition("/")[2], "n_rows": len(rows)}
    y = rows.y.numpy()
    if rows.schema.task == "regression":
        values = outputs[:, 0].double().numpy()
        yield _resampled("root mean squared error", _root_mean_squared_error, y, values, about)
        yield _resampled("R squared", _r_squared, y, values, about)
        return
    probabilities = outputs.double().softmax(1).numpy()
    right = int((probabilities.argmax(1) == y).sum())
    low, high = wilson(right, len(y))
    yield Metric(
        name="accuracy", value=right / len(y), low=low, high=high, interval="Wilson", **about
    )
    losses = -np.log(probabilities[np.arange(len(y)), y])
    half = float(stats.norm.ppf(0.5 + LEVEL / 2) * losses.std(ddof=1) / np.sqrt(len(y)))
    mean = float(losses.mean())
    yield Metric(
        name="log-loss",
        value=mean,
        low=max(0.0, mean - half),
        high=mean + half,
        interval="normal",
        **about,
    )
    if rows.schema.task == "binary":
        yield _resampled("ROC AUC", _area, y, probabilities[:, 1], about)


# Thousands of resamples each: scikit-learn, which looks at its arguments anew every time, takes 20
# times as long over metrics of few rows.
def _root_mean_squared_error(y: Numbers, values: Numbers) -> float:
    return float(np.sqrt(np.mean((y - values) ** 2)))


def _r_squared(y: Numbers, values: Numbers) -> float:
    return float(1 - np.sum((y - values) ** 2) / np.sum((y - y.mean()) ** 2))


def _area(y: Numbers, scores: Numbers) -> float:
    return area(scores, y == 1)


def _resampled(
    name: str, metric: Callable[[Numbers, Numbers], float], y: Numbers, scores: Numbers,
    about: dict[str, Any],
) -> Metric:  # fmt: skip
    """Percentile bootstrap over rows; resamples of a single class are drawn again."""
    rng = stream(0)
    found: list[float] = []
    while len(found) < RESAMPLES:
        rows = rng.integers(0, len(y), len(y))
        if name != "ROC AUC" or 0 < y[rows].sum() < len(y):
            found.append(metric(y[rows], scores[rows]))
    low, high = np.quantile(found, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Metric(
        name=name, value=float(metric(y, scores)), low=float(low), high=float(high),
        interval=f"bootstrap, {RESAMPLES:,} resamples", **about,
    )  # fmt: skip
