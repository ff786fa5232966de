"""Explainers that lie beside the card and weights of the model that they were trained for."""

from pathlib import Path

from workbench.core.errors import RegistryError, ResultFileError
from workbench.core.explainer import Explainer
from workbench.core.results import load

SUFFIX = ".explainer"
MAX_EXPLAINERS = 32


def explainers_in(folder: Path) -> tuple[Explainer, ...]:
    """Read the explainers of a folder, by name; none where there is no such folder.

    Raises
    ------
    RegistryError
        If a file is damaged, or is no explainer, or there are more than 32.
    """
    if not folder.is_dir():
        return ()
    files = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    if len(files) > MAX_EXPLAINERS:
        raise RegistryError(
            f"{str(folder)!r} holds {len(files)} explainers, {MAX_EXPLAINERS} are read; remove "
            "those that nobody asks."
        )
    return tuple(map(read_explainer, files))


def explainers_at(path: Path) -> tuple[Explainer, ...]:
    """Read an explainer file, or every one of a folder.

    Raises
    ------
    RegistryError
        If a file is damaged or is no explainer, or a folder has none.
    """
    if not path.is_dir():
        return (read_explainer(path),)
    if not (found := explainers_in(path)):
        raise RegistryError(
            f"Folder {str(path)!r} holds no {SUFFIX} file; train an explainer with workbench "
            "fastshap train."
        )
    return found


def read_explainer(path: Path) -> Explainer:
    """Read one explainer; numbers and JSON alone, nothing in it is executed.

    Raises
    ------
    RegistryError
        If the file is damaged or holds something else.
    """
    try:
        result = load(path)
    except ResultFileError as error:
        raise RegistryError(str(error)) from None
    if not isinstance(result, Explainer):
        raise RegistryError(
            f"{str(path)!r} holds a result of kind {result.kind!r} and no explainer; train one "
            "with workbench fastshap train."
        )
    return result


def bundled_name(explainer: Explainer) -> str:
    """Return the name of the file beside a model: one for each game."""
    return "-".join((explainer.value, explainer.output, explainer.link)) + SUFFIX


def file_name(explainer: Explainer) -> str:
    """Return the name that one of several explainers of a game is kept under."""
    return "-".join((explainer.value, explainer.output, explainer.link, explainer.digest)) + SUFFIX
