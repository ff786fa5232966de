"""Conditions of an analysis against what is known of tables before they are made."""

import re
from math import isnan
from typing import get_args

import pytest

from tests.analyses import RIGHT, SHAP, analysis
from tests.every_result import tabular_results
from tests.performances import evaluated
from workbench.analysis import Replay, run_analysis
from workbench.analysis.cells import OF_CLASSES, OF_NUMBERS, _asked, _lacks
from workbench.analysis.condition import Condition
from workbench.analysis.table_columns import COLUMNS
from workbench.core.errors import InvalidInputError
from workbench.core.results import Tabular


@pytest.fixture(scope="module")
def frames():
    found = []
    for result in tabular_results():
        frame = result.to_frame()
        found.append((result.kind, frame if frame.index.name is None else frame.reset_index()))
    return found


def is_number(cell):
    try:
        return not isnan(float(cell))
    except (TypeError, ValueError):
        return False


def test_the_columns_are_those_of_the_tables(frames):
    assert set(COLUMNS) == {kind.kind for kind in get_args(Tabular)} == {kind for kind, _ in frames}
    for kind, frame in frames:
        said = COLUMNS[kind]
        further = {name for name in frame if name.startswith(said.beginnings)}
        extra = {name for name in said.numbers + said.words if name.endswith("_third")}
        assert set(frame) - further == {*said.numbers, *said.words} - (extra - set(frame)), kind
        for name in said.words:
            assert name in extra or not any(map(is_number, frame[name])), (kind, name)


EXPLAIN = {
    "id": "s", "method": "shapley.kernel", "model": "adult-mlp@1", "table": "adult",
    "split": "test", "rows": [3, 5], "background": 10, "params": {"budget": 64},
}  # fmt: skip
AUDIT = {
    "id": "s", "method": "fairness.audit", "model": "adult-mlp@1", "table": "adult",
    "split": "test", "rows": "0:400", "params": {"by": "sex,marital_status", "resamples": 200},
}  # fmt: skip
CAUSES = {
    "id": "s", "method": "fairness.causes", "model": "german-mlp@1", "table": "german",
    "split": "test", "rows": "0:60", "background": 20,
    "params": {"by": "age", "bins": "age=25,40", "max_rows": 10,
               "background_rows": 5, "budget": 76},
}  # fmt: skip
FLIPS = {
    "id": "s", "method": "fairness.flips", "model": "german-mlp@1", "table": "german",
    "split": "test", "params": {"by": "foreign_worker,age", "bins": "age=25"},
}  # fmt: skip
VALUES = {"shapley.kernel": "attribution", "fairness.causes": "contribution",
          "fairness.flips": "move"}  # fmt: skip
RATE = {"step": "s", "value": "value", "above": 0.5}


@pytest.mark.parametrize(
    ("step", "condition", "message"),
    [
        (RIGHT, {"value": "valu"}, "fail_if 1, value: there is no column 'valu', did you mean 'va"),
        (RIGHT, {"value": "metric"}, "value: column 'metric' holds no numbers, choose one of valu"),
        (SHAP, {"value": "prediction", "sure": True}, None),
        (EXPLAIN, {"value": "attributions"}, "did you mean 'attribution'"),
        (AUDIT, {"where": {"grup": "Female"}}, "where: there is no column 'grup', did you mean 'g"),
        (
            EXPLAIN | {"method": "lfa.scales", "params": {}},
            {"value": "missed", "sure": True},
            "fail_if 1, sure: 'missed' has no interval, leave out sure",
        ),
        (
            EXPLAIN | {"method": "fastshap.train", "params": {}},
            {"value": "error"},
            "explainer has no table, use a check instead",
        ),
    ],
)
def test_columns_are_held_against_the_table_when_a_file_is_read(step, condition, message):
    asked = RATE | {"step": step["id"]} | condition
    if message is None:
        analysis(step, fail_if=[asked])
        return
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        analysis(step, fail_if=[asked])


