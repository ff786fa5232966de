"""The workspace: what is kept, what is refused, and what nobody else can reach."""

import errno
import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from workbench.core.errors import AccessError, DataError, LimitError, RegistryError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.data.bundled import bundled_schema, data_folder
from workbench.data.bundled import load_table as load_bundled
from workbench.data.conversion import to_table
from workbench.isolation.process import isolation
from workbench.workspace import folders, reading, sources, store
from workbench.workspace.store import Workspace

FRAME = pd.DataFrame({
    "age": [31, 40, 52, 31],
    "sex": ["Male", "Female", "Male", None],
    "w": [1.0, 2.0, 0.5, 1.0],
    "label": ["yes", "no", "yes", "no"],
})
SCHEMA = Schema(
    features=(
        Feature(name="age", integer=True),
        Feature(name="sex", kind="categorical", categories=("Female", "Male"), has_missing=True),
    ),
    target="label", task="binary", classes=("no", "yes"), weight="w",
)  # fmt: skip
CSV = FRAME.to_csv(index=False).encode()


def here(entry, arguments, limits):
    """Run an entry in this process, by way of JSON, where only the words matter."""
    assert limits.writes is not None
    assert limits.reads
    module, function = entry.split(":")
    assert module == reading.__name__
    arguments = json.loads(json.dumps(arguments))
    return json.loads(json.dumps(getattr(reading, function)(**arguments)))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(store, "call", here)
    return tmp_path / "home"


@pytest.fixture
def space(home):  # noqa: ARG001 - sets the home folder
    return Workspace("anna")


def receive(space, content=CSV, name="people.csv"):
    return space.receive(io.BytesIO(content), name)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def said(call, kind):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


