"""Who is worse off, in a real browser: from the first look into the report."""

import re

import pytest

SECONDS = 60_000
FIGURES = ".js-plotly-plot"
pytestmark = pytest.mark.browser


def figure(page, words):
    """The figure with these words in it."""
    return page.locator(FIGURES, has_text=words).first


def pick(page, label, option):
    """Choose from a list."""
    page.get_by_role("combobox", name=re.compile(label)).first.click()
    page.get_by_role("option", name=option, exact=True).click()


def see_who_is_worse_off(page, app_url):
    """Open the page of a model and read the answer to its question."""
    page.goto(f"{app_url}/fairness?model=german-mlp&split=all&fairness.resamples=400")
    answer = page.get_by_role("heading", level=2, name=re.compile(r"Of 100 people with "))
    answer.wait_for(timeout=SECONDS)
    said = answer.text_content()
    assert "With this many rows the difference could be" in said
    groups = figure(page, "share of people whose outcome")
    groups.wait_for(timeout=SECONDS)
    assert groups.locator(".errorbar").count() >= 3, "every group has its interval"
    page.get_by_text(re.compile(r"^Were the people dealt out to groups")).wait_for(timeout=SECONDS)
    return said


def look_at_gaps_and_thresholds(page):
    """See which gaps are beyond chance, and what another threshold would do."""
    page.get_by_role("radio", name="Gaps", exact=True).click()
    gaps = figure(page, "gap between groups")
    gaps.wait_for(timeout=SECONDS)
    assert gaps.locator(".ytick").count() == 10
    page.get_by_role("radio", name="Thresholds", exact=True).click()
    figure(page, "cost of mistakes").wait_for(timeout=SECONDS)
    page.get_by_text(re.compile(r"^At threshold 0\.5 mistakes cost")).wait_for(timeout=SECONDS)
    page.get_by_role("slider", name="Cost of a wrong no").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"fairness\.wrong_no=1\.1"), timeout=SECONDS)
    page.get_by_role("radio", name="Groups", exact=True).click()


def put_it_into_the_report(page, app_url):
    """Say which gap matters and why, and find both in the report."""
    pick(page, "The gap that matters here", "Equal opportunity difference")
    page.get_by_text(re.compile(r"^Compares how often")).wait_for(timeout=SECONDS)
    why = page.get_by_role("textbox", name="Why this one")
    why.fill("A refused loan costs a year.")
    why.press("Control+Enter")
    add = page.get_by_role("button", name="Add to report").first
    add.wait_for(timeout=SECONDS)
    page.wait_for_timeout(500)
    add.click()
    page.get_by_role("button", name="In the report").wait_for(timeout=SECONDS)
    page.goto(f"{app_url}/report")
    page.get_by_text(re.compile(r"^Who is worse off, german-mlp, 1,000 rows")).first.wait_for(
        timeout=SECONDS
    )
    remark = page.get_by_role("textbox", name="Remark").first
    remark.wait_for(timeout=SECONDS)
    assert remark.input_value() == (
        "The gap that matters here: equal opportunity difference. A refused loan costs a year."
    )


def test_from_the_first_look_into_the_report(page, app_url):
    said = see_who_is_worse_off(page, app_url)
    assert said
    look_at_gaps_and_thresholds(page)
    put_it_into_the_report(page, app_url)
