"""Attribute flips: would the decision be another if only a protected attribute were?"""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.flips import ALTERNATIVES, KINDS, MOVES, AttributeFlips
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.table import Table
from workbench.core.wording import counted, percent
from workbench.engines.calls import check_features, check_finite, provenance_of
from workbench.engines.decided import favourable_position
from workbench.engines.fairness.assignments import Assignments, find_assignments
from workbench.engines.fairness.flip_support import supported
from workbench.engines.fairness.flips_params import FlipsParams
from workbench.engines.fairness.twins import find_twins
from workbench.engines.rows_told import counted_alike, weights_or_none
from workbench.numerics.chunks import slices
from workbench.numerics.paired_shares import greatest_gap, quantile_bounds
from workbench.numerics.rates import exact_bounds, with_bounds

NAME = "fairness.flips"
DRAWN, INPUTS = 0xF119, 0xF11A


@dataclass(frozen=True, eq=False)
class Answers:
    """Probability of the favourable class under each assignment, and whether it is decided for."""

    own: Float[np.ndarray, " n"]
    own_decided: np.ndarray
    scores: Float[np.ndarray, "n c"]
    decided: np.ndarray
    by_chance: Float[np.ndarray, "k 3"]
    evaluations: int


def _flip(
    model: Model, rows: Table, _: Table, params: FlipsParams, context: Context
) -> AttributeFlips:
    started = time.perf_counter()
    check_features(model, rows, "rows")
    position = favourable_position(model, rows, params.favourable)
    data = find_assignments(model, rows, params)
    asked, assignments = _asked(rows, data, params, context)
    answers = _answers(model, asked, assignments, position, params, context)
    likely = supported(rows, data, asked, assignments, params, context)
    found = AttributeFlips(
        provenance=provenance_of(
            NAME, model, rows, None, params, context, evaluations=answers.evaluations,
            chunk_rows=min(CHUNK_ROWS, len(asked)), seconds=time.perf_counter() - started,
            notes=_notes(rows, asked, data, answers, params),
        ),
        mode=params.mode, attributes=data.attributes, levels=data.levels,
        assignments=data.levels_of, own=assignments.own, group=assignments.group,
        group_levels=assignments.group_levels, favourable=model.schema.classes[position],
        ids=asked.ids.numpy(), own_scores=answers.own, own_decided=answers.own_decided,
        scores=answers.scores, decided=answers.decided, support=likely.support,
        seldom=likely.seldom, pairs=likely.pairs, pair_flips=likely.pair_flips,
        pair_seen=likely.pair_seen, pair_expected=likely.pair_expected, by_chance=answers.by_chance,
        n_data=len(rows),
        **_unmeasured(len(assignments.group_levels), len(data)),
    )  # fmt: skip
    return replace(found, **_measured(found))


def _asked(
    rows: Table, data: Assignments, params: FlipsParams, context: Context
) -> tuple[Table, Assignments]:
    """Return whom the question is asked of: rows, some of them, or inputs that are drawn."""
    n = params.asked(len(rows))
    if params.mode == "uniform":
        return _uniform(rows, data, n, context)
    if n == len(rows):
        return rows, data
    kept = np.sort(context.stream(DRAWN).permutation(len(rows))[:n])
    return rows[kept], replace(data, own=data.own[kept], group=data.group[kept])


