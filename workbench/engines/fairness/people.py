"""People at the boundary: who is decided narrowly, and what would have changed it?"""

import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.boundary import NOBODY, UNKNOWN, WHO, BoundaryPeople
from workbench.core.context import Context, Progress
from workbench.core.errors import InvalidInputError
from workbench.core.grouping import Grouping
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.params import parse_params
from workbench.core.rashomon import RashomonSet
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.calls import check_features, check_finite, provenance_of
from workbench.engines.fairness.decided import decide, favourable_position
from workbench.engines.fairness.groups import find_groups
from workbench.engines.fairness.moved import moved_scores, possible_moves
from workbench.engines.fairness.nearest_other import AT_ONCE, nearest_other, spread_of
from workbench.engines.fairness.people_params import PeopleParams
from workbench.engines.rows_told import counted_alike, which_rows
from workbench.numerics.intervals import wilson

NAME, RANGES = "fairness.people", "rashomon.set"
FEWEST_MODELS = 2
# Levels of protected attributes that a table can have at most, for the bound on what a run takes.
MOST_LEVELS = 100


class Asked(NamedTuple):
    """What equally good models say of everybody."""

    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    otherwise: Float[np.ndarray, "n 3"]
    admitted: int = 0
    drawn: int = 0
    noise: float = np.nan
    evaluations: int = 0
    remark: str = ""


def _people(
    model: Model, rows: Table, table: Table, params: PeopleParams, context: Context
) -> BoundaryPeople:
    """Rank everybody by their distance to the decision, and look at the closest in full.

    Raises
    ------
    InvalidInputError
        If the model predicts a number, a table does not fit, nobody says which class is
        favourable, or people or columns that are asked for are not there.
    """
    started = time.perf_counter()
    for part, what in ((rows, "rows to look at"), (table, "rows to search")):
        check_features(model, part, what)
    position = favourable_position(model, rows, params.favourable)
    total = _cost(model, len(rows), len(table), params).evaluations
    probabilities = model.predict(rows.X)
    check_finite(model, rows, probabilities)
    decided = decide(probabilities.numpy(), position, model.output_names, None)
    margins = margins_of(probabilities.numpy(), position)
    truth = _truth(rows, position)
    grouping, without = _groups(rows, params)
    chosen = _chosen(rows, margins, decided.decided, truth, params)
    asked = _ask_others(model, rows, table, position, params, context)
    spread = spread_of(table, _protected(model, grouping))
    everybody = model.predict(table.X).numpy()
    done = len(rows) + len(table) + asked.evaluations
    context.step(min(done, total), total, "rows through models")
    people = rows[chosen]
    nearest = nearest_other(
        people, decided.decided[chosen], table, everybody.argmax(1) == position, spread,
        lambda _: context.step(min(done, total), total, "rows through models"),
    )  # fmt: skip
    moves = possible_moves(rows, grouping)
    flip_scores, flip_decided = moved_scores(model, people, grouping.codes[chosen], moves, decided)
    has = nearest.places != NOBODY
    found = np.where(has, nearest.places, 0)
    done += int(np.isfinite(flip_scores).sum())
    return BoundaryPeople(
        provenance=provenance_of(
            NAME, model, rows, table, params, context, evaluations=done, chunk_rows=CHUNK_ROWS,
            seconds=time.perf_counter() - started,
            notes=_notes(model, rows, table, asked, params, without),
        ),
        favourable=decided.favourable,
        schema=model.schema,
        output_names=model.output_names,
        ids=rows.ids.numpy(),
        scores=decided.scores,
        margins=margins,
        decided=decided.decided,
        truth=truth,
        attributes=grouping.attributes,
        levels=grouping.levels,
        codes=grouping.codes,
        low=asked.low, high=asked.high, otherwise=asked.otherwise,
        admitted=asked.admitted, drawn=asked.drawn, tolerance=params.tolerance,
        noise=np.array([asked.noise]), remark=asked.remark,
        who=params.who,
        chosen=chosen,
        data=people.X.double().numpy(),
        flip_attributes=moves.attributes, flip_levels=moves.levels,
        flip_scores=flip_scores, flip_decided=flip_decided,
        neighbour_ids=np.where(has, table.ids.numpy()[found], NOBODY),
        neighbour_data=np.where(has[:, None], table.X.double().numpy()[found], np.nan),
        neighbour_scores=np.where(has, everybody[found, position], np.nan),
        distances=nearest.distances, typical=nearest.typical, closer=nearest.closer,
        spread=spread, searched=len(table),
    )  # fmt: skip


