"""What may be chosen where people at the boundary are looked for."""

from typing import Literal

from pydantic import Field, field_validator

from workbench.engines.fairness.params import GroupParams

Who = Literal["everybody", "refused", "approved", "wrongly_refused", "wrongly_approved"]


class PeopleParams(GroupParams):
    """Settings of ``fairness.people``."""

    who: Who = Field(
        "everybody",
        description="Among whom the closest to the boundary are taken; refused means not decided "
        "for the favourable class, wrongly that the label says otherwise.",
    )
    max_people: int = Field(
        50, ge=1, le=1000,
        description="People at most who are looked at in full: protected attributes changed, and "
        "the most similar person with the other decision.",
    )  # fmt: skip
    people: str = Field(
        "",
        description="Row numbers of people to look at in full in place of the closest, separated "
        "by commas.",
    )
    models: int = Field(
        200, ge=0, le=100_000,
        description="Equally good models that are tried at most; 0 asks the given one alone.",
    )  # fmt: skip
    tolerance: float = Field(
        0.01, ge=0, le=10,
        description="By how much the cross-entropy of a model, in nats, may exceed the given "
        "model's to count as equally good.",
    )  # fmt: skip
    admission_rows: int = Field(
        2000, ge=2, le=10_000_000,
        description="Validation rows at most that say which models are as good; of more, a "
        "sample.",
    )  # fmt: skip

    @field_validator("people")
    @classmethod
    def _are_numbers(cls, given: str) -> str:
        parts = [part.strip() for part in given.split(",") if part.strip()]
        if any(not (part.isascii() and part.isdigit() and len(part) < 16) for part in parts):
            raise ValueError("row numbers are whole numbers with commas between, such as 17,203")
        return ",".join(dict.fromkeys(parts))

    @property
    def rows_asked_for(self) -> tuple[int, ...]:
        """Row numbers of the people named."""
        return tuple(int(part) for part in self.people.split(",") if part)
