"""Models trained again, from other starts and on other samples of the training rows."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.core.context import Context
from workbench.core.encoder import TabularArguments, TabularEncoder
from workbench.core.model import BlackBox, Model
from workbench.engines.rashomon.params import SearchParams
from workbench.engines.rashomon.retrain_params import (
    Resample,
    RetrainParams,
    number_of,
    training_of,
)
from workbench.engines.rashomon.scene import Scene, labels
from workbench.engines.rashomon.search import Search
from workbench.numerics.chunks import slices
from workbench.numerics.flat_weights import flat_weights
from workbench.numerics.fresh_starts import fresh_starts, kept_parameters, training_loss
from workbench.numerics.many_fits import GROUP, Addresses, fit_many
from workbench.numerics.stream.family import Members
from workbench.numerics.stream.moved import Moved

TRAINING, SAMPLE = 0x7EA1, 0
STAND_IN = (64, 64)
REMARK = (
    "Training stops by the loss on the same rows that admit models, and models that stopped early "
    "resemble each other: the set leans towards short training."
)


class StandIn(nn.Module):
    """A network for the raw features of a black box, of which only answers are known."""

    def __init__(self, encoder: TabularEncoder, n_outputs: int) -> None:
        super().__init__()
        self.encoder = encoder
        widths = (len(encoder.groups), *STAND_IN)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], n_outputs)).double()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits or values ``[n, k]`` of raw rows."""
        logits: Tensor = self.layers(self.encoder(inputs))
        return logits


def explore_retraining(
    scene: Scene, explorer: str, _: tuple[float, ...], params: SearchParams
) -> Search:
    """Train models from scratch; where the given one is a black box, networks of our own."""
    model, said = _trainable(scene)
    train = scene.table.split("train")
    settings = training_of(params, len(train))
    resample = params.resample if isinstance(params, RetrainParams) else "half"
    truth = labels(scene.model, train).to(scene.inputs.device)
    data = scene.model.encode(train.X), _as_target(truth, scene)
    admission = scene.admission_inputs, _as_target(scene.truth, scene)
    flat = flat_weights(model.network)
    loss = training_loss(truth, scene.classes)

    def count(*_: object) -> None:
        scene.count(GROUP * (len(train) + len(scene.admission)))

    watched = replace(scene.context, progress=count)

    def group(number: int) -> Float[Tensor, "g p"]:
        addresses = Addresses(TRAINING, tuple(range(number * GROUP, (number + 1) * GROUP)))
        start = fresh_starts(model, truth, addresses, scene.context)
        picks = _picks(len(train), resample, addresses, scene.context).to(truth.device)
        best = fit_many(
            model.network, start, data, picks, admission, loss, settings, addresses,
            watched,
        )  # fmt: skip
        return flat.join(best) - flat.start

    def ways(numbers: Int[Tensor, " b"]) -> Float[Tensor, "b p"]:
        groups, place = (numbers // GROUP).unique(return_inverse=True)
        moves = torch.stack([group(int(number)) for number in groups])
        return moves[place.to(moves.device), (numbers % GROUP).to(moves.device)]

    family = Moved(explorer, model, flat, ways)
    remarks = (*said, kept_parameters(model.network), REMARK)
    return Search(family, _members(number_of(params)), " ".join(remarks).strip())


def retraining_passes(_: Model, n_admission: int, n_rows: int, params: SearchParams) -> int:
    """Return how many rows times models are tried at most, training not counted."""
    return number_of(params) * (n_admission + n_rows)


def _members(n: int) -> Iterator[Members]:
    for part in slices(n, GROUP):
        numbers = torch.arange(part.start, part.stop)
        ones = torch.ones(len(numbers), dtype=torch.float64)
        yield Members(numbers, ones, ones)


def _trainable(scene: Scene) -> tuple[Model, tuple[str, ...]]:
    """Return a model whose network can be trained, and what to say of it."""
    if not isinstance(scene.model.network, BlackBox):
        return scene.model, ()
    encoder = TabularEncoder(scene.model.schema, TabularArguments())
    encoder.fit(scene.table.split("train").X)
    with torch.random.fork_rng(devices=[]):
        network = StandIn(encoder.double(), len(scene.model.output_names))
    widths = " and ".join(str(width) for width in STAND_IN)
    said = (
        f"The given model cannot be trained again: it is a black box. Networks with {widths} "
        "hidden units stand in for it."
    )
    return replace(scene.model, network=network), (said,)


def _picks(
    n: int, resample: Resample, addresses: Addresses, context: Context
) -> Int[Tensor, "b n"]:
    """Return the rows that each network trains on: all, or as many drawn with replacement."""
    rows = []
    for number in addresses.numbers:
        drawn = resample == "all" or (resample == "half" and number % 2 == 1)
        rng = context.stream(TRAINING, number, SAMPLE)
        rows.append(torch.from_numpy(rng.integers(0, n, n)) if drawn else torch.arange(n))
    return torch.stack(rows)


def _as_target(truth: Float[Tensor, " n"] | Int[Tensor, " n"], scene: Scene) -> Tensor:
    return truth if scene.classes else truth.to(scene.inputs.dtype)
