"""From a row to the explanation to believe, in a real browser: compare, ask, choose, report."""

import re

import pytest

from tests.browsing import figure, pick, write_report

SECONDS = 60_000
LANE = 34  # pixels between cells of the matrix
pytestmark = pytest.mark.browser


@pytest.fixture
def visit(page, app_url):
    def go(address=""):
        page.goto(f"{app_url}/which_explanation{address}")
        page.get_by_text("Which rows are missed most?").wait_for(timeout=SECONDS)
        return page

    return go


def answer(page):
    return page.locator('p[role="heading"]').first


def test_explanations_are_compared_believed_and_put_into_the_report(visit, app_url):
    page = visit("?row=3")
    # LIME, SHAP and integrated gradients of one row, and whether they agree.
    values = figure(page, "contribution, against the reference")
    values.wait_for(timeout=SECONDS)
    legend = values.locator(".legendtext").all_text_contents()
    assert legend == ["LIME", "KernelSHAP", "Integrated gradients"]
    page.get_by_text(re.compile(r"Row \d+, probability of >50K: .* first")).wait_for()
    agreement = figure(page, "strongest features shared")
    assert agreement.locator(".annotation-text").count() > 6
    # What to believe, and that another question has another answer.
    assert re.match(
        r"Believe KernelSHAP: where many or few features are removed, it misses .* over 100 rows",
        answer(page).inner_text(),
    )
    pick(page, "Question", "^What if a number moved a little[?]$")
    page.get_by_role("heading", name="where numbers are moved a little").wait_for(timeout=SECONDS)
    page.wait_for_url("**/which_explanation?row=3&question=moved")
    assert "Believe KernelSHAP" not in answer(page).inner_text()
    # Both results in the report.
    for n in (1, 2):
        page.get_by_role("button", name="Add to report").first.click()
        page.get_by_role("button", name="In the report").nth(n - 1).wait_for(timeout=SECONDS)
    page.goto(f"{app_url}/report")
    page.get_by_role("heading", name=re.compile("results are ready")).wait_for(timeout=SECONDS)
    page.get_by_text("Which explanation is faithful where, adult-mlp, 100 rows").wait_for()
    write_report(page)
    with page.expect_download(timeout=SECONDS) as caught:
        page.get_by_role("button", name="Download HTML").click()
    report = caught.value.path().read_text()
    assert "KernelSHAP" in report
    assert "misses least" in report


def test_where_none_is_adequate_the_card_leads_to_pairs_of_features(visit):
    page = visit("?question=moved-further")
    page.get_by_role("heading", name="Believe none of them").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="See which features work together").click()
    page.get_by_role("heading", name="Which features made this prediction?").wait_for(
        timeout=SECONDS
    )
    page.get_by_text("The strongest pairs").wait_for(timeout=SECONDS)


def test_a_click_on_the_matrix_lists_rows_and_one_of_them_opens(visit):
    page = visit("?model=diabetes-mlp")
    matrix = figure(page, "no better than a constant")
    matrix.scroll_into_view_if_needed()
    cell = matrix.locator(".annotation-text", has_text=re.compile(r"^0\.00$")).first
    cell.wait_for(timeout=SECONDS)
    box = cell.bounding_box()
    # Occlusion misses nothing there, so no row stands out; two cells above is LIME's.
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - 2 * LANE)
    page.wait_for_url(re.compile(r"cell\.neighbourhood=one-at-a-time"), timeout=SECONDS)
    assert "cell.method=lime" in page.url
    first = page.get_by_role("button", name=re.compile(r"Row \d+: .* missed")).first
    number = re.search(r"Row (\d+)", first.inner_text())[1]
    first.click()
    page.get_by_text(re.compile(rf"Row {number} of diabetes")).wait_for(timeout=SECONDS)


@pytest.mark.parametrize("width", [1400, 600, 380])
def test_nothing_is_wider_than_the_window(visit, width):
    page = visit("?model=wine-mlp&question=path")
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(500)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
