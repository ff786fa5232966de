"""A model of a front, made again from what the result knows of it, and held against that."""

import numpy as np

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_front import FairnessFront
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.table import Table
from workbench.engines.rashomon.by_dropout import DROPOUT, dropout_family
from workbench.engines.rashomon.fairness_models import decisions, find_search, member_of
from workbench.engines.rashomon.fairness_params import FairnessFrontParams
from workbench.engines.rashomon.fairness_rows import Parts, logits_of, make_parts
from workbench.engines.rashomon.scene import make_scene
from workbench.numerics.devices import memory_budget
from workbench.numerics.group_rates import confusion
from workbench.numerics.stream.family import materialise


def front_model(
    result: FairnessFront, which: int, model: Model, rows: Table, table: Table
) -> Model:
    """Return one of the models of a front, the given one being 0.

    It has to decide about the rows as the result says: counts of truth and decision are held
    against those of the result, group by group.

    Parameters
    ----------
    rows, table
        What the result was made of.

    Raises
    ------
    InvalidInputError
        If there is no such model, model or tables are not those of the result, or the model that
        was made decides otherwise.
    """
    record = result.provenance
    if model.digest != record.model_digest:
        raise InvalidInputError(
            f"The front is about another model than {model.name}; run the analysis again."
        )
    if not 0 <= which < len(result):
        raise InvalidInputError(
            f"There is no model {which} in this front; the last one is {len(result) - 1}."
        )
    parts, params = _asked(result, model, rows, table)
    made = model if which == 0 else _made(result, which, model, parts, table, params)
    _check(result, which, made, parts)
    return made


def check_model(result: FairnessFront, which: int, made: Model, rows: Table, table: Table) -> None:
    """Refuse a model that decides otherwise than one of a front did, group by group.

    Raises
    ------
    InvalidInputError
        If it does, or the tables are not those of the result.
    """
    _check(result, which, made, _asked(result, made, rows, table)[0])


def _asked(
    result: FairnessFront, model: Model, rows: Table, table: Table
) -> tuple[Parts, FairnessFrontParams]:
    record = result.provenance
    if (rows.digest, table.digest) != (record.table_digest, record.background_digest):
        raise InvalidInputError(
            f"The front was made of other rows than {rows.name!r} and {table.name!r}; give the "
            f"ones that it names, {record.table} and {record.background}."
        )
    params = parse_params(FairnessFrontParams, record.params)
    return make_parts(model, rows, table, params), params


def _made(
    result: FairnessFront, which: int, model: Model, parts: Parts, table: Table,
    params: FairnessFrontParams,
) -> Model:  # fmt: skip
    finder, seed = result.finders[which], result.provenance.seed
    one = member_of(result.numbers, result.strengths, result.stretches, which)
    if finder in DROPOUT:
        return materialise(dropout_family(model, finder, seed), one)
    context = Context(seed=seed, device=model.device, budget=memory_budget(model.device))
    scene = make_scene(model, parts.validation.table, table, params, context)
    return materialise(find_search(scene, finder, parts, params).family, one)


def _check(result: FairnessFront, which: int, made: Model, parts: Parts) -> None:
    for place, part in enumerate((parts.validation, parts.reported)):
        said = decisions(made, logits_of(made, made.encode(part.table.X)), parts.position)
        found = confusion(said, part.truth, part.group, len(parts.groups))
        away = int(np.abs(found - result.counts[which, place]).sum()) // 2
        if away:
            raise InvalidInputError(
                f"{result.name(which)}, made again, decides at least {away} rows of "
                f"{part.table.name!r} otherwise than the front says: it was made on another "
                "device or with another version of PyTorch. Run the analysis again."
            )
