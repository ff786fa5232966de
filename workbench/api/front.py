"""The verbs about equally good models that treat groups more alike."""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.api.inputs import with_whole
from workbench.core.card import NAME_PATTERN, Metric
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_front import NONE, REPORTED, FairnessFront
from workbench.core.fairness_metrics import BASE, GAPS
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.rashomon.fairness_again import check_model, front_model
from workbench.plots.fairness_front_words import before_and_after, verdict_sentence
from workbench.registry.store import load_model, publish

if TYPE_CHECKING:
    import pandas as pd


def fairness_front(
    model: Model | str,
    table: "Table | pd.DataFrame",
    rows: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> FairnessFront:
    """Look for models about as accurate that treat groups more alike, and confirm the best.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    table
        The whole labelled table ``[m, d]``: models are moved and trained on with its training
        rows, and chosen by its validation rows. Frames as for ``explain``.
    rows
        Labelled rows ``[n, d]`` that confirm the choice; by default the test rows of the table.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``rashomon.fairness``, such as ``by``, ``gap``, ``eps`` and ``explorers``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, there are no labels or no groups to compare, or nobody says
        which class is the favourable one; the message names it and the fix.

    References
    ----------
    Coston, Rambachan and Chouldechova (2021), Characterizing Fairness Over the Set of Good Models;
    Black, Raghavan and Barocas (2022), Model Multiplicity.
    """
    return call(
        FairnessFront, "rashomon.fairness", *with_whole(model, table, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def less_discriminatory_model(
    model: Model | str,
    table: "Table | pd.DataFrame",
    front: FairnessFront,
    rows: "Table | pd.DataFrame | None" = None,
    *,
    which: int | None = None,
) -> Model:
    """Make one of the models of a front again; it has to decide as the front says.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    table, rows
        What the front was made of.
    front
        What ``fairness_front`` found.
    which
        Position among its models; by default the alternative that it chose.

    Raises
    ------
    WorkbenchError
        If there is no such model, anything given is not what the front was made of, or what was
        made decides otherwise.
    """
    model, reported, whole = with_whole(model, table, rows, front.provenance.seed)
    return front_model(front, _place(front, which), model, reported, whole)


def save_front_model(
    model: Model | str,
    table: "Table | pd.DataFrame",
    front: FairnessFront,
    name: str,
    rows: "Table | pd.DataFrame | None" = None,
    *,
    which: int | None = None,
    into: Path | None = None,
) -> Path:
    """Make one of the models of a front again and publish it as a model of its own.

    Its card says what it is an alternative to, by how much groups lay apart before and after, and
    whether other rows confirm that. What was written is read back and asked once more.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    table, rows
        What the front was made of.
    front
        What ``fairness_front`` found.
    name
        Name of the model; where there is one, this becomes its next version.
    which
        Position among the models of the front; by default the alternative that it chose.
    into
        Folder of models to write to; by default the one that is read from.

    Returns
    -------
    The folder of the new version.

    Raises
    ------
    WorkbenchError
        As ``less_discriminatory_model``, or if the name or the folder will not do.
    """
    check_name(name)
    place = _place(front, which)
    given, reported, whole = with_whole(model, table, rows, front.provenance.seed)
    made = front_model(front, place, given, reported, whole).to("cpu")
    card = _card(front, place, given, whole) | {"name": name}
    folder = publish(made.encoder, made.network, card, into)
    check_model(front, place, load_model(folder), reported, whole)
    return folder


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a model.

    Raises
    ------
    InvalidInputError
        If it cannot.
    """
    if re.fullmatch(NAME_PATTERN, name) is None:
        raise InvalidInputError(
            f"A model cannot be called {name[:80]!r}; use up to 64 lower-case letters, digits, "
            "hyphens and underscores, a letter or digit first."
        )


def _place(front: FairnessFront, which: int | None) -> int:
    place = int(front.chosen[front.at]) if which is None else which
    if place == NONE:
        raise InvalidInputError(
            f"The front knows no model within {100 * front.eps:g} points of accuracy with a "
            f"smaller {GAPS[front.gap].title.lower()}; name one of its models with which."
        )
    return place


def _card(front: FairnessFront, place: int, given: Model, table: Table) -> dict[str, Any]:
    record, old = front.provenance, given.card
    title = f"{old.title or old.name}, alternative by {listing(front.by)}"
    said = " ".join((
        f"An alternative to {given.name} (sha256 {given.digest[:12]}), found as: "
        f"{front.name(place)}, digest {front.digests[place][:12]}.",
        before_and_after(front, place), verdict_sentence(front, place),
        "Chosen for one gap between the groups of "
        f"{listing(front.by)}; other groups and other gaps may have become larger.", old.limits,
    ))  # fmt: skip
    return old.model_dump(by_alias=True, exclude={"version", "weights_sha256", "metrics"}) | {
        "title": title[:300],
        "metrics": tuple(_metrics(front, place)),
        "training_table": table.name,
        "training_digest": table.digest,
        "training_rows": len(table.split("train")),
        "created_by": _command(front),
        "seed": record.seed,
        "limits": said[:10_000],
    }


def _metrics(front: FairnessFront, place: int) -> list[Metric]:
    split = front.provenance.table.rpartition("/")[2]
    told = [
        ("accuracy", front.accuracy[place, REPORTED]),
        *(
            (f"{gap.title.lower()} by {listing(front.by)}", front.gaps[place, REPORTED, q])
            for q, gap in enumerate(GAPS.values())
            if gap.of != (BASE,)  # the rows', whatever the model says
        ),
    ]
    return [
        Metric(
            name=name, value=float(value), low=float(low), high=float(high),
            interval=f"bootstrap within groups, {front.draws:,} resamples", split=split,
            n_rows=front.provenance.n_rows,
        )
        for name, (value, low, high) in told
        if math.isfinite(value)
    ]  # fmt: skip


def _command(front: FairnessFront) -> str:
    """Return the command that finds this model again; settings at their defaults are left out."""
    record = front.provenance
    usual = METHODS.find(record.method).params().model_dump(mode="json")
    flags = [f"--seed {record.seed}"]
    for name, value in record.params.items():
        if value != usual[name]:
            shown = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            flags.append(f"--{name.replace('_', '-')} {shown!r}")
    table = record.table.rpartition("/")[0] or record.table
    return f"workbench fairness-front {record.model} {table} {' '.join(flags)}"
