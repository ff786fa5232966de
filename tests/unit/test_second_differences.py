"""Mixed differences against their definition, closed forms, and a model that spies."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.interaction_functions import Function, model_of, normal, table_of
from tests.networks import Opaque, tiny_model, tiny_table
from workbench.core.context import Context
from workbench.numerics.second_differences import Exchange, differences, donors_of, parts_of
from workbench.numerics.swaps import HiddenSwaps, InputSwaps, swaps_of


def exchange_of(model, table, *, repeats=3, budget=2**29, classes=0, seed=0):
    seen = []

    def losses(logits, own):
        if not classes:
            return (logits[..., :1] - table.y[own][:, None]).square()
        wanted = table.y[own].expand(logits.shape[:-1])
        found = nn.functional.cross_entropy(logits.movedim(-1, 1), wanted, reduction="none")
        return found[..., None]

    exchange = Exchange(
        swaps=swaps_of(model, model.encode(table.X), budget),
        donors=donors_of(len(table), repeats, lambda r: Context(seed=seed).stream(r)),
        X=table.X,
        outputs=lambda logits: logits,
        losses=losses,
        n_outputs=len(model.output_names),
        budget=budget,
        count=seen.append,
    )
    return exchange, seen


def by_definition(model, table, donors, members):
    """Mixed difference and loss form of one set, one exchanged row at a time."""
    squared, signed, losses = [], [], []
    for order in donors:
        for row, other in zip(range(len(table)), order.tolist(), strict=True):
            total, single = 0.0, 0.0
            for size in range(len(members) + 1):
                for chosen in itertools.combinations(members, size):
                    x = table.X[row].clone()
                    x[list(chosen)] = table.X[other, list(chosen)]
                    said = model.network(model.encode(x[None]))[0]
                    loss = (said[0] - table.y[row]) ** 2
                    total = total + (-1) ** size * said
                    base = loss if size == 0 else base
                    single += (loss - base) if size == 1 else 0.0
                    joint = loss - base
            moved = table.X[row, list(members)] - table.X[other, list(members)]
            squared.append(total**2 / 2 ** len(members))
            signed.append(total * moved.sign().prod())
            losses.append(joint - single if len(members) > 1 else joint)
    return [torch.stack(values).mean(0) for values in (squared, signed, losses)]


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("opaque", [False, True])
def test_matches_the_definition(order, opaque):
    table = tiny_table(n=12, d=5, task="regression")
    model = tiny_model(table)
    if opaque:
        model = replace(model, network=Opaque(model.network))
    exchange, seen = exchange_of(model, table)
    assert isinstance(exchange.swaps, InputSwaps if opaque else HiddenSwaps)
    sets = list(itertools.combinations(range(5), order))
    found = differences(sets, exchange)
    for place in (0, len(sets) // 2, len(sets) - 1):
        squared, signed, loss = by_definition(model, table, exchange.donors, sets[place])
        torch.testing.assert_close(found.squared.values[place], squared)
        torch.testing.assert_close(found.signed.values[place], signed)
        torch.testing.assert_close(found.loss.values[place, 0], loss)
    subsets = sum(len(list(itertools.combinations(range(5), size))) for size in range(order + 1))
    assert sum(seen) == 3 * 12 * subsets


def test_first_layer_in_single_precision_equals_whole_rows():
    table = tiny_table(n=200, d=6, task="multiclass", missing=True)
    model = tiny_model(table, dtype=torch.float32)
    opaque = replace(model, network=Opaque(model.network))
    pairs = list(itertools.combinations(range(6), 2))
    one, two = (
        differences(pairs, exchange_of(m, table, classes=3)[0]) for m in (model, opaque)
    )  # fmt: skip
    for kind in ("squared", "signed", "loss"):
        ours, theirs = getattr(one, kind), getattr(two, kind)
        torch.testing.assert_close(ours.values, theirs.values, rtol=1e-4, atol=1e-5)


def test_parts_do_not_change_the_numbers():
    table = tiny_table(n=40, d=6, task="regression")
    model = tiny_model(table)
    pairs = list(itertools.combinations(range(6), 2))
    tight = 2**16
    assert len(parts_of(len(pairs), 40, 1, tight)) > 1
    whole, cut = (
        differences(pairs, exchange_of(model, table, budget=budget)[0]) for budget in (2**29, tight)
    )
    torch.testing.assert_close(whole.squared.values, cut.squared.values)
    torch.testing.assert_close(whole.loss.std_errors, cut.loss.std_errors)


def test_no_row_takes_from_itself():
    donors = donors_of(7, 20, lambda r: Context().stream(r))
    assert (donors != torch.arange(7)).all()
    assert (donors.sort(1).values == torch.arange(7)).all()
    assert len({tuple(row) for row in donors.tolist()}) > 10


CLOSED = [
    (lambda a, b, _: a * b, {0: 2, 1: 2, 2: 0}, {(0, 1): -2, (0, 2): 0, (1, 2): 0}),
    (lambda a, b, _: a + b, {0: 2, 1: 2, 2: 0}, {(0, 1): 0, (0, 2): 0, (1, 2): 0}),
    (lambda a, b, _: a + b + a * b, {0: 4, 1: 4, 2: 0}, {(0, 1): -2, (0, 2): 0, (1, 2): 0}),
    (lambda a, b, c: a * b * c, {0: 2, 1: 2, 2: 2}, {(0, 1): -2, (0, 2): -2, (1, 2): -2}),
    (lambda a, b, c: a * b + b * c, {0: 2, 1: 4, 2: 2}, {(0, 1): -2, (0, 2): 0, (1, 2): -2}),
    (lambda a, b, _: a**2 * b, {0: 4, 1: 6, 2: 0}, {(0, 1): -4, (0, 2): 0, (1, 2): 0}),
]


@pytest.mark.parametrize("case", range(len(CLOSED)))
def test_closed_forms_of_independent_normal_inputs(case):
    """The loss form is minus two times the mixed difference, and both are known."""
    function, single, pairs = CLOSED[case]
    X = normal(20_000, 3, seed=case)
    table = table_of(X, function(*X.T))
    model = model_of(Function(function), table.schema)
    exchange, _ = exchange_of(model, table, repeats=10)
    alone = differences([(i,) for i in single], exchange)
    both = differences(list(pairs), exchange)
    for mean, known in ((alone.loss, single), (both.loss, pairs)):
        far = (mean.values[:, 0] - torch.tensor(list(known.values()))).abs()
        assert (far <= 4 * mean.std_errors[:, 0] + 1e-12).all()
        assert (mean.std_errors < (0.1 if case < 4 else 0.3)).all()
    squared = both.squared.values[:, 0]
    assert ((both.loss.values[:, 0] + 2 * squared).abs() < 0.1 * 2 * squared + 0.05).all()
    far = (both.squared.values[:, 0] + torch.tensor(list(pairs.values())) / 2).abs()
    assert (far <= 4 * both.squared.std_errors[:, 0] + 1e-12).all()


def test_triples_have_the_variance_of_what_three_do_together():
    X = normal(20_000, 4)
    table = table_of(X)
    model = model_of(
        Function(lambda a, b, c, d: 3 * a * b * c + a * b + d), table.schema
    )  # fmt: skip
    exchange, _ = exchange_of(model, table, repeats=4)
    found = differences(list(itertools.combinations(range(4), 3)), exchange).squared
    np.testing.assert_allclose(found.values[:, 0], [9, 0, 0, 0], atol=0.7)
    assert abs(found.values[0, 0] - 9) < 4 * found.std_errors[0, 0]


def test_sign_says_whether_features_strengthen_each_other():
    X = normal(2000, 3)
    table = table_of(X)
    model = model_of(Function(lambda a, b, c: a * b - 2 * b * c), table.schema)
    signed = differences([(0, 1), (1, 2), (0, 2)], exchange_of(model, table)[0]).signed
    # E|x - x'| = 2 / sqrt(pi) for each of two independent features.
    np.testing.assert_allclose(signed.values[:, 0], [4 / np.pi, -8 / np.pi, 0], atol=0.15)


def test_standard_errors_hold_the_draw_of_rows():
    """Over 200 draws of rows, the spread of the scores is what the standard errors say."""

    def function(a, b):
        return a * b + a

    found, errors = [], []
    for seed in range(200):
        X = normal(150, 2, seed=seed)
        table = table_of(X, function(*X.T) + normal(150, 1, seed=1000 + seed)[:, 0])
        model = model_of(Function(function), table.schema)
        mean = differences([(0, 1)], exchange_of(model, table, repeats=4, seed=seed)[0])
        found.append([mean.squared.values.item(), mean.loss.values.item()])
        errors.append([mean.squared.std_errors.item(), mean.loss.std_errors.item()])
    ratio = np.sqrt((np.array(errors) ** 2).mean(0)) / np.array(found).std(0)
    assert (ratio > 0.8).all()
    assert (ratio < 1.25).all()


class Spy(nn.Module):
    """A network that keeps what it was asked."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.asked = []

    def forward(self, inputs):
        self.asked.append(inputs.clone())
        return self.network(inputs)


