"""The registry: what is published comes back bit by bit, and damage is one sentence, never more."""

import hashlib
import json
import pickle
import re
import shutil
import struct
import threading
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from torch import nn

from workbench.core.card import Architecture
from workbench.core.errors import RegistryError
from workbench.core.model import Model
from workbench.core.schema import Feature, Schema
from workbench.registry import store
from workbench.registry.architectures import build_encoder, build_network
from workbench.registry.store import (
    find_version,
    list_models,
    load_model,
    publish,
    remove_model,
    remove_version,
    set_alias,
)

BUNDLED = ("adult-linear", "adult-mlp", "breast-cancer-mlp", "diabetes-mlp", "digits-mlp",
           "german-mlp", "wine-mlp")  # fmt: skip
SCHEMA = Schema(
    features=(
        Feature(name="size", has_missing=True),
        Feature(name="colour", kind="categorical", categories=("red", "green")),
    ),
    target="kind",
    task="binary",
    classes=("a", "b"),
)
ENCODER = Architecture(name="tabular", arguments={"categorical": "embedding", "embedding_size": 3})
NETWORKS = (
    Architecture(name="linear"),
    Architecture(name="mlp", arguments={"hidden": [5], "activation": "gelu", "dropout": 0.5}),
    Architecture(name="tabular-resnet", arguments={"width": 4, "n_blocks": 1, "hidden": 6}),
)


def parts(network=NETWORKS[1], seed=0):
    """An encoder and a network whose every number is random, running statistics included."""
    encoder = build_encoder(ENCODER, SCHEMA)
    built = build_network(network, len(encoder.groups), 2)
    generator = torch.Generator().manual_seed(seed)
    for module in (encoder, built):
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    return encoder, built


def card(network=NETWORKS[1], **changes):
    words = ("title", "training_table", "training_digest", "split", "created_by", "licence",
             "intended_use", "limits")  # fmt: skip
    return dict.fromkeys(words, "-") | {
        "name": "toy",
        "schema": SCHEMA,
        "encoder": ENCODER,
        "network": network,
        "metrics": (),
        "training_rows": 1,
        "seed": 0,
        **changes,
    }


def rows():
    return torch.tensor([[1.5, 0], [torch.nan, 1], [-3, 1]], dtype=torch.float64)


def is_one_sentence(text):
    return text.endswith(".") and "\n" not in text and not re.search(r"[.!?] [A-Z]", text)


def refusal(call, *arguments):
    with pytest.raises(RegistryError) as caught:
        call(*arguments)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert is_one_sentence(str(caught.value)), str(caught.value)
    return str(caught.value)


# --- what is there -------------------------------------------------------------------------------


def test_the_bundled_registry_lists_its_models():
    assert tuple(entry.name for entry in list_models()) == BUNDLED


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_model_loads_as_its_card_says(name):
    model = load_model(name)
    folder = find_version(name)
    assert model.name == f"{name}@1"
    assert model.digest == hashlib.sha256((folder / "card.json").read_bytes()).hexdigest()
    weights = (folder / "model.safetensors").read_bytes()
    assert model.card.weights_sha256 == hashlib.sha256(weights).hexdigest()
    stored, loaded = load(weights), {}
    for prefix, module in (("encoder.", model.encoder), ("network.", model.network)):
        loaded |= {prefix + key: tensor for key, tensor in module.state_dict().items()}
    assert stored.keys() == loaded.keys()
    assert all(torch.equal(stored[key], loaded[key]) for key in stored)
    assert model.predict(torch.zeros(2, len(model.schema.features))).shape == (
        2,
        len(model.output_names),
    )


def test_the_environment_chooses_the_registry(tmp_path, monkeypatch):
    publish(*parts(), card(), tmp_path)
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path))
    assert [entry.name for entry in list_models()] == ["toy"]
    assert find_version("toy") == tmp_path / "toy" / "1"
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "nowhere"))
    assert list_models() == ()
    assert refusal(load_model, "toy") == (
        f"The registry {str(tmp_path / 'nowhere')!r} holds no models; point WORKBENCH_MODELS to "
        "one that does, or give a folder that holds card.json and model.safetensors."
    )


