"""Models from strangers: data is let in after it proved itself, everything else says why not."""

import hashlib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from workbench.core.card import CARD_FORMAT, Architecture, Card
from workbench.core.errors import DataError, LimitError, RegistryError
from workbench.core.files import refuse_special
from workbench.core.model import Model
from workbench.core.schema import Schema, build_schema_part, listing
from workbench.core.settings import settings
from workbench.core.table import Table
from workbench.core.wording import dotted
from workbench.registry.archives import read_zip
from workbench.registry.sniff import ACCEPTED, Kind, content_of_json, name_of, recipe, sniff
from workbench.registry.store import (
    CARD,
    CHECKSUM,
    MAX_CARD_BYTES,
    load_model,
    publish_weights,
)
from workbench.registry.trial import try_out

MAX_FILES = 16
MAX_CLASSES = 1000
RAW = Architecture(name="raw")
NEEDED = "a model is card.json with model.safetensors, or model.onnx with card.json or a schema"
_STRANGE = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Upload:
    """The parts of one model, by what their content is."""

    card: bytes | None = None
    checksum: bytes | None = None
    schema: bytes | None = None
    weights: bytes | None = None
    onnx: bytes | None = None
    names: tuple[str, ...] = ()


def receive_model(
    files: Mapping[str, Path],
    root: Path,
    *,
    name: str | None = None,
    schema: Schema | None = None,
    sample: Table | None = None,
) -> Path:
    """Take in an uploaded model and publish it as a new version of the registry ``root``.

    Nothing appears there before everything was checked: the files' content, the card, every
    tensor, and the model's outputs on rows of its schema. Card and weights are written anew, so
    nothing else of the upload is kept; its card says what its author said.

    Parameters
    ----------
    files
        The user's file name of each file, and where it is; one of them may be a zip of all.
    name
        Name of the model, if not the card's; it is made plain.
    schema
        What the columns mean, for an ONNX file without a card.
    sample
        Rows to try the model on besides those made up from its schema.

    Returns
    -------
    The folder of the new version.

    Raises
    ------
    RegistryError
        If a file is not let in, with what to do instead; or the model is not what it says.
    LimitError
        If a file is too large, packed or unpacked.
    """
    upload = _sorted(_contents(files))
    weights, card = _without_version(upload, name=name, schema=schema)
    with tempfile.TemporaryDirectory(prefix="workbench-model-") as place:
        staged = publish_weights(weights, card, Path(place))
        model = load_model(staged)
        try:
            try_out(model, sample=sample)
        finally:
            _end_process(model)
    return publish_weights(weights, card, root)


def plain_name(text: str) -> str:
    """Make a registry name of any text.

    Raises
    ------
    RegistryError
        If no letter or digit is left.

    Examples
    --------
    >>> plain_name("My Credit Model (v2)")
    'my-credit-model-v2'
    """
    plain = _STRANGE.sub("-", text.lower()).strip("-")[:64].strip("-")
    if not plain:
        raise RegistryError(
            f"{_short(text)} cannot name a model; use lower-case letters, digits and hyphens."
        )
    return plain


def _end_process(model: Model) -> None:
    if (runner := getattr(model.network, "runner", None)) is not None:
        runner.close()


def _contents(files: Mapping[str, Path]) -> dict[str, bytes]:
    """Read the files, a zip's in its place, and refuse what is not let in."""
    if not files:
        raise RegistryError(f"There is no file; {NEEDED}.")
    if len(files) > MAX_FILES:
        raise RegistryError(f"There are {len(files)} files, allowed are {MAX_FILES}; {NEEDED}.")
    limit = settings().max_file_bytes
    contents: dict[str, bytes] = {}
    for original, path in files.items():
        content = _read(path, original, limit - sum(map(len, contents.values())))
        if _accepted(content, original) != "zip":
            contents[original] = content
            continue
        if len(files) > 1:
            raise RegistryError(
                f"{_short(original)} is a zip file beside others; upload it alone, or the files."
            )
        inner = read_zip(content, limit=limit, name=_plain_text(original))
        for member, data in inner.items():
            if _accepted(data, member) == "zip":
                raise RegistryError(
                    f"{_short(original)} holds another archive, {_short(member)}; pack plain files."
                )
        contents |= inner
    return contents


