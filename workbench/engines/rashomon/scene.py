"""A model among the rows that admit near-copies of it, and the rows that are reported on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.calls import check_features, check_finite, true_values
from workbench.engines.rashomon.params import SearchParams
from workbench.numerics.chunks import slices
from workbench.numerics.links import unit_of
from workbench.numerics.row_losses import row_losses
from workbench.numerics.stream.family import Family, Members

# Temporary tensors of a step: on a CPU they should stay in the cache.
CPU_BYTES = 2**23
LOSS_BYTES = 32
ADMISSION_SAMPLE = 17


@dataclass(eq=False)
class Scene:
    """What every search for equally good models has in common.

    Attributes
    ----------
    rows, admission
        Rows that are reported on, and labelled rows that models are admitted on.
    inputs, admission_inputs
        The same as the network reads them, on the model's device.
    truth
        Class codes or values of the admission rows, on the model's device.
    predictions
        What the given model says of ``rows``: probabilities or values, on the CPU.
    losses
        Of the given model on each admission row, in double precision on the model's device.
    shared
        How many of the rows that are reported on also admit models.
    table
        All labelled rows, of which those of the training split train models again.
    ridge
        Penalty that belongs to the loss, by half the sum of squares of the weights.
    evaluations
        Rows times models that went through the network so far.
    expected
        How many there will be in all, for progress.
    """

    model: Model
    context: Context
    rows: Table
    admission: Table
    inputs: Float[Tensor, "n p"]
    admission_inputs: Float[Tensor, "a p"]
    truth: Float[Tensor, " a"] | Int[Tensor, " a"]
    predictions: Float[Tensor, "n k"]
    losses: Float[Tensor, " a"]
    shared: int
    table: Table
    ridge: float = 0.0
    evaluations: int = 0
    expected: int = 0

    @property
    def classes(self) -> int:
        """Number of classes; 0 for a regression."""
        return self.model.schema.n_classes

    @property
    def base_loss(self) -> float:
        """Mean loss of the given model on the admission rows."""
        return float(self.losses.mean())

    @property
    def base_noise(self) -> float:
        """Standard error of ``base_loss``."""
        return float(self.losses.std() / len(self.losses) ** 0.5)

    @property
    def tolerance_unit(self) -> float:
        """What a tolerance of 1 in the settings means: a nat, or the loss of a regression."""
        return 1.0 if self.classes else self.base_loss

    @property
    def about(self) -> dict[str, Any]:
        """What every result about rows and near-copies says of both."""
        model, rows = self.model, self.rows
        return {
            "base_loss": self.base_loss,
            "admission": self.admission.name,
            "n_admission": len(self.admission),
            "predictions": self.predictions.numpy(),
            "data": rows.X.double().numpy(),
            "ids": rows.ids.numpy(),
            "schema": model.schema,
            "output_names": model.output_names,
            "unit": unit_of(model.schema, "probability", "identity"),
        }

    def excess(
        self, family: Family, members: Members
    ) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
        r"""Return by how much members are worse than the given model, and how sure that is.

        .. math:: e_m = \frac{1}{a} \sum_i \ell_i(m) - \ell_i(h_0)
                  + \frac\rho2 (\lVert W_m \rVert^2 - \lVert W_0 \rVert^2),

        with the standard error of this mean of paired differences. In double precision on the
        CPU; infinite where a member has no finite loss.
        """
        found = []
        for part in self.parts(family, len(self.admission_inputs), len(members.numbers)):
            own = members.take(part)
            logits = self.ask(family, self.admission_inputs, own)
            found.append(self._worse(logits, self._penalty(family, own)))
        mean, noise = torch.cat(found, 1)
        return mean, noise

    def outputs(self, family: Family, members: Members) -> Float[Tensor, "b n k"]:
        """Return what members say of the rows: probabilities or values, where the model is."""
        return self.model.outputs(self.ask(family, self.inputs, members), "probability")

    def judge(
        self, family: Family, members: Members
    ) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"], Float[Tensor, "b n k"]]:
        """Return ``excess`` and ``outputs`` of members, which are made once for both."""
        a = len(self.admission_inputs)
        logits = self.ask(family, self.all_inputs, members)
        mean, noise = self._worse(logits[:, :a], self._penalty(family, members))
        return mean, noise, self.model.outputs(logits[:, a:], "probability")

    def _penalty(self, family: Family, members: Members) -> Float[Tensor, " b"]:
        """Return what the weights of members add to the penalty; biases add nothing."""
        total = torch.zeros(len(members.numbers), dtype=torch.float64, device=self.losses.device)
        if not self.ridge:
            return total
        given = dict(self.model.network.named_parameters())
        for name, values in family.weights(members).items():
            if given[name].ndim > 1:
                total += values.double().square().flatten(1).sum(1)
                total -= given[name].double().square().sum()
        return self.ridge / 2 * total

    def _worse(
        self, logits: Float[Tensor, "b a k"], penalty: Float[Tensor, " b"]
    ) -> Float[Tensor, "2 b"]:
        """Mean differences of losses from the given model's, and their standard errors."""
        differences = row_losses(logits, self.truth, self.classes) - self.losses  # (b, a)
        noise = differences.std(1) / differences.shape[1] ** 0.5
        return torch.stack([differences.mean(1) + penalty, noise]).nan_to_num(nan=torch.inf).cpu()

    @cached_property
    def all_inputs(self) -> Float[Tensor, "m p"]:
        """Admission rows and then the rows that are reported on, as the network reads them."""
        return torch.cat([self.admission_inputs, self.inputs])

    def parts(self, family: Family, n: int, b: int) -> list[slice]:
        """Cut members into parts whose temporary tensors fit, each with all of ``n`` rows."""
        k = len(self.model.output_names)
        each = n * (family.row_bytes() + LOSS_BYTES * k) + family.member_bytes()
        return slices(b, max(1, self._work_bytes // each))

    @property
    def _work_bytes(self) -> int:
        budget = self.context.budget // 4
        return min(CPU_BYTES, budget) if self.model.device.type == "cpu" else budget

    @torch.no_grad()
    def ask(
        self, family: Family, inputs: Float[Tensor, "n p"], members: Members
    ) -> Float[Tensor, "b n k"]:
        """Return the logits of members, in parts of rows where one member alone is too large."""
        b = len(members.numbers)
        step = max(1, self._work_bytes // max(1, b * family.row_bytes()))
        found = []
        for part in slices(len(inputs), step):
            found.append(family.logits(inputs[part], members))
            self.count(b * len(inputs[part]))
        return torch.cat(found, 1) if len(found) > 1 else found[0]

    def count(self, passes: int) -> None:
        """Tell how far it is, and stop if asked to."""
        self.evaluations += passes
        total = max(self.expected, self.evaluations)
        self.context.step(self.evaluations, total, "passes of rows through near-copies")


def make_scene(
    model: Model, rows: Table, table: Table, params: SearchParams, context: Context
) -> Scene:
    """Take apart a labelled table, and ask the given model.

    Parameters
    ----------
    table
        All labelled rows; its validation rows admit models.

    Raises
    ------
    InvalidInputError
        If a table does not fit, labels are missing, or the model has no answer for a row.
    """
    check_features(model, rows, "rows to report on")
    admission = admission_rows(model, table, params, context)
    inputs, admission_inputs = model.encode(rows.X), model.encode(admission.X)
    truth = labels(model, admission).to(model.device)
    with torch.no_grad():
        logits, own = model.network(inputs), model.network(admission_inputs)
    predictions = model.outputs(logits, "probability").double().cpu()
    check_finite(model, rows, predictions)
    check_finite(model, admission, own.double().cpu())
    shared = np.isin(rows.ids.numpy(), admission.ids.numpy())
    scene = Scene(
        model=model,
        context=context,
        rows=rows,
        admission=admission,
        inputs=inputs,
        admission_inputs=admission_inputs,
        truth=truth,
        predictions=predictions,
        losses=row_losses(own, truth, model.schema.n_classes),
        shared=int(shared.sum()),
        table=table,
        ridge=params.ridge,
    )
    scene.count(len(rows) + len(admission))
    return scene


def admission_rows(model: Model, table: Table, params: SearchParams, context: Context) -> Table:
    """Return the rows that models are admitted on: the validation rows, or a sample of them.

    Raises
    ------
    InvalidInputError
        If the table does not fit, is too small, or has no labels.
    """
    check_features(model, table, "labelled rows")
    if len(table) < 10:
        raise InvalidInputError(
            f"Table {table.name!r} has {counted(len(table), 'row')}, too few to admit models on "
            "a fifth of them; give at least 10 labelled rows."
        )
    found = table.split("validation")
    if len(found) <= params.admission_rows:
        return found
    order = context.stream(ADMISSION_SAMPLE).permutation(len(found))
    return found[np.sort(order[: params.admission_rows])]


def labels(model: Model, table: Table) -> Float[Tensor, " n"] | Int[Tensor, " n"]:
    """Return class codes, or values in double precision, of rows that fit the model.

    Raises
    ------
    InvalidInputError
        If there are none, or they are not those that the model predicts.
    """
    truth = torch.from_numpy(true_values(model, table))
    return truth.long() if model.schema.n_classes else truth
