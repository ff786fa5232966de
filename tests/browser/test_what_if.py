"""Dragging a value in a real browser: prediction and figure follow, pin, reset, nearest change."""

import re

import pytest

SECONDS = 60_000
FIGURE = ".js-plotly-plot .main-svg"
pytestmark = pytest.mark.browser


@pytest.fixture
def visit(page, app_url):
    def go(address=""):
        page.goto(f"{app_url}/what_if{address}")
        page.locator(FIGURE).first.wait_for(timeout=SECONDS)
        return page

    return go


def answer(page):
    return page.locator('p[role="heading"]')


def metric(page):
    return page.get_by_test_id("stMetricValue").first


def badge(page, text):
    """What says how the explanation in view was made."""
    return page.locator(".stMarkdownBadge", has_text=text).first


def labels(page):
    """The lines of the first figure."""
    return page.locator(".js-plotly-plot").first.locator(".ytick text").all_text_contents()


def drag(page, name, share):
    """Drag the thumb of a slider sideways, by a share of its track."""
    track = page.get_by_role("group", name=name, exact=True)
    track.scroll_into_view_if_needed()
    thumb = track.get_by_test_id("stSliderThumbValue").locator("xpath=..")
    box, at = track.bounding_box(), thumb.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + share * box["width"] / 2, y, steps=5)
    page.mouse.move(x + share * box["width"], y, steps=5)
    page.mouse.up()


def test_prediction_and_figure_follow_a_drag_and_reset_brings_the_row_back(visit):
    page = visit("?row=3")
    assert answer(page).inner_text().startswith("Row 11 as it is")
    before, lines = metric(page).inner_text(), labels(page)
    drag(page, "hours_per_week", 0.3)
    page.get_by_role("heading", name="With hours_per_week = ").wait_for(timeout=SECONDS)
    page.wait_for_function(
        "old => document.querySelector('[data-testid=stMetricValue]').innerText !== old",
        arg=before, timeout=SECONDS,
    )  # fmt: skip
    page.get_by_text(re.compile("hours_per_week.*40 hours → ")).wait_for(timeout=SECONDS)
    assert labels(page) != lines
    badge(page, "exact").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_role("heading", name="Row 11 as it is").wait_for(timeout=SECONDS)
    page.wait_for_function(
        "old => document.querySelector('[data-testid=stMetricValue]').innerText === old",
        arg=before, timeout=SECONDS,
    )  # fmt: skip


def test_the_full_explanation_follows_when_the_row_stays(visit):
    page = visit("?model=wine-mlp")
    drag(page, "proline", -0.3)
    page.get_by_role("heading", name="With proline = ").wait_for(timeout=SECONDS)
    badge(page, "exact").wait_for(timeout=SECONDS)
    assert not badge(page, "refining").count()


def test_scenarios_are_pinned_and_a_nearest_change_is_tried(visit, tmp_path):
    page = visit("?row=3")
    page.get_by_role("button", name="Find the nearest change").click()
    page.get_by_text("would be enough for the model").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="Try this").first.click()
    page.get_by_role("heading", name="With ").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="Pin this scenario").click()
    page.get_by_role("button", name="Remove Scenario 1").wait_for(timeout=SECONDS)
    page.locator(".js-plotly-plot").nth(2).wait_for(timeout=SECONDS)
    # The changes that were found have a CSV of their own; this one comes with the pinned scenario.
    section = page.get_by_test_id("stVerticalBlock").filter(has_text="Scenarios side by side").last
    with page.expect_download(timeout=SECONDS) as caught:
        section.get_by_role("button", name="CSV", exact=True).click()
    file = tmp_path / "scenarios.csv"
    caught.value.save_as(file)
    assert file.read_text().startswith("scenario,model,output,feature,value,attribution")
    page.get_by_role("button", name="Remove Scenario 1").click()
    page.get_by_text("Change values above and pin").wait_for(timeout=SECONDS)
