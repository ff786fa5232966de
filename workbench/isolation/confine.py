"""What a child does to itself before it touches anything from outside; it cannot be undone.

Three means, each where the system has it: limits on resources (POSIX), a seccomp filter that
answers forbidden system calls with "not permitted" (Linux), and Landlock, which knows folders
(Linux 5.13 and newer).
"""

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.isolation.system_calls import ALWAYS_DENIED, BY_ARGUMENT, WRITING, Numbers

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, SIGKILL = 1, 38, 9
MACHINES = {"x86_64": 0, "aarch64": 1}
SECCOMP_CALL = (317, 277)
AUDIT_ARCHES = (0xC000003E, 0xC00000B7)
X32_BIT = 0x40000000
MAPPED_EXTRA_BYTES = 2**30  # files mapped for reading count as address space, not as data
KEPT_CAPABILITIES = (1 << 1) | (1 << 2)  # to read files of other owners, as before
SYSTEM_READS = (
    "/usr", "/lib", "/lib64", "/proc", "/sys", "/etc/ld.so.cache", "/etc/localtime", "/dev/null",
    "/dev/zero", "/dev/random", "/dev/urandom",
)  # fmt: skip


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def on_linux() -> bool:
    """Tell whether seccomp and Landlock can be tried."""
    return sys.platform == "linux" and platform.machine() in MACHINES


def confine_files(limits: Mapping[str, Any], *, dies_with_parent: bool) -> bool:
    """Give up privileges and restrict files; call it while there is a single thread.

    Returns
    -------
    Whether the system (Landlock) restricts files by folder from now on.
    """
    if not on_linux():
        return False
    libc = _libc()
    if dies_with_parent:
        libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    _drop_capabilities(libc)
    return _landlock(libc, limits["writes"], limits["reads"])


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Keep of root's powers the one to read files; without any there is nothing to drop."""
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0), 8)
    data = ctypes.create_string_buffer(24)
    if libc.capget(header, data) == 0:
        effective, permitted, *_ = struct.unpack("=6I", data.raw)
        kept = (effective & KEPT_CAPABILITIES, permitted & KEPT_CAPABILITIES)
        libc.capset(header, struct.pack("=6I", *kept, 0, 0, 0, 0))


# Landlock: rights by the version of its interface that brought them.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_WRITE_V1 = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE


