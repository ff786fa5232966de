"""What whoever runs the workbench may set, from one file and the environment.

The file is ``workbench.toml`` in the home folder, or the one that ``WORKBENCH_CONFIG`` names; a
variable ``WORKBENCH_<NAME>`` in the environment goes before the line ``<name> = ...`` in the file.
An empty variable counts as none. Paths in the file start at the file's folder, paths in a variable
at the working folder; lists in a variable are separated by commas.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from workbench.core.errors import InvalidInputError

PREFIX = "WORKBENCH_"
FILE = "workbench.toml"
PLACES = ("home", "models", "sample_data", "sign_in", "chromium")
Role = Literal["viewer", "analyst", "admin"]
GIB = 2**30


def _words(value: Any) -> Any:
    """Split the text of a variable; what comes from the file is a list already."""
    if not isinstance(value, str):
        return value
    return tuple(word for part in value.split(",") if (word := part.strip()))


def _plain_path(value: Path) -> Path:
    return value.expanduser().absolute()


Place = Annotated[Path, AfterValidator(_plain_path)]
# Whoever can sign in is known by an address that the sign-in has verified, or by a key.
People = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


def default_home() -> Path:
    """Return where uploads, jobs and results are kept unless something else is said."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "workbench"


class Settings(BaseSettings):
    """Every setting with its bounds and default; unknown names in the file are refused."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid"
    )

    # Places
    home: Place = Field(default_factory=default_home, description="Uploads, jobs and results.")
    models: Place | None = Field(None, description="Registry folder; the built-in one if not set.")
    sample_data: Place | None = Field(None, description="Folder of the bundled tables.")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1 or mps.")

    chromium: Place | None = Field(
        None, description="Chromium that prints PDF; the first on the PATH if not set."
    )

    # What a file may hold
    max_file_bytes: int = Field(GIB, ge=1, description="Largest upload, packed or unpacked.")
    max_columns: int = Field(5_000, ge=1, description="Most columns of a table.")
    max_rows: int = Field(20_000_000, ge=1, description="Most rows of an uploaded table.")

    # What a person may use
    user_bytes: int = Field(5 * GIB, ge=0, description="Space for one person's uploads.")
    uploads_per_hour: int = Field(60, ge=1, description="Uploads that one person may start.")
    jobs_per_user: int = Field(20, ge=1, description="Jobs of one person waiting or running.")
    jobs_per_hour: int = Field(3_600, ge=1, description="Jobs that one person may submit.")
    draft_hours: float = Field(24, gt=0, description="Age at which unfinished uploads are removed.")

    # What the machine gives
    queue_length: int = Field(100, ge=1, description="Jobs that may wait, of all people together.")
    job_minutes: float = Field(240, gt=0, description="Longest time that a job may run.")
    results_bytes: int = Field(10 * GIB, ge=1, description="Space for results; oldest use leaves.")
    reader_bytes: int = Field(8 * GIB, ge=GIB // 4, description="Memory of a process that reads an "
                              "upload.")  # fmt: skip
    reader_seconds: float = Field(300, gt=0, description="Longest time to read an upload.")
    onnx_bytes: int = Field(4 * GIB, ge=GIB // 4, description="Memory of an ONNX model's process.")
    onnx_seconds: float = Field(60, gt=0, description="Longest time for a batch of an ONNX model.")
    require_isolation: bool = Field(True, description="Refuse uploads that need a confined process "
                                    "where this system cannot confine one.")  # fmt: skip

    # People; who they are comes from the sign-in
    sign_in: Place | None = Field(
        None, description="File with the [auth] of the sign-in; secrets.toml in home if not set."
    )
    sign_in_hours: float = Field(168, gt=0, description="Age at which a sign-in has to be renewed.")
    admins: People = Field((), description="Administrators: verified e-mail addresses, or keys.")
    analysts: People = Field((), description="Analysts: verified e-mail addresses, or keys.")
    viewers: People = Field((), description="Viewers: verified e-mail addresses, or keys.")
    default_role: Role | Literal["none"] = Field(
        "analyst", description="Role of everybody else who can sign in; none lets nobody else in."
    )
    allow_anonymous_network: bool = Field(
        False, description="Serve other machines without sign-in; everybody is one person then."
    )

    # Logs
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe message that is logged."
    )
    log_format: Literal["text", "json"] = Field("text", description="A line of text, or of JSON.")

    @classmethod
    def settings_customise_sources(  # noqa: D102 - of the base class
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _File(settings_cls, config_file())


class _File(TomlConfigSettingsSource):
    """The settings file; its paths start at its folder."""

    def _read_file(self, file_path: Path) -> dict[str, Any]:  # type: ignore[override] # a real file
        content = super()._read_file(file_path)
        paths = {name: content[name] for name in PLACES if isinstance(content.get(name), str)}
        return content | {
            name: file_path.absolute().parent / Path(path).expanduser()
            for name, path in paths.items()
        }


def config_file() -> Path:
    """Return the settings file, whether it exists or not."""
    if chosen := os.environ.get(f"{PREFIX}CONFIG"):
        return Path(chosen).expanduser()
    return Path(os.environ.get(f"{PREFIX}HOME") or default_home()).expanduser() / FILE


def settings() -> Settings:
    """Return the settings as they are now; the file is read again after it has changed.

    Raises
    ------
    InvalidInputError
        Naming every setting that does not fit.
    """
    file = config_file()
    try:
        state = file.stat()
        seen = (str(file), state.st_mtime_ns, state.st_size)
    except FileNotFoundError:
        seen = (str(file), 0, 0)
    except OSError as error:
        raise InvalidInputError(_unreadable(file, error.strerror)) from None
    if not file.is_file() and (seen[1] or os.environ.get(f"{PREFIX}CONFIG")):
        what = "it is a folder" if file.is_dir() else "it does not exist"
        raise InvalidInputError(_unreadable(file, what))
    variables = {k: v for k, v in os.environ.items() if k.upper().startswith(PREFIX)}
    return _settings(seen, tuple(sorted(variables.items())), default_home())


@lru_cache(maxsize=8)
def _settings(
    seen: tuple[str, int, int],
    variables: tuple[tuple[str, str], ...],  # noqa: ARG001
    home: Path,  # noqa: ARG001
) -> Settings:
    try:
        return Settings()
    except OSError as error:
        raise InvalidInputError(_unreadable(Path(seen[0]), error.strerror)) from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {_sentence(fault['msg'])}, got {fault['input']!r}"
            for fault in error.errors()
        )
        raise InvalidInputError(
            f"Settings do not fit ({seen[0]} and WORKBENCH_ variables): {faults}."
        ) from None
    except (SettingsError, ValueError) as error:  # not JSON in a variable, not TOML in the file
        raise InvalidInputError(
            f"Settings cannot be read ({seen[0]} and WORKBENCH_ variables): {error}."
        ) from None


def _unreadable(file: Path, why: str | None) -> str:
    return (
        f"The settings file {str(file)!r} cannot be read ({why}); correct WORKBENCH_CONFIG, or the "
        "file and its permissions."
    )


def _sentence(message: str) -> str:
    if message == "Extra inputs are not permitted":
        return "there is no such setting"
    return message[0].lower() + message[1:]
