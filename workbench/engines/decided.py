"""What a model decides about rows: who gets the favourable outcome, and how sure it is."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.schema import listing
from workbench.core.table import Table


@dataclass(frozen=True, eq=False)
class Decided:
    """Rows under the favourable class against all others.

    Attributes
    ----------
    favourable
        Name of the class that people hope for.
    position
        Which of the model's outputs it is.
    scores
        Probability of the favourable class.
    decided
        Whether it is the class that the model decides for.
    truth
        1 where it is the true class; None without labels.
    """

    favourable: str
    position: int
    scores: Float[np.ndarray, " n"]
    decided: Bool[np.ndarray, " n"]
    truth: Int[np.ndarray, " n"] | None


def favourable_position(model: Model, rows: Table, favourable: str) -> int:
    """Return which output people hope for: as asked, else as the schema says; never guessed.

    Raises
    ------
    InvalidInputError
        If there is no such class, or nobody says which it is.
    """
    classes = model.schema.classes
    if not classes:
        raise InvalidInputError(
            f"Model {model.name} predicts a number, so that nobody is refused or granted anything; "
            "choose a model of classes, or compare errors by group instead (workbench "
            "group-errors, or the page Fairness)."
        )
    chosen = favourable or rows.schema.favourable or model.schema.favourable
    if chosen is None:
        raise InvalidInputError(
            f"Nobody says which class of {model.name} people hope for; set favourable to one of "
            f"{listing(classes)}."
        )
    if chosen not in classes:
        raise InvalidInputError(
            f"Model {model.name} has no class {chosen!r}; set favourable to one of "
            f"{listing(classes)}."
        )
    return classes.index(chosen)


def decide(
    probabilities: Float[np.ndarray, "n k"],
    position: int,
    classes: tuple[str, ...],
    truth: Float[np.ndarray, " n"] | None,
) -> Decided:
    """Turn probabilities of classes into decisions for or against the favourable one.

    The class of the greatest probability is decided for; of two that are equal, the first.
    """
    return Decided(
        favourable=classes[position],
        position=position,
        scores=probabilities[:, position].astype(np.float64),
        decided=probabilities.argmax(1) == position,
        truth=None if truth is None else (truth.astype(np.int64) == position).astype(np.int64),
    )
