"""Which networks that jobs train a person wants to keep, and which are kept already.

A job goes on when nobody looks at its page; the name that was given to what it trains waits here.
"""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.core.files import replacing
from workbench.registry.store import list_models
from workbench.workspace.folders import disk_explained
from workbench.workspace.store import Workspace

FILE = "keeping.json"
MAX_ITEMS = 200


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    wanted: dict[str, str] = Field(default_factory=dict, description="Names by key of a request.")
    kept: dict[str, str] = Field(default_factory=dict, description="name@version by key.")


class Keeping:
    """What one person wants to keep of what jobs train; jobs go by the keys of their requests."""

    def __init__(self, owner: str, home: Path | None = None) -> None:
        self._models = Workspace(owner, home).models_root
        self._path = self._models.parent / FILE

    def wanted(self, key: str) -> str | None:
        """Return the name under which a job's network is to be kept; None where it is not."""
        return self._content.wanted.get(key)

    def kept(self, key: str) -> str | None:
        """Return ``name@version`` of what was kept of a job, unless it was removed since."""
        reference = self._content.kept.get(key, "")
        name, _, version = reference.partition("@")
        there = {entry.name: entry.versions for entry in list_models(self._models)}
        return reference if version in map(str, there.get(name, ())) else None

    def want(self, key: str, name: str) -> None:
        """Note under which name a job's network is to be kept once it is trained."""
        content = self._content
        self._write(content.model_copy(update={"wanted": _with(content.wanted, key, name)}))

    def let_go(self, key: str) -> None:
        """Forget that a job's network is to be kept."""
        content = self._content
        if key in content.wanted:
            rest = {own: name for own, name in content.wanted.items() if own != key}
            self._write(content.model_copy(update={"wanted": rest}))

    def has_kept(self, key: str, name: str, version: int) -> None:
        """Note as which version a job's network was kept."""
        content = self._content
        kept = _with(content.kept, key, f"{name}@{version}")
        self._write(content.model_copy(update={"kept": kept}))

    @property
    def _content(self) -> _Content:
        """What was noted; nothing where there is no file or it is damaged."""
        try:
            return _Content.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return _Content()

    def _write(self, content: _Content) -> None:
        with disk_explained(), replacing(self._path) as part:
            part.write_text(json.dumps(content.model_dump(), indent=2), encoding="utf-8")


def _with(items: dict[str, str], key: str, value: str) -> dict[str, str]:
    """Add an item at the end; the oldest make room."""
    rest = [(own, old) for own, old in items.items() if own != key]
    return dict([*rest, (key, value)][-MAX_ITEMS:])
