"""Pin what this environment has: run by ``make lock``, after the tests passed with it.

``requirements.txt`` gets the dependencies of the project and theirs, ``requirements-dev.txt``
what the ``dev`` extra adds. Versions are the same for every supported Python; a package that
only some of them need carries a marker. What only another platform needs (the CUDA libraries of
PyTorch's own wheel, say) is not pinned here: those packages pin it themselves.
"""

import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYTHONS = ("3.11", "3.12", "3.13")
HEADER = "# The tested versions; written by `make lock`, never by hand."


def needed(roots: Iterable[str], python: str) -> set[str]:
    """Return the canonical names of all packages that ``roots`` lead to under one Python."""
    found: set[str] = set()
    todo = [Requirement(root) for root in roots]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in found and not requirement.extras:
            continue
        found.add(name)
        children = map(Requirement, installed(name).requires or [])
        extras = frozenset(requirement.extras) | {""}
        todo += [child for child in children if applies(child, extras, python)]
    return found


def applies(requirement: Requirement, extras: frozenset[str], python: str) -> bool:
    """Whether a package that was asked for with ``extras`` brings this requirement along."""
    if requirement.marker is None:
        return True
    place = {"python_version": python, "python_full_version": f"{python}.0"}
    return any(requirement.marker.evaluate(place | {"extra": extra}) for extra in extras)


def installed(name: str) -> metadata.Distribution:
    """Return what is installed under that name.

    Raises
    ------
    SystemExit
        If nothing is.
    """
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise SystemExit(f"{name} is needed but not installed: run `make dev` first.") from None


def pins(roots: Iterable[str]) -> list[str]:
    """Return one sorted line per package.

    The local part of a version is left out: ``+cpu`` is the choice of a machine.
    """
    by_python = {python: needed(roots, python) for python in PYTHONS}
    lines = []
    for name in sorted(set.union(*by_python.values())):
        users = [python for python in PYTHONS if name in by_python[python]]
        marker = " or ".join(f'python_version == "{python}"' for python in users)
        line = f"{name}=={installed(name).version.partition('+')[0]}"
        lines.append(line if len(users) == len(PYTHONS) else f"{line} ; {marker}")
    return lines


def main() -> None:
    """Write both files."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    runtime = pins(project["dependencies"])
    dev = [line for line in pins(project["optional-dependencies"]["dev"]) if line not in runtime]
    for name, lines in {
        "requirements.txt": [HEADER, *runtime],
        "requirements-dev.txt": ["-r requirements.txt", HEADER, *dev],
    }.items():
        Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
