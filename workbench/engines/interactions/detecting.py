"""What each detector says of the same pairs, on the rows of one scene."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from workbench.core.context import Context
from workbench.core.detectors import KINDS
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.core.results import Interactions
from workbench.core.table import Table
from workbench.engines.calls import check_finite
from workbench.engines.interactions.detectors_params import DetectorsParams
from workbench.engines.interactions.detectors_plan import SHAPLEY, shapley_params
from workbench.engines.interactions.scene import Scene
from workbench.engines.interactions.scores import scores_of
from workbench.numerics.differentiated import adds_up
from workbench.numerics.friedman import ROUNDING, friedman
from workbench.numerics.hessians import Curved, cross_hessians, integrated_hessians
from workbench.numerics.pair_weights import pair_weights
from workbench.numerics.smoothing import Smoothing, smoothed
from workbench.numerics.swaps import Set, swaps_of

# Streams of the rows drawn for detectors that take fewer; the scene has the first two.
FRIEDMAN_STREAM, LOCAL_STREAM, SHAPLEY_STREAM, BACKGROUND_STREAM = 2, 3, 4, 5
CPU_CHUNK, GPU_CHUNK = 512, 16384
# Copies of a row's hidden numbers that second derivatives keep.
COPIES = 12


@dataclass(frozen=True)
class Found:
    """What a detector says of the pairs; None where it says nothing."""

    strengths: Float[Tensor, "s k"]
    signed: Float[Tensor, "s k"] | None = None
    std_errors: Float[Tensor, "s k"] | None = None


@dataclass(eq=False)
class Bench:
    """Where detectors are run: the scene, the pairs, and what is learned on the way.

    Attributes
    ----------
    squares
        Mean square of each output over the rows.
    gradients
        Rows that slopes went back through so far.
    smoothing, missed
        As in the result.
    """

    scene: Scene
    pairs: Sequence[Set]
    params: DetectorsParams
    outputs: Float[Tensor, "n k"]
    typical: Float[Tensor, " d"]
    gradients: int = 0
    smoothing: float | None = None
    missed: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def rounding(self) -> float:
        """Unit of rounding of the network's numbers."""
        return torch.finfo(self.scene.model.dtype).eps

    @property
    def places(self) -> tuple[Tensor, Tensor]:
        """Positions of the first and of the second feature of each pair."""
        first, second = torch.tensor(self.pairs).reshape(-1, 2).T
        return first, second

    def some(self, n: int, stream: int) -> Table:
        """Draw rows of the scene, if it has more."""
        rows = self.scene.rows
        if len(rows) <= n:
            return rows
        return rows[np.sort(self.scene.context.stream(stream).permutation(len(rows))[:n])]

    def count(self, forwards: int, back: int) -> None:
        """Count passes, those back apart."""
        self.gradients += back
        self.scene.count(forwards + back)

    def cleaned(self, values: Float[Tensor, "s k"], power: int) -> Float[Tensor, "s k"]:
        """Put exactly 0 where a number is no more than rounding, in the output to a power."""
        size = ROUNDING * self.rounding * self.outputs.square().mean(0).sqrt()
        return torch.where(values.abs() > size**power, values, 0)


def exchanged(bench: Bench, names: Sequence[str]) -> dict[str, Found]:
    """Score pairs by exchanges between rows: mixed difference, and in the loss."""
    scene = bench.scene
    measured = scene.measure(scene.model, list(bench.pairs))
    fields = scores_of([measured], list(bench.pairs), scene.model)
    mixed, errors, signed = (
        torch.from_numpy(fields[name][0]) for name in ("mixed", "mixed_std_errors", "signed")
    )
    found = {"mixed-difference": Found(bench.cleaned(mixed, 2), signed, errors)}
    if measured.loss is not None:
        k = mixed.shape[1]
        values, noise = (
            part.expand(-1, k) for part in (measured.loss.values, measured.loss.std_errors)
        )
        found["loss"] = Found(values.abs(), values, noise)
    return {name: found[name] for name in names}


