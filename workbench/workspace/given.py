"""Explanations from elsewhere that a person brought, kept as results and known by their file."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.core.attribution import Attribution
from workbench.core.errors import AccessError, LimitError, WorkbenchError
from workbench.workspace import folders
from workbench.workspace.sources import MINE
from workbench.workspace.store import Workspace

ABOUT, VALUES = "about.json", "values.attribution"
MOST = 50
WORD = "explanation"


class GivenEntry(BaseModel):
    """What is recorded beside an explanation that was brought.

    Attributes
    ----------
    sha256
        Of the file as it came.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    name: str
    original_name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    model: str
    model_digest: str
    table: str
    n_rows: int
    created: datetime

    @property
    def reference(self) -> str:
        """How requests and analyses name it."""
        return f"{MINE}{self.name}"


def given_entries(owner: str) -> tuple[GivenEntry, ...]:
    """Return what a person brought, by name; what is damaged is left out."""
    found = []
    for folder in folders.subfolders(_root(owner)):
        with suppress(WorkbenchError):
            found.append(_entry(folder))
    return tuple(found)


def keep_given(
    owner: str, given: Attribution, *, original_name: str, sha256: str, table: str
) -> GivenEntry:
    """Keep an explanation under a name made of its file's; the same one is kept once.

    Raises
    ------
    LimitError
        If there are too many, or the space is used up.
    """
    workspace, known = Workspace(owner), given_entries(owner)
    record = given.provenance
    about = {
        "original_name": folders.base_name(original_name), "sha256": sha256,
        "model": record.model, "model_digest": record.model_digest, "table": table,
        "n_rows": len(given), "created": datetime.now(UTC),
    }  # fmt: skip
    for entry in known:
        if (entry.sha256, entry.model_digest, entry.table) == (sha256, record.model_digest, table):
            return entry
    if len(known) >= MOST:
        raise LimitError(
            f"You have {MOST} explanations from elsewhere here, as many as there may be; remove "
            "one that you no longer need."
        )
    workspace.check_room(given.values.nbytes)
    stem = folders.plain_name(original_name, WORD)
    with folders.disk_explained(), folders.staging(_root(owner)) as part:
        given.save(part / VALUES)
        for number in range(1, MOST + 2):
            name = stem if number == 1 else f"{stem}-{number}"
            entry = GivenEntry.model_validate({**about, "name": name})
            (part / ABOUT).write_text(entry.model_dump_json(), encoding="utf-8")
            if folders.publish(part, _root(owner) / name):
                return entry
    raise LimitError(f"There are too many explanations called {stem!r}; remove one of them.")


def find_given(reference: str, owner: str) -> tuple[Path, str]:
    """Return the file of a person's explanation, and the digest of what was brought.

    Raises
    ------
    AccessError
        If the person has none of that name.
    """
    if not reference.startswith(MINE):
        raise AccessError(
            f"There is no explanation {reference[:80]!r} here; bring it on the page Which "
            "explanation?, or use workbench run for one in a file."
        )
    folder = _folder(owner, reference.removeprefix(MINE))
    return folders.own_file(folder / VALUES), _entry(folder).sha256


def remove_given(owner: str, name: str) -> None:
    """Remove an explanation.

    Raises
    ------
    AccessError
        If there is none of that name.
    """
    with folders.disk_explained():
        folders.remove(_folder(owner, name))


def _root(owner: str) -> Path:
    return Workspace(owner).given_root


def _folder(owner: str, name: str) -> Path:
    folder = _root(owner) / folders.check_name(name, WORD)
    if folder.is_symlink() or not folder.is_dir():
        raise AccessError(f"You have no explanation {name!r} any more; bring its file again.")
    return folder


def _entry(folder: Path) -> GivenEntry:
    try:
        return GivenEntry.model_validate_json(folders.own_file(folder / ABOUT).read_bytes())
    except ValidationError:
        raise AccessError(
            f"What is recorded of explanation {folder.name!r} is damaged; bring its file again."
        ) from None
