"""A real browser and a real server, for what only a browser sees."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from workbench.workspace.basket import FILE as REPORT
from workbench.workspace.store import Workspace

ROOT = Path(__file__).parents[2]
START_SECONDS = 90
SAID = 3000
# On a deep link Streamlit's own front end looks for the server below the page's name first, gets
# two answers "not found", which the browser reports, and goes on to look at the top.
PROBE = re.compile(r"http://127\.0\.0\.1:\d+/[a-z_]+/_stcore/(health|host-config)")
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium():
    """A Chromium; of a module, as the event loop it runs on would disturb other tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        program = next(filter(None, map(shutil.which, NAMES)), own)
        if not Path(program).exists():
            missing = f"no browser: install one of {', '.join(NAMES)}, or run `make test`"
            if os.environ.get("CI"):
                pytest.fail(f"CI must not skip: {missing}")
            pytest.skip(missing)
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def console_errors():
    """Errors that the browser reported; a test that provokes one clears the list."""
    return []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Say what stood on the pages of a test that failed: nobody was there to look."""
    report = yield
    browser = item.funcargs.get("context")
    if report.when == "call" and report.failed and browser is not None:
        for page in browser.pages:
            with suppress(Exception):
                said = page.locator("body").inner_text(timeout=5000)
                report.sections.append((f"on {page.url}", said[:SAID]))
    return report


@pytest.fixture
def context(chromium):
    """A fresh browser."""
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    yield context
    context.close()


@pytest.fixture
def new_page(context, console_errors):
    """Makes pages of a fresh browser that reaches this machine only; an error fails the test."""

    def refuse(route):
        console_errors.append(f"asked for {route.request.url}")
        route.abort()

    def note(message):
        place = message.location.get("url", "")
        if message.type == "error" and not PROBE.fullmatch(place):
            console_errors.append(f"{message.text} ({place})")

    def new():
        page = context.new_page()
        page.route(lambda url: urlsplit(url).hostname not in {"127.0.0.1", None}, refuse)
        page.on("console", note)
        page.on("pageerror", lambda error: console_errors.append(str(error)))
        return page

    yield new
    for page in context.pages:
        page.close()
    assert not console_errors, "the browser's console shows errors"


@pytest.fixture
def page(new_page):
    """One such page."""
    return new_page()


class Server:
    """The workbench, served from this checkout with a home folder of its own."""

    def __init__(self, home):
        self.home = home
        self.log = home / "server.log"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process = None

    def start(self):
        """Serve until the address answers."""
        command = [sys.executable, "-m", "workbench.ui.server", "run", "app.py"]
        command.append(f"--server.port={self.port}")
        foreign = ("XDG_", "STREAMLIT_", "WORKBENCH_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        own = {"HOME": str(self.home), "WORKBENCH_HOME": str(self.home / "workbench")}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=kept | own, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        _wait_until_healthy(self.url, self._process, self.log)
        return self

    def kill(self):
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        """Ask it to end."""
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory):
    """A workbench that all tests share."""
    server = Server(tmp_path_factory.mktemp("home")).start()
    yield server
    server.stop()


@pytest.fixture
def app_url(shared_server):
    """The address of the workbench that tests share; what a test put aside is not for the next."""
    yield shared_server.url
    own = Workspace("local", shared_server.home / "workbench").models_root.parent
    (own / REPORT).unlink(missing_ok=True)


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_until_healthy(url, server, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")
