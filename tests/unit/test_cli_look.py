"""``workbench data show`` and ``workbench models diff``, and models of one's own."""

import json

import numpy as np
import pytest

from tests.command_line import ran
from workbench import api
from workbench.registry.store import registry_root

pytestmark = pytest.mark.usefixtures("home")


def test_a_table_is_told_in_numbers_of_its_frame():
    frame = api.load_table("german").to_frame()
    found = json.loads(ran("data", "show", "german", "--json"))
    assert found["rows"] == len(frame)
    for feature in found["features"]:
        column = frame[feature["name"]]
        assert feature["distinct"] == column.nunique()
        if feature["categories"] is None:
            assert [feature["low"], feature["high"]] == [column.min(), column.max()]
            np.testing.assert_allclose(feature["quartiles"], column.quantile([0.25, 0.5, 0.75]))
    text = ran("data", "show", "german")
    assert text.startswith("german/test: 200 rows\n")
    target = frame[api.load_table("german").schema.target]
    for name, share in target.value_counts(normalize=True).items():
        assert f"{name} {(target == name).sum()} ({100 * share:.0f} %)" in text


def test_two_models_are_compared_as_their_predictions():
    text = ran("models", "diff", "adult-mlp", "adult-linear", "--split", "validation")
    rows = api.load_table("adult", split="validation").sample(5000)
    one, other = (api.load_model(name).predict(rows.X) for name in ("adult-mlp", "adult-linear"))
    share = (one.argmax(1) == other.argmax(1)).double().mean()
    assert f"say the same about {100 * share:.1f} % of 5,000 rows" in text
    assert "≠ network        mlp → linear" in text
    assert "  trained on     adult\n" in text
    assert "Not compared on rows: Models adult-mlp@1 and wine-mlp@1 read different features" in (
        ran("models", "diff", "adult-mlp", "wine-mlp")
    )


def test_a_model_of_ones_own_is_kept_used_and_removed(home):
    folder = registry_root() / "wine-mlp" / "1"
    files = [str(folder / name) for name in ("card.json", "model.safetensors")]
    found = json.loads(ran("models", "add", *files, "--name", "vino", "--mine", "--json"))
    assert found["folder"] == str(home / "people" / "local" / "models" / "vino" / "1")
    assert "my:vino " in ran("models", "list")
    assert json.loads(ran("models", "show", "my:vino"))["name"] == "vino"
    assert "my:vino@tested is version 1." in ran("models", "alias", "my:vino", "tested", "1")
    agreed = json.loads(ran("models", "diff", "my:vino@tested", "wine-mlp", "--json"))
    assert agreed["agreement"]["share"] == 1
    assert ran("models", "remove", "my:vino", "--force") == "Removed my:vino.\n"
    assert not (home / "people" / "local" / "models" / "vino" / "1").exists()
