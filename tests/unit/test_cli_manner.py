"""What every command promises: the same flags, JSON alone on standard output, one sentence early.

A test that goes over all commands; whoever adds one keeps the manner, or says here why not.
"""

import json
import re
import shlex

import click
import numpy as np
import pytest

from workbench import api
from workbench.cli.main import workbench
from workbench.cli.options import MethodCommand
from workbench.numerics import devices

pytestmark = pytest.mark.usefixtures("home")
COMMON = {"seed", "device", "memory", "out", "ignore_extra_columns", "as_text"}
# Commands that compute and have not all of the common flags, with the reason.
COMPUTING_OTHERWISE = {
    "lib-experiments": "its networks and tables are the experiment, trained on the CPU",
    "train": "one thread of the CPU gives the same bits; the registry is where it goes",
    "convert": "nothing is drawn; the registry is where it goes",
    "models diff": "two models answer at most 5,000 rows; there is no result to keep",
    "report": "reads results that are there",
    "doctor": "looks at the installation",
}
NO_JSON = {
    "serve": "becomes the server",
    "completion": "prints a script",
    "convert": "tells notes while it looks at foreign code; `models show --json` has the card",
    "report": "writes one file and says where",
    "fastshap add": "says where it put a file",
    "models alias": "changes one thing and says so",
    "models remove": "changes one thing and says so",
    "data remove": "changes one thing and says so",
    "jobs remove": "changes one thing and says so",
}
NO_EXAMPLES = {
    "list", "train", "serve", "doctor", "models list", "models show", "models verify",
    "models alias", "models remove", "data list", "data remove", "jobs list", "jobs show",
    "jobs cancel", "jobs rerun", "jobs remove", "fastshap add", "fastshap show",
}  # fmt: skip
SMALL = {
    "explain": ("adult-mlp adult --rows 3 --n-background 12", "attribution"),
    "explain ": ("wine-mlp wine --rows 3 --method lime --perturbations 200", "local_models"),
    "explain  ": ("diabetes-mlp diabetes --rows 3 --method interactions --n-background 10",
                  "interactions"),
    "counterfactual": ("wine-mlp wine --rows 5 --budget 1000", "counterfactuals"),
    "local": ("wine-mlp wine --rows 5 --samples 128", "local_functions"),
    "scales": ("wine-mlp wine --rows 5 --count 3", "scale_curves"),
    "profile": ("wine-mlp wine --points 5 --features alcohol", "profiles"),
    "interactions": ("wine-mlp wine --permutations 1 --max-rows 20", "interaction_scores"),
    "detectors": ("diabetes-mlp diabetes --permutations 2 --shapley-rows 3 --shapley-background 3",
                  "detectors"),
    "evaluate": ("wine-mlp wine", "performance"),
    "compare": ("wine-mlp wine --rows 0:4 --perturbations 128", "faithfulness"),
    "measure": ("wine-mlp wine --rows 0:2 --copies 0", "measures"),
    "interaction-test": ("wine-mlp wine --simulations 5 --refits 2 --epochs 1 --permutations 1",
                         "interaction_test"),
    "simpler": ("wine-mlp wine --trees 1000 --depth 2 --repeats 1 --folds 2", "simpler_models"),
    "rashomon": ("german-mlp german --rows 0:20 --models 20 --no-importance", "rashomon_set"),
    "explain-set": ("wine-mlp wine --rows 5 --explained 2", "attribution_range"),
    "interactions-set": ("wine-mlp wine --scored 2 --permutations 1", "interaction_scores"),
    "profile-set": ("wine-mlp wine --profiled 2 --points 5 --features alcohol", "profiles"),
    "halo": ("diabetes-mlp diabetes --top 2 --permutations 1 --max-rows 60", "halo"),
    "churn": ("german-mlp german --models 20", "churn"),
    "mitigate": ("german-mlp german --models 20 --largest 2 --judged-largest 2 --near-copies 4",
                 "mitigation"),
    "fairness": ("german-mlp german --by foreign_worker --resamples 200 --neighbour-rows 50",
                 "fairness_audit"),
    "group-errors": ("diabetes-mlp diabetes --resamples 200", "error_audit"),
    "flips": ("german-mlp german --by foreign_worker", "attribute_flips"),
    "gap-causes": ("german-mlp german --by age --bins age=30 --max-rows 10 --background-rows 5 "
                   "--budget 76", "gap_causes"),
    "people": ("german-mlp german --models 20 --max-people 2", "boundary_people"),
    "fairness-front": ("german-mlp german --models 8 --near-copies 1 --directed 3 --draws 100 "
                       "--explained 0 --explorers gaussian-units --by age --bins age=25",
                       "fairness_front"),
    "remedies": ("german-mlp german --try reweighing --by age --bins age=25 --refits 1 --epochs 1 "
                 "--resamples 100", "remedies"),
    "lib": ("wine-mlp wine --fit-rows 60 --curve-rows 40", "local_basis"),
}  # fmt: skip
# Of JSON and nothing else, without a result.
PLAIN = [
    "list", "models list", "models show wine-mlp", "models verify wine-mlp", "data list",
    "models diff adult-mlp adult-linear", "models diff adult-mlp wine-mlp", "data show wine",
    "data show diabetes", "data check wine", "jobs list", "doctor",
]  # fmt: skip


