"""Attribute flips against closed forms, a loop over rows, and what intervals promise."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from tests.flips import (
    AGE,
    INCOME,
    JOB,
    RACE,
    SEX,
    by_both,
    by_income,
    by_sex,
    flips_of,
    model_of,
    people,
)
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.errors import InvalidInputError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.numerics.rates import exact_bounds


def test_a_model_of_the_attribute_alone_flips_everybody():
    found = flips_of(by_sex, people(200))
    value, low, high = found.overall[0, 0]
    assert (value, high) == (1.0, 1.0)
    assert 0.98 <= low < 1.0
    assert low == pytest.approx(0.025 ** (1 / 200))
    assert found.group_score[0] == 1.0
    # Whoever is refused is a woman, and whoever is granted it a man.
    women, men = found.rates[1, 0]
    assert women[0] == 1.0
    assert men[0] == 0.0
    np.testing.assert_array_equal(found.rates[2, 0, :, 0], [0.0, 1.0])


@pytest.mark.parametrize("mode", ["rows", "uniform"])
def test_a_model_that_ignores_the_attribute_flips_nobody_and_says_how_sure_that_is(mode):
    found = flips_of(by_income, people(500), mode=mode, samples=500)
    value, low, high = found.overall[0, 0]
    assert value == low == 0.0
    assert 3.6 / 500 < high <= 3.7 / 500
    score = found.group_score
    assert score[0] == score[1] == 0.0
    assert 0 < score[2] <= 2**0.5 * 3.7 / 500
    assert not np.abs(found.largest_moves).any()


def themis(draw, z, margin, least=100, most=50_000):
    """The stopping rule of the published tool: Wald's interval, looked at after every input."""
    seen = np.cumsum(draw[:most])
    n = np.arange(1, len(seen) + 1)
    p = seen / n
    stops = (n >= least) & (z * np.sqrt(p * (1 - p) / n) < margin)
    at = int(stops.argmax())
    half = z * np.sqrt(p[at] * (1 - p[at]) / n[at])
    return p[at] - half, p[at] + half


def test_a_rate_of_one_per_cent_is_covered_and_the_published_rule_does_not():
    # One in a hundred has an income at which sex decides.
    def rule(X):
        return torch.where(X[:, INCOME] < 0.01, X[:, SEX] - 0.5, 1.0)

    runs, n, rng = 500, 100, np.random.default_rng(5)
    everybody = people(runs * n)
    flipped = flips_of(rule, everybody).flipped().reshape(runs, n)
    low, high = exact_bounds(flipped.sum(1), n)
    for run in range(3):  # what a run by itself says
        itself = flips_of(rule, everybody[run * n : (run + 1) * n]).overall[0, 0]
        np.testing.assert_allclose(itself, [flipped[run].mean(), low[run], high[run]])
    assert ((low <= 0.01) & (high >= 0.01)).mean() >= 0.93
    z = float(stats.norm.ppf(0.98))
    theirs = [themis(rng.random(5000) < 0.01, z, 0.02) for _ in range(runs)]
    assert np.mean([low <= 0.01 <= high for low, high in theirs]) < 0.93
    # Nothing was seen among the first hundred, and that was the end of it.
    assert np.mean([high == 0.0 for _, high in theirs]) > 0.3


def random_network(seed=0):
    """A network that reads five features, two of them protected."""
    table = people(60, seed=seed)
    base = tiny_model(replace(table, name="tiny"), seed=seed)
    return base, table


