"""What every remedy works on: rows by part, their groups, and networks to be trained."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.core.context import Context, Progress
from workbench.core.errors import InvalidInputError
from workbench.core.grouping import Grouping
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.table import Table
from workbench.engines.calls import check_features, true_values
from workbench.engines.fairness.decided import Decided, decide, favourable_position
from workbench.engines.fairness.groups import find_groups
from workbench.engines.fairness.remedies_params import RemediesParams
from workbench.numerics.fitting import FitSettings
from workbench.numerics.fresh_starts import fresh_starts
from workbench.numerics.many_fits import Addresses, fit_many

TRAINING = 0xFA12
PARTS = ("train", "validation", "test")
# How much each row counts in training: by group, and by whether it has the favourable outcome.
Weights = Float[np.ndarray, "g 2"]


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the rows: what the network reads, what is true, and who is of which group."""

    rows: Table
    inputs: Float[Tensor, "n p"]
    classes: Int[Tensor, " n"]
    truth: Int[np.ndarray, " n"]
    group: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(eq=False)
class Scene:
    """One run: the model, its rows, and the networks trained so far."""

    model: Model
    params: RemediesParams
    context: Context
    parts: Mapping[str, Part]
    position: int
    grouping: Grouping
    partition: tuple[int, ...]
    evaluations: int = 0
    trainings: int = 0
    doing: str = ""
    _again: list[nn.Module] = field(default_factory=list)

    @property
    def attribute(self) -> str:
        """What the groups are made of."""
        return " x ".join(self.attributes)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns that the groups are made of."""
        return tuple(self.grouping.attributes[at] for at in self.partition)

    @property
    def group_names(self) -> tuple[str, ...]:
        """Names of the groups, such as ``Female, White``."""
        return tuple(", ".join(levels) for levels in self.grouping.cells(self.partition))

    @property
    def n_groups(self) -> int:
        """How many groups there are, those without rows included."""
        return len(self.group_names)

    @property
    def read(self) -> tuple[str, ...]:
        """Those of the columns that the model reads."""
        return tuple(name for name in self.attributes if name in self.model.schema.names)

    def columns_of(self, feature: str) -> list[int]:
        """Return the network's inputs that come from a feature."""
        place = self.model.schema.index(feature)
        return torch.nonzero(self.model.groups == place).flatten().tolist()

    def progress(self) -> Progress | None:
        """Report what is done together with the remedy that it is done for."""
        told, doing = self.context.progress, self.doing
        if told is None:
            return None
        return lambda done, total, words: told(done, total, f"{words} ({doing})")

    def working(self) -> Context:
        """Return the context of a long step."""
        return replace(self.context, progress=self.progress())

    @torch.no_grad()
    def decided(
        self, network: nn.Module, part: str, inputs: Float[Tensor, "n p"] | None = None
    ) -> Decided:
        """Return what a network decides about a part of the rows, perhaps from other inputs."""
        own = self.parts[part]
        inputs = own.inputs if inputs is None else inputs
        logits = torch.cat([network(rows) for rows in inputs.split(CHUNK_ROWS)])
        self.evaluations += len(inputs)
        shares = logits.double().softmax(-1).cpu().numpy()
        if not np.isfinite(shares).all():
            raise InvalidInputError(
                f"Training a network for {self.doing or 'the model'} led to numbers that are not "
                "finite; lower rate."
            )
        return decide(shares, self.position, self.model.schema.classes, None)

    def again(self) -> list[nn.Module]:
        """Return networks trained again with nothing changed: the control, then ``refits``."""
        if not self._again:
            self._again = self.train(1 + self.params.refits)
        return self._again

    def train(
        self,
        count: int,
        *,
        inputs: Sequence[Float[Tensor, "_ p"]] = (),
        weights: Weights | None = None,
        labels: Sequence[Int[Tensor, " _"]] = (),
        network: nn.Module | None = None,
        settings: FitSettings | None = None,
        row_weights: Sequence[Float[np.ndarray, " _"]] = (),
        first: int = 0,
    ) -> list[nn.Module]:
        """Train networks of the model's make from starts of their own.

        All are trained together, and the same number has the same start and order of rows
        whatever is changed, so that two remedies differ by what they do.

        Parameters
        ----------
        inputs, labels, row_weights
            In place of those of the training and the validation rows.
        """
        train, held = self.parts["train"], self.parts["validation"]
        inputs = inputs or (train.inputs, held.inputs)
        labels = labels or (train.classes, held.classes)
        counts = row_weights or _counts(weights, (train, held))
        settings = settings or self.params.training(len(train))
        pattern = network or self.model.network
        whole = torch.cat(tuple(labels)).to(inputs[0].device)
        weight = torch.from_numpy(np.concatenate(counts)).to(inputs[0])

        def loss(logits: Tensor, place: Tensor) -> Tensor:
            each = nn.functional.cross_entropy(logits, whole[place], reduction="none")
            return (each * weight[place]).mean()

        # The loss looks labels and weights up by the row's place.
        places = torch.arange(len(whole), device=inputs[0].device)
        ours, theirs = places[: len(train)], places[len(train) :]
        addresses = Addresses(TRAINING, tuple(range(first, first + count)))
        model = replace(self.model, network=pattern)
        starts = fresh_starts(model, whole, addresses, self.context)
        picks = ours.expand(count, -1)
        fitted = fit_many(
            pattern, starts, (inputs[0], ours), picks, (inputs[1], theirs), loss, settings,
            addresses, self.working(),
        )  # fmt: skip
        self.trainings += count
        self.evaluations += count * settings.epochs * len(whole)
        return [_with(pattern, fitted, number) for number in range(count)]


