"""Near-copies that were trained on to treat groups alike: what random ones seldom come across."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import grad

from workbench.core.fairness_metrics import Gap
from workbench.engines.rashomon.scene import Scene, labels
from workbench.engines.rashomon.search import Search
from workbench.numerics.flat_weights import FlatWeights, flat_weights
from workbench.numerics.soft_gaps import soft_confusion, soft_spread
from workbench.numerics.stream.family import Members
from workbench.numerics.stream.moved import Moved

KEY = "directed"
BATCHES = 0xD1EC
STEPS, STOPS, BATCH, RATE = 60, 3, 4096, 2e-3
# What wiping out the gap is worth in nats of loss, from the weakest pull to the strongest.
WEAKEST, STRONGEST = 0.0005, 0.3
# How much sharper than its probability a decision is; at 0 it would have no slope.
SOFTNESS = 0.5
LEAST_SPREAD = 1e-6
FIRST_DECAY, SECOND_DECAY, TINY = 0.9, 0.999, 1e-8


def explore_directed(
    scene: Scene, groups: Int[np.ndarray, " n"], n_groups: int, position: int, gap: Gap, count: int
) -> Search:
    r"""Train the model on, with a penalty on how far groups lie apart.

    .. math:: \min_\theta H(\theta_0, \theta) + \lambda\, S(\theta) / S(\theta_0)

    by some steps of Adam from the given weights, on the training rows. H is the cross-entropy with
    what the given model says, so that without a pull it stays as it is. S is ``soft_spread`` of
    decisions with a slope, :math:`\sigma(m / 0.5)` at margin m. Members are numbered by pull
    :math:`\lambda` and by where on the way it stopped, and made again from both and the seed.

    Parameters
    ----------
    groups
        Of the rows of the training split.
    position
        Which output is the favourable one.
    count
        Members at most.

    Raises
    ------
    InvalidInputError
        If a row has no label.
    """
    stops = min(STOPS, count)
    pulls = np.geomspace(WEAKEST, STRONGEST, max(1, count // stops))
    train = scene.table.split("train")
    device = scene.inputs.device
    truth = labels(scene.model, train).to(device)
    rows = scene.model.encode(train.X), truth, torch.from_numpy(groups).to(device)
    flat = flat_weights(scene.model.network)
    after = [STEPS * (stop + 1) // stops for stop in range(stops)]
    known: dict[int, Float[Tensor, "s p"]] = {}

    def path(which: int) -> Float[Tensor, "s p"]:
        if which not in known:
            known[which] = _way(scene, flat, rows, n_groups, position, gap, pulls[which], after)
        return known[which]

    def ways(numbers: Int[Tensor, " b"]) -> Float[Tensor, "b p"]:
        return torch.stack([path(number // stops)[number % stops] for number in numbers.tolist()])

    family = Moved(KEY, scene.model, flat, ways)
    return Search(family, _members(len(pulls) * stops, stops))


def directed_passes(n_train: int, count: int) -> int:
    """Return how many rows go through networks while they are trained on, at most."""
    return -(-count // min(STOPS, max(1, count))) * STEPS * min(n_train, BATCH) if count else 0


def _members(count: int, stops: int) -> Iterator[Members]:
    for start in range(0, count, stops):
        ones = torch.ones(stops, dtype=torch.float64)
        yield Members(torch.arange(start, start + stops), ones, ones)


def _way(
    scene: Scene, flat: FlatWeights, rows: tuple[Tensor, Tensor, Tensor], n_groups: int,
    position: int, gap: Gap, pull: float, after: list[int],
) -> Float[Tensor, "s p"]:  # fmt: skip
    """Return the moves of the weights at some steps of one training."""
    inputs, truth, group = rows
    n = len(inputs)
    favoured = (truth == position).long()

    def spread(weights: Tensor, at: Tensor | slice) -> Tensor:
        logits = flat.logits_at(flat.split(weights), inputs[at])
        chance = soft_decisions(logits, position)
        return soft_spread(soft_confusion(chance, favoured[at], group[at], n_groups), gap)

    with torch.no_grad():
        unit = max(LEAST_SPREAD, float(spread(flat.start, slice(None))))
        said = flat.logits_at(flat.given, inputs).softmax(1)

    def cost(weights: Tensor, at: Tensor) -> Tensor:
        logits = flat.logits_at(flat.split(weights), inputs[at])
        loss = nn.functional.cross_entropy(logits, said[at])
        chance = soft_decisions(logits, position)
        counts = soft_confusion(chance, favoured[at], group[at], n_groups)
        return loss + pull / unit * soft_spread(counts, gap)

    size = min(n, BATCH)
    # The same batches for every pull, so that pulls differ in nothing else.
    rng = scene.context.stream(BATCHES)
    here, found = flat.start.clone(), []
    mean, square = torch.zeros_like(here), torch.zeros_like(here)
    for step in range(1, after[-1] + 1):
        at = torch.from_numpy(rng.permutation(n)[:size]).to(inputs.device)
        slope = grad(cost)(here, at)
        mean = FIRST_DECAY * mean + (1 - FIRST_DECAY) * slope
        square = SECOND_DECAY * square + (1 - SECOND_DECAY) * slope.square()
        ahead = mean / (1 - FIRST_DECAY**step)
        here = here - RATE * ahead / ((square / (1 - SECOND_DECAY**step)).sqrt() + TINY)
        if step in after:
            found.append(here - flat.start)
        scene.count(size)
    return torch.stack(found)


def soft_decisions(logits: Float[Tensor, "n k"], position: int) -> Float[Tensor, " n"]:
    """Return decisions for the favourable class as numbers from 0 to 1, with a slope."""
    others = torch.cat([logits[:, :position], logits[:, position + 1 :]], 1)
    return ((logits[:, position] - others.logsumexp(1)) / SOFTNESS).sigmoid()
