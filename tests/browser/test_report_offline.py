"""The report in a browser without a network: figures appear, themes change, nothing complains."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.attributions import build, example, hostile
from tests.counterfactuals import found_changes
from tests.fairness_audits import unequal
from tests.halos import some_halo
from tests.interaction_scores import some_scores
from tests.interactions import one_row
from tests.local_bases import some_basis
from tests.rashomon_sets import several_models
from tests.remedies import some_remedies
from workbench.report import Document, Entry, write_document, write_report
from workbench.report.plotly_js import CARTESIAN


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    results = [example(n=2), hostile(n=1), example("regression", n=600, scale=100)]
    return write_report(results, path, title="Offline <b>report</b>")


def opened(page, report, scheme):
    page.context.set_offline(True)
    page.emulate_media(color_scheme=scheme)
    page.goto(report.as_uri())
    for plot in page.locator(".plot").all():  # drawn when they are about to be seen
        plot.scroll_into_view_if_needed()
        plot.locator(".main-svg").first.wait_for()
    page.locator("h1").scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelectorAll('.plot .xtick').length > 0")
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


def test_who_looks_for_a_name_finds_the_figure_before_it_is_drawn(page, tmp_path):
    path = write_report([several_models()] * 3, tmp_path / "r.html", title="R")
    page.goto(path.as_uri())
    last = page.locator("#result-3-importance")
    assert not last.locator(".main-svg").count()
    assert "marital_status" in last.inner_text()
    last.scroll_into_view_if_needed()
    last.locator(".main-svg").first.wait_for()
    assert not last.locator("p").count()
    assert last.locator(".ytick", has_text="marital_status").count()


def test_many_points_are_drawn_once(page, report):
    """Plotly alone draws them a second time once it knows what room the labels need."""
    opened(page, report, "light")
    plain, ours = page.evaluate(
        """() => {
          const plot = document.getElementById("result-3-beeswarm");
          const { data, layout } = JSON.parse(
            document.getElementById(plot.id + "-data").textContent).light;
          const set = Element.prototype.setAttribute;
          const count = (drawing) => {
            let written = 0;
            Plotly.purge(plot);
            Element.prototype.setAttribute = function (name, value) {
              written += name === "d" && this.classList.contains("point");
              set.call(this, name, value);
            };
            drawing();
            Element.prototype.setAttribute = set;
            return written;
          };
          return [count(() => Plotly.react(plot, data, layout)), count(() => draw(plot, false))];
        }"""
    )
    assert plain > 2 * 500 * 5
    assert ours < 0.6 * plain


def test_the_button_changes_page_and_figures(page, report):
    opened(page, report, "light")
    # Of the first figure, which is in view beside the button: what nobody sees, nobody draws.
    colour = "getComputedStyle(document.querySelector('.plot .bars .point path')).fill"
    before = page.evaluate(colour)
    page.get_by_role("button", name="Dark theme").click()
    # A function: an expression would be evaluated as text, which the page's policy forbids.
    page.wait_for_function(f"() => {colour} !== '{before}'")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == "rgb(13, 17, 23)"
    page.get_by_role("button", name="Light theme").click()
    page.wait_for_function(f"() => {colour} === '{before}'")


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


def test_a_telephone_cuts_no_letter_off(page, tmp_path):
    path = write_report(
        [found_changes(), one_row(), some_scores(), several_models(), example(n=30)],
        tmp_path / "letters.html", title="Letters",
    )  # fmt: skip
    page.set_viewport_size({"width": 400, "height": 900})
    opened(page, path, "light")
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".plot")].flatMap((plot) => {
          const { left, right } = plot.querySelector(".main-svg").getBoundingClientRect();
          return [...plot.querySelectorAll("svg text")]
            .filter((text) => text.textContent.trim() && text.getBoundingClientRect().width)
            .filter((text) => text.getBoundingClientRect().left < left - 2
              || text.getBoundingClientRect().right > right + 2)
            .map((text) => `${plot.id}: ${text.textContent}`);
        })"""
    )
    assert not cut


def test_captions_take_more_lines_in_a_narrow_window_alone(page, tmp_path):
    path = write_report([some_scores()], tmp_path / "lines.html", title="Lines")
    caption = page.locator(".xtitle").first
    lines = "() => document.querySelector('.xtitle').querySelectorAll('tspan').length"
    opened(page, path, "light")
    caption.wait_for()
    few = page.evaluate(lines)
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function(f"few => ({lines})() > few", arg=few)
    page.set_viewport_size({"width": 1200, "height": 900})
    page.wait_for_function(f"few => ({lines})() === few", arg=few)


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


def test_paper_tells_negative_cells_without_colours(page, report):
    opened(page, report, "light")
    lines = page.locator("#result-3-heatmap .shapelayer path")
    said = page.locator("figure:has(#result-3-heatmap)").get_by_text("A line through a cell")
    assert lines.count() == 0
    assert not said.is_visible()
    page.emulate_media(media="print")
    page.evaluate("window.drawnForPaper()")
    assert lines.count() > 0
    assert said.is_visible()