def asked(table):
    """What a network was asked about each pair, and the encoded rows and donors."""
    model = tiny_model(table)
    spy = Spy(model.network)
    watched = replace(model, network=spy)
    exchange, _ = exchange_of(watched, table, repeats=1)
    inputs = model.encode(table.X)
    subsets = [(), *[(i,) for i in range(5)], *itertools.combinations(range(5), 2)]
    differences(subsets[6:], exchange)
    rows = torch.cat(spy.asked).reshape(len(subsets), len(table), -1)
    return dict(zip(subsets, rows, strict=True)), inputs, exchange.donors[0], model.groups


def test_a_joint_exchange_changes_all_columns_of_the_set_from_one_row():
    rows, inputs, donors, groups = asked(tiny_table(n=30, d=5, task="regression"))
    for members, given in rows.items():
        inside = torch.isin(groups, torch.tensor(members))
        assert torch.equal(given[:, inside], inputs[donors][:, inside])
        assert torch.equal(given[:, ~inside], inputs[:, ~inside])
        for feature in members:  # each one did change for some row
            assert (given != inputs)[:, groups == feature].any()


def test_groups_stay_one_hot():
    table = tiny_table(n=30, d=5, task="regression")
    rows, _, _, groups = asked(table)
    for given in rows.values():
        for feature in (1, 3):
            columns = given[:, groups == feature]
            assert columns.shape[1] > 1
            assert ((columns == 0) | (columns == 1)).all()
            assert (columns.sum(1) == 1).all()
