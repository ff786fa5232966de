"""Why the gap: what each feature adds to it, and how well each tells who belongs to whom."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.gap_causes import GapCauses
from workbench.core.grouping import Grouping
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.calls import check_features, provenance_of, true_values
from workbench.engines.fairness.causes_params import CausesParams
from workbench.engines.fairness.decided import favourable_position
from workbench.engines.fairness.groups import find_groups
from workbench.engines.fairness.sharing import Shared, share_out, sharing_cost
from workbench.engines.rows_told import counted_alike, weights_or_none
from workbench.numerics.intervals import LEVEL
from workbench.numerics.proxies import bins_of, told_by_all, told_by_one

NAME = "fairness.causes"
# Rows that proxies are looked for among; of more, so many.
MOST_TOLD = 20_000
EXPLAINED, TOLD, TELLING, STAND_IN = 0xCA05, 0xCA06, 0xCA07, 0xCA08


@dataclass(frozen=True)
class Pair:
    """Two groups by one attribute: its position, and the levels of group and reference."""

    attribute: int
    level: int
    reference: int


def _explain(
    model: Model, rows: Table, background: Table, params: CausesParams, context: Context
) -> GapCauses:
    started = time.perf_counter()
    check_features(model, rows, "rows to compare")
    position = _output(model, rows, params)
    counting = _among(model, rows, position, params)
    grouping = find_groups(counting, params)
    pairs = _pairs(grouping)
    chosen = _drawn(len(counting), params.max_rows, context, EXPLAINED)
    stand_in = background[_drawn(len(background), params.background_rows, context, STAND_IN)]
    shared = share_out(model, counting[chosen], stand_in, position, params, context)
    told_rows = _drawn(len(counting), MOST_TOLD, context, TOLD)
    proxies = _proxies(model, counting[told_rows], grouping.codes[told_rows], grouping, pairs,
                       context)  # fmt: skip
    codes, values = grouping.codes[chosen], shared.values.mean(0)
    return GapCauses(
        provenance=provenance_of(
            NAME, model, rows, background, params, context,
            evaluations=shared.evaluations, chunk_rows=shared.chunk_rows,
            seconds=time.perf_counter() - started,
            notes=_notes(shared, rows, counting, counting[chosen], codes, pairs[0], params),
        ),
        attributes=grouping.attributes,
        pair_attributes=np.array([pair.attribute for pair in pairs], dtype=np.int64),
        pairs=tuple(_levels(grouping, pair) for pair in pairs),
        **_gaps(shared, codes, pairs),
        shifts=np.stack([
            _shifts(model, counting[chosen], values, codes[:, pair.attribute], pair)
            for pair in pairs
        ]),
        effects=_means(np.abs(values)),
        **proxies,
        n_explained=len(chosen),
        n_told=len(told_rows),
        among=params.among,
        output=model.output_names[position],
        unit=shared.unit,
        inner=shared.name,
        schema=model.schema,
    )  # fmt: skip


def compared(model: Model, rows: Table, params: CausesParams) -> list[tuple[str, str, str]]:
    """Return attribute, group and reference of each pair that is compared; nothing is computed.

    Raises
    ------
    InvalidInputError
        If there are no such groups, or too few rows.
    """
    grouping = find_groups(_among(model, rows, _output(model, rows, params), params), params)
    return [
        (grouping.attributes[pair.attribute], *_levels(grouping, pair))
        for pair in _pairs(grouping)
    ]  # fmt: skip


def _levels(grouping: Grouping, pair: Pair) -> tuple[str, str]:
    """Return what group and reference of a pair are called."""
    levels = grouping.levels[pair.attribute]
    return levels[pair.level], levels[pair.reference]


def _output(model: Model, rows: Table, params: CausesParams) -> int:
    """Return which output is the score: the favourable class, or the single number."""
    if model.schema.n_classes:
        return favourable_position(model, rows, params.favourable)
    if params.favourable or params.among != "all":
        raise InvalidInputError(
            f"Model {model.name} predicts a number, which has no favourable outcome; leave "
            "favourable empty and use among=all."
        )
    return 0


def _among(model: Model, rows: Table, position: int, params: CausesParams) -> Table:
    if params.among == "all":
        return rows
    truth = true_values(model, rows).astype(np.int64) == position
    kept = np.flatnonzero(truth == (params.among == "favourable"))
    if len(kept) < 2:
        raise InvalidInputError(
            f"among={params.among} leaves {counted(len(kept), 'row')} of {rows.name!r}; choose "
            "more rows, or among=all."
        )
    return rows[kept]


def _pairs(grouping: Grouping) -> list[Pair]:
    """Return every level with rows against the largest of its attribute."""
    found = []
    for at, levels in enumerate(grouping.levels):
        sizes = np.bincount(grouping.codes[:, at], minlength=len(levels))
        largest = int(sizes.argmax())
        others = [level for level in np.argsort(-sizes, kind="stable") if level != largest]
        found += [Pair(at, int(level), largest) for level in others if sizes[level]]
    return found


def _drawn(n: int, most: int, context: Context, address: int) -> Int[np.ndarray, " m"]:
    """Return all rows, or so many at random, in table order."""
    if n <= most:
        return np.arange(n)
    return np.sort(context.stream(address).permutation(n)[:most])


def _gaps(shared: Shared, codes: Int[np.ndarray, "n a"], pairs: list[Pair]) -> dict[str, Any]:
    """Differences of group means: of the score, and of the attributions of each feature."""
    sizes, means, gaps, found = [], [], [], []
    for pair in pairs:
        of = [codes[:, pair.attribute] == level for level in (pair.level, pair.reference)]
        own, other = (shared.scores[rows, None] for rows in of)
        sizes.append((len(own), len(other)))
        means.append([part.mean() if len(part) else np.nan for part in (own, other)])
        gaps.append(mean_difference(own, other)[0])
        found.append(difference_of_parts(*(shared.values[:, rows] for rows in of)))
    return {
        "sizes": np.array(sizes, dtype=np.int64), "means": np.array(means, dtype=np.float64),
        "gaps": np.stack(gaps), "contributions": np.stack(found),
    }  # fmt: skip


def difference_of_parts(
    own: Float[np.ndarray, "p n d"], other: Float[np.ndarray, "p m d"]
) -> Float[np.ndarray, "d 3"]:
    """Difference of the means of columns over all parts of a background.

    The half width is that for the choice of rows and that for the choice of the background, which
    parts tell by their spread, added in squares: the two errors are independent.
    """
    found = mean_difference(own.mean(0), other.mean(0))
    parts = len(own)
    if parts < 2 or not np.isfinite(found).all():
        return found
    by_part = own.mean(1) - other.mean(1)  # (p, d)
    drawn = stats.t.ppf(0.5 + LEVEL / 2, parts - 1) * by_part.std(0, ddof=1) / np.sqrt(parts)
    half = np.hypot((found[:, 2] - found[:, 1]) / 2, drawn)
    return np.stack([found[:, 0], found[:, 0] - half, found[:, 0] + half], 1)


def mean_difference(
    own: Float[np.ndarray, "n d"], other: Float[np.ndarray, "m d"]
) -> Float[np.ndarray, "d 3"]:
    """Difference of the means of columns, with Welch's interval; NaN where a group has no rows.

    References
    ----------
    Welch (1947), The Generalization of Student's Problem when Several Different Population
    Variances are Involved.
    """
    n, m = len(own), len(other)
    if not (n and m):
        return np.full((own.shape[1], 3), np.nan)
    difference = own.mean(0) - other.mean(0)
    if min(n, m) < 2:
        unknown = np.full_like(difference, np.nan)
        return np.stack([difference, unknown, unknown], 1)
    first, second = own.var(0, ddof=1) / n, other.var(0, ddof=1) / m
    total = first + second
    freedom = np.divide(
        total**2, first**2 / (n - 1) + second**2 / (m - 1),
        out=np.full_like(total, n + m - 2.0), where=total > 0,
    )  # fmt: skip
    half = stats.t.ppf(0.5 + LEVEL / 2, freedom) * np.sqrt(total)
    return np.stack([difference, difference - half, difference + half], 1)


def _means(values: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "d 3"]:
    """Means of columns with Student's interval."""
    n, mean = len(values), values.mean(0)
    if n < 2:
        return np.stack([mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)], 1)
    half = stats.t.ppf(0.5 + LEVEL / 2, n - 1) * values.std(0, ddof=1) / np.sqrt(n)
    return np.stack([mean, mean - half, mean + half], 1)


