"""The whole app in a real browser: figure, many rows, cancel, downloads, themes, narrow windows."""

import re
import time

import pytest

from workbench import load_result, load_table

SECONDS = 60_000
FIGURE = ".js-plotly-plot .main-svg"
pytestmark = pytest.mark.browser


@pytest.fixture
def visit(page, app_url):
    def go(address=""):
        page.goto(f"{app_url}/{address}")
        page.get_by_role("heading", name="Which features made this prediction?").wait_for(
            timeout=SECONDS
        )
        return page

    return go


def answer(page):
    return page.locator('p[role="heading"]')


def test_first_visit_shows_a_figure_an_answer_and_how_far_to_trust_it(visit):
    page = visit()
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    assert re.match(r"Row 6: >50K is predicted with probability", answer(page).inner_text())
    assert page.get_by_text("How far can I trust this?").is_visible()
    assert page.get_by_text("Adds up · gap").first.is_visible()
    page.get_by_text("How was this computed?").click()
    page.get_by_text("auto chose exact").wait_for()


def test_a_refresh_and_a_link_show_the_same(visit):
    page = visit("?model=diabetes-mlp")
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    row = page.get_by_role("spinbutton", name="Row", exact=True)
    row.fill("5")
    row.press("Enter")
    page.wait_for_url("**/?model=diabetes-mlp&row=5")
    number = load_table("diabetes", split="test").ids[5]
    page.get_by_text(re.compile(rf"Row {number} of diabetes")).wait_for(timeout=SECONDS)
    page.get_by_role("heading", name=f"Row {number}: ").wait_for(timeout=SECONDS)
    said = answer(page).inner_text()
    page.reload()
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    assert answer(page).inner_text() == said


def test_many_rows_by_importance_and_as_points(visit):
    page = visit("?model=diabetes-mlp&count=20")
    page.get_by_role("radio", name="Many rows").click()
    page.get_by_role("button", name="Explain 20 rows").click()
    page.get_by_text("whiskers: 95 % over rows").wait_for(timeout=SECONDS)
    assert answer(page).inner_text().startswith("Over 20 rows, ")
    page.get_by_role("radio", name="Every row").click()
    page.get_by_text("a point per row").wait_for(timeout=SECONDS)


def test_cancel_stops_the_run_and_loses_nothing(visit):
    page = visit("?model=diabetes-mlp&mode=many&count=3&method=kernel&background=264")
    page.get_by_role("button", name="Explain 3 rows").click()
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    said = answer(page).inner_text()
    rows = page.get_by_role("spinbutton", name="Number of rows")
    rows.fill("89")
    rows.press("Enter")
    page.get_by_text("The settings have changed since").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="Explain 89 rows").click()
    page.get_by_role("button", name="Cancel").click(timeout=SECONDS)
    page.get_by_text("Cancelled. Nothing was lost").wait_for(timeout=5000)
    assert answer(page).inner_text() == said
    # Were the run still going, the server would be busy with it and its bar would come back.
    time.sleep(1)
    assert page.get_by_role("progressbar").count() == 0
    assert page.get_by_role("button", name="Explain 89 rows").is_visible()


def test_every_download_is_what_it_says(visit, tmp_path):
    page = visit("?model=diabetes-mlp&row=2")
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    files = {}
    for name in ("Report", "CSV", "JSON", "Result file"):
        with page.expect_download(timeout=SECONDS) as caught:
            page.get_by_role("button", name=name, exact=True).click()
        files[name] = tmp_path / caught.value.suggested_filename
        caught.value.save_as(files[name])
    assert re.fullmatch(r"shapley-diabetes-mlp-row-\d+\.html", files["Report"].name)
    report = files["Report"].read_text()
    assert report.lower().startswith("<!doctype html>")
    assert "progression" in report
    assert files["CSV"].read_text().startswith("row,output,feature,value,attribution")
    assert '"kind": "attribution"' in files["JSON"].read_text()
    assert load_result(files["Result file"]).provenance.model == "diabetes-mlp@1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_follow_the_theme(visit, scheme):
    page = visit("?model=diabetes-mlp")
    page.emulate_media(color_scheme=scheme)
    page.reload()
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    page.wait_for_timeout(500)
    brightness = page.evaluate(
        """() => {
            const tick = document.querySelector('.js-plotly-plot .ytick text');
            return getComputedStyle(tick).fill.match(/\\d+/g).slice(0, 3)
                .reduce((sum, part) => sum + Number(part), 0) / 3;
        }"""
    )
    assert (brightness > 128) == (scheme == "dark")


def test_a_narrow_window_puts_the_cards_below_the_figure(visit):
    page = visit("?model=diabetes-mlp")
    page.set_viewport_size({"width": 800, "height": 1000})
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    page.wait_for_timeout(500)
    figure = page.locator(FIGURE).first.bounding_box()
    trust = page.get_by_text("How far can I trust this?").bounding_box()
    assert trust["y"] > figure["y"] + figure["height"]
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
