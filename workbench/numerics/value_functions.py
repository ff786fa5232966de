"""Which set function to build: what stands in for the features that are not known."""

from collections.abc import Callable, Mapping
from typing import Literal

from workbench.core.context import Context
from workbench.core.model import Model, Output
from workbench.core.table import Table
from workbench.numerics.game import Game
from workbench.numerics.gaussian import GaussianGame
from workbench.numerics.links import Link
from workbench.numerics.maskers import marginal
from workbench.numerics.neighbours import NeighbourGame
from workbench.numerics.reference_row import BaselineGame
from workbench.numerics.set_function import SetFunction

Value = Literal["marginal", "baseline", "neighbours", "gaussian"]


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
    the row from a normal distribution fitted to the background. None takes more evaluations for a
    coalition than the background has rows.

    Raises
    ------
    InvalidInputError
        If there is no background row, or the value function cannot serve its columns.
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


_BUILDERS: Mapping[Value, Callable[..., SetFunction]] = {
    "marginal": _marginal_game,
    "baseline": BaselineGame,
    "neighbours": NeighbourGame,
    "gaussian": GaussianGame,
}
