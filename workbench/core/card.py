"""The card of a model: what it was made for, of what, and how well it does."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from workbench.core.schema import Schema

CARD_FORMAT = 1
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
Line = Annotated[str, Field(max_length=300)]
Text = Annotated[str, Field(max_length=10_000)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Metric(BaseModel):
    """A figure on a named split, with its 95 % interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Line
    value: Finite
    low: Finite
    high: Finite
    interval: Line = Field(description="How the interval was made.")
    split: Line
    n_rows: int = Field(ge=0)


class Architecture(BaseModel):
    """A name from the catalogue and its arguments; never code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Card(BaseModel):
    """Everything about a model but its numbers.

    What only the person who trained a model can know is optional, and empty where it was not said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(CARD_FORMAT, ge=1, le=CARD_FORMAT)
    name: str = Field(pattern=NAME_PATTERN)
    version: int = Field(ge=1)
    title: Line
    schema_: Schema = Field(alias="schema")
    encoder: Architecture
    network: Architecture
    metrics: tuple[Metric, ...] = ()
    training_table: Text = Field("", description="Bundled name or file of the training data.")
    training_digest: Line = ""
    training_rows: int = Field(0, ge=0)
    split: Text = Field("", description="How training, validation and test rows were told apart.")
    created_by: Text = Field("", description="The command that makes this model again.")
    seed: int = 0
    licence: Text = ""
    intended_use: Text = ""
    limits: Text = ""
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def schema(self) -> Schema:  # type: ignore[override]
        """The features and target that the model was made for."""
        return self.schema_
