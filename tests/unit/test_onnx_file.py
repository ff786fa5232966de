"""What a file may hold, what it says about itself, and files made to do harm."""

import re
import warnings

import numpy as np
import onnx
import pytest
from onnx import helper
from sklearn.linear_model import LogisticRegression

from tests.onnx_files import (
    FLOAT,
    INT64,
    as_words,
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
from workbench.core.errors import LimitError, RegistryError
from workbench.isolation.process import Limits, call
from workbench.registry import onnx_file
from workbench.registry.onnx_model import OnnxFacts, OnnxInput, inspect_onnx, plan_onnx

DAMAGED = (
    "'m.onnx' is not an ONNX model, is damaged, or was cut short; export it again: for "
    "scikit-learn write skl2onnx.to_onnx(model, rows), for PyTorch torch.onnx.export."
)


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


def refusal(path, kind=RegistryError):
    with pytest.raises(kind) as caught:
        inspect_onnx(path)
    return str(caught.value)


def test_a_pipeline_of_scikit_learn_says_what_it_reads_and_gives(tmp_path):
    table = people()
    path = export(pipeline(table, LogisticRegression()), tmp_path / "m.onnx")
    facts = inspect_onnx(path)
    assert [(i.name, i.dtype, i.axes, i.columns) for i in facts.inputs] == [
        ("age", "float", 2, 1), ("Hours_per_week", "float", 2, 1), ("children", "int64", 2, 1),
        ("job", "string", 2, 1),
    ]  # fmt: skip
    assert (facts.output, facts.has_label, facts.classes) == (
        "output_probability", True, ("no", "yes"),
    )  # fmt: skip
    assert (facts.columns, facts.looks) == (2, "probabilities")
    assert facts.opsets["ai.onnx.ml"] >= 1
    assert "LinearClassifier" in facts.operators
    assert facts.producer.startswith("skl2onnx")
    arguments = plan_onnx(facts, table.schema).arguments
    assert [part["column"] for feed in arguments["inputs"] for part in feed["features"]] == [
        0, 1, 2, 3,
    ]  # fmt: skip
    assert (arguments["gives"], arguments["order"], arguments["notes"]) == (
        "probabilities", [0, 1], [],
    )  # fmt: skip


@pytest.mark.parametrize("zipmap", [True, False, "columns"])
def test_class_names_are_found_however_they_are_written(tmp_path, zipmap):
    table = people(task="multiclass")
    fitted = pipeline(table, LogisticRegression())
    path = export(fitted, tmp_path / "m.onnx", zipmap=zipmap)
    if zipmap == "columns":
        assert refusal(path) == (
            "'m.onnx' does not say what its answer is: more than one output could be the answer "
            "(outputs: 'output_label', 'shigh', 'slow', 'smid'); export one output of "
            "probabilities, logits or values."
        )
        return
    facts = inspect_onnx(path)
    assert facts.classes == ("high", "low", "mid")
    assert plan_onnx(facts, table.schema).arguments["order"] == [1, 2, 0]


def test_whole_numbers_as_classes_are_taken_in_order_with_a_note(tmp_path):
    table = people()
    fitted = LogisticRegression().fit(table.X.numpy(), table.y.numpy())
    facts = inspect_onnx(export(fitted, tmp_path / "m.onnx", matrix=4))
    assert facts.classes == ("0", "1")
    numeric = numbers(4)
    assert plan_onnx(facts, numeric).arguments["notes"] == [
        "Input 'X' reads the features in this order: a, b, c, d.",
        "The file numbers its classes; they are taken as 0 = no, 1 = yes.",
    ]


def test_garbage_and_what_was_cut_short_are_refused(tmp_path):
    path = tmp_path / "m.onnx"
    whole = export(pipeline(people(), LogisticRegression()), path).read_bytes()
    rng = np.random.default_rng(0)
    for content in (b"", b"\x00" * 100, rng.bytes(5000), b"PK\x03\x04" + rng.bytes(100),
                    b"\x80\x04cos\nsystem\n", whole[: len(whole) // 2]):  # fmt: skip
        with pytest.raises(RegistryError) as caught:
            onnx_file.parse(content, "m.onnx")
        assert str(caught.value) == DAMAGED
    path.write_bytes(whole[:-1])
    assert refusal(path) == DAMAGED


@pytest.mark.parametrize("where", [0.2, 0.4, 0.6, 0.8])
def test_whatever_a_changed_byte_does_it_is_one_foreseen_sentence(tmp_path, where):
    path = export(pipeline(people(), LogisticRegression()), tmp_path / "m.onnx")
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 0xFF
    path.write_bytes(content)
    try:
        inspect_onnx(path)
    except (RegistryError, LimitError) as error:
        said = str(error)
    else:
        said = "it can be read nevertheless"
    assert "not foreseen" not in said


def test_a_file_that_is_not_there_or_too_large(tmp_path, monkeypatch):
    assert refusal(tmp_path / "m.onnx") == ("'m.onnx' cannot be read: No such file or directory.")
    path = file_of(tmp_path / "m.onnx", [node("Identity")])
    monkeypatch.setenv("WORKBENCH_MAX_FILE_BYTES", "10")
    size = path.stat().st_size
    assert refusal(path, LimitError) == (
        f"'m.onnx' has {size} bytes, allowed are 10; export a smaller model, or raise the setting "
        "max_file_bytes."
    )


def elsewhere(location):
    outside = constant("w", np.float32([1, 2]))
    outside.ClearField("raw_data")
    outside.data_location = onnx.TensorProto.EXTERNAL
    entry = outside.external_data.add()
    entry.key, entry.value = "location", location
    return outside


def nested(kind, held):
    """The tensor within a graph, a function, an attribute, or a sparse tensor."""
    use = node("Add", ("X", "w"))
    if kind == "graph":
        return {"nodes": [use], "initializers": [held]}
    if kind == "attribute":
        return {"nodes": [node("Constant", (), ("w",), value=held), use]}
    if kind == "tensors":
        return {"nodes": [helper.make_node("Constant", [], ["w"], value_tensors=[held]), use]}
    if kind == "branch":
        branch = helper.make_graph([use], "branch", [], [tensor("Y", [None, 2])], [held])
        test = node("If", ("yes",), then_branch=branch, else_branch=branch)
        return {"nodes": [test], "initializers": [constant("yes", np.bool_(True))]}
    if kind == "sparse":
        sparse = onnx.SparseTensorProto(dims=[2])
        sparse.values.CopyFrom(held)
        sparse.indices.CopyFrom(constant("i", np.int64([0, 1])))
        return {"nodes": [node("Constant", (), ("w",), sparse_value=sparse), use]}
    body = [node("Constant", (), ("w",), value=held), use]
    own = helper.make_function("own", "F", ["X"], ["Y"], body, [helper.make_opsetid("", 17)])
    return {"nodes": [node("F", domain="own")], "functions": [own], "domains": ["own"]}


@pytest.mark.parametrize("kind", ["graph", "attribute", "tensors", "branch", "sparse", "function"])
@pytest.mark.parametrize("location", ["../../secret", "/etc/passwd"])
def test_data_in_other_files_is_refused_wherever_it_is_named(tmp_path, kind, location):
    (tmp_path / "secret").write_bytes(np.float32([1, 2]).tobytes())
    path = file_of(tmp_path / "m.onnx", **nested(kind, elsewhere(location)))
    assert refusal(path) == (
        "'m.onnx' keeps tensor 'w' in another file, which is never opened; save the model with "
        "everything in one file."
    )


@pytest.mark.parametrize("kind", ["graph", "attribute", "branch", "function"])
def test_the_same_files_with_their_data_inside_are_read(tmp_path, kind):
    path = file_of(tmp_path / "m.onnx", **nested(kind, constant("w", np.float32([1, 2]))))
    assert inspect_onnx(path).columns == 2


@pytest.mark.parametrize(
    ("kind", "domain"), [("Gelu", "com.microsoft"), ("Run", "evil"), ("Add", "ai.onnx.training")]
)
def test_operators_outside_the_standard_are_refused(tmp_path, kind, domain):
    path = file_of(tmp_path / "m.onnx", [node(kind, domain=domain)], domains=[domain])
    assert refusal(path) == (
        f"'m.onnx' uses operator {kind!r} of {domain!r}, which is not part of the ONNX standard; "
        "export it with standard operators."
    )


def test_random_numbers_are_refused(tmp_path):
    path = file_of(tmp_path / "m.onnx", [node("RandomNormalLike")])
    assert refusal(path) == (
        "'m.onnx' draws random numbers (RandomNormalLike), so the same row would get different "
        "answers; export the model in evaluation mode."
    )


def test_an_endless_loop_reaches_the_time_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ONNX_SECONDS", "0.7")
    path = file_of(tmp_path / "m.onnx", **endless())
    assert refusal(path, LimitError) == (
        "The ONNX model 'm.onnx' took longer than 0.7 seconds and was stopped; give it less to do, "
        "or raise the setting onnx_seconds."
    )


@pytest.mark.parametrize("shape", [[10**12], [10**5, 10**5]])
def test_an_absurd_array_reaches_the_memory_limit(tmp_path, shape):
    nodes = [node("ConstantOfShape", ("s",), ("C",)), node("ReduceMax", ("C",), ("M",), keepdims=0),
             node("Add", ("X", "M"))]  # fmt: skip
    path = file_of(tmp_path / "m.onnx", nodes, initializers=[constant("s", np.int64(shape))])
    assert refusal(path, LimitError) == (
        "The ONNX model 'm.onnx' needs more than 4 GiB of memory and was stopped; give it less to "
        "do, or raise the setting onnx_bytes."
    )


def test_absurd_declarations_are_refused(tmp_path):
    held = onnx.TensorProto(name="w", data_type=FLOAT, dims=[2**40, 2**40])
    path = file_of(tmp_path / "m.onnx", [node("Add", ("X", "w"))], initializers=[held])
    assert refusal(path) == (
        "'m.onnx' declares tensor 'w' of shape 1099511627776, 1099511627776, which is out of "
        "bounds; export the model again."
    )
    path = file_of(tmp_path / "m.onnx", [node("Identity")], inputs=[tensor("X", [None, 2**40])])
    assert refusal(path) == (
        "'m.onnx' declares 'X' of shape 1099511627776, which is out of bounds; export the model "
        "again."
    )


def test_too_many_operators_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "MAX_NODES", 5)
    path = file_of(tmp_path / "m.onnx", [node("Abs", (f"{i}",), (f"{i + 1}",)) for i in range(6)])
    with pytest.raises(RegistryError, match="has more than 5 operators; export a smaller model"):
        onnx_file.parse(path.read_bytes(), "m.onnx")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([tensor("X", [None, 3, 8, 8])], "Input 'X' of 'm.onnx' has 4 axes, and tables have two; "
         "export a model that reads rows by columns."),
        ([tensor("X", [1, 2])], "Input 'X' of 'm.onnx' takes exactly 1 rows at a time; export the "
         "model with a first axis of any length (None, or dynamic_shapes)."),
        ([tensor("X", [None, 2], onnx.TensorProto.COMPLEX64)], "Input 'X' of 'm.onnx' is not a "
         "table of numbers, texts or truth values; export a model that reads float, double, int32, "
         "int64, string or bool columns."),
        ([helper.make_tensor_sequence_value_info("X", FLOAT, [None, 2])], "Input 'X' of 'm.onnx' "
         "is not a table of numbers, texts or truth values; export a model that reads float, "
         "double, int32, int64, string or bool columns."),
        ([], "'m.onnx' has no inputs; export a model that reads rows."),
    ],
)  # fmt: skip
def test_inputs_that_are_no_table_are_refused(tmp_path, inputs, message):
    path = file_of(tmp_path / "m.onnx", [node("Identity")], inputs=inputs)
    assert refusal(path) == message