def margins_of(probabilities: Float[np.ndarray, "n k"], position: int) -> Float[np.ndarray, " n"]:
    """Half of what a class is ahead of the strongest other; negative where it is behind.

    No smaller move of its score tips the decision where the other classes pay for it. Of two
    classes a larger one always does; of more, a class that is behind may meet a third one.
    """
    strongest = np.delete(probabilities, position, axis=1).max(1)
    found: np.ndarray = (probabilities[:, position] - strongest) / 2
    return found.astype(np.float64)


def _truth(rows: Table, position: int) -> Int[np.ndarray, " n"]:
    if rows.y is None:
        return np.full(len(rows), UNKNOWN)
    y = rows.y.double().numpy()
    return np.where(np.isfinite(y), (y == position).astype(np.int64), UNKNOWN)


def _groups(rows: Table, params: PeopleParams) -> tuple[Grouping, str]:
    """Return groups, and why there are none; of columns that were asked for there have to be."""
    try:
        return find_groups(rows, params, one_will_do=True), ""
    except InvalidInputError as error:
        if params.by or params.bins:
            raise
        return Grouping((), (), np.zeros((len(rows), 0), np.int64)), str(error)


def _protected(model: Model, grouping: Grouping) -> frozenset[str]:
    marked = (feature.name for feature in model.schema.features if feature.protected)
    return frozenset((*marked, *grouping.attributes))


def _chosen(
    rows: Table,
    margins: Float[np.ndarray, " n"],
    decided: Bool[np.ndarray, " n"],
    truth: Int[np.ndarray, " n"],
    params: PeopleParams,
) -> Int[np.ndarray, " m"]:
    """Return positions of the people to look at in full, closest to the boundary first."""
    if asked := params.rows_asked_for:
        ids = rows.ids.numpy()
        if strange := [row for row in asked if row not in ids]:
            raise InvalidInputError(
                f"people: there is no row {listing(strange)} among the {len(rows):,} rows of "
                f"{rows.name!r}; name row numbers of the file."
            )
        among = np.flatnonzero(np.isin(ids, asked))
    else:
        if params.who.startswith("wrongly") and not (truth != UNKNOWN).any():
            raise InvalidInputError(
                f"who: nobody knows who is {WHO[params.who].lower()}, since {rows.name!r} has no "
                "labels; choose refused or approved."
            )
        among = np.flatnonzero({
            "everybody": np.ones(len(rows), bool),
            "refused": ~decided,
            "approved": decided,
            "wrongly_refused": ~decided & (truth == 1),
            "wrongly_approved": decided & (truth == 0),
        }[params.who])  # fmt: skip
    order = among[np.argsort(np.abs(margins[among]), kind="stable")]
    return order if params.rows_asked_for else order[: params.max_people]


