"""Training of an explainer: a linear oracle, honest figures, and files that are refused."""

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table, value_by_definition
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError, ResultFileError
from workbench.core.explainer import Explainer
from workbench.core.results import load
from workbench.core.table import Table
from workbench.engines.fastshap import trial
from workbench.engines.fastshap.learning import epoch_rows, told_apart
from workbench.engines.fastshap.params import FastshapParams
from workbench.numerics.amortised import (
    SurrogateGame,
    check_residuals,
    network_of,
    pack,
    surrogate_of,
    surrogate_values,
)
from workbench.numerics.game import Game
from workbench.numerics.maskers import marginal
from workbench.numerics.set_function import SetFunction

QUICK = {
    "surrogate_epochs": 4, "warm_epochs": 8, "epochs": 1, "width": 32, "draws": 4, "device": "cpu",
}  # fmt: skip


def numbers(n=400, d=6, seed=0):
    """A regression table of independent numbers."""
    table = tiny_table(n=n, d=d, task="regression", categorical=False, seed=seed)
    X = torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d)))
    return replace(table, X=X)


@pytest.fixture(scope="module")
def trained():
    """A model, its table, and an explainer that was trained for a moment."""
    table = tiny_table(n=200, d=5, task="multiclass", missing=True)
    model = tiny_model(table, dtype=torch.float32)
    return model, table, api.train_explainer(model, table, table[:30], **QUICK)


def test_learns_the_values_of_a_linear_model():
    table = numbers(n=1000)
    model = tiny_model(table, network="linear")
    background = table[:100]
    explainer = api.train_explainer(
        model, table, background, device="cpu", width=32, surrogate_epochs=12, warm_epochs=15,
        epochs=0, rate=1e-2, batch=256,
    )  # fmt: skip
    rows = numbers(n=200, seed=9)
    result = api.explain(api.attach(model, explainer), rows, method="fastshap", fallback="none")
    one = torch.eye(6, dtype=torch.float64)
    slope = (model.predict(one) - model.predict(torch.zeros(1, 6, dtype=torch.float64)))[:, 0]
    exact = ((rows.X - background.X.mean(0)) * slope).numpy()
    off = result.values[:, :, 0] - exact
    assert np.sqrt((off**2).sum() / (exact**2).sum()) < 0.05
    # The certificate says what the rows say.
    assert explainer.certificate.relative == pytest.approx(
        np.sqrt((off**2).sum() / (exact**2).sum()), rel=0.5
    )
    assert explainer.certificate.exact
    assert explainer.fidelity.loss < explainer.fidelity.no_information


def test_a_table_too_small_says_so_and_names_the_estimator():
    model = api.load_model("breast-cancer-mlp")
    train = api.load_table("breast-cancer", split="train")
    explainer = api.train_explainer(model, train, train[:10], **QUICK)
    assert explainer.certificate.relative > 0.3
    assert any("use shapley.kernel instead" in note for note in explainer.provenance.notes)
    rows = api.load_table("breast-cancer")[:3]
    result = api.explain(api.attach(model, explainer), rows, method="fastshap", fallback="flag")
    assert any("use shapley.kernel instead" in note for note in result.provenance.notes)


def test_the_certificate_is_the_distance_to_the_game(trained):
    model, table, explainer = trained
    held_out = told_apart(table, Context()).held_out[: explainer.certificate.n_rows]
    exact = api.explain(model, held_out, table[:30], method="exact").values
    found = api.explain(
        api.attach(model, explainer), held_out, method="fastshap", fallback="none"
    ).values
    off = found - exact
    certificate = explainer.certificate
    assert certificate.exact
    distance = np.sqrt((off**2).sum((1, 2)))
    assert certificate.mean_distance == pytest.approx(distance.mean(), rel=1e-4)
    assert certificate.rmse == pytest.approx(np.sqrt((off**2).mean()), rel=1e-4)
    assert certificate.relative == pytest.approx(
        np.sqrt((off**2).sum() / (exact**2).sum()), rel=1e-4
    )
    np.testing.assert_allclose(explainer.errors, np.sqrt((off**2).mean(0)), rtol=1e-4)
    assert certificate.loss > certificate.lowest_loss > 0