def test_outputs_that_are_no_answer_are_refused(tmp_path):
    nodes = [node("ArgMax", ("X",), ("Y",), axis=1, keepdims=0)]
    path = file_of(tmp_path / "m.onnx", nodes, outputs=[tensor("Y", [None], INT64)])
    end = "; export one output of probabilities, logits or values."
    start = "'m.onnx' does not say what its answer is: "
    assert refusal(path) == f"{start}no output holds numbers (outputs: 'Y'){end}"
    path = file_of(tmp_path / "m.onnx", [node("Identity")], outputs=[])
    assert refusal(path) == f"{start}no output holds numbers (outputs: none){end}"
    both = [tensor("Y", [None, 2]), tensor("Z", [None, 2])]
    path = file_of(tmp_path / "m.onnx", [node("Identity"), node("Abs", outputs=("Z",))],
                   outputs=both)  # fmt: skip
    assert refusal(path) == (
        f"{start}more than one output could be the answer (outputs: 'Y', 'Z'){end}"
    )


def test_an_answer_of_another_number_of_rows_is_refused(tmp_path):
    path = file_of(tmp_path / "m.onnx", [node("Transpose")], outputs=[tensor("Y", [2, None])])
    assert refusal(path) == (
        "'m.onnx' answers 64 rows with an array of shape (2, 64); export a model that gives one "
        "row of numbers for each row."
    )


