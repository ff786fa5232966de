"""Who somebody is and what they may do."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from workbench.core.errors import AccessError
from workbench.core.settings import Role, Settings

Action = Literal["run_small", "run", "upload", "administer"]

# Everybody may look at what is shared and at results of their own.
ALLOWED: dict[Role, frozenset[Action]] = {
    "viewer": frozenset({"run_small"}),
    "analyst": frozenset({"run_small", "run", "upload"}),
    "admin": frozenset({"run_small", "run", "upload", "administer"}),
}
ROLES: tuple[Role, ...] = tuple(ALLOWED)
WORDS: dict[Action, str] = {
    "run_small": "run explanations",
    "run": "start runs of this size, or on models and tables of one's own",
    "upload": "upload models and tables",
    "administer": "change shared models or see the jobs of others",
}
LOCAL = "local"
SHARED_NAME = "everybody"


@dataclass(frozen=True)
class Person:
    """Somebody who uses the workbench.

    Attributes
    ----------
    key
        Owns uploads, jobs and results; says nothing about who it is.
    name
        For the person's own eyes; it comes from the sign-in and may hold any text.
    """

    key: str
    name: str
    role: Role


def may(person: Person, action: Action) -> bool:
    """Tell whether a person's role allows an action."""
    return action in ALLOWED[person.role]


def demand(person: Person, action: Action) -> None:
    """Let pass who may do this.

    Raises
    ------
    AccessError
        If the person's role does not allow it.
    """
    if not may(person, action):
        enough = next(role for role in ROLES if action in ALLOWED[role])
        raise AccessError(
            f"The role {person.role} may not {WORDS[action]}; ask an administrator of this "
            f"workbench for the role {enough}."
        )


def local_person(settings: Settings) -> Person:
    """Return the one person there is without sign-in.

    On a machine of one's own that is an administrator. Where other machines are let in without
    sign-in nobody knows who it is, so it is the role of people who are on no list.
    """
    if not settings.allow_anonymous_network:
        return Person(LOCAL, "", "admin")
    role = settings.default_role
    return Person(LOCAL, SHARED_NAME, "viewer" if role == "none" else role)


def person_key(issuer: str, subject: str) -> str:
    """Return the key of whoever an issuer calls ``subject``.

    An address may change hands, and two issuers may use the same subject; the pair is for good.

    Examples
    --------
    >>> person_key("https://id.example.org", "ann")
    'u9a8cca2e5b840977'
    """
    text = f"{issuer}\n{subject}"
    return f"u{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def person_for(
    settings: Settings,
    *,
    email: str,
    email_verified: bool,
    subject: str,
    issuer: str,
    name: str = "",
) -> Person:
    """Return who signed in, with the highest role that a list gives, else the default role.

    Lists hold addresses, which count when the issuer has verified them, and keys of people, for
    issuers that do not say.

    Raises
    ------
    AccessError
        If the sign-in does not say who it is, or the person is on no list and the default role is
        ``none``.
    """
    if not subject or not issuer:
        raise AccessError(
            "The sign-in does not say who you are (sub and iss are missing); ask for the scope "
            "openid in the sign-in's client_kwargs."
        )
    key = person_key(issuer, subject)
    known = {key} | ({email.strip().casefold()} if email_verified and email.strip() else set())
    lists = {"admin": settings.admins, "analyst": settings.analysts, "viewer": settings.viewers}
    role: Role
    for role in reversed(ROLES):
        if known & {entry.strip().casefold() for entry in lists[role]}:
            break
    else:
        if settings.default_role == "none":
            raise AccessError(
                "You are signed in but not known here; ask an administrator of this workbench to "
                f"add your verified e-mail address or your key {key} to one of its lists."
            )
        role = settings.default_role
    return Person(key, name or email, role)
