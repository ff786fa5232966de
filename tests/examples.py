"""The examples of README, docs and ``--help``, and what makes each of them take a moment."""

import json
import re
import shlex
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import nn

from docs.reference import walk
from workbench import api
from workbench.api.serving import SMALL
from workbench.cli.main import workbench
from workbench.registry import store

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
AFTER = re.compile(r"\s>\s.*")  # where a shell puts what a call prints
GALLERY = ROOT / "docs" / "gallery"  # its pages are run, and compared, by a test of their own
# Commands that no test runs by their examples, and why.
NOT_RUN = {
    "serve": "it runs until it is stopped; tests/unit/test_cli_serve.py starts and stops it",
}
# What is put in the place of words of an example, as each stands in the page.
INSTEAD = {
    "fastshap train german-mlp": "fastshap train wine-mlp",
    "fastshap train adult-mlp": "fastshap train adult-mlp people.csv",
    "--model german-mlp": "--model wine-mlp",
    "german-mlp german --method fastshap": "wine-mlp wine --method fastshap",
    "lib-experiments digits": "lib-experiments wine --seeds 1",
    "lib-experiments digits-noise --seeds 5 --seed 3": "lib-experiments breast-cancer --seeds 1",
    "lib-experiments modular-37 --seeds 1 --out out/": "lib-experiments wine --seeds 1 --out out/",
    "methods --check": "methods --check --model wine-mlp --method exact",
    "remedies adult-mlp adult --by sex": "remedies german-mlp german --by age --bins age=25",
    "remedies adult-mlp adult --try": "remedies german-mlp german --by age --bins age=25 --try",
    "--mask sex,relationship": "--mask age",
    "front adult-mlp adult --by sex": "front german-mlp german --by age --bins age=25",
    "/srv/models": "registry",
    "--into models/": "--into registry",
}
# The most that flags of an example may ask for in a test.
MOST = {
    "models": 16, "trees": 1000, "simulations": 5, "scored": 3, "profiled": 2, "explained": 4,
    "budget": 512, "points": 5, "judged-largest": 2, "max-rows": 30, "angles": 2, "copies": 0,
    "top": 5, "depth": 2,
}  # fmt: skip
SAME = {"remedies": "--try"}  # flags of two names
# Rows that an example of a command is about, where few will do; those of others stay.
ROWS = {
    "explain": 2, "compare": 2, "measure": 2, "local": 2, "scales": 2, "counterfactual": 1,
    "evaluate": 200, "interactions": 60, "halo": 60, "detectors": 60, "profile": 60,
    "flips": 200, "gap-causes": 200, "explain-set": 2,
}  # fmt: skip
# Methods whose small settings a command takes, where it is not its only method.
METHOD = {
    "explain": "lime.tabular", "interactions": "interactions.scores",
    "profile": "profiles.curves", "interactions-set": "rashomon.interactions",
    "profile-set": "rashomon.profiles", "rashomon": "rashomon.set",
}  # fmt: skip
NETWORK = """
from torch import nn

def build():
    return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))
"""
CONVERT = (
    "convert", "bank.net:build", "--state", "credit.pt", "--table", "credit.csv", "--target",
    "paid", "--encoder", "tabular", "--name", "credit",
)  # fmt: skip
CREDIT = """
format: 1
title: Who pays back
models: {my:credit@1: null}
tables: {my:credit: null}
steps:
- {id: right, method: performance.evaluate, model: my:credit@1, table: my:credit, split: all}
"""


@dataclass(frozen=True)
class Example:
    """One call as a page shows it, and the page."""

    page: str
    text: str

    @property
    def words(self) -> list[str]:
        """The arguments after ``workbench``, with comments left out."""
        return shlex.split(self.text, comments=True)[1:]


def command_of(words):
    """Return the words that name the command of a call, and the command."""
    group, path = workbench, []
    for word in words:
        if not isinstance(group, click.Group) or word not in group.commands:
            break
        group = group.commands[word]
        path.append(word)
    return " ".join(path), group


