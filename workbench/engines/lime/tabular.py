"""LIME for tables: which features of a row would a linear model of its neighbourhood name?"""

import time

import numpy as np

from workbench.core.context import Context
from workbench.core.local_models import LocalModels
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.lime.block import Block
from workbench.engines.lime.fitting import Found, fit_block
from workbench.engines.lime.levels import Levels
from workbench.engines.lime.neighbourhood import places_of
from workbench.engines.lime.params import LimeParams
from workbench.engines.lime.sampler import Sampler, make_sampler, pilot_size, rounded
from workbench.engines.lime.strongest import SPLITS, Halves, draw_halves
from workbench.engines.lime.words import count_of, meaning_of, notes_of
from workbench.numerics.chunks import slices
from workbench.numerics.links import unit_of

NAME = "lime.tabular"
WIDTH = 0.75
WORK_BYTES = 2**26  # of a block of rows on a CPU
HALVES = 1  # address of random numbers


def _explain(
    model: Model, rows: Table, background: Table, params: LimeParams, context: Context
) -> LocalModels:
    started = time.perf_counter()
    unit = unit_of(model.schema, params.output, "identity")
    for table, what in ((rows, "rows to explain"), (background, "background rows")):
        check_features(model, table, what)
    d = len(model.schema.features)
    count = count_of(d, params)
    sampler = make_sampler(model, rows, background, params, context)
    levels = sampler.levels
    places = places_of(rows.X.double().numpy(), levels, params.sampling).to(sampler.device)
    base = sampler.ask(rows.X)
    groups = draw_halves(context.stream(HALVES)).to(sampler.device)
    halves = Halves(groups, count, params.selection, min(params.top, count))
    width = params.kernel_width or WIDTH * float(np.sqrt(d))
    found: list[Found] = []
    outputs = slice(1, None) if model.schema.task == "binary" else slice(None)
    for part in slices(len(rows), _block_rows(sampler, d)):
        X = rows.X[part].double().to(sampler.device)
        block = Block(sampler, X, places[part], base[part, outputs], width, outputs)
        found.append(fit_block(block, halves))
        sampler.rows_done = part.stop
        context.step(part.stop, len(rows), "rows")
    arrays = {
        name: np.concatenate([getattr(one, name) for one in found]) for name in vars(found[0])
    }
    if model.schema.task == "binary":
        arrays = _both_classes(arrays, total=float(params.output == "probability"))
    return LocalModels(
        provenance=provenance_of(
            NAME, model, rows, background, params, context, evaluations=sampler.evaluations,
            chunk_rows=context.chunk_rows or CHUNK_ROWS, seconds=time.perf_counter() - started,
            notes=_notes(rows, levels, arrays, params),
        ),
        **arrays,
        predictions=base.cpu().numpy(),
        data=rows.X.double().numpy(),
        ids=rows.ids.numpy(),
        truth=np.full(len(rows), np.nan) if rows.y is None else rows.y.double().numpy(),
        scales=sampler.scales.cpu().numpy(),
        schema=model.schema,
        output_names=model.output_names,
        unit=unit,
        sampling=params.sampling,
        top=halves.top,
        meanings=tuple(
            meaning_of(feature, params, known)
            for feature, known in zip(model.schema.features, levels, strict=True)
        ),
        edges=tuple(tuple(known.edges.tolist()) for known in levels),
    )  # fmt: skip


def _both_classes(arrays: dict[str, np.ndarray], *, total: float) -> dict[str, np.ndarray]:
    """Add the first of two classes, whose output is the rest to ``total``: a mirror image."""

    def other(name: str, value: np.ndarray) -> np.ndarray:
        if name == "coefficients":
            return -value
        return total - value if name in {"intercepts", "local_predictions"} else value

    by_output = [name for name, value in arrays.items() if value.ndim > 1]
    both = {
        name: np.concatenate([other(name, arrays[name]), arrays[name]], -1) for name in by_output
    }
    return {**arrays, **both}


def _block_rows(sampler: Sampler, d: int) -> int:
    """Rows that are fitted at once; each may have answers of its own."""
    k, params = len(sampler.model.output_names), sampler.params
    samples = rounded(max(params.perturbations, params.max_perturbations or 0))
    work = WORK_BYTES if sampler.device.type == "cpu" else sampler.context.budget
    each = 32 * samples * k + 64 * SPLITS * (1 + d + k) ** 2
    return max(1, min(work, sampler.context.budget) // each)


def _notes(
    rows: Table, levels: tuple[Levels, ...], arrays: dict[str, np.ndarray], params: LimeParams
) -> tuple[str, ...]:
    """Say what a reader should know besides the numbers."""
    notes = list(notes_of(rows, levels, arrays, params))
    open_rows = int((~arrays["separated"]).any(1).sum())
    if params.max_perturbations is not None and open_rows:
        notes.append(
            f"the {params.top} strongest features are not told apart from the next within "
            f"{params.max_perturbations:,} samples for {open_rows:,} of "
            f"{counted(len(rows), 'row')}"
        )
    return tuple(notes)


def _cost(model: Model, n_rows: int, _: int, params: LimeParams) -> Cost:
    d, k = len(model.schema.features), len(model.output_names)
    samples = rounded(max(params.perturbations, params.max_perturbations or 0))
    own = n_rows if params.sampling == "around" else 1
    work = max(WORK_BYTES, 32 * samples * (1 + d + k))
    asked = own * samples + pilot_size(model, params) + n_rows
    return Cost(asked, n_bytes=samples * 8 * (4 * d + k) + work)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(500, {"perturbations": 1000}),
        "standard": Effort(2000, {}),
        "thorough": Effort(2000, {"max_perturbations": 80_000}),
    }


METHODS.register(
    NAME,
    Method(
        title="LIME for tables",
        question="Which features would a simple linear model of this row's neighbourhood name?",
        explain=_explain,
        params=LimeParams,
        yields=LocalModels,
        needs=frozenset(),
        cost=_cost,
        efforts=_efforts,
        reference="Ribeiro, Singh and Guestrin (2016)",
        weakness="Features are drawn independently, so the model is asked about rows that cannot "
        "occur; with the default bins the kernel hardly weighs, and the local model is nearly a "
        "global one.",
    ),
)
