"""``workbench fastshap``: trains, keeps, shows, and says what does not fit."""

import json

import pytest

from tests.command_line import ran
from workbench import api
from workbench.cli.main import main
from workbench.core.results import load
from workbench.core.wording import percent
from workbench.registry.store import find_version

QUICK = (
    "--surrogate-epochs", "1", "--warm-epochs", "1", "--epochs", "0", "--width", "8",
    "--draws", "1", "--n-background", "5", "--device", "cpu",
)  # fmt: skip


pytestmark = pytest.mark.usefixtures("home")


def test_trains_keeps_and_explains(home):
    text = ran("fastshap", "train", "wine-mlp", *QUICK)
    assert "FastSHAP explainer of wine-mlp@1" in text
    assert "explains probability with link identity, value marginal" in text
    assert "use shapley.kernel instead of this explainer" in text
    (path,) = home.rglob("*.explainer")
    assert f"Wrote {path}" in text
    explained = ran("explain", "wine-mlp", "wine", "--rows", "0:2", "--method", "fastshap")
    assert f"explainer {load(path).digest[:8]}: root mean square error" in explained


def test_writes_a_file_and_shows_it(tmp_path):
    path = tmp_path / "wine.explainer"
    text = ran("fastshap", "train", "wine-mlp", "wine", "--out", str(path), *QUICK)
    shown = ran("fastshap", "show", str(path))
    assert text == f"{shown}Wrote {path}\n"
    explainer = load(path)
    assert explainer.provenance.n_background == 5
    assert explainer.provenance.table == "wine/train"
    assert f"{percent(explainer.certificate.relative)} of the values" in shown


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file of an explainer of the wine model, for scores."""
    path = tmp_path_factory.mktemp("explainer") / "wine.explainer"
    ran("fastshap", "train", "wine-mlp", "wine", "--output", "score", "--out", str(path), *QUICK)
    return path


def test_a_file_or_folder_is_asked_without_being_kept(file, home):
    asked = ("explain", "wine-mlp", "wine", "--rows", "0:2", "--output", "score", "--json")
    by_file = json.loads(ran(*asked, "--explainer", str(file)))["fields"]
    by_folder = json.loads(ran(*asked, "--explainer", str(file.parent)))["fields"]
    assert by_file["provenance"]["method"] == "shapley.fastshap"
    assert by_file["values"] == by_folder["values"]
    assert f"explainer {load(file).digest[:8]}: " in by_file["provenance"]["notes"][0]
    assert not list(home.rglob("*.explainer"))


def test_a_file_is_kept_for_its_model_once(file, home):
    text = ran("fastshap", "add", str(file), "--model", "wine-mlp")
    (kept,) = home.rglob("*.explainer")
    assert text == f"Kept for wine-mlp@1: {kept}\n"
    assert ran("fastshap", "add", str(file.parent), "--model", "wine-mlp") == text
    assert [own.digest for own in api.load_model("wine-mlp").explainers] == [load(file).digest]
    explained = ran("explain", "wine-mlp", "wine", "--rows", "0", "--method", "fastshap",
                     "--output", "score")  # fmt: skip
    assert f"explainer {load(file).digest[:8]}" in explained


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("explain", "german-mlp", "german", "--explainer", "FILE"),
         "The explainer was trained for wine-mlp@1 "),
        (("fastshap", "add", "FILE", "--model", "german-mlp"),
         "The explainer was trained for wine-mlp@1 "),
        (("explain", "wine-mlp", "wine", "--explainer", "FILE", "--output", "probability"),
         "explains score with link identity (marginal), which is not what --output, --link or"),
        (("explain", "wine-mlp", "wine", "--explainer", "FILE", "--method", "kernel"),
         "Method 'kernel' asks no explainer of marginal values; choose --method fastshap"),
        (("explain", "wine-mlp", "wine", "--explainer", "EMPTY"), "holds no .explainer file"),
        (("fastshap", "add", "nowhere.explainer", "--model", "wine-mlp"), "nowhere.explainer"),
    ],
)  # fmt: skip
def test_an_explainer_that_does_not_fit_is_a_sentence(arguments, message, file, tmp_path, capsys):
    places = {"FILE": str(file), "EMPTY": str(tmp_path)}
    with pytest.raises(SystemExit) as caught:
        main([places.get(word, word) for word in arguments])
    assert caught.value.code == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_the_explainer_that_is_given_settles_what_is_explained():
    """Those of the bundled model: each answers, by its own values and by any estimator."""
    folder = find_version("adult-mlp")
    for name in ("conditional", "marginal"):
        path = folder / f"{name}-probability-identity.explainer"
        digest = f"explainer {load(path).digest[:8]}"
        asked = ("explain", "adult-mlp", "adult", "--rows", "3", "--explainer")
        assert digest in ran(*asked, str(path))
        assert digest in ran(*asked, str(folder), "--value", name)
    path = folder / "conditional-probability-identity.explainer"
    text = ran("explain", "adult-mlp", "adult", "--rows", "3", "--explainer", str(path),
                "--method", "exact")  # fmt: skip
    assert f"surrogate of explainer {load(path).digest[:8]}" in text


def test_writes_beside_the_model(tmp_path, monkeypatch):
    import shutil

    folder = tmp_path / "models" / "wine-mlp"
    shutil.copytree(find_version("wine-mlp").parent, folder)
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "models"))
    ran("fastshap", "train", "wine-mlp", "--bundled", *QUICK)
    path = folder / "1" / "marginal-probability-identity.explainer"
    assert path.is_file()
    assert api.load_model("wine-mlp").explainers[0].digest == load(path).digest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "wine-mlp", "--width", "0"), "width: input should be greater than or equal"),
        (("train", "wine-mlp", "--out", "x", "--bundled"), "Give --out or --bundled, not both"),
        (("show", "nothing.explainer"), "There is no result file 'nothing.explainer'"),
        (("train", "nobody"), "There is no model 'nobody'"),
    ],
)
def test_says_what_is_wrong(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["fastshap", *arguments])
    assert caught.value.code == 1
    assert message in capsys.readouterr().err
