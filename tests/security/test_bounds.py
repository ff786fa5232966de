"""Cards and texts that would take hours or all memory are refused, or read, at once."""

import json
import re

import pytest
import torch
from safetensors.torch import save

from tests.unit.test_registry_graph import INPUT, build, layer, node, step
from workbench.core.cohort import Cohort
from workbench.core.errors import InvalidInputError, LimitError, RegistryError
from workbench.core.schema import Feature, Schema
from workbench.data.columns import as_number
from workbench.registry.graph import MAX_FIXED_ELEMENTS, MAX_ROW_OPERATIONS
from workbench.registry.intake import MAX_CLASSES, receive_model
from workbench.registry.store import load_model
from workbench.report.tables import write_csv

LONG = "1" * 200_000


def fixed(name, *shape):
    return {"name": name, "op": "tensor", "path": name,
            "settings": {"shape": list(shape), "learned": True}}  # fmt: skip


def wide(n):
    return layer("a", "Linear", "x", in_features=4, out_features=n)


OUT = [step("s", "flatten", node("y"), 1), step("q", "sum", node("s"), 1, True),
       layer("z", "Linear", "q", in_features=1, out_features=2)]  # fmt: skip
BOMBS = {
    "attention": ([wide(8192), step("r", "reshape", node("a"), -1, 1, 8192, 1), fixed("w", 1, 1),
                   step("y", "attention", node("r"), node("r"), node("r"), node("w"))],
                  "operations for a row"),
    "pool": ([wide(65536), step("r", "reshape", node("a"), -1, 1, 256, 256),
              layer("y", "MaxPool2d", "r", kernel_size=[255, 255], stride=1, padding=127)],
             "operations for a row"),
    "mean pool": ([wide(65536), step("r", "reshape", node("a"), -1, 1, 256, 256),
                   layer("y", "AvgPool2d", "r", kernel_size=255, stride=1, padding=127)],
                  "operations for a row"),
    "convolution": ([wide(65536), step("r", "reshape", node("a"), -1, 1, 256, 256),
                     layer("y", "Conv2d", "r", in_channels=1, out_channels=1,
                           kernel_size=[255, 255], padding=[127, 127])], "operations for a row"),
    "bilinear": ([wide(8192), fixed("w", 1, 1, 1), step("e", "expand", node("w"), 4, 4096, 4096),
                  step("h", "narrow", node("a"), 1, 0, 4096),
                  step("y", "bilinear", node("h"), node("h"), node("e"))], "operations for a row"),
    "product of sums": ([wide(4096), fixed("w", 1, 1), step("e", "expand", node("w"), 4096, 4096),
                         step("m", "einsum", "nb,nc,bc->n", node("a"), node("a"), node("e")),
                         step("y", "unsqueeze", node("m"), 1)],
                        "Within a step of the graph 201,326,592 numbers come into being for 12 "
                        "rows"),
    "one layer often": ([wide(4096), layer("c0", "Linear", "a", "c", in_features=4096,
                                           out_features=4096),
                         *(layer(f"c{i}", "Linear", f"c{i - 1}", "c", in_features=4096,
                                 out_features=4096) for i in range(1, 10)),
                         step("y", "relu", node("c9"))], "operations for a row"),
    "everything kept": ([wide(3), fixed("w", 1), step("e", "expand", node("w"), 2**23),
                         *(step(f"m{i}", "exp", node("e")) for i in range(20)),
                         step("k", "stack", {"list": [node(f"m{i}") for i in range(8)]}),
                         step("u", "sum", node("k")), step("y", "add", node("a"), node("u")),
                         *(step(f"v{i}", "sum", node(f"m{i}")) for i in range(8, 20))],
                        "numbers at a time for 12 rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_graph_that_would_take_too_much_is_refused_on_shapes_alone(name):
    steps, words = BOMBS[name]
    with pytest.raises(RegistryError, match=re.escape(words)) as caught:
        build(INPUT, *steps, *OUT)
    assert "allowed are" in str(caught.value)
    assert str(caught.value).endswith("; use a smaller network.")


def test_a_graph_may_take_as_much_as_is_allowed():
    """One layer twice: 2 * 2 * 4096^2 operations are under the limit, eight times over."""
    assert 2 * 2 * 4096**2 < MAX_ROW_OPERATIONS < 8 * 2 * 4096**2 + 1
    layers = [layer(f"c{i}", "Linear", f"c{i - 1}" if i else "a", "c", in_features=4096,
                    out_features=4096) for i in range(8)]  # fmt: skip
    tail = [step("y", "relu", node("c1")), *OUT]
    assert build(INPUT, wide(4096), *layers[:2], *tail) is not None
    with pytest.raises(RegistryError, match="operations for a row"):
        build(INPUT, wide(4096), *layers, *tail)
    assert MAX_FIXED_ELEMENTS == 2**26


@pytest.mark.parametrize("number", [LONG, f"-{LONG}", f"{LONG}.{LONG}", f"1e{LONG}"])
def test_long_runs_of_digits_are_read_in_one_pass(number, tmp_path):
    """With two ways to read a digit each of these took minutes; here they are done at once."""
    import pandas as pd

    assert as_number(f"{number}x") is None
    frame = pd.DataFrame({"a": [f"{number}x"]})
    cell = write_csv(frame, tmp_path / "a.csv").read_text().splitlines()[1]
    assert cell == (f"'{number}x" if number.startswith("-") else f"{number}x")
    with pytest.raises(InvalidInputError, match="is no range"):
        Cohort.parse(f"a:{number[:19_000]}x", Schema(features=(Feature(name="a"),)))


def test_a_very_wide_schema_is_compared_in_one_pass():
    features = [{"name": f"a{i}"} for i in range(100_000)]
    assert len(Schema.model_validate({"features": features}).features) == 100_000
    with pytest.raises(ValueError, match="used twice: a7"):
        Schema.model_validate({"features": [*features, {"name": "a7"}]})


def receive(tmp_path, features, classes, weights, encoder=None):
    card = {
        "name": "wide", "title": "wide", "network": {"name": "linear"},
        "encoder": encoder or {"name": "raw"},
        "schema": {"features": features, "target": "t", "classes": classes,
                   "task": "binary" if len(classes) == 2 else "multiclass"},
    }  # fmt: skip
    (tmp_path / "card").write_text(json.dumps(card))
    (tmp_path / "weights").write_bytes(save(weights))
    files = {"card.json": tmp_path / "card", "w": tmp_path / "weights"}
    return receive_model(files, tmp_path / "models")


@pytest.mark.parametrize(("n", "fits"), [(30, True), (31, False)])
def test_features_of_a_model_are_bounded_like_columns(tmp_path, monkeypatch, n, fits):
    monkeypatch.setenv("WORKBENCH_MAX_COLUMNS", "30")
    features = [{"name": f"a{i}"} for i in range(n)]
    weights = {"first.weight": torch.zeros(2, n), "first.bias": torch.zeros(2)}
    if fits:
        assert len(load_model(receive(tmp_path, features, ["no", "yes"], weights)).schema.names)
        return
    with pytest.raises(LimitError) as caught:
        receive(tmp_path, features, ["no", "yes"], weights)
    assert str(caught.value) == (
        "The model reads 31 features, allowed are 30; use fewer, or raise the setting max_columns."
    )


@pytest.mark.parametrize(("n", "fits"), [(MAX_CLASSES, True), (MAX_CLASSES + 1, False)])
def test_classes_of_a_model_are_bounded(tmp_path, n, fits):
    weights = {"first.weight": torch.zeros(n, 1), "first.bias": torch.zeros(n)}
    classes = [str(i) for i in range(n)]
    if fits:
        assert receive(tmp_path, [{"name": "a"}], classes, weights).is_dir()
        return
    with pytest.raises(LimitError) as caught:
        receive(tmp_path, [{"name": "a"}], classes, weights)
    assert str(caught.value) == (
        "The model tells 1,001 classes apart, allowed are 1,000; put classes together."
    )


def test_a_card_that_grows_when_it_is_stored_names_no_path(tmp_path):
    categories = [str(i) for i in range(250_000)]
    features = [{"name": "a", "kind": "categorical", "categories": categories}]
    weights = {"first.weight": torch.zeros(2, 1), "first.bias": torch.zeros(2)}
    with pytest.raises(RegistryError) as caught:
        receive(tmp_path, features, ["no", "yes"], weights)
    assert re.fullmatch(
        r"The card takes [0-9,]+ bytes as it is stored, allowed are 4,194,304; leave out what is "
        r"not about the model\.",
        str(caught.value),
    )


def test_columns_look_their_categories_up(tmp_path):
    """5,000 columns of the last of 50,000 categories: a list would be searched each time."""
    n = 4000
    categories = [str(i) for i in range(50_000)]
    features = [{"name": "a", "kind": "categorical", "categories": categories}]
    columns = [{"feature": "a", "equals": categories[-1 - i]} for i in range(n)]
    weights = {"first.weight": torch.zeros(2, n), "first.bias": torch.zeros(2)}
    encoder = {"name": "columns", "arguments": {"columns": columns}}
    model = load_model(receive(tmp_path, features, ["no", "yes"], weights, encoder))
    encoded = model.encode(torch.tensor([[49_999.0]], dtype=torch.float64))
    assert encoded[0].nonzero().tolist() == [[0]]
