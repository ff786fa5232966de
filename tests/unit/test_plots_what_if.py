"""Figures and words about a row and its scenarios, and the command that searches."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.cli.main import workbench
from workbench.core.errors import InvalidInputError
from workbench.core.table import Table
from workbench.plots import layout, what_if
from workbench.plots.what_if import (
    change_sentence,
    counterfactual_sentence,
    effects_before_and_after,
    scenario_effects,
    scenario_predictions,
)


@pytest.fixture(scope="module")
def pair():
    """A row and a scenario of it in which two values differ."""
    table = tiny_table()
    model = tiny_model(table)
    X = table.X[:1].clone()
    X[0, 0] += 1.5
    X[0, 1] = 1 - X[0, 1].clip(max=1)
    scenario = Table(table.schema, X, table.ids[:1], name="tiny")
    return tuple(api.explain(model, rows, table[:20]) for rows in (table[:1], scenario))


@pytest.mark.parametrize("dark", [False, True])
def test_bars_are_the_effects_before_and_after(pair, dark):
    before, after = pair
    figure = effects_before_and_after(before, after, output="yes", dark=dark)
    new, old = figure.data[0], figure.data[1]
    order = np.argsort(-np.maximum(abs(before.values), abs(after.values))[0, :, 1], kind="stable")
    np.testing.assert_allclose(new.x, after.values[0, order, 1])
    np.testing.assert_allclose(old.x, before.values[0, order, 1])
    text = "".join(figure.layout.yaxis.ticktext)
    assert text.count("→") == 2
    assert "probability of yes" in figure.layout.xaxis.title.text.replace("<br>", " ")


def test_long_labels_get_lines_and_the_room_for_them(pair, monkeypatch):
    heights, lines = [], []
    for length in (99, 24, 4):
        monkeypatch.setattr(what_if, "CONDITION_LENGTH", length)
        monkeypatch.setattr(layout, "CONDITION_LENGTH", length)
        figure = effects_before_and_after(*pair)
        labels = figure.layout.yaxis.ticktext
        lines.append(max(label.count("<br>") for label in labels) + 1)
        heights.append(figure.layout.height / len(labels))
    assert lines == [2, 2, 3], "a change stands below its name in any case"
    assert heights[0] == heights[1] < heights[2] - 10


def test_features_beyond_the_most_important_are_added_up(pair):
    before, after = pair
    figure = effects_before_and_after(before, after, output="yes", max_features=2)
    assert figure.layout.yaxis.ticktext[-1] == "3 other features"
    np.testing.assert_allclose(sum(figure.data[0].x), after.values[0, :, 1].sum())


def test_the_sentence_says_what_changed_and_what_became_of_it(pair):
    before, after = pair
    said = change_sentence(before, after, "yes")
    assert "x0 = " in said
    assert "c1 = " in said
    rises = after.predictions[0, 1] > before.predictions[0, 1]
    assert ("rises" if rises else "falls") in said
    assert change_sentence(before, before, "yes").startswith("Row 0 as it is: the probability of")


def test_scenarios_lie_side_by_side(pair):
    before, after = pair
    rows, names = [before, after, after], ["Original", "<b>one</b>", "two"]
    bars = scenario_predictions(rows, names, output="yes")
    np.testing.assert_allclose(bars.data[0].x, [one.predictions[0, 1] for one in rows])
    assert "&lt;b&gt;one&lt;/b&gt;" in bars.layout.yaxis.ticktext
    dots = scenario_effects(rows, names, output="yes", max_features=3)
    assert len(dots.data) == 3
    assert dots.data[1].name == "&lt;b&gt;one&lt;/b&gt;"
    largest = np.argmax(np.abs(np.concatenate([one.values[:, :, 1] for one in rows])).max(0))
    assert dots.data[1].x[0] == after.values[0, largest, 1]


def test_refuses_what_does_not_belong_together(pair):
    before, after = pair
    with pytest.raises(InvalidInputError, match="explain both with the same method"):
        effects_before_and_after(before, replace(after, unit="log-odds"))
    with pytest.raises(InvalidInputError, match="a name for each scenario"):
        scenario_predictions([before], [])


def test_a_search_is_told_in_a_sentence():
    table = tiny_table()
    model = tiny_model(table)
    found = api.counterfactuals(model, table[:5], table)
    said = [counterfactual_sentence(found, row) for row in range(5)]
    assert any("would be enough for the model to say" in line for line in said)
    none = api.counterfactuals(model, table[:1], table, confidence=1 - 1e-12)
    assert "no change was found" in counterfactual_sentence(none, 0)


def test_the_command_prints_and_writes_the_nearest_changes(tmp_path):
    def run(*arguments):
        return CliRunner().invoke(workbench, ["counterfactual", *arguments])

    done = run("wine-mlp", "wine", "--row", "2", "--target", "cultivar 2", "--budget", "5000",
               "--out", str(tmp_path))  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "would be enough for the model to say cultivar 2" in done.output
    assert " → " in done.output
    assert {path.suffix for path in tmp_path.iterdir()} == {".counterfactuals", ".csv", ".json"}
    (kept,) = tmp_path.glob("*.counterfactuals")
    assert api.load_result(kept).kind == "counterfactuals"
    wrong = run("wine-mlp", "wine", "--target", "maybe")
    assert "There is no class 'maybe'" in str(wrong.exception)
    as_json = run("diabetes-mlp", "diabetes", "--high", "150", "--budget", "2000", "--json")
    assert '"kind": "counterfactuals"' in as_json.output
