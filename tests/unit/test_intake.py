"""Uploads: a sound model comes in as it is, anything else is one sentence and leaves no trace."""

import hashlib
import io
import json
import pickle
import re
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save, save_file
from torch import nn

from tests.mutations import mutate_bytes, mutate_json, mutate_zip, zip_of
from tests.networks import tiny_table
from workbench.core.card import Architecture
from workbench.core.errors import LimitError, RegistryError, WorkbenchError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.registry.convert import convert_module
from workbench.registry.intake import plain_name, receive_model
from workbench.registry.store import list_models, load_model, publish

SCHEMA = Schema(
    features=(
        Feature(name="age", range=(18, 90), integer=True, has_missing=True),
        Feature(name="sex", kind="categorical", categories=("f", "m")),
    ),
    target="paid",
    task="binary",
    classes=("no", "yes"),
)
ENCODER = Architecture(name="columns", arguments={"columns": [
    {"feature": "age", "mean": 40.0, "scale": 12.5, "fill": 40.0},
    {"feature": "sex", "equals": "m"},
    {"feature": "age", "missing": True},
]})  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The files of a converted model."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
    made = convert_module(network, SCHEMA, name="credit", title="Credit", encoder=ENCODER)
    folder = publish(made.encoder, made.network, made.card, tmp_path_factory.mktemp("made"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Place:
    """Puts files into quarantine and receives them."""

    def __init__(self, tmp_path):
        self.quarantine, self.root = tmp_path / "quarantine", tmp_path / "models"
        self.quarantine.mkdir(exist_ok=True)

    def receive(self, files, **more):
        paths = {}
        for i, (name, content) in enumerate(files.items()):
            paths[name] = self.quarantine / f"{i}"
            paths[name].write_bytes(content)
        return receive_model(paths, self.root, **more)

    def refusal(self, files, kind=RegistryError, **more):
        with pytest.raises(kind) as caught:
            self.receive(files, **more)
        text = str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        assert "\n" not in text
        assert text.endswith(".")
        assert not re.search(r"[a-z][.!?] [A-Z]", text), text
        assert not self.root.exists() or list(self.root.rglob("*")) == []
        return text


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def card_of(bundle, **changes):
    values = json.loads(bundle["card.json"]) | changes
    return json.dumps({k: v for k, v in values.items() if v is not None}).encode()


def rows():
    return torch.tensor([[20.0, 0], [torch.nan, 1], [64, 1]], dtype=torch.float64)


def reference(bundle, tmp_path):
    folder = tmp_path / "reference"
    folder.mkdir()
    for name, content in bundle.items():
        (folder / name).write_bytes(content)
    return load_model(folder)


# --- what comes in -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pack",
    [
        lambda b: {n: b[n] for n in ("card.json", "model.safetensors")},
        lambda b: {"my weights.bin": b["model.safetensors"], "about.txt": b["card.json"]},
        lambda b: b,
        lambda b: {"credit.zip": zip_of(b)},
        lambda b: {"credit": zip_of({f"credit/1/{n}": c for n, c in b.items()})},
        lambda b: {"c.zip": zip_of({"__MACOSX/._x": b"\x00", ".DS_Store": b"\x00", **b})},
        lambda b: {"c.zip": zip_of(b, compression=zipfile.ZIP_STORED)},
    ],
    ids=["two files", "odd names", "folder", "zip", "zipped folder", "of a Mac", "stored"],
)
def test_a_sound_model_says_the_same_afterwards(pack, bundle, place, tmp_path):
    folder = place.receive(pack(bundle))
    assert folder == place.root / "credit" / "1"
    received, original = load_model(folder), reference(bundle, tmp_path)
    assert torch.equal(received.scores(rows()), original.scores(rows()))
    assert received.card.title == "Credit"
    assert place.receive(pack(bundle)).name == "2"
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json", "card.sha256", "model.safetensors",
    ]  # fmt: skip


