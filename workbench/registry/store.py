"""The registry folder: ``<name>/<version>/`` with card, weights and checksum.

A model of the catalogue has its numbers in ``model.safetensors``; a black box is ``model.onnx``.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from workbench.core.card import CARD_FORMAT, Card
from workbench.core.errors import RegistryError
from workbench.core.files import refuse_special, replacing
from workbench.core.model import Model
from workbench.core.schema import listing
from workbench.core.settings import settings
from workbench.core.wording import dotted
from workbench.registry.architectures import build_encoder, build_network

CARD, WEIGHTS, CHECKSUM, ALIASES = "card.json", "model.safetensors", "card.sha256", "aliases.json"
ONNX, LAST_VERSION = "model.onnx", "last_version"
MAX_CARD_BYTES = 2**22
MAX_WEIGHT_BYTES = 4 * 2**30
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Entry:
    """One model of a registry, with its versions, oldest first, and what points at them."""

    name: str
    versions: tuple[int, ...]
    aliases: dict[str, int]

    @property
    def default(self) -> int:
        """The version that the plain name means: ``production`` if set, else the newest."""
        return self.aliases.get("production", self.versions[-1])


def registry_root() -> Path:
    """Return the folder of models that the settings name, else the built-in one."""
    if chosen := os.environ.get("WORKBENCH_MODELS") or settings().models:
        return Path(chosen)
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "models"
    return checkout if checkout.is_dir() else package / "_bundled" / "models"


def list_models(root: Path | None = None) -> tuple[Entry, ...]:
    """Return the models of a registry in alphabetical order.

    Parameters
    ----------
    root
        Folder of the registry; by default that of the settings.
    """
    root = root or registry_root()
    return tuple(_entries(root)) if root.is_dir() else ()


def _entries(root: Path) -> Iterator[Entry]:
    for folder in sorted(root.iterdir()):
        if not _NAME.fullmatch(folder.name) or not folder.is_dir():
            continue
        versions = sorted(int(v.name) for v in folder.iterdir() if _VERSION.fullmatch(v.name))
        if versions:
            yield Entry(folder.name, tuple(versions), _read_aliases(folder))


def find_version(reference: str, root: Path | None = None) -> Path:
    """Return the folder of ``name``, ``name@version``, ``name@alias``, or a path to a folder.

    Raises
    ------
    RegistryError
        If there is no such model, version or alias.
    """
    if _is_file(Path(reference) / CARD):
        return Path(reference)
    root = root or registry_root()
    name, _, wanted = reference.partition("@")
    entries = {entry.name: entry for entry in list_models(root)}
    if not entries:
        raise RegistryError(
            f"The registry {str(root)!r} holds no models; point WORKBENCH_MODELS to one that "
            f"does, or give a folder that holds {CARD} and {WEIGHTS}."
        )
    if name not in entries:
        raise RegistryError(
            f"There is no model {_short(name)}; choose one of {listing(entries, 20)}, or give a "
            f"folder that holds {CARD} and {WEIGHTS}."
        )
    entry = entries[name]
    version = entry.default if not wanted else entry.aliases.get(wanted)
    if _VERSION.fullmatch(wanted):
        version = int(wanted)
    if version not in entry.versions:
        known = [*entry.versions, *entry.aliases]
        raise RegistryError(
            f"Model {name!r} has no version {_short(wanted or str(version))}; it has "
            f"{listing(known)}."
        )
    return root / name / str(version)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system, or a folder that may not be read
        return False


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def read_card(folder: Path) -> tuple[Card, str]:
    """Read a card and its digest, and refuse one that was edited.

    Raises
    ------
    RegistryError
        If the card is missing, damaged, edited, or of a newer format.
    """
    content = _read(folder / CARD, MAX_CARD_BYTES)
    digest = hashlib.sha256(content).hexdigest()
    recorded = _read(folder / CHECKSUM, 256).decode("ascii", "replace").split()
    if recorded[:1] != [digest]:
        raise RegistryError(
            f"The card in {str(folder)!r} was edited after it was written (its digest is not the "
            f"one in {CHECKSUM}); restore the file or publish the change as a new version."
        )
    try:
        return Card.model_validate_json(content), digest
    except ValidationError as error:
        fault = error.errors()[0]
        where = dotted(fault["loc"])
        if fault["loc"] == ("format",) and fault["type"] == "less_than_equal":
            raise RegistryError(
                f"The card in {str(folder)!r} has format {fault['input']}, this version reads up "
                f"to {CARD_FORMAT}; update the workbench."
            ) from None
        raise RegistryError(
            f"The card in {str(folder)!r} is not valid at {where or 'the top'}: {fault['msg']}."
        ) from None


def load_model(reference: str | Path, root: Path | None = None) -> Model:
    """Load and verify a model; only tensors and JSON are read, no code.

    Raises
    ------
    RegistryError
        If anything is missing, damaged, or not what the card says.
    """
    folder = find_version(str(reference), root)
    card, digest = read_card(folder)
    file = weights_file(card)
    content = _read(folder / file, MAX_WEIGHT_BYTES)
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        raise RegistryError(
            f"The weights of {card.name}@{card.version} are not those of its card ({file} was "
            "changed or cut short); restore the file or train the model again."
        )
    if file == ONNX:
        from workbench.registry.onnx_model import load_onnx  # noqa: PLC0415 - starts a process

        box = load_onnx(folder / ONNX, card)
        return Model(box[0], box[1], card, digest)
    try:
        tensors = load_tensors(content)
    except SafetensorError:
        raise RegistryError(f"{str(folder / WEIGHTS)!r} is not a safetensors file.") from None
    encoder = build_encoder(card.encoder, card.schema)
    encoder.load_state_dict(_fitting(encoder, "encoder.", tensors, card))
    sizes = len(encoder.groups), len(card.schema.output_names)
    with torch.device("meta"):  # a card may name any size: hold it against the file first
        planned = build_network(card.network, *sizes)
    given = _fitting(planned, "network.", tensors, card)
    network = build_network(card.network, *sizes)
    network.load_state_dict(given)
    return Model(encoder, network, card, digest)


def weights_file(card: Card) -> str:
    """Return the name of the file that holds a model's numbers."""
    return ONNX if card.network.name == "onnx" else WEIGHTS