def test_an_injected_script_does_not_run(page, report, tmp_path, console_errors):
    """The policy is the second wall: markup that got past the escaping stays dead."""
    text = report.read_text(encoding="utf-8")
    attack = "<script>document.title = 'run'</script><img src=x onerror=\"document.title='run'\">"
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace("<footer", f"{attack}<footer", 1), encoding="utf-8")
    opened(page, broken, "light")
    assert page.title() == "Offline <b>report</b>"
    assert any("Content Security Policy" in error for error in console_errors)
    console_errors.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_axe_finds_nothing_serious(page, report, scheme, width):
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, report, scheme)
    found = Axe().run(page).response["violations"]
    serious = [f"{v['id']}: {v['nodes'][0]['html']}" for v in found
               if v["impact"] in {"serious", "critical"}]  # fmt: skip
    assert not serious
    pictures = page.locator(".plot .main-svg[role=img]")
    assert pictures.count() == page.locator(".plot").count()
    assert all(label for label in pictures.evaluate_all(
        "(all) => all.map((one) => one.getAttribute('aria-label'))"))  # fmt: skip


def test_a_figure_is_drawn_when_it_is_about_to_be_seen(page, tmp_path):
    path = write_report([example(n=2)] * 15, tmp_path / "long.html", title="Long")
    page.goto(f"{path.as_uri()}#result-1")
    page.locator("#result-1-row-0 .main-svg").first.wait_for()
    last = page.locator("#result-15-bar")
    assert last.get_attribute("role") == "img", "read aloud before it is drawn"
    room = last.bounding_box()["height"]
    page.wait_for_timeout(500)
    assert not last.locator(".main-svg").count()
    last.scroll_into_view_if_needed()
    last.locator(".main-svg").first.wait_for()
    assert "moves probability" in last.locator(".main-svg[role=img]").get_attribute("aria-label")
    assert last.bounding_box()["height"] == room, "what follows has not moved"


def test_a_figure_out_of_sight_changes_its_theme_when_seen_again(page, tmp_path):
    path = write_report([example(n=2)] * 15, tmp_path / "long.html", title="Long")
    page.emulate_media(color_scheme="light")
    page.goto(path.as_uri())
    last = page.locator("#result-15-bar")
    last.scroll_into_view_if_needed()
    label = last.locator(".xtick text").first
    light = label.evaluate("(label) => label.style.fill")
    page.get_by_role("button", name="Dark theme").click()
    page.locator(":root[data-theme=dark]").wait_for()
    last.scroll_into_view_if_needed()
    page.wait_for_function(
        "(light) => document.querySelector('#result-15-bar .xtick text').style.fill !== light",
        arg=light,
    )


def test_printing_draws_what_was_not_seen(page, tmp_path):
    path = write_report([example(n=2)] * 15, tmp_path / "long.html", title="Long")
    page.goto(f"{path.as_uri()}#result-1")
    page.locator("#result-1-row-0 .main-svg").first.wait_for()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".plot:has(.main-svg)").count() == page.locator(".plot").count() == 60


@pytest.mark.usefixtures("page")
def test_the_small_library_draws_the_kinds_it_is_said_to(page, report):
    opened(page, report, "light")
    assert set(page.evaluate("Object.keys(Plotly.PlotSchema.get().traces)")) == CARTESIAN


def test_a_figure_in_space_is_drawn_by_the_whole_library(page, tmp_path):
    path = write_report([some_halo(order=3)], tmp_path / "r.html", title="R")
    page.goto(path.as_uri())
    page.locator("#result-1-sphere-0 .main-svg").first.wait_for()
    kinds = page.locator("#result-1-sphere-0").evaluate("(plot) => plot.data.map((d) => d.type)")
    assert "surface" in kinds
    assert page.locator("#result-1-sphere-0 .gl-container canvas, .no-webgl").count()


def test_a_matrix_of_many_groups_scrolls_by_itself_on_a_telephone(page, tmp_path, monkeypatch):
    """The page does not scroll; two groups fit, so the limit is moved to have more than fit."""
    monkeypatch.setattr("workbench.report.fairness.FEW_CELLS", 1)
    monkeypatch.setattr("workbench.report.fairness.CELL", 200)
    path = write_report([unequal()], tmp_path / "r.html", title="R")
    page.set_viewport_size({"width": 400, "height": 900})
    opened(page, path, "light")
    matrix = page.locator("#result-1-xauc-0 .main-svg").first
    assert matrix.bounding_box()["width"] >= 120 + 2 * 200
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.usefixtures("page")
def test_a_pdf_has_every_figure(tmp_path):
    entries = tuple(map(Entry, [hostile(n=1), example("regression", n=60, scale=100)]))
    path = write_document(Document("Paper", entries), tmp_path / "r.pdf")
    content = path.read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    assert pages >= 4
    assert content.count(b"/Figure") >= 1 + 7, "tagged, each with what it shows"
    assert [found.name for found in tmp_path.iterdir()] == ["r.pdf"]


def test_a_figure_higher_than_a_page_fits_on_one(page, tmp_path):
    many = build([[0.01 * i for i in range(60)]] * 3)
    path = write_report([many], tmp_path / "r.html", title="High")
    page.emulate_media(media="print")
    page.goto(path.as_uri())
    page.evaluate("window.drawnForPaper()")
    boxes = page.locator(".plot").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect()).map((b) => [b.width, b.height])"
    )
    assert boxes
    assert all(height <= 990 for _, height in boxes)
    drawn = page.locator(".plot .main-svg").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().width)"
    )
    assert all(width <= 680 for width in drawn), "wider than the paper"