def test_name_version_and_digest_are_ours(bundle, place):
    tensors = load(bundle["model.safetensors"])
    hidden = save(tensors, metadata={"secret": "kept?"})
    card = card_of(bundle, version=99, weights_sha256=None, name="../../Etc Passwd")
    folder = place.receive({"card.json": card, "m.safetensors": hidden})
    assert folder == place.root / "etc-passwd" / "1"
    content = (folder / "model.safetensors").read_bytes()
    assert b"secret" not in content
    model = load_model(folder)
    assert (model.card.version, model.card.name) == (1, "etc-passwd")
    assert model.card.weights_sha256 == hashlib.sha256(content).hexdigest()
    named = place.receive({"card.json": card, "m": hidden}, name="My Model")
    assert named == place.root / "my-model" / "1"


def test_a_plain_state_dict_and_a_short_card_are_enough(place, tmp_path):
    network = nn.Sequential(nn.Linear(2, 2))
    save_file({"first.weight": network[0].weight.detach(), "first.bias": network[0].bias.detach()},
              tmp_path / "w.safetensors")  # fmt: skip
    card = {
        "schema": SCHEMA.edit("age", has_missing=False).model_dump(mode="json"),
        "encoder": {"name": "raw"}, "network": {"name": "linear"},
    }  # fmt: skip
    folder = place.receive(
        {"card.json": json.dumps(card).encode(), "w": (tmp_path / "w.safetensors").read_bytes()},
        name="short",
    )
    model = load_model(folder)
    known = torch.tensor([[30.0, 1.0]], dtype=torch.float64)
    expected = network(known.float())
    torch.testing.assert_close(model.network(model.encode(known)), expected)
    assert (model.card.metrics, model.card.training_table, model.card.title) == ((), "", "short")


def test_the_sample_is_tried_too(bundle, place):
    X = torch.tensor([[50.0, 1.0]], dtype=torch.float64)
    sample = Table(SCHEMA, X, torch.tensor([0]), name="people")
    place.receive(bundle, sample=sample)
    text = Place(
        place.root.parent / "other" if (place.root.parent / "other").mkdir() is None else 0
    )
    assert text.refusal(bundle, sample=tiny_table()) == (
        "Table 'tiny' has other columns than the model's schema; choose a table with the columns "
        "age, sex, or try the model without one."
    )


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Credit", "credit"), ("a/../b", "a-b"), ("É x", "x"), ("-a-", "a"), ("a" * 99, "a" * 64)],
)
def test_names_are_made_plain(text, plain):
    assert plain_name(text) == plain


# --- what does not: files ------------------------------------------------------------------------


def test_what_is_lacking_is_said(bundle, place):
    card, weights = bundle["card.json"], bundle["model.safetensors"]
    schema = SCHEMA.model_dump_json().encode()
    assert place.refusal({}).startswith("There is no file; a model is card.json with")
    assert place.refusal({"card.json": card}).startswith("The files hold no weights (card.json); a")
    assert place.refusal({"w": weights}) == (
        "Weights alone do not say which network they belong to; upload card.json with them, as "
        "workbench convert writes it."
    )
    assert place.refusal({"w": weights, "s.json": schema}).startswith("Weights alone do not say")
    assert place.refusal({"a": card, "b": card, "c": weights}) == (
        "'b' is a second card among the files; upload one model at a time."
    )
    assert place.refusal({"a.json": b'{"x": 1}', "c": weights}).startswith(
        "'a.json' is JSON, but neither a card nor a schema; a model is"
    )
    assert place.refusal({str(i): card for i in range(17)}).startswith(
        "There are 17 files, allowed"
    )


