"""A report for its readers: what each level shows, and what none leaves out."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import example, hostile
from tests.fairness_audits import unequal
from tests.remedies import some_remedies
from tests.unit.test_report_html import Page
from workbench.checks import run_checks
from workbench.data.bundled import load_table
from workbench.engines import registered_methods
from workbench.engines.performance.overview import table_overview
from workbench.registry.store import load_model
from workbench.report.document import Document, Entry
from workbench.report.html import write_html
from workbench.report.levels import MOST_LINES, every_value

YAML = "version: 1\nsteps:\n  - method: shapley.exact\n"


@pytest.fixture(scope="module")
def wrong():
    """Results that checks object to, one of them badly."""
    broken = replace(example(n=30), predictions=example(n=30).predictions + 0.5)
    return broken, some_remedies(), unequal()


@pytest.fixture(scope="module")
def about():
    return load_model("adult-mlp").card, table_overview(load_table("adult").split("test"))


def text_of(tmp_path, results, **changes):
    entries = tuple(Entry(r, remark=f"Remark {i}") for i, r in enumerate(results))
    path = write_html(Document("A title", entries, **changes), tmp_path / "report.html")
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pages(wrong, about, tmp_path_factory):
    folder = tmp_path_factory.mktemp("levels")
    card, table = about
    return {
        level: text_of(folder, wrong, level=level, cards=(card,), tables=(table,), analysis=YAML)
        for level in ("summary", "analyst", "auditor")
    }


@pytest.mark.parametrize("level", ["summary", "analyst", "auditor"])
def test_answers_remarks_and_caveats_are_for_everybody(level, pages, wrong):
    text = pages[level].text
    caveats = text[text.rindex("Limits and caveats") :]
    for i, result in enumerate(wrong):
        assert f"Remark {i}" in text
        objections = [o for o in run_checks(result) if o.status in {"warning", "failure"}]
        assert objections
        for outcome in objections:
            assert outcome.sentence in caveats
        for note in result.provenance.notes:
            assert note[1:] in caveats
    assert caveats.count("What to do: ") >= len(wrong)
    assert "30 of the 6,513 rows of adult/test were looked at" in caveats


def test_a_summary_is_short(pages):
    page = pages["summary"]
    plots = [a["id"] for a in page.find("div") if a.get("class") == "plot"]
    assert [name.split("-")[1] for name in plots] == ["1", "2", "3"], "one main figure a result"
    for text in ("How was this computed?", "How far can I trust this?", "All values", "sha256",
                 "Appendix", "weights (SHA-256)"):  # fmt: skip
        assert text not in page.text


def test_an_analyst_reads_how_and_an_auditor_everything(pages, wrong, about):
    analyst, auditor = pages["analyst"].text, pages["auditor"].text
    audit = registered_methods()["fairness.audit"]
    for text in (wrong[0].provenance.model_digest, "How far can I trust this?",
                 "What does the method do?", audit.weakness):  # fmt: skip
        assert text in analyst
        assert text in auditor
    for text in (YAML, about[0].weights_sha256, "Every run with all its settings",
                 "workbench run analysis.yaml"):  # fmt: skip
        assert text not in analyst
        assert text in auditor
    assert len(pages["auditor"].find("tr")) > len(pages["analyst"].find("tr")) + 100
    assert all("open" in a for a in pages["auditor"].find("details"))


def test_the_glance_has_each_answer_with_the_worst_check(pages):
    text = pages["summary"].text
    glance = text[text.index("The answers at a glance", 200) :]
    glance = glance[: glance.index("Intended use")]
    assert "failed: Adds up" in " ".join(glance.split())
    assert glance.count("caution") == 2


def test_card_and_table_are_described(pages, about):
    card, table = about
    text = pages["analyst"].text
    for part in (card.title, card.intended_use, card.limits, "6,513 rows with 12 features each.",
                 "the most frequent class is <=50K (75.6 %)", "Protected: age, race and sex.",
                 "most in occupation"):  # fmt: skip
        assert part in text, part
    assert f"{table.duplicates:,} rows equal an earlier one" in text
    names = [found.feature.name for found in table.features]
    assert all(name in text for name in names)


def test_every_value_is_that_of_the_table():
    result = example(n=2)
    frame, grid = result.to_frame(), every_value(result)
    assert len(grid.rows) == len(frame)
    at = grid.columns.index("attribution")
    np.testing.assert_allclose([float(r[at]) for r in grid.rows], frame["attribution"], rtol=1e-5)
    long = every_value(example(n=300))
    assert len(long.rows) == MOST_LINES
    assert "of 3,000 lines; the JSON and CSV files hold all" in long.caption


def test_a_title_of_the_author_stands_above_a_result(tmp_path):
    document = Document("R", (Entry(example(n=1), title="Why <me>?"),))
    page = Page(write_html(document, tmp_path / "r.html").read_text(encoding="utf-8"))
    assert page.text.count("Why <me>?") == 3, "contents, glance, heading"


def test_text_cannot_turn_what_stands_beside_it(tmp_path):
    steering = "a\u202eb\u2066c\x00d"
    document = Document(
        steering, (Entry(hostile(), title=steering, remark=steering),), (steering, "</script>")
    )
    path = write_html(document, tmp_path / "r.html")
    raw = path.read_bytes().decode()
    assert not {"\u202e", "\u2066", "\x00"} & set(raw[: raw.index("* plotly.js")])
    assert Page(raw).text.count("a[U+202E]b[U+2066]c[U+0000]d") >= 6


def test_a_steering_name_is_shown_in_a_figure_too(tmp_path):
    schema = example(n=1).schema
    odd = schema.features[0].model_copy(update={"name": "a\u202eb"})
    named = replace(example(n=1), schema=schema.model_copy(
        update={"features": (odd, *schema.features[1:])}))  # fmt: skip
    page = text_of(tmp_path, [named])
    data = "".join(s for s in page.scripts if s.startswith('{"'))
    assert "a[U+202E]b" in data
    assert "\\u202e" not in data