def _landlock(libc: ctypes.CDLL, writes: str | None, reads: list[str] | None) -> bool:
    version = libc.syscall(444, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    writing = _WRITE_V1
    for needed, right in ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEV)):
        writing |= right if version >= needed else 0
    reading = _READ_FILE | _READ_DIR if reads is not None else 0
    network = 3 if version >= 4 else 0  # bind and connect
    scope = 3 if version >= 6 else 0  # abstract sockets, signals
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = struct.pack("=QQQ", _EXECUTE | writing | reading, network, scope)
    ruleset = libc.syscall(444, attributes[:size], ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    try:
        if writes is not None:
            _allow(libc, ruleset, writes, writing & ~_IOCTL_DEV | reading)
        for path in [] if reads is None else [*_program_files(), *reads]:
            _allow(libc, ruleset, path, reading)
        return bool(libc.syscall(446, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not on this system
        return
    try:
        if not Path(path).is_dir():
            rights &= _FILE_RIGHTS
        libc.syscall(445, ruleset, 1, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _program_files() -> list[str]:
    package = str(Path(__file__).resolve().parent.parent)
    inside = [path for path in sys.path if "site-packages" in path or "dist-packages" in path]
    places = [sys.prefix, sys.base_prefix, package, *inside, *SYSTEM_READS]
    return list(dict.fromkeys(os.path.realpath(place) for place in places))


def limit_resources(limits: Mapping[str, Any]) -> bool:
    """Limit memory, files and cores from here on.

    Returns
    -------
    Whether memory is limited.
    """
    largest = limits["file_bytes"] if limits["writes"] is not None else 0
    if largest is not None:
        _limit(resource.RLIMIT_FSIZE, largest)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    used = _memory_used()
    if used is None:
        return False
    data, mapped = used
    memory = limits["memory_bytes"]
    done = _limit(resource.RLIMIT_DATA, data + memory)
    return _limit(resource.RLIMIT_AS, mapped + memory + MAPPED_EXTRA_BYTES) and done


def _limit(kind: int, most: int) -> bool:
    try:
        resource.setrlimit(kind, (most, most))
    except (OSError, ValueError):
        return False
    return True


def _memory_used() -> tuple[int, int] | None:
    """Return the bytes of data and of address space in use, or None where that is not known."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    data, mapped = (int(found[name].split()[0]) * 1024 for name in ("VmData", "VmSize"))
    return data, mapped


def limit_cpu(seconds: float) -> None:
    """Let the process use that much more processor time, or be ended by the system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    until = int(usage.ru_utime + usage.ru_stime + seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = until if hard == resource.RLIM_INFINITY else min(until, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def filter_system_calls(*, may_write: bool) -> bool:
    """Forbid network, programs, other processes, and writing unless it may write somewhere.

    Returns
    -------
    Whether the filter holds, for all threads.
    """
    if not on_linux():
        return False
    libc = _libc()
    program = _program(MACHINES[platform.machine()], may_write=may_write)
    code = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    number = SECCOMP_CALL[MACHINES[platform.machine()]]
    return bool(libc.syscall(number, 1, 1, head) == 0)  # filter mode, all threads


# Instructions of the filter: load a word, compare, return.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = _ERRNO | 1, _ERRNO | 38
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_CLONE_THREAD = 0x10000
_OPEN_TO_WRITE = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC


def _program(machine: int, *, may_write: bool) -> bytes:
    """Assemble the filter; each block ends in a return, so a jump never leaves its block."""

    def number(name: str, table: Mapping[str, Numbers] = BY_ARGUMENT) -> int | None:
        return table[name][machine]

    lines = [_op(_LOAD, _ARCH_AT), _op(_EQUAL, AUDIT_ARCHES[machine], 1, 0), _op(_RETURN, _KILL)]
    lines += [_op(_LOAD, _NUMBER_AT), _op(_AT_LEAST, X32_BIT, 0, 1), _op(_RETURN, _EPERM)]
    for name in ("clone3", "openat2"):  # the C library falls back to what can be examined
        lines += _answer(number(name), _ENOSYS)
    denied = ALWAYS_DENIED if may_write else {**ALWAYS_DENIED, **WRITING}
    for name in denied:
        lines += _answer(number(name, denied), _EPERM)
    # Threads, no processes.
    lines += _if_argument(number("clone"), 0, _op(_ANY_BIT, _CLONE_THREAD, 0, 1))
    own = os.getpid()
    for name, harmless in (("kill", (own,)), ("tgkill", (own,)), ("prlimit64", (0, own))):
        for value in harmless[:-1]:
            lines += _if_argument(number(name), 0, _op(_EQUAL, value, 0, 1), otherwise=None)
        lines += _if_argument(number(name), 0, _op(_EQUAL, harmless[-1], 0, 1))
    if not may_write:
        for name, place in (("open", 1), ("openat", 2)):
            lines += _if_argument(number(name), place, _op(_ANY_BIT, _OPEN_TO_WRITE, 1, 0))
    return b"".join([*lines, _op(_RETURN, _ALLOW)])


def _op(code: int, value: int, jump_true: int = 0, jump_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, jump_true, jump_false, value)


def _answer(number: int | None, result: int) -> list[bytes]:
    if number is None:
        return []
    return [_op(_EQUAL, number, 0, 1), _op(_RETURN, result)]


def _if_argument(
    number: int | None, place: int, test: bytes, otherwise: int | None = _EPERM
) -> list[bytes]:
    """Allow one system call if its argument passes; else answer, or go on to the next test.

    The test jumps over the first return where the argument does not pass.
    """
    if number is None:
        return []
    rest = [_op(_LOAD, _NUMBER_AT)] if otherwise is None else [_op(_RETURN, otherwise)]
    body = [_op(_LOAD, _ARGUMENTS_AT + 8 * place), test, _op(_RETURN, _ALLOW), *rest]
    return [_op(_EQUAL, number, 0, len(body)), *body]
