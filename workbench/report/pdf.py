"""The report on paper: the same page, printed by a headless Chromium that reaches nothing else."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import WorkbenchError
from workbench.core.files import replacing
from workbench.operations.chromium import find_chromium
from workbench.report.document import Document
from workbench.report.html import write_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright, Route

ARGUMENTS = (
    "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-dev-shm-usage",
)  # fmt: skip
# Figures are drawn one after the other; a report of some hundreds takes minutes.
MINUTES = 10
START_SECONDS = 60


class PrintingError(WorkbenchError):
    """The browser could not be started, or did not print."""


def write_pdf(document: Document, path: str | Path) -> Path:
    """Print a report as PDF on A4; a file of that name is replaced as a whole.

    Takes about a second and a tenth of a second for each figure; call it where nobody waits.

    Raises
    ------
    InvalidInputError
        If there is no Chromium, there are no results, or one cannot be shown.
    PrintingError
        If Chromium cannot be started or does not finish in time.
    """
    program, path = find_chromium(), Path(path)
    with replacing(path) as part, tempfile.TemporaryDirectory(prefix="report-") as folder:
        source = write_html(document, Path(folder) / "report.html")
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            _print(program, source, part)
        else:  # a notebook: the browser is spoken to outside its event loop
            with ThreadPoolExecutor(1) as beside:
                beside.submit(_print, program, source, part).result()
    return path


def _print(program: str, source: Path, target: Path) -> None:
    from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - when there is work

    address = source.as_uri()

    def only_the_file(route: "Route") -> None:
        if route.request.url == address:
            route.continue_()
        else:
            route.abort()

    try:
        with sync_playwright() as playwright, _browser(playwright, program) as browser:
            context = browser.new_context(offline=True, color_scheme="light")
            context.route("**/*", only_the_file)
            page = context.new_page()
            page.set_default_timeout(MINUTES * 60_000)
            page.goto(address, wait_until="load")
            page.evaluate("window.drawnForPaper()")
            page.pdf(path=target, prefer_css_page_size=True, tagged=True, outline=True)
    except Error as error:
        first = str(error).strip().splitlines()[0]
        raise PrintingError(
            f"{program} did not print the report ({first}); try again, or print the HTML file "
            "from a browser."
        ) from None


@contextmanager
def _browser(playwright: "Playwright", program: str) -> "Iterator[Browser]":
    """Start the browser in its sandbox where the system has one.

    The sandbox needs user namespaces, which containers often forbid, and refuses to run as root.
    Without it the page is still our own: escaped, under a policy that names its scripts, offline.
    """
    from playwright.sync_api import Error  # noqa: PLC0415 - when there is work

    def start(*, sandbox: bool) -> "Browser":
        return playwright.chromium.launch(
            executable_path=program, args=list(ARGUMENTS), chromium_sandbox=sandbox,
            timeout=START_SECONDS * 1000,
        )  # fmt: skip

    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    try:
        browser = start(sandbox=not is_root)
    except Error:
        # As root it was tried without a sandbox already, and fails in the same words again.
        browser = start(sandbox=False)
    try:
        yield browser
    finally:
        browser.close()
