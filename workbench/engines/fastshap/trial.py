"""How long a training will take: two passes of each kind over a few rows, and the rest scaled."""

import time
from dataclasses import dataclass, field

import torch

from workbench.core.context import Context
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.fastshap.amortise import Teacher, train_explainer
from workbench.engines.fastshap.certificate import n_measured, n_questions
from workbench.engines.fastshap.learning import (
    MOST_HELD_OUT,
    MOST_VALIDATION,
    epoch_rows,
    n_crossed,
    one_thread,
    tenth,
    told_apart,
)
from workbench.engines.fastshap.params import FastshapParams
from workbench.engines.fastshap.surrogate import train_surrogate
from workbench.engines.fastshap.train import FEWEST_ROWS, lesson
from workbench.numerics.game import Game
from workbench.numerics.maskers import marginal

TRIED_ROWS = 160
PASSES = 2
NEVER = 10_000


@dataclass(frozen=True)
class _Watch:
    """Seconds at which something began, and at which each pass was over."""

    times: list[float] = field(default_factory=lambda: [time.perf_counter()])

    def tell(self, _: int, loss: float) -> None:  # noqa: ARG002 - as the loop tells it
        self.times.append(time.perf_counter())

    def last(self, stop: int) -> float:
        """Seconds of the last pass before a position, without what came before the passes."""
        return self.times[stop] - self.times[stop - 1]


def training_seconds(
    model: Model,
    rows: Table,
    background: Table,
    params: FastshapParams,
    context: Context,
    *,
    n_rows: int,
    speed: float,
) -> float:
    """Say how long an explainer trains, at most: without an early stop.

    Both networks learn for two passes from a few of the rows, with all their settings; a pass
    takes as long as it has rows.

    Parameters
    ----------
    rows
        At least as many as a training needs; the first 160 are used.
    n_rows
        Rows of the training.
    speed
        Seconds of an evaluation of the game.

    Raises
    ------
    InvalidInputError
        If the model returns no finite number for a row.
    """
    part = told_apart(rows[:TRIED_ROWS], context)
    quick = params.model_copy(update={
        "surrogate_epochs": PASSES, "warm_epochs": min(PASSES, params.warm_epochs),
        "epochs": min(PASSES, params.epochs), "patience": NEVER,
    })  # fmt: skip
    game = Game(
        model, marginal(background[:1]), output=params.output, link=params.link, context=context
    )
    first, second = _Watch(), _Watch()
    with one_thread():
        surrogate, _, _ = train_surrogate(model, part, background, quick, context, first.tell)
        empty = game.empty[: game.n_outputs]
        train, validation = (lesson(game, some, empty) for some in (part.train, part.validation))
        teacher = Teacher(surrogate, empty.to(model.device, torch.float32), quick)
        second.times[0] = time.perf_counter()
        train_explainer(teacher, train, validation, context, second.tell)
    return _scaled(first, second, params, quick, len(part.train), n_rows) + speed * _asked(
        model, n_rows, len(background), params
    )


def can_try(model: Model, rows: Table) -> bool:
    """Whether there is anything to train on, and to try."""
    return len(rows) >= FEWEST_ROWS and len(model.schema.features) > 1


def _scaled(
    first: _Watch,
    second: _Watch,
    params: FastshapParams,
    quick: FastshapParams,
    n_tried: int,
    n_rows: int,
) -> float:
    """Return what all passes and labels take, from what a few took."""
    n_train = n_rows - sum(min(tenth(n_rows), most) for most in (MOST_VALIDATION, MOST_HELD_OUT))
    if params.value == "marginal":
        n_train += n_crossed(n_train)
    passes = epoch_rows(n_train) / epoch_rows(n_tried)
    warm, last = quick.warm_epochs, len(second.times) - 1
    labels = second.times[1] - second.times[0]
    each = second.last(warm) if warm > 1 else second.last(1)
    labels = max(0.0, labels - each) * n_train / n_tried if warm else 0.0
    learned = params.surrogate_epochs * first.last(len(first.times) - 1)
    learned += params.warm_epochs * (each if warm else 0.0)
    learned += params.epochs * (second.last(last) if quick.epochs else 0.0)
    return passes * learned + labels


def _asked(model: Model, n_rows: int, n_background: int, params: FastshapParams) -> int:
    """Return the evaluations of the game behind the certificate."""
    if params.value == "conditional":
        return 0
    d, held_out = len(model.schema.features), min(tenth(n_rows), MOST_HELD_OUT)
    return n_measured(held_out, d, n_background) * n_questions(d) * n_background
