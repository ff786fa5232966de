"""Damaged files of every format through the doors that uploads take.

Each is accepted and sound, or refused with one sentence; nothing else happens. FUZZ_FILES=1000
tries that many of each.
"""

import collections
import functools
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
import torch
from torch import nn

from tests import onnx_files
from tests.mutations import mutate_bytes, mutate_json, mutate_zip, zip_of
from tests.security.conftest import everything_in
from workbench.core.card import Architecture
from workbench.core.errors import LimitError, WorkbenchError
from workbench.core.schema import Feature, Schema
from workbench.core.settings import settings
from workbench.data.facts import Survey
from workbench.isolation.process import Limits, call
from workbench.registry.convert import convert_module
from workbench.registry.intake import receive_model
from workbench.registry.onnx_runner import onnx_limits
from workbench.registry.store import load_model, publish
from workbench.workspace.arrays import build_table, check_codes
from workbench.workspace.store import Workspace
from workbench.workspace.tensor_file import map_tensors

BATCH = 40
PREVIEW, CONVERT = "workbench.workspace.reading:preview", "workbench.workspace.reading:convert"
INSPECT = "workbench.registry.onnx_child:inspect"
SCHEMA = Schema(
    features=(
        Feature(name="age", range=(18, 90), integer=True, has_missing=True),
        Feature(name="sex", kind="categorical", categories=("f", "m")),
    ),
    target="paid", task="binary", classes=("no", "yes"),
)  # fmt: skip
ENCODER = Architecture(name="columns", arguments={"columns": [
    {"feature": "age", "mean": 40.0, "scale": 12.5, "fill": 40.0},
    {"feature": "sex", "equals": "m"},
]})  # fmt: skip
counts = collections.Counter()


def is_a_sentence(text):
    return "\n" not in text and text.endswith(".") and not re.search(r"[a-z][.!?] [A-Z]", text)


@pytest.fixture(scope="module", autouse=True)
def summary():
    """Print what became of the files, for whoever runs many."""
    yield
    for (name, outcome), n in sorted(counts.items()):
        print(f"{name}: {n} {outcome}")  # noqa: T201


