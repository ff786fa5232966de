"""The verbs that try what lessens gaps between groups, and keep a model that does."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.api.inputs import load_model, with_whole
from workbench.core.card import Card
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import Remedies
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.fairness.remedied import model_of, remedied
from workbench.registry.store import publish

if TYPE_CHECKING:
    import pandas as pd


def remedies(
    model: Model | str,
    table: "Table | pd.DataFrame",
    rows: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Remedies:
    """Try what lessens a gap between groups: accuracy, gap and whose decision changes.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    table
        The whole labelled table ``[m, d]``; remedies are fitted on its training rows and chosen on
        its validation rows. Frames as for ``explain``.
    rows
        Labelled rows ``[n, d]`` that all numbers are of; by default the test rows of the table.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``fairness.remedies``, such as ``by``, ``favourable``, ``remedies`` and
        ``constraint``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, there are no labels, a remedy or group is not known, or the
        model is a black box and would have to be trained; the message names it and the fix.

    References
    ----------
    Kamiran and Calders (2012), Data Preprocessing Techniques for Classification without
    Discrimination; Hardt, Price and Srebro (2016), Equality of Opportunity in Supervised Learning;
    Agarwal et al. (2018), A Reductions Approach to Fair Classification.
    """
    return call(
        Remedies, "fairness.remedies", *with_whole(model, table, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def remedied_model(
    model: Model | str,
    table: "Table | pd.DataFrame",
    remedy: str,
    rows: "Table | pd.DataFrame | None" = None,
    *,
    publish_as: str | None = None,
    root: Path | None = None,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Model:
    """Return the network that one remedy leaves, and publish it if a name is given.

    With the settings and the seed of a call of ``remedies`` it is the network that was judged
    there. Its card tells how it was made, before and after with paired intervals, who is worse
    off, whose decision changes, and what it took.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    table, rows
        As for ``remedies``.
    remedy
        Such as ``reweighing``, ``masking``, ``selection`` or ``hyperparameters``.
    publish_as
        Name in the registry, where it becomes a new version.
    root
        Folder of the registry, by default that of the settings.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``fairness.remedies`` but ``remedies``.

    Raises
    ------
    WorkbenchError
        As for ``remedies``, if the remedy leaves no network that could be kept, or if it cannot
        be published.
    """
    model, reported, whole = with_whole(model, table, rows, seed)
    found, _ = remedied(
        model, reported, whole, remedy, seed=seed, device=device, progress=progress, **params
    )
    return found if publish_as is None else _published_as(found, publish_as, root)


def publish_remedied(
    model: Model, table: Table, result: Remedies, name: str, root: Path | None = None
) -> Model:
    """Publish the network that a result of one remedy holds (``keep_network``).

    Raises
    ------
    WorkbenchError
        If it holds none, model or whole table are not its own, or it cannot be published.
    """
    return _published_as(model_of(model, table.read_by(model.schema), result), name, root)


def _published_as(found: Model, name: str, root: Path | None) -> Model:
    card = {field: getattr(found.card, field) for field in _published()}
    card |= {"name": name, "schema": found.schema}
    return load_model(publish(found.encoder, found.network, card, root))


def _published() -> tuple[str, ...]:
    """Fields of a card that publishing does not fill in, or that are called otherwise."""
    filled = {"version", "weights_sha256", "schema_", "format"}
    return tuple(name for name in Card.model_fields if name not in filled)
