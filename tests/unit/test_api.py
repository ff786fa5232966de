"""The headless verbs: rows, tables, backgrounds, methods, costs; and they are the engines'."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench import api
from workbench.core.errors import DataError, InvalidInputError, RegistryError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.data.bundled import save_schema
from workbench.engines import shapley


def table(n):
    return Table(
        schema=Schema(features=(Feature(name="a"),)),
        X=torch.arange(n, dtype=torch.float64)[:, None],
        ids=torch.arange(n) + 100,
        name="toy",
    )


@pytest.fixture(scope="module")
def wine():
    return api.load_model("wine-mlp"), api.load_table("wine")


@pytest.fixture(scope="module")
def adult():
    return api.load_model("adult-mlp"), api.load_table("adult")


# --- rows ----------------------------------------------------------------------------------------

BOUND = st.one_of(st.none(), st.integers(-30, 30))


@given(st.integers(1, 20), BOUND, BOUND)
def test_a_range_is_pythons(n, start, stop):
    text = ":".join("" if bound is None else str(bound) for bound in (start, stop))
    expected = list(range(n))[start:stop]
    if expected:
        assert api.select_rows(table(n), text).X[:, 0].tolist() == expected
        assert api.select_rows(table(n), f" {text} ").ids.tolist() == [i + 100 for i in expected]
    else:
        with pytest.raises(InvalidInputError, match="hold no row of table 'toy', which has rows 0"):
            api.select_rows(table(n), text)


@given(st.integers(1, 20), st.lists(st.integers(-25, 25), min_size=1, max_size=5))
def test_a_list_is_pythons_too(n, chosen):
    text = ", ".join(map(str, chosen))
    outside = [row for row in chosen if not -n <= row < n]
    if outside:
        with pytest.raises(InvalidInputError, match=f"^Row {outside[0]} is not in table 'toy'"):
            api.select_rows(table(n), text)
    else:
        got = api.select_rows(table(n), text)
        assert got.X[:, 0].tolist() == [float(range(n)[row]) for row in chosen]


@given(st.text(alphabet="0123456789:-, ٣²x", max_size=8))
def test_any_text_gives_rows_or_one_sentence(text):
    try:
        assert len(api.select_rows(table(5), text)) > 0
    except InvalidInputError as error:
        assert str(error).endswith(".")  # noqa: PT017


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("5:2", "Rows '5:2' hold no row of table 'toy', which has rows 0 to 9; a range goes up to "
         "its second number, without it."),
        ("3:3", "Rows '3:3' hold no row of table 'toy', which has rows 0 to 9; a range goes up to "
         "its second number, without it."),
        ("10", "Row 10 is not in table 'toy', which has rows 0 to 9."),
        ("-11", "Row -11 is not in table 'toy', which has rows 0 to 9."),
        ("1,99,2", "Row 99 is not in table 'toy', which has rows 0 to 9."),
        ("x", "Rows 'x' are not understood; write 5, 0:200, or 3,7,11."),
        ("", "Rows '' are not understood; write 5, 0:200, or 3,7,11."),
        ("1,", "Rows '1,' are not understood; write 5, 0:200, or 3,7,11."),
        ("0:9:2", "Rows '0:9:2' are not understood; write 5, 0:200, or 3,7,11."),
        ("-:3", "Rows '-:3' are not understood; write 5, 0:200, or 3,7,11."),
        ("1_0", "Rows '1_0' are not understood; write 5, 0:200, or 3,7,11."),
        ("9" * 5000 + ":", f"Rows {'9' * 60!r} are not understood; write 5, 0:200, or 3,7,11."),
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_says_which_rows_there_are(rows, message):
    with pytest.raises(InvalidInputError) as caught:
        api.select_rows(table(10), rows)
    assert str(caught.value) == message


def test_negative_rows_count_from_the_end():
    assert api.select_rows(table(10), "-1,-10").ids.tolist() == table(10)[[9, 0]].ids.tolist()
    assert api.select_rows(table(10), "-3:").ids.tolist() == table(10)[7:].ids.tolist()


@pytest.mark.parametrize(
    ("source", "schema", "message"),
    [
        (table(10), None, "given as text or as a path, got Table; a Table or a pandas frame can"),
        ("wine", Schema, "schema must be a Schema, such as table.schema, or a file of one, got "
         "the class Schema itself; without one"),
        ("wine", {"features": []}, "or a file of one, got dict; without one the schema is guess"),
    ],
    ids=["a table", "a class", "a dict"],
)  # fmt: skip
def test_says_what_a_table_is_read_from(source, schema, message):
    with pytest.raises(InvalidInputError, match=message):
        api.load_table(source, schema=schema)


# --- tables --------------------------------------------------------------------------------------


def test_a_bundled_table_is_its_test_rows_unless_asked():
    whole = api.load_table("wine", split="all")
    parts = {part: api.load_table("wine", split=part) for part in ("train", "validation", "test")}
    assert torch.equal(api.load_table("wine").ids, parts["test"].ids)
    assert api.load_table("wine").name == "wine/test"
    together = torch.cat([part.ids for part in parts.values()])
    assert len(whole) == 178
    assert sorted(together.tolist()) == whole.ids.tolist()
    assert [len(part) for part in parts.values()] == [106, 36, 36]


def test_a_hyphen_is_an_underscore():
    assert api.load_table("breast_cancer").digest == api.load_table("breast-cancer").digest


def test_a_file_is_all_its_rows_in_the_codes_of_the_model(adult, tmp_path):
    model, rows = adult
    path = tmp_path / "people.csv"
    chosen = rows[:7]
    chosen.to_frame().drop(columns="income").to_csv(path, index=False)
    read = api.load_table(path, model=model)
    np.testing.assert_array_equal(read.X, chosen.X)
    assert read.schema == model.schema
    assert (read.name, read.y) == ("people", None)
    assert len(api.load_table(str(path), model=model, split="test")) == 2


def test_a_schema_file_comes_before_the_model(adult, tmp_path):
    model, rows = adult
    path, schema = tmp_path / "people.csv", tmp_path / "own.json"
    rows[:7].to_frame()[["age", "sex"]].to_csv(path, index=False)
    own = Schema(
        features=tuple(model.schema.features[model.schema.index(c)] for c in ("age", "sex"))
    )
    save_schema(own, schema)
    for either in (schema, own):
        assert api.load_table(path, schema=either, model=model).schema == own
    with pytest.raises(DataError, match="Table 'people' lacks columns 'workclass', "):
        api.load_table(path, model=model)


def test_extra_columns_are_left_out_only_when_asked(wine, tmp_path):
    model, rows = wine
    path = tmp_path / "more.csv"
    rows[:3].to_frame().assign(shelf=1).to_csv(path, index=False)
    with pytest.raises(DataError, match="has column 'shelf' beyond the schema"):
        api.load_table(path, model=model)
    read = api.load_table(path, model=model, ignore_extra=True)
    np.testing.assert_array_equal(read.X, rows[:3].X)


def test_says_which_splits_there_are():
    with pytest.raises(InvalidInputError) as caught:
        api.load_table("wine", split="dev")
    assert str(caught.value) == ("There is no split 'dev'; choose train, validation, test or all.")


# --- background ----------------------------------------------------------------------------------


def test_a_background_is_training_rows_of_the_model(adult):
    model, rows = adult
    training = api.load_table("adult", split="train")
    drawn = api.background_for(model, rows[:1], n=50, seed=3)
    assert torch.equal(drawn.ids, training.sample(50, seed=3).ids)
    assert set(drawn.ids.tolist()) <= set(training.ids.tolist())
    assert len(api.background_for(model, rows[:1])) == 100
    assert drawn.digest != api.background_for(model, rows[:1], n=50, seed=4).digest


def test_without_bundled_training_rows_the_background_is_of_the_given_rows(wine):
    model, rows = wine
    own = type(model)(
        model.encoder,
        model.network,
        model.card.model_copy(update={"training_table": "cellar.csv"}),
        model.digest,
    )
    drawn = api.background_for(own, rows, n=36)
    assert torch.equal(drawn.ids, rows.ids)
    with pytest.raises(InvalidInputError) as caught:
        api.background_for(own, rows, n=37)
    assert str(caught.value) == (
        "The training rows of wine-mlp@1 are not here, and 37 background rows cannot be drawn from "
        "the 36 rows to explain; give a background (background=, --background)."
    )


def test_a_seed_is_not_negative(wine):
    model, rows = wine
    for call in (
        lambda: api.explain(model, rows[:1], rows, seed=-1),
        lambda: api.background_for(model, rows, seed=-1),
    ):
        with pytest.raises(InvalidInputError) as caught:
            call()
        assert str(caught.value) == "A seed must be a whole number of at least 0, got -1."


# --- methods and costs ---------------------------------------------------------------------------


def test_a_method_may_be_called_by_its_last_word():
    names = api.list_methods()
    assert {"shapley.exact", "shapley.kernel", "shapley.permutation"} <= names.keys()
    for name in names:
        assert api.find_method(name) == name
    assert api.find_method("kernel") == "shapley.kernel"


@pytest.mark.parametrize("name", ["kernels", "", "shapley", "shapley.", "auto"])
def test_says_which_methods_there_are(name):
    with pytest.raises(InvalidInputError) as caught:
        api.find_method(name)
    assert str(caught.value) == (
        f"There is no method {name!r}; choose auto or one of {', '.join(api.list_methods())}."
    )


CASES = [
    ("wine", "exact", {}, 3, 20),
    ("wine", "kernel", {}, 3, 20),
    ("wine", "kernel", {"budget": 64}, 2, 20),
    ("wine", "kernel", {"budget": 512, "tolerance": 0.2}, 2, 20),
    ("wine", "permutation", {"budget": 400}, 3, 20),
    ("wine", "permutation", {"budget": 400, "tolerance": 0.2}, 2, 20),
    ("wine", "auto", {}, 1, 5),
    ("adult", "exact", {}, 2, 10),
    ("adult", "kernel", {"budget": 256}, 2, 10),
    ("adult", "permutation", {"budget": 256}, 2, 10),
    ("adult", "auto", {}, 2, 10),
]


@pytest.mark.parametrize(("name", "method", "params", "n", "b"), CASES)
def test_a_cost_is_an_upper_bound(name, method, params, n, b, request):
    model, rows = request.getfixturevalue(name)
    chosen, cost = api.estimate_cost(model, n, b, method=method, **params)
    background = api.background_for(model, rows, n=b)
    result = api.explain(model, rows[:n], background, method=method, **params)
    assert result.provenance.method == chosen
    assert 0 < result.provenance.evaluations <= cost.evaluations
    assert cost.n_bytes > 0


def test_a_cost_passes_over_settings_of_other_methods(wine):
    model, _ = wine
    name, cost = api.estimate_cost(model, 1, 10, method="exact", budget=64)
    assert name == "shapley.exact"
    assert cost == api.estimate_cost(model, 1, 10, method="shapley.exact")[1]
    assert api.estimate_cost(model, 10, 100_000)[0] == "shapley.kernel"


def test_a_cost_refuses_what_the_run_would_refuse(wine):
    model, _ = wine
    with pytest.raises(InvalidInputError) as caught:
        api.estimate_cost(model, 1, 10, method="kernel", budget=2, tolerance=3)
    assert str(caught.value) == (
        "Settings do not fit: budget: input should be greater than or equal to 4, got 2; "
        "tolerance: input should be less than 1, got 3."
    )


# --- explain -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["exact", "kernel", "shapley.permutation", "auto"])
def test_explains_as_the_engine_does(method, wine):
    model, rows = wine
    background = api.background_for(model, rows, n=15, seed=2)
    params = {} if method in {"exact", "auto"} else {"budget": 200}
    said = api.explain(model, rows[:2], background, method=method, seed=2, output="score", **params)
    direct = shapley.explain(
        model, rows[:2], background, method=method, seed=2, output="score", **params
    )
    np.testing.assert_array_equal(said.values, direct.values)
    np.testing.assert_array_equal(said.base_values, direct.base_values)
    assert said.unit == direct.unit == "logit"
    left_out = {"seconds", "created"}
    assert said.provenance.model_dump(exclude=left_out) == direct.provenance.model_dump(
        exclude=left_out
    )


def test_a_model_may_be_named_and_the_background_left_out(wine):
    model, rows = wine
    said = api.explain("wine-mlp", rows[:1], method="kernel", budget=100, seed=1)
    background = api.background_for(model, rows, n=100, seed=1)
    expected = api.explain(model, rows[:1], background, method="kernel", budget=100, seed=1)
    np.testing.assert_array_equal(said.values, expected.values)
    assert said.provenance.background == "100 rows of wine/train"


def test_progress_is_passed_on(wine):
    model, rows = wine
    seen = []
    background = api.background_for(model, rows, n=10)
    api.explain(
        model, rows[:2], background, method="kernel", budget=100,
        progress=lambda *step: seen.append(step),
    )  # fmt: skip
    assert seen
    assert all(0 < done <= total for done, total, _ in seen)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"model": "nope"}, RegistryError, "There is no model 'nope'; choose one of "),
        ({"method": "nope"}, InvalidInputError, "There is no method 'nope'; choose auto or one of"),
        ({"device": "gpu"}, InvalidInputError, "There is no device 'gpu'; choose auto, cpu, cuda"),
        ({"method": "exact", "budget": 9}, InvalidInputError,
         "Settings do not fit: budget is not a setting, choose among output, link, value."),
        ({"model": "adult-mlp"}, InvalidInputError, "Table 'wine/test' does not fit model "
         "adult-mlp@1: where the model reads 'age' (numeric), the table has 'alcohol' (numeric); "
         "read the file with the model's schema."),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_says_what_does_not_fit(call, error, message, wine):
    model, rows = wine
    call = {"model": model, "rows": rows[:1]} | call
    with pytest.raises(error) as caught:
        api.explain(call.pop("model"), call.pop("rows"), **call)
    assert str(caught.value).startswith(message)


def test_everything_it_promises_is_there():
    assert all(callable(getattr(api, name)) for name in api.__all__)
    assert api.list_tables() == ("adult", "german", "breast-cancer", "wine", "diabetes", "digits")


def test_explains_the_rows_of_a_frame():
    frame = api.load_table("wine").to_frame()[:2].reset_index(drop=True)
    model = api.load_model("wine-mlp")
    background = api.background_for(model, api.load_table("wine"), n=20)
    got = api.explain(model, frame, background, method="kernel", budget=64)
    assert got.names == model.schema.names
    np.testing.assert_array_equal(got.data, api.load_table("wine")[:2].X)
    with pytest.raises(
        InvalidInputError, match="The rows must be a Table or a pandas frame, got st"
    ):
        api.explain(model, "wine")
    for seed in (1.5, None, True, -1):
        with pytest.raises(InvalidInputError, match="A seed must be a whole number"):
            api.explain(model, frame, background, seed=seed)


def test_background_from_a_bundled_name_is_its_training_rows_however_it_is_spelt():
    model, rows = api.load_model("breast-cancer-mlp"), api.load_table("breast-cancer")
    for name in ("breast-cancer", "breast_cancer"):
        assert api.background_for(model, rows, n=9, source=name).name == "breast-cancer/train"


# --- rows of a file ------------------------------------------------------------------------------


@pytest.fixture
def patchy(tmp_path):
    """A file whose row 2 lacks a value and whose row 3 holds a word, in columns that allow neither.

    Of the column ``x`` both rows 4 and 5 have none, which the schema allows.
    """
    schema = Schema(features=(Feature(name="a"), Feature(name="x", has_missing=True)))
    path = save_schema(schema, tmp_path / "patchy.schema.json").with_name("patchy.csv")
    path.write_text("a,x\n0,1\n1,1\n,1\nword,1\n4,\n5,\n6,1\n", encoding="utf-8")
    return path


def test_a_column_that_is_empty_in_the_whole_file_is_refused_for_some_rows_too(patchy):
    patchy.write_text("a,x\n0,\n1,?\n2,\n", encoding="utf-8")
    with pytest.raises(DataError, match="'x' is missing in every row"):
        api.load_table(patchy, rows="1")


def test_only_the_rows_that_are_asked_for_have_to_be_complete(patchy):
    got = api.load_table(patchy, rows="4:6")
    assert got.ids.tolist() == [4, 5]
    assert got.X[:, 0].tolist() == [4.0, 5.0]
    assert got.X[:, 1].isnan().all(), "it says nothing of the whole column"
    assert api.load_table(patchy, rows="-1, 0").ids.tolist() == [6, 0]
    with pytest.raises(DataError, match="'a' has no value in row 2"):
        api.load_table(patchy, rows="1:3")
    with pytest.raises(DataError, match="'a' holds 'word' in row 3"):
        api.load_table(patchy, rows="3")
    with pytest.raises(DataError, match="'a'"):
        api.load_table(patchy)


@pytest.mark.parametrize(
    ("rows", "message"),
    [("7", "Row 7 is not in table 'patchy', which has rows 0 to 6."), ("x", "are not understood"),
     ("9:", "hold no row of table 'patchy'")],
)  # fmt: skip
def test_rows_that_a_file_has_not_are_refused(patchy, rows, message):
    with pytest.raises(InvalidInputError, match=message):
        api.load_table(patchy, rows=rows)


def test_rows_of_bundled_tables_and_splits_are_those_of_select_rows(tmp_path):
    picked = api.select_rows(api.load_table("wine"), "2:4")
    assert api.load_table("wine", rows="2:4").digest == picked.digest
    path = tmp_path / "wine.csv"
    api.load_table("wine", split="all").to_frame().to_csv(path, index=False)
    model = api.load_model("wine-mlp")
    for split in ("train", None):
        whole = api.load_table(path, model=model, split=split)
        part = api.load_table(path, model=model, split=split, rows="1,5")
        assert part.digest == api.select_rows(whole, "1,5").digest


def test_columns_that_the_model_does_not_read_are_kept_beside(tmp_path):
    model = api.load_model("wine-mlp")
    frame = api.load_table("wine", split="all").to_frame().assign(
        grower=["a", "b", "c"] * 59 + ["a"], day="2026-01-02"
    )  # fmt: skip
    path = tmp_path / "wines.csv"
    frame.to_csv(path, index=False)
    table = api.load_table(path, model=model, ignore_extra=True, beside=("grower",))
    assert table.aside is not None
    assert table.aside.schema.features[0].protected
    assert table.aside.to_frame()["grower"].tolist() == frame["grower"].tolist()
    with pytest.raises(DataError, match="has no column 'town'; choose among"):
        api.load_table(path, model=model, ignore_extra=True, beside=("town",))
    with pytest.raises(DataError, match="'day' makes no groups: it holds dates"):
        api.load_table(path, model=model, ignore_extra=True, beside=("day",))