def test_what_is_no_model_is_not_listed(tmp_path):
    publish(*parts(), card(), tmp_path)
    for folder in ("Upper/1", ".hidden/1", "empty", "words/latest", "toy/01", "toy/٢", "toy/0"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "toy" / ".abc.part").mkdir()
    (tmp_path / "file").write_text("")
    assert [(entry.name, entry.versions) for entry in list_models(tmp_path)] == [("toy", (1,))]


# --- publish -------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_what_is_published_comes_back_bit_by_bit(network, tmp_path):
    encoder, built = parts(network)
    folder = publish(encoder, built, card(network), tmp_path)
    assert folder == tmp_path / "toy" / "1"
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json", "card.sha256", "model.safetensors",
    ]  # fmt: skip
    model = load_model("toy", tmp_path)
    original = Model(encoder, built, model.card, model.digest)
    assert torch.equal(model.scores(rows()), original.scores(rows()))
    assert model.card.network == network
    assert model.schema == SCHEMA


def test_versions_count_up_and_are_never_overwritten(tmp_path):
    folders = [publish(*parts(seed=seed), card(), tmp_path) for seed in (0, 1)]
    before = {path: path.read_bytes() for path in folders[0].iterdir()}
    shutil.rmtree(folders[1])
    (tmp_path / "toy" / "7").mkdir()
    folders.append(publish(*parts(seed=2), card(), tmp_path))
    assert [folder.name for folder in folders] == ["1", "2", "8"]
    assert {path: path.read_bytes() for path in folders[0].iterdir()} == before


def test_many_publish_at_once(tmp_path):
    outcomes = []

    def attempt(seed):
        try:
            outcomes.append(publish(*parts(seed=seed), card(), tmp_path))
        except RegistryError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=attempt, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = {outcome for outcome in outcomes if isinstance(outcome, Path)}
    refused = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(written) + len(refused) == 8
    assert {int(folder.name) for folder in written} == set(list_models(tmp_path)[0].versions)
    assert all("was published by someone else" in text for text in refused)
    assert not list(tmp_path.rglob("*.part"))
    for folder in written:
        load_model(folder)


def test_of_two_that_want_the_same_version_one_is_told(tmp_path, monkeypatch):
    both, write, outcomes = threading.Barrier(2), store._write_folder, []

    def together(*arguments):
        both.wait(10)
        write(*arguments)

    monkeypatch.setattr(store, "_write_folder", together)

    def attempt(seed):
        try:
            outcomes.append(publish(*parts(seed=seed), card(), tmp_path))
        except RegistryError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=attempt, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == sorted(
        [
            tmp_path / "toy" / "1",
            "Version 1 of toy was published by someone else at the same time; publish again for "
            "the next version.",
        ],
        key=str,
    )
    load_model("toy@1", tmp_path)
    assert [path.name for path in (tmp_path / "toy").iterdir()] == ["1"]


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    write = Path.write_bytes

    def full(path, content):
        if path.name == "card.json":
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert refusal(publish, *parts(), card(), tmp_path) == (
        f"Version 1 of toy cannot be written to {str(tmp_path)!r}: No space left on device; "
        "choose a folder that you may write to."
    )
    assert list((tmp_path / "toy").iterdir()) == []
    assert list_models(tmp_path) == ()


def test_a_file_is_no_registry(tmp_path):
    root = tmp_path / "file"
    root.write_text("")
    assert "cannot be written to" in refusal(publish, *parts(), card(), root)


@pytest.mark.parametrize("name", ["../x", "a/b", "/etc/x", "", "Toy", "a" * 65, "..", None])
def test_a_name_that_is_a_path_is_not_published(name, tmp_path):
    root = tmp_path / "models"
    text = refusal(publish, *parts(), card(name=name), root)
    assert text.startswith("The card is not valid at name: ")
    assert list(tmp_path.iterdir()) == []


# --- names, versions, aliases --------------------------------------------------------------------


@pytest.fixture
def three(tmp_path):
    for seed in range(3):
        publish(*parts(seed=seed), card(), tmp_path)
    return tmp_path


def test_the_plain_name_is_the_newest_until_there_is_production(three):
    assert find_version("toy", three).name == "3"
    set_alias("toy", "production", 2, three)
    set_alias("toy", "old", 1, three)
    found = {
        reference: find_version(reference, three).name
        for reference in ("toy", "toy@", "toy@1", "toy@3", "toy@production", "toy@old")
    }
    assert found == {
        "toy": "2", "toy@": "2", "toy@1": "1", "toy@3": "3", "toy@production": "2", "toy@old": "1",
    }  # fmt: skip
    assert load_model("toy@old", three).name == "toy@1"
    set_alias("toy", "production", 3, three)
    assert list_models(three)[0].aliases == {"production": 3, "old": 1}
    assert list_models(three)[0].default == 3


