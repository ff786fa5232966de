"""A transformer learns to add, and what it takes in each basis."""

import itertools
import json
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner

from workbench.cli.lib_experiments import _table
from workbench.cli.main import workbench
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.operations import lib_experiments, modular_addition
from workbench.operations.lib_experiments import Needed, needed_by
from workbench.operations.modular_addition import Addition, learn_sums, sums


@pytest.fixture(scope="module")
def added():
    """The network of the first start, what it takes in two bases, and what was told meanwhile."""
    told, networks = [], []

    def learn(recipe, context):
        networks.append(learn_sums(recipe, context))
        return networks[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lib_experiments, "learn_sums", learn)
        context = Context(progress=lambda done, total, what: told.append((done, total, what)))
        lib, pca = itertools.islice(needed_by("modular-37", 1, context), 2)
    return SimpleNamespace(learned=networks[0], lib=lib, pca=pca, told=told)


def test_it_adds_numbers_that_it_has_not_seen_together(added):
    assert added.learned.accuracy >= 0.99
    assert added.learned.steps <= 1000
    assert added.learned.is_learned
    assert added.lib.base == added.pca.base >= 0.99
    assert len(added.learned.train) == round(0.6 * 37**2)
    assert sorted([*added.learned.train.tolist(), *added.learned.test.tolist()]) == list(
        range(37**2)
    )


def test_the_interaction_basis_takes_about_as_many_edges_as_principal_components(added):
    assert (added.lib.basis, added.pca.basis) == ("lib", "pca")
    assert sum(added.lib.edges) <= 1.25 * sum(added.pca.edges)
    assert max(added.lib.nodes) <= 16


def test_features_are_waves_of_x_of_y_and_in_the_end_of_their_sum(added):
    by_layer = {}
    for one in added.lib.features:
        by_layer.setdefault(one.layer, []).append(one)
    assert list(by_layer) == ["embeddings", "after attention", "after MLP"]
    assert [one.number for one in by_layer["after MLP"]] == [1, 2, 3, 4]
    for one in by_layer["embeddings"]:
        wave = one.waves[0]
        assert (wave.x > 0) + (wave.y > 0) == 1, "a token is one of the two numbers"
        assert one.position == (0 if wave.x else 1)
    first, second = by_layer["after MLP"][:2]
    assert first.waves[0].x == first.waves[0].y == second.waves[0].x == second.waves[0].y
    assert min(first.waves[0].share, second.waves[0].share) >= 0.9


def test_progress_is_told_often_and_never_falls(added):
    done = [at for at, _, _ in added.told]
    assert done == sorted(done)
    assert {total for _, total, _ in added.told[1:]} == {100}, (
        "the first tells how many networks there are"
    )
    assert sum("training" in what for _, _, what in added.told) >= added.learned.steps // 25
    assert sum("left out" in what for _, _, what in added.told) >= 100


def test_sums_of_all_pairs():
    tokens, truth = sums(5)
    assert tokens[7].tolist() == [1, 2, 5]
    assert truth.tolist() == [(x + y) % 5 for x in range(5) for y in range(5)]


def test_the_same_start_gives_the_same_network_and_other_random_numbers_are_let_be():
    recipe = Addition(7, width=8, steps=30)
    before = torch.random.get_rng_state()
    one, same, other = (learn_sums(recipe, Context(seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    weights = [learned.network.unembed.weight for learned in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(one.train, same.train)
    assert not torch.equal(weights[0], weights[2])
    assert one.steps == 30
    assert not one.is_learned


@pytest.mark.parametrize("p", [36, 3, 201, -7])
def test_numbers_that_cannot_be_added_modulo_are_refused(p):
    with pytest.raises(InvalidInputError, match=f"odd p between 5 and 199, got p={p}"):
        Addition(p)


def test_other_settings_out_of_bounds_are_named():
    with pytest.raises(InvalidInputError, match=r"share of pairs .* got 1\.0"):
        Addition(7, share=1.0)
    with pytest.raises(InvalidInputError, match=r"at least 1 step, .* got steps=0"):
        Addition(7, steps=0)
    with pytest.raises(InvalidInputError, match=r"no fewer than least=9, got steps=8"):
        Addition(7, steps=8, least=9)
    with pytest.raises(InvalidInputError, match=r"tolerance is .* got 1\.5"):
        list(needed_by("modular-37", 1, Context(), tolerance=1.5))


def test_training_can_be_cancelled():
    stop = threading.Event()

    def progress(done, _total, _what):
        if done >= 50:
            stop.set()

    with pytest.raises(CancelledError, match="Cancelled after 75 of 200 steps of training"):
        learn_sums(Addition(7, width=8, steps=200), Context(cancel=stop, progress=progress))


def test_training_goes_on_as_long_as_it_has_to(monkeypatch):
    monkeypatch.setattr(modular_addition, "SETTLED", 0.0)  # so that any network is settled
    assert learn_sums(Addition(7, width=8, least=1), Context()).steps == 25
    assert learn_sums(Addition(7, width=8, least=60, steps=70), Context()).steps == 70


TINY = Addition(7, width=8, share=0.8, steps=30)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(lib_experiments.RECIPES, "modular-37", TINY)


def run(*arguments):
    return CliRunner().invoke(workbench, ["lib-experiments", "modular-37", *arguments])


@pytest.mark.usefixtures("tiny")
def test_a_network_that_has_not_learned_gives_no_table():
    said = run("--seeds", "1")
    assert said.exit_code != 0
    assert "No network has learned it: the best has" in str(said.exception or said.output)
    found = list(needed_by(TINY, 1, Context()))
    assert not any(one.is_learned for one in found)
    fine = [
        Needed(1, one.basis, 1.0, (2, 2, 2), (3, 4, 5), 1.0) for one in found
    ]  # fmt: skip
    lines = _table([*found, *fine])
    assert "accuracy of the whole network 100.0 % (100.0 to 100.0), 1 network" in lines[0]
    assert "12 (12 to 12)" in lines[2]
    assert lines[-1].startswith("Left out: network 0, which has not learned it (")


@pytest.mark.usefixtures("tiny")
def test_waves_are_printed_and_written(monkeypatch, tmp_path):
    monkeypatch.setattr(modular_addition, "LEARNED", 0.0)
    said = run("--seeds", "1", "--out", str(tmp_path))
    assert said.exit_code == 0, said.output
    (at,) = [i for i, line in enumerate(said.output.split("\n")) if "Strongest features" in line]
    layers = [line.split("  ")[1].strip() for line in said.output.split("\n")[at + 1 : at + 4]]
    assert layers == ["embeddings", "after attention", "after MLP"]
    content = json.loads((tmp_path / "modular-37.json").read_text())
    assert [one["basis"] for one in content["counts"]] == ["lib", "pca", "neurons"]
    wave = content["counts"][0]["features"][0]["waves"][0]
    assert wave["label"] in said.output
    picture = (tmp_path / "modular-37-features.html").read_text()
    assert "heatmap" in picture
    printed = run("--seeds", "1", "--json")
    assert json.loads(printed.stdout) == content


def test_a_looser_tolerance_takes_no_more(monkeypatch):
    monkeypatch.setattr(modular_addition, "LEARNED", 0.0)
    tight, loose = (next(iter(needed_by(TINY, 1, Context(), tolerance=t))) for t in (0.0, 0.5))
    assert replace(loose, nodes=tight.nodes, edges=tight.edges, features=()) == replace(
        tight, features=()
    )
    assert sum(loose.edges) <= sum(tight.edges)
    assert sum(loose.nodes) <= sum(tight.nodes)
