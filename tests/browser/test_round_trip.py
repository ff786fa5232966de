"""Everything from pages into a report, and from its files to the same numbers without a page."""

import json
import re
import subprocess
import sys

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browsing import settled, write_report
from workbench.analysis import load_analysis
from workbench.jobs.service import environment

SECONDS = 120_000
MANY_SECONDS = 300
# Of each kind of result: where it is shown, so small that it is there soon, and its answer.
PAGES = {
    "attribution": (
        "shapley?model=german-mlp&mode=many&count=30&background=20&view=dependence"
        "&dependence.feature=duration",
        "Over 30 rows",
    ),
    "local_models": ("local_models?model=german-mlp&row=3", "in a linear model"),
    "rashomon_set": ("equally_good_models?model=german-mlp&rashomon.models=50", "equally good"),
    "interaction_scores": ("interactions?model=german-mlp", "Of all pairs"),
    "fairness_audit": ("fairness?model=german-mlp&fairness.by=personal_status", "Of 100 people"),
    "local_basis": ("inside?model=digits-mlp", ""),
}
# Of Streamlit: what tests/browser/test_pages_read_aloud.py names, too.
STREAMLITS = {"list", "listitem", "presentation-role-conflict"}
# What one run does not share with another: when, and how long.
OF_A_RUN = {"created", "seconds"}
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def put_aside(page, address, answer):
    page.goto(address)
    if "mode=many" in address:
        page.get_by_role("button", name="Explain 30 rows").click(timeout=SECONDS)
    page.get_by_role("heading", level=2, name=answer).first.wait_for(timeout=SECONDS)
    settled(page)
    page.get_by_role("button", name="Add to report").first.click(timeout=SECONDS)
    page.get_by_role("button", name="In the report").first.wait_for(timeout=SECONDS)


def words(page, first):
    """Write a title and a remark beside the first result, and move it one down."""
    page.get_by_text(first).first.wait_for(timeout=SECONDS)
    page.get_by_text("Title and remark").first.click()
    title = page.get_by_role("textbox", name="Title").first
    title.fill("=What <b>made</b> it")
    title.press("Enter")
    settled(page)
    remark = page.get_by_role("textbox", name="Remark").first
    remark.fill("Mind the *few* rows.")
    remark.press("Control+Enter")
    settled(page)
    page.get_by_role("button", name="Down").first.click()
    settled(page)


def serious(page):
    """What axe-core objects to, but for what Streamlit's own parts bring along."""
    return {
        fault["id"]: [node["html"][:200] for node in fault["nodes"][:3]]
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in {"serious", "critical"} and fault["id"] not in STREAMLITS
    }


def read_offline(page, html):
    """Open the report as its reader does, without a network, and point at a bar."""
    page.goto("about:blank")
    page.context.set_offline(True)
    page.goto(html.as_uri())
    for plot in page.locator(".plot").all():  # drawn when they are about to be seen
        plot.scroll_into_view_if_needed()
        plot.locator(".main-svg").first.wait_for(timeout=SECONDS)
    bar = page.locator(".bars .point").first
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".hoverlayer .hovertext").first.wait_for(timeout=SECONDS)
    assert not serious(page)


def download(page, name, folder):
    with page.expect_download(timeout=SECONDS) as caught:
        page.get_by_role("button", name=f"Download {name}").click()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def run_again(analysis, out):
    """Run the file as its reader does, with as many threads as the server's workers have."""
    command = [sys.executable, "-c", "from workbench.cli import main; main()", "run"]
    command += [str(analysis), "--out", str(out), "--json"]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=MANY_SECONDS, check=False,
        env=environment(),
    )  # fmt: skip


def differences(one, other, where=""):
    """Name every value that is not the same in both."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            if key not in OF_A_RUN:
                yield from differences(one.get(key), other.get(key), f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for at, parts in enumerate(zip(one, other, strict=True)):
            yield from differences(*parts, f"{where}[{at}]")
    elif one != other:
        yield f"{where}: {one!r} and {other!r}"


def count(value):
    """How many numbers there are."""
    if isinstance(value, dict | list):
        return sum(map(count, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def test_what_pages_show_runs_again_to_the_same_numbers(page, app_url, tmp_path):
    for address, answer in PAGES.values():
        put_aside(page, f"{app_url}/{address}", answer)
    page.goto(f"{app_url}/report")
    page.get_by_role("heading", name="6 results are ready to hand over.").wait_for(timeout=SECONDS)
    page.get_by_text("A feature's value and its effect (feature duration").wait_for(
        state="attached", timeout=SECONDS
    )
    words(page, "german-mlp, 30 rows of german")
    write_report(page)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        settled(page)
        assert not serious(page)
    html, pdf, numbers, analysis = (
        download(page, name, tmp_path) for name in ("HTML", "PDF", "JSON", "analysis file")
    )
    read_offline(page, html)

    text = html.read_text(encoding="utf-8")
    assert "=What &lt;b&gt;made&lt;/b&gt; it" in text
    assert "Mind the *few* rows." in text
    paper = pdf.read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) > 5
    was = json.loads(numbers.read_text(encoding="utf-8"))
    kinds = [entry["result"]["kind"] for entry in was["results"]]
    wanted = list(PAGES)
    assert kinds == [wanted[1], wanted[0], *wanted[2:]]

    shown = [step.figures for step in load_analysis(analysis).steps]
    assert all(shown)
    assert (shown[1][0].view, shown[1][0].options["feature"]) == ("dependence", "duration")
    assert "(feature duration, " in text

    ran = run_again(analysis, tmp_path / "out")
    assert ran.returncode == 0, ran.stderr
    assert [step["as_expected"] for step in json.loads(ran.stdout)["steps"]] == [True] * 6
    again = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert again.count('class="plot"') == text.count('class="plot"') == sum(map(len, shown))
    assert "(feature duration, " in again
    now = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert count([entry["result"] for entry in was["results"]]) > 1000
    assert not list(differences(was["results"], now["results"]))
    assert now["results"][1]["result"]["fields"]["provenance"]["notes"][0].startswith("auto chose")
