"""Settings of methods that train networks: each says its own default."""

from typing import Annotated

from pydantic import Field

from workbench.numerics.many_fits import BATCHES

Epochs = Annotated[
    int, Field(ge=1, le=10_000, description="Passes over the training rows at most.")
]
Batch = Annotated[
    int | None,
    Field(
        ge=2, le=65_536,
        description="Rows in a training step; by default a tenth of the training rows, from "
        f"{BATCHES[0]} to {BATCHES[1]}.",
    ),
]  # fmt: skip
Rate = Annotated[float, Field(gt=0, le=1, description="Learning rate of Adam.")]
Decay = Annotated[
    float, Field(ge=0, le=10, description="Weight decay, apart from the loss (AdamW).")
]
Patience = Annotated[
    int,
    Field(
        ge=1, le=10_000,
        description="Epochs without a smaller loss on the validation rows until training stops.",
    ),
]  # fmt: skip