def every_command(group=workbench, *path):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(every_command())
COMPUTING = [name for name, command in COMMANDS.items() if isinstance(command, MethodCommand)]


def flags_of(name):
    command = COMMANDS[name]
    return {param.name for param in command.get_params(click.Context(command))}


@pytest.mark.parametrize("name", COMPUTING)
def test_what_computes_has_the_common_flags(name):
    assert flags_of(name) >= COMMON


def test_only_what_is_excused_lacks_json():
    lacking = {name for name in COMMANDS if "as_text" not in flags_of(name)}
    assert lacking == set(NO_JSON)
    assert set(COMPUTING_OTHERWISE) < set(COMMANDS) - set(COMPUTING)


@pytest.mark.parametrize("name", COMMANDS)
def test_flags_are_spelt_alike(name):
    """Rows are --rows and --row, an output is --class, JSON is --json, whatever the command."""
    spelt = {
        "rows": {"--rows", "--row"}, "shown": {"--class"}, "as_text": {"--json"},
        "memory": {"--memory"}, "out": {"--out"}, "background": {"--background"},
    }  # fmt: skip
    for param in COMMANDS[name].params:
        if isinstance(param, click.Option) and param.name in spelt:
            assert set(param.opts) == spelt[param.name]


def test_what_is_trained_by_recipe_may_start_elsewhere():
    assert flags_of("lib-experiments") >= {"seed", "memory", "out", "as_text"}
    assert flags_of("train") >= {"seed", "as_text"}


def examples_of(name):
    text = (COMMANDS[name].epilog or "").replace("\b", "").replace("\n      ", " ")
    return [line.strip() for line in text.splitlines() if line.strip().startswith("workbench ")]


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - NO_EXAMPLES))
def test_examples_are_understood(name):
    """Each names commands and flags that there are, and choices that these have."""
    assert examples_of(name), "no examples"
    for example in examples_of(name):
        for part in example.split(" && "):
            words = shlex.split(part.partition(" > ")[0], comments=True)[1:]
            group = workbench
            while isinstance(group, click.Group):
                group, words = group.commands[words[0]], words[1:]
            group.make_context(group.name, words)  # raises where it is not understood


def test_small_runs_are_of_every_command_that_computes():
    trained = {"fastshap train"}  # below
    assert {name.strip() for name in SMALL} | trained == set(COMPUTING)


@pytest.mark.parametrize("name", SMALL)
def test_json_is_alone_and_files_are_told_beside_it(name, cli, tmp_path):
    arguments, kind = SMALL[name]
    out = tmp_path / "out"
    code, said, beside = cli(name.strip(), *shlex.split(arguments), "--json", "--out", out,
                             "--device", "cpu", "--memory", "256MB")  # fmt: skip
    assert code == 0, beside
    content = json.loads(said)
    assert content["kind"] == kind
    assert {"fields", "checks"} <= set(content)
    files = sorted(out.iterdir())
    assert {file.suffix for file in files} >= {f".{kind}", ".csv", ".json"}
    assert len({file.stem for file in files}) == 1
    assert re.fullmatch(r"[\w.-]+-[0-9a-f]{8}", files[0].stem)
    assert sorted(beside.splitlines()) == sorted(f"Wrote {file}" for file in files)
    saved = json.loads(next(out.glob("*.json")).read_text(encoding="utf-8"))
    assert saved["fields"] == content["fields"]


