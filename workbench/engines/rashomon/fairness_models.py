"""Models about as good as a given one, from all who look for them, and what each decides."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.across_models import GIVEN as GIVEN_NUMBER
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_front import DIRECTED, GIVEN
from workbench.core.fairness_metrics import GAPS
from workbench.core.model import Model
from workbench.core.rashomon import EXPLORERS
from workbench.core.table import split_sizes
from workbench.engines.rashomon.directed import directed_passes, explore_directed
from workbench.engines.rashomon.explore import PASSES, first_within, search
from workbench.engines.rashomon.fairness_params import FairnessFrontParams
from workbench.engines.rashomon.fairness_rows import Parts, logits_of
from workbench.engines.rashomon.retrain_params import KEY as RETRAINING
from workbench.engines.rashomon.retrain_params import training_passes
from workbench.engines.rashomon.scene import Scene
from workbench.engines.rashomon.search import Search
from workbench.numerics.stream.family import Family, Members, materialise


@dataclass(frozen=True, eq=False)
class Tried:
    """Models with what each decides: whether for the favourable class.

    Attributes
    ----------
    chosen_on, reported_on
        Of the validation rows, and of those reported on.
    notes
        Why some of those who look had nothing to show.
    """

    finders: tuple[str, ...]
    members: Members
    digests: tuple[str, ...]
    excess: Float[np.ndarray, " m"]
    noise: Float[np.ndarray, " m"]
    chosen_on: Bool[np.ndarray, "m v"]
    reported_on: Bool[np.ndarray, "m n"]
    notes: tuple[str, ...]


def find_search(scene: Scene, finder: str, parts: Parts, params: FairnessFrontParams) -> Search:
    """Return what one of those who look wants to try.

    Raises
    ------
    InvalidInputError
        If it cannot serve the model.
    """
    if finder == DIRECTED:
        return explore_directed(
            scene, parts.train.group, len(parts.groups), parts.position, GAPS[params.gap],
            params.directed,
        )  # fmt: skip
    count = params.retrained if finder == RETRAINING else params.models
    own = params.model_copy(update={"models": count})
    return search(scene, finder, (params.tolerance,), own)


def try_models(scene: Scene, parts: Parts, params: FairnessFrontParams) -> Tried:
    """Let all look, and ask every model that they found about both sets of rows.

    Near-copies at random have to be within the tolerance; those that aim at the gap are all kept,
    since the accuracy that they cost is a part of the picture.
    """
    model, reported = scene.model, scene.model.encode(parts.reported.table.X)
    finders, addresses, digests, notes = [GIVEN], [_given()], [model.digest], []
    losses = [(torch.zeros(1), torch.zeros(1))]
    said = [_decisions(model, scene, reported, parts.position)]
    for finder, count in _who(params):
        try:
            family, members, excess, noise = _found(scene, finder, count, parts, params)
        except InvalidInputError as error:
            notes.append(f"{_title(finder)} found no model: {str(error).rstrip('.')}")
            continue
        if len(members.numbers) == 0:
            notes.append(f"{_title(finder)} found no model within the tolerance")
            continue
        for place in range(len(members.numbers)):
            other = materialise(family, members, place)
            digests.append(other.digest)
            said.append(_decisions(other, scene, reported, parts.position))
            scene.count(len(scene.inputs) + len(reported))
        finders += [finder] * len(members.numbers)
        addresses.append(members)
        losses.append((excess, noise))
    excess, noise = (
        torch.cat([part.double() for part in both]) for both in zip(*losses, strict=True)
    )
    chosen_on, reported_on = (np.stack(part) for part in zip(*said, strict=True))
    return Tried(
        tuple(finders), Members(*(torch.cat(part) for part in zip(*addresses, strict=True))),
        tuple(digests), excess.numpy(), noise.numpy(), chosen_on, reported_on, tuple(notes),
    )  # fmt: skip


def model_passes(model: Model, n_rows: int, n_table: int, params: FairnessFrontParams) -> int:
    """Return how many rows go through networks until all have been asked, at most."""
    sizes = split_sizes(n_table)
    validation, train = sizes["validation"], sizes["train"]
    admission = min(params.admission_rows, validation)
    total = validation + admission + n_rows + directed_passes(train, params.directed)
    kept = params.directed + params.retrained
    total += params.directed * admission
    for finder, count in _who(params):
        if finder in {DIRECTED, RETRAINING}:
            continue
        total += PASSES[finder](model, admission, validation, params)
        kept += count
    if params.retrained:
        own = params.model_copy(update={"models": params.retrained})
        total += PASSES[RETRAINING](model, admission, validation, own)
        total += training_passes(own, train, admission)
    return total + (kept + 1) * (validation + n_rows)


def _who(params: FairnessFrontParams) -> Iterator[tuple[str, int]]:
    if params.near_copies:
        yield from ((name, params.near_copies) for name in params.named)
    if params.retrained:
        yield RETRAINING, params.retrained
    if params.directed:
        yield DIRECTED, params.directed


def _found(
    scene: Scene, finder: str, count: int, parts: Parts, params: FairnessFrontParams
) -> tuple[Family, Members, Tensor, Tensor]:
    found = find_search(scene, finder, parts, params)
    limit = torch.inf if finder == DIRECTED else params.tolerance
    return first_within(scene, found, float(limit), count)


def _given() -> Members:
    nothing = torch.zeros(1, dtype=torch.float64)
    return Members(torch.tensor([GIVEN_NUMBER]), nothing, nothing)


def _decisions(
    model: Model, scene: Scene, reported: Float[Tensor, "n p"], position: int
) -> tuple[Bool[np.ndarray, " v"], Bool[np.ndarray, " n"]]:
    chosen_on, reported_on = (
        decisions(model, logits_of(model, rows), position) for rows in (scene.inputs, reported)
    )
    return chosen_on, reported_on


def decisions(model: Model, logits: Float[Tensor, "n k"], position: int) -> Bool[np.ndarray, " n"]:
    """Tell which rows are decided for the favourable class, as ``Model.predict`` would have it."""
    said = model.outputs(logits, "probability").double().cpu().numpy()
    found: np.ndarray = said.argmax(1) == position
    return found


def _title(finder: str) -> str:
    return EXPLORERS.get(finder, "The search towards a smaller gap")


def member_of(
    numbers: Int[np.ndarray, " m"], strengths: Float[np.ndarray, " m"],
    stretches: Float[np.ndarray, " m"], which: int,
) -> Members:  # fmt: skip
    """Return one model's address as a search takes it."""
    return Members(
        torch.from_numpy(numbers[[which]].astype(np.int64)),
        torch.from_numpy(strengths[[which]]), torch.from_numpy(stretches[[which]]),
    )  # fmt: skip
