"""A network that a remedy left, as a model of its own with a card of before and after."""

import hashlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float
from safetensors.torch import save as save_tensors

from workbench.core.card import Card, Metric
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.model import Model
from workbench.core.remedies import Remedies
from workbench.core.remedy_catalogue import REMEDIES
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.calls import call
from workbench.engines.fairness.applied import Applied, made_again
from workbench.engines.fairness.remedies import NAME, names_of, tried
from workbench.engines.fairness.remedies_params import RemediesParams

SPLIT = (
    "60 % training, 20 % validation (choosing), 20 % test (everything told here), by row number "
    "(Table.split)"
)
LONGEST_NAME = 64


def remedied(
    model: Model,
    rows: Table,
    table: Table,
    remedy: str,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> tuple[Model, Remedies]:
    """Apply one remedy and return the network that it leaves, with what it changed.

    The model stands in no registry: its version is 1 and its digest that of its card.

    Parameters
    ----------
    rows, table
        Labelled rows that everything is reported on, and the whole table.
    remedy
        Key of ``REMEDIES`` that leaves one network.
    params
        Fields of ``RemediesParams`` but ``remedies``.

    Raises
    ------
    InvalidInputError
        As for ``tried``, if a setting is out of bounds, or if the remedy leaves no network of the
        catalogue.
    """
    names = names_of(remedy)
    if len(names) != 1:
        raise InvalidInputError(f"One remedy makes one model; {remedy!r} names {len(names)}.")
    kept: dict[str, Applied] = {}

    def explain(*asked: Any) -> Remedies:
        result, found = tried(*asked)
        kept.update(found)
        return result

    result = call(
        Remedies, NAME, model, rows, table, params=params | {"remedies": remedy}, seed=seed,
        device=device, progress=progress, explain=explain,
    )  # fmt: skip
    if not result.publishable[1]:
        raise InvalidInputError(
            f"{REMEDIES[remedy].title} leaves no network that could be kept as a model of its "
            "own: it decides by group, by lot, or by another learner. Reweighing, masking, "
            "selection and hyperparameters do, and grid_search on the last layer."
        )
    return _as_model(model, table, result, kept[names[0]]), result


def model_of(model: Model, table: Table, result: Remedies) -> Model:
    """Return the network that a result holds as a model, without training it again.

    Raises
    ------
    InvalidInputError
        If it holds none, or model or table are not those that it was made of.
    """
    record = result.provenance
    if (model.digest, table.digest) != (record.model_digest, record.background_digest):
        raise InvalidInputError(
            f"The result is about {record.model} and {record.background}, not about {model.name} "
            f"and {table.name}; try the remedy again."
        )
    network, architecture = made_again(result, model)
    own = Applied(
        decisions=result.decisions[1], scores=result.scores[1], settings=result.settings[1],
        network=network, architecture=architecture,
    )  # fmt: skip
    return _as_model(model, table, result, own)


def _as_model(model: Model, table: Table, result: Remedies, applied: Applied) -> Model:
    network = applied.network
    assert network is not None  # noqa: S101 - what publishable says
    network = network.to(model.device, model.dtype)
    card = Card.model_validate(
        card_fields(model, table, result)
        | {"network": applied.architecture or model.card.network, "version": 1,
           "weights_sha256": hashlib.sha256(save_tensors({
               name: tensor.detach().cpu().contiguous()
               for name, tensor in network.state_dict().items()
           })).hexdigest()}
    )  # fmt: skip
    digest = hashlib.sha256(card.model_dump_json(by_alias=True).encode()).hexdigest()
    return Model(model.encoder, network, card, digest)


def card_fields(model: Model, table: Table, result: Remedies) -> dict[str, Any]:
    """Return what a card says of a remedied model: how it was made, and before and after."""
    remedy = result.names[1]
    about = REMEDIES[remedy]
    given, record = model.card, result.provenance
    asked = {
        name: record.params[name] for name, field in RemediesParams.model_fields.items()
        if name not in {"remedies", "keep_network"}
        and record.params.get(name, field.default) != field.default
    }  # fmt: skip
    arguments = "".join(f", {name}={value!r}" for name, value in asked.items())
    name = f"{given.name}-{remedy.replace('_', '-')}"[:LONGEST_NAME]
    return {
        "name": name,
        "title": f"{given.title}; {about.title.lower()}"[:300],
        "schema": given.schema,
        "encoder": given.encoder,
        "network": given.network,
        "metrics": tuple(_metrics(result)),
        "training_table": table.name,
        "training_digest": table.digest,
        "training_rows": result.n_train,
        "split": SPLIT,
        "created_by": f"workbench.remedied_model({model.name!r}, table, {remedy!r}, "
        f"seed={record.seed}{arguments})",
        "seed": record.seed,
        "licence": given.licence,
        "intended_use": given.intended_use,
        "limits": _limits(model, result)[:10_000],
    }


def _metrics(result: Remedies) -> Iterator[Metric]:
    about = {"split": "test", "n_rows": len(result)}
    gap = GAPS[result.gap].title.lower() + f", by {result.attribute}"
    q = result.gap_index
    percentiles = "bootstrap within groups"
    shown: list[tuple[str, Float[np.ndarray, " 3"], str]] = [
        ("accuracy", result.accuracy[1], "Wilson"),
        ("accuracy of the model before", result.accuracy[0], "Wilson"),
        ("change of accuracy", result.accuracy_changes[1], "paired, Bonett and Price"),
        (gap, result.gaps[1, q], percentiles),
        (f"{gap}, of the model before", result.gaps[0, q], percentiles),
        (f"change of {gap}", result.gap_changes[1, q], f"paired {percentiles}"),
        ("decided otherwise by a network from another start", result.multiplicity[1], "Wilson"),
        ("change of that share", result.multiplicity_changes[1], "paired, Bonett and Price"),
        ("how far the group can be told from the inputs", result.proxy[1], "within folds"),
    ]
    for name, values, interval in shown:
        if np.isfinite(values).all():
            value, low, high = (float(one) for one in values)
            yield Metric(
                name=name[:300], value=value, low=low, high=high, interval=interval, **about
            )


def _limits(model: Model, result: Remedies) -> str:
    remedy = REMEDIES[result.names[1]]
    flips = result.flips(1)
    lines = [
        f"Made from {model.name} (sha256 {model.digest[:8]}) by {remedy.title.lower()}. "
        f"{remedy.does} {remedy.watch}",
        f"Chosen: {result.settings[1]}." if result.settings[1] else "",
        f"Of {counted(len(result), 'test row')}, {flips.changed:.2%} are decided otherwise than "
        "before: "
        + "; ".join(
            f"{name}: {flips.gained[g].sum():.0f} are granted that were refused, "
            f"{flips.lost[g].sum():.0f} refused that were granted"
            for g, name in enumerate(result.group_names)
            if result.sizes[g]
        )
        + ".",
        _harm(result),
        _multiplicity(result),
        f"Cost: {counted(int(result.trainings.sum()), 'training')}, "
        f"{result.seconds.sum():.0f} seconds.",
        model.card.limits,
    ]
    return " ".join(line for line in lines if line)


def _harm(result: Remedies) -> str:
    harmed = result.harmed(1)
    if not harmed:
        return "No group loses beyond chance on these rows."
    return (
        "Groups that lose, beyond chance: "
        + "; ".join(f"{group} ({RATES[rate].title.lower()})" for group, rate in harmed)
        + "."
    )


def _multiplicity(result: Remedies) -> str:
    before, after = result.multiplicity[0, 0], result.multiplicity[1, 0]
    if math.isnan(before) or math.isnan(after):
        return f"Multiplicity was not measured ({result.multiplicity_remarks[1] or 'no refits'})."
    return (
        f"{after:.2%} of rows are decided otherwise by some of {result.refits} networks from "
        f"other starts, {before:.2%} before."
    )