def test_a_trained_explainer_is_told_as_json(cli, tmp_path):
    file = tmp_path / "wine.explainer"
    code, said, beside = cli(
        "fastshap", "train", "wine-mlp", "--surrogate-epochs", 1, "--warm-epochs", 1, "--epochs",
        0, "--width", 8, "--draws", 1, "--n-background", 5, "--out", file, "--json",
    )  # fmt: skip
    assert (code, beside) == (0, f"Wrote {file}\n")
    content = json.loads(said)
    assert content["game"] == {"output": "probability", "link": "identity", "value": "marginal"}
    assert json.loads(cli("fastshap", "show", file, "--json")[1]) == content


@pytest.mark.parametrize("arguments", PLAIN)
def test_json_of_the_others_is_alone_too(arguments, cli):
    code, said, beside = cli(*arguments.split(), "--json")
    assert code == 0, beside
    json.loads(said)
    assert beside == ""


def refuse(*_arguments, **_settings):
    pytest.fail("work began before the flags were checked")


@pytest.mark.parametrize("name", COMPUTING)
def test_where_nothing_can_be_written_is_said_before_any_work(name, cli, tmp_path, monkeypatch):
    monkeypatch.setattr(api, "load_model", refuse)
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "file" / "below"
    code, said, complaint = cli(*name.split(), "wine-mlp", "wine", "--out", out)
    assert (code, said) == (1, "")
    assert "cannot be written to; choose another." in complaint
    code, said, complaint = cli(*name.split(), "wine-mlp", "wine", "--out", tmp_path / "file"
                                if name != "fastshap train" else tmp_path)  # fmt: skip
    assert code in {1, 2}
    assert said == ""
    assert re.search(r"is a (file|folder|directory)", complaint)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("given", ["5", "0GB", "-1GB", "2XB", "much", "1e9", "999999999999GB"])
def test_an_amount_of_memory_is_one(given, cli):
    code, said, complaint = cli("evaluate", "wine-mlp", "wine", "--memory", given)
    assert (code, said) == (2, "")
    assert "Error: Invalid value for '--memory'" in complaint


@pytest.mark.parametrize(
    ("given", "n_bytes"), [("1MB", 2**20), ("1.5GiB", 3 * 2**29), ("512 mb", 2**29), ("2G", 2**31)]
)
def test_memory_is_what_a_run_keeps_to(given, n_bytes, cli, monkeypatch):
    seen = []
    real = devices.memory_budget

    def look(device):
        seen.append(real(device))
        return seen[-1]

    monkeypatch.setattr("workbench.engines.calls.memory_budget", look)
    assert cli("evaluate", "wine-mlp", "wine", "--memory", given, "--device", "cpu")[0] == 0
    assert set(seen) == {n_bytes}
    assert devices.memory_budget(devices.choose_device("cpu")) == devices.LEAST_BUDGET


def test_little_memory_gives_the_same_numbers(cli):
    run = ("explain", "wine-mlp", "wine", "--rows", "0:3", "--method", "lime", "--perturbations",
           "400", "--json", "--device", "cpu")  # fmt: skip
    usual, little = (json.loads(cli(*run, *more)[1]) for more in ((), ("--memory", "1MB")))
    for name in ("coefficients", "predictions"):
        one, other = (np.array(said["fields"][name]) for said in (usual, little))
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_help_lists_every_command_in_a_section_on_one_line(cli):
    code, said, _ = cli("--help")
    assert code == 0
    heads = [line.split(" (")[0] for line in said.splitlines() if re.match(r"\w+ \(.*\):$", line)]
    assert list(dict.fromkeys(heads)) == ["Explain", "Question", "Inside", "Deliver", "Manage"]
    listed = re.findall(r"^  ([a-z-]+)  +(\S.*)$", said, re.MULTILINE)
    assert [name for name, _ in listed if name in workbench.commands] == (
        workbench.list_commands(click.Context(workbench))
    )
    assert len([name for name, _ in listed if name in workbench.commands]) == len(
        workbench.commands
    )
    assert "Exit codes: 0 done" in said


def test_a_remedy_that_will_not_be_tried_is_refused_before_it_is(cli, monkeypatch):
    monkeypatch.setattr(api, "load_model", refuse)
    run = ("remedies", "german-mlp", "german", "--by", "age")
    for more, known in (
        (("--save", "nothing=mine"), "choose one of "),
        (("--save", "as_is=mine"), "choose one of "),
        (("--try", "masking", "--save", "reweighing=mine"), "choose one of masking."),
        (("--save", "reweighing"), "write for example --save reweighing=credit-even."),
        (("--into", "models"), "Say which remedy to publish: --save REMEDY=NAME."),
    ):
        code, said, complaint = cli(*run, *more)
        assert (code, said) == (1, "")
        assert known in complaint
