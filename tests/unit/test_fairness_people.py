"""People at the boundary against replicas that go person by person."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.boundary_people import (
    QUICK,
    protected_table,
    some_people,
    tiny_people,
    without_ranges,
)
from tests.networks import tiny_model
from workbench import api
from workbench.core.boundary import NOBODY, UNKNOWN, contributions
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.results import load
from workbench.engines.fairness.nearest_other import nearest_other, spread_of
from workbench.engines.fairness.people import margins_of
from workbench.numerics.intervals import wilson


def distance_by_definition(one, other, features, spread):
    """Add up one feature after the other."""
    total = 0.0
    for j, feature in enumerate(features):
        if spread[j] == 0:
            continue
        a, b = float(one[j]), float(other[j])
        if np.isnan(a) or np.isnan(b):
            total += float(np.isnan(a) != np.isnan(b))
        elif feature.kind == "categorical":
            total += float(a != b)
        else:
            total += abs(a - b) / spread[j]
    return total


def spread_by_definition(table, left_out):
    found = []
    for j, feature in enumerate(table.schema.features):
        column = [float(x) for x in table.X[:, j] if not np.isnan(float(x))]
        if feature.name in left_out:
            found.append(0.0)
        elif feature.kind == "categorical":
            found.append(1.0)
        else:
            mean = sum(column) / len(column)
            found.append((sum((x - mean) ** 2 for x in column) / len(column)) ** 0.5)
    return np.array(found)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_nearest_decided_otherwise_is_the_one_that_a_loop_finds(task, missing):
    table = protected_table(task=task, missing=missing)
    model, favourable = tiny_model(table), "yes" if task == "binary" else "blue"
    rows = table.split("test")
    found = api.boundary_people(model, rows, table, models=0, favourable=favourable)
    position = table.schema.classes.index(favourable)
    everybody = model.predict(table.X).argmax(1) == position
    spread = spread_by_definition(table, {"c1", "c3"})
    np.testing.assert_allclose(found.spread, spread)
    features = table.schema.features
    for place, person in enumerate(found.chosen):
        x, own = rows.X[person], bool(found.decided[person])
        apart = np.array([distance_by_definition(x, y, features, spread) for y in table.X])
        others = np.flatnonzero(everybody.numpy() != own)
        nearest = others[apart[others].argmin()]
        assert found.neighbour_ids[place] == int(table.ids[nearest])
        np.testing.assert_array_equal(found.neighbour_data[place], table.X[nearest])
        np.testing.assert_allclose(found.distances[place], apart[nearest])
        np.testing.assert_allclose(found.contributions[place].sum(), apart[nearest])
        np.testing.assert_allclose(found.typical[place], np.median(apart))
        besides = table.ids.numpy() != int(rows.ids[person])
        closer = np.mean(apart[besides] < apart[nearest])
        np.testing.assert_allclose(found.closer[place], closer)
        assert found.neighbour_scores[place] == pytest.approx(
            float(model.predict(table.X)[nearest, position])
        )


def test_batches_of_people_change_nothing(monkeypatch):
    table = protected_table(missing=True)
    decided = np.arange(len(table)) % 3 == 0
    spread = spread_of(table, frozenset({"c1"}))
    whole = nearest_other(table, decided, table, decided, spread, lambda _: None)
    monkeypatch.setattr("workbench.engines.fairness.nearest_other.AT_ONCE", 200)
    steps = []
    parts = nearest_other(table, decided, table, decided, spread, steps.append)
    for name in ("places", "distances", "typical", "closer"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    assert steps == [*range(2, len(table), 2), len(table)]


def test_where_all_are_decided_alike_there_is_no_neighbour():
    table = protected_table()
    decided = np.ones(len(table), bool)
    found = nearest_other(
        table, decided, table, decided, spread_of(table, frozenset()), lambda _: None
    )
    assert (found.places == NOBODY).all()
    assert np.isnan(found.distances).all()
    assert np.isnan(found.closer).all()
    assert np.isfinite(found.typical).all()


@given(
    st.lists(
        st.tuples(*(st.sampled_from([0.0, 1.0, 2.0, np.nan]) for _ in range(6))),
        min_size=1, max_size=8,
    )
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_distances_are_symmetric_and_nothing_for_a_twin(cells):
    both = np.array(cells)
    one, other = both[:, :3], both[:, 3:]
    spread, category = np.array([0.5, 1.0, 0.0]), np.array([False, True, False])
    there = contributions(one, other, spread, category)
    back = contributions(other, one, spread, category)
    np.testing.assert_array_equal(there, back)
    assert (there >= 0).all()
    assert not contributions(one, one, spread, category).any()
    assert not there[:, 2].any(), "what has no spread does not count"


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_ranges_and_shares_are_those_of_the_search_for_equally_good_models(task):
    table = protected_table(task=task)
    model, rows = tiny_model(table), table.split("test")
    favourable = "yes" if task == "binary" else "blue"
    found = api.boundary_people(model, rows, table, **(QUICK | {"favourable": favourable}), seed=3)
    beside = api.rashomon_set(
        model, rows, table, models=30, tolerances=(0.1,), importance=False, admission_rows=2000,
        seed=3,
    )  # fmt: skip
    position = table.schema.classes.index(favourable)
    np.testing.assert_array_equal(found.low, beside.low[0, 0, :, position])
    np.testing.assert_array_equal(found.high, beside.high[0, 0, :, position])
    assert found.admitted == beside.admitted[0, 0] > 0
    np.testing.assert_allclose(found.otherwise[:, 0], beside.flips[0, 0])
    for share, low, high in found.otherwise:
        expected = wilson(round(share * found.admitted), found.admitted)
        np.testing.assert_allclose((low, high), expected)
    if task == "binary":  # somebody's range holds the boundary where somebody decides otherwise
        straddles = np.where(found.decided, found.low <= 0.5, found.high >= 0.5)
        np.testing.assert_array_equal(found.straddles, straddles)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_margins_are_what_a_score_has_to_move_for_the_decision_to_tip(task):
    table = protected_table(task=task)
    outputs = tiny_model(table).predict(table.X).numpy()
    for position in range(outputs.shape[1]):
        margins = margins_of(outputs, position)
        if task == "binary":
            np.testing.assert_allclose(margins, outputs[:, position] - 0.5, atol=1e-12)
        for row, margin in zip(outputs, margins, strict=True):
            other = np.argmax(np.where(np.arange(len(row)) == position, -1, row))
            for share in (0.99, 1.01):  # the strongest other class pays
                moved = row.copy()
                moved[position] -= share * margin
                moved[other] += share * margin
                tipped = (moved.argmax() == position) != (row.argmax() == position)
                if share < 1:
                    assert not tipped
                elif task == "binary" or margin > 0:  # behind, a third class may be in the way
                    assert tipped


def test_moving_people_to_another_level_is_a_loop_over_levels():
    table = protected_table(missing=True)
    model, rows = tiny_model(table), table.split("test")
    found = api.boundary_people(model, rows, table, models=0, favourable="yes")
    assert found.flip_levels == (*"abc", *"ab")
    at = 0
    for name, n_levels in (("c1", 3), ("c3", 2)):
        j = table.schema.index(name)
        for code in range(n_levels):
            for place, person in enumerate(found.chosen):
                x = rows.X[[person]].clone()
                own = float(x[0, j])
                x[0, j] = code
                if own == code:
                    assert np.isnan(found.flip_scores[place, at])
                    assert not found.flip_decided[place, at]
                    continue
                said = model.predict(x)[0]
                np.testing.assert_allclose(found.flip_scores[place, at], float(said[1]))
                assert found.flip_decided[place, at] == bool(said.argmax() == 1)
            at += 1


def test_groups_of_numbers_move_to_the_median_of_the_group():
    table = protected_table()
    model, rows = tiny_model(table), table.split("test")
    found = api.boundary_people(
        model, rows, table, models=0, favourable="yes", by="x0", bins="x0=0"
    )
    column = rows.X[:, 0].numpy()
    assert found.levels == (("below 0", "0 and over"),)
    below, above = np.median(column[column < 0]), np.median(column[column >= 0])
    for place, person in enumerate(found.chosen):
        x = rows.X[[person]].clone()
        x[0, 0] = above if column[person] < 0 else below
        score = found.flip_scores[place, int(column[person] < 0)]
        np.testing.assert_allclose(score, float(model.predict(x)[0, 1]))
    assert found.spread[0] == 0, "what makes groups does not count for who is similar"


def test_the_strongest_move_is_one_that_tips_the_decision_if_any_does():
    base = tiny_people()
    person = base.chosen[0]
    score = float(base.scores[person])
    scores = np.full_like(base.flip_scores, np.nan)
    scores[0, :3] = score + np.array([-0.4, 0.05, 0.1])
    decided = np.repeat(base.decided[base.chosen][:, None], scores.shape[1], 1)
    stays = replace(base, flip_scores=scores, flip_decided=decided)
    assert stays.strongest_flip(0) == 0
    assert stays.strongest_flip(1) is None
    tipped = decided.copy()
    tipped[0, 1:3] = ~tipped[0, 1:3]
    assert replace(stays, flip_decided=tipped).strongest_flip(0) == 2


@pytest.mark.parametrize(
    ("who", "holds"),
    [
        ("everybody", lambda _, __: True),
        ("refused", lambda decided, _: not decided),
        ("approved", lambda decided, _: decided),
        ("wrongly_refused", lambda decided, truth: not decided and truth == 1),
        ("wrongly_approved", lambda decided, truth: decided and truth == 0),
    ],
)
def test_the_closest_of_those_asked_for_are_looked_at(who, holds):
    table = protected_table()
    model, rows = tiny_model(table), table.split("test")
    found = api.boundary_people(
        model, rows, table, models=0, favourable="yes", who=who, max_people=4
    )
    score = model.predict(rows.X)[:, 1].numpy()
    truth = rows.y.numpy()
    fitting = [i for i in range(len(rows)) if holds(score[i] > 0.5, truth[i])]
    expected = sorted(fitting, key=lambda i: abs(score[i] - 0.5))[:4]
    assert found.chosen.tolist() == expected
    np.testing.assert_array_equal(found.truth, truth)
    np.testing.assert_array_equal(found.wrong, (score > 0.5) != (truth == 1))


def test_people_that_are_named_are_looked_at_whoever_they_are():
    table = protected_table()
    rows = table.split("test")
    wanted = rows.ids[[5, 0, 9]].tolist()
    found = api.boundary_people(
        tiny_model(table), rows, table, models=0, favourable="yes", who="approved",
        people=", ".join(map(str, wanted)), max_people=1,
    )  # fmt: skip
    assert sorted(found.ids[found.chosen].tolist()) == sorted(wanted)
    assert (np.diff(np.abs(found.margins[found.chosen])) >= 0).all()
    with pytest.raises(InvalidInputError, match=r"people: there is no row 4711 among the 16 rows"):
        api.boundary_people(tiny_model(table), rows, table, favourable="yes", people="4711")
    with pytest.raises(InvalidInputError, match="row numbers are whole numbers with commas"):
        api.boundary_people(tiny_model(table), rows, table, favourable="yes", people="first")


def test_without_labels_protected_columns_or_other_models_it_says_why():
    table = protected_table()
    plain = replace(table, schema=table.schema.edit("c1", protected=False))
    plain = replace(plain, schema=plain.schema.edit("c3", protected=False), y=None)
    model, rows = tiny_model(plain), plain.split("test")
    found = api.boundary_people(model, rows, plain, models=20, favourable="yes")
    assert (found.truth == UNKNOWN).all()
    assert not found.wrong.any()
    assert not found.has_ranges
    assert np.isnan(found.low).all()
    assert "does not say what is true" in found.remark
    assert found.flip_scores.shape == (len(found.chosen), 0)
    assert not found.attributes
    said = " ".join(found.provenance.notes)
    assert "No column is marked as protected" in said
    with pytest.raises(InvalidInputError, match="has no labels; choose refused or approved"):
        api.boundary_people(model, rows, plain, favourable="yes", who="wrongly_refused")
    with pytest.raises(InvalidInputError, match="There is no column colour to group by"):
        api.boundary_people(model, rows, plain, favourable="yes", by="colour")
    assert without_ranges().remark == "no other models were asked for"
    none = api.boundary_people(
        tiny_model(table), table.split("test"), table, **(QUICK | {"tolerance": 0.0, "models": 3})
    )
    assert none.admitted > 0 or "is as good within the tolerance" in none.remark


def test_what_refuses_nobody_is_refused():
    table = protected_table(task="regression")
    with pytest.raises(InvalidInputError, match="predicts a number, so that nobody is refused"):
        api.boundary_people(tiny_model(table), table, table)
    table = protected_table()
    with pytest.raises(InvalidInputError, match="Nobody says which class of tiny"):
        api.boundary_people(tiny_model(table), table, table)


def test_rows_of_one_group_can_still_be_moved_to_another():
    table = protected_table()
    rows = table[np.flatnonzero(table.X[:, 1].numpy() == 0)]
    found = api.boundary_people(tiny_model(table), rows, table, models=0, favourable="yes", by="c1")
    assert np.isfinite(found.flip_scores[:, 1:]).all()
    assert np.isnan(found.flip_scores[:, 0]).all()


def test_stops_where_it_is_told_to():
    table = protected_table()

    def stop(done, total, message):
        assert 0 <= done <= total
        assert message == "rows through models"
        raise CancelledError("stop")

    for models in (0, 30):
        with pytest.raises(CancelledError):
            api.boundary_people(
                tiny_model(table), table, table, favourable="yes", models=models, progress=stop
            )


def test_everybody_is_in_the_table_once_the_closest_first(tmp_path):
    found = some_people()
    frame = found.to_frame()
    assert sorted(frame["row"]) == sorted(found.ids)
    assert frame["margin"].abs().is_monotonic_increasing
    first = frame.iloc[0]
    person = int(np.argmin(np.abs(found.margins)))
    assert first["row"] == found.ids[person]
    assert first["group: c1"] == found.group_of(person, 0)
    place = found.place_of(int(first["row"]))
    assert first["other_row"] == str(found.neighbour_ids[place])
    with pytest.raises(InvalidInputError, match="Row 4711 was not looked at in full"):
        found.place_of(4711)
    back = load(found.save(tmp_path / "people"))
    np.testing.assert_array_equal(back.flip_scores, found.flip_scores)
    with pytest.raises(InvalidInputError, match="is not among the"):
        replace(found, chosen=found.chosen + 1000)


def test_a_model_that_reads_nothing_protected_moves_nobody():
    table = protected_table()
    aside = replace(table, schema=table.schema, y=None)
    rows = replace(table, aside=aside)
    plain = rows.schema.edit("c1", protected=False).edit("c3", protected=False)
    hidden = replace(rows, schema=plain, aside=replace(
        aside,
        schema=aside.schema.model_copy(update={
            "features": tuple(
                f.model_copy(update={"name": f"own {f.name}"}) for f in aside.schema.features
            ), "target": None, "task": None, "classes": (),
        }),
    ))  # fmt: skip
    found = api.boundary_people(tiny_model(hidden), hidden, hidden, models=0, favourable="yes")
    assert found.attributes == ("own c1", "own c3")
    assert not found.flip_levels
    assert found.spread[1] == 1.0, "a column of that name is not what the model reads"


def test_the_verb_takes_names_and_finds_the_whole_table():
    found = api.boundary_people("german-mlp", api.load_table("german"), models=0, max_people=3)
    assert found.searched == 1000
    assert found.favourable == "good"
    assert set(found.attributes) == {"personal_status", "foreign_worker"}


def test_same_seed_same_people_on_any_device():
    table = protected_table()
    one, two = (
        api.boundary_people(tiny_model(table), table, table, seed=1, device="cpu", **QUICK)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one.otherwise, two.otherwise)
    assert one.provenance.evaluations == two.provenance.evaluations
    context = Context()
    assert context.device == torch.device("cpu")