@pytest.mark.skipif(not (isolation().memory and isolation().network), reason="not on this system")
def test_an_upload_becomes_a_table_in_a_confined_process(home, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    space = Workspace("anna")
    draft = receive(space, (data_folder() / "wine.csv").read_bytes(), "wine.csv")
    preview = space.preview(draft, target="cultivar")
    assert (preview.n_rows, len(preview.rows)) == (178, 20)
    schema = bundled_schema("wine")
    space.save_table(draft, schema)
    assert space.load_table("wine").digest == load_bundled("wine").digest
    broken = receive(space, b"a,b\n1\n", "../my file.csv")
    assert said(lambda: space.preview(broken), DataError) == (
        "Line 2 of file 'my file.csv' has 1 value, the header has 2; add or remove values, or "
        "quote those that contain ','."
    )


def test_a_table_is_the_one_that_was_uploaded(space):
    draft = receive(space)
    assert space.drafts() == (draft,)
    entry = space.save_table(draft, SCHEMA)
    expected = to_table(FRAME, SCHEMA, name="people")
    table = space.load_table("people")
    for got, want in zip(
        (table.X, table.y, table.weights, table.ids),
        (expected.X, expected.y, expected.weights, expected.ids),
        strict=True,
    ):
        torch.testing.assert_close(got, want, rtol=0, atol=0, equal_nan=True)
    digest = Table(schema=table.schema, X=table.X, y=table.y, weights=table.weights, ids=table.ids)
    assert table.digest == digest.digest == expected.digest == entry.digest
    assert (table.name, table.schema) == ("people", SCHEMA)
    assert (entry.reference, entry.n_rows, entry.n_features) == ("my:people", 4, 2)
    assert space.tables() == (entry,)
    assert space.drafts() == ()
    assert files(space.root) == [
        "tables/people/about.json", "tables/people/original.csv", "tables/people/schema.json",
        "tables/people/table.safetensors", "uploads.sqlite",
    ]  # fmt: skip


def test_the_file_of_arrays_is_plain_safetensors(space):
    space.save_table(receive(space), SCHEMA)
    arrays = load_file(space.root / "tables/people/table.safetensors")
    assert {name: array.dtype for name, array in arrays.items()} == {
        "X": np.float64, "ids": np.int64, "y": np.int64, "weights": np.float64,
    }  # fmt: skip


def test_two_that_are_loaded_share_pages_but_not_changes(space):
    space.save_table(receive(space), SCHEMA)
    one, two = space.load_table("people"), space.load_table("people")
    one.X[0, 0] = -1.0
    assert two.X[0, 0] == 31
    assert space.load_table("people").X[0, 0] == 31


def test_a_schema_can_be_edited_again(space):
    space.save_table(receive(space), SCHEMA)
    before = space.load_table("people")
    preview = space.preview_table("people")
    assert preview.guess.target == "label"
    edited = SCHEMA.edit("age", unit="years")
    entry = space.edit_table("people", edited)
    assert space.table_schema("people") == edited
    assert entry.digest != before.digest
    assert before.X[0, 0] == 31, "what was loaded stays"
    wrong = SCHEMA.edit("sex", categories=("Female", "Other"))
    assert said(lambda: space.edit_table("people", wrong), DataError) == (
        "Column 'sex' holds 'Male' in rows 0, 2, which is no known category; known are 'Female', "
        "'Other'."
    )
    assert space.table_schema("people") == edited
    assert len(space.tables()) == 1


def test_a_file_is_read_through_a_mapping(space):
    content = FRAME.rename(columns={"age": "Age (years)"}).to_csv(index=False).encode()
    mapping = {"age": "Age (years)", "sex": "sex", "label": "label", "w": None}
    entry = space.save_table(
        receive(space, content), SCHEMA, mapping=mapping, ignore_extra=True, name="t"
    )
    assert space.load_table("t").X[:, 0].tolist() == [31, 40, 52, 31]
    assert space.load_table("t").weights is None
    assert entry.mapping == mapping
    space.edit_table("t", SCHEMA.edit("age", unit="years"))
    assert space.load_table("t").X[:, 0].tolist() == [31, 40, 52, 31]


def test_columns_to_compare_by_are_kept_with_their_table(space):
    content = FRAME.assign(region=["b", "a", "b", "a"]).to_csv(index=False).encode()
    region = Feature(name="region", kind="categorical", categories=("a", "b"), protected=True)
    schema = SCHEMA.model_copy(update={"beside": (region,)})
    mapping = {"age": "age", "sex": "sex", "label": "label", "w": "w"}
    for name, how in (("plain", None), ("mapped", mapping)):
        entry = space.save_table(
            receive(space, content), schema, name=name, mapping=how, ignore_extra=True
        )
        table = space.load_table(name)
        assert table.aside.X[:, 0].tolist() == [1.0, 0.0, 1.0, 0.0]
        assert table.digest == entry.digest
    space.edit_table("plain", SCHEMA)
    assert space.load_table("plain").aside is None
    wrong = region.model_copy(update={"categories": ("a", "c")})
    said_so = said(
        lambda: space.edit_table("plain", SCHEMA.model_copy(update={"beside": (wrong,)})), DataError
    )
    assert "holds 'b' in rows 0, 2" in said_so


@pytest.mark.parametrize(
    ("original", "shown", "name"),
    [
        ("../../etc/passwd", "passwd", "passwd"),
        ("C:\\x.csv", "x.csv", "x"),
        ("con.csv", "con.csv", "con-table"),
        ("a\0b.csv", "a\0b.csv", "a-b"),
        ("..", "..", "table"),
        ("", "upload", "upload"),
        ("<script>.csv", "<script>.csv", "script"),
        ("\u202egpj.csv", "\u202egpj.csv", "gpj"),
        ("x" * 5000 + ".csv", "x" * 255, "x" * 56),
        ("Ünder Größe.csv", "Ünder Größe.csv", "nder-gr-e"),
        (".csv", ".csv", "table"),
    ],
)
def test_a_name_from_outside_is_text_and_never_a_path(space, original, shown, name):
    draft = receive(space, name=original)
    assert draft.original_name == shown
    folder = space.root / "quarantine"
    assert len(files(folder)) == 2
    assert files(folder)[1 if files(folder)[0].endswith("about.json") else 0].split("/")[0] == (
        draft.id
    )
    assert folders.plain_name(original, "table") == name
    assert {path.name for path in space.root.parent.iterdir()} == {"anna"}


@pytest.mark.parametrize("owner", ["../x", "", "a/b", "A", "x" * 65, ".", "a\0", "con", "a\n"])
def test_owners_are_plain_words(home, owner):
    with pytest.raises(AccessError):
        Workspace(owner)
    assert not home.exists()


@pytest.mark.parametrize("name", ["../anna/tables/people", "", ".x.part", "A", "x/y", "people\n"])
def test_table_names_are_plain_words(space, name):
    space.save_table(receive(space), SCHEMA)
    for call in (space.load_table, space.table_schema, space.remove_table, space.entry):
        with pytest.raises(AccessError):
            call(name)
    message = said(lambda: space.save_table(receive(space), SCHEMA, name=name), DataError)
    assert message.endswith("does not fit; use up to 64 lower-case letters, digits, - and _, a "
                            "letter or digit first.")  # fmt: skip


def test_nobody_reaches_what_is_another_persons(home):
    anna, ben = Workspace("anna"), Workspace("ben")
    waiting, _ = receive(anna), anna.save_table(receive(anna), SCHEMA)
    assert ben.tables() == ben.drafts() == ()
    for call in (
        lambda: ben.path_of(waiting),
        lambda: ben.draft(waiting.id),
        lambda: ben.preview(waiting),
        lambda: ben.load_table("people"),
        lambda: sources.find_table("my:people", "ben"),
    ):
        with pytest.raises(AccessError):
            call()
    theirs = said(lambda: sources.find_table("my:people", "ben"), AccessError)
    nobodys = said(lambda: sources.find_table("my:nothing", "ben"), AccessError)
    assert theirs.replace("people", "nothing") == nobodys
    assert nobodys == "There is no table 'my:nothing'; yours are none so far."
    assert (home / "people/anna").stat().st_mode & 0o077 == 0


def test_links_are_not_followed(space, tmp_path):
    space.save_table(receive(space), SCHEMA)
    outside = tmp_path / "outside"
    (space.root / "tables/people").rename(outside)
    (space.root / "tables/people").symlink_to(outside)
    assert space.tables() == ()
    for call in (space.load_table, space.remove_table):
        with pytest.raises(AccessError):
            call("people")
    (space.root / "tables/people").unlink()
    outside.rename(space.root / "tables/people")
    tensors = space.root / "tables/people/table.safetensors"
    tensors.rename(outside)
    tensors.symlink_to(outside)
    with pytest.raises(AccessError):
        space.load_table("people")
    draft = receive(space)
    (space.root / "quarantine" / draft.id / draft.file_name).unlink()
    (space.root / "quarantine" / draft.id / draft.file_name).symlink_to("/etc/passwd")
    with pytest.raises(AccessError):
        space.preview(draft)


@pytest.mark.parametrize("file", ["table.safetensors", "schema.json", "about.json"])
def test_a_changed_file_is_refused(space, file):
    space.save_table(receive(space), SCHEMA)
    space.load_table("people")
    path = space.root / "tables/people" / file
    content = path.read_bytes()
    time.sleep(0.01)  # the clock of the file system
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    message = said(lambda: space.load_table("people"), DataError)
    if file == "about.json":
        return
    assert message == (
        "The files of table 'people' are not those that were saved; remove the table and upload "
        "the file again."
    )


def test_names_are_never_replaced(space):
    assert space.save_table(receive(space), SCHEMA).name == "people"
    assert space.save_table(receive(space), SCHEMA).name == "people-2"
    assert space.save_table(receive(space), SCHEMA, name="mine").name == "mine"
    draft = receive(space)
    assert said(lambda: space.save_table(draft, SCHEMA, name="mine"), DataError) == (
        "You have a table 'mine' already; choose another name or remove that one."
    )
    assert space.drafts() == (draft,), "the upload can be saved under another name"
    space.remove_table("mine")
    assert space.save_table(draft, SCHEMA, name="mine").name == "mine"


SAVE = """
import io, sys
from workbench.workspace import reading, store
from workbench.core.schema import Schema
store.call = lambda entry, arguments, limits: getattr(reading, entry.split(":")[1])(**arguments)
space = store.Workspace("anna")
draft = space.receive(io.BytesIO(sys.argv[1].encode()), "people.csv")
schema = Schema.model_validate_json(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(space.save_table(draft, schema).name)
"""


def test_two_processes_that_save_the_same_name_at_once(space):
    arguments = [sys.executable, "-c", SAVE, CSV.decode(), SCHEMA.model_dump_json()]
    running = [
        subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    names = sorted(process.communicate(timeout=60)[0].strip() for process in running)
    assert names == ["people", "people-2"]
    assert [entry.name for entry in space.tables()] == names
    for name in names:
        assert len(space.load_table(name)) == 4


def test_threads_that_save_a_given_name(space):
    drafts, results = [receive(space) for _ in range(4)], []

    def save(draft):
        try:
            results.append(space.save_table(draft, SCHEMA, name="one").name)
        except DataError as error:
            results.append(str(error))

    threads = [threading.Thread(target=save, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = "You have a table 'one' already; choose another name or remove that one."
    assert sorted(results) == [taken] * 3 + ["one"]


def test_size_limit_while_copying(space, monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAX_FILE_BYTES", "100")
    read = []

    class Endless(io.RawIOBase):
        def read(self, size):
            read.append(size)
            return b"x" * size

    message = said(lambda: space.receive(Endless(), "big.csv"), LimitError)
    assert message == (
        "File 'big.csv' has more than 100 bytes; give fewer rows or raise the setting "
        "max_file_bytes."
    )
    assert len(read) == 1
    assert files(space.root) == ["uploads.sqlite"]


def test_room_for_one_person(space, monkeypatch):
    receive(space)
    taken = space.usage().total
    monkeypatch.setenv("WORKBENCH_USER_BYTES", str(taken + 50))
    message = said(lambda: receive(space), LimitError)
    assert message == (
        f"Your uploads take {taken:,} of {taken + 50:,} bytes and there is no room for this one; "
        "remove tables, models or unfinished uploads that you no longer need, or raise the "
        "setting user_bytes."
    )
    assert len(space.drafts()) == 1
    message = said(lambda: space.save_table(space.drafts()[0], SCHEMA), LimitError)
    assert message.startswith("The table of 4 rows needs 160 bytes and ")
    assert len(space.drafts()) == 1
    assert space.tables() == ()
    monkeypatch.setenv("WORKBENCH_USER_BYTES", "0")
    with pytest.raises(LimitError):
        receive(space)
    assert Workspace("ben").usage().total == 0


def test_rate_of_uploads(space, monkeypatch):
    monkeypatch.setenv("WORKBENCH_UPLOADS_PER_HOUR", "2")
    now = time.time()
    monkeypatch.setattr("workbench.workspace.rate.time.time", lambda: now)
    receive(space)
    now += 600
    receive(space)
    assert said(lambda: receive(space), LimitError) == (
        "You started 2 uploads within the last hour, which is the limit; try again in 51 minutes, "
        "or raise the setting uploads_per_hour."
    )
    assert len(space.drafts()) == 2
    receive(Workspace("ben"))
    now += 3001
    receive(space)


def test_a_counter_that_is_damaged(space):
    receive(space)
    (space.root / "uploads.sqlite").write_bytes(b"not a database" * 100)
    message = said(lambda: receive(space), DataError)
    assert message.startswith("Uploads cannot be counted (")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing(space, monkeypatch, code):
    draft = receive(space)
    before = files(space.root)

    def full(*_args, **_kwargs):
        raise OSError(code, "No space left on device")

    message = (
        "The disk is full, and nothing was saved; free space or remove tables and models that are "
        "no longer needed."
    )
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        assert said(lambda: receive(space), LimitError) == message
    with monkeypatch.context() as patch:
        patch.setattr(reading, "write_tensors", full)
        assert said(lambda: space.save_table(draft, SCHEMA), LimitError) == message
    assert files(space.root) == before
    assert [path.name for path in (space.root / "quarantine").iterdir()] == [draft.id]


def test_a_home_that_cannot_be_written(tmp_path):
    (tmp_path / "people").write_text("a file")
    message = said(lambda: receive(Workspace("anna", tmp_path)), DataError)
    assert message.startswith("The folder of your uploads cannot be used: ")


def test_a_process_that_was_taken_over_cannot_pass_on_nonsense(space, monkeypatch):
    def call(into, **tensors):
        arrays = {"X": torch.zeros(2, 2, dtype=torch.float64), "ids": torch.arange(2)} | tensors
        reading.write_tensors(Path(into) / "table.safetensors", arrays)
        return {"notes": "?"}

    for tensors in (
        {"X": torch.full((2, 2), 7.0, dtype=torch.float64)},
        {"X": torch.full((2, 2), 0.5, dtype=torch.float64)},
        {"y": torch.tensor([0, 2])},
        {"y": torch.tensor([0.0, 1.0], dtype=torch.float64)},
        {"ids": torch.arange(3)},
        {"other": torch.arange(2)},
    ):
        monkeypatch.setattr(
            store, "call", lambda _, arguments, __, t=tensors: call(arguments["into"], **t)
        )
        message = said(lambda: space.save_table(receive(space), SCHEMA), DataError)
        assert message.startswith("The files of table 'people' are not those that were saved;")
    monkeypatch.setattr(store, "call", lambda *_: {})
    with pytest.raises(AccessError):
        space.save_table(receive(space), SCHEMA)
    assert space.tables() == ()


def test_clean_up(space, monkeypatch):
    old, new = receive(space), receive(space)
    space.save_table(receive(space), SCHEMA)
    rest = space.root / "tables/.abc.part"
    rest.mkdir()
    (rest / "table.safetensors").write_bytes(b"half")
    assert space.clean_up() == 0
    monkeypatch.setenv("WORKBENCH_DRAFT_HOURS", "1")
    for path in (space.root / "quarantine" / old.id, rest):
        os.utime(path, (0, 0))
    assert space.clean_up() == 2
    assert space.drafts() == (new,)
    assert [entry.name for entry in space.tables()] == ["people"]
    space.discard(new)
    space.discard(new)
    assert space.drafts() == ()


def test_an_edit_that_was_cut_short_is_undone(space):
    space.save_table(receive(space), SCHEMA)
    digest = space.load_table("people").digest
    folder = space.root / "tables/people"
    folder.rename(folder.with_name(".people.part"))
    assert space.tables() == ()
    assert space.clean_up() == 0
    assert space.load_table("people").digest == digest


def test_references(space):
    space.save_table(receive(space), SCHEMA)
    assert sources.find_table("my:people", "anna").digest == space.load_table("people").digest
    assert sources.find_schema("my:people", "anna") == SCHEMA
    assert sources.find_table("breast_cancer", "anna").name == "breast-cancer"
    assert sources.find_schema("wine", "ben") == bundled_schema("wine")
    assert [(t.reference, t.n_rows) for t in sources.list_tables("anna") if t.is_mine] == [
        ("my:people", 4)
    ]
    assert not any(t.is_mine for t in sources.list_tables("ben"))
    model = sources.find_model("adult-mlp", "anna")
    assert sources.find_model_version("adult-mlp@1", "anna").name == "1"
    assert any(m.reference == "adult-mlp" for m in sources.list_models("anna"))
    space.models_root.mkdir()
    source = sources.find_model_version("adult-mlp@1", "anna")
    target = space.models_root / "adult-mlp" / "1"
    target.mkdir(parents=True)
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    assert sources.find_model("my:adult-mlp@1", "anna").digest == model.digest
    assert [m.reference for m in sources.list_models("anna") if m.is_mine] == ["my:adult-mlp"]
    assert sources.models_root("my:adult-mlp", "anna") == space.models_root
    theirs = said(lambda: sources.find_model("my:adult-mlp", "ben"), AccessError)
    assert theirs == "There is no model 'my:adult-mlp'; choose one of none so far."


def test_a_model_of_ones_own_is_not_called_as_one_that_comes_along():
    sources.check_own_name("adult-mlp-2")
    assert said(lambda: sources.check_own_name("adult-mlp"), RegistryError) == (
        "The name 'adult-mlp' belongs to a model that comes with the workbench; give yours "
        "another, for example 'adult-mlp-mine'."
    )


def test_a_stamp_changes_with_the_table(space):
    space.save_table(receive(space), SCHEMA)
    before = sources.table_stamp("my:people", "anna")
    space.edit_table("people", SCHEMA.edit("age", unit="years"))
    assert sources.table_stamp("my:people", "anna") != before
    assert sources.table_stamp("wine", "anna") == sources.table_stamp("wine", "ben")


@pytest.mark.parametrize("path", ["{models}/adult-mlp/1", "../models/adult-mlp/1", "a/b", "~", ""])
def test_a_path_is_no_reference(space, path):
    path = path.format(models=sources.models_root("adult-mlp", "anna"))
    space.models_root.mkdir(parents=True)
    with pytest.raises(RegistryError, match=r"^There is no model "):
        sources.find_model(path, "anna")
    with pytest.raises(AccessError, match=r"^There is no model 'my:"):
        sources.find_model(f"my:{path}", "anna")
    with pytest.raises(DataError, match=r"^There is no table "):
        sources.find_table(path, "anna")
