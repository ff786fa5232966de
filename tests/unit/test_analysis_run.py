"""Runs of an analysis: the same bits again, honest about faults, and whole folders or none."""

import json
import shutil
from dataclasses import replace

import nbformat
import numpy as np
import pandas as pd
import pytest

from tests.analyses import RIGHT, SHAP, analysis
from tests.attributions import example
from workbench import api
from workbench.analysis import (
    Condition,
    analysis_of,
    load_analysis,
    numbers_digest,
    run_analysis,
    save_analysis,
)
from workbench.analysis.replay import Replay, StepRun
from workbench.analysis.verdicts import judge
from workbench.core.attribution import Attribution
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.jobs.request import Request
from workbench.registry.store import registry_root

HOSTILE = "<script>alert(1)</script> *b* =1+1 $x$ \u202e"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A folder that a run of two steps left, and the run."""
    out = tmp_path_factory.mktemp("run") / "out"
    made = analysis(
        SHAP | {"title": HOSTILE, "remark": HOSTILE}, RIGHT, title=HOSTILE, comments=[HOSTILE],
        fail_if=[{"step": "right", "value": "value", "where": {"metric": "accuracy", "class": ""},
                  "below": 0.5}],
    )  # fmt: skip
    return out, run_analysis(made, out=out)


def test_a_run_leaves_everything_and_gives_the_numbers_of_the_api(earlier):
    out, run = earlier
    assert {path.name for path in out.iterdir()} == {
        "analysis.yaml", "analysis.ipynb", "numbers.json", "report.html", "report.json",
        "report.zip", "steps",
    }  # fmt: skip
    assert {path.name for path in (out / "steps").iterdir()} == {
        "shap.attribution", "shap.csv", "shap.json", "right.performance", "right.csv", "right.json"
    }  # fmt: skip
    model = api.load_model("wine-mlp@1")
    rows = api.load_table("wine", split="test")[:2]
    same = api.explain(
        model, rows, api.background_for(model, rows, n=10), method="kernel", budget=64, device="cpu"
    )
    np.testing.assert_array_equal(run["shap"].values, same.values)
    assert (run.exit_code, run.faults, run.reasons) == (0, (), ())
    assert "<script>alert" not in (out / "report.html").read_text(encoding="utf-8")
    digests = json.loads((out / "numbers.json").read_text())["steps"]
    assert digests["shap"]["numbers"] == numbers_digest(
        api.load_result(out / "steps/shap.attribution")
    )


def test_the_copy_runs_again_bit_by_bit(earlier, tmp_path):
    out, run = earlier
    again = run_analysis(out / "analysis.yaml", out=tmp_path / "two", against=out)
    assert [step.as_expected for step in again.steps] == [True, True]
    assert [other.difference.where for other in again.comparisons] == ["", ""]
    assert [other.tolerance for other in again.comparisons] == [0.0, 0.0]
    assert (tmp_path / "two/analysis.yaml").read_text() == (out / "analysis.yaml").read_text()
    assert load_analysis(out / "analysis.yaml") == run.analysis


def test_results_of_an_earlier_run_are_reused_where_nothing_decisive_changed(earlier, tmp_path):
    out = shutil.copytree(earlier[0], tmp_path / "out")
    mine = [out / "mine.txt", out / "steps/notes.txt", out / "steps/drawn/shap.png"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("kept")
    made = load_analysis(out / "analysis.yaml")
    changed = made.model_copy(
        update={"steps": (made.steps[0], made.steps[1].model_copy(update={"split": "train"}))}
    )
    run = run_analysis(changed, out=out, reuse=True)
    assert [step.reused for step in run.steps] == [True, False]
    assert [step.as_expected for step in run.steps] == [True, False]
    assert [path.read_text() for path in mine] == ["kept"] * 3
    run_analysis(changed, out=out, only=["right"])
    assert [path.read_text() for path in mine] == ["kept"] * 3
    assert sorted(path.name for path in (out / "steps").iterdir()) == [
        "drawn", "notes.txt", "right.csv", "right.json", "right.performance",
    ]  # fmt: skip


def test_another_seed_gives_other_numbers_which_an_earlier_run_shows(earlier):
    run = run_analysis(earlier[0] / "analysis.yaml", seed=1, against=earlier[0], only=["shap"])
    (other,) = run.comparisons
    assert not other.is_within
    assert run.exit_code == 3
    assert run.steps[0].as_expected is None, "numbers of another seed are not expected"
    assert "beyond" in run.reasons[0]


def test_a_model_or_table_that_changed_is_named_before_anything_runs(tmp_path):
    made = analysis(SHAP, RIGHT, models={"wine-mlp@1": "a" * 64}, tables={"wine": "b" * 64})
    with pytest.raises(InvalidInputError) as caught:
        run_analysis(made, out=tmp_path / "out")
    said = str(caught.value)
    assert "model 'wine-mlp@1' is another one now (digest " in said
    assert "instead of aaaaaaaa), which steps shap and right use" in said
    assert "table 'wine' is another one now" in said
    assert list(tmp_path.iterdir()) == []
    run = run_analysis(made, changed_is_fine=True)
    assert len(run.changed) == 2
    assert all("is another one now" in entry.remark for entry in run.document.entries)


def test_paths_start_at_the_file_and_may_be_replaced(tmp_path, monkeypatch):
    shutil.copytree(registry_root() / "wine-mlp/1", tmp_path / "there/credit")
    frame = api.load_table("wine", split="test").to_frame().reset_index(drop=True)
    frame.assign(place=["a", "b"] * (len(frame) // 2)).to_csv(
        tmp_path / "there/people.csv", index=False
    )
    step = SHAP | {"model": "./credit", "table": "people.csv", "split": "all"}
    made = analysis(step, tables={"people.csv": {"beside": ["place"]}})
    path = save_analysis(made, tmp_path / "there/a.yaml")
    run = run_analysis(path, out=tmp_path / "out")
    np.testing.assert_allclose(
        run["shap"].predictions, run_analysis(analysis())["shap"].predictions, rtol=1e-6
    )
    copy = load_analysis(tmp_path / "out/analysis.yaml")
    assert copy.steps[0].model == "../there/credit"
    again = run_analysis(tmp_path / "out/analysis.yaml")
    assert again.steps[0].as_expected
    monkeypatch.chdir(tmp_path)
    named = analysis(SHAP | {"model": "my:credit@1"})
    run = run_analysis(named, models={"my:credit@1": "there/credit"})
    assert run.exit_code == 0
    with pytest.raises(InvalidInputError, match="No step uses model 'my:other'"):
        run_analysis(named, models={"my:other": "there/credit"})
    with pytest.raises(InvalidInputError, match="step 'shap', model: There is no model 'my:credit"):
        run_analysis(named)


def test_a_step_that_fails_leaves_the_others_and_its_conditions_open(tmp_path):
    broken = {**SHAP, "id": "broken", "method": "counterfactual.search",
              "params": {"target": "nobody"}}  # fmt: skip
    made = analysis(broken, SHAP, fail_if=[{"step": "broken", "any_check": "failure"}])
    run = run_analysis(made, out=tmp_path / "out")
    assert list(run.results) == ["shap"]
    assert run.exit_code == 1
    assert "broken: There is no class 'nobody'" in run.faults[0]
    with pytest.raises(InvalidInputError, match="Step 'broken' failed: There is no class 'nobody'"):
        run["broken"]
    assert "broken: failed, so that it cannot be told" in run.faults[1]
    assert "This step failed: broken" in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def test_a_step_trains_the_explainer_that_another_asks():
    train = SHAP | {
        "id": "train", "method": "fastshap.train", "rows": "0:30", "split": "train",
        "params": {"surrogate_epochs": 2, "warm_epochs": 2, "epochs": 1, "width": 16},
    }  # fmt: skip
    asks = SHAP | {"id": "asks", "method": "shapley.fastshap", "params": {}, "explainer": "train"}
    replay = Replay(analysis(train, asks), only=["asks"])
    assert replay.ids == ("train", "asks")
    result = replay.run("asks")
    assert result.provenance.method == "shapley.fastshap"
    assert replay.run("asks") is result, "it was computed twice"


def stopping(at):
    calls = []

    def progress(done, total, message):
        calls.append((done, total, message))
        if len(calls) == at:
            raise CancelledError("Cancelled.")

    progress.calls = calls
    return progress


@pytest.mark.parametrize("error", [CancelledError("Cancelled."), KeyboardInterrupt()], ids=str)
def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("workbench.analysis.run.write_reports", fail)
    with pytest.raises(type(error)):
        run_analysis(analysis(), out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    watch = stopping(2)
    with pytest.raises(CancelledError):
        run_analysis(analysis(), out=tmp_path / "out", progress=watch)
    assert list(tmp_path.iterdir()) == []
    assert watch.calls[0] == (0, 100, "per cent, step 1 of 1, shap: 0 of 1 started")


def test_folders_of_others_are_left_alone(tmp_path, monkeypatch):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match="holds other things than an earlier run"):
        run_analysis(analysis(), out=tmp_path / "notes")
    run_analysis(analysis(), out=tmp_path / "notes", force=True)
    assert (tmp_path / "notes/a.txt").read_text() == "mine"
    assert (tmp_path / "notes/report.html").exists()
    with pytest.raises(InvalidInputError, match="is a file; choose a folder"):
        run_analysis(analysis(), out=tmp_path / "notes/a.txt")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError, match="holds the folder you are in"):
        run_analysis(analysis(), out=".")
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_what_no_run_wrote_is_never_replaced(tmp_path, monkeypatch):
    out = tmp_path / "out"
    (out / "steps").mkdir(parents=True)
    monkeypatch.setattr(Replay, "attempt", lambda *_: pytest.fail("a step was run"))
    for name in ("analysis.yaml", "report.html", "steps/shap.csv"):
        (out / name).write_text("mine")
        with pytest.raises(InvalidInputError, match=f"{name}' is of no run and would be replaced"):
            run_analysis(analysis(), out=out, force=True)
        assert (out / name).read_text() == "mine"
        (out / name).unlink()


def test_the_notebook_is_valid_and_runs(earlier, monkeypatch):
    out, run = earlier
    book = nbformat.read(out / "analysis.ipynb", as_version=4)
    nbformat.validate(book)
    monkeypatch.chdir(out)
    names = {}
    for cell in book.cells:
        if cell.cell_type == "code":
            exec(cell.source, names)  # noqa: S102 - what the notebook is for
            last = cell.source.splitlines()[-1]
            shown = eval(last, names) if "=" not in last.split("#")[0] else None  # noqa: S307
            assert shown is not None or "Replay" in cell.source
        else:
            assert "<script>" not in cell.source
    np.testing.assert_array_equal(names["replay"].run("shap").values, run["shap"].values)
    assert any("render(result, 'waterfall')" in cell.source for cell in book.cells)


MEASURES = {"accuracy": (0.90, 0.86, 0.94), "ROC AUC": (0.97, np.nan, np.nan)}


def known_table(_):
    """The table of a result as a test knows it: values with intervals by metric."""
    return pd.DataFrame(
        [(name, *numbers, "x") for name, numbers in MEASURES.items()],
        columns=["metric", "value", "low", "high", "word"],
    )


# By hand: the value is 0.90, its interval 0.86 to 0.94.
TABLE = [
    ({"below": 0.91}, True), ({"below": 0.90}, False), ({"at_most": 0.90}, True),
    ({"above": 0.90}, False), ({"at_least": 0.90}, True), ({"above": 0.89}, True),
    ({"below": 0.93, "sure": True}, False), ({"below": 0.95, "sure": True}, True),
    ({"at_most": 0.94, "sure": True}, True), ({"above": 0.87, "sure": True}, False),
    ({"above": 0.85, "sure": True}, True), ({"at_least": 0.86, "sure": True}, True),
]  # fmt: skip


@pytest.mark.parametrize(("bound", "holds"), TABLE, ids=str)
def test_bounds_hold_as_computed_by_hand(bound, holds):
    (verdict,) = judged(where={"metric": "accuracy"}, value="value", **bound)
    assert verdict.holds is holds
    word = "is" if holds else "is not"
    assert f"accuracy 0.9 (0.86 to 0.94) {word} " in verdict.sentence
    assert verdict.sentence.endswith("fails." if holds else "passes.")


def judged(**condition):
    run = StepRun(analysis().steps[0], result=example(n=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Attribution, "to_frame", known_table)
        return judge([Condition(step="shap", **condition)], {"shap": run})


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"value": "valu", "above": 1}, "there is no column 'valu'; choose one of metric, value"),
        ({"value": "value", "where": {"metrik": "x"}, "above": 1}, "there is no column 'metrik'"),
        ({"value": "value", "where": {"metric": "AUC"}, "above": 1}, "no row has 'AUC' in column"),
        ({"value": "word", "above": 1}, "column 'word' holds no numbers"),
        ({"value": "low", "where": {"metric": "ROC AUC"}, "above": 1}, "'low' has no value there"),
        ({"value": "low", "above": 1, "sure": True}, "'low' has no interval; leave out sure"),
        ({"value": "value", "where": {"metric": "ROC AUC"}, "above": 1, "sure": True},
         "has no interval"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_told_is_no_pass(condition, message):
    (verdict,) = judged(**condition)
    assert verdict.holds is None
    assert message in verdict.sentence


def test_of_several_rows_the_worst_decides():
    (verdict,) = judged(value="value", above=0.95)
    assert verdict.holds
    assert "value 0.97, the worst of 2 rows, is above 0.95" in verdict.sentence


def test_conditions_on_checks():
    good, bad = example(n=2), replace(example(n=2), base_values=example(n=2).base_values + 1)
    for result, holds in ((good, False), (bad, True)):
        runs = {"shap": StepRun(analysis().steps[0], result=result)}
        conditions = [
            Condition(step="shap", check="WB001"),
            Condition(step="shap", check="WB001", status="failure"),
            Condition(any_check="failure"),
        ]
        assert [verdict.holds for verdict in judge(conditions, runs)] == [holds] * 3
    assert judge(conditions[:1], {})[0].holds is False, "a step that was left out"


def test_what_is_no_analysis_is_refused():
    with pytest.raises(InvalidInputError, match=r"got dict; a mapping becomes one with Analysis\("):
        run_analysis({"steps": []})


def test_no_earlier_run_is_said_before_anything_runs(tmp_path):
    with pytest.raises(InvalidInputError, match="holds no run of an analysis"):
        run_analysis(analysis(), against=tmp_path)
    (tmp_path / "numbers.json").write_text('{"steps": {"shap": 3}}')
    with pytest.raises(InvalidInputError, match="is damaged; run the analysis again"):
        run_analysis(analysis(), against=tmp_path)


@pytest.mark.parametrize(
    ("rows", "settings"), [(2, {"budget": 64}), (2, {"budget": 2**13}), (40, {}), (2, {})]
)
def test_a_run_says_again_why_the_program_chose_the_method(rows, settings):
    model, whole = api.load_model("wine-mlp@1"), api.load_table("wine", split="all")
    table = whole[:rows]
    background = api.background_for(model, table, n=4)
    first = api.explain(model, table, background, device="cpu", **settings)
    asked = Request(
        method=first.provenance.method, params=first.provenance.params, model="wine-mlp@1",
        model_digest=model.digest, table="wine", table_digest=whole.digest,
        rows=tuple(range(rows)), background=4,
    )  # fmt: skip
    made = analysis_of([asked], results=[first])
    assert made.steps[0].chosen == "auto"
    run = run_analysis(made)
    (step,) = run.steps
    assert step.as_expected
    whys = [
        [note.removesuffix("; budget not needed") for note in result.provenance.notes]
        for result in (first, step.result)
    ]
    assert whys[0][0].startswith("auto chose ")
    assert whys[0] == whys[1]
    assert sum(note.startswith("auto chose") for note in whys[1]) == 1
    named = api.explain(
        model, table, background, method=first.provenance.method, device="cpu",
        **first.provenance.params,
    )  # fmt: skip
    assert analysis_of([asked], results=[named]).steps[0].chosen == ""


def test_a_choice_that_would_be_another_now_is_told():
    step = SHAP | {"method": "shapley.permutation", "params": {}, "chosen": "auto"}
    run = run_analysis(analysis(step))
    assert run["shap"].provenance.notes[0] == (
        "auto chose permutation when the analysis was made, and would choose exact now"
    )


def test_only_shapley_values_are_chosen_by_the_program():
    with pytest.raises(InvalidInputError, match="step 'right', chosen: auto chooses among Shapley"):
        analysis(RIGHT | {"chosen": "auto"})