def test_enumeration_equals_a_loop():
    model, table = random_network()
    found = api.flips(model, table, by="sex,race", device="cpu")
    assert found.assignment_names[:2] == ("Female, A", "Female, B")
    for i, (c, (sex, race)) in itertools.product(
        range(len(table)), enumerate(itertools.product((0, 1), (0, 1, 2)))
    ):
        row = table.X[i : i + 1].clone()
        row[0, SEX], row[0, RACE] = sex, race
        probability = model.predict(row)[0]
        assert found.scores[i, c] == pytest.approx(float(probability[1]), abs=1e-12)
        assert found.decided[i, c] == bool(probability[1] > probability[0])
        if c == found.own[i]:
            assert (row[0] == table.X[i]).all()
            assert found.scores[i, c] == found.own_scores[i]
    own = found.decided[np.arange(60), found.own]
    differs = (found.decided != own[:, None]).any(1)
    np.testing.assert_array_equal(found.flipped(), differs)
    np.testing.assert_array_equal(found.flipped("adverse"), differs & ~own)
    np.testing.assert_array_equal(found.flipped("favoured"), differs & own)
    assert found.overall[0, 0, 0] == differs.mean()
    for g in range(6):
        inside = found.group == g
        assert found.sizes[g] == inside.sum()
        k, n = int((differs & ~own)[inside].sum()), int(inside.sum())
        exact = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
        np.testing.assert_allclose(found.rates[1, 0, g], [k / n, exact.low, exact.high])
    rates = found.decided.mean(0)
    np.testing.assert_allclose(found.set_rates[:, 0], rates)
    assert found.group_score[0] == pytest.approx(rates.max() - rates.min())


def test_each_alternative_is_asked_for_once():
    table = people(50)
    model = model_of(by_both, table)
    found = api.flips(model, table, by="sex,race", device="cpu")
    # The rows as they are, and each under the five assignments that it has not.
    assert sum(model.network.rows) == found.provenance.evaluations == 50 * 6


def test_both_directions_have_their_closed_form():
    table = people(4000)
    income, sex = table.X[:, INCOME].numpy(), table.X[:, SEX].numpy()
    found = flips_of(by_both, table)
    between = (income > 0.4) & (income <= 0.7)
    np.testing.assert_array_equal(found.flipped("adverse"), between & (sex == 0))
    np.testing.assert_array_equal(found.flipped("favoured"), between & (sex == 1))
    assert found.group_score[0] == pytest.approx(between.mean())
    low, high = found.overall[0, 0, 1:]
    assert low <= 0.3 <= high


def test_numbers_are_set_to_the_median_of_each_bin_and_keep_their_own():
    table = people(300)
    found = flips_of(lambda X: X[:, AGE] - 50.0, table, by="age", bins="age=30,60")
    age = table.X[:, AGE].numpy()
    medians = [round(float(np.median(age[inside]))) for inside in
               (age < 30, (age >= 30) & (age < 60), age >= 60)]  # fmt: skip
    bins = np.digitize(age, [30, 60])
    np.testing.assert_array_equal(found.own, bins)
    for c, middle in enumerate(medians):
        set_to = np.where(bins == c, age, middle)
        np.testing.assert_allclose(found.scores[:, c], 1 / (1 + np.exp(50.0 - set_to)))
    assert found.levels == (("below 30", "30 to below 60", "60 and over"),)


def test_uniform_inputs_have_their_closed_form_and_no_one_else():
    table = people(50, income=0.0, job=0)
    found = flips_of(by_both, table, mode="uniform", samples=20_000)
    assert len(found) == 20_000
    assert found.n_data == 50
    # Incomes are uniform from 0 to 1 by the schema, though all rows have none.
    low, high = found.overall[0, 0, 1:]
    assert low < 0.3 < high
    assert high - low < 0.02
    np.testing.assert_allclose(found.set_rates[:, 0], [0.3, 0.6], atol=0.02)


def test_conditional_draws_have_their_closed_form():
    rng = np.random.default_rng(3)
    sex = rng.integers(0, 2, 6000)
    # A model that never reads sex, and a proxy that is higher for men.
    income = np.where(sex == 1, rng.random(6000) < 0.6, rng.random(6000) < 0.2).astype(float)
    table = people(6000, sex=sex, income=income)
    found = flips_of(by_income, table, mode="conditional", neighbours=100_000)
    assert flips_of(by_income, table).overall[0, 0, 0] == 0.0
    women, men = found.rates[1, 0, :, 0]
    assert women == pytest.approx(0.8 * 0.6, abs=0.03)
    assert men == pytest.approx(0.4 * 0.2, abs=0.03)
    # By chance alone two of a group differ as well: p (1 - p) each way.
    expected = ((sex == 0) * 0.2 * 0.8 + (sex == 1) * 0.6 * 0.4).mean()
    assert found.by_chance[1, 0] == pytest.approx(expected, abs=0.03)
    assert np.isnan(found.support).all()


