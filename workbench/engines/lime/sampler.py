"""The samples of a run: drawn when first asked for, and what the model says of them."""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.quasirandom import SobolEngine

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.local_models import IN_BINS
from workbench.core.model import CHUNK_ROWS, Model, splits_first_layer
from workbench.core.table import Table
from workbench.engines.lime.levels import Levels, learn_levels, scales_of
from workbench.engines.lime.moved import MovedSamples
from workbench.engines.lime.neighbourhood import Draws, around, draw
from workbench.engines.lime.params import LimeParams
from workbench.engines.lime.points import Axes, find_axes, uniform
from workbench.engines.lime.strongest import GROUPS

DRAWS, PILOT = 0, 2  # addresses of random numbers
MOST_PILOTS = 1000
CACHE_BYTES = 2**19  # of hidden units on a CPU


def rounded(n: int) -> int:
    """Round up to groups of one size."""
    return -(-n // GROUPS) * GROUPS


@dataclass
class Sampler:
    """The samples of a run and what the model says of them, drawn when first asked for.

    Attributes
    ----------
    axes
        Directions that matter, if they were looked for.
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
    axes: Axes | None = None
    drawn: list[Draws] = field(default_factory=list)
    shared: list[Tensor] = field(default_factory=list)

    @property
    def device(self) -> torch.device:
        """Where local models are fitted: Apple's devices lack double precision."""
        kind = self.model.device.type
        return torch.device("cpu") if kind == "mps" else self.model.device

    @property
    def scales(self) -> Float[Tensor, " d"]:
        """Standard deviation of each number in the background, where it is not in bins."""
        scales = scales_of(self.levels, self.params.sampling)
        return torch.from_numpy(scales).to(self.device)

    @property
    def centre(self) -> Float[Tensor, " d"]:
        """Mean of each number in the background; 0 for other features."""
        means = [known.centre[0] if len(known.centre) else 0.0 for known in self.levels]
        return torch.tensor(means, dtype=torch.float64, device=self.device)

    @property
    def is_number(self) -> Bool[Tensor, " d"]:
        """Features that are no categories."""
        return torch.tensor([len(known.centre) > 0 for known in self.levels], device=self.device)

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
            u = uniform(self.sequence, size, self.axes)
            found = draw(u, self.levels, self.params.sampling)
            self.drawn.append(found.to(self.device))
        return self.drawn[turn]

    def answers(
        self, turn: int, X: Float[Tensor, "b d"], rows: Int[Tensor, " r"]
    ) -> Float[Tensor, "b1 m k"]:
        """Return what the model says of a turn's samples.

        One answer for all where samples do not depend on the row, else one for each of ``X``, of
        which only ``rows`` are asked about.
        """
        draws = self.draws(turn)
        if self.params.sampling != "around":
            while len(self.shared) <= turn:
                self.shared.append(self.ask(self.draws(len(self.shared)).raw))
            return self.shared[turn][None]
        found = X.new_zeros(len(X), len(draws.raw), len(self.model.output_names))
        found[rows] = self._around(draws, X[rows])
        return found

    def _around(self, draws: Draws, X: Float[Tensor, "b d"]) -> Float[Tensor, "b m k"]:
        """Ask about samples that move with each row, with a shortcut where there is one."""
        found = X.new_empty(len(X), len(draws.raw), len(self.model.output_names))
        quick: list[int] = []
        if "first_layer" in self.model.capabilities:
            moved = MovedSamples(self.model, draws, X, self.centre, self.scales, self.is_number)
            quick, asked = moved.are_linear().nonzero()[:, 0].tolist(), 0
            for row, part, said in moved.answers(quick, self.params.output, self._moved_rows()):
                self.context.step(self.rows_done + asked // len(draws.raw), self.n_rows, "rows")
                found[row, part] = said
                asked += len(said)
            self.evaluations += asked
            check_finite(found[quick], self.model)
        for row in sorted(set(range(len(X))) - set(quick)):
            samples = around(draws, X[row : row + 1], self.scales, self.is_number)[0]
            found[row] = self.ask(samples)
        return found

    def _moved_rows(self) -> int:
        """Return how many samples are taken at once: on a CPU their hidden units fit the cache."""
        model = self.model
        assert splits_first_layer(model.network)  # noqa: S101 - its capabilities say so
        each = model.network.first.out_features * torch.finfo(model.dtype).bits // 8
        room = CACHE_BYTES if model.device.type == "cpu" else self.context.budget // 8
        return self.context.chunk_rows or max(256, room // each)

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
            logits = model.network(model.encode(model.without_fractions(part)))
            found.append(model.outputs(logits, self.params.output).to(self.device).double())
            self.evaluations += len(part)
        answers = torch.cat(found)
        check_finite(answers, model)
        return answers


def check_finite(answers: Float[Tensor, "*n k"], model: Model) -> None:
    """Refuse answers that are no numbers.

    Raises
    ------
    InvalidInputError
        If there is one.
    """
    if not bool(torch.isfinite(answers).all()):
        raise InvalidInputError(
            f"Model {model.name} returns no finite number for some rows or for samples near "
            "them; look for values far outside the training data among the rows and the "
            "background, and mend or leave out those rows."
        )


def pilot_size(model: Model, params: LimeParams) -> int:
    """Return how many samples find out in which directions the answers change.

    Bins are counted evenly by the sequence as it is, and a single number has one direction.
    """
    if params.sampling == IN_BINS or len(_numbers(model)) < 2:
        return 0
    return min(MOST_PILOTS, rounded(params.perturbations) // 5)


def _numbers(model: Model) -> Int[np.ndarray, " n"]:
    features = enumerate(model.schema.features)
    return np.array([j for j, f in features if f.kind != "categorical"], dtype=np.int64)


def make_sampler(
    model: Model, rows: Table, background: Table, params: LimeParams, context: Context
) -> Sampler:
    """Make the sampler of a run; the same seed gives the same samples."""
    levels = learn_levels(background, params, model.whole_numbers)
    pilot, sequence = (
        SobolEngine(len(levels), scramble=True, seed=int(context.stream(own).integers(2**63 - 1)))
        for own in (PILOT, DRAWS)
    )
    sampler = Sampler(model, context, params, levels, sequence, len(rows))
    if m := pilot_size(model, params):
        u = uniform(pilot, m, None)
        answers = sampler.ask(draw(u, levels, params.sampling).raw).cpu().numpy()
        sampler.axes = find_axes(u, answers, _numbers(model))
    return sampler
