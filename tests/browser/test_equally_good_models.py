"""Equally good models in a real browser: slide the tolerance, pick a row, meet the other model."""

import re

import pytest

from tests.browsing import figure

SECONDS = 60_000
pytestmark = pytest.mark.browser


def test_from_all_rows_to_one_and_the_model_that_decides_otherwise(page, app_url):
    page.goto(f"{app_url}/equally_good_models?model=german-mlp&rashomon.models=400")
    answer = page.get_by_role("heading", name=re.compile(r"^Among \d+ equally good models"))
    answer.wait_for(timeout=SECONDS)
    figure(page, "tolerance: excess cross-entropy").wait_for(timeout=SECONDS)
    before = answer.inner_text()
    # More is tolerated: more models are as good, and the sentence is another one.
    page.get_by_role("slider", name="Tolerance").press("End")
    page.get_by_role("heading", name="cross-entropy in nats within 0.04").wait_for(timeout=SECONDS)
    assert answer.inner_text() != before
    page.wait_for_url(re.compile(r"tolerance=0\.04"))
    # The strip of rows; a press on one of them looks at it.
    page.get_by_role("radio", name="Rows").click()
    strip = figure(page, "200 rows, by prediction")
    strip.wait_for(timeout=SECONDS)
    area = strip.locator(".nsewdrag").first
    point = strip.locator(".scatterlayer .point").nth(20)
    box, place = area.bounding_box(), point.bounding_box()
    area.click(position={
        "x": place["x"] + place["width"] / 2 - box["x"],
        "y": place["y"] + place["height"] / 2 - box["y"],
    })  # fmt: skip
    page.wait_for_url(re.compile(r"row=\d+"))
    # The model at the end of its range, beside the given one: outputs, effects and curves.
    page.get_by_text(re.compile("Show the equally good model that")).click()
    page.get_by_text("Excess loss").wait_for(timeout=SECONDS)
    figure(page, "dotted: the row's own value").wait_for(timeout=SECONDS)
    figure(page, "near-copy").wait_for(timeout=SECONDS)
    # Into the report, and out again.
    page.get_by_role("button", name="Add to report").click()
    page.get_by_role("button", name="In the report").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="In the report").click()
    page.get_by_role("button", name="Add to report").wait_for(timeout=SECONDS)
    # And to the page where this row can be changed.
    page.get_by_role("button", name="What if this row were different?").click()
    page.wait_for_url(re.compile(r"what_if\?.*row=\d+"), timeout=SECONDS)
