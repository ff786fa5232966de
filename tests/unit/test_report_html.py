"""The report as a file: complete, closed to the network, and deaf to markup in names."""

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.attributions import HOSTILE_BOLD, HOSTILE_SCRIPT, build, example, hostile, provenance
from workbench.checks import run_checks
from workbench.core.errors import InvalidInputError
from workbench.core.results import Result
from workbench.plots import overall_sentence, render, sentence, view_sentence
from workbench.plots.clusters import clusters_of
from workbench.plots.layout import shortened
from workbench.report import write_report
from workbench.report.embedded import narrowed
from workbench.report.section import Picture


class Page(HTMLParser):
    """Tags with their attributes, text outside scripts, and the scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.scripts, self._open = [], "", [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._open = (tag, dict(attrs))
            self.scripts += [""] if tag == "script" else []

    def handle_endtag(self, tag):
        if tag in {"script", "style"}:
            self._open = None

    def handle_data(self, data):
        if self._open is None:
            self.text += data
        elif self._open[0] == "script":
            self.scripts[-1] += data

    def find(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def write(tmp_path):
    def call(*results, **options):
        path = write_report(results, tmp_path / "report.html", **({"title": "Report"} | options))
        return Page(path.read_bytes().decode())

    return call


def test_holds_the_answer_the_checks_and_how_it_was_made(write):
    result = replace(example(n=3), predictions=example(n=3).predictions + 0.5)
    page = write(result, title="Who earns more?", comments=["A first word."])
    for text in (
        "Who earns more?",
        "A first word.",
        overall_sentence(result),
        *(sentence(result, row) for row in range(3)),
        *(found.sentence for found in run_checks(result)),
        "(failed)",
        "(fine)",
        result.provenance.describe(),
        *(str(value) for value in (provenance().model_digest, provenance().background_digest)),
        "102,400",
    ):
        assert text in page.text
    caveats = page.text[page.text.rindex("Limits and caveats") :]
    assert "miss the prediction" in caveats
    assert "What to do: Run again in double precision" in caveats
    fine = [found.sentence for found in run_checks(result) if found.status == "ok"]
    assert fine
    assert not any(said in caveats for said in fine), "only objections"


def test_says_when_there_are_no_caveats(write):
    assert "No check found anything to be careful about." in write(example(n=1, sampled=False)).text


@pytest.mark.parametrize(
    ("n", "views"),
    [
        (0, []),
        (1, ["row-0"]),
        (2, ["row-0", "row-1", "bar", "beeswarm"]),
        (20, ["row-0", "row-1", "row-2", "bar", "beeswarm"]),
        (21, ["bar", "beeswarm", "dependence", "heatmap", "decision", "cohorts", "clusters"]),
    ],
)
def test_pictures_and_tables_by_number_of_rows(write, n, views):
    result = example(n=max(n, 1))[:n]
    page = write(result)
    plots = [a for a in page.find("div") if a.get("class") == "plot"]
    assert [a["id"].removeprefix("result-1-") for a in plots] == views
    assert all(a["role"] == "img" and a["aria-label"] for a in plots)
    assert ("All values" in page.text) == (0 < n <= 20)
    expected = 5 * bool(n) + (n * 5 * 2 if n <= 20 else len(clusters_of(result).names))
    assert len(page.find("tr")) - len(page.find("table")) == expected


def test_figures_are_stored_once_with_the_changes_of_the_dark_theme(write):
    result = example(n=2)
    page = write(result)
    stored = [json.loads(s) for s in page.scripts if s.startswith('{"')]

    def changed(spec, changes):
        if not isinstance(changes, dict):
            return changes
        keys = range(len(spec)) if isinstance(spec, list) else spec
        parts = {k: changed(spec[k], changes[str(k)]) if str(k) in changes else spec[k]
                 for k in keys}  # fmt: skip
        return list(parts.values()) if isinstance(spec, list) else parts

    drawn = [("waterfall", {"row": 0}), ("waterfall", {"row": 1}), ("bar", {}),
             ("beeswarm", {"max_rows": 500, "webgl": False})]  # fmt: skip
    for (view, options), spec in zip(drawn, stored, strict=True):
        for dark, got in ((False, spec["light"]), (True, changed(spec["light"], spec["dark"]))):
            expected = json.loads(render(result, view, dark=dark, **options).to_json())
            assert got == {**expected, "data": narrowed(expected["data"])}


def test_many_rows_keep_the_file_small_and_name_their_groups(write):
    result = example(n=600)
    page = write(result)
    drawn = {
        attributes["id"].removeprefix("result-1-").removesuffix("-data"): script
        for attributes, script in zip(
            [a for a in page.find("script") if "id" in a], page.scripts, strict=False
        )
    }
    assert sum(map(len, drawn.values())) < 1_500_000
    assert not any("scattergl" in script for script in drawn.values()), "needs generated code"
    assert "Groups of rows with similar explanations" in page.text
    for rule in clusters_of(result).rules:
        assert (rule.text or "no short rule") in page.text
    assert view_sentence(result, "cohorts") in [a["aria-label"] for a in page.find("div")
                                                if "aria-label" in a]  # fmt: skip


def test_cells_of_words_keep_room_for_them_in_a_narrow_window(tmp_path):
    path = write_report([example(n=40)], tmp_path / "report.html", title="Report")
    page = path.read_text(encoding="utf-8")
    assert re.search(r"@media \(max-width: 40rem\) \{.*?\.words \{ min-width:", page, re.DOTALL)
    cells = re.findall(r"<td( class=.words.)?>([^<]*)</td>", page)
    assert {bool(words) for words, _ in cells} == {True, False}
    assert all(bool(words) == (len(html.unescape(cell)) > 24) for words, cell in cells)


def test_asks_for_nothing_from_outside(write):
    page = write(example(n=2), hostile())
    addresses = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in {"src", "href", "action", "data", "poster", "srcset", "xlink:href"}
    ]
    assert addresses
    assert all(address.startswith("#") for address in addresses)
    assert not page.find("link") + page.find("iframe") + page.find("img")
    assert "http" not in page.text


def test_the_policy_allows_the_pages_own_scripts_only(write):
    page = write(example(n=1))
    policy = page.find("meta")[1]["content"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data: blob:"
    code = [s for s in page.scripts if not s.startswith('{"')]
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in code]
    assert rules["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]
    assert len(digests) == 2


def test_hostile_text_is_shown_and_not_obeyed(write):
    path_like = "</script><script>alert(3)</script>"
    result = hostile(provenance=provenance(params={HOSTILE_BOLD: HOSTILE_SCRIPT}))
    page = write(result, title=HOSTILE_SCRIPT, comments=[HOSTILE_BOLD, path_like])
    for text in (HOSTILE_SCRIPT, HOSTILE_BOLD, path_like, result.output_names[0]):
        assert text in page.text, "shown as written"
    assert not page.find("b") + page.find("i") + page.find("u") + page.find("img")
    assert len(page.find("script")) == 2 + 5, "plotly, behaviour and the data of five figures"
    data = "".join(s for s in page.scripts if s.startswith('{"'))
    assert "<" not in data
    assert html.escape(HOSTILE_SCRIPT) in data


def test_headings_descend_one_level_at_a_time(write):
    levels = [int(tag[1]) for tag, _ in write(example(n=2), example(n=3)).tags
              if re.fullmatch(r"h\d", tag)]  # fmt: skip
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(np.diff(levels)) == 1


def test_contents_lead_to_sections(write):
    page = write(example(n=1), example("regression", n=2))
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    targets = [a["href"].removeprefix("#") for a in page.find("a")]
    assert set(targets) <= ids
    assert targets[:5] == ["content", "glance", "result-1", "result-2", "caveats"]
    identifiers = [a["id"] for _, a in page.tags if "id" in a]
    assert len(set(identifiers)) == len(identifiers)


def test_replaces_the_file_as_a_whole(tmp_path):
    path = tmp_path / "new" / "report.html"
    assert write_report([build([[0.3]])], str(path), title="First") == path
    write_report([build([[0.3]])], path, title="Second")
    assert "<title>Second</title>" in path.read_text(encoding="utf-8")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_says_what_is_wrong(tmp_path):
    with pytest.raises(InvalidInputError, match="at least one result; add one"):
        write_report([], tmp_path / "report.html", title="Empty")
    with pytest.raises(InvalidInputError, match="cannot show results of kind ''; leave it out"):
        write_report([Result(provenance())], tmp_path / "report.html", title="Unknown")
    assert not list(tmp_path.iterdir())


def test_the_place_of_a_figure_holds_the_names_in_it(tmp_path):
    result = hostile(n=3)
    picture = Picture("a", "", "", lambda **look: render(result, "bar", **look))
    assert picture.words.split(" · ") == [
        shortened(str(name)) for name in result.importance()["feature"]
    ]
    text = write_report([result], tmp_path / "r.html", title="R").read_text(encoding="utf-8")
    assert html.escape(picture.words) in text.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
