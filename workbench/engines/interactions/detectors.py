"""Detectors of interactions side by side: what each says of the pairs of one model."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.detectors import KINDS, Detectors
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.core.wording import counted, percent
from workbench.engines.calls import provenance_of, true_values
from workbench.engines.interactions.candidates import MOST_FEATURES, SCREEN_ROWS, chosen_pairs
from workbench.engines.interactions.detecting import BY_FIRST, Bench, Found
from workbench.engines.interactions.detectors_params import DetectorsParams
from workbench.engines.interactions.detectors_plan import Plan, Run, nothing_left, plan_of
from workbench.engines.interactions.scene import make_scene
from workbench.engines.interactions.scores import loss_unit
from workbench.numerics.devices import LEAST_BUDGET
from workbench.numerics.links import unit_of
from workbench.numerics.reference_row import reference_row

NAME = "interactions.detectors"
# What a strength is measured in, where it is not the unit of the output.
SQUARED = frozenset({"mixed-difference", "contexts"})
PURE = frozenset({"friedman", "weights"})


@dataclass(frozen=True)
class _Told:
    """What came of a run."""

    run: Run
    found: Mapping[str, Found]
    seconds: float
    evaluations: int
    gradients: int


def _explain(
    model: Model, rows: Table, _: Table, params: DetectorsParams, context: Context
) -> Detectors:
    started = time.perf_counter()
    plan = plan_of(model, len(rows), params, _no_labels(model, rows, params))
    labelled = any("loss" in run.names for run in plan.runs)
    scene = make_scene(
        model, rows, context, output=params.output, permutations=params.permutations,
        at_most=params.max_rows, labelled=labelled,
    )  # fmt: skip
    scene.expected = plan.evaluations
    outputs = scene.outputs(model)
    pairs = chosen_pairs(scene, model, outputs.var(0, correction=0).numpy())
    typical = reference_row(scene.rows.X, model.schema, model.whole_numbers)
    bench = Bench(scene, pairs, params, outputs, typical)
    told, left_out = _all_told(bench, plan)
    predictions = model.predict(scene.rows.X)
    scene.count(len(predictions))
    return Detectors(
        provenance=provenance_of(
            NAME, model, rows, None, params, context, evaluations=scene.evaluations,
            chunk_rows=len(scene.rows), seconds=time.perf_counter() - started,
            notes=_notes(bench, rows, told, left_out),
        ),
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        left_out=tuple((name, left_out[name]) for name in KINDS if name in left_out),
        mean_predictions=predictions.mean(0).numpy(),
        n_possible=math.comb(len(model.schema.features), 2),
        schema=model.schema,
        output_names=model.output_names,
        unit=unit_of(model.schema, params.output, "identity"),
        smoothing=bench.smoothing,
        missed=bench.missed,
        **_columns(told, model, params),
    )  # fmt: skip


def _no_labels(model: Model, rows: Table, params: DetectorsParams) -> str:
    """Return why the loss cannot be looked at; empty if it can, or nobody wants it."""
    if "loss" not in params.wanted:
        return ""
    try:
        true_values(model, rows)
    except InvalidInputError as error:
        return str(error).removesuffix(".")
    return ""


def _all_told(bench: Bench, plan: Plan) -> tuple[list[_Told], dict[str, str]]:
    """Make the runs; what turns out not to serve is left out with the reason.

    Raises
    ------
    InvalidInputError
        If none is left.
    """
    told, left_out = [], dict(plan.left_out)
    for run in plan.runs:
        before, back, since = bench.scene.evaluations, bench.gradients, time.perf_counter()
        try:
            found = BY_FIRST[run.names[0]](bench, run.names)
        except InvalidInputError as error:
            left_out |= dict.fromkeys(run.names, str(error).removesuffix("."))
            continue
        gradients = bench.gradients - back
        told.append(
            _Told(
                run, found, time.perf_counter() - since,
                bench.scene.evaluations - before - gradients, gradients,
            )
        )  # fmt: skip
    if not told:
        raise InvalidInputError(nothing_left(bench.scene.model, left_out))
    return told, left_out


def _columns(told: list[_Told], model: Model, params: DetectorsParams) -> dict[str, Any]:
    """Return what the detectors say as fields of the result, in their usual order."""
    by_name = {name: (at, part) for at, part in enumerate(told) for name in part.found}
    names = [name for name in KINDS if name in by_name]
    found = [by_name[name][1].found[name] for name in names]
    parts = [by_name[name][1] for name in names]

    def stacked(which: str) -> Float[np.ndarray, "c s k"]:
        values = [getattr(one, which) for one in found]
        return torch.stack([
            torch.full_like(one.strengths, torch.nan) if value is None else value
            for one, value in zip(found, values, strict=True)
        ]).numpy()

    unit = unit_of(model.schema, params.output, "identity")
    return {
        "detectors": tuple(names),
        "strengths": stacked("strengths"),
        "signed": stacked("signed"),
        "std_errors": stacked("std_errors"),
        "seconds": np.array([part.seconds for part in parts]),
        "evaluations": np.array([part.evaluations for part in parts]),
        "gradients": np.array([part.gradients for part in parts]),
        "shared": np.array([by_name[name][0] for name in names]),
        "units": tuple(_unit(name, unit, model) for name in names),
    }


def _unit(name: str, unit: str, model: Model) -> str:
    if name == "loss":
        return loss_unit(model)
    if name in PURE or not unit:
        return ""
    return f"{unit}²" if name in SQUARED else unit


def _notes(
    bench: Bench, rows: Table, told: list[_Told], left_out: Mapping[str, str]
) -> tuple[str, ...]:
    notes = list(bench.notes)
    scene, d = bench.scene, len(bench.scene.model.schema.features)
    if len(scene.rows) < len(rows):
        notes.append(f"{len(scene.rows):,} of {counted(len(rows), 'row')} were drawn")
    if d > MOST_FEATURES:
        notes.append(
            f"of {math.comb(d, 2):,} pairs the {len(bench.pairs)} that were strongest by mixed "
            f"difference on {min(SCREEN_ROWS, len(scene.rows))} rows were looked at"
        )
    if bench.smoothing is not None:
        notes.append(
            "Hessians are those of the network with rounded rectifiers (softplus, beta "
            f"{bench.params.beta:g}), which is off by {percent(bench.smoothing)} of the spread of "
            "the output"
        )
    notes += [
        f"{' and '.join(KINDS[name].title for name in part.found)} come out of one run; each is "
        "given the whole of what it took"
        for part in told if len(part.found) > 1
    ]  # fmt: skip
    notes += [f"{KINDS[name].title} was left out: {why}" for name, why in left_out.items()]
    return tuple(notes)


def _cost(model: Model, n_rows: int, _: int, params: DetectorsParams) -> Cost:
    planned = plan_of(model, n_rows, params)
    return Cost(planned.evaluations, LEAST_BUDGET + LEAST_BUDGET // 4)


METHODS.register(
    NAME,
    Method(
        title="Detectors of interactions side by side",
        question="Do other ways of looking find the same pairs of features?",
        explain=_explain,
        params=DetectorsParams,
        yields=Detectors,
        needs=frozenset(),
        uses=frozenset(),
        cost=_cost,
        reference="Liu and Owen (2006); Friedman and Popescu (2008); Tsang et al. (2018, 2020); "
        "Janizek et al. (2021); Bordt and von Luxburg (2023)",
        weakness="Detectors measure different things: that they agree is no proof, and where they "
        "do not, none of them need be wrong.",
    ),
)