def test_conditional_draws_are_the_nearest_of_the_other_group():
    sex = np.tile([0, 1], 100)
    income = np.repeat(np.linspace(0, 1, 100), 2)  # each woman has a man with her income
    table = people(200, sex=sex, race=0, job=0, age=30, income=income)
    found = flips_of(by_income, table, mode="conditional", neighbours=1)
    twin = np.arange(200) ^ 1
    np.testing.assert_allclose(found.scores[np.arange(200), 1 - sex], found.own_scores[twin])
    assert found.overall[0, 0, 0] == 0.0
    assert found.provenance.evaluations == 200


def aside_of(table, sex):
    schema = Schema(features=(Feature(name="gender", kind="categorical", categories=("f", "m")),))
    return Table(schema, torch.from_numpy(sex[:, None].astype(float)), table.ids, name="beside")


def test_what_the_model_does_not_read_is_refused_but_for_conditional_draws():
    table = people(200)
    table = replace(table, aside=aside_of(table, table.X[:, SEX].numpy()))
    with pytest.raises(InvalidInputError, match=r"does not read gender, .* 0 by construction"):
        flips_of(by_both, table, by="gender")
    found = flips_of(by_both, table, by="gender", mode="conditional")
    assert found.assignment_names == ("f", "m")
    assert found.overall[0, 0, 0] > 0


def test_values_that_hardly_go_together_are_counted():
    rng = np.random.default_rng(2)
    sex = rng.integers(0, 2, 2000)
    job = np.where(sex == 1, rng.integers(0, 3, 2000), rng.integers(0, 2, 2000))
    job[np.flatnonzero(sex == 0)[0]] = 2  # one entry that may be a slip
    found = flips_of(by_both, people(2000, sex=sex, job=job))
    assert found.pairs == (("sex Female", "job chief"),)
    chiefs = (sex == 1) & (job == 2)
    assert (found.pair_flips[0], found.pair_seen[0]) == (chiefs.sum(), 1)
    expected = (sex == 0).sum() * (job == 2).sum() / 2000
    assert found.pair_expected[0] == pytest.approx(expected)
    np.testing.assert_array_equal(found.seldom[:, 0], chiefs)
    assert not found.seldom[:, 1].any()
    assert found.implausible[:, 0][chiefs].all()
    # Such alternatives do not count as plausible.
    np.testing.assert_array_equal(
        found.flipped("favoured", plausible=True) & chiefs, np.zeros(2000, dtype=bool)
    )
    assert found.overall[2, 1, 0] < found.overall[2, 0, 0]


def test_support_is_the_ratio_of_densities():
    # Of high incomes nine in ten are men, of low ones one in ten.
    rng = np.random.default_rng(4)
    rich = rng.integers(0, 2, 4000)
    sex = (rng.random(4000) < np.where(rich == 1, 0.9, 0.1)).astype(int)
    table = people(4000, sex=sex, race=0, job=0, age=30, income=rich + rng.random(4000) / 100)
    found = flips_of(by_both, table)
    for who, man in ((rich == 1, 1.8), (rich == 0, 0.2)):
        assert found.support[who, 1].mean() == pytest.approx(man, abs=0.1)
        assert found.support[who, 0].mean() == pytest.approx(2 - man, abs=0.1)


def test_support_of_few_rows_is_not_known():
    found = flips_of(by_both, people(40))
    assert np.isnan(found.support).all()
    assert not found.implausible.any()
    np.testing.assert_array_equal(found.overall[:, 0], found.overall[:, 1])


def test_missing_values_are_set_to_everything_and_are_a_group():
    table = people(100)
    X = table.X.clone()
    X[:10, SEX] = torch.nan
    found = flips_of(lambda X: X[:, SEX].nan_to_num(0.4) - 0.5, replace(table, X=X))
    assert found.group_names == ("Female", "Male", "sex missing")
    assert found.assignment_names == ("Female", "Male")
    assert (found.own[:10] == -1).all()
    assert found.sizes[2] == 10
    assert found.known[:10].all()
    np.testing.assert_allclose(found.rates[1, 0, 2, 0], 1.0)
    assert "10 rows with a missing value" in found.provenance.notes[0]