def _ask_others(
    model: Model, rows: Table, table: Table, position: int, params: PeopleParams, context: Context
) -> Asked:
    """Ask equally good models about everybody; where there are none, say why."""
    unknown = np.full(len(rows), np.nan)
    nothing = Asked(unknown, unknown.copy(), np.full((len(rows), 3), np.nan))
    if params.models < FEWEST_MODELS:
        return nothing._replace(remark="no other models were asked for")
    method = METHODS.find(RANGES)
    if lacking := method.lacks(model):
        return nothing._replace(remark=f"{model.name} lacks {'; '.join(lacking)}")
    progress = _retold(context.progress, len(rows), len(table), model, params)
    try:
        found = method.explain(
            model, rows, table, _range_params(params), replace(context, progress=progress)
        )
    except InvalidInputError as error:
        return nothing._replace(remark=str(error).rstrip("."))
    assert isinstance(found, RashomonSet)  # noqa: S101 - what the method is registered to yield
    admitted = int(found.admitted[0, 0])
    kept = nothing._replace(
        admitted=admitted, drawn=int(found.drawn[0]), noise=float(found.noise[0, 0]),
        evaluations=found.provenance.evaluations,
    )  # fmt: skip
    if not admitted:
        return kept._replace(
            remark=f"none of {counted(kept.drawn, 'near-copy').replace('copys', 'copies')} is as "
            "good within the tolerance"
        )
    flips = np.rint(found.flips[0, 0] * admitted).astype(np.int64)
    intervals = np.array([wilson(k, admitted) for k in range(admitted + 1)])
    share = np.column_stack([flips / admitted, intervals[flips]])
    return kept._replace(
        low=found.low[0, 0, :, position], high=found.high[0, 0, :, position], otherwise=share
    )


def _range_params(params: PeopleParams) -> Any:
    return parse_params(
        METHODS.find(RANGES).params,
        {
            "models": max(params.models, FEWEST_MODELS), "tolerances": (params.tolerance,),
            "admission_rows": params.admission_rows, "importance": False,
        },
    )  # fmt: skip


def _retold(
    tell: Progress | None, n_rows: int, n_table: int, model: Model, params: PeopleParams
) -> Progress | None:
    """Say of the progress of the search for models what it is of here."""
    if tell is None:
        return None
    total = _cost(model, n_rows, n_table, params).evaluations
    return lambda done, _, __: tell(min(n_rows + done, total), total, "rows through models")


def _notes(
    model: Model, rows: Table, table: Table, asked: Asked, params: PeopleParams, without: str
) -> tuple[str, ...]:
    notes = []
    if asked.remark:
        notes.append(f"no ranges over equally good models: {asked.remark}")
    elif len(model.output_names) > 2:
        notes.append("a model that decides for another unfavourable class counts as otherwise")
    if params.tolerance < 2 * np.nan_to_num(asked.noise):
        notes.append(
            f"the tolerance is below twice the noise of the excess loss ({asked.noise:.2g}): "
            "which models are as good cannot be told so finely"
        )
    if without:
        notes.append(f"nobody is moved to another group: {without.rstrip('.')}")
    return (*notes, which_rows(rows, table), *counted_alike(rows))


def _cost(model: Model, n_rows: int, n_table: int, params: PeopleParams) -> Cost:
    held = min(n_rows, max(params.max_people, len(params.rows_asked_for)))
    total, n_bytes = n_rows + n_table + held * MOST_LEVELS, 6 * 8 * max(AT_ONCE, n_table)
    method = METHODS.find(RANGES)
    if params.models >= FEWEST_MODELS and not method.lacks(model):
        own = method.cost(model, n_rows, n_table, _range_params(params))
        total, n_bytes = total + own.evaluations, n_bytes + own.n_bytes
    return Cost(total, n_bytes=n_bytes)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(0, {"models": 100}),
        "standard": Effort(0, {}),
        "thorough": Effort(0, {"models": 4000}),
    }


METHODS.register(
    NAME,
    Method(
        title="People at the boundary",
        question="Who is decided narrowly, and what would have changed it?",
        explain=_people,
        params=PeopleParams,
        yields=BoundaryPeople,
        needs=frozenset(),
        uses=frozenset({"table"}),
        cost=_cost,
        efforts=_efforts,
        reference="Marx, Calmon and Ustun (2020); Watson-Daniels, Parkes and Ustun (2023)",
        weakness="Changing a protected attribute alone may describe nobody, and columns that stand "
        "in for it stay as they are; the most similar person is so by the columns there are.",
    ),
)