def in_contexts(bench: Bench, names: Sequence[str]) -> dict[str, Found]:
    """Score pairs in the context of each row and of the typical row."""
    scene = bench.scene
    values = scene.in_contexts(scene.model, list(bench.pairs), bench.typical)
    return {names[0]: Found(bench.cleaned(values, 2))}


def by_weights(bench: Bench, names: Sequence[str]) -> dict[str, Found]:
    """Score pairs by the weights that bring them together.

    Raises
    ------
    InvalidInputError
        If the network is no chain of layers.
    """
    found = pair_weights(bench.scene.model, list(bench.pairs))
    if found is None:
        raise InvalidInputError(
            "it reads weights of a chain of linear layers and functions of one number, and the "
            "network is none."
        )
    return {names[0]: Found(found.expand(-1, bench.outputs.shape[1]))}


def by_dependence(bench: Bench, names: Sequence[str]) -> dict[str, Found]:
    """Hold partial dependences on pairs against those on single features (Friedman's H).

    Raises
    ------
    InvalidInputError
        If the model has no answer for rows put together from two.
    """
    scene, model = bench.scene, bench.scene.model
    rows = bench.some(bench.params.friedman_rows, FRIEDMAN_STREAM)
    found = friedman(
        list(bench.pairs),
        swaps_of(model, model.encode(rows.X), scene.context.budget),
        len(rows),
        outputs=lambda logits: model.outputs(logits, scene.output),
        count=scene.count,
        rounding=bench.rounding,
    )
    if not bool(found.roots.isfinite().all()):
        raise InvalidInputError("the model has no finite answer for some rows put together.")
    every = {"friedman": Found(found.shares), "friedman-root": Found(found.roots)}
    return {name: every[name] for name in names}


def along_the_way(bench: Bench, names: Sequence[str]) -> dict[str, Found]:
    """Integrate second derivatives between the typical row and each row."""
    model = bench.scene.model
    rows = bench.some(bench.params.local_rows, LOCAL_STREAM)
    inputs, start = model.encode(rows.X), model.encode(bench.typical[None])
    columns = functional.one_hot(model.groups, len(model.schema.features)).to(inputs)
    curved = _curved(bench, rows, columns)
    values = integrated_hessians(curved, inputs, start[0], bench.params.nodes)
    with torch.no_grad():
        apart = (curved.forward(inputs) - curved.forward(start)).cpu().double()
    bench.count(len(inputs) + 1, 0)
    gap = (values.sum((1, 2)) - apart).square().mean().sqrt()
    size = apart.square().mean().sqrt()
    # Of rows that are all like the typical one, both are no more than rounding.
    least = ROUNDING * bench.rounding * bench.outputs.square().mean().sqrt()
    bench.missed = float(gap / size) if size > least else 0.0
    first, second = bench.places
    return {names[0]: _mean_size(bench, 2 * values[:, first, second])}


def where_rows_are(bench: Bench, names: Sequence[str]) -> dict[str, Found]:
    """Average the size of second derivatives over the rows, per spread of both features.

    Raises
    ------
    InvalidInputError
        If fewer than two features are one column for the network.
    """
    model, rows = bench.scene.model, bench.scene.rows
    inputs, d = model.encode(rows.X), len(model.schema.features)
    columns = functional.one_hot(model.groups, d).to(inputs)
    alone = (columns.sum(0) == 1).nonzero()[:, 0]
    if len(alone) < 2:
        raise InvalidInputError(
            "it takes slopes by features that are one column for the network, and fewer than two "
            "are."
        )
    if len(alone) < d:
        bench.notes += (
            f"{KINDS[names[0]].title}: of {d} features it knows the {len(alone)} that are one "
            "column for the network",
        )
    curved = _curved(bench, rows, columns[:, alone])
    spread = (inputs.std(0, correction=0) @ columns[:, alone]).cpu().double()
    known = cross_hessians(curved, inputs) * (spread[:, None] * spread)[..., None]
    values = known.new_full((len(known), d, d, known.shape[-1]), torch.nan)
    alone = alone.cpu()
    values[:, alone[:, None], alone] = known
    first, second = bench.places
    return {names[0]: _mean_size(bench, values[:, first, second])}


