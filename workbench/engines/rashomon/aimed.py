"""Directions of the weights that change one row's output most at the least loss."""

import copy
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.engines.rashomon.closed import layer_of
from workbench.engines.rashomon.params import SearchParams
from workbench.engines.rashomon.scene import Scene
from workbench.engines.rashomon.search import Search
from workbench.engines.rashomon.targets import WITHIN, aims, contrasts, part_size, sides, sparse
from workbench.numerics.chunks import slices
from workbench.numerics.convex_range import minimum, quadratic_range, standstill
from workbench.numerics.flat_weights import FlatWeights, flat_weights
from workbench.numerics.gauss_newton import conjugate_gradients, curvature_product, slopes_of
from workbench.numerics.read_out import read_out
from workbench.numerics.row_losses import row_losses
from workbench.numerics.stream.boundary import ROUNDS, steps_to_boundary
from workbench.numerics.stream.family import Members
from workbench.numerics.stream.moved import Moved

CURVATURE_ROWS = 2048
CG_STEPS = 50
# Shares of the median curvature along the rows' own slopes. A network bends: far along a flat way
# its loss is no longer what it was, so flat ways are held back.
DAMPING, LINEAR_DAMPING = 0.1, 1e-5
CHUNK_BYTES = 2**26


def explore_directional(
    scene: Scene, explorer: str, tolerances: tuple[float, ...], params: SearchParams
) -> Search:
    r"""Aim all weights at rows: :math:`\pm (G + \mu I)^{-1} \nabla_\theta` of a margin.

    The given weights need not have the least loss on the admission rows, so ways lead to the
    ends of the quadratic's range about its own middle, :math:`-(G + \mu I)^{-1} \nabla L`.
    """
    share = LINEAR_DAMPING if read_out(scene.model.network).alone else DAMPING
    # In double precision, so that a way does not depend on which others are sought with it.
    flat = flat_weights(copy.deepcopy(scene.model.network).double())
    rows = scene.admission_inputs[:CURVATURE_ROWS].double()
    chunk = max(1, CHUNK_BYTES // (6 * len(rows) * _row_bytes(flat)))
    product = curvature_product(flat, rows, classes=scene.classes > 0, chunk=chunk)

    def counted(ways: Float[Tensor, "b p"]) -> Float[Tensor, "b p"]:
        scene.count(len(ways) * len(rows))
        return product(ways)

    penalty = params.ridge * flat.penalised()
    slope = _slope(scene, flat) + penalty * flat.start
    numbers = sides(scene, params)
    wanted = aims(tolerances, len(numbers), params)
    most = wanted[-1] if wanted else 0.0
    first = _slopes(scene, flat, numbers[: 2 * CG_STEPS : 2], chunk)
    bend = (first * product(first)).sum(1) / first.square().sum(1).clamp(min=1e-30)
    damping = float(bend.median()) * share + penalty
    middle = conjugate_gradients(counted, -slope[None], damping=damping, steps=CG_STEPS)
    below = float(-(slope * middle).sum()) / 2

    def ways(numbers: Int[Tensor, " b"]) -> Float[Tensor, "b p"]:
        pairs, place = (numbers // 2).unique(return_inverse=True)
        slopes = _slopes(scene, flat, 2 * pairs, chunk)
        solved = conjugate_gradients(counted, slopes, damping=damping, steps=CG_STEPS)
        rise = (0.5 * (solved * slopes).sum(1)).clamp(min=1e-30).sqrt()
        along = (most + max(0.0, below)) ** 0.5 * solved / rise[:, None]
        sign = 1.0 - 2.0 * (numbers % 2).to(along)
        found = middle + sign[:, None] * along[place.to(along.device)]
        return found.to(scene.model.dtype)

    family = Moved(explorer, scene.model, flat_weights(scene.model.network), ways)
    size = part_size(scene, 8 * flat.size * flat.start.element_size())
    members = to_boundary(scene, family, numbers, wanted, size)
    return Search(family, members, " ".join(sparse(tolerances, wanted, len(numbers))))


def explore_last_layer(
    scene: Scene, explorer: str, tolerances: tuple[float, ...], params: SearchParams
) -> Search:
    """Aim the last layer at rows, with its exact curvature where its loss is least."""
    layer = layer_of(scene, params)
    around, said = standstill(layer.loss)[0], layer.remarks()
    try:
        around = minimum(layer.loss)
    except InvalidInputError as error:  # the curvature at the given weights has to do
        said = (*said, str(error))
    flat = flat_weights(scene.model.network, layer.read_out.names)
    numbers = sides(scene, params)
    wanted = aims(tolerances, len(numbers), params)
    most = torch.tensor(wanted[-1:] or (0.0,), dtype=torch.float64)

    def ways(numbers: Int[Tensor, " b"]) -> Float[Tensor, "b p"]:
        row, contrast = contrasts(scene, numbers)
        own = layer.rows[row.to(layer.rows.device)]
        directions = layer.loss.flat(contrast.to(own), own)
        picture = quadratic_range(layer.loss, directions, most, around)
        moves = picture.middle + picture.radius * picture.ways
        return layer.read_out.laid_out(layer.loss.change(moves)).to(scene.model.dtype)

    family = Moved(explorer, scene.model, flat, ways)
    size = part_size(scene, 8 * (layer.loss.size + flat.size))
    members = to_boundary(scene, family, numbers, wanted, size)
    said = (*said, *sparse(tolerances, wanted, len(numbers)))
    return Search(family, members, " ".join(said))


def to_boundary(
    scene: Scene, family: Moved, numbers: Int[Tensor, " m"], tolerances: tuple[float, ...],
    size: int,
) -> Iterator[Members]:  # fmt: skip
    """Yield members on their ways, as far as each tolerance lets them go.

    Parameters
    ----------
    numbers
        Of ways on which a step of 1 should lead to the last tolerance.
    size
        Ways that are sought together.

    Raises
    ------
    InvalidInputError
        If no way has anything within the tolerances.
    """
    found = 0
    for part in slices(len(numbers), size):
        own = numbers[part]
        ones = torch.ones(len(own), dtype=torch.float64)
        family.ways_of(own)  # all at once: what follows may ask for some at a time

        def excess(steps: Float[Tensor, " b"], own: Tensor = own) -> Float[Tensor, " b"]:
            return scene.excess(family, Members(own, steps, torch.ones_like(steps)))[0]

        guess = ones
        for place, tolerance in enumerate(tolerances):
            if place == 0:
                guess = ones * (tolerance / tolerances[-1]) ** 0.5
            steps, _ = steps_to_boundary(excess, WITHIN * tolerance, guess)
            moved = (steps > 0).nonzero()[:, 0]
            found += len(moved)
            yield Members(own, steps, ones).take(moved)
            larger = tolerances[min(place + 1, len(tolerances) - 1)] / tolerance
            guess = torch.where(steps > 0, steps, guess) * larger**0.5
    if not found:
        raise InvalidInputError(
            "No way from the given weights stays within the tolerances; give larger ones."
        )


def directional_passes(_: Model, n_admission: int, n_rows: int, params: SearchParams) -> int:
    """Return how many rows times models it takes at most, a product counted as one pass."""
    rows = min(n_admission, CURVATURE_ROWS)
    products = (CG_STEPS + 2) * (params.models + 1) * rows
    return products + n_admission + last_layer_passes(_, n_admission, n_rows, params)


def last_layer_passes(_: Model, n_admission: int, n_rows: int, params: SearchParams) -> int:
    """Return how many rows times models it takes at most."""
    return (params.models + 1) * ((ROUNDS + 2) * n_admission + n_rows + 1)


def _slopes(
    scene: Scene, flat: FlatWeights, numbers: Int[Tensor, " b"], chunk: int
) -> Float[Tensor, "b p"]:
    row, contrast = contrasts(scene, numbers)
    rows = scene.inputs[row.to(scene.inputs.device)].to(flat.start)
    scene.count(len(rows))
    return slopes_of(flat, rows, contrast.to(rows), chunk)


def _slope(scene: Scene, flat: FlatWeights) -> Float[Tensor, " p"]:
    """Return the slope of the mean loss of the admission rows."""
    total = torch.zeros_like(flat.start)
    n = len(scene.admission_inputs)
    for part in slices(n, CURVATURE_ROWS):
        rows, truth = scene.admission_inputs[part].to(flat.start), scene.truth[part]

        def loss(weights: dict[str, Tensor], rows: Tensor = rows, truth: Tensor = truth) -> Tensor:
            return row_losses(flat.logits_at(weights, rows), truth, scene.classes).sum() / n

        found = torch.func.grad(loss)(dict(flat.given))
        total += flat.join({name: own[None] for name, own in found.items()})[0]
        scene.count(len(rows))
    return total


def _row_bytes(flat: FlatWeights) -> int:
    wide = sum(m.out_features for m in flat.network.modules() if isinstance(m, torch.nn.Linear))
    return wide * flat.start.element_size()
