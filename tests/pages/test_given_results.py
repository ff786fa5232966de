"""A result file of ours, brought to the page that says which explanation to believe."""

import hashlib
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from tests.reading import read_here
from tests.visits import no_fault, shown, visit
from workbench import api
from workbench.core.errors import DataError, WorkbenchError
from workbench.core.result import load
from workbench.interop import uploaded
from workbench.interop.reading import RESULT
from workbench.workspace.given import find_given, given_entries
from workbench.workspace.store import Workspace

look = partial(visit, "which_explanation")


def rows_of(name):
    return api.load_table(api.load_model(name).card.training_table, split="test")


@pytest.fixture
def upload(monkeypatch):
    """Brings a file, which is read here."""
    monkeypatch.setattr(uploaded, "call", read_here)

    def bring(app, content, name):
        return app.file_uploader[0].set_value((name, content, "")).run()

    return bring


def result_file(tmp_path, rows, model="wine-mlp", **params):
    """A result of ours, as a page or the command line writes it."""
    made = api.explain(model, rows, method="kernel", budget=64, device="cpu", **params)
    return made, made.save(tmp_path / "ours.attribution").read_bytes()


def test_a_result_of_ours_is_brought_as_it_is(me, upload, tmp_path):
    made, content = result_file(tmp_path, rows_of("wine-mlp")[:5])
    app = no_fault(upload(look(model="wine-mlp", row=2), content, "ours.attribution"))
    assert "ours.attribution explains 5 rows of the test split" in shown(app).replace("\\", "")
    (entry,) = given_entries(me.key)
    assert entry.sha256 == hashlib.sha256(content).hexdigest()
    kept = load(find_given(entry.reference, me.key)[0])
    np.testing.assert_array_equal(kept.values, made.values)
    assert kept.provenance == made.provenance
    assert not Workspace(me.key).drafts()


def taken_in(owner, content):
    workspace, model = Workspace(owner), api.load_model("wine-mlp")
    whole = api.load_table("wine", split="all")
    draft = workspace.receive(BytesIO(content), "ours.attribution")
    return uploaded.take_in(
        workspace, draft, model, table="wine", rows=whole, whole=whole, background=whole,
        output="probability",
    )  # fmt: skip


def test_a_result_is_read_in_a_process_of_its_own(me, tmp_path):
    _, content = result_file(tmp_path, rows_of("wine-mlp")[:2])
    assert taken_in(me.key, content).n_rows == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda made: {"values": made.values * np.nan}, "no finite number"),
        (lambda made: {"ids": made.ids + 100_000}, "explains row 1"),
        (lambda made: {"data": made.data + 1}, "explains other values than the rows"),
        (lambda _: {"unit": "logit"}, "explains logit, here probability is looked at"),
        (lambda _: {"output_names": ("a", "b", "c")}, "has other features or outputs"),
        (lambda made: {"provenance": made.provenance.model_copy(
            update={"model_digest": "0" * 64})}, "not of wine-mlp@1"),
    ],
)  # fmt: skip
def test_a_result_that_does_not_fit_is_told_in_one_sentence(me, upload, tmp_path, change, said):
    made, _ = result_file(tmp_path, rows_of("wine-mlp")[:2])
    path = replace(made, **change(made)).save(tmp_path / "forged.attribution")
    app = upload(look(model="wine-mlp", row=2), path.read_bytes(), "forged.attribution")
    assert not app.exception
    (error,) = app.error
    assert said in error.value.replace("\\", "")
    assert not given_entries(me.key)
    assert not Workspace(me.key).drafts()


def test_a_result_of_another_kind_or_a_changed_one_is_refused(me, monkeypatch, tmp_path):
    monkeypatch.setattr(uploaded, "call", read_here)
    performance = api.evaluate("wine-mlp", rows_of("wine-mlp")).save(tmp_path / "p.performance")
    _, content = result_file(tmp_path, rows_of("wine-mlp")[:2])
    for brought, told in (
        (performance.read_bytes(), "is a result of kind 'performance', which holds no attr"),
        (content[:-1] + bytes([content[-1] ^ 1]), "was changed after it was written"),
        (content[:-9], "is not a result file"),
        (b"\x80\x04cposix\nsystem\n", "is not a result file"),
    ):
        with pytest.raises(WorkbenchError, match=f"'ours.attribution' {told}"):
            taken_in(me.key, brought)
    assert not given_entries(me.key)
    assert not Workspace(me.key).drafts()


def test_a_process_that_lies_about_a_result_is_not_believed(me, monkeypatch, tmp_path):
    performance = api.evaluate("wine-mlp", rows_of("wine-mlp"))

    def lie(_, arguments, limits):  # noqa: ARG001 - of the process
        performance.save(Path(arguments["into"]) / RESULT)

    monkeypatch.setattr(uploaded, "call", lie)
    _, content = result_file(tmp_path, rows_of("wine-mlp")[:2])
    with pytest.raises(DataError, match="could not be read; save it again"):
        taken_in(me.key, content)
    assert not given_entries(me.key)