def test_a_folder_is_a_model_wherever_it_lies(three, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "any name"
    shutil.copytree(three / "toy" / "2", elsewhere)
    for reference in (elsewhere, str(elsewhere)):
        assert load_model(reference, three).name == "toy@2"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nope", "There is no model 'nope'; choose one of toy, or give a folder that holds "
         "card.json and model.safetensors."),
        ("", "There is no model ''; choose one of toy, or give a folder that holds card.json and "
         "model.safetensors."),
        ("toy@9", "Model 'toy' has no version '9'; it has 1, 2, 3, fine."),
        ("toy@0", "Model 'toy' has no version '0'; it has 1, 2, 3, fine."),
        ("toy@01", "Model 'toy' has no version '01'; it has 1, 2, 3, fine."),
        ("toy@-1", "Model 'toy' has no version '-1'; it has 1, 2, 3, fine."),
        ("toy@٢", "Model 'toy' has no version '٢'; it has 1, 2, 3, fine."),
        ("toy@staging", "Model 'toy' has no version 'staging'; it has 1, 2, 3, fine."),
        ("toy@1@2", "Model 'toy' has no version '1@2'; it has 1, 2, 3, fine."),
        ("toy@" + "9" * 5000, "Model 'toy' has no version '" + "9" * 79 + "…'; it has 1, 2, "
         "3, fine."),
        ("a" * 5000, "There is no model '" + "a" * 79 + "…'; choose one of toy, or give a folder "
         "that holds card.json and model.safetensors."),
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_says_which_models_and_versions_there_are(reference, message, three):
    set_alias("toy", "fine", 1, three)
    assert refusal(find_version, reference, three) == message


@pytest.mark.parametrize("reference", ["../toy", "toy/1/../../..", "/etc", "..", ".", "toy/1@1"])
def test_a_path_without_a_card_is_an_unknown_model(reference, three):
    assert refusal(load_model, reference, three / "toy").startswith("The registry ")
    assert refusal(load_model, reference, three).startswith("There is no model ")


@given(st.text(max_size=300))
def test_any_text_finds_a_version_or_is_refused(tmp_path_factory, reference):
    root = tmp_path_factory.getbasetemp()
    with pytest.raises(RegistryError):
        find_version("\0" + reference, root)
    try:
        found = find_version(reference)
    except RegistryError:
        return
    assert (found / "card.json").is_file()


@pytest.mark.parametrize("alias", ["../x", "a b", "Production", "", "7", "a" * 65])
def test_an_alias_is_a_plain_word(alias, three):
    assert refusal(set_alias, "toy", alias, 1, three) == (
        f"Alias {alias!r} must be lower-case letters, digits, - or _."
    )
    assert not (three / "toy" / "aliases.json").exists()


def test_an_alias_needs_its_version(three):
    text = refusal(set_alias, "toy", "fine", 9, three)
    assert text == "Model 'toy' has no version '9'; it has 1, 2, 3."


@pytest.mark.parametrize(
    "content",
    ["no json", "[]", '{"a": "x"}', '{"a": null}', '{"a": 1e999}', "[" * 100_000, "\xff"],
    ids=lambda text: text[:12],
)
def test_damaged_aliases_are_one_sentence(content, three):
    path = three / "toy" / "aliases.json"
    path.write_bytes(content.encode("latin-1"))
    assert refusal(load_model, "toy", three) == (
        f"{str(path)!r} must map alias names to version numbers."
    )


def test_an_alias_of_a_version_that_is_gone(three):
    (three / "toy" / "aliases.json").write_text('{"production": 12}')
    assert refusal(load_model, "toy", three) == (
        "Model 'toy' has no version '12'; it has 1, 2, 3, production."
    )


# --- damage --------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    return publish(*parts(), card(), tmp_path)