def test_an_upload_has_a_size(bundle, place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAX_FILE_BYTES", "1000")
    assert place.refusal(bundle, LimitError).endswith(
        "is larger than is allowed for an upload (1,000 bytes in all); use a smaller model, or "
        "raise max_file_bytes."
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights_sha256": "0" * 64}, "The weights are not those of the card (another SHA-256 "
         "stands there); upload the two that belong together, or leave weights_sha256 out of the "
         "card."),
        ({"metrics": [{"name": "a", "value": 1e999, "low": 0, "high": 1, "interval": "", "split":
          "", "n_rows": 1}]}, "'card.json' is not valid JSON: Infinity is not a number in JSON."),
        ({"format": 2}, "The card has format '2', this version reads up to 1; update the "
         "workbench."),
        ({"code": "import os"}, "The card is not valid at code: Extra inputs are not permitted."),
        ({"name": "!!"}, "'!!' cannot name a model; use lower-case letters, digits and hyphens."),
        ({"network": {"name": "os.system"}}, "There is no architecture 'os.system'; choose one of "
         "graph, linear, mlp, tabular-resnet."),
        ({"network": {"name": "linear"}}, "The weights of credit@1 hold an "
         "unknown tensor 'network.0.bias', so they do not belong to architecture 'linear'."),
        ({"network": {"name": "onnx"}}, "The card is of an ONNX model, the weights are "
         "safetensors."),
        ({"title": "a" * 400}, "The card is not valid at title: String should have at most 300 "
         "characters."),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_card_that_does_not_fit(change, message, bundle, place):
    card = json.dumps(json.loads(bundle["card.json"]) | change).encode()
    assert place.refusal({"card.json": card, "w": bundle["model.safetensors"]}) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"schema": 1, "schema": 2}', "a name stands twice in one object"),
        (b'{"schema": ' + b"[" * 100 + b"]" * 100 + b"}", "it is nested too deeply"),
        (b'{"schema": ' + b"[" * 100_000, "it is nested too deeply"),
        (b'{"schema": "\\ud800"}', "'utf-8' codec can't encode character '\\ud800' in position"),
        (b'{"schema": NaN}', "NaN is not a number in JSON"),
        (b'{"schema": ', "Expecting value"),
    ],
    ids=["twice", "deep", "deeper", "half", "nan", "cut"],
)
def test_json_is_read_strictly(text, message, bundle, place):
    said = place.refusal({"card.json": text, "w": bundle["model.safetensors"]})
    assert said.startswith(f"'card.json' is not valid JSON: {message}")


def test_an_edited_card_is_noticed_where_a_checksum_is_given(bundle, place):
    edited = bundle | {"card.json": card_of(bundle, title="Better")}
    assert place.refusal(edited) == (
        "The card was edited after card.sha256 was written; leave card.sha256 out if the edit is "
        "meant."
    )


# --- what does not: tensors and outputs ----------------------------------------------------------


def header(tensors, data=b"", pad=0):
    text = json.dumps(tensors).encode() + b" " * pad
    return struct.pack("<Q", len(text)) + text + data


