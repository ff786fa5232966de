"""What to look at before people rely on an installation, and when something is odd."""

import hashlib
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import psutil
import torch

from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.settings import PREFIX, Settings, config_file, settings
from workbench.data.bundled import TABLES, bundled_schema, data_folder
from workbench.isolation.process import isolation
from workbench.numerics.devices import choose_device, describe_device
from workbench.operations.chromium import find_chromium
from workbench.operations.server import app_folder, configured_address
from workbench.operations.sign_in import read_sign_in, refusal, secrets_files
from workbench.registry.store import Entry, list_models, read_card, registry_root

State = Literal["ok", "warning", "failure"]
GIB = 2**30
PYTHONS = ((3, 11), (3, 14))
# The oldest versions without a known fault that an upload, or a stranger on the network, could use.
FLOORS: dict[str, tuple[str, str]] = {
    "authlib": ("1.6.12", "CVE-2026-44681"),
    "h11": ("0.16.0", "CVE-2025-43859"),
    "jinja2": ("3.1.6", "CVE-2025-27516"),
    "onnx": ("1.21", "CVE-2026-34445"),
    "protobuf": ("6.31.1", "CVE-2025-4565"),
    "pyarrow": ("14.0.1", "CVE-2023-47248"),
    "python-multipart": ("0.0.27", "CVE-2026-42561"),
    "requests": ("2.32.4", "CVE-2024-47081"),
    "starlette": ("1.3.0", "CVE-2026-54282"),
    "streamlit": ("1.54", "CVE-2026-33682"),
    "torch": ("2.10", "CVE-2026-24747"),
    "urllib3": ("2.7.0", "CVE-2026-44432"),
}
# Variables that are no settings but are read all the same.
OTHER_VARIABLES = frozenset({"CONFIG", "DEBUG"})
WEIGHTS = ("model.safetensors", "model.onnx")
LEAST_DISK, LEAST_MEMORY = GIB, 2 * GIB


@dataclass(frozen=True)
class Finding:
    """What one examination found, in a sentence that says what to do where something is to do."""

    name: str
    state: State
    sentence: str


@dataclass(frozen=True)
class Case:
    """What is examined, and how far."""

    settings: Settings
    deep: bool


Examination = Callable[[Case], Iterator[Finding]]


def examine(*, deep: bool = False) -> tuple[Finding, ...]:
    """Examine the installation in a few seconds; with ``deep`` all weights are read as well."""
    findings = [*_python(), *_packages(), *_settings()]
    try:
        case = Case(settings(), deep)
    except WorkbenchError:  # the finding about the settings says why; the rest depends on them
        return tuple(findings)
    for name, examination in EXAMINATIONS.items():
        findings += _findings(name, examination, case)
    return tuple(findings)


def _findings(name: str, examination: Examination, case: Case) -> list[Finding]:
    try:
        return list(examination(case))
    except WorkbenchError as error:
        return [Finding(name, "failure", str(error))]
    except Exception as error:  # an examination that breaks must not hide the others
        return [Finding(name, "failure", f"This could not be examined ({type(error).__name__}).")]


def _python() -> Iterator[Finding]:
    low, high = PYTHONS
    version = platform.python_version()
    fits = low <= tuple(map(int, version.split(".")[:2])) < high
    advice = "" if fits else "; install 3.11, 3.12 or 3.13"
    yield Finding("python", "ok" if fits else "failure", f"Python {version}{advice}.")


def _packages() -> Iterator[Finding]:
    faults = []
    for package, (floor, advisory) in FLOORS.items():
        found = _installed(package)
        if found is None:
            faults.append(f"{package} is not installed; install requirements.txt again.")
        elif _numbers(found) < _numbers(floor):
            faults.append(f"{package} {found} has the fault {advisory}; install {floor} or newer.")
    yield from (Finding("packages", "failure", fault) for fault in faults)
    if not faults:
        yield Finding(
            "packages", "ok", f"{len(FLOORS)} packages are free of the faults on the list, "
            f"torch {_installed('torch')} and streamlit {_installed('streamlit')} among them.",
        )  # fmt: skip


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """Return the release of a version, as in ``2.13.0+cpu``, without what follows it."""
    release = re.match(r"[0-9]+(\.[0-9]+)*", version)
    numbers = [int(number) for number in release[0].split(".")] if release else []
    while numbers and numbers[-1] == 0:
        del numbers[-1]
    return tuple(numbers)


