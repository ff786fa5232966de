"""Profiles of features in every one of a set of equally good models."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.profiles import Profiles
from workbench.core.table import Table
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.rashomon.found import look, search_passes
from workbench.engines.rashomon.inner_method import inner_settings
from workbench.engines.rashomon.near_params import ProfilesSetParams, near_trains
from workbench.engines.rashomon.one_by_one import ask_each, columns_at_once, part_of
from workbench.engines.rashomon.scene import make_scene

NAME, INNER = "rashomon.profiles", "profiles.curves"
UNFINISHED = "not finished yet: more models are to come"
SAME = "all models are asked about the same rows, at the same values of the features"
BY_MODEL = ("mean", "std_errors", "effects", "effect_errors", "base", "pair_mean", "pair_effects")


def _explain(
    model: Model, rows: Table, table: Table, params: ProfilesSetParams, context: Context
) -> Profiles:
    started = time.perf_counter()
    check_features(model, rows, "rows to average over")
    inner = inner_settings(INNER, params)
    inner.places(model.schema), inner.pair_places(model.schema)  # refused before the search
    scene = make_scene(model, rows, table, params, context)
    near = look(scene, params.profiled, params)

    def ask(some: Model, own: Context) -> Profiles:
        found = METHODS.find(INNER).explain(some, rows, rows, inner, own)
        assert isinstance(found, Profiles)  # noqa: S101 - what the method yields
        return _apart(found, model)

    def result(found: Sequence[Profiles], evaluations: int, *told: str) -> Any:
        every = found[0].beside(found[1:])
        return replace(
            every,
            **near.fields(every.n_models - 1),
            provenance=provenance_of(
                NAME, model, rows, table, params, context, evaluations=evaluations,
                chunk_rows=found[0].provenance.chunk_rows, seconds=time.perf_counter() - started,
                notes=(*near.notes("averaged over"), SAME, *told),
            ),
        )  # fmt: skip

    given = ask(model, part_of(context, 0, 1 + len(near.noise)))
    done, evaluations = [given], scene.evaluations + given.provenance.evaluations
    at_once = columns_at_once(model)
    for found, count in ask_each(
        near.family, near.members, ask, context, at_once=at_once, before=1
    ):
        if context.preview is not None:
            context.preview(partial(result, tuple(done), evaluations, UNFINISHED))
        done.append(found)
        evaluations += count * found.provenance.evaluations
    return result(done, evaluations)


def _apart(together: Profiles, model: Model) -> Profiles:
    """Take the profiles of models apart that answered side by side, ``k`` outputs of each."""
    k = len(model.output_names)
    m = len(together.output_names) // k

    def each(values: Float[np.ndarray, "1 ... mk"]) -> Float[np.ndarray, "m ... k"]:
        own = values[0].reshape(*values.shape[1:-1], m, k)
        return np.ascontiguousarray(np.moveaxis(own, -2, 0))

    apart: dict[str, Any] = {name: each(getattr(together, name)) for name in BY_MODEL}
    return replace(
        together,
        **apart,
        curves=together.curves[..., :k],
        predictions=together.predictions[:, :k],
        output_names=model.output_names,
    )


def _cost(model: Model, n_rows: int, n_table: int, params: ProfilesSetParams) -> Cost:
    one = METHODS.find(INNER).cost(model, n_rows, 0, inner_settings(INNER, params))
    search = search_passes(model, n_rows, n_table, params)
    together = min(params.profiled, columns_at_once(model))
    return Cost((params.profiled + 1) * one.evaluations + search, together * one.n_bytes)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(0, {"profiled": 12, "points": 10}),
        "standard": Effort(0, {}),
        "thorough": Effort(0, {"profiled": 128, "points": 40, "push": True}),
    }


METHODS.register(
    NAME,
    Method(
        title="Profiles across equally good models",
        question="Would equally good models change with a feature in the same way?",
        explain=_explain,
        params=ProfilesSetParams,
        yields=Profiles,
        needs=frozenset(),
        uses=frozenset({"table"}),
        cost=_cost,
        trains=near_trains,
        efforts=_efforts,
        reference="Friedman (2001); Goldstein et al. (2015); Apley and Zhu (2020); Hsu, Li, Hu and "
        "Chen (2024)",
        weakness="Knows the models that its explorer finds and no others: where they agree, a "
        "model that was not looked at may still differ.",
    ),
)
