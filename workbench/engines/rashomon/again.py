"""An equally good model, made again from what a result knows of it."""

import numpy as np
import torch

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.interaction_scores import InteractionScores
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.profiles import Profiles
from workbench.core.provenance import Provenance
from workbench.core.rashomon import EXPLORERS, RashomonSet
from workbench.core.table import Table
from workbench.engines.rashomon.by_dropout import DROPOUT, PUBLISHED, dropout_family
from workbench.engines.rashomon.explore import search
from workbench.engines.rashomon.params import SearchParams
from workbench.engines.rashomon.scene import make_scene
from workbench.numerics.devices import memory_budget
from workbench.numerics.stream.family import Family, Members, materialise

# Why what some explorers found cannot be made again, or is no model.
NOT_AGAIN = {
    "retraining": "models that were trained are not kept, and would have to be trained again",
    **dict.fromkeys(PUBLISHED, "every row met a mask of its own, so there is no model to show"),
}


def kept_model(result: RashomonSet, place: int, model: Model, rows: Table, table: Table) -> Model:
    """Return one of the kept models of a result, the same as when it was found.

    Parameters
    ----------
    place
        Position among the kept models.
    rows, table
        What the result was made of.

    Raises
    ------
    InvalidInputError
        If there is no such model, it is another model's, or it cannot be made again.
    """
    if not 0 <= place < len(result.kept_number):
        raise InvalidInputError(
            f"There is no kept model {place}; the last one is {len(result.kept_number) - 1}."
        )
    if model.digest != result.provenance.model_digest:
        raise InvalidInputError(
            f"The result is about another model than {model.name}; run the analysis again."
        )
    explorer = result.explorers[result.kept_explorer[place]]
    if explorer in NOT_AGAIN:
        raise InvalidInputError(
            f"{EXPLORERS[explorer]}: {NOT_AGAIN[explorer]}; choose an explorer that moves the "
            "weights of the model."
        )
    one = Members(
        torch.from_numpy(result.kept_number[[place]].astype(np.int64)),
        torch.from_numpy(result.kept_strength[[place]]),
        torch.from_numpy(result.kept_stretch[[place]]),
    )
    tolerances = tuple(map(float, result.tolerances))
    family = _family(result.provenance, explorer, model, rows, table, tolerances)
    return materialise(family, one)


def near_copy(
    result: InteractionScores | Profiles, which: int, model: Model, rows: Table, table: Table
) -> Model:
    """Return one of the models of a result across equally good models, the given one being 0.

    Parameters
    ----------
    rows, table
        What the result was made of.

    Raises
    ------
    InvalidInputError
        If there is no such model, it is another model's, or it cannot be made again.
    """
    if model.digest != result.provenance.model_digest:
        raise InvalidInputError(
            f"The result is about another model than {model.name}; run the analysis again."
        )
    if which == 0:
        return model
    numbers, strengths, stretches = result.numbers, result.strengths, result.stretches
    explorer, tolerance = result.explorer, result.tolerance
    if (
        numbers is None or strengths is None or stretches is None
        or explorer is None or tolerance is None
    ):  # fmt: skip
        raise InvalidInputError("The models of this result are not known, so none can be made.")
    if not 0 <= which < len(numbers):
        raise InvalidInputError(
            f"There is no model {which} in this result; the last one is {len(numbers) - 1}."
        )
    if explorer in NOT_AGAIN:
        raise InvalidInputError(
            f"{EXPLORERS[explorer]}: {NOT_AGAIN[explorer]}; choose an explorer that moves the "
            "weights of the model."
        )
    one = Members(
        torch.from_numpy(numbers[[which]].astype(np.int64)),
        torch.from_numpy(strengths[[which]]), torch.from_numpy(stretches[[which]]),
    )  # fmt: skip
    family = _family(result.provenance, explorer, model, rows, table, (tolerance,))
    return materialise(family, one)


def _family(
    record: Provenance, explorer: str, model: Model, rows: Table, table: Table,
    tolerances: tuple[float, ...],
) -> Family:  # fmt: skip
    if explorer in DROPOUT:
        return dropout_family(model, explorer, record.seed)
    params = parse_params(METHODS.find(record.method).params, record.params)
    assert isinstance(params, SearchParams)  # noqa: S101 - of every method that looks for models
    context = Context(
        seed=record.seed, device=model.device, budget=memory_budget(model.device)
    )  # fmt: skip
    scene = make_scene(model, rows, table, params, context)
    return search(scene, explorer, tolerances, params).family