def _uniform(rows: Table, data: Assignments, n: int, context: Context) -> tuple[Table, Assignments]:
    """Draw every feature on its own: categories alike, numbers over their range.

    Protected attributes are drawn among the values that they can be set to.
    """
    columns = []
    for place, feature in enumerate(rows.schema.features):
        rng = context.stream(INPUTS, place)
        if feature.categories:
            columns.append(rng.integers(0, len(feature.categories), n).astype(np.float64))
            continue
        known = rows.X[:, place].numpy()
        known = known[np.isfinite(known)]
        low, high = feature.range or (
            (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        )
        if feature.integer:
            columns.append(rng.integers(int(low), int(high) + 1, n).astype(np.float64))
        else:
            columns.append(rng.uniform(low, high, n))
    own = context.stream(DRAWN).integers(0, len(data), n)
    for at, place in enumerate(data.places):
        columns[place] = data.values[at][data.levels_of[own, at]]
    table = replace(
        rows, X=torch.from_numpy(np.stack(columns, 1)), ids=torch.arange(n), y=None, weights=None,
        aside=None,
    )  # fmt: skip
    names = tuple(
        tuple(data.levels[at][level] for at, level in enumerate(chosen))
        for chosen in data.levels_of.tolist()
    )
    return table, replace(data, own=own, group=own, group_levels=names)


@torch.no_grad()
def _answers(
    model: Model, asked: Table, assignments: Assignments, position: int, params: FlipsParams,
    context: Context,
) -> Answers:  # fmt: skip
    n, c = len(asked), len(assignments)
    others = (
        0 if params.mode == "conditional" else int((assignments.own[:, None] != np.arange(c)).sum())
    )
    asking = _Asking(model, position, n + others, context)
    encoded = torch.cat([model.encode(part.X) for part in _parts(asked)])
    own = asking.ask(encoded)
    check_finite(model, asked, torch.from_numpy(own[:, :1]))
    scores, decided = np.full((n, c), np.nan), np.zeros((n, c), dtype=bool)
    by_chance = np.full((len(KINDS), 3), np.nan)
    if params.mode == "conditional":
        twins, alike = find_twins(asked, assignments, params.neighbours, context)
        by_chance = _by_chance(own[:, 1] > 0, alike)
        for at in range(c):
            there = twins[:, at] >= 0
            scores[there, at] = own[twins[there, at], 0]
            decided[there, at] = own[twins[there, at], 1] > 0
    else:
        changed = _changed_columns(model, asked, assignments)
        for at in range(c):
            mine = np.flatnonzero(assignments.own == at)
            rest = np.flatnonzero(assignments.own != at)
            scores[mine, at], decided[mine, at] = own[mine, 0], own[mine, 1] > 0
            if len(rest):
                found = asking.ask(encoded, rest, *(part[at] for part in changed))
                scores[rest, at], decided[rest, at] = found[:, 0], found[:, 1] > 0
    return Answers(own[:, 0], own[:, 1] > 0, scores, decided, by_chance, asking.done)


def _by_chance(
    decided: Bool[np.ndarray, " n"], alike: Int[np.ndarray, "n o"]
) -> Float[np.ndarray, "k 3"]:
    """Compare rows with those of their own group: kinds of flips in the order of ``KINDS``."""
    differs = ((decided[alike] != decided[:, None]) & (alike >= 0)).any(1)
    told = (alike >= 0).any(1)
    kinds = (differs, differs & ~decided, differs & decided)
    return _shares(np.array([some.sum() for some in kinds]), np.array(int(told.sum())))


class _Asking:
    """Ask a network about encoded rows in passes of one size, and count them."""

    def __init__(self, model: Model, position: int, expected: int, context: Context) -> None:
        self.model, self.position, self.expected = model, position, expected
        self.context, self.done = context, 0

    def ask(
        self, encoded: Tensor, rows: Int[np.ndarray, " m"] | None = None,
        where: Tensor | None = None, values: Tensor | None = None,
    ) -> Float[np.ndarray, "m 2"]:  # fmt: skip
        """Return probability of the favourable class, and 1 where it is decided for.

        Parameters
        ----------
        where, values
            Columns of the network's input that are set, and what to.
        """
        chosen = np.arange(len(encoded)) if rows is None else rows
        found = []
        for part in slices(len(chosen), CHUNK_ROWS):
            self.context.step(self.done, self.expected, "answers of the model")
            inputs = encoded[torch.from_numpy(chosen[part]).to(encoded.device)]
            if where is not None and values is not None:
                inputs[:, where] = values
            probability = self.model.outputs(self.model.network(inputs), "probability").double()
            decided = probability.argmax(1) == self.position
            found.append(torch.stack([probability[:, self.position], decided.double()], 1).cpu())
            self.done += len(inputs)
        return torch.cat(found).numpy()


def _changed_columns(
    model: Model, asked: Table, assignments: Assignments
) -> tuple[list[Tensor], list[Tensor]]:
    """Return, by assignment, which columns of the network's input it sets, and what to.

    A column depends on one feature alone, so that rows are encoded once, whatever is set in them.
    """
    X = asked.X[:1].repeat(len(assignments), 1)
    for at, place in enumerate(assignments.places):
        X[:, place] = torch.from_numpy(assignments.values[at][assignments.levels_of[:, at]])
    where = torch.isin(model.groups, torch.tensor(assignments.places, device=model.groups.device))
    places = where.nonzero()[:, 0].to(model.device)
    values = model.encode(model.without_fractions(X))[:, places]
    return [places] * len(assignments), list(values)


def _parts(table: Table) -> list[Table]:
    return [table[part] for part in slices(len(table), CHUNK_ROWS)]


def _unmeasured(g: int, c: int) -> dict[str, Any]:
    k, v, m = len(KINDS), len(ALTERNATIVES), len(MOVES)
    shapes = {
        "rates": (k, v, g, 3), "overall": (k, v, 3), "set_rates": (c, 3), "group_score": (3,),
        "moves": (m, g, 3), "overall_moves": (m, 3),
    }  # fmt: skip
    return {name: np.full(shape, np.nan) for name, shape in shapes.items()}


def _measured(flips: AttributeFlips) -> dict[str, Any]:
    """Turn what each row shows into shares and quantiles with their intervals."""
    g, sizes = len(flips.group_levels), flips.sizes
    flipped = np.stack([
        [flips.flipped(kind, plausible=sort == "plausible") for sort in ALTERNATIVES]
        for kind in KINDS
    ])  # (k, v, n)
    counts = np.stack([
        [np.bincount(flips.group[some], minlength=g) for some in kind] for kind in flipped
    ])  # (k, v, g)
    answered = np.isfinite(flips.scores).all(0)
    n_set = np.where(answered, len(flips), 0)
    size = np.abs(flips.largest_moves)
    told = np.isfinite(size)
    quantiles = [
        [quantile_bounds(size[told & (flips.group == at)], share) for at in range(g)]
        for share in MOVES.values()
    ]
    return {
        "rates": _shares(counts, sizes),
        "overall": _shares(flipped.sum(-1), np.array(len(flips))),
        "set_rates": _shares(flips.decided.sum(0), n_set),
        "group_score": greatest_gap(flips.decided[:, answered]),
        "moves": np.array(quantiles),
        "overall_moves": np.array([quantile_bounds(size[told], q) for q in MOVES.values()]),
    }


def _shares(k: np.ndarray, n: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(n > 0, k / n, np.nan)
    return with_bounds(value, exact_bounds(k, n))


def _notes(
    rows: Table, asked: Table, data: Assignments, answers: Answers, params: FlipsParams
) -> tuple[str, ...]:  # fmt: skip
    notes = []
    if data.left_out:
        notes.append(f"nobody is of {', '.join(data.left_out)}, so that there is no value to set")
    if unknown := int((data.own < 0).sum()):
        notes.append(f"{counted(unknown, 'row')} with a missing value were set to every level")
    if params.mode != "uniform" and len(asked) < len(rows):
        notes.append(
            f"{len(asked):,} of {len(rows):,} rows were drawn, for a margin of {params.margin:g}"
        )
    return (*notes, *counted_alike(asked, _by_weight(asked, answers)))


def _by_weight(asked: Table, answers: Answers) -> str:
    """Say whose decision would be another if rows counted by their weights."""
    weights = weights_or_none(asked)
    if weights is None:
        return ""
    other = (answers.decided != answers.own_decided[:, None]) & np.isfinite(answers.scores)
    share = float(np.average(other.any(1), weights=weights))
    return f"{percent(share)} would be decided otherwise"


def _cost(model: Model, n_rows: int, _: int, params: FlipsParams) -> Cost:
    n = params.asked(n_rows)
    c = 0 if params.mode == "conditional" else _most_assignments(model, params)
    width = len(model.groups)
    return Cost(n * (c + 1), 8 * (n * (width + 4 * max(c, 2)) + 8 * CHUNK_ROWS * width))


def _most_assignments(model: Model, params: FlipsParams) -> int:
    """Bound the assignments by what the schema and the settings say."""
    bins = {
        name.strip(): cuts.count(",") + 2
        for name, _, cuts in (part.partition("=") for part in params.bins.split(";"))
    }
    named = [name.strip() for name in params.by.split(",") if name.strip()]
    found = 1
    for feature in model.schema.features:
        if feature.name in named or (not named and feature.protected):
            found *= bins.get(feature.name) or len(feature.categories) or 2
    return found


METHODS.register(
    NAME,
    Method(
        title="If it were another",
        question="Would the decision be another if only a protected attribute were?",
        explain=_flip,
        params=FlipsParams,
        yields=AttributeFlips,
        needs=frozenset(),
        uses=frozenset(),
        cost=_cost,
        reference="Galhotra, Brun and Meliou (2017); Clopper and Pearson (1934)",
        weakness="Only the attribute is set, and what goes with it stays: some of these people "
        "cannot exist. A model that does not read an attribute may still treat groups apart.",
    ),
)
