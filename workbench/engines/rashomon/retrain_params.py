"""What may be chosen where models are trained again."""

from dataclasses import replace
from typing import Literal

from pydantic import Field

from workbench.engines.rashomon.churn_params import ChurnParams
from workbench.engines.rashomon.params import SearchParams, SetParams
from workbench.engines.training_params import Batch, Decay, Epochs, Patience, Rate
from workbench.numerics.fitting import FitSettings
from workbench.numerics.many_fits import GROUP, USUAL, usual_batch

Resample = Literal["none", "half", "all"]
KEY = "retraining"
MOST_BESIDE = 100


class RetrainParams(SetParams):
    """Settings of ``rashomon.retrain``."""

    models: int = Field(
        50, ge=2, le=10_000, description="Models that are trained, and that other explorers try."
    )
    explorers: tuple[str, ...] = Field(
        (KEY,), min_length=1, max_length=20,
        description="Who looks for models, by name with commas between: retraining, and those to "
        "see beside it.",
    )  # fmt: skip
    resample: Resample = Field(
        "half",
        description="Which models train on a bootstrap sample of the training rows: none, every "
        "second, or all; each has its own start and order of rows anyway.",
    )
    epochs: Epochs = USUAL.epochs
    batch: Batch = None
    rate: Rate = USUAL.rate
    decay: Decay = USUAL.decay
    patience: Patience = Field(
        USUAL.patience,
        description="Epochs without a smaller loss on the admission rows until training stops.",
    )


def trains_again(params: SetParams | ChurnParams) -> bool:
    """Whether one of those who look for models trains them."""
    return KEY in params.explorers


def training_of(params: SearchParams, n_rows: int) -> FitSettings:
    """Return how each model is trained on so many rows."""
    batch = usual_batch(n_rows)
    if not isinstance(params, RetrainParams):
        return replace(USUAL, batch=batch)
    return FitSettings(
        params.epochs, params.batch or batch, params.rate, params.decay, params.patience
    )


def number_of(params: SearchParams) -> int:
    """Return how many models are trained: not thousands where cheaper ones are tried as well."""
    return params.models if isinstance(params, RetrainParams) else min(params.models, MOST_BESIDE)


def training_passes(params: SearchParams, n_train: int, n_admission: int) -> int:
    """Return how many rows times models go through networks while they are trained, at most."""
    groups = -(-number_of(params) // GROUP)
    epochs = training_of(params, n_train).epochs
    return groups * GROUP * epochs * (n_train + n_admission)
