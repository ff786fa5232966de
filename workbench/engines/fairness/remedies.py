"""Remedies: what lessens a gap between groups, at what cost, and to whom."""

import time
from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.fairness import ENOUGH
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import BlackBox, Model
from workbench.core.remedies import Remedies
from workbench.core.remedy_catalogue import AS_IS, REMEDIES
from workbench.core.schema import listing
from workbench.core.table import SPLITS, Table, split_sizes
from workbench.engines.calls import provenance_of
from workbench.engines.fairness import (
    remedies_after,
    remedies_before,
    remedies_chosen,
    remedies_within,
)
from workbench.engines.fairness.applied import Applied, kept
from workbench.engines.fairness.remedies_measured import RESAMPLING, multiplicity, proxies, trials
from workbench.engines.fairness.remedies_params import RemediesParams
from workbench.engines.fairness.remedies_scene import Scene, make_scene
from workbench.engines.rows_told import counted_alike, gap_by_weight, which_rows
from workbench.numerics.fresh_starts import kept_parameters
from workbench.numerics.group_rates import confusion, denominators_of
from workbench.numerics.paired_gaps import compared

NAME = "fairness.remedies"
COPIES = 8
APPLY: Mapping[str, Callable[[Scene], Applied]] = {
    "retrained": remedies_before.retrained,
    "reweighing": remedies_before.reweighing,
    "correlation_remover": remedies_before.correlation_remover,
    "masking": remedies_before.masking,
    "exponentiated_gradient": remedies_within.exponentiated_gradient,
    "grid_search": remedies_within.grid_search,
    "threshold_optimizer": remedies_after.threshold_optimizer,
    "group_thresholds": remedies_after.group_thresholds,
    "reject_option": remedies_after.reject_option,
    "selection": remedies_chosen.selection,
    "hyperparameters": remedies_chosen.hyperparameters,
}
TRAINED = frozenset(APPLY) - {"threshold_optimizer", "group_thresholds", "reject_option"}


def names_of(text: str) -> tuple[str, ...]:
    """Read which remedies are asked for, in the order of ``REMEDIES``.

    Raises
    ------
    InvalidInputError
        If one is not known, or none is named.
    """
    asked = {part.strip() for part in text.split(",") if part.strip()} - {AS_IS}
    if strange := sorted(asked - APPLY.keys()):
        raise InvalidInputError(
            f"remedies: there is no remedy {listing(strange)}; choose among {listing(APPLY, 20)}."
        )
    if not asked:
        raise InvalidInputError(
            f"remedies: nothing to try is named; choose among {listing(APPLY, 20)}."
        )
    return tuple(name for name in REMEDIES if name in asked)


