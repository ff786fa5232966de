"""Inside a network, in a real browser: the graph, what it is worth with fewer edges, a feature."""

import json
import re

import pytest

from tests.browsing import FIGURES, figure, in_lines, pick

SECONDS = 90_000
pytestmark = pytest.mark.browser


def metric(page):
    return page.get_by_test_id("stMetricValue").first


def test_from_the_graph_to_a_feature_and_into_the_report(page, app_url):
    page.goto(f"{app_url}/inside?model=digits-mlp")
    graph = figure(page, "Local Interaction Basis: ")
    graph.wait_for(timeout=SECONDS)
    before = metric(page).inner_text()
    slider = page.get_by_role("slider", name=re.compile("Edges kept")).first
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stMetricValue]').innerText !== before",
        arg=before, timeout=SECONDS,
    )  # fmt: skip
    assert float(metric(page).inner_text().split()[0]) < float(before.split()[0])
    pick(page, "^Feature", "^Hidden 1, feature 1$")
    page.wait_for_url(re.compile(r"inside_feature="), timeout=SECONDS)
    card = figure(page, "mean of the feature by")
    card.wait_for(timeout=SECONDS)
    assert card.locator(".ytick").count() == 10
    assert page.locator(FIGURES, has_text=in_lines("correlation with the input")).count() == 1
    with page.expect_download(timeout=SECONDS) as started:
        page.get_by_role("button", name="JSON").first.click()
    content = json.loads(started.value.path().read_text())
    assert content["kind"] == "local_basis"
    page.get_by_role("button", name="Add to report").first.click()
    page.get_by_role("button", name="In the report").wait_for(timeout=SECONDS)
    page.goto(f"{app_url}/report")
    page.get_by_text(re.compile("digits-mlp")).first.wait_for(timeout=SECONDS)
