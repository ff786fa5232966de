"""Remedies that change the training: reductions to a sequence of weighted problems."""

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import CHUNK_ROWS
from workbench.engines.fairness.applied import (
    Applied,
    Trials,
    accuracy_and_gap,
    least_gap,
)
from workbench.engines.fairness.remedies_scene import PARTS, Scene

LEARNERS = {
    "last_layer": "a logistic regression on what the model's last layer reads: the network's own "
    "features stay, and each of many trainings takes a moment",
    "inputs": "a logistic regression on the model's encoded inputs: one solution for any start, "
    "but not the network itself",
    "network": "the whole network, trained again each time",
}
REMARK = "not measured: it would train as many learners again for each start"


def exponentiated_gradient(scene: Scene) -> Applied:
    """Train learners against the costs of gaps, and mix them."""
    from fairlearn.reductions import ExponentiatedGradient  # noqa: PLC0415 - seconds to import

    features, params = _features(scene), scene.params
    train = scene.parts["train"]
    learner = Learner(scene, params.rounds)
    mixture = ExponentiatedGradient(
        learner, _constraint(scene, params.eps), eps=params.eps, max_iter=params.rounds,
    )  # fmt: skip
    with _without_their_warnings():
        mixture.fit(features["train"], train.truth, sensitive_features=train.group)
    shares = [(float(mixture.weights_[t]), mixture.predictors_[t]) for t in mixture.weights_.index]
    used = [(share, own) for share, own in shares if share > 1e-9]
    total = sum(share for share, _ in used)

    def mixed(part: str, ask: str) -> Float[np.ndarray, " n"]:
        # Where costs leave one label alone, fairlearn takes a rule without scores.
        found = sum(
            share / total * getattr(own, ask if isinstance(own, Learner) else "predict")(
                features[part]
            )
            for share, own in used
        )  # fmt: skip
        return np.clip(_snapped(np.asarray(found, dtype=np.float64)), 0.0, 1.0)

    found = violation(mixed("train", "predict"), train.truth, train.group, params.constraint)
    bound = 2 * (params.eps + float(mixture.best_gap_))
    return Applied(
        decisions=mixed("test", "predict"), scores=mixed("test", "score"),
        settings=f"{len(used)} learners with shares "
        f"{', '.join(f'{share / total:.3f}' for share, _ in used)}; each is "
        f"{LEARNERS[params.learner]}",
        remark=REMARK,
        guarantee=f"On the training rows no group is further than {bound:.4f} from all rows.",
        violation=(found, bound), needs_attribute=bool(scene.read),
    )  # fmt: skip


def grid_search(scene: Scene) -> Applied:
    """Train learners on a grid of costs, and keep one."""
    from fairlearn.reductions import GridSearch  # noqa: PLC0415 - seconds to import

    features, params, gap = _features(scene), scene.params, scene.params.gap
    train, held = scene.parts["train"], scene.parts["validation"]
    learner = Learner(scene, params.grid)
    search = GridSearch(learner, _constraint(scene, None), grid_size=params.grid)
    with _without_their_warnings():
        search.fit(features["train"], train.truth, sensitive_features=train.group)
    own = scene.decided(scene.model.network, "validation").decided.astype(np.float64)
    decisions = [_decisions(one, features["validation"]) for one in search.predictors_]
    found = np.array([
        accuracy_and_gap(one, held.truth, held.group, scene.n_groups, gap) for one in decisions
    ])
    least = accuracy_and_gap(own, held.truth, held.group, scene.n_groups, gap)[0] - params.within
    chosen = least_gap(found, least)
    words = tuple(
        f"cost {number + 1}: " + ", ".join(f"{value:.3g}" for value in costs)
        for number, costs in enumerate(search.lambda_vecs_.to_numpy().T)
    )
    test = np.stack([_decisions(one, features["test"]) for one in search.predictors_])
    kept = search.predictors_[chosen]
    scores = kept.score(features["test"]) if isinstance(kept, Learner) else test[chosen]
    network = _as_last_layer(scene, kept)
    if network is not None:  # what is kept is what is judged, to the last row
        judged = scene.decided(network, "test")
        test[chosen], scores = judged.decided.astype(np.float64), judged.scores
    return Applied(
        decisions=test[chosen], scores=scores, network=network,
        settings=f"{words[chosen]}; the learner is {LEARNERS[params.learner]}", remark=REMARK,
        needs_attribute=bool(scene.read), trials=Trials(words, found, test, chosen),
    )  # fmt: skip