@pytest.mark.parametrize("nodes", [[node("Nonsense")], [node("Identity", ("nowhere",))]])
def test_what_the_runtime_refuses_is_said_in_one_sentence(tmp_path, nodes):
    said = refusal(file_of(tmp_path / "m.onnx", nodes))
    assert re.fullmatch(r"'m\.onnx' cannot be run by the ONNX runtime: [^\n]+\.", said)


def test_a_file_cannot_write_or_connect_when_it_is_read(tmp_path):
    """The same limits as the model's, with a probe in its place."""
    from workbench.registry.onnx_runner import onnx_limits

    limits = onnx_limits("A probe", reads=())
    assert isinstance(limits, Limits)
    ours = "workbench.isolation.probe"
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    assert call(f"{ours}:read", {"path": str(secret)}, limits) == {"content": None}
    assert call(f"{ours}:write", {"path": str(tmp_path / "new")}, limits) == {"refused": True}
    assert call(f"{ours}:connect", {}, limits) == {"refused": True}


def facts(inputs=(("X", "float", 2),), **changes):
    given = {
        "name": "m.onnx", "output": "Y", "has_label": False, "classes": (), "columns": 2,
        "looks": "probabilities", "opsets": {}, "operators": (), "producer": "", "metadata": {},
    }  # fmt: skip
    made = [OnnxInput(name=n, dtype=t, axes=2, columns=c) for n, t, c in inputs]
    return OnnxFacts(inputs=tuple(made), **(given | changes))


