"""Local models in a real browser: from many rows to one, and a function that follows a slider."""

import re

import pytest

from tests.browsing import figure

SECONDS = 60_000
pytestmark = pytest.mark.browser


def answer(page):
    return page.locator('p[role="heading"]').first


def test_the_function_follows_the_slider_and_all_goes_into_the_report(page, app_url):
    page.goto(f"{app_url}/local_models?mode=many&count=40&lime.num_features=4")
    # LIME of many rows, and from a row that is worth a look to the row itself.
    page.get_by_text("Rows to look at").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="Open it").click()
    page.get_by_role("heading", name="in a linear model of its neighbourhood").wait_for(
        timeout=SECONDS
    )
    figure(page, "against any other bin or").wait_for(timeout=SECONDS)
    page.wait_for_url(re.compile(r"local_models\?(?!.*mode=many).*row=\d+"))
    # The neighbourhood of that row: the curve, its knee, and the function there.
    page.get_by_role("radio", name="Neighbourhood and function").click()
    page.get_by_role("heading", name="The linear function misses").wait_for(timeout=SECONDS)
    curve = figure(page, "standard deviations that numbers are moved by")
    curve.wait_for(timeout=SECONDS)
    mark = curve.locator(".annotation-text", has_text="chosen")
    chosen = mark.text_content().strip()
    before = answer(page).inner_text()
    # A wider neighbourhood: the mark moves, and the function is another one.
    page.get_by_role("slider").press("ArrowRight")
    page.wait_for_function(
        "old => document.querySelector('p[role=heading]')?.innerText !== old",
        arg=before, timeout=SECONDS,
    )  # fmt: skip
    page.wait_for_url(re.compile(r"scale\.add=0\.\d+"))
    page.wait_for_function(
        "old => ![...document.querySelectorAll('.annotation-text')].some("
        "e => e.textContent.trim() === old)",
        arg=chosen, timeout=SECONDS,
    )  # fmt: skip
    assert mark.text_content().strip().startswith("chosen 0.")
    # Another function of the same neighbourhood misses less.
    page.get_by_role("radio", name="Pairwise").click()
    page.get_by_role("heading", name="The pairwise function misses").wait_for(timeout=SECONDS)
    for n in (1, 2):
        page.get_by_role("button", name="Add to report").first.click()
        page.get_by_role("button", name="In the report").nth(n - 1).wait_for(timeout=SECONDS)
    page.goto(f"{app_url}/report")
    for title in ("How far a linear explanation holds", "A local function of your choice"):
        page.get_by_text(re.compile(rf"^{title}, adult-mlp, row \d+ of adult$")).wait_for(
            timeout=SECONDS
        )
    # Others look at the same report: take both out again.
    page.go_back()
    for n in (2, 1):
        page.get_by_role("button", name="In the report").first.click()
        page.get_by_role("button", name="Add to report").nth(2 - n).wait_for(timeout=SECONDS)
