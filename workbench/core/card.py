"""The card of a model: what it was made for, of what, and how well it does."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from workbench.core.schema import Schema

CARD_FORMAT = 1


class Metric(BaseModel):
    """A figure on a named split, with its 95 % interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: float
    low: float
    high: float
    interval: str = Field(description="How the interval was made.")
    split: str
    n_rows: int


class Architecture(BaseModel):
    """A name from the catalogue and its arguments; never code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Card(BaseModel):
    """Everything about a model but its numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(CARD_FORMAT, ge=1, le=CARD_FORMAT)
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    version: int = Field(ge=1)
    title: str
    schema_: Schema = Field(alias="schema")
    encoder: Architecture
    network: Architecture
    metrics: tuple[Metric, ...]
    training_table: str = Field(description="Bundled name or file of the training data.")
    training_digest: str
    training_rows: int
    split: str = Field(description="How training, validation and test rows were told apart.")
    created_by: str = Field(description="The command that makes this model again.")
    seed: int
    licence: str
    intended_use: str
    limits: str
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def schema(self) -> Schema:  # type: ignore[override]
        """The features and target that the model was made for."""
        return self.schema_