def test_the_surrogate_learns_the_mean_over_the_background():
    table = tiny_table(n=300, d=4, task="binary")
    model = tiny_model(table, dtype=torch.float32)
    background = table[:20]
    explainer = api.train_explainer(
        model, table, background, device="cpu", surrogate_epochs=10, warm_epochs=1, epochs=0
    )
    surrogate = surrogate_of(explainer, torch.device("cpu"))
    known = torch.tensor([[True, False, False, True], [False, True, True, False]])
    found = surrogate_values(surrogate, table.X[:40], known, "identity").double()
    expected = torch.stack([
        torch.stack([value_by_definition(model, x, background.X, s) for s in known])
        for x in table.X[:40]
    ])
    spread = expected.std()
    assert (found - expected).square().mean().sqrt() < 0.3 * spread
    assert explainer.fidelity.rmse < 0.3 * spread
    torch.testing.assert_close(found.sum(-1), torch.ones(40, 2, dtype=torch.float64))


def test_the_conditional_surrogate_learns_what_goes_with_the_known_features():
    """Two copies of a number: knowing one is knowing both, where the marginal game sees half."""
    table = numbers(n=600, d=2)
    copied = replace(table, X=table.X[:, :1].repeat(1, 2))
    model = tiny_model(copied, network="linear")
    trained = {
        value: api.train_explainer(
            model, copied, copied[:50], value=value, device="cpu", surrogate_epochs=6,
            warm_epochs=1, epochs=0, rate=1e-2,
        )
        for value in ("marginal", "conditional")
    }  # fmt: skip
    rows, known = copied[:50].X, torch.tensor([[True, False]])
    said = model.predict(rows)
    off = {}
    for value, explainer in trained.items():
        surrogate = surrogate_of(explainer, torch.device("cpu"))
        found = surrogate_values(surrogate, rows, known, "identity")[:, 0].double()
        off[value] = float((found - said).square().mean().sqrt() / said.std())
    assert off["conditional"] < 0.15 < off["marginal"]
    assert trained["conditional"].certificate.against == "surrogate"
    assert len(trained["conditional"].background) == 0


def test_grid_and_single_coalitions_agree(trained):
    _, table, explainer = trained
    surrogate = surrogate_of(explainer, torch.device("cpu"))
    known = torch.rand(7, 5, generator=torch.Generator().manual_seed(0)) < 0.5
    grid = surrogate.grid(table.X[:3], known)
    for i, row in enumerate(table.X[:3]):
        single = surrogate(row.expand(7, -1), known)
        torch.testing.assert_close(grid[i], single, rtol=1e-4, atol=1e-5)
    own = surrogate.grid(table.X[:3], known.expand(3, -1, -1))
    torch.testing.assert_close(own, grid)


def test_unknown_features_do_not_reach_the_surrogate(trained):
    _, table, explainer = trained
    surrogate = surrogate_of(explainer, torch.device("cpu"))
    known = torch.tensor([[True, False, True, False, False]])
    changed = table.X[:9].clone()
    changed[:, [1, 3, 4]] = table.X[9:18][:, [1, 3, 4]]
    assert torch.equal(surrogate.grid(table.X[:9], known), surrogate.grid(changed, known))


def test_the_surrogates_game_is_a_set_function(trained):
    model, table, explainer = trained
    game = SurrogateGame(model, explainer)
    assert isinstance(game, SetFunction)
    known = torch.tensor([[False] * 5, [True] * 5, [True, False, True, True, False]])
    values = game.values(table.X[:4], known)
    torch.testing.assert_close(values[:, 0], game.empty.expand(4, -1))
    torch.testing.assert_close(values[:, 1], model.predict(table.X[:4]))
    true = Game(model, marginal(table[:30]), context=Context())
    torch.testing.assert_close(game.empty, true.empty[:3])
    assert game.evaluations == 4


