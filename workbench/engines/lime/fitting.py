"""Local models of a block of rows, with more samples as long as these need and may have them."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.engines.lime.block import Block
from workbench.engines.lime.strongest import GROUPS, PENALTY, Halves, told_apart
from workbench.numerics.local_fit import (
    Moments,
    centred,
    choose,
    line_of,
    r_squared,
    raw_moments,
    ridge,
    sandwich,
    score_sum,
)


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


def _fit(
    block: Block, raw: Tensor, turns: int, rows: Int[Tensor, " r"], count: int, *, every: bool
) -> Fitted:
    """Fit rows to the samples of all turns so far; ``every`` leaves no feature out."""
    d = block.places.at.shape[1]
    moments = centred(raw.sum(1), d)
    selection = "none" if every else block.sampler.params.selection
    chosen = choose(moments, block.places.at[rows], count, selection)
    beta, system = ridge(moments, chosen, PENALTY)
    errors = torch.zeros_like(beta)
    for output in range(beta.shape[1]):
        line = line_of(moments, chosen, beta, output)
        scores = line.own_score()
        for turn in range(turns):
            for some, c, missed in block.residuals(turn, rows, line):
                scores[some] += score_sum(c, missed)
        kept = line.kept[:, :, None], line.kept[:, None]
        every_row = torch.arange(len(rows), device=rows.device)[:, None, None]
        variance = sandwich(scores, system[every_row, output, *kept])
        own = variance.sqrt() * line.unit[:, None]
        errors[:, output] = errors[:, output].scatter(1, line.kept, own)
    errors = torch.where(chosen, errors, 0.0)
    return Fitted(chosen, beta, errors, moments, r_squared(moments, beta))


def fit_block(block: Block, halves: Halves) -> Found:
    """Fit the rows of a block, with more samples as long as they need and may have them."""
    sampler, (b, d) = block.sampler, block.X.shape
    k, device = block.base.shape[1], block.base.device
    count, top = halves.count, halves.top
    raw = torch.zeros(b, GROUPS, 1 + d + k, 1 + d + k, dtype=torch.float64, device=device)
    squares = torch.zeros(b, dtype=torch.float64, device=device)
    parts: list[tuple[Tensor, Found]] = []
    rows = torch.arange(b, device=device)  # that need more samples
    turn = samples = 0
    while len(rows):
        fresh, fresh_squares = torch.zeros_like(raw[rows]), torch.zeros_like(squares[rows])
        for part in block.parts(turn, rows):
            fresh[part.rows, part.group] += raw_moments(part.joined, part.weights)
            fresh_squares[part.rows] += torch.linalg.vecdot(part.weights, part.weights)
        raw[rows] += fresh
        squares[rows] += fresh_squares
        samples += sampler.size(turn)
        turn += 1
        fitted = _fit(block, raw[rows], turn, rows, count, every=False)
        judged = fitted if count > top else _fit(block, raw[rows], turn, rows, d, every=True)
        apart = told_apart(judged.beta, judged.errors, top)
        done = apart.all(1) | (not sampler.size(turn))
        if bool(done.any()):
            places = rows[done]
            share = fitted.moments.weight[done] ** 2 / (squares[places] + 1)
            found = _found(block, _part(fitted, done), places)
            found |= {
                "effective_share": share.cpu().numpy() / (samples + 1),
                "stability": halves.stability(raw[places], block.places.at[places]).cpu().numpy(),
                "samples": np.full(len(places), samples),
                "separated": apart[done].cpu().numpy(),
            }
            parts.append((places.cpu(), Found(**found)))
        rows = rows[~done]
    return _joined(parts)


def _part(fitted: Fitted, rows: Bool[Tensor, " b"]) -> Fitted:
    return Fitted(*(value[rows] for value in vars(fitted).values()))


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


def _joined(parts: list[tuple[Tensor, Found]]) -> Found:
    """Put rows that were done at different turns back into their order."""
    order = np.argsort(torch.cat([places for places, _ in parts]).numpy())
    names = vars(parts[0][1])
    return Found(**{
        name: np.concatenate([getattr(found, name) for _, found in parts])[order] for name in names
    })
