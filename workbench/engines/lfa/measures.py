"""The usual measures of all explanations of some rows, method by method."""

import time

import torch

from workbench.core.attribution import Attribution
from workbench.core.context import Context
from workbench.core.measures import MEASURES, Measures
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.core.wording import joined, percent
from workbench.engines.calls import check_features, check_finite, provenance_of
from workbench.engines.lfa.explanations import TYPES, counts_of
from workbench.engines.lfa.given import given_values, with_given
from workbench.engines.lfa.heldout import ANCHORS
from workbench.engines.lfa.matrix import block_rows, shared_calls, type_of
from workbench.engines.lfa.measure_params import MeasureParams
from workbench.engines.lfa.measuring import (
    AGREEMENT,
    RANDOMISATION,
    SHARES,
    Bench,
    make_bench,
    measure_block,
)
from workbench.numerics.chunks import slices
from workbench.numerics.links import unit_of

NAME = "lfa.measures"
WORK_BYTES = 2**27
SCENE_CALLS = 32  # the reference row, and those that leave out a part of the background
MOST_METHODS = len(TYPES) + len(ANCHORS) + 1  # and a given one
STABILITY = ("max-sensitivity", "ris", "ros")


def explain(
    model: Model,
    rows: Table,
    background: Table,
    params: MeasureParams,
    context: Context,
    *,
    given: Attribution | None = None,
) -> Measures:
    """Measure all explanations of rows; ``given`` is one that was made elsewhere.

    Raises
    ------
    InvalidInputError
        If a table does not fit, or the given attribution is not of these rows.
    """
    started = time.perf_counter()
    for table, what in ((rows, "rows to explain"), (background, "background rows")):
        check_features(model, table, what)
    done = 0
    bench = make_bench(
        model, background, params, context, lambda: context.step(done, len(rows), "rows")
    )
    X = rows.X.double()
    predictions = bench.scene.ask(model.encode(X)[:, None])[:, 0]
    check_finite(model, rows, predictions)
    measures = _measures_of(params, black_box=not bench.scene.has_slopes, given=given is not None)
    values = None if given is None else given_values(given, model, rows, params.output)
    scores = []
    for part in slices(len(rows), _block_rows(model, params, context)):
        methods, found = measure_block(
            bench, X[part], predictions[part], None if values is None else values[part]
        )
        scores.append(torch.stack([found[measure] for measure in measures], 2))
        done = part.stop
        context.step(done, len(rows), "rows")
    record = provenance_of(
        NAME, model, rows, background, params, context, evaluations=bench.evaluations,
        chunk_rows=bench.scene.network.chunk_rows, seconds=time.perf_counter() - started,
        notes=_notes(bench),
    )  # fmt: skip
    return Measures(
        provenance=record if given is None else with_given(record, given),
        scores=torch.cat(scores).numpy(),
        predictions=predictions.numpy(),
        data=X.numpy(),
        ids=rows.ids.numpy(),
        methods=methods,
        types=tuple(type_of(method) for method in methods),
        measures=measures,
        settings_words=tuple(_words(params)[measure] for measure in measures),
        schema=model.schema,
        output_names=model.output_names,
        unit=unit_of(model.schema, params.output, "identity"),
    )  # fmt: skip


def _measures_of(params: MeasureParams, *, black_box: bool, given: bool) -> tuple[str, ...]:
    """Return the keys of the measures that are asked for and that the model allows."""
    left_out = set(STABILITY) if not params.copies else set()
    if black_box or not params.networks:
        left_out.add(RANDOMISATION)
    if not given:
        left_out |= set(AGREEMENT)
    return tuple(measure for measure in MEASURES if measure not in left_out)


