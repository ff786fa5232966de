"""Small networks trained anew, and how few features and edges they take in each basis."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

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
from workbench.engines.lib.bases import Fitted, fit_lib, fit_neurons, fit_pca
from workbench.engines.lib.curves import curves_of
from workbench.engines.lib.params import LibParams
from workbench.engines.lib.sections import Sections, cut
from workbench.engines.lib.transformer import cut_transformer
from workbench.numerics.basis_ablation import Cut
from workbench.numerics.fourier_terms import GridFeature
from workbench.operations.modular_addition import Addition, features_of_sums, learn_sums
from workbench.operations.small_cnn import small_cnn
from workbench.registry.architectures import build_encoder, build_network

FITS = {"lib": fit_lib, "pca": fit_pca, "neurons": fit_neurons}
TOLERANCE, FIT_ROWS, CURVE_ROWS = 0.01, 2000, 1000
INK = 16.0  # of a pixel, at most
PARTS, TRAINING = 100, 30  # of the work on one network, and those of its training


@dataclass(frozen=True)
class Recipe:
    """What is trained, on what.

    Attributes
    ----------
    hidden
        Units of each hidden layer, or channels of each convolution.
    convolves
        Whether images go through convolutions.
    noise
        Columns of noise of standard deviation 2 that are put beside the inputs.
    """

    table: str
    hidden: tuple[int, ...]
    epochs: int = 60
    decay: float = 0.0
    noise: int = 0
    convolves: bool = False


RECIPES: dict[str, Recipe | Addition] = {
    "digits": Recipe("digits", (32, 32)),
    "digits-noise": Recipe("digits", (32, 32), decay=0.1, noise=32),
    "digits-cnn": Recipe("digits", (8, 16), convolves=True),
    "breast-cancer": Recipe("breast-cancer", (16, 16)),
    "wine": Recipe("wine", (16, 16)),
    "adult": Recipe("adult", (16, 16), epochs=10),
    "modular-37": Addition(37),
    "modular-53": Addition(53),
    "modular-113": Addition(113, width=128, share=0.3),
}


@dataclass(frozen=True)
class Needed:
    """What one network takes in one basis, each layer and each section cut alone.

    Attributes
    ----------
    base
        Accuracy of the network on rows that it was not trained on.
    nodes, edges
        Features of each layer, and edges of each section, that keep it within the tolerance.
    six
        Accuracy with the first six features of every layer at once.
    is_learned
        Whether the network has learned what it is about; of sums, whether it adds numbers that it
        has not seen together.
    features
        Of a network that adds: the strongest features of each layer.
    """

    seed: int
    basis: str
    base: float
    nodes: tuple[int, ...]
    edges: tuple[int, ...]
    six: float
    is_learned: bool = True
    features: tuple[GridFeature, ...] = ()


def needed_by(
    experiment: str | Addition, seeds: int, context: Context, *, tolerance: float = TOLERANCE
) -> Iterator[Needed]:
    """Train a network from each of some starts, and count what it takes in each basis.

    Parameters
    ----------
    experiment
        A name of ``RECIPES``, or sums modulo any other number.
    context
        Its seed is that of the first network; the others have the next ones.
    tolerance
        Loss of accuracy that still counts as kept.

    Raises
    ------
    InvalidInputError
        If there is no such experiment, ``seeds`` is below 1, or the tolerance is not between 0
        and 1.
    """
    if isinstance(experiment, str) and experiment not in RECIPES:
        raise InvalidInputError(
            f"There is no experiment {experiment!r}; choose one of {listing(RECIPES)}."
        )
    if seeds < 1:
        raise InvalidInputError(f"At least 1 network has to be trained, got {seeds} seeds.")
    if not 0 <= tolerance < 1:
        raise InvalidInputError(
            f"The tolerance is a loss of accuracy from 0 to below 1, got {tolerance}."
        )
    recipe = RECIPES[experiment] if isinstance(experiment, str) else experiment
    for seed in range(seeds):
        context.step(seed, seeds, "networks")
        training = _stretch(context, seed, seeds, first=0, last=TRAINING)
        counting = _stretch(context, seed, seeds, first=TRAINING, last=PARTS)
        if isinstance(recipe, Addition):
            yield from _of_sums(recipe, training, counting, tolerance)
        else:
            yield from _of_seed(recipe, training, counting, tolerance)
    context.step(seeds, seeds, "networks")


def _stretch(context: Context, seed: int, seeds: int, *, first: int, last: int) -> Context:
    """Let some work on one network count as parts of all that there is to do."""
    told = context.progress

    def progress(done: int, total: int, what: str) -> None:
        if told is not None:
            at = seed * PARTS + first + (last - first) * done // total
            told(at, seeds * PARTS, f"parts: {what}")

    return replace(context, seed=context.seed + seed, progress=progress)


def _of_seed(
    recipe: Recipe, training: Context, counting: Context, tolerance: float
) -> Iterator[Needed]:
    (X, y), (T, truth) = _data(recipe, training.seed)
    network = _trained(X, y, recipe, training.seed, training)
    sections = cut(network, X[:64])
    layers = sections.layers(X[:FIT_ROWS].double())
    tested = sections.layers(T[:CURVE_ROWS].double())
    for found, _ in _counted(sections, layers, tested, truth[:CURVE_ROWS], tolerance, counting):
        yield found


def _of_sums(
    recipe: Addition, training: Context, counting: Context, tolerance: float
) -> Iterator[Needed]:
    learned = learn_sums(recipe, training)
    sections = cut_transformer(learned.network, learned.tokens[:64])
    everywhere = sections.layers(learned.tokens)
    train, test = learned.train[:FIT_ROWS], learned.test[:CURVE_ROWS]
    layers, tested = ([layer[part] for layer in everywhere] for part in (train, test))
    truth = learned.truth[test]
    for found, made in _counted(sections, layers, tested, truth, tolerance, counting):
        features = features_of_sums(made, everywhere, sections.names)
        yield replace(found, is_learned=learned.is_learned, features=features)


def _counted(
    sections: Sections, layers: Sequence[Tensor], tested: Sequence[Tensor],
    truth: Int[Tensor, " n"], tolerance: float, context: Context,
) -> Iterator[tuple[Needed, Fitted]]:  # fmt: skip
    """Count what each basis takes; its rows ``layers``, left out on ``tested``."""
    done, alive = _stages(sections, context)

    def judge(outputs: Tensor) -> float:
        alive()
        return float((outputs[:, 0].argmax(1) == truth).double().mean())

    base = judge(tested[-1])
    within = replace(context, progress=lambda *_: alive())
    for basis in BASES:
        made = FITS[basis](sections, layers, LibParams(), within, done)
        whole = Cut(sections.parts, tested, made.bases, judge)
        edges = [each.numpy() for each in made.edges]
        curves = curves_of(whole, edges, base - tolerance, done, all_edges=False)
        counts, worth = curves.all_nodes
        six = worth[min(6, len(counts) - 1)]
        few = tuple(curves.nodes_required), tuple(curves.edges_required)
        yield Needed(context.seed, basis, base, *few, six), made


def _stages(
    sections: Sections, context: Context
) -> tuple[Callable[[str], None], Callable[[], None]]:
    """Return what counts the stages of all bases, and what says that one is still at work."""
    n = len(sections.parts)
    total, seen = n * (2 + 1 + 1) + len(BASES) * (2 * n + 1), 0

    def done(_: str) -> None:
        nonlocal seen
        seen += 1
        alive()

    def alive() -> None:
        context.step(seen, total, "bases and what is left out")

    return done, alive


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
        n_inputs, n_outputs = X.shape[1], int(y.max()) + 1
        described = Architecture(name="mlp", arguments={"hidden": recipe.hidden})
        if recipe.convolves:
            described = small_cnn(math.isqrt(n_inputs), recipe.hidden, n_outputs)
        network = build_network(described, n_inputs, n_outputs)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=recipe.decay)
    order = torch.Generator().manual_seed(seed)
    for epoch in range(recipe.epochs):
        context.step(epoch, recipe.epochs, "training")
        for part in torch.randperm(len(X), generator=order).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(X[part]), y[part]).backward()
            optimiser.step()
    return network.eval()
