"""Which explanation is faithful where? Eight methods against seven neighbourhoods."""

import time

import numpy as np
import torch

from workbench.core.attribution import Attribution
from workbench.core.context import Context
from workbench.core.faithfulness import GIVEN, Faithfulness, Type
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.engines.calls import check_features, check_finite, provenance_of
from workbench.engines.lfa.explanations import (
    GRADIENTS,
    TYPES,
    Counts,
    counts_of,
    draw,
    explain_block,
)
from workbench.engines.lfa.given import given_values, with_given
from workbench.engines.lfa.heldout import (
    ANCHORS,
    PLACES,
    Missed,
    add_anchors,
    all_numbers,
    draw_heldout,
    hold_against,
    numbers_of,
)
from workbench.engines.lfa.params import MatrixParams
from workbench.engines.lfa.scene import Scene, make_scene
from workbench.numerics.chunks import slices
from workbench.numerics.links import unit_of

NAME = "lfa.matrix"
MOST_ROWS = 64
WORK_BYTES = 2**27


def explain(
    model: Model,
    rows: Table,
    background: Table,
    params: MatrixParams,
    context: Context,
    *,
    given: Attribution | None = None,
) -> Faithfulness:
    """Hold all explanations of rows against all neighbourhoods; ``given`` was made elsewhere.

    Raises
    ------
    InvalidInputError
        If a table does not fit, or the given attribution is not of these rows.
    """
    started = time.perf_counter()
    for table, what in ((rows, "rows to explain"), (background, "background rows")):
        check_features(model, table, what)
    done = 0
    scene = make_scene(
        model, background, params.output, context, lambda: context.step(done, len(rows), "rows")
    )
    counts = counts_of(model, params)
    draws = draw(scene, params, context)
    heldout = draw_heldout(scene, params, context, draws)
    X = rows.X.double()
    convertible = bool(all_numbers(scene, X))
    numbers = numbers_of(context, X.shape[1])
    predictions = scene.ask(model.encode(X)[:, None])[:, 0]
    check_finite(model, rows, predictions)
    elsewhere = None if given is None else given_values(given, model, rows, params.output)
    values, errors, missed = [], [], []
    for part in slices(len(rows), block_rows(model, counts, params.heldout, context)):
        found = explain_block(scene, X[part], draws)
        if elsewhere is not None:
            found.add(GIVEN, elsewhere[part])
        add_anchors(scene, X[part], found, numbers)
        values.append(torch.stack(list(found.values.values()), 1))
        errors.append(torch.stack(list(found.errors.values()), 1))
        missed.append(hold_against(scene, X[part], found, heldout, params, convertible=convertible))
        methods = tuple(found.values)
        done = part.stop
        context.step(done, len(rows), "rows")
    record = provenance_of(
        NAME, model, rows, background, params, context, evaluations=scene.evaluations,
        chunk_rows=scene.network.chunk_rows, seconds=time.perf_counter() - started,
        notes=_notes(scene, methods, convertible=convertible, exact=draws.design.is_exact),
    )  # fmt: skip
    return Faithfulness(
        provenance=record if given is None else with_given(record, given),
        values=torch.cat(values).numpy(),
        std_errors=torch.cat(errors).numpy(),
        missed=_stacked(missed, "missed"),
        total=_stacked(missed, "total"),
        predictions=predictions.numpy(),
        data=X.numpy(),
        ids=rows.ids.numpy(),
        truth=np.full(len(rows), np.nan) if rows.y is None else rows.y.double().numpy(),
        reference=scene.reference.numpy(),
        scales=scene.spread.numpy(),
        scale=params.scale,
        wide_scale=params.wide_scale,
        width=params.width,
        share=params.share,
        methods=methods,
        types=tuple(type_of(method) for method in methods),
        neighbourhoods=tuple(missed[0]),
        calls=tuple(
            0 if method in {*ANCHORS, GIVEN} else counts.of(method) for method in methods
        ),
        shared_calls=shared_calls(counts, methods),
        heldout_calls=_heldout(model, params, counts),
        listed=draws.design.is_exact,
        schema=model.schema,
        output_names=model.output_names,
        unit=unit_of(model.schema, params.output, "identity"),
    )  # fmt: skip