def _block_rows(model: Model, params: MeasureParams, context: Context) -> int:
    """Rows that are measured at once: as many as their samples and explanations have room for."""
    d, k, m = len(model.schema.features), len(model.output_names), MOST_METHODS
    sets = params.repeats + 2 * m * k * d
    each = sets * (4 * d + 32 * k) + 8 * m * d * k * (params.copies + 2)
    most = max(1, min(WORK_BYTES, context.budget) // each)
    return min(most, block_rows(model, counts_of(model, params), params.repeats, context))


def _words(params: MeasureParams) -> dict[str, str]:
    """Name the neighbourhood and the baseline of each measure."""
    n, sd = params.repeats, "standard deviations"
    reference = "the reference row (mean numbers, most common categories)"
    removed = (
        f"contributions and anchors: {n:,} random subsets of a quarter or a half of the features, "
        f"replaced by those of {reference}; slopes: all numbers moved at once, {n:,} normal steps "
        f"of {params.scale:g} {sd}"
    )
    moved = (
        f"{n:,} moves: numbers by normal steps of {params.scale:g} {sd}, categories drawn anew "
        "with the probability of the mean size of a step"
    )
    path = (
        "contributions and anchors: features replaced one by one by those of "
        f"{reference}, in the order of their values towards the prediction; trapezoidal rule"
    )
    shares = f"mean over {joined([percent(share) for share in SHARES])} of the features, rounded up"
    near = f"{params.copies:,} copies, numbers moved by up to {params.radius:g} {sd}"
    norms = f"{near}; change of all values together, relative to their length"
    same = "copies of the same predicted class"
    return {
        "faithfulness-correlation": removed,
        "sensitivity-n": f"{removed}; slopes: not defined; a quarter and a half by themselves",
        "infidelity": f"{removed}; anchors at their best scale",
        "completeness-gap": f"contributions: against the output of {reference}",
        "pgi": f"the strongest {percent(params.top)} of the features, {moved}",
        "pgu": f"all but the strongest {percent(params.top)} of the features, {moved}",
        "deletion": path,
        "insertion": path,
        "comprehensiveness": f"{path.partition(';')[0]}; {shares}",
        "sufficiency": f"{path.partition(';')[0]}; {shares}",
        "max-sensitivity": norms,
        "ris": f"{norms}; move in {sd}, relative to the distance from {reference}; {same}",
        "ros": f"{norms}; change of all outputs, relative to their length; {same}",
        RANDOMISATION: f"mean over {params.networks:,} networks whose parameters were shuffled "
        "within each tensor",
        "rank-agreement": "contributions and anchors, all features, signs count",
        "sign-agreement": "contributions and anchors, features of which either says something",
        "sparseness": "signs left out",
        "complexity": "signs left out; natural logarithm",
    }


def _notes(bench: Bench) -> tuple[str, ...]:
    notes = []
    schema = bench.scene.model.schema
    if any(feature.kind == "categorical" for feature in schema.features):
        notes.append(
            "slopes say nothing of categories, which are never among their strongest features"
        )
    if not bench.scene.has_slopes:
        notes.append(
            "a black box shows neither gradients nor parameters: methods that need gradients and "
            "the check by random parameters are left out"
        )
    return tuple(notes)


def _cost(model: Model, n_rows: int, n_background: int, params: MeasureParams) -> Cost:
    d, k, m = len(model.schema.features), len(model.output_names), MOST_METHODS
    explained = shared_calls(counts_of(model, params), tuple(TYPES)) + 2
    networks = 0 if "black_box" in model.capabilities else params.networks
    removed = int(min(2.0**d, params.repeats + 2.0 * m * k * d))
    moved = params.repeats * int(min(2.0**d, 2.0 * m * k) + 1)
    each = (1 + params.copies + networks) * explained + removed + moved + params.copies
    return Cost(n_rows * (each + 1) + n_background + SCENE_CALLS * (1 + networks), WORK_BYTES)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(500, {"perturbations": 1024, "copies": 2, "networks": 1}),
        "standard": Effort(2000, {}),
        "thorough": Effort(2000, {"perturbations": 16_384, "repeats": 400, "copies": 10}),
    }


METHODS.register(
    NAME,
    Method(
        title="Measures of explanations",
        question="How do explanations of these rows fare on the measures that papers report?",
        explain=explain,
        params=MeasureParams,
        yields=Measures,
        needs=frozenset(),
        takes_given=True,
        cost=_cost,
        efforts=_efforts,
        reference="Yeh et al. (2019); Bhatt, Weller and Moura (2020); Agarwal et al. (2022)",
        weakness="Each measure favours the explanations that were made for its neighbourhood: "
        "removals those by removal, small moves those by slopes; none says that an explanation is "
        "right.",
    ),
)
