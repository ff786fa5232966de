"""A scikit-learn model as an ONNX file says and explains what it says without the detour."""

import json
import os
import signal
import threading

import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from tests.networks import shapley_by_permutations
from tests.onnx_files import (
    FLOAT,
    INT64,
    STRING,
    as_words,
    card,
    constant,
    endless,
    export,
    file_of,
    frame,
    node,
    numbers,
    people,
    pipeline,
    tensor,
)  # fmt: skip
from workbench import api
from workbench.core.card import Card
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError, LimitError, RegistryError
from workbench.core.model import Model
from workbench.core.schema import Feature
from workbench.engines import shapley
from workbench.numerics.game import BLACK_BOX_CHUNK_ROWS, Game
from workbench.numerics.maskers import marginal
from workbench.registry import onnx_runner
from workbench.registry.onnx_model import inspect_onnx, load_onnx, plan_onnx


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


@pytest.fixture(autouse=True, scope="module")
def _no_process_left():
    yield
    onnx_runner.close_idle(-1)


def model_of(path, schema, **plan):
    network = plan_onnx(inspect_onnx(path), schema, **plan)
    made = card(schema, network, path)
    stored = Card.model_validate_json(made.model_dump_json(by_alias=True))
    return Model(*load_onnx(path, stored), stored, "1" * 64)


@pytest.fixture(scope="module", params=["logistic", "forest", "boosting", "matrix"])
def pair(request, tmp_path_factory):
    """An exported model, the function it was made of, and a table."""
    path = tmp_path_factory.mktemp(request.param) / "model.onnx"
    tasks = {"boosting": "regression", "matrix": "multiclass"}
    table = people(task=tasks.get(request.param, "binary"))
    if request.param == "matrix":
        fitted = RandomForestClassifier(10, max_depth=4, random_state=0)
        fitted.fit(table.X.numpy().astype(np.float32), as_words(table))
        export(fitted, path, matrix=4, zipmap=False)
        order = [list(fitted.classes_).index(name) for name in table.schema.classes]

        def answer(X):
            return fitted.predict_proba(X.numpy().astype(np.float32))[:, order]

    else:
        estimator = {
            "logistic": LogisticRegression(),
            "forest": RandomForestClassifier(10, max_depth=4, random_state=0),
            "boosting": GradientBoostingRegressor(n_estimators=20, random_state=0),
        }[request.param]
        fitted = pipeline(table, estimator, scale=request.param == "logistic")
        export(fitted, path)

        def answer(X):
            rows = frame(table.__class__(table.schema, X, torch.arange(len(X))))
            if request.param == "boosting":
                return fitted.predict(rows)[:, None]
            return fitted.predict_proba(rows)

    model = model_of(path, table.schema)
    assert all(len(note) > 20 and note.endswith(".") for note in
               model.card.network.arguments["notes"])  # fmt: skip
    return model, answer, table


def test_predictions_are_those_of_the_original(pair):
    model, answer, table = pair
    said = model.predict(table.X)
    assert said.dtype == torch.float64
    np.testing.assert_allclose(said.numpy(), answer(table.X), atol=1e-5)
    assert model.capabilities == {"black_box"}
    assert (model.device.type, model.dtype) == ("cpu", torch.float64)
    assert model.groups.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("method", ["kernel", "exact"])
