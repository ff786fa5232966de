"""The browser that prints: which one it is, and whether it can be spoken to."""

import os
import shutil
import subprocess
from functools import lru_cache

from workbench.core.errors import InvalidInputError
from workbench.core.settings import settings

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS = 60


def find_chromium() -> str:
    """Return the browser that prints: the one that is set, else the first on the PATH.

    Raises
    ------
    InvalidInputError
        If there is none, or it cannot be spoken to; the message says how to get what is missing.
    """
    program = _chromium()
    _check_driver()
    return program


def _chromium() -> str:
    chosen = settings().chromium
    if chosen is not None:
        if not os.access(chosen, os.X_OK) or chosen.is_dir():
            raise InvalidInputError(
                f"The setting chromium names {str(chosen)!r}, which is no program; name the "
                "Chromium that prints PDF, or leave the setting out."
            )
        return str(chosen)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise InvalidInputError(
            "A PDF is printed by Chromium, and none was found: install it (Debian: apt-get "
            "install chromium), or set WORKBENCH_CHROMIUM to the path of one."
        )
    return found


@lru_cache(maxsize=1)
def _check_driver() -> None:
    """See once that Playwright's program starts: it needs a library that small images lack."""
    from playwright._impl._driver import compute_driver_executable  # noqa: PLC0415 - seldom

    node = str(compute_driver_executable()[0])
    try:
        ran = subprocess.run(  # noqa: S603 - Playwright's own program
            [node, "--version"], capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
        said = ran.stderr.strip() if ran.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    if said:
        raise InvalidInputError(
            f"A PDF is printed through Playwright, whose program does not start "
            f"({said.splitlines()[-1].removeprefix(f'{node}: ')}); install what it lacks (Debian: "
            "apt-get install libatomic1)."
        )