def entry(start, stop, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


@pytest.mark.parametrize(
    "weights",
    [
        header({"a": entry(0, 4), "b": entry(2, 6)}, b"\x00" * 6),
        header({"a": entry(0, 4), "b": entry(8, 12)}, b"\x00" * 12),
        header({"a": entry(0, 4)}, b"\x00" * 9),
        header({"a": entry(0, 2**62, (2**60,))}, b"\x00" * 4),
        header({"a": entry(4, 0)}, b"\x00" * 4),
        header({"a": entry(0, 4, dtype="OBJ")}, b"\x00" * 4),
        header({"a": entry(0, 4, (-1,))}, b"\x00" * 4),
        header({"a": entry(0, 4)}, b"\x00" * 4)[:-2],
    ],
    ids=["overlap", "hole", "tail", "huge", "backwards", "dtype", "negative", "cut"],
)
def test_a_safetensors_file_that_lies_is_refused(weights, bundle, place):
    said = place.refusal({"card.json": card_of(bundle, weights_sha256=None), "w": weights})
    assert said.startswith("The weights are a damaged safetensors file (")


def test_tensors_that_do_not_fit(bundle, place):
    card = card_of(bundle, weights_sha256=None)

    def said(**changes):
        tensors = load(bundle["model.safetensors"]) | {
            f"network.{k}": v for k, v in changes.items()
        }
        kept = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        return place.refusal({"card.json": card, "w": save(kept)})

    assert "holds NaN or infinity" in said(**{"0.bias": torch.full((6,), torch.nan)})
    assert "has shape (7,), the card's" in said(**{"0.bias": torch.zeros(7)})
    assert "lack tensor 'network.0.bias'" in said(**{"0.bias": None})
    assert "hold an unknown tensor 'network.more'" in said(more=torch.zeros(1))
    assert "holds int64 numbers" in said(**{"0.bias": torch.zeros(6, dtype=torch.int64)})


def graph_bundle(*steps, **tensors):
    nodes = [
        {"name": "x", "op": "input"},
        {"name": "a", "op": "layer", "target": "Linear", "path": "a", "args": [{"node": "x"}],
         "settings": {"in_features": 2, "out_features": 2}},
        *steps,
    ]  # fmt: skip
    card = {
        "name": "odd", "schema": SCHEMA.model_dump(mode="json"),
        "encoder": {"name": "raw", "arguments": {"fill": 0}},
        "network": {"name": "graph", "arguments": {"nodes": nodes}},
    }  # fmt: skip
    weights = {"a.weight": torch.eye(2), "a.bias": torch.zeros(2)} | tensors
    return {"card.json": json.dumps(card).encode(), "w.safetensors": save(weights)}


def call(name, target, *args):
    return {"name": name, "op": "function", "target": target, "args": list(args)}


def test_a_model_is_tried_before_it_is_let_in(place):
    mean = call("m", "mean", {"node": "a"}, 0, True)
    minus = call("s", "sub", {"node": "a"}, {"node": "m"})
    assert place.refusal(graph_bundle(mean, minus)) == (
        "The model says something else about a row in batches of 1 than in one of 61; a row's "
        "output must depend on that row alone."
    )
    negative, root = call("n", "neg", {"node": "a"}), call("s", "log", {"node": "n"})
    said = place.refusal(graph_bundle(negative, root))
    assert said.startswith("The model gives NaN or infinity for a row of its schema (age=")
    embed = {"name": "e", "op": "layer", "target": "Embedding", "path": "e", "args": [
        {"node": "l"}], "settings": {"num_embeddings": 3, "embedding_dim": 1}}  # fmt: skip
    steps = (call("l", "long", {"node": "a"}), embed, call("f", "flatten", {"node": "e"}, 1))
    said = place.refusal(graph_bundle(*steps, **{"e.weight": torch.zeros(3, 1)}))
    assert said == (
        "The model fails on rows of its schema (index out of range in self); check its input "
        "columns, categories and layers."
    )


# --- ONNX ----------------------------------------------------------------------------------------


def onnx_file():
    """Logits of a linear model of two raw columns; missing numbers become 0 first."""
    from onnx import TensorProto, helper, numpy_helper

    weight = np.array([[0.5, -0.5], [0.25, 1.0]], dtype=np.float32)
    nodes = [
        helper.make_node("IsNaN", ["X"], ["lost"]),
        helper.make_node("Where", ["lost", "zero", "X"], ["known"]),
        helper.make_node("MatMul", ["known", "w"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(weight, "w"),
         numpy_helper.from_array(np.zeros(1, dtype=np.float32), "zero")],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return made.SerializeToString(), weight


@pytest.mark.parametrize("how", ["argument", "file", "card"])
def test_an_onnx_file_comes_in_with_a_schema_or_a_card(how, place):
    content, weight = onnx_file()
    files, more = {"credit.onnx": content}, {}
    if how == "argument":
        more["schema"] = SCHEMA
    elif how == "file":
        files["columns.json"] = SCHEMA.model_dump_json().encode()
    else:
        card = {"name": "credit", "title": "Mine", "schema": SCHEMA.model_dump(mode="json")}
        files["card.json"] = json.dumps(card).encode()
    folder = place.receive(files, **more)
    assert folder == place.root / "credit" / "1"
    assert (folder / "model.onnx").read_bytes() == content
    model = load_model(folder)
    x = torch.nan_to_num(rows(), 0.0)
    expected = torch.softmax(x @ torch.from_numpy(weight).double(), 1)
    torch.testing.assert_close(model.predict(rows()), expected, rtol=1e-5, atol=1e-6)


def test_an_onnx_file_alone_says_nothing_about_its_columns(place):
    content, _ = onnx_file()
    assert place.refusal({"credit.onnx": content}) == (
        "An ONNX file does not say what its columns mean; choose a table or schema with the "
        "columns that it was trained on."
    )
    card = {"name": "a", "schema": SCHEMA.model_dump(mode="json"), "network": {"name": "mlp"}}
    assert place.refusal({"m": content, "card.json": json.dumps(card).encode()}) == (
        "The card names network 'mlp', the file is ONNX; write onnx or leave the network out."
    )


# --- archives ------------------------------------------------------------------------------------


def zip_with(name, content=b"x", **info):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        member = zipfile.ZipInfo(name)
        for key, value in info.items():
            setattr(member, key, value)
        archive.writestr(member, content)
    return stream.getvalue()


OUT = "which leads out of its folder or is no plain name; pack plain files."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zip_with("../card.json"), f"'a.zip' holds the path '../card.json', {OUT}"),
        (zip_with("/etc/passwd"), f"'a.zip' holds the path '/etc/passwd', {OUT}"),
        (zip_with("a\\..\\b"), f"'a.zip' holds the path 'a\\\\..\\\\b', {OUT}"),
        (zip_with("C:card.json"), f"'a.zip' holds the path 'C:card.json', {OUT}"),
        (zip_with("a/./b"), f"'a.zip' holds the path 'a/./b', {OUT}"),
        (zip_with("link", external_attr=0o120777 << 16), "'a.zip' holds 'link' as a link or "
         "device; "
         "pack the file itself."),
        (zip_with("fifo", external_attr=0o010777 << 16), "'a.zip' holds 'fifo' as a link or "
         "device; "
         "pack the file itself."),
        (zip_of({"a/card.json": b"{}", "b/model.safetensors": b""}), "'a.zip' holds files in "
         "several folders; pack one version folder of one model."),
        (zip_of({"card.json": b"{}", "CARD.json": b"{}"}), "'a.zip' holds 'CARD.json' twice; keep "
         "one of them."),
        (zip_of({str(i): b"" for i in range(33)}), "'a.zip' holds more than 32 files; pack only "
         "the "
         "model's."),
        (zip_of({str(i): b"" for i in range(3000)}), "'a.zip' holds more than 32 files; a model is "
         "card.json and model.safetensors or model.onnx."),
        (zip_of({"card.json": b"{}", "more.zip": zip_of({"x": b""})}), "'a.zip' holds another "
         "archive, 'more.zip'; pack plain files."),
        (zip_of({"x": b"y"})[:-30], "'a.zip' is a damaged zip file (its end is missing); make it "
         "again with an ordinary zip program."),
        (zip_of({"x": b"y"}, compression=zipfile.ZIP_LZMA), "'a.zip' is compressed in an unusual "
         "way; make it again with an ordinary zip program."),
        (zip_of({}), "The files hold no weights (); a model is card.json with model.safetensors, "
         "or model.onnx with card.json or a schema."),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)  # fmt: skip
def test_an_archive_that_is_not_plain(content, message, place):
    if b"PK" not in content[:2]:  # an empty archive is its end alone
        content = zip_of({})
    assert place.refusal({"a.zip": content}) == message


def test_an_encrypted_archive_is_refused(place):
    content = bytearray(zip_of({"card.json": b"{}"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    assert place.refusal({"a.zip": bytes(content)}) == (
        "'a.zip' is encrypted; pack it without a password."
    )


def test_bombs_are_counted_while_they_unpack(place, monkeypatch):
    bomb = zip_of({"card.json": b"\x00" * 2**25})
    assert len(bomb) < 2**16
    assert place.refusal({"a.zip": bomb}, LimitError).startswith("'a.zip' unpacks to more than is ")
    lying = bytearray(bomb)
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = lying.index(mark) + offset
        lying[start : start + 4] = struct.pack("<I", 10)
    said = place.refusal({"a.zip": bytes(lying)}, WorkbenchError)
    assert "damaged zip file" in said or "unpacks to more" in said
    monkeypatch.setenv("WORKBENCH_MAX_FILE_BYTES", "20000")
    many = zip_of({str(i): bytes(range(256)) * 30 for i in range(5)})
    assert "unpacks to more than is allowed" in place.refusal({"a.zip": many}, LimitError)


# --- pickles -------------------------------------------------------------------------------------


class Trap:
    """Unpickling it writes a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def traps(marker):
    """The same trap in every wrapping that some loader opens."""
    trap = Trap(marker)
    for protocol in range(6):
        yield f"protocol {protocol}", pickle.dumps(trap, protocol=protocol)
    for old in (False, True):
        stream = io.BytesIO()
        torch.save({"w": trap}, stream, _use_new_zipfile_serialization=not old)
        yield f"torch.save {old}", stream.getvalue()
    stream = io.BytesIO()
    np.save(stream, np.array([trap], dtype=object), allow_pickle=True)
    yield "npy", stream.getvalue()
    stream = io.BytesIO()
    np.savez(stream, a=np.array([trap], dtype=object))
    yield "npz", stream.getvalue()
    yield "zlib", zlib.compress(pickle.dumps(trap))
    yield "in a zip", zip_of({"model.safetensors": pickle.dumps(trap), "card.json": b"{}"})
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("pickle")
        member.size = len(pickle.dumps(trap))
        archive.addfile(member, io.BytesIO(pickle.dumps(trap)))
    yield "tar", stream.getvalue()
    stream = io.BytesIO()
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), stream)
    yield "TorchScript", stream.getvalue()


SUFFIXES = (".pt", ".pth", ".pt2", ".pkl", ".joblib", ".bin", ".safetensors", ".onnx", ".zip",
            ".json", ".npy", ".npz", ".h5", "")  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.jit, which others still use
def test_no_pickle_is_opened_whatever_it_is_called(bundle, place, tmp_path, monkeypatch):
    marker = tmp_path / "executed"
    wrapped = list(traps(marker))
    pickle.loads(wrapped[0][1])  # noqa: S301 - the trap works, so its silence means something
    assert marker.exists()
    marker.unlink()

    def attempted(*_, **__):
        raise AssertionError("a pickle was about to be opened")

    for module, name in ((torch, "load"), (pickle, "load"), (pickle, "loads"),
                         (pickle, "Unpickler"), (torch.jit, "load"), (np, "load")):  # fmt: skip
        monkeypatch.setattr(module, name, attempted)
    monkeypatch.setattr("joblib.load", attempted)
    for how, content in wrapped:
        for suffix in SUFFIXES:
            for more in ({}, {"card.json": bundle["card.json"]}):
                files = more | {f"model{suffix}": content}
                if how == "in a zip" and more:
                    continue
                said = place.refusal(files)
                assert "so it is not accepted; " in said, (how, suffix, said)
    assert not marker.exists(), "code of a file ran"


def described(content, name, place):
    return place.refusal({name: content})


def test_every_refusal_carries_its_recipe(place, tmp_path):
    torch_line = (
        "write it as data with: workbench convert my_package.my_module:build --state net.pt "
        "--schema schema.json --name my-model --into converted, and upload the folder that this "
        "makes."
    )
    stream = io.BytesIO()
    torch.save(nn.Linear(2, 2).state_dict(), stream)
    assert described(stream.getvalue(), "net.pt", place) == (
        "'net.pt' is a PyTorch pickle, which can run code when it is opened, so it is not "
        f"accepted; {torch_line}"
    )
    import joblib
    from sklearn.linear_model import LogisticRegression

    for compress in (0, 3, ("gzip", 3), ("lzma", 3)):
        path = tmp_path / "m.joblib"
        joblib.dump(LogisticRegression(), path, compress=compress)
        said = described(path.read_bytes(), "m.joblib", place)
        assert said.startswith("'m.joblib' is a scikit-learn or joblib pickle, which can run code")
        assert said.endswith(
            "convert it to ONNX where you trust it: from skl2onnx import to_onnx; onnx_model = "
            "to_onnx(model, X[:1], options={'zipmap': False}); open('model.onnx', "
            "'wb').write(onnx_model.SerializeToString())."
        )
    keras = described(b"\x89HDF\r\n\x1a\n" + b"\x00" * 50, "m.h5", place)
    assert keras.endswith("python -m tf2onnx.convert --keras m.h5 --output model.onnx.")
    assert "a Keras" in described(
        zip_of({"config.json": b"{}", "model.weights.h5": b""}), "m", place
    )
    assert "XGBoost" in described(b'{"learner": {}, "version": [2, 0, 0]}', "m.json", place)
    assert "LightGBM" in described(b"tree\nversion=v4\n", "m.txt", place)
    assert "a web page" in described(b"<!DOCTYPE html>", "m.html", place)
    assert "of no kind that holds a model" in described(b"hello", "a\nb\x1b.txt", place)


# --- damage --------------------------------------------------------------------------------------


def accepted_or_refused(files, tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("place"))
    try:
        model = load_model(place.receive(files))
    except WorkbenchError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert list_models(place.root) == ()
        return None
    return model.scores(rows())


@given(st.data())
@settings(max_examples=200)
def test_damaged_bytes_are_accepted_alike_or_refused(bundle, tmp_path_factory, data):
    name = data.draw(st.sampled_from(sorted(bundle)))
    damaged = bundle | {name: mutate_bytes(bundle[name], data.draw)}
    scores = accepted_or_refused(damaged, tmp_path_factory)
    if scores is not None and damaged["card.json"] == bundle["card.json"]:
        original = accepted_or_refused(bundle, tmp_path_factory)
        assert torch.equal(scores, original)


@pytest.mark.parametrize("place", [(), ("encoder", "arguments", "columns", 0)])
def test_a_refusal_is_one_line_whatever_names_the_card_holds(bundle, tmp_path_factory, place):
    card = json.loads(bundle["card.json"])
    holder = card
    for step in place:
        holder = holder[step]
    holder["a\nb"] = 1
    files = {"card.json": json.dumps(card).encode(), "w": bundle["model.safetensors"]}
    assert accepted_or_refused(files, tmp_path_factory) is None


@given(st.data())
@settings(max_examples=200)
def test_edited_cards_are_accepted_or_refused(bundle, tmp_path_factory, data):
    card = mutate_json(json.loads(bundle["card.json"]), data.draw)
    files = {"card.json": json.dumps(card).encode(), "w": bundle["model.safetensors"]}
    accepted_or_refused(files, tmp_path_factory)


@given(st.data())
@settings(max_examples=200)
def test_odd_archives_are_accepted_or_refused(bundle, tmp_path_factory, data):
    accepted_or_refused({"a.zip": mutate_zip(bundle, data.draw)}, tmp_path_factory)
