"""A model among its rows: the reference row, the steps of its numbers, answers and slopes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.model import Model, Output
from workbench.core.table import Table
from workbench.numerics.differentiated import Differentiated
from workbench.numerics.maskers import marginal
from workbench.numerics.reference_row import reference_row
from workbench.numerics.set_function import SetFunction
from workbench.numerics.value_functions import make_game


@dataclass(eq=False)
class Scene:
    """What all explanations of a run have in common.

    Attributes
    ----------
    reference
        Raw features of the row that stands in for features that were removed.
    start
        The same as the network reads it.
    spread
        Standard deviation of each number among the background rows; 0 for categories.
    step
        By how much each column of the input changes when its number grows by one standard
        deviation: numbers enter the input linearly, each in columns of its own.
    donors
        Raw background rows.
    """

    model: Model
    network: Differentiated
    game: SetFunction
    donors: Float[Tensor, "b d"]
    reference: Float[Tensor, " d"]
    start: Float[Tensor, " p"]
    spread: Float[Tensor, " d"]
    step: Float[Tensor, " p"]

    @property
    def evaluations(self) -> int:
        """Rows that went through the network so far."""
        return self.network.evaluations + self.game.evaluations

    @property
    def has_slopes(self) -> bool:
        """Whether the model shows its gradients."""
        return "differentiable" in self.model.capabilities

    @property
    def moves(self) -> Bool[Tensor, " d"]:
        """Which features are numbers that vary, and of which the model takes fractions."""
        found = self.spread > 0
        found[list(self.model.whole_numbers)] = False
        return found

    def known(self, X: Float[Tensor, "n d"]) -> Bool[Tensor, "n d"]:
        """Which numbers of rows can be moved: those that vary and are not missing."""
        return self.moves & ~X.isnan()

    def differs(self, X: Float[Tensor, "n d"]) -> Bool[Tensor, "n d"]:
        """Where rows differ from the reference: elsewhere nothing can be replaced."""
        return (self.reference != X) & ~(X.isnan() & self.reference.isnan())

    def removed(
        self, X: Float[Tensor, "n d"], masks: Bool[Tensor, "m d"]
    ) -> Float[Tensor, "n m k"]:
        """Return the outputs of rows where features outside a mask are those of the reference.

        Where a row is the reference, what differs from mask to mask is rounding, and left out.
        """
        found = self.game.values(X, masks)[..., : self.game.n_outputs]
        return torch.where(self.differs(X).any(1)[:, None, None], found, found[:, :1])

    def ask(self, inputs: Float[Tensor, "n m p"]) -> Float[Tensor, "n m k"]:
        """Return the outputs of encoded rows, in double precision on the CPU."""
        return self.network.outputs(inputs.flatten(0, 1)).unflatten(0, inputs.shape[:2])

    def moved(self, X: Float[Tensor, "n d"], steps: Float[Tensor, "m d"]) -> Float[Tensor, "n m p"]:
        """Move the numbers of rows by standard deviations, as the network reads them."""
        groups = self.model.groups.to(self.step.device)
        own = steps.to(self.step)[:, groups] * self.step  # (m, p)
        known = self.known(X).to(self.step)[:, groups]  # (n, p)
        return self.model.encode(X)[:, None] + own * known[:, None]

    def way(
        self, ends: Float[Tensor, "n p"], places: Float[Tensor, " q"]
    ) -> Float[Tensor, "n q p"]:
        """Go from the reference (0) to encoded rows (1), in a straight line."""
        return self.start + places.to(ends)[:, None] * (ends - self.start)[:, None]

    def slopes(self, inputs: Float[Tensor, "n m p"]) -> Float[Tensor, "n m d k"]:
        """Return the change of the outputs per standard deviation of each number."""
        return self._by_feature(inputs, self.step.expand(inputs.shape[0], -1))

    def contributions(
        self, inputs: Float[Tensor, "n m p"], ends: Float[Tensor, "n p"]
    ) -> Float[Tensor, "n m d k"]:
        """Return the slopes along the way from the reference to rows, by feature."""
        return self._by_feature(inputs, ends - self.start)

    def _by_feature(self, inputs: Tensor, times: Float[Tensor, "n p"]) -> Tensor:
        network = self.network

        def evaluate(part: slice) -> Tensor:
            flat = inputs[part].flatten(0, 1)
            each = times[part].repeat_interleave(inputs.shape[1], 0)
            found = [
                network.by_feature(network.slopes(flat[points]) * each[points, :, None])
                for points in network.divided(len(flat))
            ]
            return torch.cat(found).unflatten(0, (-1, inputs.shape[1]))

        return network.in_chunks(len(inputs), inputs.shape[1], evaluate)


def make_scene(
    model: Model, background: Table, output: Output, context: Context,
    tell: Callable[[], None],
) -> Scene:  # fmt: skip
    """Look at the background, and make what is asked for answers.

    Parameters
    ----------
    tell
        Called between batches, to report progress and stop.
    """
    inner = replace(context, progress=lambda *_: tell(), preview=None)
    rows = marginal(background).rows.double()
    reference = reference_row(rows, model.schema, model.whole_numbers)
    spread = torch.tensor([
        0.0 if feature.kind == "categorical" else _spread(column)
        for feature, column in zip(model.schema.features, rows.T, strict=True)
    ]).double()
    # A step is read off a row without missing numbers.
    base = reference.nan_to_num()
    start, ahead = model.encode(torch.stack([reference, base])), base + spread
    categories = torch.tensor([f.kind == "categorical" for f in model.schema.features])
    ahead, base = (
        torch.where(categories, reference, ahead),
        torch.where(categories, reference, base),
    )
    step = model.encode(ahead[None])[0] - model.encode(base[None])[0]
    return Scene(
        model=model,
        network=Differentiated(model, output, inner, 0),
        game=make_game(
            model, background, value="baseline", output=output, link="identity", context=inner
        ),
        donors=rows,
        reference=reference,
        start=start[0],
        spread=spread,
        step=step,
    )


def _spread(column: Float[Tensor, " b"]) -> float:
    known = column[~column.isnan()]
    # Of equal numbers the rounded mean gives a spread that is not quite nothing.
    varies = len(known) > 1 and bool(known.max() > known.min())
    return float(known.std(correction=0)) if varies else 0.0