def _fitting(
    module: nn.Module, prefix: str, tensors: dict[str, Tensor], card: Card
) -> dict[str, Tensor]:
    """Return the tensors of one module after holding them against what it needs."""
    given = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    wanted = module.state_dict()
    if odd := sorted(wanted.keys() ^ given.keys()):
        state = "lack" if odd[0] in wanted else "hold an unknown"
        raise RegistryError(
            f"The weights of {card.name}@{card.version} {state} tensor {prefix + odd[0]!r}, so "
            f"they do not belong to architecture {card.network.name!r}."
        )
    for name, tensor in sorted(given.items()):
        if tensor.shape != wanted[name].shape:
            raise RegistryError(
                f"Tensor {prefix + name!r} of {card.name}@{card.version} has shape "
                f"{tuple(tensor.shape)}, the card's architecture needs {tuple(wanted[name].shape)}."
            )
        if tensor.dtype != wanted[name].dtype and not {tensor.dtype, wanted[name].dtype}.issubset(
            _FLOATS
        ):
            raise RegistryError(
                f"Tensor {prefix + name!r} of {card.name}@{card.version} holds "
                f"{_plain(tensor.dtype)} numbers, the card's architecture needs "
                f"{_plain(wanted[name].dtype)}."
            )
        if not torch.isfinite(tensor).all():
            raise RegistryError(
                f"Tensor {prefix + name!r} of {card.name}@{card.version} holds NaN or infinity; "
                "train the model again."
            )
    return given


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def publish(
    encoder: nn.Module, network: nn.Module, card: dict[str, Any], root: Path | None = None
) -> Path:
    """Write a new version with its card; versions are never overwritten.

    ``card`` holds the card's fields without ``version`` and ``weights_sha256``, which are
    filled in.

    Raises
    ------
    RegistryError
        If the card is not valid, the folder cannot be written, or another process published the
        same version at the same time.
    """
    parts = {"encoder.": encoder, "network.": network}
    weights = save_tensors({
        prefix + name: tensor.contiguous().cpu()
        for prefix, module in parts.items()
        for name, tensor in module.state_dict().items()
    })
    return publish_weights(weights, card, root)


def publish_weights(weights: bytes, card: dict[str, Any], root: Path | None = None) -> Path:
    """Write a new version of weights that stand in a file's form already; see ``publish``.

    Raises
    ------
    RegistryError
        As ``publish``; whether weights and card belong together is for ``load_model`` to say.
    """
    root = root or registry_root()
    version = _next_version(str(card.get("name")), root)
    try:
        full = Card.model_validate(
            card | {"version": version, "weights_sha256": hashlib.sha256(weights).hexdigest()}
        )
    except ValidationError as error:
        fault = error.errors()[0]
        where = dotted(fault["loc"])
        raise RegistryError(f"The card is not valid at {where}: {fault['msg']}.") from None
    text = full.model_dump_json(indent=2, by_alias=True, exclude_defaults=False) + "\n"
    if len(text.encode()) > MAX_CARD_BYTES:
        raise RegistryError(
            f"The card takes {len(text.encode()):,} bytes as it is stored, allowed are "
            f"{MAX_CARD_BYTES:,}; leave out what is not about the model."
        )
    checksum = hashlib.sha256(text.encode()).hexdigest()
    folder = root / full.name / str(version)
    files = {
        weights_file(full): weights,
        CARD: text.encode(),
        CHECKSUM: f"{checksum}  {CARD}\n".encode(),
    }
    try:
        _write_folder(folder, files)
    except OSError as error:
        if folder.exists():
            raise RegistryError(
                f"Version {version} of {full.name} was published by someone else at the same "
                "time; publish again for the next version."
            ) from None
        raise RegistryError(
            f"Version {version} of {full.name} cannot be written to {str(root)!r}: "
            f"{error.strerror}; choose a folder that you may write to."
        ) from None
    return folder


