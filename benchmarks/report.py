"""How long a report of 30 figures takes to build, how large it is, and how soon it answers.

``python -m benchmarks.report`` prints a table and writes ``benchmarks/results/report.json``. The
results (Shapley values of 500 rows, the model's figures, an audit) are computed first and read back
from their files, as a report of kept results would. Then it is written, opened in Chromium (the
best of five times, each in a browser just started) and printed; and once more with 200 figures.
"""

import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from workbench import api
from workbench.core.results import Result
from workbench.report import Document, Entry, write_document
from workbench.report.html import sections_of
from workbench.report.pdf import find_chromium

RESULTS = Path(__file__).parent / "results"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
GOALS = {"build_s": 20.0, "megabytes": 8.0, "interactive_s": 2.0}
FIGURES = 30
MANY = 200
TIMES = 5


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that something takes, and what it gives."""
    started = time.perf_counter()
    found = run()
    return time.perf_counter() - started, found


def kept(folder: Path) -> list[Result]:
    """Compute results of several kinds, keep them in files, and read them back."""
    model, whole = api.load_model("adult-mlp"), api.load_table("adult", split="all")
    test = whole.split("test")
    background = whole.split("train").sample(100)
    kernel = {"method": "kernel", "budget": 64}
    found = (
        api.evaluate(model, test),
        api.explain(model, test[:500], background, **kernel),
        api.explain(model, test[:3], background, **kernel),
        api.audit(model, test, by="sex"),
    )
    return [api.load_result(r.save(folder / f"{i}.{r.kind}")) for i, r in enumerate(found)]


def of_figures(results: Sequence[Result], n: int) -> tuple[Document, int]:
    """Repeat results until there are so many figures."""
    counts = [len(s.pictures) for s in sections_of(Document("", tuple(map(Entry, results))))]
    entries, figures = [], 0
    while figures < n:
        at = len(entries) % len(results)
        entries.append(Entry(results[at]))
        figures += counts[at]
    return Document(f"{figures} figures", tuple(entries)), figures


def opened(path: Path) -> tuple[float, float]:
    """Return the seconds from asking for the page at its first result until it can be used.

    That is when a figure is drawn and the button of the theme, pressed then, has answered. The
    second number is how long the page itself computed, which other programs hardly change.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        metrics = page.context.new_cdp_session(page)
        metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
        started = time.perf_counter()
        page.goto(f"{path.as_uri()}#result-1", wait_until="commit")
        page.locator(".plot .main-svg").first.wait_for()
        page.locator("#theme:visible").click()
        page.locator(":root[data-theme=dark]").wait_for(state="attached")
        found = time.perf_counter() - started
        values = {m["name"]: m["value"] for m in metrics.send("Performance.getMetrics")["metrics"]}
        browser.close()
    return found, values["TaskDuration"]


def measured(document: Document, figures: int, folder: Path) -> dict[str, float]:
    """Build, open and print one report."""
    build_s, path = timed(lambda: write_document(document, folder / "report.html"))
    interactive_s, computing_s = map(min, zip(*(opened(path) for _ in range(TIMES)), strict=True))
    pdf_s, _ = timed(lambda: write_document(document, folder / "report.pdf"))
    return {
        "figures": figures, "build_s": build_s, "megabytes": path.stat().st_size / 1e6,
        "interactive_s": interactive_s, "computing_s": computing_s, "pdf_s": pdf_s,
    }  # fmt: skip


def main() -> None:
    """Print what was measured, and write it."""
    with tempfile.TemporaryDirectory() as folder:
        results = kept(Path(folder))
        found = {
            f"{n} figures": measured(*of_figures(results, n), Path(folder)) for n in (FIGURES, MANY)
        }
    for name, part in found.items():
        print(name)
        for key, value in part.items():
            goal = f"   goal {GOALS[key]:g}" if key in GOALS and name.startswith("30") else ""
            print(f"  {key:<14} {value:10.3g}{goal}")
    about = {"python": platform.python_version(), "load": os.getloadavg()[0]}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "report.json"
    path.write_text(json.dumps({"machine": about, "goals": GOALS, **found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
