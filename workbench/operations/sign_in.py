"""Whether people sign in, and whether the server may be reached from other machines.

The sign-in (OpenID Connect) is Streamlit's; its settings are the section ``[auth]`` of a secrets
file. What is read here decides who may come in, so every doubt counts against opening the door.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workbench.core.errors import InvalidInputError
from workbench.core.settings import Settings
from workbench.operations.server import is_loopback

SECRETS = "secrets.toml"
CALLBACK = "/oauth2callback"
# A cookie that says who somebody is, is signed with this; a guessed one lets anybody in.
COOKIE_SECRET_LENGTH = 32
NEEDED = ("client_id", "client_secret", "server_metadata_url")
OPEN = "allow_anonymous_network"


@dataclass(frozen=True)
class SignIn:
    """How people sign in.

    Attributes
    ----------
    files
        What was read, later files last; files that do not exist are left out.
    providers
        Names for ``st.login``; ``default`` is the one of ``[auth]`` itself. Empty: nobody signs in.
    faults
        Sentences about what does not fit; with any, nobody can come in.
    """

    files: tuple[Path, ...] = ()
    providers: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def is_configured(self) -> bool:
        """Whether whoever set this up wants people to sign in, be it right or not."""
        return bool(self.providers or self.faults)


def secrets_files(settings: Settings, app: Path) -> tuple[Path, ...]:
    """Return the files that ``workbench serve`` lets Streamlit read, whether they exist or not.

    Raises
    ------
    InvalidInputError
        If the settings name a file that does not exist, or that is no TOML file by its name.
    """
    if settings.sign_in is not None:
        if not _exists(settings.sign_in):
            raise InvalidInputError(_unreadable(settings.sign_in, "it does not exist"))
        if settings.sign_in.suffix != ".toml":  # Streamlit would not read it
            raise InvalidInputError(_unreadable(settings.sign_in, "its name must end in .toml"))
        return (settings.sign_in,)
    if (own := settings.home / SECRETS).is_file():
        return (own,)
    return tuple(folder / ".streamlit" / SECRETS for folder in (Path.home(), app))


def read_sign_in(files: Sequence[str | Path]) -> SignIn:
    """Read ``[auth]`` from the files that exist; a later file replaces sections of an earlier one.

    Raises
    ------
    InvalidInputError
        If a file exists and cannot be read.
    """
    found = tuple(path for path in map(Path, files) if _exists(path))
    auth: Any = None
    for path in found:
        auth = _read(path).get("auth", auth)
    if auth is None:
        return SignIn(found)
    if not isinstance(auth, dict):
        return SignIn(found, faults=(f"[auth] of {_names(found)} must be a section.",))
    providers = _providers(auth)
    faults = [*_common_faults(auth), *(f for p in providers for f in _faults(p, providers[p]))]
    where = _names(found)
    return SignIn(
        found, tuple(providers), tuple(f"{fault} in [auth] of {where}." for fault in faults)
    )


def refusal(host: str, sign_in: SignIn, settings: Settings) -> str | None:
    """Return why a server must not listen on ``host``; None if it may."""
    if sign_in.faults:
        return f"People could not sign in: {sign_in.faults[0]}"
    if is_loopback(host) or sign_in.is_configured or settings.allow_anonymous_network:
        return None
    return (
        f"Listening on {host or 'every address'} without sign-in would let in everybody who can "
        "reach this machine; set up sign-in (docs/operations.md), listen on 127.0.0.1, or set "
        f"{OPEN} to accept that."
    )


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise InvalidInputError(_unreadable(path, error.strerror)) from None
    return True


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(_unreadable(path, error.strerror)) from None
    except ValueError as error:  # not TOML, or not UTF-8; neither quotes what is in the file
        raise InvalidInputError(_unreadable(path, type(error).__name__)) from None


def _unreadable(path: Path, why: str | None) -> str:
    return (
        f"The sign-in file {str(path)!r} cannot be read ({why}); correct it or its permissions, "
        "so that it is certain who may come in."
    )


def _names(files: Sequence[Path]) -> str:
    return ", ".join(repr(str(path)) for path in files)


def _providers(auth: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the sections that name an issuer; without any, what there is counts as the default."""
    named: dict[str, Mapping[str, Any]] = {
        name: section
        for name, section in auth.items()
        if isinstance(section, dict) and name != "client_kwargs"
    }
    if named and not any(key in auth for key in NEEDED):
        return named
    return {"default": auth} | named


def _common_faults(auth: Mapping[str, Any]) -> list[str]:
    faults = []
    redirect = urlsplit(str(auth.get("redirect_uri", "")))
    if redirect.scheme not in {"http", "https"} or not redirect.path.endswith(CALLBACK):
        faults.append(f"redirect_uri must be the address of this workbench with {CALLBACK}")
    elif redirect.scheme == "http" and not is_loopback(redirect.hostname or ""):
        faults.append("redirect_uri must begin with https")
    secret = auth.get("cookie_secret")
    if not isinstance(secret, str) or len(secret) < COOKIE_SECRET_LENGTH:
        faults.append(
            f"cookie_secret must be {COOKIE_SECRET_LENGTH} random characters or more (python -c "
            "'import secrets; print(secrets.token_hex(32))' makes some)"
        )
    return faults


def _faults(name: str, section: Mapping[str, Any]) -> list[str]:
    who = "" if name == "default" else f" of {name}"
    faults = [f"{key}{who} is missing" for key in NEEDED if not section.get(key)]
    address = urlsplit(str(section.get("server_metadata_url") or "https:"))
    if address.scheme != "https" and not is_loopback(address.hostname or ""):
        faults.append(f"server_metadata_url{who} must begin with https")
    return faults
