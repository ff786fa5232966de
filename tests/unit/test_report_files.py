"""Reports as JSON, CSV bundle and PDF, apart from what only a browser shows."""

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.attributions import HOSTILE_SCRIPT, example, hostile, provenance
from tests.fairness_audits import unequal
from tests.local_bases import some_basis
from tests.performances import evaluated
from tests.remedies import some_remedies
from workbench import api
from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.operations import chromium
from workbench.report import Document, Entry, gather, write_document
from workbench.report import pdf as printing
from workbench.report.schema import report_schema

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture
def document():
    results = (example(n=3), hostile(), unequal(), some_remedies(), some_basis(), evaluated())
    entries = (
        Entry(results[0], title=FORMULA, remark=f"{FORMULA}\n{HOSTILE_SCRIPT}", step="first"),
        *map(Entry, results[1:]),
    )
    model, table = api.load_model("adult-mlp"), api.load_table("adult")
    return Document(
        HOSTILE_SCRIPT, entries, ("two\nlines",), cards=(model.card,),
        tables=(api.table_overview(table),), analysis="version: 1\n",
    )  # fmt: skip


def test_json_holds_every_number_and_what_the_checks_say(document, tmp_path):
    text = write_document(document, tmp_path / "r.json").read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=pytest.fail)
    for entry, found in zip(document.entries, content["results"], strict=True):
        assert found["result"] == json.loads(api_json(entry.result))
        assert [check["code"] for check in found["checks"]] == [
            outcome.code for outcome in api.run_checks(entry.result)
        ]
    assert content["results"][0]["remark"] == f"{FORMULA}\n{HOSTILE_SCRIPT}"
    assert content["tables"][0]["n_rows"] == document.tables[0].n_rows
    assert content["models"][0]["weights_sha256"] == document.cards[0].weights_sha256


def api_json(result):
    from workbench.report import to_json

    return to_json(result)


def test_json_fits_its_schema(document, tmp_path):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    content = json.loads(write_document(document, tmp_path / "r.json").read_bytes())
    validator = Draft202012Validator(schema)
    assert not [error.message for error in validator.iter_errors(content)]
    content["results"][0]["result"]["fields"]["provenance"]["seed"] = "x"
    assert not validator.is_valid(content)
    del content["results"][0]["result"]["fields"]["provenance"]
    assert not validator.is_valid(content)


def test_the_stored_schema_is_what_the_program_says():
    stored = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(report_schema())), (
        "run python -m workbench.report.schema > docs/report.schema.json"
    )


def test_a_bundle_has_a_table_for_each_result_and_no_formula(document, tmp_path):
    with zipfile.ZipFile(write_document(document, tmp_path / "r.zip")) as bundle:
        assert bundle.testzip() is None
        names = bundle.namelist()
        tables = {
            name: list(csv.reader(io.StringIO(bundle.read(name).decode(), newline="")))
            for name in names
            if name.endswith(".csv")
        }
        assert HOSTILE_SCRIPT in bundle.read("README.txt").decode()
    assert names[:3] == ["README.txt", "manifest.csv", "checks.csv"]
    assert len(names) == 3 + len(document.entries)
    number = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
    for table in tables.values():
        assert all(len(row) == len(table[0]) for row in table)
        cells = [cell for row in table for cell in row]
        assert not [c for c in cells if c.startswith(("=", "+", "-", "@", "\t")) and c != "-"
                    and not number.fullmatch(c)]  # fmt: skip
    manifest = tables["manifest.csv"]
    assert [row[0] for row in manifest[1:]] == names[3:]
    assert manifest[1][manifest[0].index("title")] == f"'{FORMULA}"
    found = tables[names[3]]
    at = found[0].index("attribution")
    np.testing.assert_array_equal(
        [float(row[at]) for row in found[1:]], document.entries[0].result.to_frame()["attribution"]
    )


def test_the_same_report_is_the_same_bundle(tmp_path):
    document = Document("R", (Entry(example(n=2)),))
    one, two = (write_document(document, tmp_path / f"{i}.zip").read_bytes() for i in (1, 2))
    assert one == two