def test_a_group_without_rows_is_undefined_and_can_still_be_set():
    table = people(80, race=np.tile([0, 1], 40))
    found = flips_of(lambda X: X[:, RACE] - 1.5, table, by="race")
    assert np.isnan(found.rates[:, :, 2]).all()
    assert found.decided[:, 2].all()
    assert found.overall[1, 0, 0] == 1.0


def test_a_single_person_can_be_asked_about():
    found = flips_of(by_both, people(1, sex=0, income=0.5))
    assert found.flipped("adverse").all()
    np.testing.assert_allclose(found.overall[1, 0], [1.0, 0.025, 1.0])
    assert found.position(0) == 0
    with pytest.raises(InvalidInputError, match="Row 7 is not among"):
        found.position(7)


def test_a_margin_fixes_the_number_before_anything_is_seen():
    found = flips_of(by_income, people(5000), margin=0.05)
    n = len(found)
    assert n == 404
    assert found.overall[0, 0, 2] <= 3.7 / n < 0.05
    assert "404 of 5,000 rows" in found.provenance.notes[0]
    assert len(flips_of(by_income, people(100), margin=0.05)) == 100
    assert len(flips_of(by_income, people(100), margin=0.05, mode="uniform")) == n


def test_classes_beyond_two_are_the_favourable_one_or_not():
    table = tiny_table(task="multiclass", n=80)
    model = tiny_model(table)
    found = api.flips(model, table, by="c1", favourable="green", device="cpu")
    for c in range(3):
        X = table.X.clone()
        X[:, 1] = c
        said = model.predict(X)
        np.testing.assert_allclose(found.scores[:, c], said[:, 1])
        np.testing.assert_array_equal(found.decided[:, c], said.argmax(1) == 1)


def test_one_line_for_each_row():
    found = flips_of(by_both, people(300))
    frame = found.to_frame()
    assert list(frame["row"]) == list(found.ids)
    assert ((frame["flip"] == "adverse") == found.flipped("adverse")).all()
    men = frame[frame["group"] == "Male"]
    assert set(men["move_as"]) == {"Female"}
    assert (men["move"] <= 0).all()
    assert (frame["lowest"] <= frame["score"]).all()


MANY = "age=" + ",".join(map(str, range(20, 67)))


@pytest.mark.parametrize(
    ("table", "params", "message"),
    [
        (people(50), {"by": "colour"}, "no column colour to group by; choose among"),
        (people(50), {"by": "age"}, "'age' is a number; say where to cut it"),
        (people(50), {"favourable": "maybe"}, "no class 'maybe'; set favourable to one of"),
        (people(50), {"margin": 0.5}, r"margin: .* less than or equal to 0.2"),
        (people(50, age=30), {"by": "age", "bins": "age=50"}, "nothing to set age to"),
        (people(50), {"by": "race", "mode": "uniform", "samples": 1_000_000, "bins": "age=1x"},
         "bins: 'age=1x' names no ascending numbers"),
        (people(50), {"by": "age", "bins": "age=30;age=50"}, "bins: column 'age' is cut twice"),
        (people(30_000), {"by": "sex,race,job,age", "bins": MANY},
         "more than 20,000,000 answers; name fewer columns"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(table, params, message):
    with pytest.raises(InvalidInputError, match=message):
        flips_of(by_both, table, **params)


def test_a_regression_refuses_and_says_why():
    table = tiny_table(task="regression")
    with pytest.raises(InvalidInputError, match="nobody is refused or granted"):
        api.flips(tiny_model(table), table, by="c1", device="cpu")


def test_jobs_are_a_feature_like_any_other():
    # What is asked about need not be marked as protected.
    found = flips_of(lambda X: X[:, JOB] - 1.5, people(100), by="job")
    assert found.overall[0, 0, 0] == 1.0


@pytest.mark.cuda
def test_a_gpu_gives_what_the_cpu_gives():
    rows = api.load_table("adult")
    here, there = (api.flips("adult-mlp", rows, by="sex,race", device=d) for d in ("cpu", "cuda"))
    np.testing.assert_allclose(there.scores, here.scores, atol=1e-5)
    surely = np.abs(here.scores - 0.5) > 1e-5
    np.testing.assert_array_equal(there.decided[surely], here.decided[surely])
    # Neighbours that are as far may be others.
    assert np.nanmean(np.abs(there.support - here.support)) < 0.02
