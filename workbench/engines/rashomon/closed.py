"""Ranges of a linear layer: by the closed form, and exactly."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.model import Model
from workbench.core.wording import counted
from workbench.engines.rashomon.params import SearchParams
from workbench.engines.rashomon.scene import Scene
from workbench.engines.rashomon.search import ClosedRange, Search
from workbench.engines.rashomon.targets import (
    WITHIN,
    aims,
    contrasts,
    ends,
    ends_of,
    part_size,
    sides,
    sparse,
)
from workbench.numerics.chunks import slices
from workbench.numerics.convex_range import corrected, exact_ends, minimum, quadratic_range
from workbench.numerics.flat_weights import flat_weights
from workbench.numerics.linear_loss import LinearLoss, linear_loss
from workbench.numerics.read_out import ReadOut, read_out
from workbench.numerics.stream.moved import Moved

# Shares of the room between which the quadratic is a fair picture.
HOLDS = (0.75, 1.25)
LAST_LAYER = "Only the last layer moves, everything before it stays."


@dataclass(frozen=True)
class Layer:
    """The last layer of a model among the rows of a scene.

    Attributes
    ----------
    rows
        Rows that are reported on, in the coordinates of the loss.
    logits
        What the layer says of them, in double precision.
    seen
        Whether admission rows span the row, so that it has a bounded range.
    """

    read_out: ReadOut
    loss: LinearLoss
    rows: Float[Tensor, "n r"]
    logits: Float[Tensor, "n k"]
    seen: Bool[Tensor, " n"]

    def remarks(self) -> tuple[str, ...]:
        """Say what a reader of its range should know."""
        said = () if self.read_out.alone else (LAST_LAYER,)
        if bool(self.seen.all()):
            return said
        unseen = counted(int((~self.seen).sum()), "row")
        return (
            *said,
            f"{unseen} cannot be bounded: admission rows do not have what is theirs, such as a "
            "category; a ridge penalty bounds them.",
        )


def layer_of(scene: Scene, params: SearchParams) -> Layer:
    """Set up the loss of the model's last layer on the admission rows.

    Raises
    ------
    InvalidInputError
        If the last linear layer is not what the network says.
    """
    found = read_out(scene.model.network)
    scene.count(len(scene.all_inputs))
    loss = linear_loss(
        found.features(scene.admission_inputs), found.weights, scene.truth,
        ridge=params.ridge, classes=scene.classes > 0,
    )  # fmt: skip
    features = found.features(scene.inputs)
    rows, seen = loss.project(features)
    width = features.shape[1]
    weights = found.weights
    logits = features @ weights[:, :width].T + weights[:, width:].sum(1)
    return Layer(found, loss, rows, logits, seen)


def quadratic(
    scene: Scene, _: str, tolerances: tuple[float, ...], params: SearchParams
) -> ClosedRange:
    """Return ranges by the closed form, after one look at the true loss at each end.

    An output that is a probability is bounded on the scale of its log-odds against the other
    classes, which is linear in the weights for two classes; for more, its slope at the
    weights of the least loss is taken.

    Raises
    ------
    InvalidInputError
        If rows are separable, so that no range is bounded.
    """
    layer = layer_of(scene, params)
    centre = minimum(layer.loss)
    n, k = layer.logits.shape
    values, contrast = _scores(
        layer.logits + layer.loss.moved(centre[None], layer.rows)[0], scene.classes
    )
    directions = layer.loss.flat(contrast.flatten(0, 1), layer.rows.repeat_interleave(k, 0))
    wanted = torch.tensor(tolerances, dtype=torch.float64).to(directions)
    each = 2 * len(tolerances) * len(layer.loss.rows) * 4 * k * 8
    found = []
    for part in slices(len(directions), part_size(scene, each)):
        picture = quadratic_range(layer.loss, directions[part], wanted, centre)
        far, share = corrected(layer.loss, picture, wanted)
        middle = values.flatten()[part] + directions[part] @ (picture.middle - centre)
        low, high = middle - far[:, 0] * picture.reach, middle + far[:, 1] * picture.reach
        found.append(torch.stack((low, high, *share.unbind(1))))
        scene.count(0)
    low, high, *shares = torch.cat(found, -1).unflatten(-1, (n, k))
    most = torch.where(layer.seen[:, None], 0.0, torch.inf)
    low, high = low - most, high + most
    if scene.classes:
        low, high = low.sigmoid(), high.sigmoid()
    base = scene.predictions.to(low)
    said = " ".join((*layer.remarks(), _verified(torch.stack(shares)[:, -1])))
    # NaN where not even the best weights are within the tolerance.
    return ClosedRange(torch.minimum(low, base), torch.maximum(high, base), said)


def _scores(
    logits: Float[Tensor, "n k"], classes: int
) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n k k"]]:
    """Return values, or log-odds of each class, and how they change with the logits."""
    eye = torch.eye(logits.shape[1]).to(logits).expand(len(logits), -1, -1)
    if not classes:
        return logits, eye
    others = logits[:, None].masked_fill(eye.bool(), -torch.inf)  # (n, k, k)
    return logits - others.logsumexp(-1), eye - others.softmax(-1)


def exact_passes(_: Model, n_admission: int, n_rows: int, params: SearchParams) -> int:
    """Return how many rows times models go through the network at most: ends are tried once."""
    return (params.models + 1) * (n_admission + n_rows)


def _verified(share: Float[Tensor, "..."]) -> str:
    known = share[share.isfinite()]
    if not known.numel():
        return ""
    low, high = float(known.min()), float(known.max())
    said = (
        f"A closed form: at the ends the true loss rises by {low:.2f} to {high:.2f} of what the "
        "largest tolerance leaves."
    )
    if HOLDS[0] <= low and high <= HOLDS[1]:
        return said
    return f"{said} That is far from 1 for some rows: ask the exact range (lagrangian) for them."


def explore_exact(
    scene: Scene, explorer: str, tolerances: tuple[float, ...], params: SearchParams
) -> Search:
    """Find the models that take rows furthest, exactly, for the last layer.

    Raises
    ------
    InvalidInputError
        If rows are separable, so that there is no furthest.
    """
    layer = layer_of(scene, params)
    centre, given = minimum(layer.loss), layer.read_out.weights
    idle = layer.loss.common(given)

    def solve(ways: Int[Tensor, " b"], wanted: tuple[float, ...]) -> Float[Tensor, "t b p"]:
        row, contrast = contrasts(scene, ways)
        directions = layer.loss.flat(contrast.to(layer.rows), layer.rows[row.to(layer.rows.device)])
        within = WITHIN * torch.tensor(wanted, dtype=torch.float64)
        moves = []
        for found in exact_ends(layer.loss, centre, directions, within):
            moves.append(layer.read_out.laid_out(layer.loss.change(found) - idle))
            scene.count(0)
        return torch.stack(moves).to(scene.model.dtype)

    flat = flat_weights(scene.model.network, layer.read_out.names)
    ways = sides(scene, params)
    ways = ways[layer.seen.cpu()[contrasts(scene, ways)[0]]]
    wanted = aims(tolerances, len(ways), params)
    each = 8 * (4 * layer.loss.size**2 + len(layer.loss.rows) * layer.loss.size)
    family = Moved(explorer, scene.model, flat, ends_of(solve, wanted))
    members = ends(ways, wanted, part_size(scene, each))
    said = (*layer.remarks(), *sparse(tolerances, wanted, len(ways)))
    return Search(family, members, " ".join(said))