def tried(
    model: Model, rows: Table, table: Table, params: RemediesParams, context: Context
) -> tuple[Remedies, dict[str, Applied]]:
    """Apply remedies, and return what came of them with what each one is.

    Raises
    ------
    InvalidInputError
        If a table does not fit or has no labels, a remedy or group is not known, or the model is a
        black box and would have to be trained.
    """
    started = time.perf_counter()
    names = names_of(params.remedies)
    _check_trainable(model, names, params)
    if params.keep_network and len(names) != 1:
        raise InvalidInputError(
            f"keep_network keeps the network of one remedy, and {len(names)} are named; name one."
        )
    scene = make_scene(model, rows, table, params, context)
    found, seconds, trainings = {}, [], []
    for name in (AS_IS, *names):
        begun, before = time.perf_counter(), scene.trainings
        scene.doing = REMEDIES[name].title
        found[name] = _as_is(scene) if name == AS_IS else APPLY[name](scene)
        seconds.append(time.perf_counter() - begun)
        trainings.append(scene.trainings - before)
        context.step(len(found), 1 + len(names), "remedies tried")
    everything = list(found.values())
    decisions = np.stack([own.decisions for own in everything])
    test, n_groups = scene.parts["test"], scene.n_groups
    rng = context.stream(RESAMPLING)
    numbers = compared(
        decisions, test.truth, test.group, n_groups, params.resamples, rng, params.least_rows
    )
    result = Remedies(
        names=tuple(found),
        attribute=scene.attribute,
        group_names=scene.group_names,
        group=test.group,
        favourable=model.schema.classes[scene.position],
        unfavourable=_unfavourable(model, scene.position),
        gap=params.gap,
        decisions=decisions,
        scores=np.stack([own.scores for own in everything]),
        truth=test.truth,
        randomised=np.asarray(((decisions > 0) & (decisions < 1)).any(1)),
        needs_attribute=np.array([own.needs_attribute for own in everything]),
        publishable=np.array([
            name != AS_IS and own.network is not None and not isinstance(model.network, BlackBox)
            for name, own in found.items()
        ]),
        settings=tuple(own.settings for own in everything),
        guarantees=tuple(own.guarantee for own in everything),
        violations=np.array([own.violation for own in everything]),
        refits=params.refits,
        seconds=np.array(seconds),
        trainings=np.array(trainings),
        n_train=len(scene.parts["train"]),
        n_validation=len(scene.parts["validation"]),
        data=rows.X.numpy().astype(np.float64),
        ids=rows.ids.numpy(),
        schema=model.schema,
        **numbers._asdict(),
        **multiplicity(everything, params.refits),
        **proxies(scene, everything),
        **trials(scene, found),
        **(kept(found[names[0]]) if params.keep_network else {}),
        provenance=provenance_of(
            NAME, model, rows, table, params, context, evaluations=scene.evaluations,
            chunk_rows=len(rows), seconds=time.perf_counter() - started,
            notes=_notes(scene, rows, table, decisions[0], params),
        ),
    )  # fmt: skip
    return result, found


def _check_trainable(model: Model, names: tuple[str, ...], params: RemediesParams) -> None:
    if not isinstance(model.network, BlackBox):
        return
    trained = [name for name in names if name in TRAINED]
    if trained or params.refits:
        what = listing(trained) if trained else "refits"
        raise InvalidInputError(
            f"Model {model.name} is a black box and cannot be trained again, which {what} would "
            "do; set refits to 0 and choose among threshold_optimizer, group_thresholds and "
            "reject_option."
        )


def _trains(params: RemediesParams) -> bool:
    return params.refits > 0 or not TRAINED.isdisjoint(names_of(params.remedies))


def _unfavourable(model: Model, position: int) -> str:
    others = [name for at, name in enumerate(model.schema.classes) if at != position]
    return others[0] if len(others) == 1 else "another class"


def _as_is(scene: Scene) -> Applied:
    own = scene.decided(scene.model.network, "test")
    refits = []
    if scene.params.refits:
        refits = [scene.decided(network, "test").decided for network in scene.again()[1:]]
    return Applied(
        decisions=own.decided.astype(np.float64), scores=own.scores, settings="",
        refits=[one.astype(np.float64) for one in refits], needs_attribute=bool(scene.read),
    )  # fmt: skip


def _notes(
    scene: Scene, rows: Table, table: Table, own: Float[np.ndarray, " n"], params: RemediesParams
) -> tuple[str, ...]:
    notes = _left_out(scene, params)
    if not params.by and len(scene.grouping.attributes) > 1:
        left = listing(scene.grouping.attributes[1:])
        notes.append(f"groups are those of {scene.attribute}; name {left} in by to cross them")
    held = scene.parts["validation"].group
    few = [
        f"{name} ({own})"
        for name, own in zip(
            scene.group_names, np.bincount(held, minlength=scene.n_groups), strict=True
        )
        if own < ENOUGH
    ]  # fmt: skip
    if few:
        notes.append(
            f"groups of fewer than {ENOUGH} validation rows, of which chance makes thresholds and "
            f"choices: {listing(few)}"
        )
    notes.append(which_rows(rows, table))
    test = scene.parts["test"]
    alike = confusion(own > 0.5, test.truth, test.group, scene.n_groups)
    enough = denominators_of(alike) >= params.least_rows
    notes += counted_alike(
        rows, gap_by_weight(rows, own > 0.5, test.truth, test.group, enough, params.gap)
    )
    ids = rows.ids.numpy()
    seen = sum(int(np.isin(ids, table.split(part).ids.numpy()).sum()) for part in SPLITS[:2])
    if seen:
        notes.append(
            f"{seen:,} of the {len(rows):,} rows reported on were trained on or chose remedies: "
            "numbers on them are too good"
        )
    if kept := kept_parameters(scene.model.network):
        notes.append(kept.removesuffix("."))
    if any(True for _ in scene.model.encoder.parameters()):
        notes.append("the vectors that stand for categories are those of the given model")
    if scene.n_groups > len(np.unique(scene.parts["test"].group)):
        notes.append("some groups have no rows to report on: nothing is known of them")
    return tuple(notes)


