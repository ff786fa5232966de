"""The command line: ``workbench list | explain | report | data | models | train | serve``."""

from workbench.cli.main import main

__all__ = ["main"]
