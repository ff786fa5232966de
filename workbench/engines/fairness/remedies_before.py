"""Remedies that change the rows before training: weights, masks, and what is left of inputs."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.encoder import TabularEncoder
from workbench.core.errors import InvalidInputError
from workbench.core.schema import listing
from workbench.engines.fairness.applied import Applied
from workbench.engines.fairness.remedies_scene import Part, Scene, Weights
from workbench.numerics.input_maps import (
    InputMap,
    behind,
    least_squares,
    residual_map,
    without_columns,
)


def retrained(scene: Scene) -> Applied:
    """Train the same network again: the control."""
    networks = scene.again()
    return _of_networks(scene, networks, networks[0], "nothing but other starts of training")


def reweighing(scene: Scene) -> Applied:
    """Train with weights under which outcomes do not go with groups."""
    weights = reweighed(scene.parts["train"], scene.n_groups)
    networks = scene.train(1 + scene.params.refits, weights=weights)
    words = "; ".join(
        f"{name}: {weights[g, 1]:.3f} with the favourable outcome, {weights[g, 0]:.3f} without"
        for g, name in enumerate(scene.group_names)
        if np.isfinite(weights[g]).any()
    )
    spread = _weighted_spread(scene.parts["train"], weights)
    return _of_networks(
        scene, networks, networks[0], f"weights of training rows, {words}",
        guarantee="Among the weighted training rows, all groups have the favourable outcome "
        "equally often.",
        violation=(spread, 1e-12),
    )  # fmt: skip


def reweighed(part: Part, n_groups: int) -> Weights:
    r"""Return :math:`w(a, y) = P(a) P(y) / P(a, y)`; NaN where there are no such rows.

    References
    ----------
    Kamiran and Calders (2012), Data Preprocessing Techniques for Classification without
    Discrimination, Sec. 4.3.
    """
    counts = np.bincount(part.group * 2 + part.truth, minlength=2 * n_groups).reshape(-1, 2)
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts > 0, expected / counts, np.nan)


def _weighted_spread(part: Part, weights: Weights) -> float:
    """Return by how much weighted base rates of groups differ, row by row."""
    each = weights[part.group, part.truth]
    total = np.bincount(part.group, each, len(weights))
    good = np.bincount(part.group, each * part.truth, len(weights))
    rates = good[total > 0] / total[total > 0]
    return float(rates.max() - rates.min())


def correlation_remover(scene: Scene) -> Applied:
    """Train on what a straight line cannot tell of the groups."""
    parts = [scene.parts[name] for name in ("train", "validation", "test")]
    change: InputMap | None = None
    if set(scene.read) == set(scene.attributes):
        columns = [column for name in scene.read for column in scene.columns_of(name)]
        change = residual_map(parts[0].inputs, columns)
        left = [change(part.inputs) for part in parts]
    else:
        left = _left_of_groups(parts, scene.n_groups)
    networks = scene.train(1 + scene.params.refits, inputs=left[:2])
    words = f"what goes with {scene.attribute} along a line is taken out of all inputs"
    if change is None:
        return _of_networks(scene, networks, None, words, inputs=left[2], needs_attribute=True)
    return _folded(scene, networks, change, words, needs_attribute=True)


def _left_of_groups(parts: list[Part], n_groups: int) -> list[Float[Tensor, "_ p"]]:
    """Take out what goes with groups that the model does not read itself."""
    told = [torch.from_numpy(np.eye(n_groups)[part.group]) for part in parts]
    mean = told[0].mean(0)
    inputs = [part.inputs.double().cpu() for part in parts]
    beta = least_squares(told[0] - mean, inputs[0])
    return [
        (z - (own - mean) @ beta).to(part.inputs)
        for z, own, part in zip(inputs, told, parts, strict=True)
    ]


def masking(scene: Scene) -> Applied:
    """Train without some columns or categories."""
    change, words = masks(scene)
    train, held = scene.parts["train"], scene.parts["validation"]
    inputs = (change(train.inputs), change(held.inputs))
    networks = scene.train(1 + scene.params.refits, inputs=inputs)
    hidden = set(words) >= set(scene.read)
    return _folded(
        scene, networks, change, f"hidden: {', '.join(words)}",
        needs_attribute=bool(scene.read) and not hidden,
    )  # fmt: skip


def masks(scene: Scene) -> tuple[InputMap, list[str]]:
    """Read what is to be hidden; return the change of inputs and what it hides, in words.

    A masked category is read as the most common one of its column that is not masked: hidden
    alone it would be told by its absence.

    Raises
    ------
    InvalidInputError
        If there is no such column or category, nothing is named, or all categories are.
    """
    asked = [part.strip() for part in scene.params.mask.split(",") if part.strip()]
    asked = asked or list(scene.read)
    if not asked:
        raise InvalidInputError(
            f"The model does not read {scene.attribute}, so hiding it changes nothing; name in "
            f"mask what else to hide, among {listing(scene.model.schema.names)}."
        )
    names = scene.model.schema.names
    if strange := [one for one in asked if one.partition("=")[0].strip() not in names]:
        raise InvalidInputError(
            f"mask: the model reads no column {listing(strange)}; choose among {listing(names)}."
        )
    whole = [one for one in asked if "=" not in one]
    hidden = [column for name in whole for column in scene.columns_of(name)]
    merged: dict[int, int] = {}
    by_column: dict[str, list[str]] = {}
    for one in asked:
        name, equals, category = (piece.strip() for piece in one.partition("="))
        if equals and name not in whole:
            by_column.setdefault(name, []).append(category)
    words = list(whole)
    for name, categories in by_column.items():
        target = _merge(scene, name, categories, merged)
        words += [f"{name}={category} (read as {target})" for category in categories]
    return without_columns(len(scene.model.groups), hidden, merged), words


def _merge(scene: Scene, name: str, categories: list[str], merged: dict[int, int]) -> str:
    """Note which inputs are read as which; return the category that the others are read as."""
    place = scene.model.schema.index(name)
    known = scene.model.schema.features[place].categories
    encoder = scene.model.encoder
    if not known or (isinstance(encoder, TabularEncoder) and str(place) in encoder.embeddings):
        raise InvalidInputError(
            f"mask: categories of {name!r} are not inputs of their own; hide the whole column."
        )
    if strange := [category for category in categories if category not in known]:
        raise InvalidInputError(
            f"mask: column {name!r} has no category {listing(strange)}; choose among "
            f"{listing(known)}."
        )
    left = [code for code, category in enumerate(known) if category not in categories]
    if not left:
        raise InvalidInputError(
            f"mask: all categories of {name!r} are named; hide the whole column instead."
        )
    column = scene.parts["train"].rows.X[:, place].numpy()
    most = max(left, key=lambda code: int((column == code).sum()))
    inputs = scene.columns_of(name)
    merged |= {inputs[known.index(category)]: inputs[most] for category in categories}
    return known[most]


def _folded(
    scene: Scene, networks: list[nn.Module], change: InputMap, words: str, *, needs_attribute: bool
) -> Applied:
    """Let networks change their inputs themselves, and judge them as they would be kept."""
    folded = [behind(change, network) for network in networks]
    changed = change(scene.parts["test"].inputs).cpu().numpy().astype(np.float64)
    return _of_networks(
        scene, [network for network, _ in folded], folded[0][0] if folded[0][1] else None, words,
        read=changed, needs_attribute=needs_attribute,
    )  # fmt: skip


def _of_networks(
    scene: Scene, networks: list[nn.Module], kept: nn.Module | None, settings: str, *,
    guarantee: str = "", violation: tuple[float, float] = (float("nan"), float("nan")),
    inputs: Float[Tensor, "n p"] | None = None, read: Float[np.ndarray, "n p"] | None = None,
    needs_attribute: bool | None = None,
) -> Applied:  # fmt: skip
    """Judge the first network; the others say how much hangs on the start."""
    first, *others = (scene.decided(network, "test", inputs) for network in networks)
    if inputs is not None:
        read = inputs.cpu().numpy().astype(np.float64)
    return Applied(
        decisions=first.decided.astype(np.float64), scores=first.scores, settings=settings,
        refits=[own.decided.astype(np.float64) for own in others], guarantee=guarantee,
        violation=violation, inputs=read, network=kept,
        needs_attribute=bool(scene.read) if needs_attribute is None else needs_attribute,
    )  # fmt: skip
