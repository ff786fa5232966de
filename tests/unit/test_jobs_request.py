"""Requests: the key follows what decides the numbers, rows are those asked for, faults speak."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.jobs import request, wine
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.errors import DataError, InvalidInputError, RegistryError
from workbench.jobs.request import Request
from workbench.workspace import sources
from workbench.workspace.background import background_source

OTHER = "0" * 64
DECIDES = [
    {"method": "shapley.permutation"},
    {"params": {"budget": 513}},
    {"params": {"budget": 512, "output": "score"}},
    {"model_digest": OTHER},
    {"table_digest": OTHER},
    {"split": "train"},
    {"cohort": "alcohol:12.."},
    {"rows": (1,)},
    {"rows": None, "count": 1},
    {"rows": None},
    {"background": 21},
    {"seed": 1},
    {"device": "cuda:0"},
    {"table": "my:wine"},
]
DOES_NOT = [
    {"model": "wine-mlp@1"},
    {"model": "my:wine@3"},
    {"table": "another-name"},
    {"params": {"budget": 512, "output": "probability"}},
    {"params": {"budget": 512, "tolerance": None}},
]


@pytest.mark.parametrize("change", DECIDES, ids=str)
def test_what_decides_the_numbers_is_in_the_key(change):
    assert request(**change).key != request().key


@pytest.mark.parametrize("change", DOES_NOT, ids=str)
def test_what_does_not_is_not(change):
    assert request(**change).key == request().key


def test_equal_devices_give_equal_numbers():
    assert request(device="cuda:1").key == request(device="cuda").key
    assert request(device="cuda").device == "cuda:0"


def test_the_versions_of_program_and_torch_are_in_the_key(monkeypatch):
    before = request().key
    now = {"workbench": "9", "source": "", "torch": "9"}
    monkeypatch.setattr("workbench.jobs.request.versions", lambda: now)
    assert request().key != before


def test_survives_a_file():
    asked = request(params={"budget": 512, "tolerance": 0.1}, cohort="alcohol:12..")
    read = Request.model_validate_json(asked.model_dump_json())
    assert (read, read.key, hash(read)) == (asked, asked.key, hash(asked))


@given(st.lists(st.integers(0, 35), min_size=1, max_size=20), st.integers(0, 3))
def test_rows_are_positions_in_split_and_cohort(rows, seed):
    _, table = wine()
    asked = request(rows=tuple(rows), seed=seed).select(table)
    assert asked.ids.tolist() == table.split("test").ids[rows].tolist()
    drawn = request(rows=None, count=len(rows), seed=seed).select(table)
    assert torch.equal(drawn.X, table.split("test").sample(len(rows), seed=seed).X)
    assert len(request(rows=None, split="all").select(table)) == len(table)


def test_the_cohort_comes_after_the_split():
    _, table = wine()
    part = table.split("test")
    column = table.schema.names.index("alcohol")
    strong = [i for i in range(len(part)) if part.X[i, column] >= 13]
    got = request(cohort="alcohol:13..", rows=(1,)).select(table)
    assert got.ids.tolist() == part.ids[[strong[1]]].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": (36,)}, "There is no row 36 in 'wine/test', which has 36 rows, counted from 0; "
         "choose another row."),
        ({"rows": None, "count": 37}, "Cannot draw 37 rows from table 'wine/test', which has 36; "
         "ask for 1 to 36."),
    ],
)  # fmt: skip
def test_says_which_rows_there_are(change, message):
    with pytest.raises(InvalidInputError) as caught:
        request(**change).select(wine()[1])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 3}, "rows: give positions or a count, not both."),
        ({"rows": (-1,)}, "rows: positions start at 0."),
        ({"rows": ()}, "rows: Tuple should have at least 1 item after validation, not 0."),
        ({"split": "rest"}, "split: Input should be 'train', 'validation', 'test' or 'all'."),
        ({"device": "tpu", "seed": -1}, "seed: Input should be greater than or equal to 0; "
         "device: String should match pattern '^(cpu|mps|cuda:[0-9]{1,3})$'."),
    ],
)  # fmt: skip
def test_names_all_that_does_not_fit(change, message):
    with pytest.raises(InvalidInputError) as caught:
        request(**change)
    assert str(caught.value) == f"The request does not fit: {message}"


def test_more_rows_than_a_request_may_list_are_refused():
    with pytest.raises(InvalidInputError, match="at most 10000 items"):
        request(rows=tuple(range(10_001)))


def test_the_method_and_its_settings_are_checked():
    with pytest.raises(InvalidInputError, match="There is no method 'shapley"):
        _ = request(method="shapley.magic").key
    with pytest.raises(InvalidInputError, match="Settings do not fit: budget: "):
        _ = request(params={"budget": 1}).key


def test_work_is_what_the_engines_are_given_in_process():
    model, table = wine()
    asked = request(rows=(3, 5), seed=2)
    work = asked.work("local")
    background = api.background_for(model, table, n=20, seed=2)
    assert work.model.digest == model.digest
    assert work.rows.digest == api.load_table("wine")[[3, 5]].digest
    assert work.background.digest == background.digest
    assert work.background.name == "wine/train"


def test_a_model_or_table_that_changed_is_refused():
    with pytest.raises(RegistryError) as caught:
        request(model_digest=OTHER).work("local")
    assert str(caught.value) == (
        "Model 'wine-mlp' is another one now than when the job was submitted; open the page again "
        "and submit a new job."
    )
    with pytest.raises(DataError) as caught:
        request(table_digest=OTHER).work("local")
    assert str(caught.value) == (
        "Table 'wine' holds other rows now than when the job was submitted; open the page again "
        "and submit a new job."
    )


def test_a_background_must_be_asked_for_where_one_is_used():
    with pytest.raises(InvalidInputError) as caught:
        request(background=0).work("local")
    assert str(caught.value) == (
        "Shapley values, paired kernel regression needs background rows; ask for at least one."
    )


def test_a_method_that_splits_the_table_itself_is_handed_all_of_it():
    asked = request(method="rashomon.set", params={}, rows=(3, 5), background=0)
    work = asked.work("local")
    whole = api.load_table("wine", split="all")
    assert work.rows.digest == api.load_table("wine")[[3, 5]].digest
    assert work.background.digest == whole.digest
    assert asked.key == request(method="rashomon.set", params={}, rows=(3, 5), background=7).key
    assert asked.key != request(
        method="rashomon.set", params={"models": 9}, rows=(3, 5), background=0
    ).key  # fmt: skip


def test_an_uploaded_table_gives_its_own_training_rows(monkeypatch):
    table = tiny_table(n=60)
    model = tiny_model(table)
    assert background_source(model, table, 36).digest == table.split("train").digest
    assert background_source(model, table, 37) is table, "too few training rows"
    few = table[:4]
    assert background_source(model, few, 2) is few, "too few rows to split"
    monkeypatch.setattr(sources, "find_model", lambda *_: model)
    monkeypatch.setattr(sources, "find_table", lambda *_: table)
    asked = request(
        model="my:tiny", model_digest=model.digest, table="my:tiny", table_digest=table.digest,
        split="all", rows=(7,), background=30, seed=4,
    )  # fmt: skip
    work = asked.work("somebody")
    assert work.background.digest == table.split("train").sample(30, seed=4).digest


def test_rows_are_looked_at_with_other_values():
    _, table = wine()
    name = table.schema.names[0]
    asked = request(rows=(4, 2), changes={name: 12.5})
    rows = asked.select(table)
    plain = request(rows=(4, 2)).select(table)
    assert rows.X[:, 0].tolist() == [12.5, 12.5]
    assert torch.equal(rows.X[:, 1:], plain.X[:, 1:])
    assert rows.ids.tolist() == plain.ids.tolist()
    assert asked.key != request(rows=(4, 2)).key
    assert asked.key != request(rows=(4, 2), changes={name: 12.6}).key
    with pytest.raises(InvalidInputError, match="no column 'nowhere'"):
        request(changes={"nowhere": 1}).select(table)
    with pytest.raises(InvalidInputError, match="holds numbers, got 'red'"):
        request(changes={name: "red"}).select(table)
