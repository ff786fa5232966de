"""Across equally good models: who treats groups most alike, and is that more than luck?"""

import time

from workbench.core.context import Context
from workbench.core.fairness_front import NONE, VALIDATION, FairnessFront
from workbench.core.fairness_metrics import GAPS
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.schema import listing
from workbench.core.table import Table, split_sizes
from workbench.core.wording import counted
from workbench.engines.calls import provenance_of
from workbench.engines.rashomon.fairness_causes import (
    compared_groups,
    explain_both,
    inner_for,
    nothing_explained,
)
from workbench.engines.rashomon.fairness_held import columns_read, held_passes, hold_columns
from workbench.engines.rashomon.fairness_measured import fields_of, measure
from workbench.engines.rashomon.fairness_models import (
    Tried,
    find_search,
    member_of,
    model_passes,
    try_models,
)
from workbench.engines.rashomon.fairness_params import FairnessFrontParams
from workbench.engines.rashomon.fairness_rows import Parts, check_enough, make_parts
from workbench.engines.rashomon.scene import Scene, make_scene
from workbench.engines.rows_told import counted_alike, gap_by_weight, which_rows
from workbench.numerics.stream.family import materialise

NAME = "rashomon.fairness"


def explain_front(
    model: Model, rows: Table, table: Table, params: FairnessFrontParams, context: Context
) -> FairnessFront:
    """Look for models about as good, measure gaps between groups, and choose the least unequal.

    Training rows train, validation rows admit and choose, and the rows reported on confirm.

    Raises
    ------
    InvalidInputError
        If a table does not fit or has no labels, nobody says what is favourable, or there are no
        groups to compare, or fewer than two with enough rows.
    """
    started = time.perf_counter()
    parts = make_parts(model, rows, table, params)
    check_enough(parts, params)
    scene = make_scene(model, parts.validation.table, table, params, context)
    scene.expected = front_cost(model, len(rows), len(table), params).evaluations
    tried = try_models(scene, parts, params)
    both = (
        measure(tried.chosen_on, parts.validation, parts.enough, params.draws, context, 0),
        measure(tried.reported_on, parts.reported, parts.enough, params.draws, context, 1),
    )
    fields = fields_of(both, params.eps)
    chosen = int(fields["chosen"][list(GAPS).index(params.gap)])
    models: tuple[Model, ...] = (model,)
    if chosen != NONE and (params.explained or columns_read(model, parts.by)):
        models = (model, _model(scene, tried, chosen, parts, params))
    held, asked = hold_columns(models, parts, context)
    explained, passes = nothing_explained(), 0
    able = parts.compared(params.gap)
    two = compared_groups(both[VALIDATION].counts[0], params.gap, able)
    if params.explained and two is not None:
        explained, passes = explain_both(models, parts, two, params.explained, context)
    members = tried.members
    return FairnessFront(
        provenance=provenance_of(
            NAME, model, rows, table, params, context,
            evaluations=scene.evaluations + len(rows) + asked + passes,
            chunk_rows=len(scene.inputs), seconds=time.perf_counter() - started,
            notes=_notes(scene, parts, tried, table, params),
        ),
        by=parts.by, groups=parts.groups, favourable=model.output_names[parts.position],
        gap=params.gap, eps=params.eps, tolerance=params.tolerance, finders=tried.finders,
        numbers=members.numbers.numpy(), strengths=members.strengths.double().numpy(),
        stretches=members.stretches.double().numpy(), digests=tried.digests,
        excess=tried.excess, noise=tried.noise, overlap=parts.overlap, draws=params.draws,
        **fields, **explained, **held,
    )  # fmt: skip


def _model(
    scene: Scene, tried: Tried, which: int, parts: Parts, params: FairnessFrontParams
) -> Model:
    numbers, strengths, stretches = (part.numpy() for part in tried.members)
    one = member_of(numbers, strengths, stretches, which)
    return materialise(find_search(scene, tried.finders[which], parts, params).family, one)


def _notes(
    scene: Scene, parts: Parts, tried: Tried, table: Table, params: FairnessFrontParams
) -> tuple[str, ...]:
    notes = [
        f"models were trained on towards a smaller gap on "
        f"{counted(len(parts.train.table), 'training row')}, admitted and chosen on "
        f"{counted(len(scene.inputs), 'validation row')}"
    ]
    able = parts.compared(params.gap)
    few = [name for name, told in zip(parts.groups, able, strict=True) if not told]
    if few:
        notes.append(
            f"left out of the {GAPS[params.gap].title.lower()}, as fewer than "
            f"{params.least_rows} rows tell little of a group: {listing(few)}"
        )
    if parts.overlap:
        notes.append(
            f"{counted(parts.overlap, 'row')} of those reported on were seen by the search, so "
            "that nothing is confirmed; choose test rows to report on others"
        )
    own = parts.reported
    notes.append(which_rows(own.table, table))
    notes += counted_alike(
        own.table,
        gap_by_weight(
            own.table, tried.reported_on[0], own.truth, own.group, parts.enough, params.gap
        ),
    )
    return (*notes, *tried.notes)


def front_cost(model: Model, n_rows: int, n_table: int, params: FairnessFrontParams) -> Cost:
    """Return how many rows go through networks at most, and the bytes that resamples take."""
    total = model_passes(model, n_rows, n_table, params)
    held = held_passes(model, n_rows, params)
    if held or params.explained:
        total += held + model_passes(model, 0, n_table, params)  # the alternative, once more
    if params.explained:
        n = min(params.explained, n_rows)
        inner = inner_for(model, n, split_sizes(n_table)["train"])
        each = inner.method.cost(model, n, min(100, n_table), inner.params).evaluations
        total += 2 * each
    models = 1 + params.directed + params.retrained + params.near_copies * len(params.named)
    return Cost(total, n_bytes=2**27 + 8 * params.draws * models * (8 * len(GAPS)))


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(0, {"near_copies": 3, "directed": 12, "draws": 400, "explained": 100}),
        "standard": Effort(0, {}),
        "thorough": Effort(
            0, {"near_copies": 12, "models": 256, "directed": 60, "retrained": 16, "draws": 4000}
        ),
    }


def _trains(params: FairnessFrontParams) -> bool:
    return params.directed + params.retrained > 0


METHODS.register(
    NAME,
    Method(
        title="Gaps between groups across equally good models",
        question="Is there a model about as accurate that treats groups more alike?",
        explain=explain_front,
        params=FairnessFrontParams,
        yields=FairnessFront,
        needs=frozenset({"perturbable"}),
        uses=frozenset({"table", "labels"}),
        cost=front_cost,
        trains=_trains,
        efforts=_efforts,
        reference="Coston, Rambachan and Chouldechova (2021); Black, Raghavan and Barocas (2022); "
        "Hsu, Li, Hu and Chen (2024)",
        weakness="Knows the models that it finds and no others: that it finds no better one does "
        "not show that there is none.",
    ),
)