def _left_out(scene: Scene, params: RemediesParams) -> list[str]:
    """Name the groups of whose rates too few rows are behind the gap; truth tells which rows."""
    test, gap = scene.parts["test"], GAPS[params.gap]
    everyone = np.ones(len(test), dtype=np.int64)
    counts = denominators_of(confusion(everyone, test.truth, test.group, scene.n_groups))
    rows = counts[[list(RATES).index(rate) for rate in gap.of]].min(0)
    few = [
        f"{name} ({int(own)})"
        for name, own, size in zip(
            scene.group_names, rows, np.bincount(test.group, minlength=scene.n_groups), strict=True
        )
        if size and own < params.least_rows
    ]  # fmt: skip
    if not few:
        return []
    return [
        f"left out of the {gap.title.lower()}, as fewer than {params.least_rows} rows tell little "
        f"of a group: {listing(few)}; other gaps leave groups out in the same way"
    ]


def _cost(model: Model, n_rows: int, n_table: int, params: RemediesParams) -> Cost:
    sizes = split_sizes(n_table) if n_table >= 5 else dict.fromkeys(SPLITS, n_table)
    fitted = sizes["train"] + sizes["validation"]
    names, each = names_of(params.remedies), 1 + params.refits
    single = {"reweighing": each, "correlation_remover": each, "masking": each}
    trained = each if params.refits or "retrained" in names else 0
    trained += sum(count for name, count in single.items() if name in names)
    trained += params.candidates * ("selection" in names)
    trained += (params.trials + params.refits) * ("hyperparameters" in names)
    if params.learner == "network":
        # The reduction asks the learner a few times more than it has rounds.
        trained += 3 * params.rounds * ("exponentiated_gradient" in names)
        trained += params.grid * ("grid_search" in names)
    asked = (3 * len(names) + 3) * each + params.candidates + params.trials
    weights = 0
    if not isinstance(model.network, BlackBox):
        weights = sum(own.numel() for own in model.network.parameters())
    together = max(each, params.candidates if "selection" in names else 1)
    n_bytes = 8 * (together * COPIES * weights + 3 * n_table * len(model.groups))
    n_bytes += 8 * params.resamples * (1 + len(names)) * 4 * 10
    return Cost(trained * params.epochs * fitted + 2 * asked * (n_table + n_rows), max(1, n_bytes))


def _explain(
    model: Model, rows: Table, table: Table, params: RemediesParams, context: Context
) -> Remedies:
    return tried(model, rows, table, params, context)[0]


METHODS.register(
    NAME,
    Method(
        title="Remedies for gaps",
        question="What lessens the gap between groups, what does it cost, and who pays for it?",
        explain=_explain,
        params=RemediesParams,
        yields=Remedies,
        needs=frozenset(),
        uses=frozenset({"table", "labels"}),
        cost=_cost,
        trains=_trains,
        reference="Kamiran and Calders (2012); Hardt, Price and Srebro (2016); Agarwal et al. "
        "(2018)",
        weakness="Labels are taken for the truth: where they are unfair, an even rule by them is "
        "too. Networks are trained by the workbench's own recipe.",
    ),
)
