"""``workbench models`` and ``workbench convert`` from a user's own package to an explanation."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from workbench.registry.store import list_models, load_model

NETWORK = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))

def build():
    return Net()

def fails():
    raise ValueError("no data here")

word = "a word"
"""


@pytest.fixture
def cli(cli, home, tmp_path, monkeypatch):  # noqa: ARG001 - a home of this test's own
    """Runs the command line over a registry of this test's own."""
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "models"))
    return cli


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A user's folder: a package, weights, a table."""
    folder = tmp_path / "work"
    (folder / "bank").mkdir(parents=True)
    (folder / "bank" / "__init__.py").write_text("")
    (folder / "bank" / "net.py").write_text(NETWORK)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "age": rng.integers(18, 80, 60), "debt": rng.gamma(2, 1000, 60).round(1),
        "home": rng.choice(["own", "parents", "rent"], 60), "paid": rng.choice(["no", "yes"], 60),
    })  # fmt: skip
    frame.to_csv(folder / "credit.csv", index=False)
    torch.manual_seed(0)
    parts = nn.ModuleDict({"a": nn.Linear(5, 4), "b": nn.Linear(4, 1)})
    torch.save(parts.state_dict(), folder / "credit.pt")
    torch.save({"model_state_dict": {f"module.{k}": v for k, v in parts.state_dict().items()}},
               folder / "checkpoint.pth")  # fmt: skip
    save_file(parts.state_dict(), folder / "credit.safetensors")
    _forget("bank")  # examples of the documentation have one as well
    yield folder
    _forget("bank")


def _forget(package):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


def arguments(**changes):
    given = {"state": "credit.pt", "table": "credit.csv", "target": "paid", "encoder": "tabular",
             "name": "credit", "into": "converted"} | changes  # fmt: skip
    return [word for key, value in given.items() if value for word in (f"--{key}", value)]


def complaint(said):
    assert said.code == 1, said
    assert said.err.startswith("Error: ")
    return said.err.removeprefix("Error: ").removesuffix("\n")


@pytest.mark.parametrize("state", ["credit.pt", "checkpoint.pth", "credit.safetensors"])
def test_from_a_package_to_an_explanation(state, cli, workplace):
    said = cli("convert", "bank.net:build", *arguments(state=state))
    assert said.code == 0, said
    assert "Wrote converted/credit/1\n" in said.out
    assert "Note: Its one output z became the logits 0 of 'no' and z of 'yes'." in said.out
    assert "Next: workbench models add converted/credit/1/*" in said.out
    model = load_model("converted/credit/1")
    assert "first_layer" in model.capabilities
    files = sorted((workplace / "converted" / "credit" / "1").iterdir())
    added = cli("models", "add", *files, "--sample", "credit.csv")
    assert added.code == 0, added
    assert [entry.name for entry in list_models()] == ["credit"]
    listed = json.loads(cli("models", "list", "--json").out)
    assert [(m["name"], m["versions"], m["network"]) for m in listed] == [("credit", [1], "graph")]
    assert cli("models", "list").out == f"{'credit':22}{'credit':56}version 1\n"
    assert json.loads(cli("models", "show", "credit").out)["name"] == "credit"
    assert cli("models", "verify").code == 0
    explained = cli("explain", "credit", "credit.csv", "--rows", "0:2", "--n-background", "12")
    assert explained.code == 0, explained


def test_aliases_and_removal(cli, workplace):
    cli("convert", "bank.net:build", *arguments(into=workplace.parent / "models"))
    assert cli("models", "alias", "credit", "production", 1).code == 0
    assert complaint(cli("models", "remove", "credit@1")) == (
        "Version 1 of credit is what credit@production means; let the alias mean another version "
        "first, or force the removal."
    )
    assert cli("models", "remove", "credit@1", "--force").out == "Removed credit@1.\n"
    assert "There are no models in" in cli("models", "list").out


@pytest.mark.parametrize(
    ("factory", "changes", "message"),
    [
        ("bank.net", {}, "'bank.net' does not name a function; write package.module:function."),
        ("bank.net:fails", {}, "'bank.net:fails' does not make a network (ValueError: no data "
         "here); it must be a function without arguments that can be imported here."),
        ("bank.net:word", {}, "'bank.net:word' does not make a network (TypeError: 'str' object is "
         "not callable); it must be a function without arguments that can be imported here."),
        ("nobody:build", {}, "'nobody:build' does not make a network (ModuleNotFoundError: No "
         "module named 'nobody'); it must be a function without arguments that can be imported "
         "here."),
        ("builtins:dict", {}, "'builtins:dict' gives a dict; it must return a torch.nn.Module."),
        ("bank.net:build", {"state": "none.pt"}, "There is no file 'none.pt'; check --state."),
        ("bank.net:build", {"encoder": "none.json"}, "There is no encoder 'none.json'; choose raw, "
         "tabular, or the path of a JSON file."),
        ("bank.net:build", {"encoder": "credit.csv"}, "Encoder file 'credit.csv' is not JSON: "
         "Expecting value: line 1 column 1 (char 0)."),
        ("bank.net:build", {"table": "", "target": ""}, "Give --schema, or --table and --target, "
         "to "
         "say what the columns mean."),
        ("bank.net:build", {"table": ""}, "Give --schema, or --table and --target, to say "
         "what the columns mean."),
        ("bank.net:build", {"encoder": "raw"}, "The network does not take the encoder's rows of 3 "
         "columns (mat1 and mat2 shapes cannot be multiplied (121x3 and 5x4)); give the --encoder "
         "that makes the columns it was trained on."),
    ],
)  # fmt: skip
def test_says_what_does_not_fit(factory, changes, message, cli, workplace):
    assert complaint(cli("convert", factory, *arguments(**changes))) == message
    assert not (workplace / "converted").exists()


def test_a_pickle_with_code_is_tried_once_in_restricted_mode(cli, workplace, monkeypatch):
    class Trap:
        def __reduce__(self):
            return (workplace / "executed").touch, ()

    torch.save({"a": Trap()}, workplace / "trap.pt")
    calls, load = [], torch.load

    def watched(*given, **more):
        calls.append(more)
        return load(*given, **more)

    monkeypatch.setattr(torch, "load", watched)
    said = complaint(cli("convert", "bank.net:build", *arguments(state="trap.pt")))
    assert said.startswith("'trap.pt' does not hold plain tensors (UnpicklingError: ")
    assert calls == [{"map_location": "cpu", "weights_only": True}]
    assert not (workplace / "executed").exists()


@pytest.mark.usefixtures("workplace")
def test_an_upload_that_can_run_code_is_refused(cli):
    said = complaint(cli("models", "add", "credit.pt"))
    assert said.startswith("'credit.pt' is a PyTorch pickle, which can run code when it is opened")
    assert list_models() == ()


def test_help_shows_examples(cli):
    assert "workbench models add credit.zip --name credit" in cli("models", "add", "--help").out
    assert "workbench convert bank.net:build --state" in cli("convert", "--help").out


def test_two_files_of_one_name_are_not_one(cli, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "card.json").write_text("{}")
    said = complaint(cli("models", "add", *tmp_path.glob("?/card.json")))
    assert said == "Two files are called 'card.json'; give one of them."
