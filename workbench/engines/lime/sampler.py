"""The samples of a run: drawn when first asked for, and what the model says of them."""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.quasirandom import SobolEngine

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.local_models import IN_BINS
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.table import Table
from workbench.engines.lime.levels import Levels, learn_levels
from workbench.engines.lime.neighbourhood import Draws, around, draw
from workbench.engines.lime.params import LimeParams

# Samples are summed up in so many groups, which are put together into halves.
GROUPS = 10
DRAWS = 0  # address of random numbers


def rounded(n: int) -> int:
    """Round up to groups of one size."""
    return -(-n // GROUPS) * GROUPS


@dataclass
class Sampler:
    """The samples of a run and what the model says of them, drawn when first asked for.

    Attributes
    ----------
    evaluations
        Rows that the model was asked about so far.
    rows_done, n_rows
        For whoever watches.
    """

    model: Model
    context: Context
    params: LimeParams
    levels: tuple[Levels, ...]
    sequence: SobolEngine
    n_rows: int
    evaluations: int = 0
    rows_done: int = 0
    drawn: list[Draws] = field(default_factory=list)
    shared: list[Tensor] = field(default_factory=list)

    @property
    def device(self) -> torch.device:
        """Where local models are fitted: Apple's devices lack double precision."""
        kind = self.model.device.type
        return torch.device("cpu") if kind == "mps" else self.model.device

    @property
    def scales(self) -> Float[np.ndarray, " d"]:
        """Standard deviation of each number in the background, where it is not in bins."""
        return np.array([
            known.spread[0] if len(known.spread) and self.params.sampling != IN_BINS else 0.0
            for known in self.levels
        ])

    def size(self, turn: int) -> int:
        """Return how many samples a turn adds; 0 where no more may be drawn."""
        first = rounded(self.params.perturbations)
        if not turn:
            return first
        before, most = first << (turn - 1), self.params.max_perturbations
        return max(0, min(before, rounded(most or first) - before))

    def draws(self, turn: int) -> Draws:
        """Return the samples that a turn adds."""
        while len(self.drawn) <= turn:
            size = self.size(len(self.drawn))
            found = draw(self.sequence, size, self.levels, self.params.sampling)
            self.drawn.append(found.to(self.device))
        return self.drawn[turn]

    def answers(self, turn: int, x: Float[Tensor, " d"]) -> Float[Tensor, "m k"]:
        """Return what the model says of a turn's samples; around ``x`` where they move with it."""
        draws = self.draws(turn)
        if self.params.sampling == "around":
            numbers = torch.tensor([len(known.centre) > 0 for known in self.levels])
            scales = torch.from_numpy(self.scales)
            place = self.device
            return self.ask(around(draws, x.to(place), scales.to(place), numbers.to(place)))
        while len(self.shared) <= turn:
            self.shared.append(self.ask(self.draws(len(self.shared)).raw))
        return self.shared[turn]

    @torch.no_grad()
    def ask(self, X: Float[Tensor, "m d"]) -> Float[Tensor, "m k"]:
        """Ask the model about raw rows.

        Raises
        ------
        InvalidInputError
            If it has no finite answer for one of them.
        """
        found, model = [], self.model
        usual = CHUNK_ROWS * (16 if model.device.type == "cuda" else 1)
        for part in torch.split(X, self.context.chunk_rows or usual):
            self.context.step(self.rows_done, self.n_rows, "rows")
            logits = model.network(model.encode(part))
            found.append(model.outputs(logits, self.params.output).to(self.device).double())
            self.evaluations += len(part)
        answers = torch.cat(found)
        if not bool(torch.isfinite(answers).all()):
            raise InvalidInputError(
                f"Model {model.name} returns no finite number for some rows or for samples near "
                "them; look for values far outside the training data among the rows and the "
                "background, and mend or leave out those rows."
            )
        return answers


def make_sampler(
    model: Model, rows: Table, background: Table, params: LimeParams, context: Context
) -> Sampler:
    """Make the sampler of a run; the same seed gives the same samples."""
    scrambled = int(context.stream(DRAWS).integers(2**63 - 1))
    sequence = SobolEngine(len(model.schema.features), scramble=True, seed=scrambled)
    levels = learn_levels(background, params)
    return Sampler(model, context, params, levels, sequence, len(rows))