def block_rows(model: Model, counts: Counts, heldout: int, context: Context) -> int:
    """Rows that are explained at once: as many as their samples have room for."""
    p, d, k = len(model.groups), len(model.schema.features), len(model.output_names)
    most = max(counts.moved, counts.resampled, heldout)
    each = 8 * (most * (p + 2 * d * k) + (counts.masks + 2 * heldout) * k * 16)
    return max(1, min(MOST_ROWS, min(WORK_BYTES, context.budget) // each))


def type_of(method: str) -> Type:
    """Return what a method's values are."""
    if method == GIVEN:
        return "contribution"
    return "anchor" if method in ANCHORS else TYPES[method]


def _stacked(parts: list[dict[str, Missed]], name: str) -> np.ndarray:
    """Put neighbourhoods beside each other, and rows below each other."""
    axis = 2 if name == "missed" else 1
    blocks = [torch.stack([getattr(m, name) for m in part.values()], axis) for part in parts]
    found: np.ndarray = torch.cat(blocks).numpy()
    return found


def shared_calls(counts: Counts, methods: tuple[str, ...]) -> int:
    """Return the passes for one row and all methods together: samples serve several of them."""
    total = counts.masks + counts.resampled + 1
    if "c-lime" in methods:
        total += counts.moved
    if "gradient-x-input" in methods:
        total += (counts.nodes + 1) * counts.passes
    if "smoothgrad" in methods:
        total += (counts.sloped + 1) * counts.passes
    return total


def _heldout(model: Model, params: MatrixParams, counts: Counts) -> int:
    """Return the passes for one row to hold explanations against."""
    d = len(model.schema.features)
    listed = 2**d <= params.perturbations
    masks = 0 if listed else max(2 * params.heldout, d + 2) + d
    return 3 * params.heldout + int(min(2.0**d, masks)) + PLACES * counts.passes


def _notes(
    scene: Scene, methods: tuple[str, ...], *, convertible: bool, exact: bool
) -> tuple[str, ...]:
    model, notes = scene.model, []
    if exact:
        notes.append(
            "all coalitions were evaluated: removals are compared exactly, with nothing held out"
        )
    if not scene.has_slopes:
        notes.append(
            f"{len(GRADIENTS)} methods and the way from the reference need gradients, which a "
            "black box does not show; C-LIME, LIME, KernelSHAP and Occlusion ask for answers alone"
        )
    if model.whole_numbers:
        names = listing(model.schema.names[j] for j in sorted(model.whole_numbers))
        notes.append(f"the model takes whole numbers alone for {names}, which are not moved")
    if not convertible and "c-lime" in methods:
        notes.append(
            "slopes are not held against removals: they say nothing of categories and of missing "
            "values"
        )
    return tuple(notes)


def _cost(model: Model, n_rows: int, n_background: int, params: MatrixParams) -> Cost:
    counts = counts_of(model, params)
    each = shared_calls(counts, tuple(TYPES)) + _heldout(model, params, counts)
    return Cost(n_rows * (each + 2) + n_background + 32, n_bytes=WORK_BYTES)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(500, {"perturbations": 1024, "heldout": 128}),
        "standard": Effort(2000, {}),
        "thorough": Effort(2000, {"perturbations": 16_384, "heldout": 1024}),
    }


METHODS.register(
    NAME,
    Method(
        title="Which explanation is faithful where",
        question="Which explanation should be believed, for these rows and this question?",
        explain=explain,
        params=MatrixParams,
        yields=Faithfulness,
        needs=frozenset(),
        takes_given=True,
        cost=_cost,
        efforts=_efforts,
        reference="Han, Srinivas and Lakkaraju (2022)",
        weakness="Every neighbourhood but the row itself has rows that may not occur; what is "
        "missed there says nothing of rows that do.",
    ),
)
