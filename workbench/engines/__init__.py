"""One module or folder per family of methods; importing it registers them."""

import pkgutil
from functools import cache
from importlib import import_module

from workbench.core.method import METHODS, MethodRegistry


@cache
def registered_methods() -> MethodRegistry:
    """Return the methods of every engine; engines register theirs when they are imported."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        import_module(module.name)
    return METHODS