def pages():
    """Return the pages whose blocks are run."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if GALLERY not in page.parents and "_build" not in page.parts]


def blocks(page, language):
    """Return the code blocks of a page in this language."""
    return [code for kind, code in FENCE.findall(page.read_text("utf-8")) if kind == language]


def examples():
    """Return the calls by page: those of the Markdown pages, then those of each ``--help``."""
    found = {}
    for page in pages():
        name = page.relative_to(ROOT).as_posix()
        code = "".join(blocks(page, "") + blocks(page, "bash"))
        found[name] = [Example(name, text) for text in _calls(code)]
    for path, command in walk():
        name = f"{' '.join(path)} --help"
        found[name] = [Example(name, text) for text in _calls(command.epilog or "")]
    return {name: calls for name, calls in found.items() if calls}


def _calls(code):
    joined = re.sub(r"\\\n\s*|\n\s{4,}", " ", code)
    lines = [AFTER.sub("", one).strip() for line in joined.splitlines() for one in line.split("&&")]
    return [line for line in lines if line.startswith("workbench ")]


def reduced(example):
    """Return the arguments of a call that does the same on less."""
    text = example.text
    for words, instead in INSTEAD.items():
        text = re.sub(rf"{re.escape(words)}(?=\s|$)", instead, text)
    words = Example(example.page, text).words
    name, command = command_of(words)
    words = [_capped(before, word) for before, word in zip(["", *words], words, strict=False)]
    params = command.get_params(click.Context(command))  # those of the method come with a context
    known = {flag for param in params for flag in (*param.opts, *param.secondary_opts)}
    for flag, value in _small(name, words).items():
        given = {
            f"--{flag}",
            SAME.get(flag, ""),
            f"--{flag.removeprefix('no-')}",
            f"--no-{flag}",
        } & set(words)
        if f"--{flag}" in known and not given:
            words += [f"--{flag}", value] if value else [f"--{flag}"]
    return _expanded(words)


def _capped(before, word):
    flag = before.removeprefix("--")
    if flag in MOST and word.isdecimal():
        return str(min(int(word), MOST[flag]))
    if flag == "rows" and (span := re.fullmatch(r"(\d+):(\d+)", word)):
        return f"{span[1]}:{min(int(span[2]), int(span[1]) + 2)}"
    return word


def _small(name, words):
    """Return the flags, by name, that make a command take a moment."""
    method = METHOD.get(name)
    if method is None:
        kinds = {
            getattr(command, "yields", None) for path, command in walk() if " ".join(path) == name
        }
        known = [key for key, record in api.list_methods().items() if record.yields.kind in kinds]
        method = known[0] if len(known) == 1 else None
    found = {}
    if name in ROWS and "people.csv" not in words:
        found["rows"] = f"0:{ROWS[name]}"
    if name != "explain" or "lime" in words:
        for setting, value in SMALL.get(method, {}).items():
            off = value is False
            found["no-" * off + setting.replace("_", "-")] = "" if off else str(value)
    return found | {"n-background": "30", "device": "cpu"}


def _expanded(words):
    """Return the words with file patterns replaced, as a shell does."""
    found = []
    for word in words:
        found += sorted(map(str, Path().glob(word))) or [word] if "*" in word else [word]
    return found


def write_files(folder, call):
    """Write what examples name into the working folder: people, parts of a model, results."""
    people = api.load_table("adult", split="all")[:60].to_frame()
    people.to_csv(folder / "people.csv", index=False)
    with pd.ExcelWriter(folder / "people.xlsx") as book:
        people.to_excel(book, sheet_name="2024", index=False)
    call("data", "check", "people.csv", "--target", "income", "--write-schema",
         "people.schema.json")  # fmt: skip
    _write_credit(folder, call)
    for day, row in (("monday", "5"), ("friday", "7")):
        call("explain", "wine-mlp", "wine", "--rows", row, "--out", day)
        [result] = (folder / day).glob("*.attribution")
        result.rename(folder / f"{day}.attribution")
    call("fastshap", "train", "adult-mlp", "people.csv", "--n-background", "30", "--out",
         "adult.explainer", *flags(SMALL["fastshap.train"]))  # fmt: skip
    shutil.copytree(store.registry_root(), folder / "registry", dirs_exist_ok=True)
    for _ in range(2):  # two versions
        call(*CONVERT, "--into", "registry")
    _write_attributions(folder)
    _write_analyses(folder, call)


def _write_attributions(folder):
    """Write attributions as another program might: of two rows of Adult, and of encoded people."""
    model, people = api.load_model("adult-mlp"), pd.read_csv(folder / "people.csv")
    names = [feature.name for feature in model.schema.features]
    drawn = np.random.default_rng(0)
    known = pd.DataFrame(drawn.normal(size=(2, len(names))), columns=names)
    known.assign(output=">50K").to_csv(folder / "shap_values.csv", index=False)
    encoded = pd.get_dummies(people[names])
    shares = pd.DataFrame(drawn.normal(size=encoded.shape), columns=encoded.columns)
    shares.assign(output=">50K").to_parquet(folder / "ig.parquet", index=False)


def _write_analyses(folder, call):
    """Write analysis files, and the folder that one run leaves."""
    example = ROOT / "docs" / "examples" / "adult.yaml"
    (folder / "docs" / "examples").mkdir(parents=True)
    for path in (folder / "docs" / "examples" / "adult.yaml", folder / "adult.yaml"):
        shutil.copy(example, path)
    (folder / "credit.yaml").write_text(CREDIT)
    shutil.copytree(folder / "converted" / "credit" / "1", folder / "credit")
    call("run", "adult.yaml", "--only", "shap", "--out", "out")
    shutil.copy(folder / "monday.attribution", folder / "out")


def _write_credit(folder, call):
    """Write a table, a network with its code and weights, and what is made of them."""
    numbers = np.random.default_rng(0)
    frame = pd.DataFrame({
        "age": numbers.integers(18, 80, 60), "debt": numbers.gamma(2, 1000, 60).round(1),
        "home": numbers.choice(["own", "parents", "rent"], 60),
        "paid": numbers.choice(["no", "yes"], 60),
    })  # fmt: skip
    frame.to_csv(folder / "credit.csv", index=False)
    call("data", "check", "credit.csv", "--target", "paid", "--write-schema", "credit.schema.json")
    (folder / "columns.json").write_text(json.dumps({"columns": [
        {"feature": "age", "mean": 40, "scale": 10}, {"feature": "debt", "scale": 1000},
        *({"feature": "home", "equals": home} for home in ("own", "parents", "rent")),
    ]}))  # fmt: skip
    (folder / "bank").mkdir()
    (folder / "bank" / "net.py").write_text(NETWORK)
    network = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))
    torch.save(network.state_dict(), folder / "credit.pt")
    save_file(network.state_dict(), folder / "credit.safetensors")
    call(*CONVERT, "--into", "converted")
    shutil.make_archive(str(folder / "credit"), "zip", folder / "converted" / "credit" / "1")
    _write_onnx(folder / "credit.onnx")
    shutil.copy(folder / "credit.onnx", folder / "model.onnx")


def _write_onnx(path):
    """Write a black box of the table: a logistic function of its raw columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        torch.onnx.export(
            nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=1)).eval(), torch.zeros(2, 3), str(path),
            input_names=["X"], output_names=["output"],
            dynamic_axes={"X": {0: "n"}, "output": {0: "n"}}, dynamo=False,
        )  # fmt: skip


def flags(settings):
    """Return settings as the command line takes them."""
    return [word for name, value in settings.items()
            for word in (f"--{name.replace('_', '-')}", str(value))]  # fmt: skip
