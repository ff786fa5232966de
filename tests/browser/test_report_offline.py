"""The report in a browser without a network: figures appear, themes change, nothing complains."""

import pytest

from tests.attributions import example, hostile
from tests.fairness_audits import unequal
from tests.local_bases import some_basis
from tests.remedies import some_remedies
from workbench.report import write_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    results = [example(n=2), hostile(n=1), example("regression", n=600, scale=100)]
    return write_report(results, path, title="Offline <b>report</b>")


def opened(page, report, scheme):
    page.context.set_offline(True)
    page.emulate_media(color_scheme=scheme)
    page.goto(report.as_uri())
    page.wait_for_function("document.querySelectorAll('.plot .xtick').length > 0")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_figure_is_drawn(page, report, scheme):
    opened(page, report, scheme)
    drawn = page.locator(".js-plotly-plot:has(.main-svg)")
    assert drawn.count() == 4 + 1 + (2 + 5)
    assert page.locator(".no-webgl").count() == 0
    assert page.locator("#result-1-row-0 .bars .point").count() == 5
    assert page.locator("#result-3-beeswarm .scatterlayer .point").count() == 500 * 5
    assert page.get_by_text("<script>alert(1)</script>").count() > 0
    assert page.evaluate("document.documentElement.dataset.theme") == scheme


def test_the_button_changes_page_and_figures(page, report):
    opened(page, report, "light")
    colour = "getComputedStyle(document.querySelector('#result-1-bar .point path')).fill"
    before = page.evaluate(colour)
    page.get_by_role("button", name="Dark theme").click()
    page.wait_for_function(f"{colour} !== '{before}'")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == "rgb(13, 17, 23)"
    page.get_by_role("button", name="Light theme").click()
    page.wait_for_function(f"{colour} === '{before}'")


def test_figures_fit_a_telephone(page, tmp_path):
    results = [unequal(), some_remedies(), some_basis()]
    path = write_report(results, tmp_path / "narrow.html", title="Narrow")
    page.set_viewport_size({"width": 400, "height": 900})
    opened(page, path, "light")
    widths = page.evaluate(
        "[...document.querySelectorAll('.plot')].map((plot) => [plot.querySelector('.main-svg')"
        ".getBoundingClientRect().width, plot.closest('figure').clientWidth])"
    )
    assert len(widths) > 10
    assert all(drawn <= room for drawn, room in widths)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_narrow_window_does_not_scroll_the_page(page, report):
    page.set_viewport_size({"width": 800, "height": 900})
    opened(page, report, "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 800
    page.set_viewport_size({"width": 400, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_printing_is_light_and_shows_closed_parts(page, report):
    opened(page, report, "dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert len(page.pdf(format="A4")) > 10_000


def test_an_injected_script_does_not_run(page, report, tmp_path, console_errors):
    """The policy is the second wall: markup that got past the escaping stays dead."""
    text = report.read_text(encoding="utf-8")
    attack = "<script>document.title = 'run'</script><img src=x onerror=\"document.title='run'\">"
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace("<main>", f"<main>{attack}", 1), encoding="utf-8")
    opened(page, broken, "light")
    assert page.title() == "Offline <b>report</b>"
    assert any("Content Security Policy" in error for error in console_errors)
    console_errors.clear()
