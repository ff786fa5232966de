"""What may be chosen of a neighbourhood: how samples are made, and what is drawn."""

from typing import Literal

from pydantic import Field, model_validator

from workbench.core.local_functions import Operator
from workbench.core.model import Output
from workbench.core.params import Params
from workbench.core.schema import listing

Law = Literal[
    "auto", "normal", "uniform", "exponential", "shapley", "even", "single", "background"
]  # fmt: skip
# For each operator the laws that it knows, the usual one first.
LAWS: dict[Operator, tuple[str, ...]] = {
    "add": ("normal", "uniform"),
    "scale": ("uniform",),
    "mask": ("exponential", "shapley", "even", "single"),
    "resample": ("background",),
}
SCALED = frozenset({"normal", "uniform", "exponential", "background"})
USUAL: dict[Operator, float] = {"add": 0.25, "scale": 1.0, "mask": 1.0, "resample": 0.5}
MOST: dict[Operator, float] = {"add": 100.0, "scale": 1.0, "mask": 1000.0, "resample": 1.0}
# Where the kernel keeps a feature with a probability that is 1 in double precision, but for digits.
LEAST_WIDTH = 0.2
SCALE_WORDS: dict[Operator, str] = {
    "add": "standard deviations that numbers are moved by",
    "scale": "share of the way to the reference row",
    "mask": "width of the exponential kernel, in features removed",
    "resample": "share of the features that get the value of another row",
}


class OperatorParams(Params):
    """How samples around a row are made."""

    operator: Operator = Field(
        "add",
        description="Move numbers (add), go towards the reference row (scale), replace features "
        "by those of the reference row (mask), or by those of other rows (resample).",
    )
    law: Law = Field(
        "auto",
        description="What is drawn: normal or uniform moves for add; coalitions by the exponential "
        "or the Shapley kernel, each feature with probability 1/2 (even) or one feature at a time "
        "(single) for mask; scale knows uniform and resample background.",
    )
    output: Output = Field(
        "probability", description="Explain probabilities, or scores (log-odds, logits)."
    )

    @property
    def chosen_law(self) -> str:
        """The law, where it was left to the operator as well."""
        return LAWS[self.operator][0] if self.law == "auto" else self.law

    @model_validator(mode="after")
    def _law_fits(self) -> "OperatorParams":
        known = LAWS[self.operator]
        if self.law not in {"auto", *known}:
            raise ValueError(
                f"law {self.law!r} does not go with operator {self.operator!r}; choose "
                f"{listing(known)} or auto"
            )
        return self


def check_reach(operator: Operator, scale: float) -> None:
    """Refuse a scale that is too large for its operator, or that reaches nothing.

    Raises
    ------
    ValueError
        Saying what the scale measures and how large it may be.
    """
    what = f"scale ({scale:g}) of operator {operator!r} is the {SCALE_WORDS[operator]}; choose at"
    if scale > MOST[operator]:
        raise ValueError(f"{what} most {MOST[operator]:g}")
    if operator == "mask" and scale < LEAST_WIDTH:
        raise ValueError(f"{what} least {LEAST_WIDTH:g}, below which nothing is ever removed")
