"""What a test does with a page in a real browser: wait until it is drawn, choose from a list."""

import re

SECONDS = 60_000
FIGURES = ".js-plotly-plot"


def figure(page, words):
    """The first figure with these words in it; lines of its captions may end between any two."""
    return page.locator(FIGURES, has_text=in_lines(words)).first


def in_lines(words):
    """Matches these words in a text whose lines follow each other without a space."""
    return re.compile(r"\s*".join(map(re.escape, words.split())))


def settled(page):
    """Wait until the page has drawn itself."""
    page.wait_for_timeout(300)
    page.locator("[data-test-script-state='notRunning']").wait_for(timeout=SECONDS)


def open_list(page, label, typed=""):
    """Open a list whose label matches; type, where it is so long that it shows a part only."""
    settled(page)
    for _ in range(5):  # a list closes again where something above it changes just then
        page.get_by_role("combobox", name=re.compile(label)).first.click(timeout=SECONDS)
        page.keyboard.type(typed)
        page.wait_for_timeout(500)
        if page.get_by_role("option").count():
            return


def pick(page, label, option, typed=""):
    """Choose from a list whose label matches an option that matches; return what was chosen."""
    open_list(page, label, typed)
    wanted = page.get_by_role("option", name=re.compile(option)).first
    chosen = wanted.text_content(timeout=SECONDS)
    wanted.click(timeout=SECONDS)
    settled(page)
    return chosen


def write_report(page):
    """Have the report that is open written, and wait for its files."""
    settled(page)
    page.get_by_role("button", name="Write the report").click()
    page.get_by_role("button", name="Download HTML").wait_for(timeout=3 * SECONDS)
