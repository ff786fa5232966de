"""Explorers by name: candidates tried one block after the other, or those that are admitted."""

from collections.abc import Iterator, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.schema import listing
from workbench.engines.rashomon.adversarial import adversarial_passes, explore_adversarial
from workbench.engines.rashomon.aimed import (
    directional_passes,
    explore_directional,
    explore_last_layer,
    last_layer_passes,
)
from workbench.engines.rashomon.by_dropout import (
    DROPOUT,
    PUBLISHED,
    dropout_passes,
    explore_dropout,
)
from workbench.engines.rashomon.closed import exact_passes, explore_exact, quadratic
from workbench.engines.rashomon.params import AUTO, SearchParams
from workbench.engines.rashomon.retrain_params import KEY as RETRAINING
from workbench.engines.rashomon.retraining import explore_retraining, retraining_passes
from workbench.engines.rashomon.scene import Scene
from workbench.engines.rashomon.search import Block, Explore, Passes, RangeOf, Search
from workbench.numerics.stream.dropout import hidden_readers
from workbench.numerics.stream.family import Family, Members
from workbench.numerics.stream.scaled import KEY as SCALING

NO_WAY = "No way from the given weights stays within the tolerances; give larger ones."
# Explorers that try models, and those that know a range by formula.
EXPLORE: Mapping[str, Explore] = {
    **dict.fromkeys((*DROPOUT, *PUBLISHED, SCALING), explore_dropout),
    "directional": explore_directional,
    "last-layer": explore_last_layer,
    "lagrangian": explore_exact,
    "adversarial": explore_adversarial,
    RETRAINING: explore_retraining,
}
RANGES: Mapping[str, RangeOf] = {"quadratic": quadratic}
PASSES: Mapping[str, Passes] = {
    **dict.fromkeys((*DROPOUT, *PUBLISHED, SCALING), dropout_passes),
    "directional": directional_passes,
    "last-layer": last_layer_passes,
    "lagrangian": exact_passes,
    "quadratic": exact_passes,
    "adversarial": adversarial_passes,
    RETRAINING: retraining_passes,
}


def explorers_of(model: Model, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return who looks: for ``auto``, noise on hidden units where there are any."""
    usual = "gaussian-units" if hidden_readers(model) else "gaussian-weights"
    return tuple(dict.fromkeys(usual if name == AUTO else name for name in names))


def search(
    scene: Scene, explorer: str, tolerances: tuple[float, ...], params: SearchParams
) -> Search:
    """Return the near-copies that an explorer wants to try, for tolerances in units of the loss.

    Raises
    ------
    InvalidInputError
        If there is no such explorer, or it cannot serve the model.
    """
    if explorer not in EXPLORE:
        raise InvalidInputError(
            f"Explorer {explorer!r} tries no models; choose one of {listing(EXPLORE, 20)}."
        )
    return EXPLORE[explorer](scene, explorer, tolerances, params)


def explore(
    scene: Scene, explorer: str, tolerances: tuple[float, ...], params: SearchParams
) -> Iterator[Block]:
    """Try the near-copies of an explorer, admitted or not, block by block.

    Raises
    ------
    InvalidInputError
        If there is no such explorer, or it cannot serve the model.
    """
    yield from tried(scene, search(scene, explorer, tolerances, params))


def tried(scene: Scene, found: Search) -> Iterator[Block]:
    """Evaluate the candidates of a search, as many at once as have room.

    Raises
    ------
    InvalidInputError
        If there is not one.
    """
    family, some = found.family, False
    n = len(scene.all_inputs)
    for members in found.members:
        some = some or len(members.numbers) > 0
        for part in scene.parts(family, n, len(members.numbers)):
            own = members.take(part)
            yield Block(own, *scene.judge(family, own))
    if not some:
        raise InvalidInputError(NO_WAY)


def admitted(
    scene: Scene, explorer: str, tolerance: float, count: int, params: SearchParams
) -> tuple[Family, Members, Float[Tensor, " b"], Float[Tensor, " b"]]:
    """Return up to ``count`` near-copies within a tolerance, the first that were found.

    Besides family and members: excess losses and their paired standard errors. Fewer, or none,
    where ``params.models`` candidates do not have so many.

    Raises
    ------
    InvalidInputError
        If there is no such explorer, or it cannot serve the model.
    """
    return first_within(scene, search(scene, explorer, (tolerance,), params), tolerance, count)


def first_within(
    scene: Scene, found: Search, tolerance: float, count: int
) -> tuple[Family, Members, Float[Tensor, " b"], Float[Tensor, " b"]]:
    """Return up to ``count`` near-copies of a search, as ``admitted`` does.

    Raises
    ------
    InvalidInputError
        If the search has no candidates.
    """
    family, candidates, _ = found
    kept: list[tuple[Tensor, ...]] = []
    missing = count
    for members in candidates:
        for part in scene.parts(family, len(scene.admission_inputs), len(members.numbers)):
            if missing <= 0:
                break
            own = members.take(part)
            excess, noise = scene.excess(family, own)
            chosen = (excess <= tolerance).nonzero()[:missing, 0]
            kept.append((*own.take(chosen), excess[chosen], noise[chosen]))
            missing -= len(chosen)
        if missing <= 0:
            break
    if not kept:
        raise InvalidInputError(NO_WAY)
    *addresses, excesses, noises = (torch.cat(parts) for parts in zip(*kept, strict=True))
    return family, Members(*addresses), excesses, noises
