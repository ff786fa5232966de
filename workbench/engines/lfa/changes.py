"""Answers of the model about changed rows, each asked for once for all methods and measures."""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.engines.lfa.scene import Scene
from workbench.numerics.chunks import slices
from workbench.numerics.explanation_measures import prediction_gap

# Addresses of random numbers.
SUBSETS, MOVES, COPIES = 200, 201, 202
WORK_BYTES = 2**25


@dataclass(frozen=True)
class Changes:
    """What is done to every row, the same for all of them.

    Attributes
    ----------
    subsets
        Features that are removed: a quarter of them or a half, by turns.
    steps
        Moves of numbers, in standard deviations.
    redrawn, donors
        Which categories get that of another row, and what that is as the network reads it.
    copies
        Small moves of numbers, in standard deviations.
    """

    subsets: Bool[Tensor, "s d"]
    steps: Float[Tensor, "s d"]
    redrawn: Bool[Tensor, "s d"]
    donors: Float[Tensor, "s p"]
    copies: Float[Tensor, "c d"]


def draw_changes(
    scene: Scene, context: Context, *, samples: int, scale: float, copies: int, radius: float
) -> Changes:
    r"""Draw what is done to rows.

    A number moves by a normal step; a category, and a number of which the model takes no
    fractions, is drawn anew with the probability :math:`\sigma \sqrt{2/\pi}`, the mean size of
    such a step.
    """
    d = len(scene.spread)
    ranks = context.stream(SUBSETS).random((samples, d)).argsort(1).argsort(1)
    sizes = np.resize([-(-d // 4), -(-d // 2)], samples)
    moves = context.stream(MOVES)
    steps = scale * moves.standard_normal((samples, d))
    anew = moves.random((samples, d)) < scale * sqrt(2 / pi)
    donors = scene.donors.gather(
        0, torch.from_numpy(moves.integers(len(scene.donors), size=(samples, d)))
    )
    jumps = np.array([f.kind == "categorical" for f in scene.model.schema.features])
    jumps[list(scene.model.whole_numbers)] = True
    return Changes(
        subsets=torch.from_numpy(ranks < sizes[:, None]),
        steps=torch.from_numpy(steps),
        redrawn=torch.from_numpy(anew & jumps),
        donors=scene.model.encode(donors),
        copies=torch.from_numpy(context.stream(COPIES).uniform(-radius, radius, (copies, d))),
    )


class Answers:
    """The model's answers about some rows and changes of them; a change is evaluated once."""

    def __init__(self, scene: Scene, X: Float[Tensor, "b d"], changes: Changes) -> None:
        self._scene = scene
        self._rows = X
        self._inputs = scene.model.encode(X)
        self._changes = changes
        self._step = max(1, WORK_BYTES // (16 * self._inputs.shape[1]))

    def removed(self, kept: Bool[Tensor, "b q d"]) -> Float[Tensor, "b q k"]:
        """Return the outputs with all features but the kept ones as in the reference row."""
        row, sets, place = _distinct(kept)
        columns = self._scene.model.groups.to(sets.device)

        def evaluate(part: slice) -> Tensor:
            inputs = self._inputs[row[part]]
            chosen = sets[part][:, columns].to(inputs.device)
            return self._ask(torch.where(chosen, inputs, self._scene.start))

        return self._in_parts(len(sets), self._step, evaluate)[place]

    def gaps(
        self, moved: Bool[Tensor, "b q d"], predictions: Float[Tensor, "b k"]
    ) -> Float[Tensor, "b q k"]:
        """Return the mean change of the outputs when some features are moved a little."""
        row, sets, place = _distinct(moved)
        n = len(self._changes.steps)

        def evaluate(part: slice) -> Tensor:
            outputs = self._ask(self._moved(row[part], sets[part])).unflatten(0, (-1, n))
            return prediction_gap(outputs[:, None], predictions[row[part]])[:, 0]

        return self._in_parts(len(sets), max(1, self._step // n), evaluate)[place]

    def of_numbers(self) -> Float[Tensor, "b s k"]:
        """Return the outputs when all numbers are moved a little."""
        scene, steps = self._scene, self._changes.steps

        def evaluate(part: slice) -> Tensor:
            return scene.ask(scene.moved(self._rows[part], steps))

        return self._in_parts(len(self._rows), max(1, self._step // len(steps)), evaluate)

    def _moved(self, row: Int[Tensor, " u"], sets: Bool[Tensor, "u d"]) -> Float[Tensor, "us p"]:
        """Move the features of a set of each row, with every sample of the changes."""
        scene, changes = self._scene, self._changes
        inputs = self._inputs[row]
        columns = scene.model.groups.to(sets.device)
        known = (sets & scene.known(self._rows[row]))[:, columns].to(inputs)  # (u, p)
        own = changes.steps[:, columns].to(inputs) * scene.step  # (s, p)
        drawn = (sets[:, None] & changes.redrawn)[..., columns].to(inputs.device)  # (u, s, p)
        moved = inputs[:, None] + own * known[:, None]
        return torch.where(drawn, changes.donors, moved).flatten(0, 1)

    def _ask(self, inputs: Float[Tensor, "n p"]) -> Float[Tensor, "n k"]:
        return self._scene.network.outputs(inputs)

    def _in_parts(
        self, n: int, step: int, evaluate: Callable[[slice], Tensor]
    ) -> Float[Tensor, "n *rest"]:
        return torch.cat([evaluate(part) for part in slices(n, step)])


def _distinct(
    sets: Bool[Tensor, "b q d"],
) -> tuple[Int[Tensor, " u"], Bool[Tensor, "u d"], Int[Tensor, "b q"]]:
    """Return the distinct sets of each row: the row, the set, and where each given one is."""
    b, q, _ = sets.shape
    rows = np.repeat(np.arange(b, dtype=">u4"), q)
    bits = np.packbits(sets.flatten(0, 1).numpy(), axis=1)
    keys = np.concatenate([rows[:, None].view(np.uint8).reshape(-1, 4), bits], 1)
    joined = np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1]))).reshape(-1)
    _, first, place = np.unique(joined, return_index=True, return_inverse=True)
    chosen = torch.from_numpy(first)
    return chosen // q, sets.flatten(0, 1)[chosen], torch.from_numpy(place.reshape(b, q))