def _shifts(
    model: Model,
    rows: Table,
    values: Float[np.ndarray, "n d"],
    codes: Int[np.ndarray, " n"],
    pair: Pair,
) -> Float[np.ndarray, "d 3"]:
    """Attributions weighed by how much a value raises the share of the group, over both groups."""
    both = np.isin(codes, (pair.level, pair.reference))
    belongs = (codes[both] == pair.level).astype(np.float64)
    n, d = len(belongs), values.shape[1]
    if not 0 < belongs.sum() < n:
        return np.full((d, 3), np.nan)
    X = rows.X.double().numpy()[both]
    raised = np.empty((n, d))
    for c, feature in enumerate(model.schema.features):
        place, n_bins = bins_of(X[:, c], feature)
        in_bin = np.maximum(np.bincount(place, minlength=n_bins), 1)
        shares = np.bincount(place, belongs, n_bins) / in_bin
        raised[:, c] = shares[place] - belongs.mean()
    return _means(raised * values[both])


def _proxies(
    model: Model, rows: Table, codes: Int[np.ndarray, "n a"], grouping: Grouping,
    pairs: list[Pair], context: Context,
) -> dict[str, Any]:  # fmt: skip
    """Say how well features tell groups: one by one for each pair, and together."""
    X, features = rows.X.double().numpy(), model.schema.features
    itself = np.array([
        [feature.name == name for feature in features] for name in grouping.attributes
    ])
    area, mcc = (np.full((len(pairs), len(features), 3), np.nan) for _ in range(2))
    for m, pair in enumerate(pairs):
        context.step(m, len(pairs), "pairs of groups told by single features")
        own = codes[:, pair.attribute]
        both = np.isin(own, (pair.level, pair.reference))
        group = (own[both] == pair.level).astype(np.int64)
        for c, feature in enumerate(features):
            rng = context.stream(TELLING, m, c)
            told = told_by_one(X[both, c], feature, group, 2, rng)
            area[m, c], mcc[m, c] = told.area, told.mcc
    together, together_mcc = (np.full((len(itself), 3), np.nan) for _ in range(2))
    for at in range(len(itself)):
        others = np.flatnonzero(~itself[at])
        if len(others):
            told = told_by_all(
                X[:, others], tuple(features[c] for c in others), codes[:, at],
                len(grouping.levels[at]), context.stream(TELLING, len(pairs) + at),
                step=context.step,
            )  # fmt: skip
            together[at], together_mcc[at] = told.area, told.mcc
    return {"told": area, "told_mcc": mcc, "remaining": together, "remaining_mcc": together_mcc,
            "itself": itself}  # fmt: skip


