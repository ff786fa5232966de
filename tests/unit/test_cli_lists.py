"""``workbench list``, ``models`` and ``data``: what there is, and what its columns mean."""

import json
import shutil

import pandas as pd
import pytest

from tests.command_line import complaint, write
from workbench import api
from workbench.data.bundled import load_schema
from workbench.registry.store import registry_root

# Models of one's own are listed as well, and tests before these may have made some.
pytestmark = pytest.mark.usefixtures("home")


def test_list_names_models_tables_and_methods(cli):
    said = cli("list")
    assert (said.code, said.err) == (0, "")
    for entry in api.list_models():
        assert f"  {entry.name}@1 " in said.out
    for name in (*api.list_tables(), *api.list_methods()):
        assert name in said.out
    accuracy = api.load_model("adult-mlp").card.metrics[0]
    assert f"accuracy {accuracy.value:.3g} [{accuracy.low:.3g}, {accuracy.high:.3g}]" in said.out


def test_list_as_json(cli):
    said = cli("list", "--json")
    content = json.loads(said.out)
    assert [model["name"] for model in content["models"]] == [e.name for e in api.list_models()]
    assert content["tables"] == list(api.list_tables())
    assert content["methods"].keys() == api.list_methods().keys()
    assert "budget" in content["methods"]["shapley.kernel"]["params"]["properties"]


def test_list_of_an_empty_registry_says_so(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path))
    said = cli("list")
    assert said.code == 0
    assert f"Models\n  none in {str(tmp_path)!r}\nTables" in said.out


@pytest.fixture
def damaged(tmp_path, monkeypatch):
    """A registry of two models, the weights of one and the card of the other changed."""
    root = tmp_path / "models"
    for name in ("wine-mlp", "diabetes-mlp", "digits-mlp"):
        shutil.copytree(registry_root() / name, root / name)
    weights, card = root / "wine-mlp/1/model.safetensors", root / "diabetes-mlp/1/card.json"
    weights.write_bytes(weights.read_bytes()[:-1])
    card.write_text(card.read_text().replace("one year", "two years"))
    monkeypatch.setenv("WORKBENCH_MODELS", str(root))
    return root


@pytest.mark.usefixtures("damaged")
def test_list_shows_the_sound_models_beside_the_damaged_one(cli):
    said = cli("list")
    assert said.code == 1
    assert "wine-mlp@1" in said.out
    assert "digits-mlp@1" in said.out
    first, second = said.err.splitlines()
    assert first.startswith("✗ diabetes-mlp: The card in ")
    assert second == "Error: 1 of 3 models cannot be used."


def test_verify_reads_every_model(cli):
    said = cli("models", "verify")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"✓ {entry.name}@1 sha256 {api.load_model(entry.name).digest}"
        for entry in api.list_models()
    ]
    assert len(cli("models", "verify", "wine-mlp").out.splitlines()) == 1


@pytest.mark.usefixtures("damaged")
def test_verify_names_every_damaged_model(cli):
    said = cli("models", "verify")
    assert said.code == 1
    assert said.out.startswith("✓ digits-mlp@1 sha256 ")
    assert len(said.out.splitlines()) == 1
    card, weights, total = said.err.splitlines()
    assert card.startswith("✗ diabetes-mlp@1: The card in ")
    assert weights.startswith("✗ wine-mlp@1: The weights of wine-mlp@1 are not those of its card")
    assert total == "Error: 2 of 3 models cannot be used."


def test_show_prints_the_card(cli):
    said = cli("models", "show", "adult-mlp@1")
    assert json.loads(said.out) == json.loads(
        (registry_root() / "adult-mlp" / "1" / "card.json").read_bytes()
    )


def test_an_alias_is_kept(cli, tmp_path, monkeypatch):
    shutil.copytree(registry_root() / "wine-mlp", tmp_path / "wine-mlp")
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path))
    said = cli("models", "alias", "wine-mlp", "tested", 1)
    assert (said.code, said.out) == (0, "wine-mlp@tested is version 1.\n")
    assert api.load_model("wine-mlp@tested").name == "wine-mlp@1"
    assert complaint(cli("models", "alias", "wine-mlp", "../x", 1)).startswith("Alias '../x' must")


def test_data_check_says_what_columns_mean(cli):
    said = cli("data", "check", "adult")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "adult: 32,561 rows, 12 features"
    assert lines[1].split() == ["age", "numeric", "17", "to", "90", "years", "protected,",
                                "immutable"]  # fmt: skip
    assert lines[-1] == "  target income: binary <=50K, >50K"


def test_data_check_of_long_names_keeps_columns_apart(cli, tmp_path):
    path = write(pd.DataFrame({"n" * 50: [1.5, 2, 4], "b": [1.5, 2, 3]}), tmp_path)
    lines = cli("data", "check", path).out.splitlines()
    assert lines[1].split() == ["n" * 50, "numeric", "1.5", "to", "4"]
    assert lines[1].index("numeric") == lines[2].index("numeric")


def test_a_schema_that_was_guessed_can_be_edited_and_used(cli, tmp_path):
    frame = pd.DataFrame({"size": [1.5, 2, 4, 5], "colour": ["red", "green", "red", "red"]})
    path, schema = write(frame, tmp_path), tmp_path / "own.json"
    said = cli("data", "check", path, "--write-schema", schema)
    assert said.code == 0
    assert "  Note: The schema was guessed, without a target.\n" in said.out
    assert said.out.endswith(f"Wrote {schema}\n")
    assert load_schema(schema).names == ("size", "colour")
    again = cli("data", "check", path, "--schema", schema)
    assert "guessed" not in again.out
    frame.loc[3, "colour"] = "blue"
    text = complaint(cli("data", "check", write(frame, tmp_path), "--schema", schema))
    assert text == (
        "Column 'colour' holds 'blue' in row 3, which is no known category; known are 'green', "
        "'red'."
    )


def test_data_check_against_a_model(cli, people, tmp_path):
    assert cli("data", "check", write(people, tmp_path), "--model", "adult-mlp").code == 0
    more = write(people.assign(zip_code=1), tmp_path)
    assert "has column 'zip_code' beyond" in complaint(
        cli("data", "check", more, "--model", "adult-mlp")
    )
    said = cli("data", "check", more, "--model", "adult-mlp", "--ignore-extra-columns")
    assert said.code == 0
