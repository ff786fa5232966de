"""The set function against its definition, and its promises about cost, memory and progress."""

import itertools
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks import Opaque, tiny_model, tiny_table, value_by_definition
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.numerics.game import GROUPS, Game
from workbench.numerics.links import unit_of
from workbench.numerics.maskers import baseline, marginal


def everything(d):
    return torch.tensor(list(itertools.product([False, True], repeat=d)))


def game_of(model, background, **options):
    return Game(model, marginal(background), context=options.pop("context", Context()), **options)


@given(st.data())
@settings(max_examples=40)
def test_matches_the_definition(data):
    task = data.draw(st.sampled_from(["binary", "multiclass", "regression"]))
    d = data.draw(st.integers(1, 5))
    table = tiny_table(
        d=d, task=task, categorical=data.draw(st.booleans()), missing=data.draw(st.booleans())
    )
    network = data.draw(st.sampled_from(["mlp", "linear", "tabular-resnet"]))
    model = tiny_model(table, network=network)
    if data.draw(st.booleans()):
        model = replace(model, network=Opaque(model.network))
    n_background = data.draw(st.integers(1, 12))
    output = data.draw(st.sampled_from(["probability", "score"]))
    context = Context(chunk_rows=data.draw(st.sampled_from([None, 1, 7, 1000])))
    rows, background = table[40:43], table[:n_background]
    game = game_of(model, background, output=output, context=context)
    coalitions = everything(d)
    got = game.values(rows.X, coalitions)[..., : game.n_outputs]
    for x, values in zip(rows.X, got, strict=True):
        for coalition, value in zip(coalitions, values, strict=True):
            expected = value_by_definition(model, x, background.X, coalition, output)
            torch.testing.assert_close(value, expected)


def test_both_ways_of_evaluating_agree():
    """Rows that share values with the background skip mixtures; the others go through a grid."""
    table = tiny_table(d=8, n=80)
    model = tiny_model(table)
    game = game_of(model, table[:20])
    coalitions = everything(8)[1:-1]
    x = table.X[50:51]
    differs = (x != table.X[:20]).numpy()
    weights = torch.cat([game._distinct_mixtures(x[0], differs, coalitions)])
    torch.testing.assert_close(game._all_mixtures(x, coalitions)[0], weights)


def test_own_coalitions_of_each_row():
    table = tiny_table(d=4)
    model, rows = tiny_model(table), table.X[30:33]
    game = game_of(model, table[:10])
    own = torch.rand(3, 6, 4, generator=torch.Generator().manual_seed(0)) < 0.5
    got = game.values(rows, own)
    for x, coalitions, values in zip(rows, own, got, strict=True):
        torch.testing.assert_close(game.values(x[None], coalitions)[0], values)


@pytest.mark.parametrize("link", ["logit", "log-softmax"])
def test_link_comes_after_the_mean(link):
    table = tiny_table(task="multiclass", d=3)
    model = tiny_model(table)
    transform = torch.logit if link == "logit" else torch.log
    game = game_of(model, table[:9], link=link)
    plain = game_of(model, table[:9])
    got = game.values(table.X[20:22], everything(3))
    torch.testing.assert_close(got, transform(plain.values(table.X[20:22], everything(3))))
    torch.testing.assert_close(game.empty, transform(plain.empty))
    # delta method: the error of the transformed base value, from two slightly moved values
    step = 1e-6
    slope = (transform(plain.empty[:3] + step) - transform(plain.empty[:3] - step)) / (2 * step)
    torch.testing.assert_close(game.empty_std_errors, plain.empty_std_errors * slope)


@pytest.mark.parametrize("link", ["logit", "log-softmax"])
def test_a_certain_model_stays_finite(link):
    table = tiny_table(d=3)
    model = tiny_model(table, scale=1e4)
    assert (model.predict(table.X) == 0).any()
    game = game_of(model, table[:25], link=link)
    assert torch.isfinite(game.values(table.X[30:40], everything(3))).all()
    assert torch.isfinite(game.empty_std_errors).all()


@pytest.mark.parametrize(
    ("task", "output", "link", "unit"),
    [
        ("binary", "score", "identity", "log-odds"),
        ("multiclass", "score", "identity", "logit"),
        ("binary", "probability", "identity", "probability"),
        ("binary", "probability", "logit", "log-odds"),
        ("multiclass", "probability", "log-softmax", "log-probability"),
        ("regression", "score", "identity", "euro"),
    ],
)
def test_unit_names_the_scale(task, output, link, unit):
    schema = tiny_table(task=task).schema.model_copy(update={"target_unit": "euro"})
    assert unit_of(schema, output, link) == unit


@pytest.mark.parametrize(("task", "output"), [("binary", "score"), ("regression", "probability")])
def test_a_link_needs_probabilities(task, output):
    with pytest.raises(InvalidInputError, match="Link 'logit' transforms probabilities; use"):
        unit_of(tiny_table(task=task).schema, output, "logit")


