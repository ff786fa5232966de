"""Scores of pairs of features in every one of a set of equally good models."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from workbench.core.context import Context
from workbench.core.interaction_scores import InteractionScores
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.rashomon.found import look, search_passes
from workbench.engines.rashomon.inner_method import inner_settings
from workbench.engines.rashomon.near_params import InteractionsSetParams, near_trains
from workbench.engines.rashomon.one_by_one import ask_each, columns_at_once, part_of
from workbench.engines.rashomon.scene import make_scene
from workbench.numerics.second_differences import parts_of

NAME, INNER = "rashomon.interactions", "interactions.scores"
UNFINISHED = "not finished yet: more models are to come"
SAME = "all models are asked about the same rows, with features of the same other rows"


def _explain(
    model: Model, rows: Table, table: Table, params: InteractionsSetParams, context: Context
) -> InteractionScores:
    started = time.perf_counter()
    check_features(model, rows, "rows to score pairs on")
    scene = make_scene(model, rows, table, params, context)
    near = look(scene, params.scored, params)

    def ask(some: Model, own: Context, **more: Any) -> InteractionScores:
        settings = inner_settings(INNER, params, **more)
        found = METHODS.find(INNER).explain(some, rows, rows, settings, own)
        assert isinstance(found, InteractionScores)  # noqa: S101 - what the method yields
        return found

    def result(found: Sequence[InteractionScores], evaluations: int, *told: str) -> Any:
        every = found[0].beside(found[1:])
        return replace(
            every,
            **near.fields(every.n_models - 1),
            provenance=provenance_of(
                NAME, model, rows, table, params, context, evaluations=evaluations,
                chunk_rows=found[0].provenance.chunk_rows, seconds=time.perf_counter() - started,
                notes=(*near.notes("scored"), SAME, *found[0].provenance.notes, *told),
            ),
        )  # fmt: skip

    given = ask(model, part_of(context, 0, 1 + len(near.noise)))
    done, evaluations = [given], scene.evaluations + given.provenance.evaluations
    others = ask_each(
        near.family, near.members, partial(ask, sets=given.set_names), context,
        at_once=_at_once(given, model, context), before=1,
    )  # fmt: skip
    for found, count in others:
        if context.preview is not None:
            context.preview(partial(result, tuple(done), evaluations, UNFINISHED))
        done.append(found)
        evaluations += count * found.provenance.evaluations
    return result(done, evaluations)


def _at_once(given: InteractionScores, model: Model, context: Context) -> int:
    """Return how many models are scored side by side.

    One on a CPU: several at once save a fifth where they share the first layer, and lose as much
    where they do not. On an accelerator as many as fill it, and no more than all sets have room
    for at once, since each part of the sets is asked about single features again.
    """
    if model.device.type == "cpu":
        return 1
    most, n, k = columns_at_once(model), given.provenance.chunk_rows, len(model.output_names)
    while most > 1 and len(parts_of(len(given.sets), n, k * most, context.budget)) > 1:
        most //= 2
    return most


def _cost(model: Model, n_rows: int, n_table: int, params: InteractionsSetParams) -> Cost:
    one = METHODS.find(INNER).cost(model, n_rows, 0, inner_settings(INNER, params))
    search = search_passes(model, n_rows, n_table, params)
    return Cost((params.scored + 1) * one.evaluations + search, one.n_bytes)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(0, {"scored": 16, "permutations": 4}),
        "standard": Effort(0, {}),
        "thorough": Effort(0, {"scored": 256, "push": True}),
    }


METHODS.register(
    NAME,
    Method(
        title="Scores of pairs across equally good models",
        question="Would equally good models use the same features together?",
        explain=_explain,
        params=InteractionsSetParams,
        yields=InteractionScores,
        needs=frozenset(),
        uses=frozenset({"table"}),
        cost=_cost,
        trains=near_trains,
        efforts=_efforts,
        reference="Li, Wang, Deng and Barnard (2024); Hsu, Li, Hu and Chen (2024); Liu and Owen "
        "(2006)",
        weakness="Knows the models that its explorer finds and no others: they say how far a score "
        "may be from the given model's, and not which interactions are true.",
    ),
)
