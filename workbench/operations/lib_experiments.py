"""Small networks trained anew, and how few features and edges they take in each basis."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.core.card import Architecture
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.local_basis import BASES
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.data.bundled import load_table
from workbench.engines.lib.bases import fit_lib, fit_neurons, fit_pca
from workbench.engines.lib.curves import curves_of
from workbench.engines.lib.params import LibParams
from workbench.engines.lib.sections import cut
from workbench.numerics.basis_ablation import Cut
from workbench.registry.architectures import build_encoder, build_network

FITS = {"lib": fit_lib, "pca": fit_pca, "neurons": fit_neurons}
TOLERANCE, FIT_ROWS, CURVE_ROWS = 0.01, 2000, 1000
INK = 16.0  # of a pixel, at most


@dataclass(frozen=True)
class Recipe:
    """What is trained, on what.

    Attributes
    ----------
    noise
        Columns of noise of standard deviation 2 that are put beside the inputs.
    """

    table: str
    hidden: tuple[int, ...]
    epochs: int = 60
    decay: float = 0.0
    noise: int = 0


RECIPES = {
    "digits": Recipe("digits", (32, 32)),
    "digits-noise": Recipe("digits", (32, 32), decay=0.1, noise=32),
    "breast-cancer": Recipe("breast-cancer", (16, 16)),
    "wine": Recipe("wine", (16, 16)),
    "adult": Recipe("adult", (16, 16), epochs=10),
}


@dataclass(frozen=True)
class Needed:
    """What one network takes in one basis, each layer and each section cut alone.

    Attributes
    ----------
    base
        Accuracy of the network on rows that it was not trained on.
    nodes, edges
        Features of each layer, and edges of each section, that keep it within one point.
    six
        Accuracy with the first six features of every layer at once.
    """

    seed: int
    basis: str
    base: float
    nodes: tuple[int, ...]
    edges: tuple[int, ...]
    six: float


def needed_by(name: str, seeds: int, context: Context) -> Iterator[Needed]:
    """Train a network from each of some starts, and count what it takes in each basis.

    Raises
    ------
    InvalidInputError
        If there is no such experiment, or ``seeds`` is below 1.
    """
    if name not in RECIPES:
        raise InvalidInputError(
            f"There is no experiment {name!r}; choose one of {listing(RECIPES)}."
        )
    if seeds < 1:
        raise InvalidInputError(f"At least 1 network has to be trained, got {seeds} seeds.")
    recipe = RECIPES[name]
    for seed in range(seeds):
        context.step(seed, seeds, "networks")
        yield from _of_seed(recipe, seed, Context(seed=seed, cancel=context.cancel))
    context.step(seeds, seeds, "networks")


def _of_seed(recipe: Recipe, seed: int, context: Context) -> Iterator[Needed]:
    (X, y), (T, truth) = _data(recipe, seed)
    network = _trained(X, y, recipe, seed, context)
    sections = cut(network, X[:64])
    fitted = X[:FIT_ROWS].double()
    layers = sections.layers(fitted)
    tested, codes = sections.layers(T[:CURVE_ROWS].double()), truth[:CURVE_ROWS]
    params = LibParams()

    def judge(outputs: Tensor) -> float:
        return float((outputs[:, 0].argmax(1) == codes).double().mean())

    def done(_: str) -> None:
        if context.cancel is not None:
            Context(cancel=context.cancel).step(0, 1, "bases")

    base = judge(tested[-1])
    for basis in BASES:
        made = FITS[basis](sections, layers, params, context, done)
        whole = Cut(sections.parts, tested, made.bases, judge)
        curves = curves_of(whole, [each.numpy() for each in made.edges], base - TOLERANCE, done)
        counts, worth = curves.all_nodes
        six = worth[min(6, len(counts) - 1)]
        yield Needed(
            seed, basis, base, tuple(curves.nodes_required), tuple(curves.edges_required), six
        )


Rows = tuple[Float[Tensor, "n p"], Int[Tensor, " n"]]


def _data(recipe: Recipe, seed: int) -> tuple[Rows, Rows]:
    """Training and test rows: pixels between 0 and 1, other tables as networks read them."""
    whole = load_table(recipe.table)
    train, test = whole.split("train"), whole.split("test")
    encoder = build_encoder(Architecture(name="tabular"), whole.schema)
    encoder.fit(train.X)
    is_image = all(feature.kind == "image_patch" for feature in whole.schema.features)

    def rows(table: Table, salt: int) -> Rows:
        assert table.y is not None  # noqa: S101 - tables of experiments have labels
        X = table.X.float() / INK if is_image else encoder(table.X).float()
        if recipe.noise:
            drawn = np.random.default_rng((seed, salt)).normal(0, 2, (len(X), recipe.noise))
            X = torch.cat([X, torch.from_numpy(drawn).float()], 1)
        return X, table.y.long()

    return rows(train, 0), rows(test, 1)


def _trained(
    X: Float[Tensor, "n p"], y: Int[Tensor, " n"], recipe: Recipe, seed: int, context: Context
) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(
            Architecture(name="mlp", arguments={"hidden": recipe.hidden}),
            X.shape[1], int(y.max()) + 1,
        )  # fmt: skip
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=recipe.decay)
    order = torch.Generator().manual_seed(seed)
    for _ in range(recipe.epochs):
        if context.cancel is not None:
            context.step(0, 1, "training")
        for part in torch.randperm(len(X), generator=order).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(X[part]), y[part]).backward()
            optimiser.step()
    return network.eval()