def _settings() -> Iterator[Finding]:
    try:
        settings()
    except WorkbenchError as error:
        yield Finding("settings", "failure", str(error))
        return
    known = {name.upper() for name in Settings.model_fields} | OTHER_VARIABLES
    given = {name.upper().removeprefix(PREFIX) for name in os.environ if _is_ours(name)}
    for name in sorted(given - known):
        yield Finding(
            "settings", "warning", f"There is no setting {PREFIX}{name}; correct or remove the "
            "variable.",
        )  # fmt: skip
    file = config_file()
    if not file.is_file():
        yield Finding("settings", "ok", f"There is no file {str(file)!r}; defaults apply.")
    elif file.stat().st_mode & 0o022:
        yield Finding(
            "settings", "failure", f"Others may change {str(file)!r}, and with it who is an "
            f"administrator; run chmod 640 {file}.",
        )  # fmt: skip
    else:
        yield Finding("settings", "ok", f"{str(file)!r} fits.")


def _is_ours(variable: str) -> bool:
    return variable.upper().startswith(PREFIX)


def _device(case: Case) -> Iterator[Finding]:
    device = choose_device(case.settings.device)
    others = torch.cuda.device_count()
    yield Finding(
        "device", "ok", f"Computes on {describe_device(device)}; this machine has "
        f"{others or 'no'} CUDA device{'' if others == 1 else 's'}.",
    )  # fmt: skip
    threads, cores = torch.get_num_threads(), _cores()
    if threads > cores:
        yield Finding(
            "threads", "warning", f"PyTorch uses {threads} threads where {cores:g} cores may be "
            f"used; set OMP_NUM_THREADS={max(1, int(cores))}.",
        )  # fmt: skip
    else:
        yield Finding("threads", "ok", f"PyTorch uses {threads} threads on {cores:g} cores.")


def _cores() -> float:
    """Return how many cores this process may use, by its affinity and its group's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = float(len(affinity(0)) if affinity else os.cpu_count() or 1)
    quota, _, period = _group("cpu.max").partition(" ")
    return min(cores, int(quota) / int(period)) if quota.isdecimal() else cores


def _group(name: str) -> str:
    """Return a limit of the container or service this runs in; empty where there is none."""
    try:
        return Path("/sys/fs/cgroup", name).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _memory(case: Case) -> Iterator[Finding]:
    free, total = psutil.virtual_memory().available, psutil.virtual_memory().total
    limit, used = _group("memory.max"), _group("memory.current")
    if limit.isdecimal() and used.isdecimal():
        total = min(total, int(limit))
        free = min(free, int(limit) - int(used))
    said = f"{_gib(free)} of {_gib(total)} are free"
    if free < LEAST_MEMORY:
        yield Finding(
            "memory", "warning", f"Only {said}; large tables and many people need "
            f"{_gib(LEAST_MEMORY)} or more.",
        )  # fmt: skip
    elif total < max(case.settings.reader_bytes, case.settings.onnx_bytes):
        yield Finding(
            "memory", "warning", f"{said}, less than reader_bytes or onnx_bytes let one process "
            "take; lower these settings.",
        )  # fmt: skip
    else:
        yield Finding("memory", "ok", f"{said}.")


def _home(case: Case) -> Iterator[Finding]:
    home = case.settings.home
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    if not _can_write(place):
        yield Finding(
            "home", "failure", f"{str(home)!r} cannot be written; change its permissions or set "
            "WORKBENCH_HOME.",
        )  # fmt: skip
    elif place == home and home.stat().st_mode & 0o007:
        yield Finding(
            "home", "warning", f"Other accounts of this machine may look into {str(home)!r}; run "
            f"chmod 700 {home}.",
        )  # fmt: skip
    else:
        yield Finding("home", "ok", f"Uploads, jobs and results are kept in {str(home)!r}.")
    free = shutil.disk_usage(place).free
    wanted = case.settings.results_bytes
    if free < LEAST_DISK:
        yield Finding("disk", "failure", f"Only {_gib(free)} is free at {str(place)!r}; make room.")
    elif free < wanted:
        yield Finding(
            "disk", "warning", f"{_gib(free)} are free at {str(place)!r}, less than the "
            f"{_gib(wanted)} that results may take; make room or lower results_bytes.",
        )  # fmt: skip
    else:
        yield Finding("disk", "ok", f"{_gib(free)} are free at {str(place)!r}.")


def _can_write(folder: Path) -> bool:
    """Tell whether a file can be made there; of a read-only disk its permissions do not say so."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / GIB:.1f} GiB"