WORDS = numbers(2).edit("b", kind="categorical", categories=("x", "y"))


@pytest.mark.parametrize(
    ("given", "schema", "message"),
    [
        (facts((("X", "float", 3),)), numbers(2), "Input 'X' of 'm.onnx' has 3 columns, the schema "
         "has 2 features; give a schema of the columns that the model reads, or export it with one "
         "input for all or one for each feature."),
        (facts((("a", "float", 1), ("z", "float", 1))), numbers(2), "Input 'z' of 'm.onnx' is no "
         "feature of the schema, which has a, b; give the schema the model's column names."),
        (facts((("a", "float", 1), ("A", "float", 1))), numbers(2), "Input 'A' of 'm.onnx' is no "
         "feature of the schema, which has a, b; give the schema the model's column names."),
        (facts((("a", "float", 1), ("b", "float", 1))), numbers(3), "Feature 'c' of the schema is "
         "read by no input of 'm.onnx', which has a, b; leave it out of the schema."),
        (facts((("a", "string", 1), ("b", "string", 1))), WORDS, "Input 'a' reads text, and "
         "feature 'a' is numeric; make it categorical in the schema."),
        (facts((("a", "int64", 1), ("b", "string", 1))), WORDS.edit("a", has_missing=True),
         "Feature 'a' has missing values, which input 'a' (int64) cannot read; export the model "
         "with a float input for it."),
        (facts(), numbers(2, "multiclass"), "'m.onnx' answers with 2 columns, the schema expects 3 "
         "for 3 output(s); give the schema the model's target and classes."),
        (facts(columns=3), numbers(2, "regression"), "'m.onnx' answers with 3 columns, the schema "
         "expects 1 for 1 output(s); give the schema the model's target and classes."),
        (facts(columns=1), numbers(2, "multiclass"), "'m.onnx' answers with one number, and the "
         "schema has 3 classes; export a model that gives one number for each class."),
        (facts(classes=("a", "b")), numbers(2), "The classes of 'm.onnx' are a, b, those of the "
         "schema are no, yes; give the schema the model's classes."),
        (facts(looks="numbers", has_label=True), numbers(2), "Output 'Y' of 'm.onnx' does not hold "
         "probabilities (its rows do not add up to 1); export a model with predict_proba, or say "
         "that it gives logits."),
        (facts(), numbers(2).model_copy(update={"classes": (), "task": None}), "The schema for "
         "'m.onnx' does not say what is predicted; add the target, the task, and the classes."),
    ],
)  # fmt: skip
def test_a_schema_that_does_not_fit_is_refused_by_name(given, schema, message):
    with pytest.raises(RegistryError) as caught:
        plan_onnx(given, schema)
    assert str(caught.value) == message


def test_a_model_that_could_not_be_tried_is_taken_at_its_word():
    assert plan_onnx(facts(looks="unknown", has_label=True), numbers(2)).arguments["gives"] == (
        "probabilities"
    )
    assert plan_onnx(facts(looks="unknown"), numbers(2)).arguments["gives"] == "logits"
    assert plan_onnx(facts(looks="numbers", has_label=True), numbers(2),
                     gives="logits").arguments["gives"] == "logits"  # fmt: skip
    assert plan_onnx(facts(columns=1), numbers(2, "regression")).arguments["gives"] == "values"


def test_a_model_that_refuses_made_up_categories_is_read_nevertheless(tmp_path):
    """scikit-learn's default is to refuse unknown categories, and words are mixed up here."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    table = people()
    words = ColumnTransformer([("w", OneHotEncoder(), ["job"]), ("n", "passthrough", ["age"])])
    fitted = make_pipeline(words, LogisticRegression(max_iter=1000))
    fitted.fit(frame(table), as_words(table))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import FloatTensorType, StringTensorType

        made = convert_sklearn(
            fitted,
            initial_types=[
                ("age", FloatTensorType([None, 1])),
                ("job", StringTensorType([None, 1])),
            ],
        )
    path = tmp_path / "m.onnx"
    path.write_bytes(made.SerializeToString())
    assert inspect_onnx(path).looks in {"probabilities", "unknown"}
