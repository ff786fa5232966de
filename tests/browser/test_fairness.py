"""Who is worse off, one of them, and what would help, in a real browser: into the report."""

import re

import pytest

from tests.browsing import figure, open_list, pick, settled

SECONDS = 60_000
NUMBER = re.compile(r"\d+")
pytestmark = pytest.mark.browser


def put_aside(page):
    """Add the result of this page to the report."""
    settled(page)
    page.get_by_role("button", name="Add to report").first.click()
    page.get_by_role("button", name="In the report").first.wait_for(timeout=SECONDS)


def open_page(page, name, title):
    """Follow the menu, as a reader does, so that choices come along."""
    page.get_by_role("link", name=re.compile(f"{name}$")).click()
    page.get_by_role("heading", level=1, name=title).wait_for(timeout=SECONDS)


def see_who_is_worse_off(page, app_url):
    """Open the page of a model and read the answer to its question."""
    chosen = "model=german-mlp&split=all&fairness.by=personal_status&fairness.resamples=400"
    page.goto(f"{app_url}/fairness?{chosen}")
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


def say_what_matters(page):
    """Say which gap matters and why, and put both aside."""
    pick(page, "The gap that matters here", "^Equal opportunity difference$")
    page.get_by_text(re.compile(r"^Compares how often")).wait_for(timeout=SECONDS)
    why = page.get_by_role("textbox", name="Why this one")
    why.fill("A refused loan costs a year.")
    why.press("Control+Enter")
    put_aside(page)


def look_at_one_refused_person(page):
    """Choose somebody; see the decision explained, as it is and in another group."""
    open_page(page, "People", "Who is decided narrowly, and what would have changed it?")
    one = page.get_by_role("heading", level=2, name=re.compile(r"^Row \d+: refused with "))
    one.wait_for(timeout=SECONDS)
    first = one.text_content()
    row = pick(page, "^Person", f"^Row (?!{re.search(NUMBER, first)[0]}$)").split()[-1]
    other = page.get_by_role("heading", level=2, name=re.compile(f"^Row {row}: refused with "))
    other.wait_for(timeout=SECONDS)
    assert other.text_content() != first
    page.get_by_text("Each feature has two bars: what it does for this person as is").wait_for(
        timeout=SECONDS
    )
    open_list(page, "^Moved to")
    offered = page.get_by_role("option").all_text_contents()
    assert offered, "somebody of another group"
    assert all(said.startswith("personal_status = ") for said in offered), "groups as chosen before"
    page.keyboard.press("Escape")
    page.get_by_text(re.compile("would be enough for the model to say good")).wait_for(
        timeout=SECONDS
    )
    put_aside(page)


def try_what_would_help(page):
    """Try remedies on rows that they have not seen, and read one of them before and after."""
    open_page(page, "Remedies", "What would help, and what would it cost?")
    pick(page, "^Rows", "^test .* 200 rows$")
    page.get_by_role("button", name="Try the remedies").click()
    answer = page.get_by_role("heading", level=2, name=re.compile("statistical parity difference"))
    answer.wait_for(timeout=SECONDS)
    pick(page, "Look closely at", "^Thresholds by group: ")
    page.get_by_text(re.compile("^With thresholds by group, of 100 people of personal_status")
                     ).wait_for(timeout=SECONDS)  # fmt: skip
    page.get_by_role("radio", name="Groups", exact=True).click()
    page.get_by_text("A rate of each group before and after").wait_for(timeout=SECONDS)
    put_aside(page)


def find_all_in_the_report(page):
    """See three results, each with its title, and the remark; then take them out again."""
    open_page(page, "Report", "What do I hand over?")
    page.get_by_role("heading", level=2, name=re.compile("results are ready")).wait_for(
        timeout=SECONDS
    )
    for title in (
        "Who is worse off, german-mlp, 1,000 rows",
        "People at the boundary",
        "4 remedies by personal_status",
    ):
        page.get_by_text(re.compile(f"^{title}")).first.wait_for(timeout=SECONDS)
    remarks = [box.input_value() for box in page.get_by_role("textbox", name="Remark").all()]
    assert (
        "The gap that matters here: equal opportunity difference. A refused loan costs a year."
    ) in remarks
    for ready in ("2 results are ready", "1 result is ready", "Nothing has been put aside yet."):
        settled(page)
        page.get_by_role("button", name="Remove").first.click()
        page.get_by_role("heading", level=2, name=ready).wait_for(timeout=SECONDS)


def test_from_the_first_look_into_the_report(page, app_url):
    assert see_who_is_worse_off(page, app_url)
    look_at_gaps_and_thresholds(page)
    say_what_matters(page)
    look_at_one_refused_person(page)
    try_what_would_help(page)
    find_all_in_the_report(page)
