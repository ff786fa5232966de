"""Fairness across equally good models, against fairlearn and slow replicas."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fairlearn.metrics import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equalized_odds_difference,
    false_positive_rate,
    true_positive_rate,
)

from tests.fairness_fronts import QUICK, grouped_table, none_found, some_front, tiny_front
from tests.networks import tiny_model
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_front import (
    DIRECTED,
    GIVEN,
    NONE,
    REPORTED,
    VALIDATION,
    FairnessFront,
)
from workbench.core.fairness_metrics import GAPS
from workbench.core.params import parse_params
from workbench.core.results import load
from workbench.engines.rashomon.directed import explore_directed
from workbench.engines.rashomon.fairness_measured import choose
from workbench.engines.rashomon.fairness_params import FairnessFrontParams
from workbench.engines.rashomon.fairness_rows import make_parts
from workbench.engines.rashomon.scene import make_scene
from workbench.numerics.stream.family import materialise
from workbench.registry.store import load_model as load_folder

TABLE = api.load_table("german", split="all")
BY_AGE = {"by": "age", "bins": "age=25"}


@pytest.fixture(scope="module")
def front():
    return api.fairness_front("german-mlp", TABLE, **(QUICK | BY_AGE), eps=0.02)


def by_fairlearn(y, said, group):
    """The gaps that fairlearn knows by name."""
    own = {"sensitive_features": group}
    rates = [
        [rate(y[group == g], said[group == g]) for g in np.unique(group)]
        for rate in (true_positive_rate, false_positive_rate)
    ]
    return {
        "selection_rate_difference": demographic_parity_difference(y, said, **own),
        "selection_rate_ratio": demographic_parity_ratio(y, said, **own),
        "true_positive_rate_difference": np.ptp(rates[0]),
        "false_positive_rate_difference": np.ptp(rates[1]),
        "equalized_odds_worst": equalized_odds_difference(y, said, **own),
        "equalized_odds_mean": equalized_odds_difference(y, said, agg="mean", **own),
    }


def test_numbers_ranges_and_choice_are_those_of_models_made_again(front):
    """Each model is made again, and its gaps are computed by fairlearn from its predictions."""
    model = api.load_model("german-mlp")
    position = model.output_names.index("good")
    found = {name: np.zeros((len(front), 2)) for name in ("accuracy", *GAPS)}
    for m in range(len(front)):
        made = api.less_discriminatory_model(model, TABLE, front, which=m)
        assert made.digest == front.digests[m]
        for s, part in enumerate(("validation", "test")):
            rows = TABLE.split(part)
            said = (made.predict(rows.X).argmax(1) == position).long().numpy()
            y = (rows.y == position).long().numpy()
            age = rows.X[:, model.schema.names.index("age")].numpy() >= 25
            found["accuracy"][m, s] = (said == y).mean()
            for name, value in by_fairlearn(y, said, age).items():
                found[name][m, s] = value
                assert front.gaps[m, s, front.gap_index(name), 0] == pytest.approx(value)
    np.testing.assert_allclose(front.accuracy[..., 0], found["accuracy"])
    able = found["accuracy"][:, 0] >= found["accuracy"][0, 0] - 0.02 - 1e-9
    np.testing.assert_array_equal(front.within, able)
    for name in by_fairlearn(np.array([0, 1, 0, 1]), np.array([0, 1, 1, 0]), np.arange(4) % 2):
        q = front.gap_index(name)
        away = np.abs(found[name] - GAPS[name].none)
        least, most = front.ends[q]
        assert away[least, 0] == away[able, 0].min()
        assert away[most, 0] == away[able, 0].max()
        assert front.width[q, REPORTED, 0] == pytest.approx(away[most, 1] - away[least, 1])
        assert front.chosen[q] == (least if away[least, 0] < away[0, 0] else NONE)


def test_the_choice_reads_validation_rows_alone():
    """Other labels and features of the rows reported on change no choice."""
    table = grouped_table()
    model = tiny_model(table, dtype=torch.float32)
    rows = table.split("test")
    swapped = replace(rows, y=1 - rows.y, X=rows.X.flip(0))
    one, other = (
        api.fairness_front(model, table, own, **(QUICK | {"explained": 0}), by="c1", eps=0.1)
        for own in (rows, swapped)
    )
    np.testing.assert_array_equal(one.chosen, other.chosen)
    np.testing.assert_array_equal(one.ends, other.ends)
    assert one.digests == other.digests
    np.testing.assert_array_equal(one.counts[:, VALIDATION], other.counts[:, VALIDATION])
    assert not np.array_equal(one.counts[:, REPORTED], other.counts[:, REPORTED])


def test_the_chosen_one_is_the_nearest_then_the_most_accurate_then_the_first():
    accuracy = np.array([0.80, 0.79, 0.795, 0.795, 0.70, 0.81])
    away = np.array([[0.3], [0.1], [0.1], [0.1], [0.0], [np.nan]])
    chosen, ends = choose(accuracy, away, 0.01)
    assert chosen.tolist() == [2]
    assert ends.tolist() == [[2, 0]]
    nothing, ends = choose(accuracy, np.full((6, 1), 0.2), 0.01)
    assert nothing.tolist() == [NONE], "no smaller gap is no alternative"
    undefined, ends = choose(accuracy, np.full((6, 1), np.nan), 0.01)
    assert (undefined.tolist(), ends.tolist()) == ([NONE], [[NONE, NONE]])


def test_an_improvement_is_claimed_only_where_other_rows_confirm_it():
    q = some_front().at
    assert some_front(change=-0.08, half=0.02).confirmed(q)
    assert not some_front(change=-0.01, half=0.02).confirmed(q)
    assert not some_front(overlap=3).confirmed(q)
    assert not none_found().confirmed(q)


def test_training_on_lessens_the_gap_the_more_the_stronger_the_pull():
    table = grouped_table(pull=2.0)
    model = tiny_model(table, dtype=torch.float32, scale=1.0)
    params = parse_params(FairnessFrontParams, {"by": "c1", "gap": "selection_rate_difference"})
    parts = make_parts(model, table.split("test"), table, params)
    scene = make_scene(model, parts.validation.table, table, params, Context())
    found = explore_directed(scene, parts.train.group, 3, parts.position, GAPS[params.gap], count=9)
    rows, position = parts.train.table, parts.position

    def gap(own):
        chance = own.predict(rows.X)[:, position].numpy()
        return np.ptp([chance[parts.train.group == g].mean() for g in np.unique(parts.train.group)])

    members = [member for part in found.members for member in
               (part.take(slice(i, i + 1)) for i in range(len(part.numbers)))]  # fmt: skip
    made = [materialise(found.family, own) for own in members]
    assert len(made) == 9
    before = model.predict(rows.X)
    weak, middle, strong = made[2], made[5], made[8]  # where each of three pulls ended
    assert gap(model) > gap(middle) > gap(strong)
    assert gap(strong) < 0.3 * gap(model)
    moved = [float((own.predict(rows.X) - before).abs().mean()) for own in (weak, strong)]
    assert moved[0] < moved[1], "a weaker pull stays closer to what the model says"
    again = explore_directed(
        scene, parts.train.group, 3, parts.position, GAPS[params.gap], count=9
    )  # one alone, without the others
    one = materialise(again.family, members[7])
    assert one.digest == materialise(found.family, members[7]).digest


def test_contributions_of_features_add_up_to_the_gap_of_mean_scores(front):
    rows = TABLE.split("test")[:40]
    alone = QUICK | BY_AGE | {"explained": 40, "directed": 0, "near_copies": 0}
    found = api.fairness_front("german-mlp", TABLE, rows, **alone)
    assert (len(found), found.n_explained) == (1, 40)
    model = api.load_model("german-mlp")
    age = rows.X[:, model.schema.names.index("age")].numpy() >= 25
    score = model.predict(rows.X)[:, model.output_names.index("good")].numpy()
    older, younger = score[age].mean(), score[~age].mean()
    assert found.compared == ("below 25", "25 and over")
    assert found.causes[0, :, 0].sum() == pytest.approx(younger - older, abs=1e-6)
    assert found.causes_change.shape == (0, 20, 3)
    if len(front.causes) == 2:
        np.testing.assert_allclose(
            front.causes_change[0, :, 0], front.causes[1, :, 0] - front.causes[0, :, 0], atol=1e-12
        )


def test_the_column_of_the_groups_is_given_each_of_its_values_in_turn():
    """Row by row and value by value, from the definition."""
    table = grouped_table(pull=2.0)
    model, rows = tiny_model(table, dtype=torch.float32), table.split("test")
    found = api.fairness_front(model, table, **QUICK, by="c1", eps=0.5)
    q = found.at
    assert found.read == ("c1",)
    levels, counts = np.unique(rows.X[:, 1].numpy(), return_counts=True)
    own = (model, api.less_discriminatory_model(model, table, found))
    away = []
    for m, made in enumerate(own):
        granted, swayed = np.zeros(len(rows)), 0
        for i in range(len(rows)):
            said = set()
            for level, often in zip(levels, counts, strict=True):
                one = rows.X[i : i + 1].clone()
                one[0, 1] = float(level)
                told = int(made.predict(one).argmax(1)) == model.output_names.index("yes")
                said.add(told)
                granted[i] += told * often / len(rows)
            swayed += len(said) > 1
        assert found.swayed[m] == pytest.approx(swayed / len(rows))
        shares = [granted[rows.X[:, 1].numpy() == level].mean() for level in levels]
        away.append(np.ptp(shares))
        assert found.held[m, q] == pytest.approx(away[-1])
    change = found.change[found.chosen[q], REPORTED, q, 0]
    assert found.through(q) == pytest.approx(change - (away[1] - away[0]))
    other = next(p for p in range(len(GAPS)) if found.chosen[p] != found.chosen[q])
    assert np.isnan(found.through(other)), "another gap has another alternative"


def test_a_saved_model_says_what_it_is_and_has_the_numbers_of_the_front(front, tmp_path):
    model = api.load_model("german-mlp")
    m = next(m for m in range(len(front)) if front.finders[m] == DIRECTED)
    folder = api.save_front_model(model, TABLE, front, "german-fairer", which=m, into=tmp_path)
    saved = load_folder(folder)
    assert saved.name == "german-fairer@1"
    metrics = {metric.name: metric for metric in saved.card.metrics}
    assert metrics["accuracy"].value == front.accuracy[m, REPORTED, 0]
    assert metrics["statistical parity difference by age"].value == front.gaps[m, REPORTED, 0, 0]
    rows = TABLE.split("test")
    right = (saved.predict(rows.X).argmax(1) == rows.y).double().mean()
    assert float(right) == pytest.approx(metrics["accuracy"].value)
    made = api.less_discriminatory_model(model, TABLE, front, which=m)
    assert torch.equal(saved.predict(rows.X), made.predict(rows.X))
    assert saved.card.limits.startswith("An alternative to german-mlp@1 (sha256 ")
    assert saved.card.training_digest == TABLE.digest
    assert "fairness-front german-mlp@1 german --seed 0" in saved.card.created_by
    assert "--bins 'age=25'" in saved.card.created_by
    again = api.save_front_model(model, TABLE, front, "german-fairer", which=m, into=tmp_path)
    assert again.name == "2"


def test_refuses_what_does_not_belong_together(front, tmp_path):
    model = api.load_model("german-mlp")
    with pytest.raises(InvalidInputError, match="about another model"):
        api.less_discriminatory_model(replace(model, digest="0" * 64), TABLE, front)
    with pytest.raises(InvalidInputError, match="made of other rows"):
        api.less_discriminatory_model(model, TABLE[:900], front, which=1)
    with pytest.raises(InvalidInputError, match="no model 99 in this front"):
        api.less_discriminatory_model(model, TABLE, front, which=99)
    with pytest.raises(InvalidInputError, match="cannot be called 'A b'"):
        api.save_front_model(model, TABLE, front, "A b", into=tmp_path)
    nothing = replace(front, chosen=np.full_like(front.chosen, NONE))
    with pytest.raises(InvalidInputError, match="knows no model within 2 points"):
        api.save_front_model(model, TABLE, nothing, "fairer", into=tmp_path)
    other = replace(front, counts=front.counts + 1)
    with pytest.raises(InvalidInputError, match="otherwise than the front says"):
        api.less_discriminatory_model(model, TABLE, other, which=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"by": "colour"}, "no column colour to group by"),
        ({"by": "age"}, "Column 'age' is a number; say where to cut it"),
        ({**BY_AGE, "favourable": "great"}, "no class 'great'"),
        ({**BY_AGE, "explorers": "quadratic"}, "quadratic is no explorer"),
        ({**BY_AGE, "gap": "base_rate_difference"}, "gap"),
    ],
)
def test_says_what_is_wrong(settings, message):
    with pytest.raises(InvalidInputError, match=message):
        api.fairness_front("german-mlp", TABLE, **(QUICK | settings))


def test_rows_that_the_search_has_seen_confirm_nothing():
    table = grouped_table()
    model = tiny_model(table, dtype=torch.float32)
    found = api.fairness_front(
        model, table, table.split("validation"), **(QUICK | {"explained": 0}), by="c1", eps=0.2
    )
    assert found.overlap == 60
    assert not any(found.confirmed(q) for q in range(len(GAPS)))
    elsewhere = replace(table.split("validation"), X=table.split("validation").X + 1.0)
    elsewhere.X[:, 1::2] -= 1.0  # categories stay
    other = api.fairness_front(
        model, table, elsewhere, **(QUICK | {"explained": 0}), by="c1", eps=0.2
    )
    assert other.overlap == 0, "rows of another file have the same numbers"


def test_groups_without_the_people_in_question_are_undefined_and_never_chosen():
    table = grouped_table()
    rare = table.X[:, 1] > 0
    table = replace(table, y=torch.where(rare, torch.zeros_like(table.y), table.y))
    model = tiny_model(table, dtype=torch.float32)
    own = (model, table, table.split("test"))
    with pytest.raises(InvalidInputError, match="Fewer than two groups by c1 have 1 row behind"):
        api.fairness_front(*own, **QUICK, by="c1", gap="true_positive_rate_difference")
    found = api.fairness_front(*own, **QUICK, by="c1")
    q = found.gap_index("true_positive_rate_difference")
    assert np.isnan(found.gaps[:, :, q]).all()
    assert found.chosen[q] == NONE
    assert not found.front[:, :, q].any()


def test_small_groups_are_left_out_as_the_audit_leaves_them_out():
    """One name has one number: of the given model, every gap is the audit's."""
    few = QUICK | {"least_rows": 20, "by": "personal_status", "explained": 0}
    found = api.fairness_front("german-mlp", TABLE, **few)
    audit = api.audit("german-mlp", TABLE.split("test"), by="personal_status", depth=1)
    ours, audited = found.gaps[0, REPORTED, :, 0], audit.gaps[:, 0, 0]
    np.testing.assert_allclose(ours, audited)
    (note,) = [told for told in found.provenance.notes if "left out" in told]
    assert note.endswith("fewer than 20 rows tell little of a group: man divorced or separated")
    all_in = api.fairness_front("german-mlp", TABLE, **(few | {"least_rows": 1}))
    assert all_in.gaps[0, REPORTED, 0, 0] > ours[0]
    made = api.less_discriminatory_model("german-mlp", TABLE, found, which=len(found) - 1)
    assert made.digest == found.digests[-1]
    with pytest.raises(InvalidInputError, match="two groups by foreign_worker have 20 rows behind"):
        api.fairness_front("german-mlp", TABLE, **(few | {"by": "foreign_worker"}))


def test_survives_a_file_and_has_a_line_for_each_model_gap_and_set_of_rows(tmp_path):
    result = tiny_front()
    assert result.finders[0] == GIVEN
    back = load(result.save(tmp_path / "front"))
    assert isinstance(back, FairnessFront)
    np.testing.assert_array_equal(back.counts, result.counts)
    frame = result.to_frame()
    assert len(frame) == len(result) * 2 * len(GAPS)
    assert frame["chosen"].sum() == 2 * (result.chosen != NONE).sum()
    with pytest.raises(InvalidInputError, match="start with the given one"):
        replace(result, finders=("directed", *result.finders[1:]))
    with pytest.raises(InvalidInputError, match="A front of 1 models and 3 groups needs"):
        replace(result, finders=("given",))
