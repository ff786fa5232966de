"""Pages in a real browser: figure, many rows, cancel, downloads, themes, narrow windows."""

import re

import pytest

from workbench import load_result, load_table

SECONDS = 60_000
FIGURE = ".js-plotly-plot .main-svg"
pytestmark = pytest.mark.browser


@pytest.fixture
def visit(page, app_url):
    def go(address=""):
        page.goto(f"{app_url}/shapley{address}")
        page.get_by_role("heading", name="Which features made this prediction?").wait_for(
            timeout=SECONDS
        )
        return page

    return go


def answer(page):
    return page.locator('p[role="heading"]')


def test_a_first_visit_says_how_good_the_model_is_and_leads_to_an_explanation(page, app_url):
    page.goto(app_url)
    page.get_by_role("heading", name="What am I looking at").wait_for(timeout=SECONDS)
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    assert answer(page).inner_text().startswith("On 6,513 rows of adult/test")
    page.get_by_role("button", name="Explain the first row").click()
    page.wait_for_url("**/shapley", timeout=SECONDS)
    page.get_by_role("heading", name="Row 6: ").wait_for(timeout=SECONDS)
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)


def test_an_explanation_shows_a_figure_an_answer_and_how_far_to_trust_it(visit):
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
    page.wait_for_url("**/shapley?model=diabetes-mlp&row=5")
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
    page.get_by_role("radio", name="Rows", exact=True).click()
    page.get_by_text("a point per row").wait_for(timeout=SECONDS)


def test_cancel_stops_the_run_and_loses_nothing(visit):
    page = visit("?model=adult-mlp&mode=many&count=3&effort=thorough&method=kernel")
    page.get_by_role("button", name="Explain 3 rows").click()
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    said = answer(page).inner_text()
    rows = page.get_by_role("spinbutton", name="Number of rows")
    rows.fill("4000")
    rows.press("Enter")
    page.get_by_text("The settings have changed since").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="Explain 4,000 rows").click()
    page.get_by_text("% done").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled: press the button").wait_for(timeout=SECONDS)
    page.get_by_role("progressbar").wait_for(state="detached", timeout=SECONDS)
    assert answer(page).inner_text() == said
    assert page.get_by_role("button", name="Explain 4,000 rows").is_visible()


def test_every_download_is_what_it_says(visit, tmp_path):
    page = visit("?model=diabetes-mlp&row=2")
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    files = {}
    for name in ("HTML", "CSV", "JSON", "Result file"):
        with page.expect_download(timeout=SECONDS) as caught:
            page.get_by_role("button", name=name, exact=True).click()
        files[name] = tmp_path / caught.value.suggested_filename
        caught.value.save_as(files[name])
    assert re.fullmatch(r"shapley-diabetes-mlp-row-\d+\.html", files["HTML"].name)
    report = files["HTML"].read_text()
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
    page.wait_for_function(
        """dark => {
            const tick = document.querySelector('.js-plotly-plot .ytick text');
            if (!tick) return false;
            const parts = getComputedStyle(tick).fill.match(/\\d+/g).slice(0, 3).map(Number);
            return (parts[0] + parts[1] + parts[2] > 3 * 128) === dark;
        }""",
        arg=scheme == "dark",
        timeout=SECONDS,
    )


def test_a_narrow_window_puts_the_cards_below_the_figure(visit):
    page = visit("?model=diabetes-mlp")
    page.set_viewport_size({"width": 800, "height": 1000})
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    page.wait_for_function(
        """() => {
            const figure = document.querySelector('.js-plotly-plot').getBoundingClientRect();
            const below = [...document.querySelectorAll('strong')].find(
                element => element.textContent === 'How far can I trust this?');
            return below.getBoundingClientRect().top > figure.bottom;
        }""",
        timeout=SECONDS,
    )


def test_no_page_is_wider_than_its_window(page, app_url):
    page.goto(app_url)
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    for view in ("The data", "The model", "How good is it?"):
        page.get_by_role("radio", name=view).click()
        fits(page)
    links = page.get_by_test_id("stSidebarNavLink")
    for place in range(links.count()):
        links.nth(place).click()
        fits(page)


def fits(page):
    """Wait until nobody has to scroll sideways, in a wide window and in a narrow one."""
    page.locator("[data-test-script-state=notRunning]").wait_for(timeout=SECONDS)
    for width in (800, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(
            """() => [document.documentElement, document.querySelector('[data-testid=stMain]')]
                .every(element => element.scrollWidth <= element.clientWidth)""",
            timeout=SECONDS,
        )