def _counts(weights: Weights | None, parts: Sequence[Part]) -> tuple[Float[np.ndarray, " _"], ...]:
    if weights is None:
        return tuple(np.ones(len(part)) for part in parts)
    # A validation row of a kind that no training row is counts as one.
    known = np.where(np.isfinite(weights), weights, 1.0)
    return tuple(known[part.group, part.truth] for part in parts)


def _with(pattern: nn.Module, fitted: Mapping[str, Tensor], number: int) -> nn.Module:
    network = copy.deepcopy(pattern)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(fitted[name][number])
    return network.eval().requires_grad_(requires_grad=False)


def make_scene(
    model: Model, rows: Table, table: Table, params: RemediesParams, context: Context
) -> Scene:
    """Read labels, groups and inputs of all parts.

    Raises
    ------
    InvalidInputError
        If a table does not fit, has no labels or no groups, or nobody is refused or granted.
    """
    check_features(model, rows, "rows")
    check_features(model, table, "rows")
    true_values(model, rows)
    true_values(model, table)
    position = favourable_position(model, table, params.favourable)
    grouping = find_groups(_joined(table, rows), params)
    several = tuple(range(len(grouping.attributes))) if params.by else (0,)
    cells = grouping.cell_of(several)
    numbered = torch.arange(len(table))
    aside = None if table.aside is None else replace(table.aside, ids=numbered)
    order = replace(table, ids=numbered, aside=aside)
    parts = {}
    for name in PARTS[:2]:
        at = order.split(name).ids.numpy()
        parts[name] = _part(model, table[at], cells[at], position)
    parts["test"] = _part(model, rows, cells[len(table) :], position)
    return Scene(model, params, context, parts, position, grouping, several)


def _joined(table: Table, rows: Table) -> Table:
    """Put rows below a table, so that both are sorted into the same groups."""
    aside = None
    if table.aside is not None and rows.aside is not None:
        aside = _joined(table.aside, rows.aside)
    return replace(
        table, X=torch.cat([table.X, rows.X]), ids=torch.cat([table.ids, rows.ids]), y=None,
        weights=None, aside=aside,
    )  # fmt: skip


def _part(model: Model, rows: Table, group: Int[np.ndarray, " n"], position: int) -> Part:
    classes = torch.from_numpy(true_values(model, rows).astype(np.int64))
    inputs = torch.cat([model.encode(X) for X in rows.X.split(CHUNK_ROWS)]).detach()
    truth = (classes.numpy() == position).astype(np.int64)
    return Part(rows, inputs, classes, truth, group)
