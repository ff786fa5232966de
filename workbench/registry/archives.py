"""Zip files from strangers: nothing is written to disk, and no word of their header is trusted."""

import io
import stat
import zipfile
import zlib
from pathlib import PurePosixPath

from workbench.core.errors import LimitError, RegistryError

MAX_MEMBERS = 32
MAX_DIRECTORY_BYTES = 2**16
MAX_RATIO = 200
ALWAYS_ALLOWED = 2**20
BLOCK = 2**20
_END, _END_BYTES = b"PK\x05\x06", 22
_END_64 = b"PK\x06\x07"
_FAULTS = (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, RuntimeError, ValueError,
           OverflowError, OSError, KeyError, IndexError)  # fmt: skip


def read_zip(content: bytes, *, limit: int, name: str) -> dict[str, bytes]:
    """Return the files of an archive by their plain names.

    All of them must stand in one folder. What macOS adds is left out.

    Parameters
    ----------
    limit
        Bytes that all members together may have, counted while they are unpacked.

    Raises
    ------
    RegistryError
        If it is damaged, encrypted, or holds links, paths out of its folder, names twice, archives,
        or too many members.
    LimitError
        If it unpacks to more than ``limit``, or to suspiciously more than it takes.
    """
    _check_directory(content, name)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            wanted = _wanted(archive, name)
            files: dict[str, bytes] = {}
            left = limit
            for plain, member in wanted.items():
                files[plain] = _unpacked(archive, member, left, name)
                left -= len(files[plain])
            return files
    except _FAULTS as error:
        text = (str(error).splitlines() or [""])[0][:100] or type(error).__name__
        raise RegistryError(
            f"{name!r} is a damaged zip file ({text}); make it again with an ordinary zip program."
        ) from None


def _check_directory(content: bytes, name: str) -> None:
    """Bound the list of members before a library reads it into memory."""
    place = content.rfind(_END, max(0, len(content) - 2**16 - _END_BYTES))
    if place < 0 or len(content) < place + _END_BYTES:
        raise RegistryError(
            f"{name!r} is a damaged zip file (its end is missing); make it again with an ordinary "
            "zip program."
        )
    members = int.from_bytes(content[place + 10 : place + 12], "little")
    size = int.from_bytes(content[place + 12 : place + 16], "little")
    large = content[max(0, place - 20) : place].startswith(_END_64)
    if large or members > 2 * MAX_MEMBERS or size > MAX_DIRECTORY_BYTES:
        raise RegistryError(
            f"{name!r} holds more than {MAX_MEMBERS} files; a model is card.json and "
            "model.safetensors or model.onnx."
        )


def _wanted(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    wanted: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    members = [m for m in archive.infolist() if not _is_of_the_system(m.orig_filename)]
    if len(members) > MAX_MEMBERS:
        raise RegistryError(f"{name!r} holds more than {MAX_MEMBERS} files; pack only the model's.")
    for member in members:
        _check_member(member, name)
        if member.is_dir():
            continue
        path = PurePosixPath(member.filename)
        folders.add(path.parent)
        if path.name.lower() in {plain.lower() for plain in wanted}:
            raise RegistryError(f"{name!r} holds {_short(path.name)} twice; keep one of them.")
        wanted[path.name] = member
    if len(folders) > 1:
        raise RegistryError(
            f"{name!r} holds files in several folders; pack one version folder of one model."
        )
    return wanted


def _is_of_the_system(path: str) -> bool:
    parts = path.split("/")
    return parts[0] == "__MACOSX" or parts[-1] in {".DS_Store", "Thumbs.db"}


def _check_member(member: zipfile.ZipInfo, name: str) -> None:
    path = member.orig_filename
    parts = path.rstrip("/").split("/")
    odd = any(part in {"", ".", ".."} for part in parts) or not path.isprintable()
    if odd or path.startswith("/") or "\\" in path or ":" in path or len(path) > 300:
        raise RegistryError(
            f"{name!r} holds the path {_short(path)}, which leads out of its folder or is no plain "
            "name; pack plain files."
        )
    if member.flag_bits & 1:
        raise RegistryError(f"{name!r} is encrypted; pack it without a password.")
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise RegistryError(
            f"{name!r} holds {_short(path)} as a link or device; pack the file itself."
        )
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise RegistryError(
            f"{name!r} is compressed in an unusual way; make it again with an ordinary zip program."
        )


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int, name: str) -> bytes:
    """Unpack in blocks, and stop at the limit whatever size the header states."""
    allowed = min(left, max(ALWAYS_ALLOWED, MAX_RATIO * member.compress_size))
    parts, size = [], 0
    with archive.open(member) as stream:
        while block := stream.read(BLOCK):
            size += len(block)
            if size > allowed:
                raise LimitError(
                    f"{name!r} unpacks to more than is allowed ({allowed:,} bytes for "
                    f"{_short(member.filename)}); upload the files without packing them, or raise "
                    "max_file_bytes."
                )
            parts.append(block)
    if size != member.file_size:
        raise RegistryError(
            f"{name!r} is a damaged zip file ({_short(member.filename)} has another size than it "
            "states); make it again with an ordinary zip program."
        )
    return b"".join(parts)


def _short(path: str) -> str:
    return repr(path if len(path) <= 80 else f"{path[:79]}…")