def reseal(folder, *, weights=None, change=None):
    """Change weights or card, and make every digest anew, so that the change is reached."""
    path = folder / "card.json"
    content = json.loads(path.read_bytes())
    if weights is not None:
        (folder / "model.safetensors").write_bytes(weights)
        content["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    if change is not None:
        change(content)
    seal(folder, json.dumps(content).encode())


def seal(folder, content):
    (folder / "card.json").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (folder / "card.sha256").write_text(f"{digest}  card.json\n")


def test_resealing_alone_is_no_damage(folder):
    reseal(folder, weights=(folder / "model.safetensors").read_bytes())
    load_model(folder)


@pytest.mark.parametrize("name", ["card.json", "card.sha256", "model.safetensors"])
def test_a_missing_file(name, folder):
    (folder / name).unlink()
    text = refusal(load_model, folder if name != "card.json" else "toy", folder.parent.parent)
    assert text == f"{str(folder / name)!r} is missing; the model is incomplete."


def test_a_folder_in_the_place_of_a_file(folder):
    path = folder / "model.safetensors"
    path.unlink()
    path.mkdir()
    assert refusal(load_model, folder) == f"{str(path)!r} cannot be read: Is a directory."


def test_a_card_beyond_the_limit(folder, monkeypatch):
    monkeypatch.setattr(store, "MAX_CARD_BYTES", 1000)
    text = refusal(load_model, folder)
    assert text.endswith("card.json' is larger than the limit of 1,000 bytes.")


@given(st.data())
@settings(max_examples=30)
def test_any_edit_of_a_card_is_noticed(tmp_path_factory, data):
    folder = publish(*parts(), card(), tmp_path_factory.mktemp("models"))
    path = folder / data.draw(st.sampled_from(["card.json", "card.sha256"]))
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, min(len(content), 64) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert refusal(load_model, folder) == (
        f"The card in {str(folder)!r} was edited after it was written (its digest is not the one "
        "in card.sha256); restore the file or publish the change as a new version."
    )


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_changed_weights_are_noticed(damage, folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[-3] ^= 1
    path.write_bytes({"cut": content[:-4], "flipped": content, "empty": b""}[damage])
    assert refusal(load_model, folder) == (
        "The weights of toy@1 are not those of its card (model.safetensors was changed or cut "
        "short); restore the file or train the model again."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "is not valid at the top: Invalid JSON"),
        (b"", "is not valid at the top: Invalid JSON"),
        (b"[" * 10_000, "is not valid at the top: Invalid JSON"),
        (b"\xff\xfe{}", "is not valid at the top: Invalid JSON"),
        (b"[]", "is not valid at the top: Input should be an object"),
        (b"{}", "is not valid at name: Field required"),
    ],
    ids=["words", "empty", "deep", "bytes", "list", "bare"],
)
def test_a_card_that_is_no_card(content, message, folder):
    seal(folder, content)
    text = refusal(load_model, folder)
    assert text.startswith(f"The card in {str(folder)!r} {message}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 0}, "is not valid at version: Input should be greater than or equal to 1."),
        ({"version": "x"}, "is not valid at version: Input should be a valid integer"),
        ({"name": "../x"}, "is not valid at name: String should match pattern"),
        ({"color": 1}, "is not valid at color: Extra inputs are not permitted."),
        ({"schema": {"features": []}}, "is not valid at schema.features: Tuple should have at "),
        ({"weights_sha256": "0"}, "is not valid at weights_sha256: String should match pattern"),
        ({"format": 2}, "has format 2, this version reads up to 1; update the workbench."),
        ({"format": 0}, "is not valid at format: Input should be greater than or equal to 1."),
    ],
    ids=str,
)
def test_a_wrong_field_of_a_card_is_named(change, message, folder):
    reseal(folder, change=lambda content: content.update(change))
    text = refusal(load_model, folder)
    assert text.startswith(f"The card in {str(folder)!r} {message}")


def network(name, **arguments):
    return {"network": {"name": name, "arguments": arguments}}


