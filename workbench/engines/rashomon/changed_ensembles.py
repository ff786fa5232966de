"""Ensembles of models whose members are changed all at once, up to a tolerance."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.model import Model
from workbench.engines.rashomon.by_dropout import dropout_family
from workbench.engines.rashomon.calibrate import push
from workbench.engines.rashomon.scene import Scene
from workbench.numerics.chunks import slices
from workbench.numerics.stream.family import Family, Members
from workbench.numerics.stream.near_copies import NearCopies

# Noise of the direction in which a member moves; how far it goes is found by pushing.
STRENGTH = 0.5
AT_BOUNDARY = 0.9


def mean_losses(scene: Scene, outputs: Float[Tensor, "*b a k"]) -> Float[Tensor, "*b"]:
    """Return mean losses of probabilities or values on the admission rows."""
    if scene.classes:
        places = scene.truth.expand(outputs.shape[:-1])[..., None]
        own = outputs.gather(-1, places)[..., 0]
        losses = -own.clamp_min(torch.finfo(torch.float64).tiny).log()
    else:
        losses = (outputs[..., 0] - scene.truth).square()
    return losses.mean(-1)


def said_by(
    scene: Scene, family: Family, members: Members, *, admission: bool
) -> Float[Tensor, "b n k"]:
    """Return what members say of the admission rows or those reported on, in double precision."""
    inputs = scene.admission_inputs if admission else scene.inputs
    found = []
    for part in scene.parts(family, len(inputs), len(members.numbers)):
        logits = scene.ask(family, inputs, members.take(part))
        found.append(scene.model.outputs(logits, "probability").double())
    return torch.cat(found)


# For each member of an ensemble its own way: by which each of its weights moves, in each copy.
Ways = Sequence[Mapping[str, Float[Tensor, "b ..."]]]


class Ensemble:
    """The mean output of some models, and the same with each of them changed.

    Parameters
    ----------
    models
        Its members.
    judge
        Explorer by dropout that changes them, each with noise of its own.
    address
        Copies of an ensemble at another address get other noise.
    """

    def __init__(self, scene: Scene, models: Sequence[Model], judge: str, address: int) -> None:
        self.scene = scene
        seed = int(scene.context.stream(address).integers(2**31))
        self._families = [dropout_family(model, judge, seed) for model in models]
        width = len(scene.model.groups)
        self._copies = [NearCopies(model.network, width) for model in models]
        ways, still = self._ways(slice(0, 1)), torch.zeros(1, dtype=torch.float64)
        self._names = list(ways[0])
        self.base = self._outputs(ways, still, admission=False)[0]
        self.loss = float(mean_losses(scene, self._outputs(ways, still, admission=True))[0])

    def near_copies(self, count: int, tolerance: float) -> tuple[Float[np.ndarray, "m n k"], float]:
        """Return what copies say that are as far off as the tolerance allows.

        And the share of them that reach it: the others stay within it however far they go.
        """
        each = sum(copies.member_bytes(self._names) for copies in self._copies)
        room = max(1, self.scene.context.budget // 4 // each)
        found = [self._pushed(part, tolerance) for part in slices(count, room)]
        said = torch.cat([outputs for outputs, _ in found]).cpu().numpy()
        return said, float(torch.cat([reached for _, reached in found]).double().mean())

    def _pushed(
        self, part: slice, tolerance: float
    ) -> tuple[Float[Tensor, "b n k"], Bool[Tensor, " b"]]:
        ways = self._ways(part)

        def excess_of(stretches: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
            outputs = self._outputs(ways, stretches, admission=True)
            return (mean_losses(self.scene, outputs) - self.loss).cpu()

        targets = torch.full((part.stop - part.start,), tolerance, dtype=torch.float64)
        found = push(excess_of, targets)
        reached = excess_of(found) > AT_BOUNDARY * tolerance
        return self._outputs(ways, found, admission=False), reached

    def _ways(self, part: slice) -> Ways:
        """Draw for each member the directions of some copies, none like another member's."""
        places, size = torch.arange(part.start, part.stop), len(self._families)
        whole = torch.ones(len(places), dtype=torch.float64)
        ways = []
        for place, family in enumerate(self._families):
            moved = family.weights(Members(places * size + place, STRENGTH * whole, whole))
            own = dict(family.model.network.named_parameters())
            ways.append({name: weights - own[name] for name, weights in moved.items()})
        return ways

    @torch.no_grad()
    def _outputs(
        self, ways: Ways, stretches: Float[Tensor, " b"], *, admission: bool
    ) -> Float[Tensor, "b n k"]:
        """Return mean outputs of copies, each so far along its way."""
        scene = self.scene
        inputs = scene.admission_inputs if admission else scene.inputs
        step = max(1, scene.context.budget // 4 // (len(stretches) * self._row_bytes()))
        found = [self._mean(ways, stretches, inputs[part]) for part in slices(len(inputs), step)]
        scene.count(len(ways) * len(stretches) * len(inputs))
        return torch.cat(found, 1)

    def _mean(
        self, ways: Ways, stretches: Float[Tensor, " b"], inputs: Float[Tensor, "n p"]
    ) -> Float[Tensor, "b n k"]:
        said = []
        for family, copies, way in zip(self._families, self._copies, ways, strict=True):
            own = dict(family.model.network.named_parameters())
            weights = {
                name: own[name] + stretches.to(moves).view(-1, *(1,) * (moves.ndim - 1)) * moves
                for name, moves in way.items()
            }
            logits = copies.logits(inputs, weights)
            said.append(self.scene.model.outputs(logits, "probability").double())
        return torch.stack(said).mean(0)

    def _row_bytes(self) -> int:
        outputs = 16 * len(self.scene.model.output_names) * len(self._families)
        return outputs + max(copies.row_bytes(self._names) for copies in self._copies)


def drawn_ensembles(
    scene: Scene, family: Family, members: Members, size: int, count: int
) -> tuple[Float[np.ndarray, "r n k"], Float[np.ndarray, " r"]]:
    """Average members in their order, ``size`` at a time and none twice.

    Returns what ensembles say of the rows reported on, and their loss on the admission rows.
    """
    outputs, losses = [], []
    for part in slices(count * size, size):
        own = members.take(part)
        outputs.append(said_by(scene, family, own, admission=False).mean(0).cpu().numpy())
        admission = said_by(scene, family, own, admission=True).mean(0)
        losses.append(float(mean_losses(scene, admission)))
    return np.stack(outputs), np.array(losses)
