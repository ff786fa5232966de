"""How the output changes with each feature: mean curve, single curves, accumulated effects."""

import time
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench.core.context import Context
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.profiles import Profiles
from workbench.core.table import Table
from workbench.engines.calls import check_features, check_finite, provenance_of
from workbench.engines.profiles.grids import Grid, make_grid, most_points
from workbench.engines.profiles.params import ProfileParams
from workbench.engines.profiles.sweep import Block, Sweep
from workbench.engines.profiles.tallies import PairTally, Tally
from workbench.numerics.links import unit_of

NAME = "profiles.curves"
DRAW = 0


def _explain(
    model: Model, rows: Table, _: Table, params: ProfileParams, context: Context
) -> Profiles:
    started = time.perf_counter()
    check_features(model, rows, "rows to average over")
    X = rows.X.double()
    grids = _grids(model, X.numpy(), params.places(model.schema), params.points)
    pair = _grids(model, X.numpy(), params.pair_places(model.schema), params.pair_points)
    drawn = _draw(len(rows), params.curves, context)
    sweep = Sweep(model, X, params.output, context, _most(grids, pair))
    answers = ask(sweep, grids, pair, drawn, context)
    check_finite(model, rows, torch.from_numpy(answers.outputs))
    return Profiles(
        provenance=provenance_of(
            NAME, model, rows, None, params, context, evaluations=sweep.evaluations,
            chunk_rows=sweep.chunk_rows, seconds=time.perf_counter() - started,
        ),
        features=np.array([grid.place for grid in grids]),
        of=np.repeat([grid.place for grid in grids], [len(grid.values) for grid in grids]),
        grid=np.concatenate([grid.values for grid in grids]),
        curves=answers.curves,
        predictions=answers.outputs[drawn],
        base=answers.outputs.mean(0)[None],
        data=X.numpy()[drawn],
        ids=rows.ids.numpy()[drawn],
        pair=np.array([grid.place for grid in pair], dtype=np.int64),
        n_rows=len(rows),
        schema=model.schema,
        output_names=model.output_names,
        unit=unit_of(model.schema, params.output, "identity"),
        **_of_tallies(answers.tallies),
        **_of_pair(pair, answers.pair, len(model.output_names)),
    )  # fmt: skip


class Answers(NamedTuple):
    """What one model says: sums over rows for each feature, single curves, its own outputs."""

    tallies: list[Tally]
    pair: PairTally | None
    curves: Float[np.ndarray, "i p k"]
    outputs: Float[np.ndarray, "n k"]


def ask(
    sweep: Sweep, grids: list[Grid], pair: list[Grid], drawn: Int[np.ndarray, " i"],
    context: Context,
) -> Answers:  # fmt: skip
    """Ask a model about all rows at every value of every grid, block by block."""
    n, k = len(sweep.X), len(sweep.model.output_names)
    tallies = [Tally(grid, k) for grid in grids]
    pairs = PairTally(pair[0], pair[1], k) if pair else None
    outputs, curves = [], []
    for part, block in sweep.blocks():
        context.step(part.start, n, "rows")
        own = drawn[(drawn >= part.start) & (drawn < part.stop)] - part.start
        outputs.append(block.as_they_are())
        curves.append(_tell(block, sweep.X[part].numpy(), tallies, own))
        if pairs is not None:
            _tell_pair(block, sweep.X[part].numpy(), pairs)
    context.step(n, n, "rows")
    return Answers(tallies, pairs, np.concatenate(curves), np.concatenate(outputs))


def _tell(
    block: Block, X: Float[np.ndarray, "n d"], tallies: list[Tally], own: Int[np.ndarray, " i"]
) -> Float[np.ndarray, "i p k"]:
    """Tell the tallies what a block of rows says, and return the curves of some of them."""
    curves = []
    for tally in tallies:
        answers = block.at([tally.grid])
        tally.add(answers, X[:, tally.grid.place])
        curves.append(answers[:, own])
    return np.concatenate(curves).swapaxes(0, 1)


def _tell_pair(block: Block, X: Float[np.ndarray, "n d"], pairs: PairTally) -> None:
    pairs.add(block.at(pairs.grids), X)


def _grids(model: Model, X: Float[np.ndarray, "n d"], places: list[int], points: int) -> list[Grid]:
    features = model.schema.features
    return [make_grid(place, features[place], X[:, place], points) for place in places]


def _most(grids: list[Grid], pair: list[Grid]) -> int:
    """Return how many values a row is asked about at once."""
    return max(*(len(grid.values) for grid in grids), prod(len(grid.values) for grid in pair))


def _draw(n: int, count: int, context: Context) -> Int[np.ndarray, " i"]:
    """Draw the rows that keep curves of their own, in table order."""
    return np.sort(context.stream(DRAW).permutation(n)[:count])


def _of_tallies(tallies: list[Tally]) -> dict[str, Any]:
    """Put the features' sums one after another, with an axis for models."""
    means = [tally.mean() for tally in tallies]
    effects = [tally.effects() for tally in tallies]
    intervals = []
    for tally in tallies:
        ends = np.zeros_like(tally.counts)
        ends[1 : 1 + len(tally.interval_counts)] = tally.interval_counts
        intervals.append(ends)
    return {
        "counts": np.concatenate([tally.counts for tally in tallies]),
        "interval_counts": np.concatenate(intervals),
        "mean": np.concatenate([mean for mean, _ in means])[None],
        "std_errors": np.concatenate([error for _, error in means])[None],
        "effects": np.concatenate([found.values for found in effects])[None],
        "effect_errors": np.concatenate([found.errors for found in effects])[None],
    }


def _of_pair(pair: list[Grid], tally: PairTally | None, k: int) -> dict[str, Any]:
    if tally is None:
        return {
            "pair_x": np.zeros(0), "pair_y": np.zeros(0),
            "pair_counts": np.zeros((0, 0), dtype=np.int64),
            "pair_mean": np.zeros((1, 0, 0, k)), "pair_effects": np.zeros((1, 0, 0, k)),
        }  # fmt: skip
    return {
        "pair_x": pair[0].values, "pair_y": pair[1].values, "pair_counts": tally.counts,
        "pair_mean": tally.mean()[None], "pair_effects": tally.effects()[None],
    }  # fmt: skip


def _points(model: Model, params: ProfileParams) -> int:
    """Return at how many values each row is asked about, at most; its own included."""
    features = model.schema.features
    asked = [features[place] for place in params.places(model.schema)]
    pair = [features[place] for place in params.pair_places(model.schema)]
    each = sum(most_points(feature, params.points) for feature in asked)
    both = [most_points(feature, params.pair_points) for feature in pair]
    return 1 + each + (both[0] * both[1] if both else 0)


def _cost(model: Model, n_rows: int, _: int, params: ProfileParams) -> Cost:
    points, k = _points(model, params), len(model.output_names)
    kept = min(n_rows, params.curves) * points
    return Cost(n_rows * points, 8 * k * (kept + points * min(n_rows, 1024)))


METHODS.register(
    NAME,
    Method(
        title="Profiles of features",
        question="How does the output change with a feature, on average and for single rows?",
        explain=_explain,
        params=ProfileParams,
        yields=Profiles,
        needs=frozenset(),
        uses=frozenset(),
        cost=_cost,
        reference="Friedman (2001); Goldstein et al. (2015); Apley and Zhu (2020)",
        weakness="Mean and single curves ask the model about rows that cannot occur when features "
        "depend on each other; accumulated effects stay near the data, and say nothing of single "
        "rows.",
    ),
)
