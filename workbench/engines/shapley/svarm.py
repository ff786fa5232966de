"""Shapley values by stratified SVARM: means of coalitions with and without a feature, by size."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley.design import PairedDesign, pairs_within
from workbench.engines.shapley.params import SampledParams, sampled_efforts
from workbench.engines.shapley.run import EARLY_SHARE, Estimate, Estimator, run, sampling_cost
from workbench.engines.shapley.stopping import settled
from workbench.numerics.set_function import SetFunction

NAME = "shapley.svarm"
FEWEST_SHEETS = 2
WORTH_ENUMERATING = 0.7
LEAST_ACCEPTANCE = 0.05
BISECTIONS = 64


class SvarmParams(SampledParams):
    """Budget and tolerance; each feature needs coalitions with and without it of every size."""

    def coalitions(self, n_players: int) -> int:
        """Return how many coalitions a row may take; by default enough for every stratum."""
        return self.budget or max(
            super().coalitions(n_players), 2 * SheetDesign(n_players).smallest
        )


@dataclass(frozen=True)
class SheetDesign:
    r"""Pairs of a coalition and its complement, by the size of the smaller one, in sheets.

    A sheet puts all players in random order around a circle and cuts the circle into
    :math:`\lceil d / s \rceil` coalitions of size :math:`s`, of which the last may overlap the
    first; at half size it is one pair. So every player is in and out of some coalition of each
    sheet, and two sheets are enough for a mean and a variance of every stratum. A sheet that
    repeats a pair is drawn again. The law of the sheets does not change when players are
    renamed, so given how many coalitions hold a player, each is uniform among those that do, and
    means are unbiased.

    Strata are enumerated where that costs little more than their share. Those of one player are,
    always.
    """

    n_players: int

    @cached_property
    def populations(self) -> tuple[int, ...]:
        """Number of pairs in each stratum."""
        return PairedDesign(self.n_players).populations

    @cached_property
    def lowest(self) -> np.ndarray:
        """Two sheets, or all pairs where that is most of them."""
        return np.array(
            [
                population if population <= 2 * sheets else sheets
                for size, population in enumerate(self.populations, start=1)
                for sheets in [FEWEST_SHEETS * self.coalitions_per_sheet(size)]
            ],
            dtype=np.int64,
        )

    @property
    def smallest(self) -> int:
        """Fewest pairs that hold two coalitions with and without each player in each stratum."""
        return int(self.lowest.sum())

    def enumerated(self, counts: np.ndarray) -> np.ndarray:
        """Tell which strata are complete."""
        return np.array([int(n) == p for n, p in zip(counts, self.populations, strict=True)], bool)

    def coalitions_per_sheet(self, size: int) -> int:
        """Return how many pairs of a size a sheet has."""
        return 1 if 2 * size == self.n_players else math.ceil(self.n_players / size)

    def allocate(self, n_pairs: int) -> np.ndarray:
        r"""Return how many pairs each stratum gets.

        In proportion to :math:`1 / \sqrt{s (d - s)}`, half of it at half size, which is best
        where all strata vary alike.
        """
        d = self.n_players
        sizes = np.arange(1, len(self.populations) + 1)
        weights = 1 / np.sqrt(sizes * (d - sizes).clip(1)) / np.where(2 * sizes == d, 2, 1)
        everything = np.array([min(p, n_pairs + 1) for p in self.populations], dtype=np.int64)
        whole = self.lowest >= everything

        def counts(scale: float, whole: np.ndarray) -> np.ndarray:
            some = np.floor(scale * weights).clip(self.lowest, self._highest).astype(np.int64)
            return np.where(whole, everything, np.minimum(some, everything))

        def enumerating(scale: float) -> np.ndarray:
            return whole | (scale * weights >= WORTH_ENUMERATING * everything)

        top = 2 * float((everything / weights).max(initial=1.0))
        scale = _largest(top, lambda x: int(counts(x, enumerating(x)).sum()) <= n_pairs)
        whole = enumerating(scale)
        scale = _largest(top, lambda x: int(counts(x, whole).sum()) <= n_pairs)
        for stratum in np.argsort(everything):  # where the others can take no more
            more = whole.copy()
            more[stratum] = True
            if counts(scale, more).sum() <= n_pairs:
                whole = more
        return counts(scale, whole)

    @cached_property
    def _highest(self) -> np.ndarray:
        """Most pairs that can be drawn without meeting repeats too often."""
        shares = [
            min(0.5, 1 - LEAST_ACCEPTANCE ** (1 / self.coalitions_per_sheet(size)))
            for size in range(1, len(self.populations) + 1)
        ]
        highest = [
            int(share * min(p, 2**62)) for share, p in zip(shares, self.populations, strict=True)
        ]
        return np.maximum(np.array(highest, dtype=np.int64), self.lowest)

    def draw(self, size: int, n_pairs: int, rng: np.random.Generator) -> Bool[Tensor, "p d"]:
        """Draw first members of distinct pairs, sheet after sheet, or enumerate all."""
        if n_pairs == self.populations[size - 1]:
            return torch.from_numpy(PairedDesign(self.n_players).draw(size, n_pairs, rng))
        per_sheet, d = self.coalitions_per_sheet(size), self.n_players
        places = (np.arange(per_sheet * size) % d).reshape(per_sheet, size)
        seen: set[bytes] = set()
        sheets: list[np.ndarray] = []
        while (missing := math.ceil(n_pairs / per_sheet) - len(sheets)) > 0:
            players = rng.random((missing, d)).argsort(axis=1)[:, places]  # (t, w, s)
            drawn = np.zeros((missing, per_sheet, d), dtype=bool)
            np.put_along_axis(drawn, players, values=True, axis=2)
            flipped = drawn ^ ~drawn[..., :1] if 2 * size == d else drawn
            for sheet, keys in zip(drawn, np.packbits(flipped, axis=2), strict=True):
                own = {key.tobytes() for key in keys}
                if seen.isdisjoint(own):
                    seen |= own
                    sheets.append(sheet)
        return torch.from_numpy(np.concatenate(sheets)[:n_pairs])


def _largest(top: float, fits: Callable[[float], bool]) -> float:
    """Return the largest number up to ``top`` that fits, as far as bisection finds it."""
    low = 0.0
    for _ in range(BISECTIONS):
        middle = (low + top) / 2
        low, top = (middle, top) if fits(middle) else (low, middle)
    return low


def estimator(n_players: int, params: SvarmParams, context: Context) -> Estimator:
    """Return the estimator, for any game of that many players; rows come one at a time.

    Raises
    ------
    InvalidInputError
        If the budget is too small.
    """
    design, n_pairs = _design(n_players, params)
    goals = _rounds(design, n_pairs, grow=params.tolerance is not None)

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        gap = game.full(part.X)[0] - game.empty
        drawn = [
            design.draw(size, int(count), context.stream(int(part.ids[0]), size))
            for size, count in enumerate(goals[-1], start=1)
        ]
        differences = [torch.empty(0, len(gap), dtype=torch.float64) for _ in drawn]
        for goal in goals:
            new = [
                members[len(known) : int(count)]
                for members, known, count in zip(drawn, differences, goal, strict=True)
            ]
            differences = [
                torch.cat(both)
                for both in zip(differences, _differences(game, part, new), strict=True)
            ]
            members = [sample[: int(count)] for sample, count in zip(drawn, goal, strict=True)]
            values, errors = stratified_values(members, differences, gap, n_outputs=game.n_outputs)
            yield Estimate(values[None], errors[None])
            if settled(values[:, : game.n_outputs], errors, params.tolerance):
                return

    return estimate


def _differences(
    game: SetFunction, part: Table, members: list[Bool[Tensor, "_ d"]]
) -> list[Float[Tensor, "_ gk"]]:
    """Value of each coalition less that of its complement, all strata in one call."""
    if not members:
        return []
    first = torch.cat(members)
    value, complement = game.values(part.X, torch.cat([first, ~first]))[0].chunk(2)
    return list((value - complement).split([len(some) for some in members]))


def stratified_values(
    members: list[Bool[Tensor, "_ d"]],
    differences: list[Float[Tensor, "_ gk"]],
    gap: Float[Tensor, " gk"],
    *,
    n_outputs: int,
) -> tuple[Float[Tensor, "d gk"], Float[Tensor, "d k"]]:
    r"""Add up the strata of each player, and share out what is missing to efficiency.

    A Shapley value is a mean over sizes of the difference between the mean values of coalitions
    with and without the player. Sizes :math:`s` and :math:`d - s` come together: with
    :math:`D(S) = v(S) - v(\bar S)`,

    .. math:: \phi_i = \frac1d \Big( D(N) + \sum_{s < d/2} \big( \mathrm{E}[D(S) \mid i \in S]
              - \mathrm{E}[D(S) \mid i \notin S] \big) + \mathrm{E}[z_i D(S)]_{s = d/2} \Big),

    :math:`z_i = \pm 1` for in and out. What the values lack of :math:`D(N)` is spread evenly,
    the orthogonal projection, which keeps them unbiased and lowers their variance.

    Each pair's share in the error of each value is known, the projection included. The shares of
    a sheet, whose coalitions depend on each other, are added; the variance of a stratum is the
    sum of the squares over its :math:`t` sheets, times :math:`t / (t - 1)`, with the finite
    population's :math:`1 - n / N` for every mean.

    Parameters
    ----------
    members, differences
        For each size of the smaller coalition, from 1: the coalitions, and :math:`D` of each.

    Returns
    -------
    Values of every column, and standard errors of the first ``n_outputs``.

    References
    ----------
    Kolpaczki, Bengs, Muschalik and Hüllermeier (2024), Approximating the Shapley Value without
    Marginal Contributions, Sec. 4; pairs and sheets are ours.
    """
    d = members[0].shape[1] if members else 1
    values = (gap / d).expand(d, -1).clone()
    variance = torch.zeros(d, n_outputs, dtype=torch.float64)
    design = SheetDesign(d)
    for inside, difference in zip(members, differences, strict=True):
        size = int(inside[0].sum())
        sheet = torch.arange(len(inside)) // design.coalitions_per_sheet(size)
        n_sheets = int(sheet[-1]) + 1
        error = torch.zeros(n_sheets, d, n_outputs, dtype=torch.float64)
        for mean in _means(inside, size=size):
            values += (mean.weights.T @ difference) / d
            error.index_add_(0, sheet, mean.errors(difference[:, :n_outputs]))
        error -= error.mean(1, keepdim=True)
        variance += (error / d).square().sum(0) * n_sheets / max(n_sheets - 1, 1)
    return values + (gap - values.sum(0)) / d, variance.sqrt()


@dataclass(frozen=True)
class _Mean:
    """A mean of some pairs for each player.

    Attributes
    ----------
    chosen
        Which pairs belong to it.
    signs
        With which sign they enter.
    population
        Of how many it is a sample.
    """

    chosen: Bool[Tensor, "p d"]
    signs: Float[Tensor, "p d"]
    population: int

    @property
    def counts(self) -> Float[Tensor, " d"]:
        return self.chosen.sum(0).double()

    @property
    def weights(self) -> Float[Tensor, "p d"]:
        return self.chosen * self.signs / self.counts

    def errors(self, difference: Float[Tensor, "p k"]) -> Float[Tensor, "p d k"]:
        """Share of each pair in the error of each player's mean."""
        n = self.counts
        scale = (1 - n / self.population).sqrt()
        mean = self.weights.T @ difference  # (d, k)
        share = self.weights[:, :, None] * difference[:, None, :]
        return scale[:, None] * (share - (self.chosen / n)[:, :, None] * mean)