def test_groups_are_means_over_parts_of_the_background():
    table = tiny_table(d=3)
    model, coalitions = tiny_model(table), everything(3)
    game = game_of(model, table[:22])
    got = game.values(table.X[30:32], coalitions).unflatten(-1, (1 + GROUPS, 2))
    for group in range(GROUPS):
        part = game_of(model, table[:22][group::GROUPS])
        expected = part.values(table.X[30:32], coalitions)[..., :2]
        torch.testing.assert_close(got[:, :, 1 + group], expected)
    assert game_of(model, table[: 2 * GROUPS - 1]).n_groups == 0


def test_standard_error_of_the_base_value():
    table = tiny_table(d=3)
    model = tiny_model(table)
    outputs = model.predict(table.X[:25])
    game = game_of(model, table[:25])
    torch.testing.assert_close(game.empty[:2], outputs.mean(0))
    torch.testing.assert_close(game.empty_std_errors, outputs.std(0) / 5)


def counted(model):
    """The model, and a list that grows by the rows of each pass through its network."""
    rows = []
    model.network.layers.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    return model, rows


def test_counts_evaluations_and_repeats_none():
    table = tiny_table(d=4, categorical=False)
    model, rows = counted(tiny_model(table))
    game = game_of(model, table[:10])
    assert game.evaluations == sum(rows) == 10
    one = torch.tensor([[True, False, False, True]])
    game.values(table.X[20:21], one)
    once = game.evaluations
    game.values(table.X[20:21], one.expand(50, -1))
    assert game.evaluations - once == once - 10 == 10
    before = game.evaluations
    game.values(table.X[20:22], torch.zeros(3, 4, dtype=torch.bool))
    assert game.evaluations == before, "the empty coalition is known"
    game.values(table.X[20:22], torch.ones(3, 4, dtype=torch.bool))
    assert game.evaluations == before + 2, "the full coalition is one row each"
    assert sum(rows) == game.evaluations


def test_features_shared_with_the_background_cost_nothing():
    table = tiny_table(d=6, categorical=False)
    model = tiny_model(table)
    x = table.X[20:21]
    near = replace(table[:10], X=torch.where(torch.arange(6) < 2, table.X[:10], x))
    game = game_of(model, near)
    game.values(x, everything(6))
    distinct = int((2 ** (x != near.X).sum(1)).sum())
    assert distinct <= 10 * 2**2, "2 of 6 features differ"
    assert game.evaluations == 10 + 1 + distinct
    assert torch.isfinite(game.values(x, everything(6))).all()


def test_values_missing_in_both_rows_are_shared():
    table = tiny_table(d=4, categorical=False, missing=True)
    model = tiny_model(table)
    x = torch.tensor([[torch.nan, torch.nan, 0.5, 0.5]], dtype=torch.float64)
    background = replace(table[:6], X=x.expand(6, -1) + torch.tensor([0.0, 0.0, 0.0, 1.0]))
    game = game_of(model, background)
    game.values(x, everything(4))
    assert game.evaluations == 6 + 1 + 6 * 2, "one of 4 features differs"


@pytest.mark.parametrize(("width", "rows"), [(16, 16384), (256, 1024), (4096, 256)])
def test_activations_fit_the_cache(width, rows):
    table = tiny_table(d=2)
    model = tiny_model(table, hidden=(width, 8))
    assert game_of(model, table[:4]).chunk_rows == rows


