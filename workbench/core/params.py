"""The base of every method's parameter model: one definition for form, flags, file and docs."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.core.errors import InvalidInputError
from workbench.core.schema import listing
from workbench.core.wording import dotted


class Params(BaseModel):
    """What a user may choose of a method; each field has bounds, a default and a description."""

    model_config = ConfigDict(frozen=True, extra="forbid")


SomeParams = TypeVar("SomeParams", bound=Params)


def parse_params(kind: type[SomeParams], values: Mapping[str, Any]) -> SomeParams:
    """Check all settings at once.

    Raises
    ------
    InvalidInputError
        Naming every field that does not fit and why.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        faults = [_sentence(kind, fault) for fault in error.errors()]
        raise InvalidInputError(f"Settings do not fit: {'; '.join(faults)}.") from None


def _sentence(kind: type[Params], fault: Mapping[str, Any]) -> str:
    name = dotted(fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{name} is not a setting, choose among {listing(kind.model_fields, limit=20)}"
    reason = fault["msg"].removeprefix("Value error, ")
    if not name:  # of several fields together, which the reason names
        return reason
    return f"{name}: {reason[0].lower()}{reason[1:]}, got {fault['input']!r}"
