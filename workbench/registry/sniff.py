"""What a file is, by its content; and for what is not let in, how to make of it what is."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Literal

Kind = Literal[
    "safetensors", "onnx", "json", "zip", "torch", "torchscript", "torch-export", "pickle",
    "sklearn", "numpy", "keras", "saved-model", "tflite", "xgboost", "lightgbm", "catboost",
    "archive", "gguf", "html", "unknown",
]  # fmt: skip
ACCEPTED: frozenset[Kind] = frozenset({"safetensors", "onnx", "json", "zip"})
MAX_HEADER = 100_000_000
HEAD = 2**16
MAX_DEPTH = 50
_PROTOCOL_0 = re.compile(rb"\A(\(?c[\w.]+\n[\w.]+\n|\([dlt]p?\d|[\]}\)]\.|\(?[IFVS][^\n]{0,200}\n)")
_PROTOCOL_2 = re.compile(rb"\A\x80[\x02-\x05]")
_OLD_TORCH = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_ESTIMATORS = (b"sklearn", b"joblib", b"numpy_pickle", b"NumpyArrayWrapper")
_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"\x93NUMPY", "numpy"), (b"\x89HDF\r\n\x1a\n", "keras"), (b"GGUF", "gguf"),
    (b"CBM1", "catboost"), (b"\x1f\x8b", "archive"), (b"BZh", "archive"),
    (b"\xfd7zXZ", "archive"), (b"7z\xbc\xaf", "archive"), (b"Rar!", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"), (b"]\x00\x00", "archive"),
    (b"tree\n", "lightgbm"), (b"{L", "xgboost"),
    (b"binf", "xgboost"), (b"bs64", "xgboost"), (b"<", "html"), (b"\xef\xbb\xbf<", "html"),
)  # fmt: skip
# Fields of an ONNX ModelProto, and which of them are numbers.
_ONNX_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}


def sniff(content: bytes) -> Kind:
    """Tell what a file is; nothing of it is opened by a library, let alone executed."""
    head = content[:HEAD]
    # The length of a safetensors header may look like the start of anything: it comes first.
    tests: tuple[tuple[bool, Callable[[bytes], Kind]], ...] = (
        (_is_safetensors(content), lambda _: "safetensors"),
        (head.startswith(b"PK"), _kind_of_zip),
        (bool(_PROTOCOL_2.match(head) or _PROTOCOL_0.match(head)), _kind_of_pickle),
        (head.startswith(tuple(start for start, _ in _STARTS)), _kind_by_start),
        (head[4:8] == b"TFL3", lambda _: "tflite"),
        (head[257:262] == b"ustar", _kind_of_tar),
        (_is_zlib(head), lambda _: "sklearn"),  # which is how joblib compresses
        (head.lstrip()[:1] in {b"{", b"["}, _kind_of_json),
        (_is_onnx(content), lambda _: "onnx"),
        (b"saved_model" in head or (b"serve" in head and b"\x12" in head[:8]),
         lambda _: "saved-model"),
    )  # fmt: skip
    return next((kind(content) for holds, kind in tests if holds), "unknown")


def _kind_by_start(content: bytes) -> Kind:
    kind = next(kind for start, kind in _STARTS if content.startswith(start))
    compressed = content.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"]\x00\x00"))
    return "sklearn" if compressed else kind  # as joblib compresses too


def _kind_of_tar(content: bytes) -> Kind:
    head = content[:HEAD]
    return "torch" if b"pickle" in head or b"storages" in head else "archive"


def _is_zlib(head: bytes) -> bool:
    return head[:1] == b"\x78" and len(head) > 1 and (head[0] * 256 + head[1]) % 31 == 0


def _kind_of_pickle(content: bytes) -> Kind:
    head = content[:HEAD]
    if _OLD_TORCH in head[:64] or b"torch" in head:
        return "torch"
    return "sklearn" if any(mark in head for mark in _ESTIMATORS) else "pickle"


def _kind_of_zip(content: bytes) -> Kind:
    """Look for member names where a zip file has them: at its start and in its last part."""
    names = content[:HEAD] + content[-HEAD:]
    marks: tuple[tuple[bytes, Kind], ...] = (
        (b"code/__torch__", "torchscript"), (b"constants.pkl", "torchscript"),
        (b"archive_format", "torch-export"), (b"serialized_exported_program", "torch-export"),
        (b"data.pkl", "torch"), (b"model.weights.h5", "keras"),
        (b"saved_model.pb", "saved-model"),
    )  # fmt: skip
    arrays: Kind = "numpy" if b".npy" in names and b".safetensors" not in names else "zip"
    return next((kind for mark, kind in marks if mark in names), arrays)


def _is_safetensors(content: bytes) -> bool:
    size = int.from_bytes(content[:8], "little")
    return 2 <= size <= min(MAX_HEADER, len(content)) and content[8:9] == b"{"


def _kind_of_json(content: bytes) -> Kind:
    head = content[:HEAD]
    if b'"learner"' in head and b'"version"' in content:
        return "xgboost"
    if b'"class_name"' in head and b'"config"' in head:
        return "keras"
    return "json"


def _is_onnx(content: bytes) -> bool:
    """Walk over the fields of a protocol buffer: an ONNX model has its own, up to the last byte."""
    found = list(_fields(content))
    fits = all(_ONNX_FIELDS.get(number) == wire for number, wire in found)
    return fits and (7, 2) in found


def _fields(content: bytes) -> Iterator[tuple[int, int]]:
    place = 0
    for _ in range(10_000):
        if place >= len(content):
            return
        tag, place = _varint(content, place)
        number, wire = tag >> 3, tag & 7
        yield number, wire
        value, place = _varint(content, place)
        if wire == 2:
            place += value
        if wire not in {0, 2} or place > len(content):
            yield 0, -1
            return
    yield 0, -1


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = 0
    for step, byte in enumerate(content[place : place + 10]):
        value |= (byte & 127) << 7 * step
        if byte < 128:
            return value, place + step + 1
    return value, len(content) + 1


def name_of(kind: Kind) -> str:
    """Return what a kind is called in a message."""
    return _WORDS[kind][0]


def recipe(kind: Kind, name: str) -> str:
    """Return what to do instead with a file that is not let in, as the end of a sentence."""
    return _WORDS[kind][1].replace("FILE", PurePath(name).name[:80] or "FILE")


def content_of_json(content: bytes) -> object:
    """Read JSON strictly: no NaN, no name twice, no depths, no text that is none.

    Raises
    ------
    ValueError
        If it is not JSON.
    """

    def refuse(word: str) -> object:
        raise ValueError(f"{word} is not a number in JSON")

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands twice in one object")
        return found

    try:
        values = json.loads(content, parse_constant=refuse, object_pairs_hook=once)
        json.dumps(values, ensure_ascii=False, allow_nan=False).encode()  # half a character, 1e999
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _depth(values) > MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    return values


def _depth(values: object) -> int:
    """Return how deep objects and lists are nested."""
    depth, level = 0, [values]
    while level and depth <= MAX_DEPTH:
        inner = [value.values() if isinstance(value, dict) else value for value in level
                 if isinstance(value, dict | list)]  # fmt: skip
        level = [part for parts in inner for part in parts]
        depth += bool(inner)
    return depth


_TORCH = (
    "write it as data with: workbench convert my_package.my_module:build --state FILE --schema "
    "schema.json --name my-model --into converted, and upload the folder that this makes"
)
_SKLEARN = (
    "convert it to ONNX where you trust it: from skl2onnx import to_onnx; "
    "onnx_model = to_onnx(model, X[:1], options={'zipmap': False}); "
    "open('model.onnx', 'wb').write(onnx_model.SerializeToString())"
)
_KERAS = (
    "convert it to ONNX where you trust it: python -m tf2onnx.convert --keras FILE --output "
    "model.onnx"
)
_BOOSTED = (
    "convert it to ONNX where you trust it: from onnxmltools import {function}; "
    "from onnxmltools.convert.common.data_types import FloatTensorType; "
    "onnx_model = {function}(model, initial_types=[('X', FloatTensorType([None, n_features]))]); "
    "open('model.onnx', 'wb').write(onnx_model.SerializeToString())"
)
_DATA = "upload model.safetensors with card.json, or model.onnx with a schema"
_WORDS: dict[Kind, tuple[str, str]] = {
    "torch": ("a PyTorch pickle, which can run code when it is opened", _TORCH),
    "torchscript": ("TorchScript, which is a program", _TORCH),
    "torch-export": ("a torch.export archive, which can hold pickles", _TORCH),
    "pickle": (
        "a Python pickle, which can run code when it is opened",
        f"for PyTorch, {_TORCH}; for scikit-learn, {_SKLEARN}",
    ),
    "sklearn": ("a scikit-learn or joblib pickle, which can run code when it is opened", _SKLEARN),
    "numpy": ("a NumPy file, which can hold pickles and no network", _DATA),
    "keras": ("a Keras or HDF5 file, which can hold code", _KERAS),
    "saved-model": (
        "a TensorFlow program",
        "convert it to ONNX where you trust it: python -m tf2onnx.convert --saved-model FOLDER "
        "--output model.onnx",
    ),
    "tflite": (
        "a TensorFlow Lite program",
        "convert it to ONNX where you trust it: python -m tf2onnx.convert --tflite FILE --output "
        "model.onnx",
    ),
    "xgboost": ("an XGBoost model", _BOOSTED.format(function="convert_xgboost")),
    "lightgbm": ("a LightGBM model", _BOOSTED.format(function="convert_lightgbm")),
    "catboost": (
        "a CatBoost model",
        "save it as ONNX where you trust it: model.save_model('model.onnx', format='onnx')",
    ),
    "archive": ("an archive of another kind than zip", f"unpack it and {_DATA}"),
    "gguf": ("a GGUF file of a language model", _DATA),
    "html": ("a web page or XML", _DATA),
    "unknown": ("of no kind that holds a model", _DATA),
    "safetensors": ("a safetensors file", _DATA),
    "onnx": ("an ONNX file", _DATA),
    "json": ("a JSON file", _DATA),
    "zip": ("a zip file", _DATA),
}