def _registry(case: Case) -> Iterator[Finding]:
    root = registry_root()
    entries = list_models(root)
    faults = [fault for entry in entries for fault in _model_faults(root, entry, deep=case.deep)]
    yield from (Finding("registry", "failure", fault) for fault in faults)
    versions = sum(len(entry.versions) for entry in entries)
    if not entries:
        yield Finding(
            "registry", "warning", f"There are no models in {str(root)!r}; train the bundled ones "
            "with workbench train, or point WORKBENCH_MODELS elsewhere.",
        )  # fmt: skip
    elif not faults:
        what = "cards and weights" if case.deep else "cards"
        yield Finding(
            "registry", "ok", f"The {what} of {versions} versions of {len(entries)} models are "
            f"sound{'' if case.deep else '; --deep reads the weights, too'}.",
        )  # fmt: skip


def _model_faults(root: Path, entry: Entry, *, deep: bool) -> Iterator[str]:
    for version in entry.versions:
        folder = root / entry.name / str(version)
        try:
            card, _ = read_card(folder)
        except WorkbenchError as error:
            yield str(error)
            continue
        files = [folder / name for name in WEIGHTS if (folder / name).is_file()]
        if not files:
            yield f"{str(folder)!r} holds no weights; restore them or remove the version."
        elif deep and _digest(files[0]) != card.weights_sha256:
            yield (
                f"{str(files[0])!r} is not what its card says; restore the file or train the "
                "model again."
            )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tables(case: Case) -> Iterator[Finding]:  # noqa: ARG001
    folder = data_folder()
    for name in TABLES:
        bundled_schema(name)
    yield Finding("tables", "ok", f"{len(TABLES)} bundled tables are in {str(folder)!r}.")


def _isolation(case: Case) -> Iterator[Finding]:
    found = isolation()
    if found.enough:
        yield Finding("isolation", "ok", found.sentence)
        return
    refused = case.settings.require_isolation
    yield Finding(
        "isolation", "warning", f"{found.sentence.rstrip('.')}; "
        + ("uploads that need more are refused." if refused else "uploads are read all the same, "
        "as require_isolation is off."),
    )  # fmt: skip


def _browser(case: Case) -> Iterator[Finding]:  # noqa: ARG001
    try:
        found = find_chromium()
    except InvalidInputError as error:
        yield Finding("browser", "warning", str(error))
        return
    yield Finding("browser", "ok", f"Reports are printed as PDF by {found}.")


def _sign_in(case: Case) -> Iterator[Finding]:
    app = app_folder()
    sign_in = read_sign_in(secrets_files(case.settings, app))
    for file in sign_in.files:
        if file.stat().st_mode & 0o007:
            yield Finding(
                "sign-in", "failure", f"Every account of this machine may read the secrets in "
                f"{str(file)!r}; run chmod 600 {file}.",
            )  # fmt: skip
    yield from (Finding("sign-in", "failure", fault) for fault in sign_in.faults)
    if sign_in.is_configured:
        yield from _who_comes_in(case.settings)
    else:
        yield Finding("sign-in", "ok", "Nobody signs in, so only this machine is served.")
    address = configured_address(app)
    said = refusal(address, sign_in, case.settings) if not sign_in.faults else None
    if said is not None:
        yield Finding("address", "failure", said)
    elif case.settings.allow_anonymous_network and not sign_in.is_configured:
        yield Finding(
            "address", "warning", "allow_anonymous_network is on: whoever reaches this machine "
            "comes in, and all share their uploads and results.",
        )  # fmt: skip
    else:
        where = address or "every address"
        yield Finding("address", "ok", f"Listens on {where} unless workbench serve says otherwise.")


def _who_comes_in(now: Settings) -> Iterator[Finding]:
    missing = [name for name in ("authlib", "httpx") if find_spec(name) is None]
    if missing:
        yield Finding(
            "sign-in", "failure", f"Sign-in needs {' and '.join(missing)}; install "
            "requirements.txt again.",
        )  # fmt: skip
    elif not now.admins:
        yield Finding(
            "sign-in", "warning", "People sign in, but nobody is an administrator; name one in "
            "the setting admins.",
        )  # fmt: skip
    else:
        others = {"none": "nobody else comes in"}.get(
            now.default_role, f"everybody else is {now.default_role}"
        )
        yield Finding("sign-in", "ok", f"People sign in; {others}.")


EXAMINATIONS: dict[str, Examination] = {
    "device": _device,
    "memory": _memory,
    "home": _home,
    "registry": _registry,
    "tables": _tables,
    "isolation": _isolation,
    "browser": _browser,
    "sign-in": _sign_in,
}