def _next_version(name: str, root: Path) -> int:
    """Return a version that never was: a removed one may stand in someone's results."""
    versions = {entry.name: entry.versions for entry in list_models(root)}.get(name, ())
    removed = 0
    if _NAME.fullmatch(name) and _is_file(root / name / LAST_VERSION):
        text = _read(root / name / LAST_VERSION, 64).decode("ascii", "replace").strip()
        removed = int(text) if _VERSION.fullmatch(text) else 0
    return max([*versions, removed]) + 1


def remove_version(reference: str, root: Path | None = None, *, force: bool = False) -> None:
    """Remove ``name@version``; its number is not given to another version.

    Parameters
    ----------
    force
        Remove it even if an alias points at it; the alias goes with it.

    Raises
    ------
    RegistryError
        If there is no such version, an alias points at it, or it lies outside the registry.
    """
    root = root or registry_root()
    name, _, wanted = reference.partition("@")
    if not _VERSION.fullmatch(wanted):
        raise RegistryError(
            f"{_short(reference)} does not name a version; write name@1, or remove the model."
        )
    folder = _inside(root, name, find_version(f"{name}@{wanted}", root))
    aliases = _read_aliases(folder.parent)
    pointing = sorted(alias for alias, version in aliases.items() if version == int(wanted))
    if pointing and not force:
        raise RegistryError(
            f"Version {wanted} of {name} is what {name}@{pointing[0]} means; let the alias mean "
            "another version first, or force the removal."
        )
    if pointing:
        kept = {alias: version for alias, version in aliases.items() if alias not in pointing}
        with replacing(folder.parent / ALIASES) as part:
            part.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
    last = _next_version(name, root) - 1
    with replacing(folder.parent / LAST_VERSION) as part:
        part.write_text(f"{last}\n")
    _remove_folder(folder)


def remove_model(name: str, root: Path | None = None, *, force: bool = False) -> None:
    """Remove a model with all its versions.

    Raises
    ------
    RegistryError
        If there is no such model, it has aliases and ``force`` is not set, or it lies outside the
        registry.
    """
    root = root or registry_root()
    folder = _inside(root, name, find_version(name, root)).parent
    if (aliases := sorted(_read_aliases(folder))) and not force:
        raise RegistryError(
            f"Model {name!r} has the alias {aliases[0]!r}, so someone relies on it; force the "
            "removal if nobody does."
        )
    _remove_folder(folder)


def _inside(root: Path, name: str, folder: Path) -> Path:
    """Refuse a path, and folders that are links to somewhere else."""
    expected = root / name / folder.name
    if not _NAME.fullmatch(name) or folder != expected:
        raise RegistryError(f"{_short(name)} is not the name of a model in {str(root)!r}.")
    if expected.is_symlink() or expected.parent.is_symlink():
        raise RegistryError(
            f"Model {name!r} is a link to another place; remove it there or remove the link."
        )
    return expected


def _remove_folder(folder: Path) -> None:
    """Let a folder vanish at once, as far as readers can see."""
    leaving = Path(tempfile.mkdtemp(prefix=".", suffix=".removed", dir=folder.parent))
    try:
        folder.rename(leaving / folder.name)
    except OSError as error:
        raise RegistryError(
            f"{str(folder)!r} cannot be removed: {error.strerror}; change its permissions."
        ) from None
    finally:
        shutil.rmtree(leaving, ignore_errors=True)


def _write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Let a folder appear with all its files or not at all; one that exists is never replaced."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=folder.parent))
    try:
        staging.chmod(0o755)
        for name, content in files.items():
            (staging / name).write_bytes(content)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def set_alias(name: str, alias: str, version: int, root: Path | None = None) -> None:
    """Let ``name@alias`` mean a version.

    Raises
    ------
    RegistryError
        If the version does not exist or the alias is not a plain word.
    """
    if not _NAME.fullmatch(alias) or alias.isdecimal():
        raise RegistryError(f"Alias {alias!r} must be lower-case letters, digits, - or _.")
    folder = find_version(f"{name}@{version}", root).parent
    aliases = _read_aliases(folder) | {alias: version}
    with replacing(folder / ALIASES) as part:
        part.write_text(json.dumps(aliases, indent=2, sort_keys=True) + "\n")


def _read_aliases(folder: Path) -> dict[str, int]:
    if not (folder / ALIASES).is_file():
        return {}
    try:
        aliases = json.loads(_read(folder / ALIASES, MAX_CARD_BYTES))
        return {str(alias): int(version) for alias, version in aliases.items()}
    except (ValueError, AttributeError, TypeError, OverflowError, RecursionError):
        raise RegistryError(
            f"{str(folder / ALIASES)!r} must map alias names to version numbers."
        ) from None


def _read(path: Path, limit: int) -> bytes:
    refuse_special(path, RegistryError)
    try:
        if path.stat().st_size > limit:
            raise RegistryError(f"{str(path)!r} is larger than the limit of {limit:,} bytes.")
        return path.read_bytes()
    except FileNotFoundError:
        raise RegistryError(f"{str(path)!r} is missing; the model is incomplete.") from None
    except OSError as error:
        raise RegistryError(f"{str(path)!r} cannot be read: {error.strerror}.") from None
