"""A transformer that learns to add modulo p, and what its features say of the two numbers."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor, nn

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.engines.lib.bases import Fitted
from workbench.engines.lib.transformer import SmallTransformer
from workbench.numerics.fourier_terms import GridFeature, waves_of

SMALLEST, GREATEST = 5, 199
# Share of the sums not trained on from which on the rule counts as learned, and as settled.
LEARNED, SETTLED = 0.99, 0.999
WARM_UP, LOOK = 10, 25
SHOWN = 4  # features of a layer
NAMED = 0.1  # of a feature's variance is a wave that is named


@dataclass(frozen=True)
class Addition:
    """Sums modulo p, and the transformer that is to learn them.

    Attributes
    ----------
    share
        Of all pairs of numbers, those that are trained on.
    steps
        On all of them at once, at most; training ends once the rule is settled.
    least
        Steps at least: features become cleaner waves while nothing more is to be learned.
    """

    p: int
    width: int = 64
    share: float = 0.6
    steps: int = 1500
    least: int = 0

    def __post_init__(self) -> None:
        if self.p % 2 == 0 or not SMALLEST <= self.p <= GREATEST:
            raise InvalidInputError(
                f"Numbers are added modulo an odd p between {SMALLEST} and {GREATEST}, got "
                f"p={self.p}; choose another."
            )
        if not 0 < self.share < 1:
            raise InvalidInputError(
                f"The share of pairs to train on lies between 0 and 1, got {self.share}."
            )
        if self.steps < 1 or self.least > self.steps:
            raise InvalidInputError(
                f"Training takes at least 1 step, and no fewer than least={self.least}, got "
                f"steps={self.steps}."
            )


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained network, and the pairs of numbers.

    Attributes
    ----------
    tokens
        ``x``, ``y`` and ``=`` of every pair, those of ``x`` = 0 first.
    train, test
        Positions of pairs that were trained on, and of the others.
    accuracy
        On the others.
    """

    network: SmallTransformer
    tokens: Int[Tensor, "n 3"]
    truth: Int[Tensor, " n"]
    train: Int[Tensor, " t"]
    test: Int[Tensor, " u"]
    accuracy: float
    steps: int

    @property
    def is_learned(self) -> bool:
        """Whether it adds numbers that it has not seen together."""
        return self.accuracy >= LEARNED


def learn_sums(recipe: Addition, context: Context) -> Learned:
    """Train a transformer on some pairs until it adds the others as well.

    Weights, and which pairs are trained on, are drawn by the seed of the context. Training takes
    all pairs at once and much weight decay, so that the rule that is learned by heart at first is
    soon given up for one that holds for all. It ends once 99.9 % of the other pairs are right, or
    after the recipe's steps.

    Raises
    ------
    CancelledError
        If the run was cancelled.
    """
    tokens, truth = sums(recipe.p)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        order = torch.randperm(len(tokens))
        network = SmallTransformer(tokens=recipe.p + 1, outputs=recipe.p, width=recipe.width)
    train, test = order.tensor_split([round(recipe.share * len(order))])
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=3e-3, weight_decay=3.0, betas=(0.9, 0.98)
    )
    warm = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda at: min(1.0, (at + 1) / WARM_UP))
    right, steps = 0.0, 0
    while steps < recipe.steps and (right < SETTLED or steps < recipe.least):
        context.step(steps, recipe.steps, "steps of training")
        for _ in range(min(LOOK, recipe.steps - steps)):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(tokens[train]), truth[train]).backward()
            optimiser.step()
            warm.step()
            steps += 1
        right = _accuracy(network, tokens[test], truth[test])
    return Learned(network.eval(), tokens, truth, train, test, right, steps)


def sums(p: int) -> tuple[Int[Tensor, "n 3"], Int[Tensor, " n"]]:
    """Return every pair of numbers below p as tokens, with ``=`` (the number p), and their sums."""
    numbers = torch.arange(p)
    pairs = torch.cartesian_prod(numbers, numbers)
    tokens = torch.cat([pairs, torch.full((len(pairs), 1), p)], 1)
    return tokens, pairs.sum(1) % p


@torch.no_grad()
def _accuracy(
    network: SmallTransformer, tokens: Int[Tensor, "n 3"], truth: Int[Tensor, " n"]
) -> float:
    return float((network(tokens).argmax(1) == truth).double().mean())


def features_of_sums(
    fitted: Fitted, layers: list[Tensor], names: tuple[str, ...], *, shown: int = SHOWN
) -> tuple[GridFeature, ...]:
    """Return the strongest features of each layer but the outputs, and the waves that they are.

    Parameters
    ----------
    layers
        Activations ``[p*p s d]`` of all pairs, those of ``x`` = 0 first.
    shown
        Features of each layer, at most.
    """
    found = []
    for name, basis, layer in zip(names[:-1], fitted.bases, layers, strict=False):
        features = basis.features(layer)[..., :shown]  # (p*p, s, k)
        places = features.var(0).argmax(0).tolist()
        p = round(len(layer) ** 0.5)
        for j, at in enumerate(places):
            grid = features[:, at, j].reshape(p, p).numpy()
            waves = tuple(wave for wave in waves_of(grid) if wave.share >= NAMED)
            found.append(GridFeature(name, j + 1, float(basis.importance[j]), at, grid, waves))
    return tuple(found)
