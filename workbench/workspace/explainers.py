"""Which explainers a model comes with, and those that a person trained."""

from dataclasses import replace
from pathlib import Path

import torch

from workbench.core.errors import AccessError, InvalidInputError, LimitError, RegistryError
from workbench.core.explainer import Explainer
from workbench.core.model import Model
from workbench.numerics.amortised import network_of, surrogate_of
from workbench.registry import store
from workbench.registry.explainers import MAX_EXPLAINERS, explainers_in, file_name
from workbench.workspace import folders
from workbench.workspace.store import Workspace


def attach(model: Model, explainer: Explainer) -> Model:
    """Return the model with one more explainer, after building its networks once.

    Parameters
    ----------
    model
        The model that it was trained for; it stays as it is.
    explainer
        What ``train_explainer`` made or ``load_result`` read.

    Raises
    ------
    InvalidInputError
        If it was trained for another model, or its weights do not fit its layers.
    """
    attached = model.with_explainer(explainer)
    for build in (network_of, surrogate_of):
        build(explainer, torch.device("cpu"))
    return attached


def load_model(reference: str, root: Path | None = None) -> Model:
    """Load a model of a registry with the explainers that lie beside it.

    Raises
    ------
    RegistryError
        If there is no such model, or a file of it is not what it should be.
    """
    return _with_all(store.load_model(reference, root), store.find_version(reference, root))


def explainers_of(model: Model, owner: str) -> tuple[Explainer, ...]:
    """Return the explainers that a person trained for a model.

    Raises
    ------
    AccessError
        If the owner is not a key such as the sign-in gives.
    RegistryError
        If one is damaged or belongs to another model.
    """
    known = len(model.explainers)
    return _with_all(model, _folder(owner, model)).explainers[known:]


def names_of(model: Model, owner: str) -> tuple[str, ...]:
    """Return the names of the files of ``explainers_of``, which change when those do.

    Raises
    ------
    AccessError
        If the owner is not a key such as the sign-in gives.
    """
    folder = _folder(owner, model)
    return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()


def keep_explainer(model: Model, explainer: Explainer, owner: str) -> Path:
    """Keep an explainer among the person's own; the same one is kept once.

    Raises
    ------
    InvalidInputError
        If it does not fit the model.
    LimitError
        If the person's room, or their explainers of this model, are used up.
    """
    attach(model, explainer)
    workspace, folder = Workspace(owner), _folder(owner, model)
    path = folder / file_name(explainer)
    if path.exists():
        return path
    workspace.check_room(_n_bytes(explainer))
    if folder.is_dir() and len(list(folder.iterdir())) >= MAX_EXPLAINERS:
        raise LimitError(
            f"You have {MAX_EXPLAINERS} explainers of {model.name}, which is all there may be; "
            "remove one first."
        )
    with folders.disk_explained():
        folders.own_folder(workspace.root)
        folders.own_folder(folder)
        return explainer.save(path)


def remove_explainer(model: Model, digest: str, owner: str) -> None:
    """Remove one of the person's explainers.

    Raises
    ------
    AccessError
        If the person has none of that digest.
    """
    for explainer in explainers_of(model, owner):
        if explainer.digest == digest:
            (_folder(owner, model) / file_name(explainer)).unlink(missing_ok=True)
            return
    raise AccessError(f"You have no such explainer of {model.name}; choose one from the list.")


def with_only(model: Model, digest: str, owner: str) -> Model:
    """Return the model with the one explainer that is meant: bundled, or the person's own.

    Raises
    ------
    RegistryError
        If it is gone.
    """
    for explainer in (*model.explainers, *explainers_of(model, owner)):
        if explainer.digest == digest:
            return replace(model, explainers=()).with_explainer(explainer)
    raise RegistryError(
        f"The explainer {digest[:8]} of {model.name} is gone; choose another or train it again."
    )


def _n_bytes(explainer: Explainer) -> int:
    """Its numbers; names and settings are small beside them."""
    return explainer.surrogate_weights.nbytes + explainer.explainer_weights.nbytes


def _folder(owner: str, model: Model) -> Path:
    return Workspace(owner).root / "explainers" / model.digest


def _with_all(model: Model, folder: Path) -> Model:
    for explainer in explainers_in(folder):
        try:
            model = attach(model, explainer)
        except InvalidInputError as error:
            raise RegistryError(
                f"An explainer in {str(folder)!r} cannot be used: {error}"
            ) from None
    return model
