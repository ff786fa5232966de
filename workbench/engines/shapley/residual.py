"""Known values of a stand-in game, and an unbiased estimate of what it leaves out."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol, cast, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.table import Table
from workbench.engines.shapley.run import Estimate, Estimator
from workbench.numerics.set_function import SetFunction


@runtime_checkable
class StandIn(Protocol):
    """A cheap game that resembles another one, and whose Shapley values are known.

    Any will do: a regression, a network that takes masks. It must not depend on what the
    estimator of the rest draws.
    """

    def values(
        self, X: Float[Tensor, "n d"], coalitions: Bool[Tensor, "m d"] | Bool[Tensor, "n m d"]
    ) -> Float[Tensor, "n m gk"]:
        """Value of every coalition for every row, in every column of the game."""

    def shapley(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n d gk"]:
        """Its Shapley values, exact or given: their own errors are not corrected."""


class ResidualGame:
    """A game less its stand-in, row by row; a set function like the game itself.

    The stand-in's empty coalition may depend on the row, which ``empty`` of a set function does
    not. So the stand-in is taken as what a coalition adds to nothing; Shapley values are the same.
    """

    def __init__(self, game: SetFunction, stand_in: StandIn) -> None:
        self.game = game
        self.stand_in = stand_in
        self.n_players = game.n_players
        self.n_outputs = game.n_outputs
        self.n_groups = game.n_groups
        self.empty = game.empty
        self.empty_std_errors = game.empty_std_errors

    @property
    def evaluations(self) -> int:
        """Rows that went through the network; the stand-in's are its own affair."""
        return self.game.evaluations

    @property
    def chunk_rows(self) -> int:
        """Rows per network pass."""
        return self.game.chunk_rows

    def full(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n gk"]:
        """Value of the coalition of all features."""
        every = X.new_ones(1, self.n_players).bool()
        return self.game.full(X) - self._added(X, every)[:, 0]

    def values(
        self,
        X: Float[Tensor, "n d"],
        coalitions: Bool[Tensor, "m players"] | Bool[Tensor, "n m players"],
    ) -> Float[Tensor, "n m gk"]:
        """Value of every coalition for every row."""
        return self.game.values(X, coalitions) - self._added(X, coalitions)

    def background_std_errors(
        self, estimates: Float[Tensor, "n d gk"]
    ) -> Float[Tensor, "n d k"] | None:
        """Return the standard error of estimates from what was drawn, if known."""
        return self.game.background_std_errors(estimates)

    def report(self) -> None:
        """Tell how far it is, and stop if asked to."""
        self.game.report()

    def _added(self, X: Tensor, coalitions: Tensor) -> Float[Tensor, "n m gk"]:
        nobody = X.new_zeros(1, self.n_players).bool()
        return self.stand_in.values(X, coalitions) - self.stand_in.values(X, nobody)


def corrected(estimate: Estimator, stand_in: StandIn) -> Estimator:
    r"""Return an estimator that knows the stand-in's values and samples the rest alone.

    Shapley values are linear: :math:`\phi(v) = \phi(g) + \phi(v - g)`. Where ``estimate`` is
    unbiased, so is the sum, whatever the stand-in :math:`g`; its standard errors are those of the
    rest, which shrink with :math:`v - g`. Where :math:`\phi(g)` is itself approximate, that error
    stays and is not in them.

    Regression estimators remove the main effects of a game themselves, so a linear stand-in helps
    them nothing; it does help permutations, SVARM and Owen sampling.

    References
    ----------
    Witter, Liu and Musco (2025), Regression-adjusted Monte Carlo Estimators for Shapley Values
    and Probabilistic Values.
    """

    def improved(game: SetFunction, part: Table) -> Iterator[Estimate]:
        known = stand_in.shapley(part.X)  # (n, d, gk)
        # A cast because counters of the protocol are variables, and here they are looked up.
        residual = cast("SetFunction", ResidualGame(game, stand_in))
        for rest in estimate(residual, part):
            yield replace(rest, values=known + rest.values)

    return improved
