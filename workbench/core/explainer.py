"""A trained explainer: two networks, the game they stand in for, and how far off they are."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field

from workbench.core.errors import InvalidInputError
from workbench.core.result import Result
from workbench.core.schema import Schema
from workbench.core.wording import counted, percent

Amortised = Literal["marginal", "conditional"]
MAX_LAYER_WIDTH = 4096
MAX_LAYERS = 16
LARGE_ERROR = 0.3


class Certificate(BaseModel):
    """How far an explainer is from the values it was trained for, on rows it never saw."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_rows: int = Field(ge=1, description="Held-out rows, in neither training nor early stop.")
    n_coalitions: int = Field(ge=1, description="Coalitions of each row whose value was asked for.")
    exact: bool = Field(description="Whether those are all coalitions.")
    against: str = Field(description="Whose values: those of the game, or of the surrogate.")
    loss: float = Field(description="Mean squared residual under the Shapley kernel, L.")
    lowest_loss: float = Field(description="The same of the exact values, L*.")
    mean_distance: float = Field(
        ge=0, description="Mean over rows of the L2 distance over features and outputs together."
    )
    rmse: float = Field(ge=0, description="Root mean square error of a value.")
    relative: float = Field(
        ge=0, description="Root of the squared distances' sum over that of the squared values."
    )

    @property
    def is_large(self) -> bool:
        """Whether the error is more than 30 % of the values, so that another method is better."""
        return self.relative > LARGE_ERROR


class Fidelity(BaseModel):
    """How well the surrogate gives the value of a coalition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss: float = Field(description="On validation rows with stored coalitions.")
    no_information: float = Field(
        description="The loss of the best constant answer; the surrogate must be below."
    )
    full: float = Field(ge=0, description="Mean |g(x, all) - f(x)| over validation rows.")
    rmse: float | None = Field(
        None, ge=0, description="Root mean square error of coalitions' values against the game's."
    )


@dataclass(frozen=True, eq=False)
class Explainer(Result):
    """Networks that answer for a model: one for the value of a coalition, one for the values.

    It holds numbers alone. Networks are built from the widths that it names and filled with its
    weights; whoever does so checks that they fit (``workbench.numerics.amortised``).

    Attributes
    ----------
    output, link, unit
        On which scale the model is explained.
    value
        What stands in for unknown features: ``marginal``, the rows of ``background``;
        ``conditional``, what goes with the known features in the training rows.
    surrogate_hidden, explainer_hidden
        Widths of the hidden layers.
    surrogate_weights, explainer_weights
        All numbers of the networks, one tensor after another.
    empty
        Value of the coalition of no features, by output.
    background, background_ids
        Rows of the game; without rows where the value is conditional.
    check_coalitions
        The coalitions of the residual check, paired.
    residual_limit
        Mean squared residual that 99 % of the validation rows stay below.
    errors
        Root mean square error of the values on held-out rows.
    history
        Validation loss of the explainer after each epoch.
    """

    kind: ClassVar[str] = "explainer"

    schema: Schema
    output_names: tuple[str, ...]
    output: Literal["probability", "score"]
    link: Literal["identity", "logit", "log-softmax"]
    unit: str
    value: Amortised
    surrogate_hidden: tuple[int, ...]
    explainer_hidden: tuple[int, ...]
    surrogate_weights: Float[np.ndarray, " s"]
    explainer_weights: Float[np.ndarray, " e"]
    empty: Float[np.ndarray, " k"]
    base_std_errors: Float[np.ndarray, " k"]
    background: Float[np.ndarray, "b d"]
    background_ids: Int[np.ndarray, " b"]
    check_coalitions: Bool[np.ndarray, "c d"]
    residual_limit: float
    errors: Float[np.ndarray, "d k"]
    history: Float[np.ndarray, " t"]
    certificate: Certificate
    fidelity: Fidelity
    background_std_errors: Float[np.ndarray, "d k"] | None = None
    background_dof: float | None = None

    def __post_init__(self) -> None:
        d, k = len(self.schema.features), len(self.output_names)
        shapes = {
            "empty": (k,), "base_std_errors": (k,), "errors": (d, k),
            "background": (len(self.background_ids), d),
            "check_coalitions": (len(self.check_coalitions), d),
        }  # fmt: skip
        if self.background_std_errors is not None:
            shapes["background_std_errors"] = (d, k)
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise InvalidInputError(
                    f"An explainer of {d} features and {k} outputs needs {name} of shape {shape}, "
                    f"got {getattr(self, name).shape}."
                )
        for name in ("surrogate_hidden", "explainer_hidden"):
            widths = getattr(self, name)
            if not 1 <= len(widths) <= MAX_LAYERS or not all(
                1 <= width <= MAX_LAYER_WIDTH for width in widths
            ):
                raise InvalidInputError(
                    f"An explainer has 1 to {MAX_LAYERS} hidden layers of 1 to {MAX_LAYER_WIDTH} "
                    f"units, {name} is {widths}."
                )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that decides its answers, the model's digest included."""
        asked = [
            self.provenance.model_digest, self.schema.model_dump(mode="json"), self.output,
            self.link, self.value, self.surrogate_hidden, self.explainer_hidden,
            self.residual_limit,
        ]  # fmt: skip
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
        for array in (
            self.surrogate_weights, self.explainer_weights, self.empty, self.background,
            self.check_coalitions, self.errors,
        ):  # fmt: skip
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def describe(self) -> str:
        """Return one line: what it explains, for whom, and how far off it is.

        It goes into notes of results and into lists.
        """
        c = self.certificate
        return (
            f"{self.output}, link {self.link}, {self.value}, for {self.provenance.model}: error "
            f"{percent(c.relative)} of the values on {counted(c.n_rows, 'held-out row')}"
        )
