"""``workbench import-attribution``, and ``measure`` and ``compare`` with an explanation given."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import workbench as wb
from workbench.cli.main import workbench
from workbench.core.errors import InvalidInputError

WINE = ("wine-mlp", "wine")
FAST = ("--perturbations", "64", "--repeats", "20", "--copies", "0", "--networks", "0")


def run(*arguments):
    result = CliRunner().invoke(workbench, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def rows():
    return wb.load_table("wine", rows="0:3")


@pytest.fixture(scope="module")
def own(rows):
    return wb.explain("wine-mlp", rows, rows, method="kernel", budget=256, device="cpu")


@pytest.fixture
def file(own, tmp_path):
    path = tmp_path / "values.csv"
    own.to_frame().to_csv(path, index=False)
    return str(path)


def test_a_file_becomes_a_result_like_any_other(own, file, tmp_path):
    out = tmp_path / "out"
    text = run("import-attribution", *WINE, file, "--made-by", "shap", "--out", str(out))
    assert wb.answer(own) in text
    assert "WB001 Adds up: Attributions and base value add up" in text
    assert "computed elsewhere, from file values.csv" in text
    kept = next(out.glob("*.attribution"))
    loaded = wb.load_result(kept)
    np.testing.assert_allclose(loaded.values, own.values, rtol=1e-15)
    assert loaded.provenance.title == "Imported: shap"
    assert "Wrote" in run("report", str(out))


def test_json_and_one_class(own, rows, tmp_path):
    path = tmp_path / "wide.csv"
    values = own.values[..., own.output_names.index("cultivar 2")]
    header = ",".join(("row", *own.names))
    lines = [
        ",".join(map(repr, (int(i), *v.tolist()))) for i, v in zip(rows.ids, values, strict=True)
    ]
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    asked = ("import-attribution", *WINE, str(path), "--class", "cultivar 2", "--base", "0.5")
    content = json.loads(run(*asked, "--json"))
    assert content["kind"] == "attribution"
    assert content["fields"]["output_names"] == ["cultivar 2"]
    assert content["fields"]["base_values"] == [[0.5]] * 3
    assert np.allclose(np.array(content["fields"]["values"])[..., 0], values)


def test_measures_stand_beside_ours(own, rows, file, tmp_path):
    text = run("measure", *WINE, *FAST, "--given", file)
    asked = {"perturbations": 64, "repeats": 20, "copies": 0, "networks": 0}
    result = wb.measures("wine-mlp", rows, given=own, **asked)
    middle = result.summary().median[:, result.measures.index("infidelity")]
    line = next(line for line in text.splitlines() if line.strip().startswith("Infidelity"))
    told = ["n/a" if np.isnan(value) else f"{value:.3g}" for value in middle]
    assert line.split()[1 : 1 + len(told)] == told
    assert "the given explanation is Imported" in text
    kept = own.save(tmp_path / "own.attribution")
    again = run("measure", *WINE, *FAST, "--rows", "0:9", "--given", str(kept))
    assert line in again.splitlines()
    assert "Given" in run("compare", *WINE, "--perturbations", "64", "--given", file)


def test_what_does_not_fit_is_said(own, rows, file, tmp_path):
    with pytest.raises(InvalidInputError, match=r"Row .* is explained, and is not among"):
        run("measure", *WINE, *FAST, "--rows", "5", "--given", file)
    kept = own.save(tmp_path / "own.attribution")
    with pytest.raises(InvalidInputError, match="explains none of the rows that were chosen"):
        run("measure", *WINE, *FAST, "--rows", "5", "--given", str(kept))
    other = wb.lime("wine-mlp", rows[:1], rows).save(tmp_path / "lime.attribution")
    with pytest.raises(InvalidInputError, match="of kind 'local_models', which holds no attrib"):
        run("measure", *WINE, *FAST, "--given", str(other))
    with pytest.raises(InvalidInputError, match="has no output 'a'; choose one"):
        run("import-attribution", *WINE, file, "--class", "a")
