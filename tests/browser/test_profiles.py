"""Profiles in a real browser: choose a feature, see effects and groups, and two together."""

import re

import pytest

from tests.browsing import figure, pick

SECONDS = 60_000
pytestmark = pytest.mark.browser


def test_from_all_features_to_one_and_to_two_together(page, app_url):
    page.goto(f"{app_url}/profiles?model=german-mlp")
    page.get_by_role("heading", name="the mean probability of good changes most with").wait_for(
        timeout=SECONDS
    )
    panels = figure(page, "mean probability of good")
    panels.wait_for(timeout=SECONDS)
    # A click on a point of another panel chooses its feature.
    area = panels.locator(".nsewdrag").nth(1)
    point = panels.locator(".scatterlayer").nth(1).locator(".point").nth(5)
    box, place = area.bounding_box(), point.bounding_box()
    area.click(position={
        "x": place["x"] + place["width"] / 2 - box["x"],
        "y": place["y"] + place["height"] / 2 - box["y"],
    })  # fmt: skip
    page.wait_for_url(re.compile(r"profile_feature=duration"), timeout=SECONDS)
    page.get_by_text("Over the values of duration that rows have").wait_for(timeout=SECONDS)
    # Another one, with its effects beside the mean curve, and single rows in groups.
    pick(page, "Feature", "^credit_amount$", typed="credit_amount")
    page.get_by_text("Over the values of credit_amount that rows have").wait_for(timeout=SECONDS)
    page.get_by_role("radio", name="Both").click()
    figure(page, "dashed: mean curve").wait_for(timeout=SECONDS)
    page.get_by_role("radio", name="Mean curve").click()
    page.get_by_role("radio", name="In groups").click()
    page.get_by_text("Groups of single rows", exact=True).wait_for(timeout=SECONDS)
    figure(page, "groups of single rows; silhouette").wait_for(timeout=SECONDS)
    # Together with a second feature.
    pick(page, "Together with", "^duration$", typed="duration")
    figure(page, "dots: no row near").wait_for(timeout=SECONDS)
    page.get_by_role("radio", name="Beyond each alone").click()
    figure(page, "effect on probability of good").wait_for(timeout=SECONDS)
    # Both runs go into the report, and out again.
    for n in (1, 2):
        page.get_by_role("button", name="Add to report").first.click()
        page.get_by_role("button", name="In the report").nth(n - 1).wait_for(timeout=SECONDS)
    page.goto(f"{app_url}/report")
    for what in ("features", "credit_amount and duration"):
        page.get_by_text(
            re.compile(rf"^Profiles of {what}, german-mlp, \d+ rows of german$")
        ).wait_for(timeout=SECONDS)
    page.go_back()
    for n in (2, 1):
        page.get_by_role("button", name="In the report").first.click()
        page.get_by_role("button", name="Add to report").nth(2 - n).wait_for(timeout=SECONDS)