def by_coalitions(bench: Bench, names: Sequence[str]) -> dict[str, Found]:
    """Average the size of Shapley interactions over rows, by the method that computes them."""
    scene, params = bench.scene, bench.params
    rows = bench.some(params.shapley_rows, SHAPLEY_STREAM)
    background = bench.some(params.shapley_background, BACKGROUND_STREAM)
    before = scene.evaluations

    def tell(done: int, *_: Any) -> None:
        scene.evaluations = before + done
        scene.count(0)

    context = Context(
        seed=scene.context.seed, device=scene.context.device, budget=scene.context.budget,
        chunk_rows=scene.context.chunk_rows, progress=tell, cancel=scene.context.cancel,
    )  # fmt: skip
    method = METHODS.find(SHAPLEY)
    found = method.explain(
        scene.model, rows, background, shapley_params(scene.model, params), context
    )
    assert isinstance(found, Interactions)  # noqa: S101 - what the method is registered to yield
    scene.evaluations = before
    scene.count(found.provenance.evaluations)
    first, second = bench.places
    return {names[0]: _mean_size(bench, torch.from_numpy(found.values)[:, first, second])}


BY_FIRST: Mapping[str, Callable[[Bench, Sequence[str]], dict[str, Found]]] = {
    "mixed-difference": exchanged, "loss": exchanged, "contexts": in_contexts,
    "weights": by_weights, "friedman": by_dependence, "friedman-root": by_dependence,
    "integrated-hessians": along_the_way, "cross-hessian": where_rows_are,
    "shapley": by_coalitions,
}  # fmt: skip


def _mean_size(bench: Bench, values: Float[Tensor, "n s k"]) -> Found:
    """Return the mean size over rows, the mean with sign, and the standard error of the size."""
    sizes = values.abs()
    errors = sizes.std(0) / len(sizes) ** 0.5
    unknown = values.isnan().any(0)
    strengths = bench.cleaned(sizes.mean(0), 1).masked_fill(unknown, torch.nan)
    return Found(strengths, values.mean(0), errors)


def _curved(bench: Bench, rows: Table, columns: Float[Tensor, "p d"]) -> Curved:
    """Return the network with its kinks rounded off, and take down how far it is off."""
    scene, model = bench.scene, bench.scene.model
    mode = Smoothing(bench.params.beta)

    def given(inputs: Tensor) -> Tensor:
        return model.outputs(model.network(inputs), scene.output)

    forward = smoothed(given, mode)
    with torch.no_grad():
        inputs = model.encode(rows.X)
        smooth, real = (call(inputs).cpu().double() for call in (forward, given))
    bench.count(2 * len(inputs), 0)
    check_finite(model, rows, smooth)
    if mode.replaced:
        spread = bench.outputs.var(0, correction=0).mean().sqrt()
        off = (smooth - real).square().mean().sqrt()
        share = float(off / spread) if spread > 0 else 0.0
        bench.smoothing = max(share, bench.smoothing or 0.0)
    if mode.kinked:
        note = (
            f"what {', '.join(sorted(mode.kinked))} do to features together has no second "
            "derivative, and Hessians do not see it"
        )
        bench.notes += () if note in bench.notes else (note,)
    widths = [max(weight.shape) for weight in model.network.parameters() if weight.ndim > 1]
    row = COPIES * inputs.element_size() * (inputs.shape[1] + sum(widths))
    most = CPU_CHUNK if model.device.type == "cpu" else GPU_CHUNK
    return Curved(
        forward=forward,
        columns=columns,
        constant_sum=adds_up(model, scene.output),
        chunk_rows=max(1, min(most, scene.context.budget // row)),
        count=bench.count,
    )
