"""Steps that cannot run are told, all of them, before the first one runs."""

import pytest

from tests.analyses import RIGHT, SHAP, analysis
from workbench.analysis import Replay, run_analysis
from workbench.core.errors import InvalidInputError

AUDIT = {
    "id": "audit", "method": "fairness.audit", "model": "german-mlp@1", "table": "german",
    "split": "test", "params": {"by": "foreign_worker"},
}  # fmt: skip
CAUSES = AUDIT | {"id": "causes", "method": "fairness.causes", "background": 10}
ERRORS = AUDIT | {"id": "errors", "method": "fairness.errors", "model": "diabetes-mlp@1",
                  "table": "diabetes"}  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch):
    monkeypatch.setattr(Replay, "attempt", lambda *_: pytest.fail("a step was run"))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (SHAP | {"rows": [4000]}, "step 'shap': There is no row 4000 in 'wine/test', which has 36 "
         "rows, counted from 0; choose another row"),
        (SHAP | {"count": 37, "rows": None}, "step 'shap': Cannot draw 37 rows from table"),
        (SHAP | {"background": 5000}, "step 'shap': Cannot draw 5000 rows from table 'wine/train'"),
        (SHAP | {"changes": {"hue": "red"}}, "step 'shap': Column 'hue' holds numbers, got 'red'"),
        (SHAP | {"method": "shapley.fastshap", "params": {}, "background": 0},
         "step 'shap': Shapley values, FastSHAP needs what model wine-mlp@1 does not have, "),
        (AUDIT | {"params": {"by": "gender"}}, "step 'audit': There is no column gender to group "
         "by; choose among "),
        (AUDIT | {"params": {"by": "age"}}, "step 'audit': Column 'age' is a number; say where to"),
        (AUDIT | {"params": {"by": "age", "bins": "agee=25"}}, "step 'audit': bins: there is no "
         "column 'agee'"),
        (AUDIT | {"params": {"favourable": "great"}}, "step 'audit': Model german-mlp@1 has no "
         "class 'great'"),
        (CAUSES | {"params": {"by": "gender"}}, "step 'causes': There is no column gender"),
        (ERRORS | {"params": {"by": "gender"}}, "step 'errors': There is no column gender"),
        (
            AUDIT | {"method": "fairness.people", "figures": [
                {"view": "person", "options": {"row": 10_000}}]},
            "step 'audit', figure 1: there is no row number 10000 among those looked at",
        ),
    ],
)  # fmt: skip
def test_what_model_and_table_say_is_told_before_anything_runs(step, said):
    with pytest.raises(InvalidInputError) as caught:
        run_analysis(analysis(RIGHT, step))
    assert str(caught.value).startswith(f"Nothing was run: {said}")
    assert str(caught.value).count("step '") == 1


def test_every_such_step_is_named_but_those_that_are_left_out():
    made = analysis(SHAP | {"rows": [4000]}, AUDIT | {"params": {"by": "gender"}}, RIGHT)
    with pytest.raises(InvalidInputError, match=r"step 'shap': .*; step 'audit': There is no colu"):
        run_analysis(made)
    with pytest.raises(InvalidInputError, match="run: step 'audit': There is no column gender"):
        run_analysis(made, only=["audit"])


def test_an_explainer_that_a_step_is_yet_to_train_is_not_missed(monkeypatch):
    train = SHAP | {"id": "train", "method": "fastshap.train", "rows": "0:30", "params": {}}
    ask = SHAP | {"id": "ask", "method": "shapley.fastshap", "explainer": "train", "params": {},
                  "background": 0}  # fmt: skip
    tried = []
    monkeypatch.setattr(Replay, "attempt", lambda _, name, __: tried.append(name) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_analysis(analysis(train, ask))
    assert tried == ["train"]