@contextmanager
def _without_their_warnings() -> Iterator[None]:
    """Silence what newer pandas says of how fairlearn builds a table: no number hangs on it."""
    with warnings.catch_warnings():
        for kind in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", kind)
        yield


def _decisions(learner: Any, features: Float[np.ndarray, "n f"]) -> Float[np.ndarray, " n"]:
    return np.asarray(learner.predict(features), dtype=np.float64)


def _snapped(chances: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Shares add up to 1 up to rounding: what all learners agree on is no lot."""
    whole = chances.round()
    return np.where(np.abs(chances - whole) < 1e-9, whole, chances)


def violation(
    chances: Float[np.ndarray, " n"],
    truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"],
    constraint: str,
) -> float:
    r"""Return the greatest distance of a group from all rows under a constraint.

    .. math:: \max_{g,e} \bigl| E[h \mid g, e] - E[h \mid e] \bigr|

    with events :math:`e` all rows (parity), those with the favourable outcome (equal
    opportunity), or those with and those without it (equalized odds).
    """
    events = {
        "demographic_parity": [np.ones(len(truth), bool)], "equal_opportunity": [truth == 1],
        "equalized_odds": [truth == 1, truth == 0],
    }[constraint]  # fmt: skip
    distances = [
        abs(chances[event & (group == g)].mean() - chances[event].mean())
        for event in events
        for g in np.unique(group)
        if (event & (group == g)).any()
    ]
    return float(max(distances))


def _constraint(scene: Scene, eps: float | None) -> Any:
    from fairlearn import reductions  # noqa: PLC0415 - seconds to import

    kinds = {
        "demographic_parity": reductions.DemographicParity,
        "equal_opportunity": reductions.TruePositiveRateParity,
        "equalized_odds": reductions.EqualizedOdds,
    }
    kind = kinds[scene.params.constraint]
    return kind() if eps is None else kind(difference_bound=eps)


def _features(scene: Scene) -> dict[str, Float[np.ndarray, "_ f"]]:
    """Return what the learner reads: standardised by the training rows, unless it is a network."""
    read = (
        _before_last(scene.model.network)
        if scene.params.learner == "last_layer"
        else lambda inputs: inputs
    )
    found = {
        name: torch.cat([read(rows) for rows in scene.parts[name].inputs.split(CHUNK_ROWS)])
        .double().cpu().numpy()
        for name in PARTS
    }  # fmt: skip
    if scene.params.learner == "last_layer":
        scene.evaluations += sum(len(part) for part in scene.parts.values())
    if scene.params.learner == "network":
        return found
    mean, spread, varies = _scale(found["train"])
    return {
        name: (values[:, varies] - mean[varies]) / spread[varies] for name, values in found.items()
    }


def _scale(
    train: Float[np.ndarray, "n f"],
) -> tuple[Float[np.ndarray, " f"], Float[np.ndarray, " f"], Bool[np.ndarray, " f"]]:
    """Return mean and spread of what the learner reads, and which of it varies."""
    spread = train.std(0)
    return train.mean(0), spread, np.asarray(spread > 1e-12)


def _as_last_layer(scene: Scene, learner: Any) -> nn.Module | None:
    """Return the model's network with a learner in place of its last layer, where that can be.

    It takes two classes, and a last linear layer that gives the outputs themselves.
    """
    if (
        scene.params.learner != "last_layer"
        or not isinstance(learner, Learner)
        or len(scene.model.schema.classes) != 2
    ):
        return None
    network = copy.deepcopy(scene.model.network)
    part = scene.parts["train"]
    read = _before_last(network)
    raw = torch.cat([read(rows) for rows in part.inputs.split(CHUNK_ROWS)]).double().cpu().numpy()
    mean, spread, varies = _scale(raw)
    weight = np.zeros(raw.shape[1])
    weight[varies] = learner.fitted.coef_[0] / spread[varies]
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    if last.bias is None or last.weight.shape != (2, len(weight)):
        return None
    with torch.no_grad():
        last.weight.zero_()
        last.bias.zero_()
        last.weight[scene.position] = torch.from_numpy(weight).to(last.weight)
        last.bias[scene.position] = float(learner.fitted.intercept_[0] - weight @ mean)
    sample = slice(0, 200)
    chances = scene.decided(network, "train", part.inputs[sample]).scores
    wanted = learner.fitted.predict_proba(((raw - mean) / np.where(varies, spread, 1))[:, varies])
    same = np.allclose(chances, wanted[sample, 1], atol=1e-3)
    return network.eval() if same else None


def _before_last(network: nn.Module) -> Any:
    """Return a function that gives what the last linear layer of a network reads."""
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise InvalidInputError(
            "The network has no linear layer whose inputs could be read; set learner to inputs."
        )

    @torch.no_grad()
    def read(inputs: Tensor) -> Tensor:
        seen: list[Tensor] = []
        hook = layers[-1].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            network(inputs)
        finally:
            hook.remove()
        return seen[-1]

    return read


class Learner:
    """What fairlearn trains: fits 0 and 1 with weights, and says which of both.

    Each copy that is fitted counts as a training and is a step that can be cancelled.
    """

    def __init__(self, scene: Scene, total: int) -> None:
        self.scene, self.total = scene, total
        self.fitted: Any = None

    def __deepcopy__(self, _: Any) -> "Learner":
        """Share the scene: only what is fitted is a copy's own."""
        return Learner(self.scene, self.total)

    def fit(
        self, X: Any, y: Any, sample_weight: Any
    ) -> "Learner":  # fmt: skip
        """Fit to weighted rows; weights are rescaled to a mean of 1."""
        scene = self.scene
        labels, weights = np.asarray(y).ravel(), np.asarray(sample_weight, dtype=np.float64)
        weights = weights / max(float(weights.mean()), np.finfo(float).tiny)
        if scene.params.learner == "network":
            self.fitted = _network(scene, labels, weights)
        else:
            self.fitted = _logistic(np.asarray(X), labels, weights)
            scene.trainings += 1
        context: Context = scene.working()
        context.step(min(scene.trainings, self.total), self.total, "learners trained")
        return self

    def score(self, X: Any) -> Float[np.ndarray, " n"]:
        """Return the probability of 1."""
        X = np.asarray(X)
        if self.scene.params.learner != "network":
            return np.asarray(self.fitted.predict_proba(X)[:, 1])
        first = self.scene.parts["train"].inputs
        with torch.no_grad():
            logits = self.fitted(torch.from_numpy(X).to(first)).double()
        return np.asarray(logits.softmax(-1)[:, self.scene.position].cpu().numpy())

    def predict(self, X: Any) -> Int[np.ndarray, " n"]:
        """Return 0 or 1."""
        return (self.score(X) > 0.5).astype(np.int64)


def _logistic(
    X: Float[np.ndarray, "n f"], y: Int[np.ndarray, " n"], weights: Float[np.ndarray, " n"]
) -> Any:
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - a second to import
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    with warnings.catch_warnings():
        # The last digits of coefficients decide nothing here, and the mixture is judged as found.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(max_iter=200, tol=1e-4).fit(X, y, sample_weight=weights)


def _network(
    scene: Scene, labels: Int[np.ndarray, " n"], weights: Float[np.ndarray, " n"]
) -> nn.Module:
    """Train the network for the favourable class against one other.

    The early stop looks at validation rows as they are: their labels and costs are not known to
    the reduction.
    """
    other = 0 if scene.position else 1
    codes = torch.from_numpy(np.where(labels == 1, scene.position, other))
    held = scene.parts["validation"]
    theirs = torch.from_numpy(np.where(held.truth == 1, scene.position, other))
    return scene.train(
        1, labels=(codes, theirs), row_weights=(weights, np.ones(len(held)))
    )[0]  # fmt: skip