@pytest.mark.parametrize("d", [17, 30, 31, 32, 35, 40, 41, 62, 63, 66, 1100])
def test_many_features_of_which_few_differ(d):
    """Coalitions are kept as bits while they fit into a number; the highest bits count too."""
    table = tiny_table(d=d, n=20, categorical=False)
    model = tiny_model(table)
    x = table.X[15]
    differing = torch.zeros(d, dtype=torch.bool)
    differing[[0, d // 2, -2, -1]] = True
    near = replace(table[:5], X=torch.where(differing, table.X[:5], x))
    coalitions = torch.rand(30, d, generator=torch.Generator().manual_seed(0)) < 0.5
    game = game_of(model, near)
    got = game.values(x[None], coalitions)[0, :, : game.n_outputs]
    for coalition, value in zip(coalitions, got, strict=True):
        torch.testing.assert_close(value, value_by_definition(model, x, near.X, coalition))


@pytest.mark.parametrize("categorical", [True, False])
def test_independent_of_chunks_and_of_the_order_of_the_background(categorical):
    table = tiny_table(d=6, categorical=categorical)
    model = tiny_model(table, dtype=torch.float32)
    reference = game_of(model, table[:30]).values(table.X[40:45], everything(6))
    for chunk in (1, 13, 100_000):
        game = game_of(model, table[:30], context=Context(chunk_rows=chunk))
        got = game.values(table.X[40:45], everything(6))
        torch.testing.assert_close(got, reference, atol=1e-6, rtol=0)
    shuffled = table[torch.randperm(30, generator=torch.Generator().manual_seed(1))]
    got = game_of(model, shuffled).values(table.X[40:45], everything(6))
    torch.testing.assert_close(got, reference, atol=0, rtol=0)


@pytest.mark.parametrize("chunk_rows", [None, 40])
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("categorical", [False, True])
@pytest.mark.parametrize("network", ["mlp", "tabular-resnet"])
def test_the_way_for_a_gpu_agrees(network, categorical, missing, chunk_rows):
    """It is written for any device; on a CPU the other one is faster."""
    table = tiny_table(d=6, n=80, categorical=categorical, missing=missing)
    model = tiny_model(table, network=network)
    one, two = (
        game_of(model, table[:24], context=Context(chunk_rows=chunk_rows)) for _ in range(2)
    )
    X, coalitions = table.X[50:53], everything(6)[1:-1]
    torch.testing.assert_close(
        one._inner_means_on_gpu(X, coalitions), two._inner_values(X, coalitions)
    )
    assert one.covered - 24 == 3 * 24 * len(coalitions)
    if categorical and not missing:
        assert one.evaluations == two.evaluations, "repeats are evaluated once"


def test_few_keys_at_a_time_on_a_gpu(monkeypatch):
    """However many rows there are, the table of keys does not grow."""
    table = tiny_table(d=6)
    model = tiny_model(table)
    game = game_of(model, table[:20], context=Context(budget=64 * 20 * 64 * 3))
    sizes = []
    real = Game._outputs_of_keys

    def watched(self, X, keys):
        sizes.append(len(X))
        return real(self, X, keys)

    monkeypatch.setattr(Game, "_outputs_of_keys", watched)
    game._inner_means_on_gpu(table.X[30:38], everything(6)[1:-1])
    assert sizes == [3, 3, 2]


@pytest.mark.parametrize("categorical", [True, False])
def test_halves_its_chunks_when_memory_runs_out(categorical, monkeypatch):
    table = tiny_table(d=6, categorical=categorical)
    model = tiny_model(table)
    reference = game_of(model, table[:8]).values(table.X[40:42], everything(6))
    game = game_of(model, table[:8])
    limit = 20
    real = type(model).outputs

    def outputs(self, logits, output):
        if len(logits) > limit:
            raise torch.OutOfMemoryError
        return real(self, logits, output)

    monkeypatch.setattr(type(model), "outputs", outputs)
    torch.testing.assert_close(game.values(table.X[40:42], everything(6)), reference)
    assert limit / 2 < game.chunk_rows <= limit
    limit = 0
    with pytest.raises(InvalidInputError, match="too little memory for a single row"):
        game.values(table.X[40:42], everything(6))


def test_other_faults_are_not_mistaken_for_lack_of_memory(monkeypatch):
    table = tiny_table(d=3)
    game = game_of(tiny_model(table), table[:8])
    monkeypatch.setattr(game, "_mixer", None)
    with pytest.raises(AttributeError):
        game.values(table.X[:1], everything(3))


def test_reports_progress_and_can_be_cancelled(monkeypatch):
    monkeypatch.setattr("workbench.numerics.game.REPORT_EVERY", 100)
    table = tiny_table(d=6, categorical=False)
    model, seen = tiny_model(table), []
    context = Context(progress=lambda *step: seen.append(step), chunk_rows=50)
    game = game_of(model, table[:20], context=context, expected=2000)
    game.values(table.X[30:32], everything(6))
    done = [step[0] for step in seen]
    assert done == sorted(done)
    assert len(done) > 5
    assert all(step[0] <= step[1] for step in seen)

    def stop(*_):
        raise CancelledError("stop")

    game = game_of(model, table[:20], context=replace(context, progress=stop))
    with pytest.raises(CancelledError):
        game.values(table.X[30:32], everything(6))
    assert game.evaluations < 300


def test_baseline_is_one_row():
    table = tiny_table(d=3)
    model = tiny_model(table)
    game = Game(model, baseline(table[:1]), context=Context())
    coalition = torch.tensor([[True, False, True]])
    mixed = torch.where(coalition, table.X[5:6], table.X[:1])
    torch.testing.assert_close(game.values(table.X[5:6], coalition)[0], model.predict(mixed))
    assert game.empty_std_errors.isnan().all()


def test_says_what_is_wrong():
    table = tiny_table(d=3)
    model = tiny_model(table)
    with pytest.raises(InvalidInputError, match="over 4 players, the model has 3 features"):
        game_of(model, table[:4]).values(table.X[:1], torch.ones(1, 4, dtype=torch.bool))
    with pytest.raises(InvalidInputError, match="A baseline is one row, got 2"):
        baseline(table[:2])
    with pytest.raises(InvalidInputError, match="The background has no rows"):
        marginal(table[:0])
