"""What a shell offers when Tab is pressed; nothing here may take the time to load torch.

What the methods and tables are called, and which settings methods have, is read from
``completion.json``, which ``python -m workbench.cli.offered`` writes.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from workbench.cli.printing import harmless

FILE = "completion.json"
SPLITS = ("train", "validation", "test", "all")
# Of models and tables of one's own, and whose they are on the command line.
MINE, OWNER = "my:", "local"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


@cache
def offered() -> Mapping[str, Any]:
    """Return what is written down of methods, tables and kinds of results."""
    content: Mapping[str, Any] = json.loads(files(__package__).joinpath(FILE).read_text("utf-8"))
    return content


def known_flags(command: str | None) -> list[click.Option]:
    """Return the flags that a command has because of its methods' settings."""
    return [
        click.Option(
            [f"--{name}/--no-{name}" if is_switch else f"--{name}"], default=None, help=told,
            type=None if is_switch or not choices else click.Choice(choices),
        )
        for name, is_switch, choices, told in offered()["flags"].get(command, ())
    ]  # fmt: skip


def _starting(with_text: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(with_text)]


def splits(_ctx: click.Context, _param: click.Parameter, text: str) -> list[CompletionItem]:
    """Offer the parts of a table."""
    return _starting(text, SPLITS)


def devices(_ctx: click.Context, _param: click.Parameter, text: str) -> list[CompletionItem]:
    """Offer kinds of devices, of which this machine may lack some."""
    return _starting(text, ("auto", "cpu", "cuda", "mps"))


def method_names(_ctx: click.Context, _param: click.Parameter, text: str) -> list[CompletionItem]:
    """Offer methods that explain."""
    return _starting(text, ["auto", *offered()["explaining"]])


def model_names(_ctx: click.Context, _param: click.Parameter, text: str) -> list[CompletionItem]:
    """Offer models, with versions and aliases after an @; then folders."""
    home = _places()["home"]
    found: list[str] = []
    for root, before in ((_places()["models"], ""), (home / "people" / OWNER / "models", MINE)):
        for folder in _folders(root):
            name = f"{before}{folder.name}"
            versions = [part.name for part in _folders(folder) if part.name.isdecimal()]
            if versions and text.startswith(f"{name}@"):
                found += [f"{name}@{which}" for which in (*versions, *_aliases(folder))]
            elif versions:
                found.append(name)
    return _starting(text, found) or [CompletionItem(text, type="dir")]


def table_names(_ctx: click.Context, _param: click.Parameter, text: str) -> list[CompletionItem]:
    """Offer tables that come along and one's own; then files."""
    return _starting(text, [*offered()["tables"], *_own_tables()]) or _files(
        text, frozenset(offered()["suffixes"])
    )


def background_names(ctx: click.Context, param: click.Parameter, text: str) -> list[CompletionItem]:
    """Offer tables to draw background rows from."""
    return table_names(ctx, param, text)


def own_table_names(
    _ctx: click.Context, _param: click.Parameter, text: str
) -> list[CompletionItem]:
    """Offer one's own tables."""
    return _starting(text, _own_tables())


def job_ids(_ctx: click.Context, _param: click.Parameter, text: str) -> list[CompletionItem]:
    """Offer jobs, the newest first, each with its title."""
    import sqlite3
    from contextlib import closing

    file = _places()["home"] / "jobs" / "queue.db"
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute(
                "SELECT id, title FROM jobs WHERE owner = ? ORDER BY created DESC LIMIT 50",
                (OWNER,),
            ).fetchall()
    except sqlite3.Error:  # there are none yet
        return []
    return [
        CompletionItem(name, help=harmless(title)) for name, title in found if name.startswith(text)
    ]


def result_files(_ctx: click.Context, _param: click.Parameter, text: str) -> list[CompletionItem]:
    """Offer files of results, and folders."""
    return _files(text, frozenset(offered()["results"]))


def _own_tables() -> list[str]:
    return [f"{MINE}{folder.name}" for folder in _folders(_places()["home"] / "people" / OWNER
                                                         / "tables")]  # fmt: skip


def _files(text: str, suffixes: frozenset[str]) -> list[CompletionItem]:
    """Offer files with a suffix, and folders that may lead to some."""
    folder, _, start = text.rpartition("/")
    place = Path(f"{folder}/" if folder or text.startswith("/") else ".").expanduser()
    before = text.removesuffix(start)
    try:
        entries = sorted(place.iterdir())
    except OSError:
        return []
    return [
        CompletionItem(f"{before}{entry.name}{'/' if entry.is_dir() else ''}")
        for entry in entries
        if entry.name.startswith(start)
        and entry.name.isprintable()  # a shell shows names as they are
        and (start.startswith(".") or not entry.name.startswith("."))
        and (entry.is_dir() or entry.suffix in suffixes)
    ]


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(
            entry for entry in root.iterdir() if _NAME.fullmatch(entry.name) and entry.is_dir()
        )
    except OSError:
        return []


def _aliases(folder: Path) -> list[str]:
    try:
        return sorted(json.loads((folder / "aliases.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return []


def _places() -> dict[str, Path]:
    """Return the home folder and the registry; the settings are loaded where there is a file."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    home = Path(os.environ.get("WORKBENCH_HOME") or Path(data) / "workbench").expanduser()
    if Path(os.environ.get("WORKBENCH_CONFIG") or home / "workbench.toml").expanduser().exists():
        from workbench.core.settings import settings  # a third of a second

        home, models = settings().home, settings().models
    else:
        models = Path(given) if (given := os.environ.get("WORKBENCH_MODELS")) else None
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "models"
    bundled = checkout if checkout.is_dir() else package / "_bundled" / "models"
    return {"home": home, "models": models or bundled}
