"""Local models of a block of rows, with more samples as long as these need and may have them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.local_models import IN_BINS
from workbench.engines.lime.neighbourhood import Places, relative_
from workbench.engines.lime.sampler import GROUPS, Sampler
from workbench.numerics.chunks import slices
from workbench.numerics.local_fit import (
    Moments,
    centred,
    choose,
    overlap,
    r_squared,
    raw_moments,
    raw_scores,
    ridge,
    sandwich,
    top_of,
)

PENALTY = 1.0
SPLITS = 5
SEPARATED = 2.0  # standard errors


@dataclass
class Block:
    """Some rows, and their samples relative to them.

    Attributes
    ----------
    outputs
        Which outputs are fitted: of two probabilities one is enough.
    kept
        Samples that are asked for again, by turn, as long as there is room.
    """

    sampler: Sampler
    X: Float[Tensor, "b d"]
    places: Places
    base: Float[Tensor, "b k"]
    width: float
    outputs: slice
    answers: list[Tensor] = field(default_factory=list)
    kept: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def parts(self, turn: int, rows: Bool[Tensor, " b"]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield a turn's samples, in groups: (1, interpretable values, outputs), and weights."""
        if turn in self.kept:
            joined, w = self.kept[turn]
            whole = bool(rows.all())
            yield (joined, w) if whole else (joined[rows], w[rows])
            return
        while len(self.answers) <= turn:
            found = self.sampler.answers(len(self.answers), self.X[0])
            self.answers.append(found[:, self.outputs])
        group = len(self.answers[turn]) // GROUPS
        step = self._step()
        for part in slices(group, step):
            made = self._made(turn, rows, group, part)
            if not turn and step >= group and bool(rows.all()):
                self.kept[turn] = made
            yield made

    def _made(
        self, turn: int, rows: Bool[Tensor, " n"], group: int, part: slice
    ) -> tuple[Float[Tensor, "b g q s"], Float[Tensor, "b g s"]]:
        places, base = self.places[rows], self.base[rows]
        d, k = places.at.shape[1], base.shape[1]
        sampling = self.sampler.params.sampling
        answers = self.answers[turn].view(GROUPS, group, k)[:, part].mT
        shape = (len(base), GROUPS, 1 + d + k, answers.shape[-1])
        joined = torch.empty(shape, dtype=torch.float64, device=base.device)
        joined[..., 0, :] = 1
        z = joined[..., 1 : 1 + d, :]
        relative_(z, self.sampler.draws(turn), places, sampling, part)
        joined[..., 1 + d :, :] = answers - base[:, None, :, None]
        far = (z if sampling == IN_BINS else z**2).sum(-2)
        return joined, torch.exp(-far / (2 * self.width**2))

    def _step(self) -> int:
        """Return how many samples of each group fit into memory."""
        b, wide = self.X.shape[0], 1 + self.X.shape[1] + self.base.shape[1]
        return max(1, self.sampler.context.budget // (32 * GROUPS * b * wide))


@dataclass(frozen=True)
class Fitted:
    """Local models of some rows."""

    chosen: Bool[Tensor, "b k d"]
    beta: Float[Tensor, "b k d"]
    errors: Float[Tensor, "b k d"]
    moments: Moments
    r2: Float[Tensor, "b k"]


@dataclass(frozen=True)
class Found:
    """What the result holds of a block of rows."""

    coefficients: np.ndarray
    std_errors: np.ndarray
    selected: np.ndarray
    intercepts: np.ndarray
    local_predictions: np.ndarray
    r2: np.ndarray
    effective_share: np.ndarray
    stability: np.ndarray
    samples: np.ndarray
    separated: np.ndarray


def _fit(block: Block, raw: Tensor, turns: int, rows: Tensor, count: int, *, every: bool) -> Fitted:
    """Fit rows to the samples of all turns so far; ``every`` leaves no feature out."""
    d = block.places.at.shape[1]
    moments = centred(raw.sum(1), d)
    selection = "none" if every else block.sampler.params.selection
    chosen = choose(moments, block.places.at[rows], count, selection)
    beta, system = ridge(moments, chosen, PENALTY)
    scores = torch.zeros(*beta.shape[:2], d + 1, d + 1, dtype=beta.dtype, device=beta.device)
    for turn in range(turns):
        for joined, w in block.parts(turn, rows):
            scores += raw_scores(joined, w, moments, beta)
    errors = torch.where(chosen, sandwich(scores, moments, beta, system).sqrt(), 0.0)
    return Fitted(chosen, beta, errors, moments, r_squared(moments, beta))


def _told_apart(fitted: Fitted, top: int) -> Bool[Tensor, "b k"]:
    """Whether the strongest coefficients are ahead of the next by two standard errors."""
    if top >= fitted.beta.shape[-1]:
        return torch.ones_like(fitted.beta[..., 0], dtype=torch.bool)
    size, order = fitted.beta.abs().sort(dim=-1, descending=True, stable=True)
    errors = fitted.errors.gather(-1, order)
    gap = size[..., top - 1] - size[..., top]
    return gap >= SEPARATED * torch.hypot(errors[..., top - 1], errors[..., top])


def fit_block(block: Block, count: int, halves: Float[Tensor, "h g"]) -> Found:
    """Fit the rows of a block, with more samples as long as they need and may have them."""
    sampler, (b, d) = block.sampler, block.X.shape
    k, device = block.base.shape[1], block.base.device
    top = min(sampler.params.top, count, d)
    raw = torch.zeros(b, GROUPS, 1 + d + k, 1 + d + k, dtype=torch.float64, device=device)
    squares, samples = torch.zeros(b, device=device).double(), torch.zeros(b, dtype=torch.int64)
    parts: list[tuple[Tensor, Found]] = []
    going = torch.ones(b, dtype=torch.bool, device=device)
    turn = 0
    while bool(going.any()):
        for joined, w in block.parts(turn, going):
            raw[going] += raw_moments(joined, w)
            squares[going] += (w**2).sum((1, 2))
        samples[going.cpu()] += sampler.size(turn)
        turn += 1
        fitted = _fit(block, raw[going], turn, going, count, every=False)
        judged = fitted if count > top else _fit(block, raw[going], turn, going, d, every=True)
        apart = _told_apart(judged, top)
        last = not sampler.size(turn)
        done = torch.ones_like(going[going]) if last else apart.all(1)
        places = going.nonzero()[:, 0][done]
        if len(places):
            stability = _stability(block, raw[places], places, count, top, halves)
            share = fitted.moments.weight[done] ** 2 / (squares[places] + 1)
            found = _found(block, _part(fitted, done), places)
            found |= {
                "effective_share": share.cpu().numpy() / (samples[places.cpu()].numpy() + 1),
                "stability": stability.cpu().numpy(),
                "samples": samples[places.cpu()].numpy(),
                "separated": apart[done].cpu().numpy(),
            }
            parts.append((places.cpu(), Found(**found)))
        going = going.clone()
        going[places] = False
    return _joined(parts)


def _part(fitted: Fitted, rows: Bool[Tensor, " b"]) -> Fitted:
    moments = Moments(*(value[rows] for value in vars(fitted.moments).values()))
    return Fitted(
        fitted.chosen[rows], fitted.beta[rows], fitted.errors[rows], moments, fitted.r2[rows]
    )


def _found(block: Block, fitted: Fitted, rows: Int[Tensor, " r"]) -> dict[str, np.ndarray]:
    """Turn a fit relative to the rows into one of the interpretable values themselves."""
    beta, moments = fitted.beta, fitted.moments
    local = block.base[rows] + moments.mean_y - (beta * moments.mean_z[:, None]).sum(-1)
    # A level is at 1 in another level and at 0 in the row's, and should be the other way round.
    beta = torch.where(block.places.as_level[rows][:, None], -beta, beta)
    intercepts = local - (beta * block.places.at[rows][:, None]).sum(-1)
    found = {
        "coefficients": beta.mT, "std_errors": fitted.errors.mT, "selected": fitted.chosen.mT,
        "intercepts": intercepts, "local_predictions": local, "r2": fitted.r2,
    }  # fmt: skip
    return {name: value.cpu().numpy() for name, value in found.items()}


def _stability(
    block: Block,
    raw: Tensor,
    rows: Int[Tensor, " r"],
    count: int,
    top: int,
    halves: Float[Tensor, "h g"],
) -> Float[Tensor, "r k"]:
    """Mean overlap of the strongest features in two halves of the samples, over several splits."""
    at = block.places.at[rows]
    n, d = at.shape
    moments = centred(torch.einsum("hg,bgpq->bhpq", halves, raw).flatten(0, 1), d)
    each = at.repeat_interleave(len(halves), 0)
    chosen = choose(moments, each, count, block.sampler.params.selection)
    strongest = top_of(ridge(moments, chosen, PENALTY)[0], top).view(n, SPLITS, 2, -1, d)
    return overlap(strongest[:, :, 0], strongest[:, :, 1]).mean(1)


def _joined(parts: list[tuple[Tensor, Found]]) -> Found:
    """Put rows that were done at different turns back into their order."""
    order = np.argsort(torch.cat([places for places, _ in parts]).numpy())
    names = vars(parts[0][1])
    return Found(**{
        name: np.concatenate([getattr(found, name) for _, found in parts])[order] for name in names
    })


def draw_halves(generator: np.random.Generator) -> Float[Tensor, "h g"]:
    """Mark which groups make up each half: one half and the other, for every split."""
    first = np.zeros((SPLITS, GROUPS))
    for split in first:
        split[generator.permutation(GROUPS)[: GROUPS // 2]] = 1
    return torch.from_numpy(np.stack([first, 1 - first], 1).reshape(2 * SPLITS, GROUPS))
