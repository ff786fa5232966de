"""LIME for tables: which features of a row would a linear model of its neighbourhood name?"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.quasirandom import SobolEngine

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.local_models import IN_BINS, LocalModels
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.schema import Feature
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.lime.levels import Levels, learn_levels
from workbench.engines.lime.neighbourhood import Draws, Places, around, draw, places_of, relative_
from workbench.engines.lime.params import USUAL_FEATURES, LimeParams
from workbench.engines.shapley.run import check_features, provenance_of
from workbench.numerics.chunks import slices
from workbench.numerics.links import unit_of
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

NAME = "lime.tabular"
PENALTY = 1.0
WIDTH = 0.75
MOST_FEATURES = 1000
# Samples are summed up in so many groups, which are put together into halves.
GROUPS, SPLITS = 10, 5
SEPARATED = 2.0  # standard errors
INACTIVE, POOR = 0.95, 0.1
WORK_BYTES = 2**26  # of a block of rows on a CPU
DRAWS, HALVES = 0, 1  # addresses of random numbers


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
        first, most = self.params.perturbations, self.params.max_perturbations
        before = rounded(first) << (turn - 1) if turn else 0
        if not turn:
            return rounded(first)
        left = rounded(most or first) - before
        return max(0, min(before, left))

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


def _fit_block(block: Block, count: int, halves: Float[Tensor, "h g"]) -> Found:
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


def _halves(generator: np.random.Generator) -> Float[Tensor, "h g"]:
    """Mark which groups make up each half: one half and the other, for every split."""
    first = np.zeros((SPLITS, GROUPS))
    for split in first:
        split[generator.permutation(GROUPS)[: GROUPS // 2]] = 1
    return torch.from_numpy(np.stack([first, 1 - first], 1).reshape(2 * SPLITS, GROUPS))


def _explain(
    model: Model, rows: Table, background: Table, params: LimeParams, context: Context
) -> LocalModels:
    started = time.perf_counter()
    unit = unit_of(model.schema, params.output, "identity")
    for table, what in ((rows, "rows to explain"), (background, "background rows")):
        check_features(model, table, what)
    d = len(model.schema.features)
    count = _count(d, params)
    sampler = make_sampler(model, rows, background, params, context)
    levels = sampler.levels
    places = places_of(rows.X.double().numpy(), levels, params.sampling).to(sampler.device)
    base = sampler.ask(rows.X)
    halves = _halves(context.stream(HALVES)).to(sampler.device)
    width = params.kernel_width or WIDTH * float(np.sqrt(d))
    found: list[Found] = []
    outputs = slice(1, None) if model.schema.task == "binary" else slice(None)
    for part in slices(len(rows), _block_rows(sampler, d)):
        fitted = base[part, outputs]
        block = Block(sampler, rows.X[part].double(), places[part], fitted, width, outputs)
        found.append(_fit_block(block, count, halves))
        sampler.rows_done = part.stop
        context.step(part.stop, len(rows), "rows")
    arrays = {
        name: np.concatenate([getattr(one, name) for one in found]) for name in vars(found[0])
    }
    if model.schema.task == "binary":
        arrays = _both_classes(arrays, total=float(params.output == "probability"))
    return LocalModels(
        provenance=provenance_of(
            NAME, model, rows, background, params, context, evaluations=sampler.evaluations,
            chunk_rows=context.chunk_rows or CHUNK_ROWS, seconds=time.perf_counter() - started,
            notes=_notes(rows, levels, places, arrays, params),
        ),
        **arrays,
        predictions=base.cpu().numpy(),
        data=rows.X.double().numpy(),
        ids=rows.ids.numpy(),
        truth=np.full(len(rows), np.nan) if rows.y is None else rows.y.double().numpy(),
        scales=sampler.scales,
        schema=model.schema,
        output_names=model.output_names,
        unit=unit,
        sampling=params.sampling,
        top=min(params.top, count),
        meanings=tuple(
            _meaning(feature, params, known)
            for feature, known in zip(model.schema.features, levels, strict=True)
        ),
        edges=tuple(tuple(known.edges.tolist()) for known in levels),
    )  # fmt: skip


def _both_classes(arrays: dict[str, np.ndarray], *, total: float) -> dict[str, np.ndarray]:
    """Add the first of two classes, whose output is the rest to ``total``: a mirror image."""

    def other(name: str, value: np.ndarray) -> np.ndarray:
        if name == "coefficients":
            return -value
        return total - value if name in {"intercepts", "local_predictions"} else value

    by_output = [name for name, value in arrays.items() if value.ndim > 1]
    both = {
        name: np.concatenate([other(name, arrays[name]), arrays[name]], -1) for name in by_output
    }
    return {**arrays, **both}


def _count(d: int, params: LimeParams) -> int:
    """Features of a local model at most.

    Raises
    ------
    InvalidInputError
        If more are asked for than there are, or there are more than can be fitted at once.
    """
    if d > MOST_FEATURES:
        raise InvalidInputError(
            f"LIME fits at most {MOST_FEATURES:,} features at once, and the model has {d:,}; "
            "choose a Shapley method, such as 'permutation'."
        )
    if params.num_features is not None and params.num_features > d:
        raise InvalidInputError(
            f"num_features is {params.num_features}, and the model has {counted(d, 'feature')}; "
            f"choose at most {d}."
        )
    return params.num_features or min(USUAL_FEATURES, d)


def _block_rows(sampler: Sampler, d: int) -> int:
    """Rows that are fitted at once: one where each has samples of its own."""
    if sampler.params.sampling == "around":
        return 1
    wide = 1 + d + len(sampler.model.output_names)
    work = WORK_BYTES if sampler.device.type == "cpu" else sampler.context.budget
    each = 32 * sampler.size(0) * wide + 64 * SPLITS * wide**2
    return max(1, min(work, sampler.context.budget) // each)


def _meaning(feature: Feature, params: LimeParams, known: Levels) -> str:
    """Say what a coefficient stands for."""
    if feature.kind == "categorical":
        return "same category as the row, against any other"
    if params.sampling == IN_BINS:
        return "same bin as the row, against any other"
    spread = f"{known.spread[0]:,.4g} {feature.unit}".strip()
    missing = "; missing as in the row, where it is" if feature.has_missing else ""
    return f"one standard deviation ({spread}) more{missing}"


def _notes(
    rows: Table,
    levels: tuple[Levels, ...],
    places: Places,
    arrays: dict[str, np.ndarray],
    params: LimeParams,
) -> tuple[str, ...]:
    """Say what a reader should know besides the numbers."""
    notes = []
    n, own, as_level = len(rows), places.levels.cpu().numpy(), places.as_level.cpu().numpy()
    for j, (feature, known) in enumerate(zip(rows.schema.features, levels, strict=True)):
        unseen = int(((known.shares[own[:, j]] == 0) & as_level[:, j]).sum())
        if unseen:
            notes.append(
                f"{counted(unseen, 'row')} {'has' if unseen == 1 else 'have'} a value of "
                f"{feature.name} that no background row has: its coefficient means little there"
            )
    inactive = int((arrays["effective_share"] > INACTIVE).sum())
    if inactive:
        notes.append(
            f"the kernel hardly tells near from far for {inactive:,} of {counted(n, 'row')} "
            f"(effective samples above {INACTIVE:.0%} of all)"
        )
    poor = int((arrays["r2"] < POOR).any(1).sum())
    if poor:
        notes.append(f"the local model explains less than {POOR} of the variance for {poor:,} of "
                     f"{counted(n, 'row')}")  # fmt: skip
    open_rows = int((~arrays["separated"]).any(1).sum())
    if params.max_perturbations is not None and open_rows:
        notes.append(
            f"the {params.top} strongest features are not told apart from the next within "
            f"{params.max_perturbations:,} samples for {open_rows:,} of {counted(n, 'row')}"
        )
    return tuple(notes)


def _cost(model: Model, n_rows: int, _: int, params: LimeParams) -> Cost:
    d, k = len(model.schema.features), len(model.output_names)
    samples = rounded(max(params.perturbations, params.max_perturbations or 0))
    own = n_rows if params.sampling == "around" else 1
    work = max(WORK_BYTES, 32 * samples * (1 + d + k))
    return Cost(own * samples + n_rows, n_bytes=samples * 8 * (4 * d + k) + work)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(500, {"perturbations": 1000}),
        "standard": Effort(2000, {}),
        "thorough": Effort(2000, {"max_perturbations": 80_000}),
    }


METHODS.register(
    NAME,
    Method(
        title="LIME for tables",
        question="Which features would a simple linear model of this row's neighbourhood name?",
        explain=_explain,
        params=LimeParams,
        yields=LocalModels,
        needs=frozenset(),
        cost=_cost,
        efforts=_efforts,
        reference="Ribeiro, Singh and Guestrin (2016)",
        weakness="Features are drawn independently, so the model is asked about rows that cannot "
        "occur; with the default bins the kernel hardly weighs, and the local model is nearly a "
        "global one.",
    ),
)
