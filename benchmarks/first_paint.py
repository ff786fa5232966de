"""How long a real browser takes to show each page of a warm server."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from benchmarks.served import served

PAGES = ("", "registry", "add_data", "add_model", "shapley", "report", "jobs", "health")
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
REPEATS = 3
GOAL_SECONDS = 2.0
WAIT = 20_000
# The first thing that answers: a figure that is drawn, a table, a place for a file, a sentence.
CONTENT = ", ".join((
    "[data-testid=stPlotlyChart] .main-svg",
    "[data-testid=stDataFrame] canvas",
    "[data-testid=stFileUploader]",
))
SENTENCE = "p[role=heading]"


def measure() -> dict[str, Any]:
    """Open each page with an empty and with a filled cache of the browser."""
    with served() as server, _chromium() as browser:
        _warm_up(browser, server.url)
        pages = {page or "workspace": _page(browser, f"{server.url}/{page}") for page in PAGES}
    return {"pages": pages}


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, NAMES)), playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


def _warm_up(browser: Browser, url: str) -> None:
    """Let the server load what it loads once, and compute what pages show at first."""
    context = browser.new_context()
    for page in PAGES:
        _open(context, f"{url}/{page}")
    context.close()


def _page(browser: Browser, url: str) -> dict[str, Any]:
    cold, warm = [], []
    for _ in range(REPEATS):
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        cold.append(_open(context, url))
        warm.append(_open(context, url))
        context.close()
    return {"cold": _medians(cold), "warm": _medians(warm)}


def _medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {
        name: median(part[name] for part in found if name in part)
        for name in ("paint", "title", "sentence", "content")
        if any(name in part for part in found)
    }


def _open(context: BrowserContext, url: str) -> dict[str, float]:
    """Return seconds until the browser painted anything, the title, the answer and the content."""
    page = context.new_page()
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    found = {"title": _visible(page, "h1", started, WAIT)}
    found["sentence"] = _visible(page, SENTENCE, started, WAIT)
    # Pages that answer in a sentence alone have no more to wait for.
    with_content = any(name in url for name in ("registry", "add_", "shapley")) or url.endswith("/")
    if with_content:
        found["content"] = _visible(page, CONTENT, started, WAIT)
    found["paint"] = page.evaluate(
        "(performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime / 1000"
    )
    page.close()
    return {name: seconds for name, seconds in found.items() if seconds is not None}


def _visible(page: Page, selector: str, started: float, wait: float) -> float | None:
    try:
        page.locator(selector).first.wait_for(state="visible", timeout=wait)
    except Error:
        return None
    return time.perf_counter() - started
