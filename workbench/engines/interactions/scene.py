"""Rows that sets of features are scored on, the same for every model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import CHUNK_ROWS, Model, Output
from workbench.core.table import Table
from workbench.engines.calls import check_features, check_finite, true_values
from workbench.engines.interactions.params import ScoresParams
from workbench.numerics.row_losses import row_losses
from workbench.numerics.second_differences import Differences, Exchange, differences, donors_of
from workbench.numerics.swaps import Set, swaps_of

ROWS_STREAM, DONOR_STREAM = 0, 1


@dataclass(eq=False)
class Scene:
    """Rows, and for each of them the rows that it takes features from.

    Attributes
    ----------
    rows
        Those drawn, if there were more than wanted.
    truth
        Class codes or values, on the model's device; None where losses are not asked for.
    donors
        For each repetition and row, the row to take from: the same for all sets and models.
    evaluations
        Rows that went through networks so far.
    expected
        How many there will be in all, for progress.
    """

    model: Model
    rows: Table
    truth: Tensor | None
    donors: Int[Tensor, "r n"]
    output: Output
    context: Context
    expected: int = 0
    evaluations: int = 0

    @torch.no_grad()
    def outputs(self, model: Model) -> Float[Tensor, "n k"]:
        """Return what a model says of the rows as they are, in double precision on the CPU.

        Raises
        ------
        InvalidInputError
            If it has no answer for one of them.
        """
        found = []
        for part in self.rows.X.split(CHUNK_ROWS):
            logits: Tensor = model.network(model.encode(part))
            found.append(model.outputs(logits, self.output).cpu().double())
            self.count(len(part))
        outputs = torch.cat(found)
        check_finite(model, self.rows, outputs)
        return outputs

    def measure(
        self, model: Model, sets: Sequence[Set], *, n: int | None = None, repeats: int | None = None
    ) -> Differences:
        """Measure what the features of sets of one size do together in a model.

        Parameters
        ----------
        n, repeats
            First rows, and how often they take features; all by default. Of fewer rows, each
            takes from one among them.

        Raises
        ------
        InvalidInputError
            If the model has no finite answer for rows whose features come from two rows.
        """
        rows, donors, truth = self.rows, self.donors[:repeats], self.truth
        if n is not None and n < len(rows):
            rows, donors = rows[:n], _donors(self.context, n, len(donors))
            truth = None if truth is None else truth[:n]
        return self._differences(model, rows.X, donors, truth, sets)

    def in_contexts(
        self, model: Model, sets: Sequence[Set], reference: Float[Tensor, " d"]
    ) -> Float[Tensor, "s k"]:
        r"""Score sets in the context of each row and in that of a reference row.

        .. math:: \tfrac12 \Delta_S(x)^2 + \tfrac12 \Delta_S(x')^2,

        where the first takes features from the reference row :math:`x'` into the row, and the
        second from the row into :math:`x'`; the mean over rows. It meets combinations that rows
        taken at random hardly ever have.

        References
        ----------
        Tsang, Rambhatla and Liu (2020), How does This Interaction Affect Me?
        """
        n = len(self.rows)
        X = torch.cat([self.rows.X, reference.expand(n, -1)])
        other = torch.arange(2 * n).roll(n)[None]
        squared = self._differences(model, X, other, None, sets).squared.values
        return squared * 2 ** len(sets[0])

    def _differences(
        self, model: Model, X: Tensor, donors: Tensor, truth: Tensor | None, sets: Sequence[Set]
    ) -> Differences:
        exchange = Exchange(
            swaps=swaps_of(model, model.encode(X), self.context.budget, self.context.chunk_rows),
            donors=donors,
            X=X,
            outputs=lambda logits: model.outputs(logits, self.output),
            losses=None
            if truth is None
            else lambda logits, own: _losses(model, logits, truth[own.to(truth.device)]),
            n_models=model.n_models,
            n_outputs=len(model.output_names),
            budget=self.context.budget,
            count=self.count,
        )
        found = differences(sets, exchange)
        self._check(model, found)
        return found

    def count(self, passes: int) -> None:
        """Tell how far it is, and stop if asked to."""
        self.evaluations += passes
        total = max(self.expected, self.evaluations)
        self.context.step(self.evaluations, total, "rows with features of other rows")

    def _check(self, model: Model, found: Differences) -> None:
        if not bool(found.squared.values.isfinite().all()):
            raise InvalidInputError(
                f"Model {model.name} returns no finite number for some rows of "
                f"{self.rows.name!r} with features of other rows; look for values far outside the "
                "training data, and mend or leave out their rows."
            )
        if found.loss is not None and not bool(found.loss.values.isfinite().all()):
            raise InvalidInputError(
                f"Model {model.name} gives the true class of some rows a probability of 0, so that "
                "the loss is infinite; use detector 'mixed-difference'."
            )


def make_scene(
    model: Model, rows: Table, context: Context, *, output: Output, permutations: int,
    at_most: int, labelled: bool,
) -> Scene:  # fmt: skip
    """Draw rows, and whom each takes features from.

    Parameters
    ----------
    at_most
        Rows to draw if there are more.
    labelled
        Whether losses are asked for.

    Raises
    ------
    InvalidInputError
        If the rows do not fit the model, there are fewer than two, they lack labels that are
        needed, or the model has a single feature.
    """
    check_features(model, rows, "rows to score pairs on")
    if len(model.schema.features) < 2:
        raise InvalidInputError(
            f"Model {model.name} reads one feature, and it takes two to do something together; "
            "choose a model of more features."
        )
    if len(rows) < 2:
        raise InvalidInputError(
            f"Features are taken from other rows, and {rows.name!r} has one row; give at least two."
        )
    truth = true_values(model, rows) if labelled else None
    if len(rows) > at_most:
        drawn = np.sort(context.stream(ROWS_STREAM).permutation(len(rows))[:at_most])
        rows, truth = rows[drawn], None if truth is None else truth[drawn]
    kind = torch.long if model.schema.n_classes else torch.float64
    return Scene(
        model=model,
        rows=rows,
        truth=None if truth is None else torch.from_numpy(truth).to(model.device, kind),
        donors=_donors(context, len(rows), permutations),
        output=output,
        context=context,
    )


def scene_of(model: Model, rows: Table, params: ScoresParams, context: Context) -> Scene:
    """Make the scene that the settings ask for, as ``make_scene`` does."""
    return make_scene(
        model, rows, context, output=params.output, permutations=params.permutations,
        at_most=params.max_rows, labelled=params.detector == "both",
    )  # fmt: skip


def _losses(
    model: Model, logits: Float[Tensor, "u c mk"], truth: Tensor
) -> Float[Tensor, "u c m"]:  # fmt: skip
    """Return what the answers of each model cost that answers side by side."""
    each = logits.unflatten(-1, (model.n_models, -1)).movedim(-2, 0)  # (m, u, c, k)
    return row_losses(each, truth, model.schema.n_classes).movedim(0, -1)


def _donors(context: Context, n: int, repeats: int) -> Int[Tensor, "r n"]:
    return donors_of(n, repeats, lambda repeat: context.stream(DONOR_STREAM, repeat))