def _notes(
    shared: Shared, rows: Table, counting: Table, explained: Table,
    codes: Int[np.ndarray, "n a"], pair: Pair, params: CausesParams,
) -> tuple[str, ...]:  # fmt: skip
    notes, n = [shared.why] if shared.why else [], len(shared.scores)
    if len(counting) < len(rows):
        which = "with" if params.among == "favourable" else "without"
        notes.append(
            f"only the {counted(len(counting), 'row')} {which} the favourable outcome count"
        )
    if n < len(counting):
        notes.append(f"{n:,} of {len(counting):,} rows were explained, drawn at random")
    stand_in = f"{counted(shared.n_background, 'background row')} stand in for unknown features"
    if len(shared.values) == 1:
        stand_in += ", too few to say how much hangs on them: intervals are for these"
    notes.append(stand_in)
    return (*notes, *counted_alike(explained, _by_weight(shared, explained, codes, pair)))


def _by_weight(shared: Shared, explained: Table, codes: Int[np.ndarray, "n a"], pair: Pair) -> str:
    """Say what the first gap would be if rows counted by their weights."""
    weights = weights_or_none(explained)
    of = [codes[:, pair.attribute] == level for level in (pair.level, pair.reference)]
    if weights is None or not all(weights[own].sum() > 0 for own in of):
        return ""
    own, other = (float(np.average(shared.scores[one], weights=weights[one])) for one in of)
    gap = own - other
    told = f"{100 * gap:+.1f} points" if shared.unit == "probability" else f"{gap:+.3g}"
    among = f"among the {counted(len(explained), 'row')} explained"
    return f"the gap of mean scores {among} would be {told}".replace("-", "\N{MINUS SIGN}")


def _cost(model: Model, n_rows: int, n_background: int, params: CausesParams) -> Cost:
    n, b = min(n_rows, params.max_rows), min(n_background, params.background_rows)
    return sharing_cost(model, n, b, params)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(50, {"max_rows": 200, "background_rows": 50}),
        "standard": Effort(100, {}),
        "thorough": Effort(200, {"max_rows": 5000, "background_rows": 200}),
    }


METHODS.register(
    NAME,
    Method(
        title="Why the gap",
        question="Which features make up the gap between groups, and which stand in for the group?",
        explain=_explain,
        params=CausesParams,
        yields=GapCauses,
        needs=frozenset(),
        cost=_cost,
        efforts=_efforts,
        reference="Lundberg (2020), Explaining Quantitative Measures of Fairness; Lundberg and Lee "
        "(2017)",
        weakness="Says what the model's gap is made of, not what the world's is: which of two "
        "features that go together gets the credit hangs on what the model happens to read.",
    ),
)