def test_residuals_are_of_the_values_against_the_surrogate(trained):
    _, table, explainer = trained
    surrogate = surrogate_of(explainer, torch.device("cpu"))
    known, empty = torch.from_numpy(explainer.check_coalitions), torch.from_numpy(explainer.empty)
    gains = surrogate_values(surrogate, table.X[:6], known, "identity") - empty
    values = torch.zeros(6, 5, 3, dtype=torch.float64)
    found = check_residuals(surrogate, table.X[:6], known, "identity", empty, values)
    torch.testing.assert_close(found, gains.square().mean(1).sum(1).double())
    assert len(known) == 10


def test_goes_on_from_where_it_was(trained):
    model, table, explainer = trained
    attached = api.attach(model, explainer)
    again = api.train_explainer(
        attached, table, table[:30], **QUICK | {"resume": True, "surrogate_epochs": 12}
    )
    assert again.fidelity.loss < explainer.fidelity.loss
    assert again.history[0] == pytest.approx(again.history[0])
    assert again.certificate.loss < explainer.certificate.loss
    with pytest.raises(InvalidInputError, match="no explainer of these settings to go on from"):
        api.train_explainer(model, table, table[:30], **QUICK | {"resume": True})


def test_parts_are_apart_and_small_tables_are_gone_over_more_often():
    table = tiny_table(n=57)
    parts = told_apart(table, Context(seed=4))
    ids = [set(part.ids.tolist()) for part in (parts.train, parts.validation, parts.held_out)]
    assert set.union(*ids) == set(range(57))
    assert sum(map(len, ids)) == 57
    assert epoch_rows(4) == 64
    assert epoch_rows(10_000) >= 10_000
    assert epoch_rows(10**6) < 10**6


@pytest.mark.parametrize("link", ["logit", "log-softmax"])
def test_links_come_after_the_mean(link):
    table = tiny_table(n=60, d=3)
    model = tiny_model(table, dtype=torch.float32)
    explainer = api.train_explainer(model, table, table[:20], link=link, **QUICK)
    game = Game(model, marginal(table[:20]), link=link, context=Context())
    np.testing.assert_allclose(explainer.empty, game.empty[:2].numpy(), rtol=1e-5)
    attached = api.attach(model, explainer)
    result = api.explain(attached, table[:5], method="fastshap", link=link)
    assert abs(result.gap).max() < 1e-5


def test_survives_a_file_bit_by_bit(trained, tmp_path):
    model, _, explainer = trained
    back = load(explainer.save(tmp_path / "x.explainer"))
    assert isinstance(back, Explainer)
    assert back.digest == explainer.digest
    np.testing.assert_array_equal(pack(network_of(back, model.device)), explainer.explainer_weights)
    (tmp_path / "cut").write_bytes((tmp_path / "x.explainer").read_bytes()[:1000])
    with pytest.raises(ResultFileError, match="not a result file"):
        load(tmp_path / "cut")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"surrogate_weights": np.zeros(3, np.float32)}, "holds 3 numbers, its layers need"),
        ({"explainer_hidden": (4096, 4096)}, "explainer network holds .* numbers, its layers need"),
    ],
)
def test_refuses_weights_that_do_not_fit(trained, change, message):
    model, _, explainer = trained
    with pytest.raises(InvalidInputError, match=message):
        api.attach(model, replace(explainer, **change))


def test_refuses_numbers_that_are_none(trained):
    model, _, explainer = trained
    weights = explainer.explainer_weights.copy()
    weights[5] = np.nan
    with pytest.raises(InvalidInputError, match="holds NaN or infinity; train"):
        api.attach(model, replace(explainer, explainer_weights=weights))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"output_names": ("a",)}, r"of 5 features and 1 outputs needs empty of shape \(1,\)"),
        ({"surrogate_hidden": ()}, "1 to 16 hidden layers"),
        ({"explainer_hidden": (10**9,)}, "of 1 to 4096 units"),
    ],
)
def test_refuses_shapes_that_do_not_fit(trained, change, message):
    with pytest.raises(InvalidInputError, match=message):
        replace(trained[2], **change)


