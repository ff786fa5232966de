"""The verbs that try what lessens gaps between groups, and keep a model that does."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.api.inputs import load_model, with_whole
from workbench.core.card import Card
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import Remedies
from workbench.core.table import Table
from workbench.engines.fairness.remedied import model_of, remedied
from workbench.engines.fairness.remedies import remedies as try_remedies
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

    Remedies are fitted on the training rows of the whole labelled table and chosen on its
    validation rows; all numbers are those of ``rows``, by default the test rows. Frames as for
    ``explain``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, whole, reported = _prepared(model, table, rows, seed)
    return try_remedies(
        model, reported, whole, seed=seed, device=device, progress=progress, **params
    )


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
    remedy
        Such as ``reweighing``, ``masking``, ``selection`` or ``hyperparameters``.
    publish_as
        Name in the registry, where it becomes a new version.
    root
        Folder of the registry, by default that of the settings.

    Raises
    ------
    WorkbenchError
        As for ``remedies``, if the remedy leaves no network that could be kept, or if it cannot
        be published.
    """
    model, whole, reported = _prepared(model, table, rows, seed)
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


def _prepared(model: Model | str, table: Any, rows: Any, seed: int) -> tuple[Model, Table, Table]:
    model, whole, reported = with_whole(model, table, rows, seed)
    classes = model.schema.classes
    return model, whole.with_classes(classes), reported.with_classes(classes)
