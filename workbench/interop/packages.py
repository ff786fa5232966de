"""Packages that are only loaded for those who use them."""

from importlib import import_module
from typing import Any

from workbench.core.errors import InvalidInputError


def package_of(thing: object) -> str:
    """Name the package that an object's class is from, without loading it."""
    return type(thing).__module__.partition(".")[0]


def load_package(name: str, what: str) -> Any:
    """Load a package that the workbench does without.

    Raises
    ------
    InvalidInputError
        If it is not installed; the message says how to install it.
    """
    try:
        return import_module(name)
    except ImportError:
        raise InvalidInputError(
            f"{what} needs the package {name}, which is not installed; run pip install {name}."
        ) from None
