"""A run of a command that becomes a step of an analysis file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.results import check_file
from workbench.core.errors import InvalidInputError

if TYPE_CHECKING:
    from workbench.cli.running import Done


def check_analysis(path: Path, flags: Mapping[str, Any]) -> None:
    """Refuse what no step can say, before minutes of work rather than after.

    Raises
    ------
    InvalidInputError
        If the file cannot be written or is no analysis, or a flag says what steps cannot.
    """
    from workbench.analysis import load_analysis  # loads torch

    check_file(path)
    if path.exists():
        load_analysis(path)
    if flags.get("background") is not None:
        raise InvalidInputError(
            "An analysis file has no place for --background: its steps draw from the model's "
            "training rows; leave out --background or --analysis."
        )


def add_step(
    path: Path,
    done: "Done",
    model: str,
    flags: Mapping[str, Any],
    changes: Mapping[str, str] | None,
    given: str = "",
) -> str:
    """Add a run to an analysis file, and say so.

    Raises
    ------
    InvalidInputError
        If the run is not one that a step can say.
    """
    from workbench import api  # loads torch
    from workbench.analysis.recording import Made, record
    from workbench.numerics.devices import choose_device

    asked = done.result.provenance
    names = [name.strip() for name in (done.settings.get("by") or "").split(",")]
    made = Made(
        done.result, done.model, str(choose_device(flags.get("device"))), model, flags["table"],
        done.tables.get("rows"),
        tuple(name for name in names if name and name not in done.model.schema.names),
        bool(flags.get("ignore_extra_columns")), dict(changes or {}),
        "" if given else api.explainer_for(done.model, asked.method, asked.params), given,
    )  # fmt: skip
    step = record(path, made)
    return f"Added step {step.id} to {path}"
