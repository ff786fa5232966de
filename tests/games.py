"""Games by their table: set functions whose every Shapley value is known."""

import torch
from scipy.stats import t as student

from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.engines.shapley.exact import all_coalitions, shapley_weights


class TableGame:
    """A set function read from a table ``[2^d, k (1 + g)]``, the same for every row.

    Row ``j`` of the table belongs to the coalition of the players whose bits are set in ``j``.
    ``evaluations`` counts distinct inner coalitions of each call, as a game with one background
    row would.
    """

    def __init__(self, table, n_outputs=None):
        self.table = table.double()
        self.n_players = len(table).bit_length() - 1
        assert len(table) == 2**self.n_players
        self.n_outputs = n_outputs or table.shape[1]
        self.n_groups = table.shape[1] // self.n_outputs - 1
        self.evaluations = 0
        self.chunk_rows = 1
        self.empty = self.table[0]
        self.empty_std_errors = torch.zeros(self.n_outputs, dtype=torch.float64)
        self._bits = 2 ** torch.arange(self.n_players)

    @property
    def shapley(self):
        """Shapley values ``[d, k (1 + g)]`` by the formula."""
        return shapley_weights(self.n_players) @ self.table

    def full(self, X):
        return self.table[-1].expand(len(X), -1)

    def values(self, X, coalitions):
        assert coalitions.dtype == torch.bool
        assert coalitions.shape[-1] == self.n_players
        if coalitions.ndim == 2:
            coalitions = coalitions.expand(len(X), -1, -1)
        codes = (coalitions * self._bits).sum(-1)  # (n, m)
        inner = (codes > 0) & (codes < len(self.table) - 1)
        self.evaluations += sum(
            len(row[own].unique()) for row, own in zip(codes, inner, strict=True)
        )
        return self.table[codes]

    def background_std_errors(self, estimates):
        if not self.n_groups:
            return None
        groups = estimates.unflatten(2, (1 + self.n_groups, self.n_outputs))[:, :, 1:]
        return groups.std(2) / self.n_groups**0.5

    def report(self):
        """Nobody waits."""


def random_game(d, *, k=1, order=None, seed=0, n_outputs=None):
    """A game of independent normal values; with an order, of interactions up to that order.

    The interactions (Moebius coefficients) of an order shrink with the number of players that
    take part, as they do in models.
    """
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(2**d, k, generator=generator, dtype=torch.float64)
    if order is not None:
        inside = all_coalitions(d)
        size = inside.sum(1)
        table *= (size <= order)[:, None] / 2.0 ** size[:, None]
        # The value of a coalition is the sum of the interactions of its subsets.
        for player in range(d):
            table = table.view(2 ** (d - 1 - player), 2, 2**player, k)
            table = torch.stack([table[:, 0], table[:, 0] + table[:, 1]], dim=1)
        table = table.reshape(2**d, k)
    return TableGame(table, n_outputs)


def rows_of_game(d, n=1, *, first=0):
    """Rows that differ in nothing but their number, which is what addresses random draws."""
    features = tuple(Feature(name=f"x{i}", range=(0.0, 1.0)) for i in range(d))
    schema = Schema(features=features, target="y", task="regression")
    ids = torch.arange(first, first + n)
    return Table(schema, torch.zeros(n, d, dtype=torch.float64), ids, None, name="game")


def last_estimates(estimate, game, n):
    """Values and standard errors ``[n, d, k]`` of rows 0 to n - 1, so of n independent draws."""
    last = []
    for row in range(n):
        *_, final = estimate(game, rows_of_game(game.n_players, first=row))
        last.append(final)
    return torch.cat([e.values for e in last]), torch.cat([e.std_errors for e in last])


def bias_in_standard_errors(values, truth):
    """How many standard errors the mean over draws is from the truth, at worst."""
    error = values - truth
    spread = error.std(0) / len(values) ** 0.5
    return float((error.mean(0).abs() / spread.clamp(min=1e-12)).max())


def coverage(values, errors, truth, dof):
    """Share of 95 % intervals that hold the truth."""
    quantile = float(student.ppf(0.975, dof))
    return float(((values - truth).abs() <= quantile * errors + 1e-12).double().mean())
