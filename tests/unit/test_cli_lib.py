"""``workbench lib``, the verb, and the report of what they make."""

import json
import re

import networkx as nx
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tests.local_bases import some_basis
from workbench import api
from workbench.checks import run_checks
from workbench.cli.main import workbench
from workbench.core.errors import InvalidInputError
from workbench.core.results import load
from workbench.core.wording import counted
from workbench.plots.basis_redundancy import redundancy_sentence
from workbench.plots.local_basis import lib_sentence, together_sentence
from workbench.report import to_json, write_report

QUICK = {"fit_rows": 60, "curve_rows": 40}
FLAGS = ["--fit-rows", "60", "--curve-rows", "40"]


def run(*arguments):
    return CliRunner().invoke(workbench, ["lib", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it_with_its_graph(tmp_path):
    said = run("wine-mlp", "wine", *FLAGS, "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.local_basis")
    found = load(path)
    again = api.local_basis("wine-mlp", api.load_table("wine", split="all"), **QUICK)
    np.testing.assert_array_equal(found.edge_values, again.edge_values)
    np.testing.assert_array_equal(found.edges_required, again.edges_required)
    assert lib_sentence(found) in said.output
    assert together_sentence(found) in said.output
    assert redundancy_sentence(found) in said.output
    for basis in range(3):
        assert f"edges in all {int(found.edges_required[basis].sum()):,}" in said.output
    assert "WB070" in said.output
    (drawn,) = tmp_path.glob("*.graphml")
    assert nx.read_graphml(drawn).number_of_nodes() == int(found.sizes[0].sum())
    assert len(list(tmp_path.iterdir())) == 4


def test_prints_json():
    content = json.loads(run("diabetes-mlp", "diabetes", *FLAGS, "--json").output)
    assert content["kind"] == "local_basis"
    assert {check["code"] for check in content["checks"]} == {"WB070", "WB071", "WB072", "WB073"}


def test_layers_to_cut_at_can_be_named():
    content = json.loads(
        run("wine-mlp", "wine", *FLAGS, "--layers", "hidden 2", "--json").output
    )  # fmt: skip
    assert content["fields"]["layer_names"] == ["inputs", "hidden 2", "outputs"]
    said = CliRunner().invoke(workbench, ["lib", "wine-mlp", "wine", "--layers", "hidden 7"])
    assert said.exit_code
    assert "no layer 'hidden 7'" in f"{said.output} {said.exception}"


def test_single_precision_is_refused_in_a_sentence():
    said = CliRunner().invoke(workbench, ["lib", "wine-mlp", "wine", "--dtype", "float32"])
    assert said.exit_code
    assert "rounding in single precision" in f"{said.output} {said.exception}"


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_a_section_of_a_report_holds_answers_figures_tables_and_trust(tmp_path, task):
    result = some_basis(task)
    page = write_report([result], tmp_path / "report.html", title="Report").read_text()
    assert "Directions that were dropped" in page
    assert "takes as many features as units" in page or "at most as many features as units" in page
    assert page.count('role="img"') == 5
    for found in run_checks(result):
        assert found.code in page
    record, text = result.provenance, " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for said in (
        record.model, record.model_digest, record.table_digest, "precision float64",
        f"{record.n_rows} rows of {record.table}", counted(result.fitted, "training row"),
        "epsilon = 1e-10", "tolerance = 0.01", "never vary ignored gradients",
        "Principal components", "Neurons", "no gain on language models",
    ):  # fmt: skip
        assert said in text
    for at, rule in enumerate(result.rules):
        dropped = f"{result.widths[at]} {result.unvisited[at]} {result.ignored[at]} {rule}"
        assert f"{result.layer_names[at]} {dropped}" in text
    assert "NaN" not in to_json(result)


def test_the_table_has_a_line_for_each_basis_and_layer():
    result = some_basis()
    frame = result.to_frame()
    assert len(frame) == 3 * result.n_sections
    assert (frame["edges_required"] <= frame["possible_edges"]).all()


def test_a_part_of_a_table_is_refused_and_rows_that_made_the_bases_are_told():
    with pytest.raises(InvalidInputError, match=r"is a part already.*split='all'"):
        api.local_basis("wine-mlp", api.load_table("wine", split="test"), **QUICK)
    whole = api.load_table("wine", split="all")
    found = api.local_basis("wine-mlp", whole, whole.split("train"), **QUICK)
    assert any("judge what can be left out are among them" in n for n in found.provenance.notes)


def test_few_rows_or_one_class_tell_little_and_a_check_says_so():
    whole = api.load_table("wine", split="all")
    test, said = whole.split("test"), []
    for rows in (test, *(test[torch.nonzero(test.y == c).flatten()] for c in range(3))):
        found = api.local_basis("wine-mlp", whole, rows, layers="hidden 2", **QUICK)
        said += [o for o in run_checks(found) if o.code == "WB073"]
    assert {outcome.status for outcome in said} == {"warning"}
    assert "hangs on single rows" in said[0].sentence
    # With nothing left the network says one class, and is right about the rows of that alone.
    assert sum("one answer for all" in outcome.sentence for outcome in said[1:]) == 1