def encoder(name, **arguments):
    return {"encoder": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (network("os.system"), "There is no architecture 'os.system'; choose one of graph, linear, "
         "mlp, tabular-resnet."),
        (encoder("eval"), "There is no encoder 'eval'; choose one of tabular, columns, raw."),
        (network("mlp", hidden=[10**9]), "Arguments of architecture 'mlp' do not fit: hidden.0: "
         "Input should be less than or equal to 8192"),
        (network("mlp", hidden=[1] * 1000), "Arguments of architecture 'mlp' do not fit: hidden: "
         "Tuple should have at most 64 items after validation, not 1000."),
        (network("mlp", hidden=[]), "hidden: Tuple should have at least 1 item after validation"),
        (network("mlp", hidden=[4], dropout=-0.5), "dropout: Input should be greater than or "),
        (network("mlp", hidden=[4], dropout=1), "dropout: Input should be less than 1."),
        (network("mlp", hidden=[4], activation="exec"), "activation: Input should be 'relu', "),
        (network("mlp", hidden=[4], dropout=2, width=3), "dropout: Input should be less than 1; "
         "width: Extra inputs are not permitted."),
        (network("mlp", hidden=[-4]), "hidden.0: Input should be greater than or equal to 1"),
        (network("tabular-resnet", n_blocks=1000), "n_blocks: Input should be less than or equal"),
        (network("linear", bias=False), "bias: Extra inputs are not permitted."),
        (encoder("tabular", embedding_size=10**9), "embedding_size: Input should be less than "),
        (network("linear"), "The weights of toy@1 hold an unknown tensor "
         "'network.layers.2.bias', so they do not belong to architecture 'linear'."),
        (network("mlp", hidden=[5, 5]), "The weights of toy@1 lack tensor "
         "'network.layers.5.bias', so they do not belong to architecture 'mlp'."),
        (network("mlp", hidden=[6]), "Tensor 'network.first.bias' of toy@1 has shape (5,), the "
         "card's architecture needs (6,)."),
        (encoder("tabular", categorical="one_hot"), "hold an unknown tensor "
         "'encoder.embeddings.1.weight'"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_an_architecture_that_does_not_fit(change, message, folder):
    reseal(folder, change=lambda content: content.update(change))
    assert message in refusal(load_model, folder)


def test_a_huge_network_is_refused_before_memory_is_taken(folder, monkeypatch):
    built, build = [], store.build_network

    def watched(*arguments):
        built.append(build(*arguments))
        return built[-1]

    monkeypatch.setattr(store, "build_network", watched)
    reseal(folder, change=lambda content: content.update(network("mlp", hidden=[8192] * 64)))
    assert "lack tensor 'network.layers.101.bias'" in refusal(load_model, folder)
    assert {parameter.device.type for one in built for parameter in one.parameters()} == {"meta"}


def changed(tensors, **changes):
    return {name: tensor for name, tensor in (tensors | changes).items() if tensor is not None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: changed(t, **{"network.first.weight": None}), "The weights of toy@1 lack tensor "
         "'network.first.weight', so they do not belong to architecture 'mlp'."),
        (lambda t: changed(t, **{"network.more": torch.ones(1)}), "The weights of toy@1 hold an "
         "unknown tensor 'network.more', so they do not belong to architecture 'mlp'."),
        (lambda t: changed(t, **{"encoder.mean": None}), "lack tensor 'encoder.mean'"),
        (lambda t: changed(t, **{"network.first.bias": torch.ones(1, 5)}), "Tensor "
         "'network.first.bias' of toy@1 has shape (1, 5), the card's architecture needs (5,)."),
        (lambda t: changed(t, **{"encoder.scale": torch.tensor([torch.nan])}), "Tensor "
         "'encoder.scale' of toy@1 holds NaN or infinity; train the model again."),
        (lambda t: changed(t, **{"network.first.bias": torch.full((5,), torch.inf)}), "Tensor "
         "'network.first.bias' of toy@1 holds NaN or infinity; train the model again."),
        (lambda t: changed(t, **{"network.first.bias": torch.ones(5, dtype=torch.int64)}), "Tensor "
         "'network.first.bias' of toy@1 holds int64 numbers, the card's architecture needs "
         "float32."),
        (lambda t: changed(t, **{"network.first.bias": torch.ones(5).to(torch.float8_e4m3fn)}),
         "Tensor 'network.first.bias' of toy@1 holds float8_e4m3fn numbers, the card's "
         "architecture needs float32."),
    ],
    ids=["lacking", "unknown", "encoder", "shape", "nan", "inf", "int", "float8"],
)  # fmt: skip
def test_weights_that_do_not_fit(change, message, folder):
    reseal(folder, weights=save(change(load((folder / "model.safetensors").read_bytes()))))
    assert message in refusal(load_model, folder)


