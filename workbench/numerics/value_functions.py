"""Which set function to build: what stands in for the features that are not known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, Output
from workbench.core.table import Table
from workbench.numerics.amortised import SurrogateGame, find_explainer
from workbench.numerics.game import Game
from workbench.numerics.gaussian import GaussianGame
from workbench.numerics.links import Link
from workbench.numerics.maskers import marginal
from workbench.numerics.neighbours import NeighbourGame
from workbench.numerics.reference_row import BaselineGame
from workbench.numerics.set_function import SetFunction

Value = Literal["marginal", "baseline", "neighbours", "gaussian", "conditional"]
# Those that take one answer for a coalition, however many background rows there are.
SINGLE: frozenset[Value] = frozenset({"baseline", "conditional"})


@dataclass(frozen=True)
class Question:
    """Which explainer is asked for, see ``find_explainer``."""

    output: Output
    link: Link
    value: Value = "conditional"


def make_game(
    model: Model,
    background: Table,
    *,
    value: Value,
    output: Output,
    link: Link,
    context: Context,
    expected: int = 0,
) -> SetFunction:
    """Return the set function of a model against a background.

    ``marginal`` mixes the row with each background row; ``baseline`` with one reference row;
    ``neighbours`` with the background rows nearest in the known features; ``gaussian`` completes
    the row from a normal distribution fitted to the background; ``conditional`` asks the surrogate
    of a trained explainer, which has learned from the training rows what goes with the known
    features. None takes more evaluations for a coalition than the background has rows.

    Raises
    ------
    InvalidInputError
        If there is no background row, the value function cannot serve its columns, or the model
        has no explainer with conditional values, or one that has learned nothing.
    """
    return _BUILDERS[value](
        model, background, output=output, link=link, context=context, expected=expected
    )


def _marginal_game(
    model: Model,
    background: Table,
    *,
    output: Output,
    link: Link,
    context: Context,
    expected: int,
) -> Game:
    return Game(
        model, marginal(background), output=output, link=link, context=context, expected=expected
    )


def _conditional_game(
    model: Model,
    background: Table,  # noqa: ARG001 - as all builders
    *,
    output: Output,
    link: Link,
    context: Context,
    expected: int,
) -> SurrogateGame:
    explainer = find_explainer(model, Question(output, link))
    if explainer.fidelity.loss >= explainer.fidelity.no_information:
        raise InvalidInputError(
            f"The surrogate of explainer {explainer.digest[:8]} says no more than a constant would "
            f"(validation loss {explainer.fidelity.loss:.4g}, a constant has "
            f"{explainer.fidelity.no_information:.4g}); train it longer, or choose another value."
        )
    return SurrogateGame(model, explainer, context=context, expected=expected)


def notes_of(game: SetFunction) -> tuple[str, ...]:
    """Return what a reader should know of a game beside its values; nothing of most."""
    notes: tuple[str, ...] = getattr(game, "notes", ())
    return notes


_BUILDERS: Mapping[Value, Callable[..., SetFunction]] = {
    "marginal": _marginal_game,
    "baseline": BaselineGame,
    "neighbours": NeighbourGame,
    "gaussian": GaussianGame,
    "conditional": _conditional_game,
}