def _means(inside: Bool[Tensor, "p d"], *, size: int) -> list[_Mean]:
    """Return the means of pairs with and without a player; at half size all have one side."""
    d = inside.shape[1]
    one = torch.ones(inside.shape, dtype=torch.float64)
    if 2 * size == d:
        return [_Mean(one.bool(), 2 * inside.double() - 1, math.comb(d, size) // 2)]
    return [
        _Mean(inside, one, math.comb(d - 1, size - 1)),
        _Mean(~inside, -one, math.comb(d - 1, size)),
    ]


def _design(n_players: int, params: SvarmParams) -> tuple[SheetDesign, int]:
    design = SheetDesign(n_players)
    return design, pairs_within(n_players, params, design.smallest)


def _rounds(design: SheetDesign, n_pairs: int, *, grow: bool) -> list[np.ndarray]:
    """Pairs per stratum after each round: doubling for an early stop, else a look and all.

    What is enumerated is so from the start.
    """
    rounds, step = [design.allocate(n_pairs)], 2 if grow else EARLY_SHARE
    whole = design.enumerated(rounds[0])
    while grow or len(rounds) == 1:
        fewer = np.where(whole, rounds[0], np.maximum(rounds[0] // step, design.lowest))
        if 4 * fewer.sum() >= 3 * rounds[0].sum():
            break
        rounds.insert(0, fewer)
    return rounds


def _explain(
    model: Model, rows: Table, background: Table, params: SvarmParams, context: Context
) -> Attribution:
    d = len(model.schema.features)
    return run(
        NAME, model, rows, background, params, context,
        estimate=estimator(d, params, context), block=1, dof=_dof(d, params),
    )  # fmt: skip


def _dof(n_players: int, params: SvarmParams) -> float | None:
    r"""Degrees of freedom: :math:`(\sum V)^2 / \sum \frac{V^2}{t - 1}` over strata of t sheets.

    As if all strata varied alike (Satterthwaite 1946); of the first round, if it may be the last.
    """
    design, n_pairs = _design(n_players, params)
    rounds = _rounds(design, n_pairs, grow=params.tolerance is not None)
    counts = rounds[-1] if params.tolerance is None else rounds[0]
    total, squares = 0.0, 0.0
    for size, (count, population) in enumerate(zip(counts, design.populations, strict=True), 1):
        share = 1 if 2 * size == n_players else size * (n_players - size) / n_players**2
        variance = (1 - int(count) / population) / (share * int(count))
        total += variance
        sheets = math.ceil(int(count) / design.coalitions_per_sheet(size))
        squares += variance**2 / max(sheets - 1, 1)
    return total**2 / squares if squares > 0 else None


def _efforts(n_features: int) -> dict[str, Effort]:
    """As of all sampled methods, but never less than every stratum needs."""
    least = 2 * SheetDesign(n_features).smallest
    return {
        name: replace(effort, settings={k: max(v, least) for k, v in effort.settings.items()})
        for name, effort in sampled_efforts(n_features).items()
    }


def _cost(model: Model, n_rows: int, n_background: int, params: SvarmParams) -> Cost:
    d = len(model.schema.features)
    design, n_pairs = _design(d, params)
    return sampling_cost(
        model, n_rows, n_background, params, 2 * int(design.allocate(n_pairs).sum())
    )


METHODS.register(
    NAME,
    Method(
        title="Shapley values, stratified SVARM",
        question="Which features made this prediction?",
        explain=_explain,
        params=SvarmParams,
        yields=Attribution,
        needs=frozenset(),
        efforts=_efforts,
        cost=_cost,
        reference="Kolpaczki, Bengs, Muschalik and Hüllermeier (2024)",
        weakness="Approximate; with marginal values it asks the model about rows that cannot occur "
        "when features depend on each other.",
    ),
)
