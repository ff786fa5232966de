"""Counterfactuals in a report, as JSON, and on their way there from the command line."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from markupsafe import escape

from workbench import api
from workbench.cli.main import workbench
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.plots import render, views_of
from workbench.plots.what_if import counterfactual_sentence
from workbench.report import to_json, write_report


@pytest.fixture(scope="module")
def found():
    """Two changes for each of three people."""
    model, table = api.load_model("adult-mlp"), api.load_table("adult")
    result = api.counterfactuals(
        model, table[3:6], table[:500], count=2, budget=5000, device="cpu"
    )  # fmt: skip
    assert len(result.owners) >= 3
    return result


@pytest.fixture
def write(tmp_path):
    def call(*results):
        path = write_report(results, tmp_path / "report.html", title="Report")
        return path.read_bytes().decode()

    return call


def body(page):
    return page.split("<main")[1].split("</main>")[0]


def test_a_section_holds_sentences_changes_and_how_it_was_made(write, found):
    text = body(write(found))
    for row in range(3):
        assert escape(counterfactual_sentence(found, row)) in text
    for which in range(len(found.owners)):
        changes = "; ".join(f"{name}: {old} → {new}" for name, old, new in found.changes(which))
        assert escape(changes) in text
        assert f"{found.distances[which]:.2f}" in text
    assert escape(METHODS["counterfactual.search"].weakness) in text
    assert found.provenance.model_digest in text
    already = int(found.fulfilled.sum())
    reached = len(set(found.owners.tolist()))
    assert f"Of 3 rows, a change that is enough was found for {reached}" in text
    assert (f"of {already} the model says what is wished for already" in text) == (already > 0)


def test_a_picture_of_each_row_shows_its_changes_nearest_first(write, found):
    assert views_of(found) == ("nearest",)
    for row in range(3):
        own = found.of(row)
        if not len(own):
            continue
        bars, said = render(found, "nearest", row=row).data
        np.testing.assert_array_equal(bars.x, found.distances[own])
        assert list(bars.x) == sorted(bars.x)
        best = found.changed_predictions[own].argmax(1)
        for text, k in zip(said.text, best, strict=True):
            assert str(escape(found.output_names[k])) in text
    drawn = sum(len(found.of(row)) > 0 for row in range(3))
    assert body(write(found)).count('role="img"') == drawn


def test_a_figure_without_changes_says_why(found):
    nothing = np.zeros(0, dtype=int)
    none = replace(
        found, owners=nothing, changed_data=found.changed_data[nothing],
        changed_predictions=found.changed_predictions[nothing], changed=found.changed[nothing],
        distances=found.distances[nothing], fulfilled=np.array([True, False, False]),
    )  # fmt: skip
    said = [render(none, "nearest", row=row).layout.annotations[0].text for row in (0, 1)]
    assert said == ["Nothing has to change.", "No change was found."]
    first = int(np.flatnonzero([len(found.of(row)) > 1 for row in range(3)])[0])
    one = render(found, "nearest", row=first, max_changes=1)
    assert len(one.data[0].x) == 1
    left = len(found.of(first)) - 1
    assert one.layout.annotations[0].text == f"{left} further away"
    for wrong in ({"row": 3}, {"max_changes": 0}):
        with pytest.raises(InvalidInputError):
            render(found, "nearest", **wrong)


def test_a_row_without_any_has_a_sentence_and_no_table(write, found):
    nothing = np.zeros(0, dtype=int)
    none = replace(
        found, owners=nothing, changed_data=found.changed_data[:0],
        changed_predictions=found.changed_predictions[:0], changed=found.changed[:0],
        distances=found.distances[:0], fulfilled=np.zeros(3, dtype=bool),
    )  # fmt: skip
    text = body(write(none))
    assert "no change was found" in text
    assert "<table" not in text


def test_hostile_names_are_shown_and_not_obeyed(write, found):
    features = list(found.schema.features)
    for j in np.flatnonzero(found.changed.any(0)):
        features[j] = features[j].model_copy(update={"name": f"<script>{j}</script>"})
    hostile = replace(
        found, schema=found.schema.model_copy(update={"features": tuple(features)})
    )  # fmt: skip
    text = body(write(hostile))
    assert "&lt;script&gt;" in text
    assert not any(f"<script>{j}</script>" in text for j in range(len(features)))


def test_many_rows_are_counted_and_the_table_is_bounded(write, found):
    few = found.owners == 0
    many = 150
    whole = replace(
        found, data=np.repeat(found.data[:1], many, 0), ids=np.arange(many),
        predictions=np.repeat(found.predictions[:1], many, 0), wishes=found.wishes[:1] * many,
        fulfilled=np.zeros(many, dtype=bool), reached=np.repeat(found.reached[:1], many, 0),
        owners=np.repeat(np.arange(many), few.sum()),
        changed_data=np.tile(found.changed_data[few], (many, 1)),
        changed_predictions=np.tile(found.changed_predictions[few], (many, 1)),
        changed=np.tile(found.changed[few], (many, 1)),
        distances=np.tile(found.distances[few], many),
    )  # fmt: skip
    text = body(write(whole))
    assert "Of 150 rows, a change that is enough was found for 150." in text
    assert f"(the first 200 of {150 * few.sum()})" in text
    assert text.count("<tr>") == 201


def test_json_holds_every_number(found):
    fields = json.loads(to_json(found))["fields"]
    np.testing.assert_array_equal(np.array(fields["changed_data"], float), found.changed_data)
    np.testing.assert_array_equal(fields["owners"], found.owners)


def test_the_command_line_writes_files_that_a_report_reads(tmp_path):
    def ran(*arguments):
        done = CliRunner().invoke(workbench, [str(a) for a in arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    ran("counterfactual", "adult-mlp", "adult", "--rows", 3, "--budget", 5000, "--out", tmp_path)
    assert ran("report", tmp_path) == f"Wrote {tmp_path / 'report.html'}\n"
    text = body((tmp_path / "report.html").read_text("utf-8"))
    assert "would be enough for the model to say &gt;50K" in text
    few = ("--rows", 0, "--budget", 1000, "--background", "diabetes")  # fewer rows than usual
    assert "Row " in ran("counterfactual", "diabetes-mlp", "diabetes", *few)
