"""Which set function to build: what stands in for the features that are not known."""

from typing import Literal

from workbench.core.context import Context
from workbench.core.model import Model, Output
from workbench.core.table import Table
from workbench.numerics.game import Game
from workbench.numerics.links import Link
from workbench.numerics.maskers import marginal
from workbench.numerics.set_function import SetFunction

Value = Literal["marginal"]


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

    Raises
    ------
    InvalidInputError
        If there is no background row.
    """
    return Game(
        model, marginal(background), output=output, link=link, context=context, expected=expected
    )