@pytest.mark.parametrize(
    "weights",
    [b"", b"\x00" * 8, b"words", struct.pack("<Q", 2**60) + b"{}", struct.pack("<Q", 2) + b"{]"],
    ids=["empty", "zeros", "words", "long", "json"],
)
def test_weights_that_are_no_safetensors(weights, folder):
    reseal(folder, weights=weights)
    path = folder / "model.safetensors"
    assert refusal(load_model, folder) == f"{str(path)!r} is not a safetensors file."


def test_weights_cut_short_under_a_card_made_anew(folder):
    reseal(folder, weights=(folder / "model.safetensors").read_bytes()[:-4])
    assert refusal(load_model, folder).endswith("is not a safetensors file.")


class Trap:
    """Unpickling it writes a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_a_pickle_is_not_executed(how, folder, tmp_path):
    marker, path = tmp_path / "executed", folder / "model.safetensors"
    if how == "pickle":
        path.write_bytes(pickle.dumps(Trap(marker)))
    else:
        torch.save({"network.first.weight": Trap(marker)}, path)
    reseal(folder, weights=path.read_bytes())
    assert refusal(load_model, folder).endswith("is not a safetensors file.")
    assert not marker.exists(), "code of the file ran"
    if how == "pickle":
        pickle.loads(path.read_bytes())  # noqa: S301 - the trap works, so its silence means something
        assert marker.exists()


@given(st.data())
@settings(max_examples=100)
def test_random_damage_loads_or_is_one_sentence(tmp_path_factory, data):
    """Flips bytes anywhere, with digests made anew, so that they prove nothing."""
    root = tmp_path_factory.mktemp("models")
    folder = publish(*parts(), card(), root)
    name = data.draw(st.sampled_from(["card.json", "model.safetensors"]))
    content = bytearray((folder / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] = data.draw(st.integers(0, 255))
    if name == "card.json":
        seal(folder, bytes(content))
    else:
        reseal(folder, weights=bytes(content))
    try:
        model = load_model(folder)
    except RegistryError as error:
        assert error.__suppress_context__ or error.__context__ is None  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert isinstance(model.network, nn.Module)
    shutil.rmtree(root)


# --- remove --------------------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path):
    """A registry with three versions of one model."""
    for seed in range(3):
        publish(*parts(seed=seed), card(), tmp_path)
    return tmp_path


def versions(root):
    return [entry.versions for entry in list_models(root)]


def test_a_removed_version_is_gone_and_its_number_stays_unused(stored):
    remove_version("toy@3", stored)
    assert versions(stored) == [(1, 2)]
    assert publish(*parts(), card(), stored).name == "4"
    for version in (1, 2, 4):
        remove_version(f"toy@{version}", stored)
    assert versions(stored) == []
    assert publish(*parts(), card(), stored).name == "5"
    assert not [path for path in (stored / "toy").iterdir() if path.name.startswith(".")]


def test_what_an_alias_means_is_removed_by_force_only(stored):
    set_alias("toy", "production", 2, stored)
    assert refusal(remove_version, "toy@2", stored) == (
        "Version 2 of toy is what toy@production means; let the alias mean another version first, "
        "or force the removal."
    )
    assert refusal(remove_model, "toy", stored) == (
        "Model 'toy' has the alias 'production', so someone relies on it; force the removal if "
        "nobody does."
    )
    assert versions(stored) == [(1, 2, 3)]
    remove_version("toy@2", stored, force=True)
    assert list_models(stored)[0].aliases == {}
    assert find_version("toy", stored).name == "3"
    remove_model("toy", stored)
    assert list_models(stored) == ()
    assert not (stored / "toy").exists()


def test_links_are_not_followed(stored, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.move(stored / "toy", elsewhere / "toy")
    (stored / "toy").symlink_to(elsewhere / "toy")
    for remove, name in ((remove_version, "toy@1"), (remove_model, "toy")):
        assert refusal(remove, name, stored) == (
            "Model 'toy' is a link to another place; remove it there or remove the link."
        )
    assert len(list((elsewhere / "toy").iterdir())) == 3


@pytest.mark.parametrize("name", ["../toy@1", "toy", "toy@", "toy@../1", "toy@01", "nobody@1"])
def test_no_version_no_removal(name, stored):
    refusal(remove_version, name, stored)
    assert versions(stored) == [(1, 2, 3)]


def test_a_folder_is_not_removed_by_its_path(stored, monkeypatch):
    monkeypatch.chdir(stored)
    assert "is not the name of a model" in refusal(remove_model, "toy/1", stored)
    assert versions(stored) == [(1, 2, 3)]