@pytest.mark.parametrize("ending", ["html", "json", "zip"])
def test_a_report_that_fails_leaves_no_file(ending, tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.report.bundle.write_csv", lambda *_: 1 / 0)
    monkeypatch.setattr("workbench.report.json_file.run_checks", lambda *_: 1 / 0)
    monkeypatch.setattr("workbench.report.page._policy", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_document(Document("R", (Entry(example(n=1)),)), tmp_path / f"r.{ending}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["html", "json", "zip"])
def test_a_report_of_nothing_is_refused(ending, tmp_path):
    with pytest.raises(InvalidInputError, match="at least one result; add one"):
        write_document(Document("R", ()), tmp_path / f"r.{ending}")
    assert not list(tmp_path.iterdir())


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match=r"end the name in one of \.html, \.pdf, \.json"):
        write_document(Document("R", (Entry(example(n=1)),)), tmp_path / "r.docx")


def test_without_chromium_it_says_what_to_install(tmp_path, monkeypatch):
    document = Document("R", (Entry(example(n=1)),))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidInputError, match="apt-get install chromium"):
        write_document(document, tmp_path / "r.pdf")
    monkeypatch.setenv("WORKBENCH_CHROMIUM", str(tmp_path / "none"))
    with pytest.raises(InvalidInputError, match="which is no program"):
        write_document(document, tmp_path / "r.pdf")
    assert not list(tmp_path.iterdir())


def test_a_browser_that_does_not_start_is_one_sentence(tmp_path, monkeypatch):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    broken.chmod(0o700)
    monkeypatch.setenv("WORKBENCH_CHROMIUM", str(broken))
    with pytest.raises(WorkbenchError, match=r"did not print the report .*try again"):
        write_document(Document("R", (Entry(example(n=1)),)), tmp_path / "r.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["chromium"]


def test_a_driver_that_does_not_start_is_told_before_anything_is_drawn(tmp_path, monkeypatch):
    broken = tmp_path / "node"
    broken.write_text("#!/bin/sh\necho $0: libatomic.so.1 is not there >&2\nexit 127\n")
    broken.chmod(0o700)
    monkeypatch.setattr(
        "playwright._impl._driver.compute_driver_executable", lambda: (str(broken), "cli.js")
    )
    chromium._check_driver.cache_clear()
    try:
        with pytest.raises(InvalidInputError) as caught:
            write_document(Document("R", (Entry(example(n=1)),)), tmp_path / "r.pdf")
    finally:
        chromium._check_driver.cache_clear()
    assert str(caught.value) == (
        "A PDF is printed through Playwright, whose program does not start (libatomic.so.1 is not "
        "there); install what it lacks (Debian: apt-get install libatomic1)."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["node"]


def test_an_interrupted_print_leaves_no_file(tmp_path, monkeypatch):
    def interrupted(_program, _source, target):
        target.write_bytes(b"%PDF-1.4 half")
        raise KeyboardInterrupt

    monkeypatch.setattr(printing, "find_chromium", lambda: "chromium")
    monkeypatch.setattr(printing, "_print", interrupted)
    with pytest.raises(KeyboardInterrupt):
        printing.write_pdf(Document("R", (Entry(example(n=1)),)), tmp_path / "r.pdf")
    assert not list(tmp_path.iterdir())


def test_cards_and_tables_are_found_by_their_digest():
    model, table = api.load_model("adult-mlp"), api.load_table("adult")
    rows = table[[3, 7, 11]]
    record = provenance(
        model=model.name, model_digest=model.digest, table=table.name, table_digest=rows.digest,
        n_rows=3,
    )  # fmt: skip
    result = replace(example(n=3), provenance=record, ids=rows.ids.numpy())
    cards, tables, missing = gather([result])
    assert (cards, missing) == ((model.card,), ())
    assert [(t.name, t.n_rows) for t in tables] == [("adult/test", len(table))]
    cards, tables, missing = gather([example(n=3)])
    assert (cards, tables) == ((), ())
    assert [said.split(" is left out")[0] for said in missing] == [
        "The card of adult-mlp@1", "The description of adult/test",
    ]  # fmt: skip
