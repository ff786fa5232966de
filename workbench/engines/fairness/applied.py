"""What comes of applying one remedy, and how decisions are judged while choosing."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from workbench.core.card import Architecture
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import GAPS
from workbench.core.model import Model
from workbench.core.remedies import Remedies
from workbench.numerics.group_rates import confusion, gaps_of, rates_of
from workbench.registry.architectures import build_network

NOTHING = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Trials:
    """Networks tried in a search: settings, decisions on validation and test rows, the choice."""

    settings: tuple[str, ...]
    validation: Float[np.ndarray, "t 2"]
    test: Float[np.ndarray, "t n"]
    chosen: int


@dataclass(frozen=True)
class Applied:
    """A remedy on the test rows.

    Attributes
    ----------
    decisions, scores
        Probability of the favourable decision and class.
    refits
        Decisions of networks trained from other starts and treated alike; empty if not measured.
    remark
        Why not.
    inputs
        What the network reads of the test rows, where that is changed.
    network, architecture
        What can be kept as a model; the architecture where it is not that of the given model.
    """

    decisions: Float[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]
    settings: str
    refits: Sequence[Float[np.ndarray, " n"]] = ()
    remark: str = ""
    guarantee: str = ""
    violation: tuple[float, float] = NOTHING
    needs_attribute: bool = False
    inputs: Float[np.ndarray, "n p"] | None = None
    network: nn.Module | None = None
    architecture: Architecture | None = None
    trials: Trials | None = field(default=None)


def kept(applied: Applied) -> dict[str, Any]:
    """Return the network as fields of a result; nothing where there is none to keep."""
    if applied.network is None:
        return {}
    state = [tensor.detach().double().cpu().flatten() for tensor in
             applied.network.state_dict().values()]  # fmt: skip
    other = applied.architecture
    return {
        "network": torch.cat(state).numpy() if state else np.zeros(0),
        "architecture": "" if other is None else other.model_dump_json(),
    }


def made_again(result: Remedies, model: Model) -> tuple[nn.Module, Architecture | None]:
    """Return the network that a result holds, and its architecture where that is another.

    Raises
    ------
    InvalidInputError
        If it holds none, or one that does not fit the model.
    """
    if not len(result.network):
        raise InvalidInputError(
            "The result holds no network; try the remedy alone with keep_network."
        )
    other = None
    if result.architecture:
        other = Architecture.model_validate_json(result.architecture)
        network = build_network(other, len(model.groups), len(model.output_names))
    else:
        network = deepcopy(model.network)
    state = network.state_dict()
    sizes = [tensor.numel() for tensor in state.values()]
    if sum(sizes) != len(result.network):
        raise InvalidInputError(f"The network of the result does not fit {model.name}.")
    parts = torch.from_numpy(result.network).split(sizes)
    network.load_state_dict({
        name: part.reshape(tensor.shape).to(tensor)
        for (name, tensor), part in zip(state.items(), parts, strict=True)
    })
    return network.eval(), other


def expected_counts(
    decisions: Float[np.ndarray, " n"],
    truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"],
    n_groups: int,
) -> Float[np.ndarray, "g 2 2"]:
    """Return the expected numbers of rows by group, truth and decision."""
    granted = np.ones(len(truth), dtype=np.int64)
    return confusion(granted, truth, group, n_groups, decisions) + confusion(
        granted - 1, truth, group, n_groups, 1 - decisions
    )


def accuracy_and_gap(
    decisions: Float[np.ndarray, " n"],
    truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"],
    n_groups: int,
    gap: str,
) -> tuple[float, float]:
    """Return the share decided rightly and a gap, as expected where a lot decides."""
    gaps = gaps_of(rates_of(expected_counts(decisions, truth, group, n_groups)))
    right = np.where(truth == 1, decisions, 1 - decisions).mean()
    return float(right), float(gaps[list(GAPS).index(gap)])


def least_gap(found: Float[np.ndarray, "t 2"], least_accuracy: float) -> int:
    """Return which has the least gap of those that are accurate enough; else the most accurate.

    Of equal gaps the more accurate one, of equal ones the first. A gap that is not defined is
    greater than any.
    """
    accuracy, gap = found[:, 0], np.where(np.isnan(found[:, 1]), np.inf, found[:, 1])
    enough = accuracy >= least_accuracy - 1e-12
    if not enough.any():
        return int(accuracy.argmax())
    return int(np.lexsort((-accuracy, np.where(enough, gap, np.inf), ~enough))[0])


def on_front(found: Float[np.ndarray, "t 2"]) -> Bool[np.ndarray, " t"]:
    """Tell whose accuracy and gap nobody betters in one without being worse in the other."""
    accuracy, gap = found[:, 0], np.where(np.isnan(found[:, 1]), np.inf, found[:, 1])
    as_good = (accuracy[:, None] >= accuracy) & (gap[:, None] <= gap)
    better = as_good & ((accuracy[:, None] > accuracy) | (gap[:, None] < gap))
    return np.asarray(~better.any(0))
