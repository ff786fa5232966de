"""Near-copies by dropout: which strengths are tried, and how far each is pushed."""

from collections.abc import Iterator, Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.engines.rashomon.calibrate import (
    DOUBLINGS,
    HALVINGS,
    MOST_LOOKS,
    Calibration,
    calibrate,
    push,
)
from workbench.engines.rashomon.params import SearchParams
from workbench.engines.rashomon.scene import Scene
from workbench.engines.rashomon.search import Search
from workbench.numerics.stream.dropout import Dropout, Site
from workbench.numerics.stream.family import Family, Members
from workbench.numerics.stream.noise import Law
from workbench.numerics.stream.published import PublishedDropout
from workbench.numerics.stream.scaled import KEY as SCALING
from workbench.numerics.stream.scaled import Scaled

DROPOUT: Mapping[str, tuple[Site, Law]] = {
    "gaussian-units": ("units", "gaussian"),
    "bernoulli-units": ("units", "bernoulli"),
    "gaussian-weights": ("weights", "gaussian"),
    "bernoulli-weights": ("weights", "bernoulli"),
    "gaussian-rank-one": ("rank-one", "gaussian"),
    "bernoulli-rank-one": ("rank-one", "bernoulli"),
}
PUBLISHED: Mapping[str, Law] = {
    "published-bernoulli": "bernoulli",
    "published-gaussian": "gaussian",
}
PUBLISHED_REMARK = (
    "Noise per row and on logits, as published: its candidates are not models, and what they show "
    "of disagreement is mostly noise."
)
PART = 512
PILOT_MEMBERS = 64
# Members of a pilot have numbers of their own, so that none is reported on.
PILOT_START = 2**31
# Around what a tolerance needs, so that some are well within it and some beyond.
SPREAD = (0.7, 1.4)
GOLDEN = (5**0.5 - 1) / 2
CLOSE_TO_TARGET = 1 - 1e-3


def dropout_family(model: Model, explorer: str, seed: int) -> Family:
    """Return the near-copies of a model that an explorer by dropout draws from.

    Raises
    ------
    InvalidInputError
        If there is no such explorer, or the model has nothing for it to perturb.
    """
    if explorer in PUBLISHED:
        return PublishedDropout(model, PUBLISHED[explorer], seed)
    if explorer == SCALING:
        return Scaled(model, seed)
    if explorer not in DROPOUT:
        raise InvalidInputError(f"Explorer {explorer!r} does not look by dropout.")
    site, law = DROPOUT[explorer]
    return Dropout(model, site, law, seed)


def explore_dropout(
    scene: Scene, explorer: str, tolerances: tuple[float, ...], params: SearchParams
) -> Search:
    """Calibrate the strength to the tolerances, then draw near-copies around it."""
    family = dropout_family(scene.model, explorer, scene.context.seed)
    fit = calibrate_family(scene, family, tolerances)
    if explorer in PUBLISHED:  # no way to go: the next rows have other noise
        params = params.model_copy(update={"push": False})
    members = _candidates(scene, family, fit, tolerances, params)
    return Search(family, members, PUBLISHED_REMARK if explorer in PUBLISHED else "")


def dropout_passes(_: Model, n_admission: int, n_rows: int, params: SearchParams) -> int:
    """Return how many rows times models an explorer by dropout takes at most."""
    moves = DOUBLINGS + HALVINGS if params.push else 0
    pilot = MOST_LOOKS * PILOT_MEMBERS * n_admission
    return pilot + params.models * ((1 + moves) * n_admission + n_rows)


def calibrate_family(scene: Scene, family: Family, tolerances: tuple[float, ...]) -> Calibration:
    """Look at the same 64 near-copies at a few strengths."""
    numbers = torch.arange(PILOT_START, PILOT_START + PILOT_MEMBERS)
    wanted = tuple(value for value in tolerances if value > 0) or (1e-6,)

    def excess_of(strength: float) -> Float[Tensor, " b"]:
        strengths = torch.full((PILOT_MEMBERS,), strength, dtype=torch.float64)
        return scene.excess(family, Members(numbers, strengths, torch.ones_like(strengths)))[0]

    return calibrate(excess_of, wanted)


def _candidates(
    scene: Scene, family: Family, fit: Calibration, tolerances: tuple[float, ...],
    params: SearchParams,
) -> Iterator[Members]:  # fmt: skip
    wanted = [value for value in tolerances if value > 0] or [0.0]
    aims = torch.tensor(wanted, dtype=torch.float64)
    strengths = torch.tensor([fit.strength(value) for value in wanted], dtype=torch.float64)
    for start in range(0, params.models, PART):
        numbers = torch.arange(start, min(params.models, start + PART))
        # Every tolerance in turn, so that any first so many are spread like all.
        turn = numbers % len(wanted)
        members = Members(
            numbers, strengths[turn] * _spread(numbers), torch.ones(len(numbers)).double()
        )
        yield _pushed(scene, family, members, aims[turn]) if params.push else members


def _spread(numbers: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
    """Factors between the ends of the spread, equally dense on a log scale."""
    places = (numbers.double() * GOLDEN) % 1
    low, high = SPREAD
    return low * (high / low) ** places


def _pushed(
    scene: Scene, family: Family, members: Members, targets: Float[Tensor, " b"]
) -> Members:
    def excess_of(stretches: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
        return scene.excess(family, members.stretched(stretches))[0]

    return members.stretched(push(excess_of, CLOSE_TO_TARGET * targets))