# --- models ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The files of a model."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1))
    made = convert_module(network, SCHEMA, name="credit", title="Credit", encoder=ENCODER)
    folder = publish(made.encoder, made.network, made.card, tmp_path_factory.mktemp("made"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def receive(files, place, what):
    """Send files through the intake; the registry holds a sound model or nothing afterwards."""
    quarantine, root = place / "quarantine", place / "models"
    quarantine.mkdir(parents=True)
    paths = {}
    for i, (name, content) in enumerate(files.items()):
        paths[name] = quarantine / str(i)
        paths[name].write_bytes(content)
    try:
        folder = receive_model(paths, root)
    except WorkbenchError as error:
        said = str(error)
        folder = None
    if folder is None:
        assert is_a_sentence(said), said
        assert not root.exists() or everything_in(root) == []
        counts[what, "refused"] += 1
        return
    model = load_model(folder)
    n = len(model.schema.features)
    answer = model.predict(torch.zeros(3, n, dtype=torch.float64))
    assert answer.shape == (3, len(model.output_names))
    counts[what, "accepted"] += 1


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize("what", ["safetensors", "card", "zip"])
def test_a_damaged_model(what, bundle, damaged, tmp_path):
    def mutate(draw):
        if what == "zip":
            return {"a.zip": packed(bundle, draw)}
        files = {"card.json": bundle["card.json"], "w": bundle["model.safetensors"]}
        if what == "safetensors":
            card = json.loads(files["card.json"])
            del card["weights_sha256"]  # else every change is caught by its digest
            return {
                "card.json": json.dumps(card).encode(),
                "w": mutate_bytes(bundle["model.safetensors"], draw),
            }
        edited = mutate_json(json.loads(bundle["card.json"]), draw)
        return files | {"card.json": json.dumps(edited).encode()}

    for i, files in enumerate(damaged(100, mutate)):
        receive(files, tmp_path / str(i), what)
    assert counts[what, "refused"]


# --- files that are read in a confined process ----------------------------------------------------


def in_one_process(calls, limits):
    """Run many files under the limits of one process; on a crash, each in one of its own."""
    try:
        return call("workbench.isolation.probe:each", {"calls": calls}, limits)["outcomes"]
    except LimitError as error:
        if len(calls) == 1:
            return [["LimitError", str(error)]]
        return [in_one_process([one], limits)[0] for one in calls]


FRAME = pd.DataFrame({
    "n": np.arange(40), "x": np.arange(40) * 0.37, "c": ["u", "v", "é", "w"] * 10,
    "d": pd.to_datetime(["2020-01-01", "2021-01-01"] * 20), "y": ["no", "yes"] * 20,
})  # fmt: skip
KINDS = (".csv", ".xlsx", ".parquet", ".feather")


@functools.cache
def sound(suffix):
    """A table as a file; the same bytes in every run, and with XLSX in pieces to be packed."""
    buffer = io.BytesIO()
    if suffix == ".csv":
        return FRAME.to_csv(index=False).encode()
    if suffix == ".parquet":
        FRAME.to_parquet(buffer)
    elif suffix == ".feather":
        table = pa.Table.from_pandas(FRAME)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_file(buffer, table.schema, options=options) as writer:
            writer.write_table(table)
    else:
        book = openpyxl.Workbook()
        for row in [list(FRAME.columns), *FRAME.astype(object).to_numpy().tolist()]:
            book.active.append(row)
        book.save(buffer)
    return buffer.getvalue()


def mutate_table(suffix, draw):
    if suffix != ".xlsx":
        return mutate_bytes(sound(suffix), draw)
    with zipfile.ZipFile(io.BytesIO(sound(suffix))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return packed(parts, draw)


def packed(parts, draw):
    """Damage an archive, byte by byte where the library cannot write the name that was drawn."""
    try:
        return mutate_zip(parts, draw)
    except (IndexError, ValueError, UnicodeEncodeError):
        return mutate_bytes(zip_of(parts), draw)


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize("suffix", KINDS)
def test_a_damaged_table(suffix, damaged, tmp_path):
    files = damaged(40, lambda draw: mutate_table(suffix, draw))
    schema = Workspace("me")
    draft = schema.receive(io.BytesIO(sound(suffix)), f"t{suffix}")
    wanted = schema.preview(draft, target="y").guess
    schema.discard(draft)
    for start in range(0, len(files), BATCH):
        batch = files[start : start + BATCH]
        place = tmp_path / str(start)
        calls = []
        for i, content in enumerate(batch):
            into = place / str(i)
            into.mkdir(parents=True)
            (place / f"{i}{suffix}").write_bytes(content)
            calls.append({"path": str(place / f"{i}{suffix}"), "shown": f"t{suffix}",
                          "into": str(into)})  # fmt: skip
        limits = Limits(
            memory_bytes=settings().reader_bytes, seconds=120, writes=place, reads=(place,),
            what="Reading damaged files",
        )  # fmt: skip
        looks = [[PREVIEW, one | {"target": "y", "sheet": None}] for one in calls]
        saves = [
            [CONVERT, one | {"schema": wanted.model_dump(mode="json"), "name": "t",
                             "mapping": None, "ignore_extra": True, "sheet": None, "room": 2**30}]
            for one in calls
        ]  # fmt: skip
        outcomes = in_one_process([*looks, *saves], limits)
        looked, saved = outcomes[: len(looks)], outcomes[len(looks) :]
        for one, first, second in zip(calls, looked, saved, strict=True):
            check_table(suffix, one, first, second, wanted)
        left = [path for path in everything_in(place) if path.count("/") == 1]
        assert all(p.endswith(("preview.json", "table.safetensors")) for p in left)


def check_table(suffix, one, looked, saved, wanted):
    into = Path(one["into"])
    for outcome in (looked, saved):
        if outcome is not None and outcome[0] != "MemoryError":
            assert is_a_sentence(outcome[1]), outcome
    if looked is None:
        Survey.model_validate_json((into / "preview.json").read_bytes())
    if saved is None:
        table = build_table(wanted, map_tensors(into / "table.safetensors"), "t")
        check_codes(table)
        counts[suffix, "accepted"] += 1
    else:
        assert saved[0] != "LimitError" or "ended" in saved[1] or "limit" in saved[1], saved
        counts[suffix, "refused"] += 1


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_damaged_table_all_the_way(suffix, damaged):
    """The same through the workspace itself, where a process takes one file each."""
    space = Workspace("me")
    for content in damaged(1, lambda draw: mutate_table(suffix, draw))[:3]:
        draft, said = None, "."
        try:
            draft = space.receive(io.BytesIO(content), f"t{suffix}")
            preview = space.preview(draft)
            if preview.guess is not None:
                entry = space.save_table(draft, preview.guess, ignore_extra=True)
                assert len(space.load_table(entry.name)) == entry.n_rows
        except WorkbenchError as error:
            said = str(error)
        assert is_a_sentence(said), said
        if draft is not None:
            space.discard(draft)
    rest = [path for path in everything_in(space.root) if ".part" in path]
    assert rest == []
    assert space.drafts() == ()


@pytest.fixture(scope="module")
def onnx_model(tmp_path_factory):
    """A small model with one input for all columns."""
    from sklearn.linear_model import LogisticRegression

    table = onnx_files.people()
    model = LogisticRegression().fit(table.X.numpy(), table.y.numpy())
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    onnx_files.export(model, path, matrix=4)
    return path.read_bytes()


@pytest.mark.usefixtures("no_leaks")
def test_a_damaged_onnx_model(onnx_model, damaged, tmp_path):
    files = damaged(40, lambda draw: mutate_bytes(onnx_model, draw))
    for start in range(0, len(files), BATCH):
        place = tmp_path / str(start)
        place.mkdir()
        calls = []
        for i, content in enumerate(files[start : start + BATCH]):
            path = place / f"{i}.onnx"
            path.write_bytes(content)
            calls.append([INSPECT, {"path": str(path), "name": "m.onnx"}])
        limits = onnx_limits("Reading damaged models", reads=(place,))
        for outcome in in_one_process(calls, limits):
            counts["onnx", "accepted" if outcome is None else "refused"] += 1
            if outcome is not None and outcome[0] != "MemoryError":  # it may quote the runtime
                assert "\n" not in outcome[1]
                assert outcome[1].endswith(".")
        assert everything_in(place) == sorted(f"{i}.onnx" for i in range(len(calls)))


def test_the_sound_files_are_let_in(bundle, onnx_model, tmp_path):
    """Else every refusal above says nothing."""
    receive({"card.json": bundle["card.json"], "w": bundle["model.safetensors"]}, tmp_path, "sound")
    receive({"a.zip": zip_of(bundle)}, tmp_path / "zip", "sound")
    assert counts.pop(("sound", "accepted")) == 2
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx_model)
    limits = onnx_limits("Reading a model", reads=(path,))
    calls = [[INSPECT, {"path": str(path), "name": "m.onnx"}]]
    assert in_one_process(calls, limits) == [None]
