"""Decisions of a model, which other families of engines need as well."""

from workbench.engines.decided import Decided, decide, favourable_position

__all__ = ["Decided", "decide", "favourable_position"]