def test_explanations_are_those_of_the_original_by_definition(pair, method):
    """Every order of the four features, on the in-process model."""
    model, answer, table = pair
    rows, background = table[:2], table[20:45]
    found = shapley.explain(model, rows, background, method=method)
    for row, x in enumerate(rows.X):

        def value(known, x=x):
            return torch.from_numpy(answer(torch.where(known, x, background.X)).mean(0))

        expected = shapley_by_permutations(value, 4)
        np.testing.assert_allclose(found.values[row], expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(found.predictions, answer(rows.X), atol=1e-5)
    assert found.provenance.chunk_rows == BLACK_BOX_CHUNK_ROWS


def test_a_copy_elsewhere_is_the_same_process_on_the_cpu(pair):
    model, _, table = pair
    before = model.predict(table.X)
    moved = model.to("meta", torch.float32)
    assert (moved.device.type, moved.dtype) == ("cpu", torch.float64)
    assert moved.network is model.network
    assert torch.equal(moved.predict(table.X), before)
    again = load_onnx(model.network.runner.path, model.card)[1]
    assert again.runner is model.network.runner


def small(tmp_path, nodes, task="binary", d=2, gives=None, **file):
    path = file_of(tmp_path / "model.onnx", nodes, **file)
    return model_of(path, numbers(d, task), gives=gives)


def rows(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_a_single_number_is_the_probability_of_the_second_class(tmp_path):
    nodes = [node("ReduceSum", ("X", "axis"), ("S",), keepdims=1), node("Sigmoid", ("S",))]
    model = small(tmp_path, nodes, outputs=[tensor("Y", [None, 1])],
                  initializers=[constant("axis", [1])])  # fmt: skip
    assert model.card.network.arguments["gives"] == "positive"
    X = rows([1, 2], [-0.5, 0.25])
    expected = torch.sigmoid(X.sum(1))
    torch.testing.assert_close(model.predict(X)[:, 1], expected, atol=1e-7, rtol=0)
    torch.testing.assert_close(model.predict(X).sum(1), torch.ones(2).double())
    torch.testing.assert_close(model.scores(X)[:, 1], X.sum(1), atol=1e-5, rtol=0)


def test_a_single_number_without_bounds_is_the_log_odds_of_the_second_class(tmp_path):
    nodes = [node("ReduceSum", ("X", "axis"), ("Y",), keepdims=0)]
    model = small(tmp_path, nodes, outputs=[tensor("Y", [None])],
                  initializers=[constant("axis", [1])])  # fmt: skip
    X = rows([1, 2], [-3, 1])
    torch.testing.assert_close(model.scores(X)[:, 1], X.sum(1))
    torch.testing.assert_close(model.predict(X)[:, 1], torch.sigmoid(X.sum(1)))


def test_numbers_that_are_no_probabilities_are_logits(tmp_path):
    model = small(tmp_path, [node("Identity")])
    assert model.card.network.arguments["notes"][1:] == [
        "The answer is taken as logits; their softmax are the probabilities.",
        "The file names no classes; its columns are taken as no, yes.",
    ]
    X = rows([1, 3], [0, -2])
    torch.testing.assert_close(model.predict(X), X.softmax(1))
    torch.testing.assert_close(model.scores(X)[:, 1], X[:, 1] - X[:, 0])


def test_a_certain_model_has_probabilities_but_no_log_odds(tmp_path):
    nodes = [node("Greater", ("X", "zero"), ("B",)), node("Cast", ("B",), to=FLOAT)]
    file = {"inputs": [tensor("X", [None, 1])], "outputs": [tensor("Y", [None, 1])],
            "initializers": [constant("zero", np.float32(0))]}  # fmt: skip
    model = small(tmp_path, nodes, d=1, **file)
    X = rows([1.0], [-1.0])
    assert model.predict(X).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    with pytest.raises(InvalidInputError) as caught:
        model.scores(X)
    assert str(caught.value) == (
        "Model people@1 gives a probability of exactly 0 or 1 for some rows, whose log-odds are "
        "infinite; explain the probability instead of the score."
    )


def test_missing_numbers_arrive_as_they_are(tmp_path):
    model = small(tmp_path, [node("IsNaN", ("X",), ("B",)), node("Cast", ("B",), to=FLOAT)],
                  gives="logits")  # fmt: skip
    logits = model.network(rows([np.nan, 1.0], [2.0, np.nan]))
    assert logits.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_double_precision_stays(tmp_path):
    model = small(tmp_path, [node("Identity")], inputs=[tensor("X", [None, 2], 11)],
                  outputs=[tensor("Y", [None, 2], 11)])  # fmt: skip
    X = rows([1 + 1e-12, 0.1])
    assert torch.equal(model.network(X), X)


def test_words_whole_numbers_and_truth_values_reach_their_inputs(tmp_path):
    schema = numbers(3, "regression", names="wit").edit("w", kind="categorical",
                                                        categories=("low", "high"))  # fmt: skip
    nodes = [
        node("LabelEncoder", ("w",), ("W",), domain="ai.onnx.ml", keys_strings=["high", "", "low"],
             values_floats=[100.0, 200.0, 300.0]),
        node("Cast", ("i",), ("I",), to=FLOAT), node("Cast", ("t",), ("T",), to=FLOAT),
        node("Sum", ("W", "I", "T")),
    ]  # fmt: skip
    inputs = [tensor("i", [None], INT64), tensor("w", [None], STRING), tensor("t", [None], 9)]
    path = file_of(tmp_path / "m.onnx", nodes, inputs=inputs, outputs=[tensor("Y", [None])])
    model = model_of(path, schema)
    X = rows([0, 7, 0], [1, -3, 1], [np.nan, 0, 5])
    assert model.predict(X)[:, 0].tolist() == [307.0, 98.0, 201.0]
    for bad, message in (
        ([0, 0.5, 0], "Feature 'i' has a missing value or a fraction in some row, and the model "
         "reads whole numbers there; leave out such rows, choose a method that does not draw "
         "numbers (Shapley values do not, LIME does), or export the model with a float input."),
        ([0, 1, np.nan], "Feature 't' is missing in some row, and the model reads true or false "
         "there; leave out such rows, or export the model with a float input."),
        ([2, 1, 1], "Feature 'w' has a code without a category."),
    ):  # fmt: skip
        if bad == [2, 1, 1]:
            bad[0] = 3
        with pytest.raises(InvalidInputError) as caught:
            model.predict(rows(bad))
        assert str(caught.value) == message
    assert model.predict(X).shape == (3, 1), "a refused row must not end the process"


def test_categories_that_are_numbers_are_read_as_these_and_others_as_codes(tmp_path):
    path = file_of(tmp_path / "m.onnx", [node("Identity")])
    features = (Feature(name="a", kind="categorical", categories=("10", "2.5")),
                Feature(name="b", kind="categorical", categories=("x", "y")))  # fmt: skip
    schema = numbers(2).model_copy(update={"features": features})
    model = model_of(path, schema, gives="logits")
    assert model.card.network.arguments["notes"][:3] == [
        "Input 'X' reads the features in this order: a, b.",
        "Input 'X' reads categories of 'a' as the numbers that they name.",
        "Input 'X' reads categories of 'b' as codes (x = 0, y = 1).",
    ]
    logits = model.network(rows([0, 1], [1, 0], [np.nan, 1]))
    torch.testing.assert_close(logits, rows([10, 1], [2.5, 0], [np.nan, 1]), equal_nan=True)


def test_the_empty_table_and_more_rows_than_a_batch(tmp_path):
    model = small(tmp_path, [node("Identity")], gives="logits")
    assert model.network(torch.empty(0, 2)).shape == (0, 2)
    X = torch.randn(2 * onnx_runner.BATCH_ROWS + 3, 2).float().double()
    assert torch.equal(model.network(X), X)


def test_an_answer_that_is_no_probability_is_refused_when_it_comes(tmp_path):
    model = small(tmp_path, [node("Identity")], gives="probabilities")
    torch.testing.assert_close(model.predict(rows([0.25, 0.75])), rows([0.25, 0.75]))
    with pytest.raises(RegistryError) as caught:
        model.predict(rows([1, 3]))
    assert str(caught.value) == (
        "people@1 gives numbers that are not probabilities, against its card; publish it again as "
        "a model that gives logits."
    )


def test_an_answer_of_changing_width_is_refused(tmp_path):
    """Two columns for the made-up rows, fewer for other rows."""
    nodes = [
        node("ReduceMax", ("X",), ("M",), keepdims=0), node("Cast", ("M",), ("I",), to=INT64),
        node("Min", ("I", "two"), ("W",)), node("Max", ("W", "one"), ("W1",)),
        node("Unsqueeze", ("W1", "zero"), ("E",)), node("Slice", ("X", "start", "E", "axis")),
    ]  # fmt: skip
    held = {"two": np.int64(2), "one": np.int64(1), "zero": [0], "start": [0], "axis": [1]}
    model = small(tmp_path, nodes, outputs=[tensor("Y", [None, None])], gives="logits",
                  initializers=[constant(k, v) for k, v in held.items()])  # fmt: skip
    assert model.network(rows([1, 3])).shape == (1, 2)
    with pytest.raises(RegistryError) as caught:
        model.network(rows([1, 0]))
    assert str(caught.value) == (
        "'people@1' answers with 1 columns, its card says 2; export the model again."
    )


def test_a_killed_process_is_one_sentence_and_the_next_call_works(tmp_path):
    slow = endless(2**34)
    gate = [node("ReduceMax", ("X",), ("M",), keepdims=0), node("Cast", ("M",), ("T",), to=INT64)]
    slow["nodes"][0].input[0] = "T"
    model = small(tmp_path, gate + slow["nodes"], initializers=slow["initializers"][1:],
                  gives="logits")  # fmt: skip
    X = rows([1.0, 1.0])
    assert model.network(X).tolist() == [[2.0, 2.0]]
    runner = model.network.runner
    threading.Timer(0.3, lambda: os.kill(runner.pid, signal.SIGKILL)).start()
    with pytest.raises(LimitError) as caught:
        model.network(rows([2.0**33, 1.0]))
    assert str(caught.value) == (
        "The ONNX model people@1 failed because its process ended (SIGKILL); the file may be "
        "damaged, or need more memory than the setting onnx_bytes allows."
    )
    assert model.network(X).tolist() == [[2.0, 2.0]]
    os.kill(runner.pid, signal.SIGKILL)
    while runner._worker.alive:
        pass
    assert model.network(X).tolist() == [[2.0, 2.0]], "killed while idle: nobody need know"


def test_a_batch_that_takes_too_long_names_the_setting(tmp_path, monkeypatch):
    path = file_of(tmp_path / "model.onnx", **endless())
    schema = numbers()
    network = {"name": "onnx", "arguments": {
        "inputs": [{"name": "X", "dtype": "float", "axes": 2, "features": [
            {"column": 0, "name": "a"}, {"column": 1, "name": "b"}]}],
        "output": "Y", "gives": "logits", "width": 2, "order": [0, 1]}}  # fmt: skip
    made = card(schema, network, path)
    model = Model(*load_onnx(path, made), made, "1" * 64)
    monkeypatch.setenv("WORKBENCH_ONNX_SECONDS", "0.5")
    with pytest.raises(LimitError) as caught:
        model.predict(rows([0, 0]))
    assert str(caught.value) == (
        "The ONNX model people@1 took longer than 0.5 seconds and was stopped; give it less to do, "
        "or raise the setting onnx_seconds."
    )


def test_idle_processes_end_and_busy_ones_stay(tmp_path):
    model = small(tmp_path, [node("Identity")], gives="logits")
    model.network(rows([1, 2]))
    pid = model.network.runner.pid
    onnx_runner.close_idle(60)
    assert model.network.runner.pid == pid
    onnx_runner.close_idle(-1)
    assert model.network.runner.pid is None
    assert model.network(rows([1, 2])).tolist() == [[1.0, 2.0]]


def test_threads_share_one_process(tmp_path):
    model = small(tmp_path, [node("Identity")], gives="logits")
    wrong = []

    def ask(own):
        for _ in range(10):
            X = torch.full((50, 2), own).double()
            if not torch.equal(model.network(X), X):
                wrong.append(own)

    threads = [threading.Thread(target=ask, args=(float(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_changed_file_is_not_run(tmp_path):
    model = small(tmp_path, [node("Identity")], gives="logits")
    file = tmp_path / "model.onnx"
    file_of(file, [node("Neg")])
    onnx_runner.close_idle(-1)
    with pytest.raises(RegistryError) as caught:
        model.network(rows([1, 2]))
    assert str(caught.value) == (
        f"The file {str(file)!r} of people@1 is not the one of its card (it was changed or cut "
        "short); restore the file or publish the model again."
    )


def test_a_run_can_be_cancelled_after_any_batch(tmp_path):
    model = small(tmp_path, [node("Identity")], gives="logits")
    steps = []

    def stop(done, _total, _message):
        steps.append(done)
        if done > 300:
            raise CancelledError("Cancelled.")

    context = Context(chunk_rows=100, progress=stop)
    X = torch.randn(60, 2).double()
    table = people()[:60]
    background = table.__class__(model.schema, X, torch.arange(60), name="numbers")
    game = Game(model, marginal(background), context=context)
    with pytest.raises(CancelledError):
        game.values(torch.randn(50, 2).double(), torch.tensor([[True, False], [False, True]]))
    assert 300 < steps[-1] <= 400


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gives": "odds"}, "The card of people@1 does not fit an ONNX model: gives: Input should"),
        ({"width": 3}, "The card of people@1 says that the model gives 3 column(s) of logits, "),
        ({"order": [0, 0]}, "The card of people@1 says that the model gives 2 column(s) of logits"),
        ({"gives": "values", "width": 1}, "The card of people@1 says that the model gives 1 col"),
        ({"inputs": [{"name": "X", "dtype": "float", "axes": 2, "features": [
            {"column": 0, "name": "a"}]}]},
         "The card of people@1 does not fill every input with one feature."),
    ],
)  # fmt: skip
def test_a_card_that_does_not_fit_is_refused(tmp_path, change, message):
    path = file_of(tmp_path / "model.onnx", [node("Identity")])
    network = plan_onnx(inspect_onnx(path), numbers())
    network.arguments.update(change)
    with pytest.raises(RegistryError) as caught:
        load_onnx(path, card(numbers(), network, path))
    assert str(caught.value).startswith(message)


def test_arguments_of_a_card_are_plain_json(pair):
    arguments = pair[0].card.network.arguments
    assert json.loads(json.dumps(arguments, allow_nan=False)) == arguments


def test_numbers_of_which_the_model_takes_no_fractions_stay_whole(tmp_path):
    """The file reads children as int64; every other explanation is of that model as well."""
    table = people()
    path = export(pipeline(table, LogisticRegression()), tmp_path / "people.onnx")
    model = model_of(path, table.schema)
    assert model.whole_numbers == {table.schema.names.index("children")}
    found = api.faithfulness(model, table[:4], table, perturbations=64, heldout=32)
    assert found.reference[2] == round(float(table.X[:, 2].mean()))
    assert np.isnan(found.values[:, found.method_index("c-lime"), 2]).all()
    assert np.isfinite(found.values[:, found.method_index("kernelshap")]).all()
    assert any("whole numbers alone for children" in note for note in found.provenance.notes)
    values = shapley.explain(model, table[:4], table, method="shapley.exact", value="baseline")
    np.testing.assert_allclose(
        found.values[:, found.method_index("kernelshap")], values.values, atol=1e-9
    )
    measured = api.measures(model, table[:2], table, perturbations=64, repeats=10, copies=2)
    assert np.isfinite(measured.scores[:, 0, measured.measures.index("pgi")]).all()


@pytest.mark.parametrize("sampling", ["discretised", "mean-centred", "around"])
@pytest.mark.parametrize("method", ["lime.tabular", "lime.reference"])
def test_lime_asks_for_whole_numbers_where_the_model_takes_no_others(tmp_path, method, sampling):
    table = people(n=60)
    path = export(pipeline(table, LogisticRegression()), tmp_path / "people.onnx")
    model = model_of(path, table.schema)
    found = api.lime(model, table[:1], table, method=method, sampling=sampling, perturbations=500)
    children = table.schema.names.index("children")
    assert abs(found.coefficients[0, children, 1]) > 5 * found.std_errors[0, children, 1] > 0
