"""How a result came about: enough to make it again and to see whether it still holds."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from workbench.core.wording import counted


class Provenance(BaseModel):
    """The record that travels with every result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str = Field(description="Registered name of the method.")
    title: str = Field(description="Title of the method.")
    reference: str = Field(description="Paper that describes the method.")
    params: dict[str, Any] = Field(description="Every parameter, defaults included.")
    seed: int
    model: str = Field(description="name@version")
    model_digest: str
    table: str
    table_digest: str = Field(description="Digest of the rows that were explained.")
    n_rows: int
    background: str = Field(description="Where the background rows come from.")
    background_digest: str
    n_background: int
    evaluations: int = Field(description="Rows that went through the network.")
    chunk_rows: int = Field(description="Rows per network pass.")
    seconds: float
    device: str
    dtype: str
    versions: dict[str, str] = Field(description="workbench, torch, numpy, python")
    created: str = Field(description="UTC, ISO 8601")
    notes: tuple[str, ...] = Field((), description="Choices made for the user, with reasons.")

    def describe(self) -> str:
        """Return one line for the foot of a figure."""
        return " · ".join((
            self.method,
            f"{counted(self.n_rows, 'row')} of {self.table}",
            f"background: {self.background}",
            *self._unknown(),
            f"{self.model} sha256 {self.model_digest[:8]}",
            f"table sha256 {self.table_digest[:8]}",
            f"seed {self.seed}",
            f"{counted(self.evaluations, 'model evaluation')} in {self.seconds:.2f} s on "
            f"{self.device}",
            self.reference,
        ))

    def _unknown(self) -> tuple[str, ...]:
        """Name what stands in for unknown features, where it is not each background row."""
        value = self.params.get("value", "marginal")
        return () if value == "marginal" else (f"unknown features: {value}",)
