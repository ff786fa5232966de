"""Are interactions in the data? Networks trained on additive labels against those on real ones."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.context import Context, Progress
from workbench.core.errors import InvalidInputError
from workbench.core.interaction_test import InteractionTest
from workbench.core.method import METHODS, Cost, Method, always
from workbench.core.model import CHUNK_ROWS, BlackBox, Model
from workbench.core.table import SPLITS, Table
from workbench.engines.calls import provenance_of, true_values
from workbench.engines.interactions.additive_world import AdditiveWorld, as_target, make_world
from workbench.engines.interactions.bootstrap_params import BootstrapParams
from workbench.engines.interactions.candidates import (
    MOST_FEATURES,
    MOST_SETS,
    SCREEN_ROWS,
    chosen_pairs,
)
from workbench.engines.interactions.params import ScoresParams
from workbench.engines.interactions.scene import Scene, make_scene
from workbench.engines.interactions.scores import NAME as SCORES
from workbench.engines.interactions.scores import loss_unit
from workbench.numerics.chunks import slices
from workbench.numerics.fresh_starts import fresh_starts, kept_parameters, training_loss
from workbench.numerics.many_fits import GROUP, Addresses, fit_many
from workbench.numerics.null_band import STARTS, null_band
from workbench.numerics.row_losses import row_losses
from workbench.numerics.swaps import Set

NAME = "interactions.bootstrap"
TRAINING = 0xADD2
# Copies of all weights while networks train: gradients, moments, the best ones.
COPIES = 8


@dataclass(frozen=True)
class Measured:
    """One network: the share of each pair, and its loss on each row reported on."""

    shares: Float[np.ndarray, " s"]
    losses: Float[np.ndarray, " n"]


def _test(
    model: Model, rows: Table, table: Table, params: BootstrapParams, context: Context
) -> InteractionTest:
    started = time.perf_counter()
    _check_trainable(model)
    truth = as_target(true_values(model, rows), model)
    world = make_world(model, table, own_noise=params.noise == "own")
    scene = make_scene(
        model, rows, replace(context, progress=_retold(context.progress)), output="score",
        permutations=params.permutations, at_most=params.max_rows, labelled=False,
    )  # fmt: skip
    scene.expected = _cost(model, len(rows), len(table), params).evaluations
    variances = scene.outputs(model).var(0, correction=0).numpy()
    pairs = chosen_pairs(scene, model, variances)
    given = _measured(model, pairs, scene, rows, truth)
    found = [
        _measured(network, pairs, scene, rows, truth) for network in _networks(scene, world, params)
    ]
    logits = torch.from_numpy(world.additive.logits(rows.X.double().numpy()))
    additive = _losses(logits, truth, model.schema.n_classes)
    simulated, observed = found[: params.without], found[params.without :]
    return InteractionTest(
        provenance=provenance_of(
            NAME, model, rows, table, params, context, evaluations=scene.evaluations,
            chunk_rows=len(scene.rows), seconds=time.perf_counter() - started,
            notes=_notes(model, rows, table, scene),
        ),
        pairs=np.array(pairs, dtype=np.int64),
        given=given.shares,
        n_train=len(world.train.X),
        n_validation=len(world.validation.X),
        n_possible=math.comb(len(model.schema.features), 2),
        schema=model.schema,
        output_names=model.output_names,
        loss_unit=loss_unit(model),
        **_tested(observed, simulated, model, params),
        **_compared(additive, observed, given),
    )  # fmt: skip


def _check_trainable(model: Model) -> None:
    if isinstance(model.network, BlackBox):
        raise InvalidInputError(
            f"Model {model.name} is a black box, and a network that cannot be trained again says "
            "nothing of what training makes of data without interactions; choose a model of the "
            "catalogue."
        )


def _tested(
    observed: list[Measured], simulated: list[Measured], model: Model, params: BootstrapParams
) -> dict[str, Any]:
    """Hold shares against each other, pair by pair, with all pairs counted that there are."""
    real, without = (
        np.stack([own.shares for own in networks]) for networks in (observed, simulated)
    )
    by_labels = without.reshape(params.simulations, STARTS, -1)
    band = null_band(real, by_labels, n_tests=math.comb(len(model.schema.features), 2))
    return {
        "observed": real, "simulated": without, "band_low": band.low, "band_high": band.high,
        "p": band.p, "q": band.q, "shared": band.shared, "level": params.level,
        "in_data": band.q <= params.level,
    }  # fmt: skip


def _compared(
    additive: Float[np.ndarray, " n"], observed: list[Measured], given: Measured
) -> dict[str, Any]:
    """Hold losses against those of the additive model, row by row."""
    networks = np.stack([own.losses for own in observed])  # (a, n)
    excess, noise = _paired(networks.mean(0) - additive)
    between = float(networks.mean(1).std(ddof=1)) / math.sqrt(len(networks))
    own_excess, own_noise = _paired(given.losses - additive)
    loss, loss_noise = _paired(additive)
    return {
        "additive_loss": loss, "additive_loss_noise": loss_noise,
        "network_losses": networks.mean(1), "given_loss": float(given.losses.mean()),
        "network_excess": excess, "network_noise": math.hypot(noise, between),
        "given_excess": own_excess, "given_noise": own_noise,
    }  # fmt: skip


def _paired(differences: Float[np.ndarray, " n"]) -> tuple[float, float]:
    n = len(differences)
    noise = float(differences.std(ddof=1)) / math.sqrt(n)
    return float(differences.mean()), noise


def _networks(scene: Scene, world: AdditiveWorld, params: BootstrapParams) -> Iterator[Model]:
    """Train networks on labels of the additive model, and then on the real ones."""
    model, context, n = scene.model, scene.context, len(world.train.X)
    train, validation = world.train, world.validation
    inputs, held = (model.encode(torch.from_numpy(part.X)) for part in (train, validation))
    truth = as_target(train.y, model)
    loss, settings = training_loss(truth, model.schema.n_classes), params.training(n)
    for part in slices(params.networks, GROUP):
        numbers = tuple(range(part.start, part.stop))
        addresses = Addresses(TRAINING, numbers)
        drawn = [_labels(number, world, params, context) for number in numbers]
        own, own_held = (as_target(np.stack(part), model) for part in zip(*drawn, strict=True))
        best = fit_many(
            model.network, fresh_starts(model, truth, addresses, context), (inputs, own),
            torch.arange(n, device=model.device).expand(len(numbers), -1), (held, own_held), loss,
            settings, addresses, replace(context, progress=_counted(scene, len(numbers), world)),
        )  # fmt: skip
        for place in range(len(numbers)):
            yield _with_weights(model, {name: values[place] for name, values in best.items()})


def _labels(
    number: int, world: AdditiveWorld, params: BootstrapParams, context: Context
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " v"]]:
    """Return the labels that a network trains on and stops by: drawn ones, and then the real."""
    if number < params.without:
        return world.labels(number // STARTS, context)
    return world.train.y, world.validation.y


def _counted(scene: Scene, networks: int, world: AdditiveWorld) -> Progress:
    passes = networks * (len(world.train.X) + len(world.validation.X))

    def count(*_: object) -> None:
        scene.count(passes)

    return count


def _retold(tell: Progress | None) -> Progress | None:
    """Say of progress what it is of here."""
    if tell is None:
        return None
    return lambda done, total, _: tell(done, total, "rows through networks, training included")


def _with_weights(model: Model, weights: dict[str, Tensor]) -> Model:
    """Return the model with other weights."""
    other = model.to(model.device)
    other.network.load_state_dict(weights, strict=False)
    return other


@torch.no_grad()
def _measured(model: Model, pairs: list[Set], scene: Scene, rows: Table, truth: Tensor) -> Measured:
    variances = scene.outputs(model).var(0, correction=0)
    mixed = scene.measure(model, pairs).squared.values  # (s, k)
    shares = torch.where(variances > 0, mixed / variances.clamp(min=1e-300), 0.0).mean(1)
    logits = torch.cat([model.network(model.encode(X)) for X in rows.X.split(CHUNK_ROWS)])
    scene.count(len(rows))
    return Measured(shares.numpy(), _losses(logits, truth, model.schema.n_classes))


def _losses(logits: Tensor, truth: Tensor, n_classes: int) -> Float[np.ndarray, " n"]:
    found: np.ndarray = row_losses(logits.cpu(), truth.cpu(), n_classes).numpy()
    return found


def _notes(model: Model, rows: Table, table: Table, scene: Scene) -> tuple[str, ...]:
    notes = []
    if len(scene.rows) < len(rows):
        notes.append(f"pairs were scored on {len(scene.rows):,} of {len(rows):,} rows")
    if (d := len(model.schema.features)) > MOST_FEATURES:
        notes.append(
            f"of {math.comb(d, 2):,} pairs the {MOST_SETS} that were strongest in the given model "
            f"on {min(SCREEN_ROWS, len(scene.rows))} rows were tested; the others count as tested "
            "in vain"
        )
    ids = rows.ids.numpy()
    seen = sum(int(np.isin(ids, table.split(part).ids.numpy()).sum()) for part in SPLITS[:2])
    if seen:
        notes.append(
            f"{seen:,} of the {len(rows):,} rows reported on were trained on or stopped training: "
            "losses on them are too good"
        )
    if kept := kept_parameters(model.network):
        notes.append(kept.removesuffix("."))
    if any(True for _ in model.encoder.parameters()):
        notes.append("the vectors that stand for categories are those of the given model")
    return tuple(notes)


def _cost(model: Model, n_rows: int, n_table: int, params: BootstrapParams) -> Cost:
    scoring = METHODS[SCORES].cost(
        model, n_rows, 0,
        ScoresParams(permutations=params.permutations, max_rows=params.max_rows),
    )  # fmt: skip
    each = params.epochs * n_table + scoring.evaluations + n_rows
    weights = sum(own.numel() for own in model.network.parameters())
    widest = max([1, *(max(own.shape) for own in model.network.parameters() if own.ndim)])
    together = min(GROUP, params.networks)
    training = together * (COPIES * weights + COPIES * widest * (params.batch or 256))
    n_bytes = 8 * (training + n_table * len(model.groups) * 2)
    return Cost((params.networks + 1) * each, scoring.n_bytes + n_bytes)


METHODS.register(
    NAME,
    Method(
        title="Is it in the data",
        question="Which of the model's interactions are in the data, and which come with training?",
        explain=_test,
        params=BootstrapParams,
        yields=InteractionTest,
        needs=frozenset({"differentiable"}),
        uses=frozenset({"table", "labels"}),
        cost=_cost,
        trains=always,
        reference="Efron and Tibshirani (1993); Benjamini and Hochberg (1995)",
        weakness="Networks are trained by the workbench's own recipe, and what the additive model "
        "cannot follow, such as jumps of a curve, may pass for an interaction.",
    ),
)
