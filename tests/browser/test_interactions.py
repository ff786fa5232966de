"""Features that work together in a real browser: from all pairs to one, and into the report."""

import re

import pytest

from tests.browsing import figure

SECONDS = 60_000
pytestmark = pytest.mark.browser


def press(figure, point):
    """Press the middle of a point or bar: a layer above the figure takes the mouse."""
    area = figure.locator(".nsewdrag").first
    box, place = area.bounding_box(), point.bounding_box()
    area.click(position={
        "x": place["x"] + place["width"] / 2 - box["x"],
        "y": place["y"] + place["height"] / 2 - box["y"],
    })  # fmt: skip


def test_from_all_pairs_to_one_and_into_the_report(page, app_url):
    page.goto(f"{app_url}/interactions?model=german-mlp")
    answer = page.get_by_role("heading", name=re.compile(r"^Of all pairs, .* do most together"))
    answer.wait_for(timeout=SECONDS)
    bars = figure(page, "share of the variance of log-odds of good")
    bars.wait_for(timeout=SECONDS)
    assert bars.locator(".errorbar").count() >= 12, "every bar has its interval"
    # The strongest pair stands open; press the third bar, and that pair is looked at.
    figure(page, "mean log-odds of good").wait_for(timeout=SECONDS)
    third = " ".join(bars.locator(".ytick").nth(2).locator("tspan").all_text_contents())
    press(bars, bars.locator(".barlayer .point").nth(2))
    page.wait_for_url(re.compile(r"pair=\d+-\d+"), timeout=SECONDS)
    page.get_by_text(re.compile(rf"^{third}: together")).wait_for(timeout=SECONDS)
    first, _, second = third.partition(" and ")
    surface = figure(page, "mean log-odds of good")
    surface.get_by_text(first, exact=True).wait_for(timeout=SECONDS)
    surface.get_by_text(second, exact=True).wait_for(timeout=SECONDS)
    # A cell of the map chooses a pair as well.
    before = page.url
    page.get_by_role("radio", name="Heatmap").click()
    cells = figure(page, "this model")
    cells.wait_for(timeout=SECONDS)
    press(cells, cells.locator(".scatterlayer .point").nth(3))
    page.wait_for_url(lambda url: "pair=" in url and url != before, timeout=SECONDS)
    # Into the report, and out again: others look at the same one.
    page.get_by_role("button", name="Add to report").first.click()
    page.get_by_role("button", name="In the report").wait_for(timeout=SECONDS)
    page.goto(f"{app_url}/report")
    page.get_by_text(re.compile(r"^Scores of pairs of features, german-mlp, 200 rows")).wait_for(
        timeout=SECONDS
    )
    page.go_back()
    page.get_by_role("button", name="In the report").click()
    page.get_by_role("button", name="Add to report").first.wait_for(timeout=SECONDS)


def test_a_pair_has_its_halo_and_its_swarm(page, app_url):
    page.goto(f"{app_url}/interactions?model=german-mlp")
    page.get_by_role("button", name="Its halo").click(timeout=SECONDS)
    page.get_by_role(
        "heading", name=re.compile(r"joint models that scale checking_account and duration")
    ).wait_for(timeout=SECONDS)
    figure(page, "duration").wait_for(timeout=SECONDS)
    page.goto(f"{app_url}/interactions?model=german-mlp&interactions_part=cloud&effort=quick")
    page.get_by_role("heading", name=re.compile(r"Over \d+ equally good models")).wait_for(
        timeout=2 * SECONDS
    )
    page.get_by_role("radio", name="Swarm").click()
    figure(page, "in top 5").wait_for(timeout=SECONDS)
