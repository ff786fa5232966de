"""A labelled table, and labels as they would be if features had no effects together."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Num
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.calls import check_features, true_values
from workbench.numerics.additive import Additive, Labelled, fit_additive

LABELS = 0xADD1
LEAST_ROWS = 50


@dataclass(frozen=True, eq=False)
class AdditiveWorld:
    """Rows to train on and to stop by, and the additive model that fits them.

    Attributes
    ----------
    own_noise
        Whether each row of a regression keeps what the additive model misses of it, with a random
        sign; else these amounts are drawn from all training rows.
    """

    train: Labelled
    validation: Labelled
    additive: Additive
    n_classes: int
    own_noise: bool

    def labels(
        self, number: int, context: Context
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " v"]]:
        """Draw labels of the training and validation rows from the additive model."""
        rng = context.stream(LABELS, number)
        if self.n_classes:
            said = (self.additive.logits(part.X) for part in (self.train, self.validation))
            train, validation = (_drawn_classes(logits, rng) for logits in said)
            return train, validation
        held = self.validation.y - self.additive.logits(self.validation.X)[:, 0]
        train = self._noisy(self.train, self.additive.noise, rng)
        return train, self._noisy(self.validation, held, rng)

    def _noisy(
        self, part: Labelled, missed: Float[np.ndarray, " n"], rng: np.random.Generator
    ) -> Float[np.ndarray, " n"]:
        """Add to the values of the additive model what it may miss."""
        values: np.ndarray = self.additive.logits(part.X)[:, 0]
        if self.own_noise:
            return values + missed * rng.choice([-1.0, 1.0], len(missed))
        pool = self.additive.noise
        return values + rng.choice(pool - pool.mean(), len(missed))


def make_world(model: Model, table: Table, *, own_noise: bool) -> AdditiveWorld:
    """Split a labelled table, and fit the additive model on its training rows.

    Raises
    ------
    InvalidInputError
        If the table does not fit the model, is small, has no labels or labels that do not differ.
    """
    check_features(model, table, "labelled rows to train on")
    true_values(model, table)  # refused by its own name, not by that of a part
    if len(table) < LEAST_ROWS:
        raise InvalidInputError(
            f"Table {table.name!r} has {len(table)} rows, too few to train networks on; give at "
            f"least {LEAST_ROWS} labelled rows."
        )
    parts = []
    for split in ("train", "validation"):
        part = table.split(split)
        parts.append(Labelled(part.X.double().numpy(), true_values(model, part)))
    train, validation = parts
    if len(np.unique(train.y)) < 2:
        raise InvalidInputError(
            f"All training rows of table {table.name!r} have the same "
            f"{model.schema.target or 'target'}, so nothing can be learned; bring rows with others."
        )
    return AdditiveWorld(
        train, validation, fit_additive(train, validation, model.schema), model.schema.n_classes,
        own_noise,
    )  # fmt: skip


def _drawn_classes(
    logits: Float[np.ndarray, "n k"], rng: np.random.Generator
) -> Float[np.ndarray, " n"]:
    """Draw a class for each row by its probabilities."""
    shares = torch.from_numpy(logits).softmax(1).cumsum(1).numpy()
    drawn = (rng.random((len(logits), 1)) > shares[:, :-1]).sum(1)
    return drawn.astype(float)


def as_target(labels: Num[np.ndarray, "*b n"], model: Model) -> Tensor:
    """Return labels as training takes them, where the model is."""
    kind = torch.long if model.schema.n_classes else model.dtype
    return torch.from_numpy(labels).to(model.device, kind)