def _read(path: Path, original: str, limit: int) -> bytes:
    refuse_special(path, RegistryError)
    try:
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        raise RegistryError(f"{_short(original)} cannot be read: {error.strerror}.") from None
    if len(content) > limit:
        raise LimitError(
            f"{_short(original)} is larger than is allowed for an upload "
            f"({settings().max_file_bytes:,} bytes in all); use a smaller model, or raise "
            "max_file_bytes."
        )
    return content


def _accepted(content: bytes, original: str) -> Kind:
    if Path(original).name == CHECKSUM and len(content) <= 256:
        return "json"
    kind = sniff(content)
    if kind not in ACCEPTED:
        raise RegistryError(
            f"{_short(original)} is {name_of(kind)}, so it is not accepted; "
            f"{recipe(kind, _plain_text(original))}."
        )
    return kind


def _sorted(contents: Mapping[str, bytes]) -> Upload:
    """Tell which file is which part, by content."""
    found: dict[str, bytes] = {}
    for original, content in contents.items():
        part = _part(content, original)
        if part in found:
            raise RegistryError(
                f"{_short(original)} is a second {part} among the files; upload one model at a "
                "time."
            )
        found[part] = content
    upload = Upload(**found, names=tuple(contents))
    if (upload.weights is None) == (upload.onnx is None):
        raise RegistryError(f"The files hold {_which(upload)}; {NEEDED}.")
    return upload


def _part(content: bytes, original: str) -> str:
    if Path(original).name == CHECKSUM:
        return "checksum"
    kind = sniff(content)
    if kind in {"safetensors", "onnx"}:
        return "weights" if kind == "safetensors" else "onnx"
    values = _json(content, original)
    if isinstance(values, dict) and "features" in values:
        return "schema"
    if isinstance(values, dict) and {"schema", "network"} & values.keys():
        return "card"
    raise RegistryError(f"{_short(original)} is JSON, but neither a card nor a schema; {NEEDED}.")


def _json(content: bytes, original: str) -> object:
    if len(content) > MAX_CARD_BYTES:
        raise LimitError(
            f"{_short(original)} has {len(content):,} bytes, a card or schema may have "
            f"{MAX_CARD_BYTES:,}; leave out what is not about the model."
        )
    try:
        return content_of_json(content)
    except ValueError as error:
        text = str(error).splitlines()[0][:120].rstrip(".")
        raise RegistryError(f"{_short(original)} is not valid JSON: {text}.") from None


def _which(upload: Upload) -> str:
    if upload.weights is not None:
        return "both safetensors and ONNX"
    return f"no weights ({listing(_plain_text(name) for name in upload.names)})"


def _without_version(
    upload: Upload, *, name: str | None, schema: Schema | None
) -> tuple[bytes, dict[str, Any]]:
    """Return what to publish: weights written anew, and the fields of the card."""
    if upload.card is not None:
        fields = _fields_of_card(upload, name)
    else:
        fields = _fields_without_card(upload, name, schema)
    _check_width(fields["schema"])
    if upload.weights is not None:
        if fields["network"].name == "onnx":
            raise RegistryError("The card is of an ONNX model, the weights are safetensors.")
        return _rewritten(upload.weights), fields
    assert upload.onnx is not None  # noqa: S101 - one of the two, by _sorted
    fields["network"] = _onnx_network(upload.onnx, fields)
    fields["encoder"] = RAW
    return upload.onnx, fields


def _check_width(schema: Schema) -> None:
    """Hold a model to what a table may have: pages and engines take time for each name."""
    n, most = len(schema.features), settings().max_columns
    if n > most:
        raise LimitError(
            f"The model reads {n:,} features, allowed are {most:,}; use fewer, or raise the "
            "setting max_columns."
        )
    if schema.n_classes > MAX_CLASSES:
        raise LimitError(
            f"The model tells {schema.n_classes:,} classes apart, allowed are {MAX_CLASSES:,}; "
            "put classes together."
        )


