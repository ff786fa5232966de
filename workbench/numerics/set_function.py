"""What an estimator needs of a game, whichever way unknown features are filled in."""

from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor


@runtime_checkable
class SetFunction(Protocol):
    """A value for every coalition of features of a row.

    ``Game`` replaces unknown features by those of background rows; others condition on the known
    ones. All have ``k (1 + n_groups)`` columns: the outputs, then the same over parts of what was
    drawn, from whose spread comes the standard error of the draw (see ``Game``).

    Attributes
    ----------
    evaluations
        Rows that went through the network so far.
    chunk_rows
        Rows per network pass.
    """

    n_players: int
    n_outputs: int
    n_groups: int
    evaluations: int
    chunk_rows: int
    empty: Float[Tensor, " gk"]
    empty_std_errors: Float[Tensor, " k"]

    def full(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n gk"]:
        """Value of the coalition of all features."""

    def values(
        self,
        X: Float[Tensor, "n d"],
        coalitions: Bool[Tensor, "m players"] | Bool[Tensor, "n m players"],
    ) -> Float[Tensor, "n m gk"]:
        """Value of every coalition for every row, in double precision on the CPU."""

    def background_std_errors(
        self, estimates: Float[Tensor, "n d gk"]
    ) -> Float[Tensor, "n d k"] | None:
        """Return the standard error of estimates from what was drawn, if known."""

    def report(self) -> None:
        """Tell how far it is, and stop if asked to."""
