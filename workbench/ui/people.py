"""Who looks at the page: signing in and out, and a server that strangers must not reach."""

import time
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, NoReturn

import streamlit as st

from workbench.core.errors import AccessError, InvalidInputError
from workbench.core.people import Person, local_person, person_for
from workbench.core.settings import settings
from workbench.operations.logs import speak_for
from workbench.operations.server import app_folder, is_loopback
from workbench.operations.sign_in import OPEN, SignIn, read_sign_in, refusal, secrets_files
from workbench.ui.text import plain

OWNER = "people.owner"
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


def refuse_open_server() -> str | None:
    """Return why nobody may be let in, or None.

    Without sign-in everybody who gets here is the same person, so it has to be somebody at this
    very machine: the server listens here alone, was asked for by a name of this machine (a page
    elsewhere may have pointed its own name here), and no proxy passes strangers on.
    """
    try:
        sign_in = _sign_in()
    except InvalidInputError as error:
        return str(error)
    if said := refusal(st.get_option("server.address") or "", sign_in, settings()):
        return said
    if sign_in.is_configured or settings().allow_anonymous_network:
        return None
    headers = st.context.headers
    host = headers.get("Host")
    by_name = host is not None and not is_loopback(host)
    if (
        by_name
        or isinstance(st.context.ip_address, str)
        or any(name in headers for name in FORWARDED)
    ):
        return (
            "This workbench has no sign-in and serves its own machine alone, but was asked for "
            "from elsewhere; set up sign-in (docs/operations.md), open http://localhost with its "
            f"port at the machine itself, or set {OPEN} to let in everybody."
        )
    return None


def current_person() -> Person:
    """Return who looks at the page; shows the sign-in and ends the run where nobody is known.

    Roles are looked up on every run, so a change of the lists holds at the next click.

    Raises
    ------
    AccessError
        If this server must not let anybody in, see ``refuse_open_server``.
    """
    if said := refuse_open_server():
        raise AccessError(said)
    if not _sign_in().is_configured:
        return _enter(local_person(settings()))
    claims = _claims()
    if claims is None:
        _leave()
        sign_in_page()
    try:
        person = person_for(
            settings(),
            email=str(claims.get("email") or ""),
            email_verified=claims.get("email_verified") in (True, "true"),
            subject=str(claims.get("sub") or ""),
            issuer=str(claims.get("iss") or ""),
            name=str(claims.get("name") or ""),
        )
    except AccessError as error:
        _leave()
        _no_access_page(str(error))
    return _enter(person)


def navigation_position() -> Literal["sidebar", "hidden"]:
    """Return where to show the pages: nowhere before somebody has come in."""
    if refuse_open_server() is not None:
        return "hidden"
    return "sidebar" if not _sign_in().is_configured or _claims() is not None else "hidden"


def sign_in_page() -> NoReturn:
    """Ask to sign in, and end the run."""
    st.title("Sign in", anchor=False)
    st.write("Your uploads, runs and results are kept under your name, and nobody else sees them.")
    providers = _sign_in().providers
    for provider in providers:
        own = provider == "default"
        st.button(
            "Sign in" if own else f"Sign in with {plain(provider.capitalize())}",
            type="primary",
            icon=":material/login:",
            key=f"people.sign_in.{provider}",
            on_click=partial(st.login) if own else partial(st.login, provider),
        )
    st.stop()


def account_panel(person: Person | None = None) -> None:
    """Show in the sidebar who is signed in, with a way out; nothing where nobody signs in."""
    if not _sign_in().is_configured:
        return
    person = person or current_person()
    with st.sidebar.popover(plain(person.name) or "Account", icon=":material/account_circle:"):
        st.write(f"Role: {person.role}")
        st.caption(f"Key: {person.key}", help="What the lists of roles may name you by.")
        _sign_out_button()


@cache
def _sign_in() -> SignIn:
    """Read the sign-in once: a file that vanishes later must not open the door.

    Raises
    ------
    InvalidInputError
        If a file cannot be read, or the server was started without the one it should use.
    """
    used = [Path(path).absolute() for path in st.get_option("secrets.files") or ()]
    wanted = secrets_files(settings(), app_folder())
    if len(wanted) == 1 and wanted[0] not in used:
        raise InvalidInputError(
            f"The server was started without the sign-in file {str(wanted[0])!r}; start it with "
            "workbench serve."
        )
    return read_sign_in(used)


def _claims() -> Mapping[str, Any] | None:
    """Return what the sign-in says about the person, or None where nobody is signed in any more."""
    claims = st.user.to_dict()
    if claims.get("is_logged_in") is not True:
        return None
    try:
        age = time.time() - float(str(claims["iat"]))
    except (KeyError, ValueError):
        return None
    return claims if age < settings().sign_in_hours * 3600 else None


def _enter(person: Person) -> Person:
    """Begin a clean session where the last run was somebody else's."""
    if st.session_state.get(OWNER, person.key) != person.key:
        st.session_state.clear()
    st.session_state[OWNER] = person.key
    speak_for(person.key)
    return person


def _leave() -> None:
    if OWNER in st.session_state:
        st.session_state.clear()


def _sign_out_button() -> None:
    st.button("Sign out", icon=":material/logout:", key="people.sign_out", on_click=_sign_out)


def _sign_out() -> None:
    st.session_state.clear()
    st.logout()


def _no_access_page(sentence: str) -> NoReturn:
    st.title("No access", anchor=False)
    st.error(plain(sentence), icon=":material/lock:")
    _sign_out_button()
    st.stop()
