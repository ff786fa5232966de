"""Ensembles of models whose members are changed all at once, up to a tolerance."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.model import Model
from workbench.engines.rashomon.by_dropout import dropout_family
from workbench.engines.rashomon.calibrate import push
from workbench.engines.rashomon.scene import CPU_BYTES, Scene
from workbench.numerics.chunks import slices
from workbench.numerics.stream.family import Family, Members
from workbench.numerics.stream.near_copies import NearCopies

# Noise of the direction in which a member moves; how far it goes is found by pushing.
STRENGTH = 0.5
AT_BOUNDARY = 0.9
# Members whose outputs are held at once.
TOGETHER = 256


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


class Ensemble:
    """The mean output of some models, and the same with each of them changed.

    All copies of all members are evaluated at once, as near-copies of one network.

    Parameters
    ----------
    models
        Its members, of one architecture.
    judge
        Explorer by dropout that changes them, each with noise of its own.
    address
        Copies of an ensemble at another address get other noise.
    """

    def __init__(self, scene: Scene, models: Sequence[Model], judge: str, address: int) -> None:
        self.scene, self.size = scene, len(models)
        seed = int(scene.context.stream(address).integers(2**31))
        self._families = [dropout_family(model, judge, seed) for model in models]
        self._copies = NearCopies(models[0].network, len(scene.model.groups))
        own = [dict(model.network.named_parameters()) for model in models]
        self._own = {name: torch.stack([each[name] for each in own]) for name in own[0]}
        ways, still = self.ways(slice(0, 1)), torch.zeros(1, dtype=torch.float64)
        self.base = self._outputs(ways, still, admission=False)[0]
        self.loss = float(mean_losses(scene, self._outputs(ways, still, admission=True))[0])

    def near_copies(self, count: int, tolerance: float) -> tuple[Float[np.ndarray, "m n k"], float]:
        """Return what copies say that are as far off as the tolerance allows.

        And the share of them that reach it: the others stay within it however far they go.
        """
        each = self.size * self._copies.member_bytes(self._own)
        room = max(1, self.scene.context.budget // 4 // each)
        found = [self._pushed(part, tolerance) for part in slices(count, room)]
        said = torch.cat([outputs for outputs, _ in found]).cpu().numpy()
        return said, float(torch.cat([reached for _, reached in found]).double().mean())

    def ways(self, part: slice) -> dict[str, Float[Tensor, "e b ..."]]:
        """Draw how each weight of each member moves in some copies, no two ways alike."""
        places = torch.arange(part.start, part.stop)
        whole = torch.ones(len(places), dtype=torch.float64)
        found = [
            family.weights(Members(places * self.size + place, STRENGTH * whole, whole))
            for place, family in enumerate(self._families)
        ]
        return {
            name: torch.stack([moved[name] for moved in found]) - self._own[name][:, None]
            for name in found[0]
        }

    def _pushed(
        self, part: slice, tolerance: float
    ) -> tuple[Float[Tensor, "b n k"], Bool[Tensor, " b"]]:
        ways = self.ways(part)

        def excess_of(stretches: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
            outputs = self._outputs(ways, stretches, admission=True)
            return (mean_losses(self.scene, outputs) - self.loss).cpu()

        targets = torch.full((part.stop - part.start,), tolerance, dtype=torch.float64)
        found = push(excess_of, targets)
        reached = excess_of(found) > AT_BOUNDARY * tolerance
        return self._outputs(ways, found, admission=False), reached

    @torch.no_grad()
    def _outputs(
        self, ways: Mapping[str, Float[Tensor, "e b ..."]], stretches: Float[Tensor, " b"], *,
        admission: bool,
    ) -> Float[Tensor, "b n k"]:  # fmt: skip
        """Return mean outputs of copies, each so far along its way."""
        scene, b = self.scene, len(stretches)
        inputs = scene.admission_inputs if admission else scene.inputs
        weights = {name: self._moved(name, ways.get(name), stretches) for name in self._own}
        row = self._copies.row_bytes(self._own) + 32 * len(scene.model.output_names)
        step = max(1, min(CPU_BYTES, scene.context.budget // 4) // (self.size * b * row))
        found = []
        for part in slices(len(inputs), step):
            logits = self._copies.logits(inputs[part], weights)
            said = scene.model.outputs(logits, "probability").double()
            found.append(said.view(self.size, b, *said.shape[1:]).mean(0))
        scene.count(self.size * b * len(inputs))
        return torch.cat(found, 1)

    def _moved(
        self, name: str, moves: Float[Tensor, "e b ..."] | None, stretches: Float[Tensor, " b"]
    ) -> Float[Tensor, "eb ..."]:
        """Return a parameter of every copy of every member, the copies of a member together."""
        own = self._own[name][:, None]
        if moves is None:
            return own.expand(-1, len(stretches), *own.shape[2:]).flatten(0, 1)
        far = stretches.to(moves).view(1, -1, *(1,) * (moves.ndim - 2))
        return (own + far * moves).flatten(0, 1)


def drawn_ensembles(
    scene: Scene, family: Family, members: Members, size: int, count: int
) -> tuple[Float[np.ndarray, "r n k"], Float[np.ndarray, " r"]]:
    """Average members in their order, ``size`` at a time and none twice.

    Returns what ensembles say of the rows reported on, and their loss on the admission rows.
    """
    outputs, losses = [], []
    for part in slices(count * size, size * max(1, TOGETHER // size)):
        own = members.take(part)
        said, admission = (
            said_by(scene, family, own, admission=which).unflatten(0, (-1, size)).mean(1)
            for which in (False, True)
        )
        outputs.append(said.cpu())
        losses.append(mean_losses(scene, admission).cpu())
    return torch.cat(outputs).numpy(), torch.cat(losses).numpy()
