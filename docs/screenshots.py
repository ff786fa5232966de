"""Take the pictures of pages: ``python -m docs.screenshots [NAME ...]``.

A server with an empty home is started for them, and each page is waited for until its results are
there; on two cores all of them take some minutes.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.sync_api import Page

from docs.pictures import Pictures, shot
from workbench.cli.printing import echo

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "screenshots"
# The address of the page that each picture shows.
PAGES: Mapping[str, str] = {
    "workspace": "",
    "shapley": "shapley?row=11",
    "what_if": "what_if?row=11",
    "which_explanation": "which_explanation?model=wine-mlp",
    "equally_good_models": "equally_good_models?model=german-mlp&rashomon.models=400",
    "interactions": "interactions?model=german-mlp",
    "fairness": "fairness?model=german-mlp",
    "inside": "inside?model=digits-mlp",
}
WIDTH, HEIGHT = 1400, 900
SECONDS = 600
FIGURE = ".js-plotly-plot .main-svg"


def main(names: list[str]) -> None:
    """Take the pictures that are named, or all of them."""
    with serving() as address, Pictures() as pictures:
        for name in names or PAGES:
            page = pictures.browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light"
            )
            page.goto(f"{address}/{PAGES[name]}", timeout=SECONDS * 1000)
            wait_for_results(page)
            shot(page, FOLDER / f"{name}.png")
            page.close()
            echo(f"Wrote {FOLDER / name}.png")


def wait_for_results(page: Page) -> None:
    """Wait until figures are drawn and nothing runs any more."""
    page.locator(FIGURE).first.wait_for(timeout=SECONDS * 1000)
    quiet = 0
    while quiet < 3:  # a page may start its next run just after the last one
        page.wait_for_timeout(1500)
        page.locator("[data-test-script-state='notRunning']").wait_for(timeout=SECONDS * 1000)
        running = page.get_by_role("button", name="Cancel").count()
        quiet = 0 if running else quiet + 1


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Serve the workbench with an empty home, and give its address.

    Raises
    ------
    RuntimeError
        If it does not answer.
    """
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "workbench.ui.server", "run", "app.py"]
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen(  # noqa: S603 - the program of this folder
            [*command, f"--server.port={port}"], cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"HOME": home, "WORKBENCH_HOME": f"{home}/workbench"},
        )  # fmt: skip
        try:
            _wait_for(address, server)
            yield address
        finally:
            server.terminate()
            server.wait()


def _wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(SECONDS):
        if server.poll() is not None:
            raise RuntimeError("The server ended; start it by hand to see why: workbench serve.")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5)  # noqa: S310
            return
        time.sleep(1)
    raise RuntimeError(f"The server does not answer at {address}.")


if __name__ == "__main__":
    main(sys.argv[1:])
