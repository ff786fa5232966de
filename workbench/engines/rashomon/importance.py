"""How much each feature matters to equally good models: the range of permutation importance."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.engines.rashomon.scene import Scene
from workbench.numerics.row_losses import row_losses
from workbench.numerics.stream.family import Family, Members

IMPORTANCE_MODELS = 64
# Rows that shuffled losses are the mean of, in as many shuffles as that takes.
SHUFFLED_ROWS = 1000
SHUFFLES = 23


def shuffles(n_rows: int) -> int:
    """Return how often each feature is shuffled."""
    return math.ceil(SHUFFLED_ROWS / n_rows)


def importance_range(scene: Scene, family: Family, members: Members) -> Float[Tensor, "d 3"]:
    r"""Return each feature's importance to the given model, and its least and greatest.

    .. math:: \mathrm{MR}_j(m) = L(m; \text{feature } j \text{ shuffled}) - L(m)

    over the admission rows. All models see the same shuffles, so what differs between them is not
    chance. The given model is among those that the ends are taken over.

    References
    ----------
    Fisher, Rudin and Dominici (2019), All Models are Wrong, but Many are Useful, Sec. 4 (model
    class reliance), as a difference rather than a ratio.
    """
    unmoved = Members(
        torch.zeros(1, dtype=torch.int64),
        torch.zeros(1, dtype=torch.float64),
        torch.zeros(1, dtype=torch.float64),
    )
    all_ = Members(*(torch.cat(pair) for pair in zip(unmoved, members, strict=True)))
    whole = _losses(scene, family, all_, scene.admission_inputs)
    n, groups = len(scene.admission_inputs), scene.model.groups
    orders = [
        torch.from_numpy(scene.context.stream(SHUFFLES, turn).permutation(n)).to(groups.device)
        for turn in range(shuffles(n))
    ]
    found = []
    for feature in range(len(scene.model.schema.features)):
        columns = (groups == feature).nonzero()[:, 0]
        inputs = scene.admission_inputs.repeat(len(orders), 1)
        inputs[:, columns] = scene.admission_inputs[torch.cat(orders)][:, columns]
        own = _losses(scene, family, all_, inputs) - whole
        found.append(torch.stack([own[0], own.min(), own.max()]))
    return torch.stack(found)


def _losses(
    scene: Scene, family: Family, members: Members, inputs: Float[Tensor, "a p"]
) -> Float[Tensor, " b"]:
    truth = scene.truth.repeat(len(inputs) // len(scene.truth))
    parts = scene.parts(family, len(inputs), len(members.numbers))
    found = []
    for part in parts:
        logits = scene.ask(family, inputs, members.take(part))
        found.append(row_losses(logits, truth, scene.classes).mean(1))
    return torch.cat(found).cpu()