def test_refuses_another_model(trained):
    model, _, explainer = trained
    other = replace(model, digest="2" * 64)
    with pytest.raises(InvalidInputError, match=r"trained for tiny@1 .*, not for tiny@1"):
        api.attach(other, explainer)


def test_says_what_is_wrong():
    table = tiny_table(n=60, d=3)
    model = tiny_model(table)
    with pytest.raises(InvalidInputError, match="at least 3 rows to train on, 'tiny' has 2"):
        api.train_explainer(model, table[:2], table[:9], device="cpu")
    with pytest.raises(InvalidInputError, match="training rows of tiny@1 are not here"):
        api.train_explainer(model, device="cpu")
    with pytest.raises(InvalidInputError, match="cannot both be 0"):
        api.train_explainer(model, table, table[:9], device="cpu", epochs=0, warm_epochs=0)
    one = tiny_table(n=60, d=1)
    with pytest.raises(InvalidInputError, match="has one feature"):
        api.train_explainer(tiny_model(one), one, one[:9], device="cpu")


def test_can_be_stopped_between_passes():
    table, seen = tiny_table(n=60, d=3), []

    def stop(done, total, message):
        seen.append((done, total))
        if "explainer" in message:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        api.train_explainer(tiny_model(table), table, table[:9], progress=stop, **QUICK)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] <= seen[-1][1] == 13


def test_a_table_is_left_as_it_was():
    table = tiny_table(n=40, d=3)
    before = Table(table.schema, table.X.clone(), table.ids.clone(), table.y, name="tiny").digest
    api.train_explainer(tiny_model(table), table, table[:9], **QUICK)
    assert Table(table.schema, table.X, table.ids, table.y, name="tiny").digest == before


def tried(trained, monkeypatch, n_rows=200, speed=0.0, **params):
    """Seconds said of a training, on a clock that counts how often it is read."""
    ticks = itertools.count()
    monkeypatch.setattr(trial.time, "perf_counter", lambda: float(next(ticks)))
    model, table, _ = trained
    settings = FastshapParams(width=8, **params)
    return trial.training_seconds(
        model, table, table[:30], settings, Context(), n_rows=n_rows, speed=speed
    )


def test_the_time_it_will_take_is_that_of_all_passes(trained, monkeypatch):
    """Every pass takes a second here, and one of the training has rows times as many."""
    said = partial(tried, trained, monkeypatch, surrogate_epochs=40, warm_epochs=100, epochs=5)
    # Of 200 rows 160 are tried: 128 to learn from, so 2,048 a pass, and 16,384 of the training.
    assert said() == pytest.approx((40 + 100 + 5) * 16_384 / 2_048)
    assert said(value="conditional") == pytest.approx((40 + 100 + 5) * 160 * 16 / 2_048)
    assert said(n_rows=100_000) == pytest.approx((40 + 100 + 5) * 32_768 / 2_048)
    # The certificate asks for 30 coalitions of 20 held-out rows, against 30 background rows.
    assert said(speed=1.0) - said() == pytest.approx(20 * 30 * 30)


def test_the_time_leaves_out_what_is_not_done(trained, monkeypatch):
    said = partial(tried, trained, monkeypatch, surrogate_epochs=10)
    assert said(warm_epochs=0, epochs=3) == pytest.approx((10 + 3) * 8)
    assert said(warm_epochs=1, epochs=0) == pytest.approx((10 + 1) * 8)


def test_the_trial_leaves_the_model_and_the_threads_as_they_were(trained, monkeypatch):
    model, *_ = trained
    before = {name: array.clone() for name, array in model.network.state_dict().items()}
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    tried(trained, monkeypatch, surrogate_epochs=2, warm_epochs=2, epochs=2)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, array in model.network.state_dict().items():
        assert torch.equal(array, before[name])
