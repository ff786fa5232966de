"""From files of one's own to a report, and runs that outlive a tab and a server."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.browser.conftest import Server
from tests.browsing import pick, write_report
from tests.bundles import bundle, zipped
from workbench import api, load_result

SECONDS = 60_000
FIGURE = ".js-plotly-plot .main-svg"
# About as long as a person waits; and many minutes, unless it is stopped.
SHORT = "shapley?mode=many&count=80&seed={seed}"
LONG = "shapley?mode=many&count=4000"
pytestmark = pytest.mark.browser


def heading(page, text):
    page.get_by_role("heading", name=text).first.wait_for(timeout=SECONDS)


def click(page, name):
    page.get_by_role("button", name=name, exact=True).click(timeout=SECONDS)


def menu(page, name):
    page.get_by_role("link", name=name).click()


def upload(page, name, content):
    page.locator("input[type=file]").set_input_files({
        "name": name,
        "mimeType": "application/octet-stream",
        "buffer": content,
    })


def download(page, name, folder):
    with page.expect_download(timeout=SECONDS) as caught:
        click(page, name)
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def people():
    """Rows of the census under other names."""
    frame = api.load_table("adult", split="test")[:60].to_frame()
    names = {"age": "Age", "hours_per_week": "Hours per week", "sex": "SEX", "race": "Race "}
    return frame.rename(columns=names).assign(comment="none").to_csv(index=False).encode()


def test_from_files_of_ones_own_to_a_report(page, app_url, tmp_path):
    page.goto(app_url)
    heading(page, "On 6,513 rows of adult/test")
    bring_rows(page)
    bring_a_model(page)
    page.goto(f"{app_url}/shapley?model=my:credit&table=my:people&row=3")
    heading(page, "Row 3: ")
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    result = load_result(download(page, "Result file", tmp_path))
    assert (result.provenance.model, result.provenance.table) == ("credit@1", "people")
    click(page, "Add to report")
    page.get_by_role("button", name="In the report").wait_for(timeout=SECONDS)
    hand_over(page, tmp_path)


def bring_rows(page):
    """Upload a file and match its columns with a model, which then explains the first row."""
    menu(page, "Add data")
    heading(page, "Bring a table of your own")
    upload(page, "people of our town.csv", people())
    page.get_by_text("60 rows, 14 columns").wait_for(timeout=SECONDS)
    pick(page, "What is it for", "^model adult-mlp$")
    page.get_by_text("9 columns fit as they are").wait_for(timeout=SECONDS)
    assert page.get_by_text("Column 'Hours per week' is read as feature 'hours_per_week'.").count()
    assert page.get_by_text("Column 'comment' is not read by the model").count()
    page.get_by_role("textbox", name="Name").fill("people")
    click(page, "Keep this table")
    page.wait_for_url("**/shapley?*", timeout=SECONDS)
    heading(page, "Row 0: ")
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)
    assert page.get_by_text(re.compile("Row 0 of my:.?people")).count()


def bring_a_model(page):
    """Upload a model of the same columns and see how good it is."""
    menu(page, "Add a model")
    heading(page, "Bring a model of your own")
    rows = api.load_table("adult", split="train")[:200]
    upload(page, "credit.zip", zipped(bundle(rows, name="credit", title="Our <b>own</b> model")))
    click(page, "Check and keep it")
    page.get_by_text("Our <b>own</b> model is in: version 1 of credit").wait_for(timeout=SECONDS)
    click(page, "See how good it is")
    page.wait_for_url("**/?model=my%3Acredit%401", timeout=SECONDS)
    page.locator(FIGURE).first.wait_for(timeout=SECONDS)


def hand_over(page, folder):
    """Comment the only result, and download the report."""
    menu(page, "Report")
    heading(page, "1 result is ready to hand over.")
    page.get_by_text("Title and remark").click()
    remark = page.get_by_role("textbox", name="Remark")
    remark.fill("Mind the <i>hours</i>.")
    remark.press("Control+Enter")
    page.get_by_role("textbox", name="Heading").fill("For the board")
    page.get_by_role("textbox", name="Heading").press("Enter")
    with suppress(PlaywrightTimeoutError):  # a run this short may be over before it is seen
        page.locator("[data-test-script-state=running]").wait_for(timeout=3000)
    page.locator("[data-test-script-state=notRunning]").wait_for(timeout=SECONDS)
    page.reload()
    page.get_by_text("Mind the <i>hours</i>.").wait_for(timeout=SECONDS)
    write_report(page)
    report = download(page, "Download HTML", folder).read_text()
    assert "<title>For the board</title>" in report
    assert "Mind the &lt;i&gt;hours&lt;/i&gt;." in report
    assert "credit@1" in report


def test_a_run_goes_on_without_its_tab_and_two_tabs_see_the_same(new_page, app_url):
    one, other = new_page(), new_page()
    address = f"{app_url}/{SHORT.format(seed=11)}"
    one.goto(address)
    click(one, "Explain 80 rows")
    one.get_by_text("% done").wait_for(timeout=SECONDS)
    one.reload()
    other.goto(address)
    for page in (one, other):
        # A figure of what is known so far may still stand there when the last one appears.
        last = page.get_by_role("figure", name="Over 80 rows, ")
        last.get_by_text("whiskers: 95 % over rows").wait_for(timeout=SECONDS)
        heading(page, "Over 80 rows, ")
    menu(other, "Jobs")
    job = other.locator("[class*=st-key-line-]", has_text="80 rows of adult")
    job.wait_for(timeout=SECONDS)
    assert job.count() == 1
    other.get_by_role("button", name="Open").first.click()
    other.wait_for_url("**/shapley?*seed=11*", timeout=SECONDS)
    heading(other, "Over 80 rows, ")


def test_a_large_run_is_stopped_from_the_list_of_jobs(page, app_url):
    page.goto(f"{app_url}/{LONG}&seed=12")
    click(page, "Explain 4,000 rows")
    page.get_by_text("% done").wait_for(timeout=SECONDS)
    menu(page, "Jobs")
    heading(page, "1 running, 0 waiting")
    click(page, "Cancel")
    heading(page, "Nothing is running")
    page.get_by_text(re.compile("^cancelled · ")).first.wait_for(timeout=SECONDS)


def test_a_server_that_was_killed_tells_of_its_run_and_can_run_it_again(
    page, tmp_path, console_errors
):
    server = Server(tmp_path).start()
    try:
        page.goto(f"{server.url}/{LONG}")
        click(page, "Explain 4,000 rows")
        page.get_by_text("% done").wait_for(timeout=SECONDS)
        page.goto("about:blank")  # a page that stays open would report what it misses
        server.kill()
        server.start()
        page.goto(f"{server.url}/{LONG}")
        page.get_by_text("The workbench was stopped while this job ran").wait_for(timeout=SECONDS)
        menu(page, "Jobs")
        heading(page, "Nothing is running.")
        page.get_by_text(re.compile("^interrupted · ")).wait_for(timeout=SECONDS)
        click(page, "Run again")
        heading(page, re.compile("1 running, 0 waiting|0 running, 1 waiting"))
        click(page, "Cancel")
        heading(page, "Nothing is running.")
    finally:
        page.goto("about:blank")
        server.stop()
    assert not console_errors