@pytest.mark.parametrize(
    ("step", "where", "message"),
    [
        (RIGHT, {"metric": "acuracy"}, "no row will have 'acuracy' in column 'metric', choose one"),
        (RIGHT, {"metric": "accuracy", "class": "0"}, "'0' in column 'class', choose one of ''"),
        (EXPLAIN, {"feature": "agee"}, "'agee' in column 'feature', choose one of 'age', "),
        (EXPLAIN, {"output": "60K"}, "'60K' in column 'output', choose one of '<=50K', '>50K'"),
        (EXPLAIN, {"row": 4}, "no row will have 4 in column 'row', choose one of "),
        (AUDIT, {"group": "Woman"}, "no row will have 'Woman' in column 'group', choose one of"),
        (AUDIT, {"partition": "marital_status", "group": "Male"}, "'Male' in column 'group'"),
        (AUDIT, {"rate": "accurracy"}, "'accurracy' in column 'rate', choose one of "),
        (
            CAUSES,
            {"attribute": "sex"},
            "'sex' in column 'attribute', choose one of 'age'",
        ),
        (CAUSES, {"group": "25 and over"}, "'25 and over' in column 'group', choose one of "),
        (CAUSES, {"attribute": "age", "reference": "below 25"}, "choose one of '25 to below 40'"),
        (CAUSES, {"feature": "agee"}, "'agee' in column 'feature', choose one of "),
        (FLIPS, {"group": "yes"}, "'yes' in column 'group', choose one of 'foreign_worker no, be"),
        (FLIPS, {"decision": "yes"}, "'yes' in column 'decision', choose one of "),
        (
            FLIPS,
            {"flip": "good"},
            "'good' in column 'flip', choose one of 'adverse', 'favoured', ''",
        ),
        (FLIPS, {"move_as": "no"}, "'no' in column 'move_as', choose one of "),
        (AUDIT, {"partition": "race"}, "choose one of 'sex', 'marital_status', 'sex x marital_st"),
    ],
)
def test_cells_are_held_against_model_and_rows_before_a_step_runs(
    monkeypatch, step, where, message
):
    value = VALUES.get(step["method"], "value")
    made = analysis(step, fail_if=[RATE | {"step": step["id"], "value": value, "where": where}])
    monkeypatch.setattr(Replay, "attempt", lambda *_: pytest.fail("a step was run"))
    with pytest.raises(InvalidInputError, match=re.escape(message)) as caught:
        run_analysis(made)
    assert str(caught.value).startswith("Nothing was run: fail_if 1, where: no row will have ")


UNIFORM = FLIPS | {"params": {"by": "foreign_worker", "mode": "uniform", "samples": 300}}
EVERY = {"right": RIGHT, "explain": EXPLAIN, "audit": AUDIT, "causes": CAUSES, "flips": FLIPS,
         "uniform": UNIFORM}  # fmt: skip


@pytest.mark.parametrize("step", EVERY.values(), ids=EVERY)
def test_every_cell_that_comes_out_was_known_before(step):
    made = analysis(step)
    frame = run_analysis(made)[step["id"]].to_frame()
    about = RATE | {"step": step["id"]}
    blocks = _asked(Replay(made), Condition(**about)).blocks()
    known = ["metric", "class", "row", "output", "feature", "partition", "group", "rate",
             "attribute", "reference", "decision", "flip", "plausible", "move_as"]  # fmt: skip
    for _, line in frame[[name for name in known if name in frame]].iterrows():
        assert not list(_lacks(Condition(**about, where=line.to_dict()), blocks)), line


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_metrics_of_performance_are_known(task):
    known = OF_NUMBERS if task == "regression" else OF_CLASSES
    assert set(evaluated(task).metric_names) <= set(known)


def test_a_condition_on_a_step_that_is_left_out_is_not_looked_at():
    condition = {"step": "right", "value": "value", "where": {"metric": "no"}, "below": 1}
    run = run_analysis(analysis(SHAP, RIGHT, fail_if=[condition]), only=["shap"])
    assert run.exit_code == 0
