"""Remedies that choose among trained networks, on validation rows."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from torch import nn

from workbench.core.card import Architecture
from workbench.engines.fairness.applied import (
    Applied,
    Trials,
    accuracy_and_gap,
    least_gap,
)
from workbench.engines.fairness.remedies_scene import Scene
from workbench.numerics.fitting import FitSettings
from workbench.registry.architectures import build_network

# Addresses of random numbers, apart from those of starts.
SEARCH = 0xFA13
FIRST_CANDIDATE, FIRST_TRIAL = 1000, 100_000
WIDTHS = (16, 32, 64, 128, 256)
DEPTHS = (1, 2, 3)
DROPOUTS = (0.0, 0.1, 0.2, 0.3, 0.5)
DECAYS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
RATES = (3e-4, 1e-3, 3e-3, 1e-2)
AGAIN = 0.05


def selection(scene: Scene) -> Applied:
    """Train from several starts, and keep the network of least gap among the accurate ones."""
    params = scene.params
    networks = scene.train(params.candidates, first=FIRST_CANDIDATE)
    found, test, scores = _judged(scene, networks)
    chosen = least_gap(found, float(found[:, 0].max()) - params.within)
    others = [test[at] for at in range(len(networks)) if at != chosen][: params.refits]
    words = tuple(f"start {number + 1}" for number in range(len(networks)))
    remark = "" if len(others) == params.refits else "not measured: too few candidates"
    return Applied(
        decisions=test[chosen], scores=scores[chosen],
        settings=f"{words[chosen]} of {len(networks)}, chosen on validation rows among those "
        f"within {params.within:.3g} of the best accuracy",
        refits=others if not remark else (), remark=remark, needs_attribute=bool(scene.read),
        network=networks[chosen], trials=Trials(words, found, np.stack(test), chosen),
    )  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """Settings of a network and of its training, as places in the grids above."""

    places: tuple[int, ...]

    def architecture(self) -> Architecture:
        """Return the network's make."""
        width, depth, dropout, *_ = self.places
        return Architecture(name="mlp", arguments={
            "hidden": [WIDTHS[width]] * DEPTHS[depth], "dropout": DROPOUTS[dropout],
        })  # fmt: skip

    def training(self, usual: FitSettings) -> FitSettings:
        """Return how it is trained."""
        *_, decay, rate, epochs = self.places
        return replace(
            usual, decay=DECAYS[decay], rate=RATES[rate],
            epochs=max(1, usual.epochs * (1 + epochs) // 3),
        )  # fmt: skip

    def said(self, usual: FitSettings) -> str:
        """Return the settings in words."""
        width, depth, dropout, *_ = self.places
        how = self.training(usual)
        return (
            f"{DEPTHS[depth]} x {WIDTHS[width]} units, dropout {DROPOUTS[dropout]:g}, decay "
            f"{how.decay:g}, rate {how.rate:g}, up to {how.epochs} epochs"
        )


SIZES = (len(WIDTHS), len(DEPTHS), len(DROPOUTS), len(DECAYS), len(RATES), 3)


def hyperparameters(scene: Scene) -> Applied:
    """Search settings for the least gap: half of the trials at random, then by small changes."""
    params, usual = scene.params, scene.params.training(len(scene.parts["train"]))
    own = scene.decided(scene.model.network, "validation").decided.astype(np.float64)
    held = scene.parts["validation"]
    least = (
        accuracy_and_gap(own, held.truth, held.group, scene.n_groups, params.gap)[0] - params.within
    )
    rng = scene.context.stream(SEARCH)
    tried: list[Choice] = []
    networks: list[nn.Module] = []
    found = np.zeros((0, 2))
    test: list[Float[np.ndarray, " n"]] = []
    scores: list[Float[np.ndarray, " n"]] = []
    for number in range(params.trials):
        parent = None if number < (params.trials + 1) // 2 else tried[least_gap(found, least)]
        choice = propose(rng, parent, tried)
        network = _trained(scene, choice, usual, FIRST_TRIAL + number, 1)[0]
        values, decisions, chances = _judged(scene, [network])
        tried.append(choice)
        networks.append(network)
        found = np.concatenate([found, values])
        test += decisions
        scores += chances
        scene.working().step(number + 1, params.trials, "networks of other settings")
    chosen = least_gap(found, least)
    refits: list[Float[np.ndarray, " n"]] = []
    if params.refits:
        first = FIRST_TRIAL + params.trials
        others = _trained(scene, tried[chosen], usual, first, params.refits)
        refits = _judged(scene, others)[1]
    words = tuple(choice.said(usual) for choice in tried)
    return Applied(
        decisions=test[chosen], scores=scores[chosen],
        settings=f"{words[chosen]}; chosen on validation rows among {len(words)}", refits=refits,
        needs_attribute=bool(scene.read), network=networks[chosen],
        architecture=tried[chosen].architecture(),
        trials=Trials(words, found, np.stack(test), chosen),
    )  # fmt: skip


def propose(rng: np.random.Generator, parent: Choice | None, tried: list[Choice]) -> Choice:
    """Return settings not tried before: drawn afresh, or the parent's with one moved.

    A setting moves to a neighbour in its grid, or now and then anywhere. The parent stays as it
    is.
    """
    for _ in range(100):
        if parent is None or rng.random() < AGAIN:
            found = Choice(tuple(int(rng.integers(size)) for size in SIZES))
        else:
            places = list(parent.places)
            at = int(rng.integers(len(SIZES)))
            step = int(rng.integers(SIZES[at])) if rng.random() < 0.4 else places[at]
            if step == places[at]:
                step += 1 if rng.random() < 0.5 else -1
            places[at] = min(SIZES[at] - 1, max(0, step))
            found = Choice(tuple(places))
        if found not in tried:
            return found
    return found


def _trained(
    scene: Scene, choice: Choice, usual: FitSettings, first: int, count: int
) -> list[nn.Module]:
    inputs = scene.parts["train"].inputs
    n_outputs = len(scene.model.schema.output_names)
    network = build_network(choice.architecture(), inputs.shape[1], n_outputs).to(inputs)
    network.eval().requires_grad_(requires_grad=False)
    return scene.train(count, network=network, settings=choice.training(usual), first=first)


def _judged(
    scene: Scene, networks: list[nn.Module]
) -> tuple[Float[np.ndarray, "t 2"], list[Float[np.ndarray, " n"]], list[Float[np.ndarray, " n"]]]:
    """Return accuracy and gap on validation rows, and decisions and scores on test rows."""
    held = scene.parts["validation"]
    values, decisions, scores = [], [], []
    for network in networks:
        own = scene.decided(network, "validation").decided.astype(np.float64)
        values.append(
            accuracy_and_gap(own, held.truth, held.group, scene.n_groups, scene.params.gap)
        )
        test = scene.decided(network, "test")
        decisions.append(test.decided.astype(np.float64))
        scores.append(test.scores)
    return np.array(values).reshape(-1, 2), decisions, scores
