"""Weights that were climbed for a row: each model is one that says something else about it."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.func import grad_and_value, vmap

from workbench.core.model import Model
from workbench.engines.rashomon.params import SearchParams
from workbench.engines.rashomon.scene import Scene
from workbench.engines.rashomon.search import Search
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
from workbench.numerics.ascent import STEPS, ascend
from workbench.numerics.flat_weights import flat_weights
from workbench.numerics.stream.family import Members
from workbench.numerics.stream.moved import Moved

# Length of the first step, as a share of the length of all weights.
FIRST = 0.01
COPIES = 10


def explore_adversarial(
    scene: Scene, explorer: str, tolerances: tuple[float, ...], params: SearchParams
) -> Search:
    """Climb the margin of a class for a row, or its value, through all tolerances in turn."""
    flat = flat_weights(scene.model.network)
    first = FIRST * float(flat.start.norm())

    def solve(ways: Int[Tensor, " b"], wanted: tuple[float, ...]) -> Float[Tensor, "t b p"]:
        row, contrast = contrasts(scene, ways)
        rows = scene.inputs[row.to(scene.inputs.device)]
        towards = contrast.to(rows)

        def value(move: Tensor, row: Tensor, towards: Tensor) -> Tensor:
            logits = flat.logits_at(flat.split(flat.start + move), row[None])[0]
            return (towards * logits).sum()

        def rise(moves: Float[Tensor, "b p"]) -> tuple[Float[Tensor, " b"], Float[Tensor, "b p"]]:
            scene.count(len(moves))
            slope, now = vmap(grad_and_value(value), randomness="error")(moves, rows, towards)
            return now, slope

        def excess(moves: Float[Tensor, "b p"]) -> Float[Tensor, " b"]:
            family = Moved(explorer, scene.model, flat, lambda numbers: moves[numbers])
            ones = torch.ones(len(moves), dtype=torch.float64)
            family.ways_of(numbers)
            return scene.excess(family, Members(numbers, ones, ones))[0]

        numbers = torch.arange(len(ways))
        here = flat.start.new_zeros(len(ways), flat.size)
        found = []
        for tolerance in wanted:
            here = ascend(rise, excess, here, WITHIN * tolerance, first=first)
            found.append(here)
        return torch.stack(found)

    ways = sides(scene, params)
    wanted = aims(tolerances, len(ways), params)
    n_bytes = (COPIES + len(wanted)) * flat.size * flat.start.element_size()
    family = Moved(explorer, scene.model, flat, ends_of(solve, wanted))
    members = ends(ways, wanted, part_size(scene, n_bytes))
    return Search(family, members, " ".join(sparse(tolerances, wanted, len(ways))))


def adversarial_passes(_: Model, n_admission: int, n_rows: int, params: SearchParams) -> int:
    """Return how many rows times models go through the network at most."""
    climbed = params.models * (STEPS + 1) * (n_admission + 1)
    return climbed + (params.models + 1) * (n_admission + n_rows)
