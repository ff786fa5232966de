"""Explanations of some rows put through all measures, from one set of answers of the model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.faithfulness import GIVEN
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.lfa.changes import Answers, Changes, draw_changes
from workbench.engines.lfa.explanations import GRADIENTS, TYPES, Draws, draw, explain_block
from workbench.engines.lfa.heldout import add_anchors, numbers_of
from workbench.engines.lfa.matrix import type_of
from workbench.engines.lfa.measure_params import MeasureParams
from workbench.engines.lfa.randomised import randomised
from workbench.engines.lfa.scene import Scene, make_scene
from workbench.numerics import explanation_measures as numerics
from workbench.numerics.removal_measures import sensitivity_n, share_lost

NETWORKS = 203  # address of random numbers
RANDOMISATION = "randomisation"
AGREEMENT = ("rank-agreement", "sign-agreement")
# Outputs that differ by no more than this many roundings of theirs are the same. Values of an
# explanation that are no larger than such a share of its largest one are 0, and of the outputs
# where they are made from differences of these.
ROUNDINGS, LEAST_ROUNDING = 16, 1e-9
# Of the features, rounded up, that are removed or kept together.
SHARES = (0.05, 0.1, 0.2, 0.5)
SUBTRACTING = TYPES.keys() - GRADIENTS

Values = Float[Tensor, "b m d k"]
Scores = Mapping[str, Float[Tensor, "b m k"]]


@dataclass(frozen=True)
class Bench:
    """What all rows of a run are measured with.

    Attributes
    ----------
    networks
        Scenes of the same network with random parameters.
    numbers
        The random explanation.
    empty
        Outputs of the reference row.
    """

    scene: Scene
    networks: tuple[Scene, ...]
    draws: Draws
    changes: Changes
    numbers: Float[Tensor, " d"]
    empty: Float[Tensor, " k"]
    params: MeasureParams

    @property
    def evaluations(self) -> int:
        """Rows that went through all networks so far."""
        return sum(scene.evaluations for scene in (self.scene, *self.networks))

    @property
    def rounding(self) -> float:
        """Share of an output that is nothing but rounding."""
        return max(ROUNDINGS * torch.finfo(self.scene.model.dtype).eps, LEAST_ROUNDING)

    def strongest(self, d: int) -> int:
        """Return how many of the features count as strongest; a product may miss a whole number."""
        return ceil(round(self.params.top * d, 9))

    def explain(self, scene: Scene, X: Float[Tensor, "b d"]) -> tuple[tuple[str, ...], Values]:
        """Explain rows by every method and by the anchors, with the same random numbers."""
        found = explain_block(scene, X, self.draws)
        add_anchors(scene, X, found, self.numbers)
        assert found.table is not None  # noqa: S101 - removals are always among the methods
        outputs = found.table[:, :2].abs().amax(1)[:, None, None]  # of the empty and full coalition
        values = torch.stack(list(found.values.values()), 1)
        subtracts = torch.tensor([method in SUBTRACTING for method in found.values])
        return tuple(found.values), self.without_rounding(values, subtracts, outputs)

    def without_rounding(
        self, values: Values, subtracts: Bool[Tensor, " m"], outputs: Float[Tensor, "b 1 1 k"]
    ) -> Values:
        """Set to 0 what is nothing but rounding: such features are equals, not ranked by chance."""
        size = values.abs().nan_to_num().amax(2, keepdim=True)
        size = size.where(~subtracts[:, None, None], torch.maximum(size, outputs))
        return values.masked_fill(values.abs() <= self.rounding * size, 0)


@dataclass(frozen=True)
class ExplainedRows:
    """Some rows with their explanations and outputs."""

    X: Float[Tensor, "b d"]
    values: Values
    methods: tuple[str, ...]
    full: Float[Tensor, "b k"]
    empty: Float[Tensor, "b k"]

    def places(self, *types: str) -> Int[Tensor, " t"]:
        """Return where methods of these types stand."""
        return torch.tensor([i for i, m in enumerate(self.methods) if type_of(m) in types]).long()

    def among(self, places: Int[Tensor, " t"], scores: Float[Tensor, "b t k"]) -> Tensor:
        """Put scores of some methods among those of all; NaN for the others."""
        found = torch.full((len(self.X), len(self.methods), scores.shape[-1]), torch.nan).double()
        found[:, places] = scores
        return found


def shares_of(d: int) -> list[int]:
    """Return how many features are removed at once, below all of them; none where there is one."""
    return [min(ceil(round(share * d, 9)), d - 1) for share in SHARES if d > 1]


def make_bench(
    model: Model, background: Table, params: MeasureParams, context: Context,
    tell: Callable[[], None],
) -> Bench:  # fmt: skip
    """Draw all random numbers of a run, and look at the background."""
    scene = make_scene(model, background, params.output, context, tell)
    count = params.networks if scene.has_slopes else 0
    return Bench(
        scene=scene,
        networks=tuple(
            make_scene(
                randomised(model, context.stream(NETWORKS, i)), background, params.output, context,
                tell,
            )
            for i in range(count)
        ),
        draws=draw(scene, params, context),
        changes=draw_changes(
            scene, context, samples=params.repeats, scale=params.scale, copies=params.copies,
            radius=params.radius,
        ),
        numbers=numbers_of(context, len(scene.spread)),
        empty=scene.ask(scene.start[None, None])[0, 0],
        params=params,
    )  # fmt: skip


def measure_block(
    bench: Bench,
    X: Float[Tensor, "b d"],
    predictions: Float[Tensor, "b k"],
    given: Float[Tensor, "b d k"] | None = None,
) -> tuple[tuple[str, ...], Scores]:
    """Measure the explanations of some rows by everything, with one that was made elsewhere.

    What asks for explanations of other rows or networks is not defined for the given one.
    """
    methods, values = bench.explain(bench.scene, X)
    own = ExplainedRows(X, values, methods, predictions, bench.empty.expand_as(predictions))
    rows = own if given is None else _with_given(bench, own, given)
    answers = Answers(bench.scene, X, bench.changes)
    removed, moved = _by_removal(bench, rows, answers), _by_moving(bench, rows, answers)
    slopes = rows.places("slope")
    for measure, scores in _of_slopes(bench, rows, slopes, answers).items():
        removed[measure][:, slopes] = scores
    found = {
        **removed, **moved, "sparseness": numerics.sparseness(rows.values),
        "complexity": numerics.complexity(rows.values),
    }  # fmt: skip
    again: dict[str, Tensor] = {}
    if bench.params.copies:
        again |= _of_copies(bench, own)
    if bench.networks:
        again[RANDOMISATION] = _of_networks(bench, own)
    if given is None:
        return methods, {**found, **again}
    known = torch.tensor([method != GIVEN for method in rows.methods]).nonzero()[:, 0]
    found |= {measure: rows.among(known, scores) for measure, scores in again.items()}
    found |= _of_agreement(rows)
    unsaid = given.isnan().all(1)[:, None] & ~_among(rows, known)[:, None]  # (b, m, k)
    return rows.methods, {m: scores.masked_fill(unsaid, torch.nan) for m, scores in found.items()}


def _with_given(bench: Bench, own: ExplainedRows, given: Float[Tensor, "b d k"]) -> ExplainedRows:
    """Put an explanation that was made elsewhere before the anchors."""
    place = int(own.places("anchor").min())
    outputs = torch.maximum(own.full.abs(), own.empty.abs())[:, None, None]
    values = bench.without_rounding(given[:, None], torch.tensor([True]), outputs)
    return replace(
        own,
        values=torch.cat([own.values[:, :place], values, own.values[:, place:]], 1),
        methods=(*own.methods[:place], GIVEN, *own.methods[place:]),
    )


def _among(rows: ExplainedRows, places: Int[Tensor, " t"]) -> Bool[Tensor, " m"]:
    found = torch.zeros(len(rows.methods), dtype=torch.bool)
    found[places] = True
    return found


def _of_agreement(rows: ExplainedRows) -> dict[str, Tensor]:
    """Hold contributions and anchors against the given explanation, which is not its own judge."""
    others = torch.tensor([
        i for i in rows.places("contribution", "anchor").tolist() if rows.methods[i] != GIVEN
    ]).long()
    values = rows.values[:, others]
    given = rows.values[:, [rows.methods.index(GIVEN)]].expand_as(values)
    found = (numerics.rank_correlation(values, given), numerics.sign_agreement(values, given))
    return {
        measure: rows.among(others, scores)
        for measure, scores in zip(AGREEMENT, found, strict=True)
    }


def _by_removal(bench: Bench, rows: ExplainedRows, answers: Answers) -> dict[str, Tensor]:
    """Measure contributions, and anchors as if they were some, by removing features."""
    which = rows.places("contribution", "anchor")
    anchor = torch.isin(which, rows.places("anchor"))[:, None]  # (t, 1)
    values, full, empty = rows.values[:, which], rows.full, rows.empty
    subsets = bench.changes.subsets
    # An anchor does not know which way the output goes, its largest values come first.
    towards = torch.where(anchor[:, None], (full - empty).sign()[:, None, None], 1.0)
    order = numerics.removal_order(values * towards, full, empty)
    paths = [numerics.kept_on_the_way(order, insertion=i).movedim(3, -1) for i in (False, True)]
    shape = paths[0].shape[1:4]  # (t, j, k)
    own = (~subsets).expand(len(values), -1, -1)
    table = answers.removed(torch.cat([own, *(path.flatten(1, 3) for path in paths)], 1))
    happened = full[:, None] - table[:, : len(subsets)]
    outputs = table[:, len(subsets) :].unflatten(1, (2, *shape)).diagonal(dim1=4, dim2=5)
    predicted = numerics.predicted_changes(values, subsets.double()[None])
    infidelity = [
        numerics.infidelity(predicted, happened, rescaled=rescaled, relative=True)
        for rescaled in (False, True)
    ]
    deletion, insertion = (
        numerics.curve_area(outputs[:, i], full, empty, rounding=bench.rounding) for i in range(2)
    )
    counts = shares_of(values.shape[2])
    lost = [
        share_lost(outputs[:, i], full, empty, counts, rounding=bench.rounding)
        if counts else torch.full_like(deletion, torch.nan)
        for i in range(2)
    ]  # fmt: skip
    gap = numerics.completeness_gap(values, full, empty, rounding=bench.rounding)
    found = {
        "faithfulness-correlation": numerics.faithfulness_correlation(predicted, happened),
        "sensitivity-n": sensitivity_n(predicted, happened, subsets.sum(1)),
        "infidelity": torch.where(anchor, infidelity[1], infidelity[0]),
        "completeness-gap": gap.masked_fill(anchor, torch.nan),
        "deletion": deletion,
        "insertion": insertion,
        "comprehensiveness": lost[0],
        "sufficiency": lost[1],
    }
    return {measure: rows.among(which, scores) for measure, scores in found.items()}


def _of_slopes(
    bench: Bench, rows: ExplainedRows, slopes: Int[Tensor, " t"], answers: Answers
) -> dict[str, Tensor]:
    """Measure slopes by moving all numbers; what a step adds is taken away, so signs are kept."""
    if not len(slopes):
        return {}
    known = bench.scene.known(rows.X)
    predicted = numerics.predicted_changes(
        rows.values[:, slopes], -(known[:, None] * bench.changes.steps)
    )
    happened = rows.full[:, None] - answers.of_numbers()
    return {
        "faithfulness-correlation": numerics.faithfulness_correlation(predicted, happened),
        "infidelity": numerics.infidelity(predicted, happened, relative=True),
    }


def _by_moving(bench: Bench, rows: ExplainedRows, answers: Answers) -> dict[str, Tensor]:
    """Measure which features an explanation calls strong, by moving these or all others."""
    _, m, d, k = rows.values.shape
    strong = numerics.strongest(rows.values, bench.strongest(d))
    sets = torch.stack([strong, ~strong], 1).movedim(3, -1)  # (b, 2, m, k, d)
    gaps = answers.gaps(sets.flatten(1, 3), rows.full).unflatten(1, (2, m, k))
    own = gaps.diagonal(dim1=3, dim2=4)  # (b, 2, m, k)
    told = strong.any(2)[:, None] & sets.any(-1)  # something is strong, and something moves
    own = own.where(told, torch.nan)
    return {"pgi": own[:, 0], "pgu": own[:, 1]}


def _of_copies(bench: Bench, rows: ExplainedRows) -> dict[str, Tensor]:
    """Measure how much explanations change from a row to copies near it."""
    scene, steps = bench.scene, bench.changes.copies
    known = scene.known(rows.X)
    movable = known.any(1)
    copies = [rows.X + step * scene.spread * scene.moves for step in steps]
    others = torch.stack([bench.explain(scene, copy)[1] for copy in copies], 1)
    outputs = scene.ask(torch.stack([scene.model.encode(copy) for copy in copies], 1))
    changes = numerics.relative_changes(rows.values, others)
    points = _points(scene, rows.X)
    moves = numerics.relative_moves(points, points[:, None] + known[:, None] * steps)
    answers = numerics.relative_moves(rows.full, outputs)
    answers = answers.where(answers > bench.rounding, 0.0)
    alike = torch.ones_like(moves, dtype=torch.bool)
    if scene.model.schema.task != "regression":
        alike = outputs.argmax(-1) == rows.full.argmax(-1)[:, None]
    still = ~movable[:, None, None]
    return {
        "max-sensitivity": numerics.max_sensitivity(changes).masked_fill(still, torch.nan),
        "ris": numerics.relative_stability(changes, moves, alike),
        "ros": numerics.relative_stability(changes, answers, alike),
    }


def _points(scene: Scene, X: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
    """Place rows relative to the reference: numbers in standard deviations, else 0 or 1."""
    known = scene.known(X) & ~scene.reference.isnan()
    away = (X - scene.reference) / scene.spread.where(scene.moves, 1.0)
    other = (scene.reference != X) & ~(X.isnan() & scene.reference.isnan())
    return torch.where(known, away, other.double())


def _of_networks(bench: Bench, rows: ExplainedRows) -> Float[Tensor, "b m k"]:
    """Compare explanations with those of networks that know nothing."""
    found = [
        numerics.rank_correlation(rows.values, bench.explain(scene, rows.X)[1])
        for scene in bench.networks
    ]
    return torch.stack(found).nanmean(0)