def _fields_of_card(upload: Upload, name: str | None) -> dict[str, Any]:
    assert upload.card is not None  # noqa: S101 - of the caller
    values = _json(upload.card, CARD)
    if not isinstance(values, dict):
        raise RegistryError("The card is not a JSON object; write one with workbench convert.")
    _check_seal(upload, values)
    values["name"] = plain_name(str(name or values.get("name", "")))
    values |= {"version": 1, "weights_sha256": "0" * 64}
    if upload.onnx is not None:
        values = {"network": {"name": "onnx"}, "encoder": {"name": "raw"}} | values
    values.setdefault("title", values["name"])
    try:
        card = Card.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        if fault["loc"] == ("format",) and fault["type"] == "less_than_equal":
            raise RegistryError(
                f"The card has format {_short(str(fault['input']))}, this version reads up to "
                f"{CARD_FORMAT}; update the workbench."
            ) from None
        where = dotted(fault["loc"])[:200]
        text = fault["msg"].removeprefix("Value error, ")
        raise RegistryError(f"The card is not valid at {where or 'the top'}: {text}.") from None
    fields = {field: getattr(card, field) for field in Card.model_fields if field != "schema_"}
    return fields | {"schema": card.schema}


def _check_seal(upload: Upload, values: Mapping[str, Any]) -> None:
    """Hold a registry folder's files against each other, where they say what belongs together."""
    content = upload.weights if upload.weights is not None else upload.onnx
    said = values.get("weights_sha256")
    if said is not None and said != hashlib.sha256(content or b"").hexdigest():
        raise RegistryError(
            "The weights are not those of the card (another SHA-256 stands there); upload the two "
            "that belong together, or leave weights_sha256 out of the card."
        )
    if upload.checksum is not None and upload.card is not None:
        digest = hashlib.sha256(upload.card).hexdigest()
        if upload.checksum.decode("ascii", "replace").split()[:1] != [digest]:
            raise RegistryError(
                f"The card was edited after {CHECKSUM} was written; leave {CHECKSUM} out if the "
                "edit is meant."
            )


def _fields_without_card(upload: Upload, name: str | None, schema: Schema | None) -> dict[str, Any]:
    if upload.schema is not None and schema is None:
        try:
            schema = build_schema_part(Schema, _json(upload.schema, "schema"))
        except DataError as error:
            raise RegistryError(str(error)) from None
    if upload.onnx is None:
        raise RegistryError(
            "Weights alone do not say which network they belong to; upload card.json with them, "
            "as workbench convert writes it."
        )
    if schema is None:
        raise RegistryError(
            "An ONNX file does not say what its columns mean; choose a table or schema with the "
            "columns that it was trained on."
        )
    own = next((n for n in upload.names if not n.endswith(".json")), "model")
    plain = plain_name(name or Path(own).stem)
    return {"name": plain, "title": (name or plain)[:300], "schema": schema, "encoder": RAW}


def _onnx_network(content: bytes, fields: Mapping[str, Any]) -> Architecture:
    """Keep the card's plan of inputs and outputs, or make one."""
    from workbench.registry.onnx_model import inspect_onnx, plan_onnx  # noqa: PLC0415

    given: Architecture | None = fields.get("network")
    with tempfile.TemporaryDirectory(prefix="workbench-onnx-") as place:
        path = Path(place) / "model.onnx"
        path.write_bytes(content)
        facts = inspect_onnx(path, name=f"{fields['name']}.onnx")
    if given is not None and given.name != "onnx":
        raise RegistryError(
            f"The card names network {_short(given.name)}, the file is ONNX; write onnx or leave "
            "the network out."
        )
    if given is not None and given.arguments:
        return given
    return plan_onnx(facts, fields["schema"])


def _rewritten(weights: bytes) -> bytes:
    """Keep the tensors and nothing else; names without a prefix are the network's."""
    try:
        tensors = load_tensors(weights)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        text = (str(error).splitlines() or [""])[0][:120].rstrip(".")
        raise RegistryError(
            f"The weights are a damaged safetensors file ({text}); save them again with "
            "safetensors.torch.save_file."
        ) from None
    if not any(name.startswith(("network.", "encoder.")) for name in tensors):
        tensors = {f"network.{name}": tensor for name, tensor in tensors.items()}
    return save_tensors({name: tensor.contiguous() for name, tensor in tensors.items()})


def _plain_text(text: str) -> str:
    """Return a file name for a message: no control characters, not too long."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"


def _short(text: str) -> str:
    return repr(_plain_text(text))
