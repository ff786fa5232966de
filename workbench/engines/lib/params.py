"""What may be chosen of a Local Interaction Basis."""

from typing import Any, Literal

from pydantic import Field, field_validator

from workbench.core.params import Params


class LibParams(Params):
    """Settings of ``lib.graph``."""

    layers: tuple[str, ...] = Field(
        (), description="Layers to cut at, by name with commas between; by default all that can be."
    )
    fit_rows: int = Field(
        2000, ge=20, le=100_000, description="Training rows that bases and edges are made of."
    )
    curve_rows: int = Field(
        1000, ge=20, le=100_000, description="Rows on which features and edges are left out."
    )
    shown_rows: int = Field(200, ge=1, le=2000, description="Rows whose features are kept.")
    tolerance: float = Field(
        0.01, gt=0, lt=1,
        description="Loss of accuracy that still counts as kept; of a regression, the share by "
        "which the mean squared error may grow.",
    )  # fmt: skip
    rule: Literal["auto", "gradient", "gauss-legendre"] = Field(
        "auto",
        description="How gradients are integrated from zero: at the end alone, which is exact for "
        "layers that bend, or at 8 points; auto takes for each section what it needs.",
    )
    sources: int = Field(
        0, ge=0, le=64,
        description="Vectors of random signs that stand for all outputs of a section; 0 takes each "
        "output, unless there are too many.",
    )  # fmt: skip
    epsilon: float = Field(
        1e-10, ge=1e-14, le=1e-2,
        description="Share of the largest eigenvalue below which a direction is dropped.",
    )  # fmt: skip
    dtype: str = Field("float64", description="Precision of the analysis: float64 alone.")

    @field_validator("layers", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(part.strip() for part in given.split(",") if part.strip())
        return given

    @field_validator("layers")
    @classmethod
    def _differ(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(given)) < len(given):
            raise ValueError("a layer is named twice")
        return given

    @field_validator("dtype")
    @classmethod
    def _double(cls, given: str) -> str:
        if given != "float64":
            raise ValueError(
                "which directions are dropped would be decided by rounding in single precision, so "
                "the analysis runs in float64"
            )
        return given
