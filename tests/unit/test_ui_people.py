"""Who is let in: the guard of a server without sign-in, and sessions that change hands."""

import time
from types import SimpleNamespace

import pytest
from starlette.datastructures import Headers

from workbench.core.errors import AccessError
from workbench.core.people import Person, person_key
from workbench.core.settings import Settings
from workbench.ui import people

FROM_ELSEWHERE = (
    "This workbench has no sign-in and serves its own machine alone, but was asked for from "
    "elsewhere; set up sign-in (docs/operations.md), open http://localhost with its port at the "
    "machine itself, or set allow_anonymous_network to let in everybody."
)
ISSUER = "https://id.example.org"
AUTH = (
    '[auth]\nredirect_uri = "https://work.example.org/oauth2callback"\n'
    f'cookie_secret = "{"c" * 32}"\nclient_id = "w"\nclient_secret = "s"\n'
    'server_metadata_url = "https://id.example.org/x"\n'
)


class StoppedError(Exception):
    """What ``st.stop`` does to a page."""


class Page:
    """The part of Streamlit that is asked, and what was shown."""

    def __init__(self):
        self.options = {"server.address": "127.0.0.1", "secrets.files": []}
        self.context = SimpleNamespace(headers=Headers({"Host": "localhost:8501"}), ip_address=None)
        self.session_state = {}
        self.claims = {"is_logged_in": False}
        self.user = SimpleNamespace(to_dict=lambda: dict(self.claims))
        self.shown = []
        self.get_option = self.options.get
        self.login = self.logout = lambda *_: None

    def title(self, text, **_):
        self.shown.append(text)

    write = error = button = title

    def stop(self):
        raise StoppedError

    def asked_with(self, **headers):
        self.context.headers = Headers({k.replace("_", "-"): v for k, v in headers.items()})


@pytest.fixture
def page(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WORKBENCH_{name.upper()}", raising=False)
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    fake = Page()
    monkeypatch.setattr(people, "st", fake)
    people._sign_in.cache_clear()
    yield fake
    people._sign_in.cache_clear()


@pytest.fixture
def signing_in(page, tmp_path):
    """A page with sign-in; returns a function by which somebody signs in."""
    file = tmp_path / "secrets.toml"
    file.write_text(AUTH)
    page.options["secrets.files"] = [str(file)]

    def claim(subject, **claims):
        page.claims = {"is_logged_in": True, "sub": subject, "iss": ISSUER, "iat": time.time()}
        page.claims |= claims

    return claim


# --- a server without sign-in --------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "localhost"])
def test_somebody_at_this_machine_is_the_administrator(page, host):
    page.asked_with(host=host)
    assert people.refuse_open_server() is None
    assert people.current_person() == Person("local", "", "admin")
    assert people.navigation_position() == "sidebar"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "work.example.org"},
        {"host": "192.168.0.7:8501"},
        {"host": "rebound.example.org:8501"},
        {"host": "127.0.0.1:8501", "x_forwarded_for": "10.0.0.9"},
        {"host": "127.0.0.1:8501", "X_Forwarded_Host": "work.example.org"},
        {"host": "127.0.0.1:8501", "forwarded": "for=10.0.0.9"},
        {"host": "127.0.0.1:8501", "x_real_ip": "10.0.0.9"},
        {"host": ""},
    ],
)
def test_a_proxy_or_another_name_is_refused(page, headers, monkeypatch):
    page.asked_with(**headers)
    assert people.refuse_open_server() == FROM_ELSEWHERE
    assert people.navigation_position() == "hidden"
    with pytest.raises(AccessError) as caught:
        people.current_person()
    assert str(caught.value) == FROM_ELSEWHERE
    monkeypatch.setenv("WORKBENCH_ALLOW_ANONYMOUS_NETWORK", "true")
    assert people.current_person() == Person("local", "everybody", "analyst")


def test_another_machine_is_refused(page):
    page.context.ip_address = "192.168.0.7"
    assert people.refuse_open_server() == FROM_ELSEWHERE


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "192.168.0.7"])  # noqa: S104
def test_a_server_that_listens_to_others_is_refused(page, address):
    page.options["server.address"] = address
    assert people.refuse_open_server().startswith(
        f"Listening on {address or 'every address'} without sign-in would let in everybody"
    )


def test_a_page_that_no_server_shows_is_let_through(page):
    page.asked_with()
    assert people.refuse_open_server() is None


# --- the file of the sign-in ---------------------------------------------------------------------


def test_a_damaged_file_lets_nobody_in(page, tmp_path):
    file = tmp_path / "broken.toml"
    file.write_text("[auth\n")
    page.options["secrets.files"] = [str(file)]
    assert people.refuse_open_server() == (
        f"The sign-in file {str(file)!r} cannot be read (TOMLDecodeError); correct it or its "
        "permissions, so that it is certain who may come in."
    )


@pytest.mark.usefixtures("signing_in")
def test_a_file_that_vanishes_later_opens_no_door(page, tmp_path):
    assert people.navigation_position() == "hidden"
    (tmp_path / "secrets.toml").unlink()
    with pytest.raises(StoppedError):
        people.current_person()
    assert page.shown[0] == "Sign in"


@pytest.mark.usefixtures("signing_in")
def test_a_server_started_without_its_file_is_refused(page, tmp_path):
    page.options["secrets.files"] = []
    assert people.refuse_open_server() == (
        f"The server was started without the sign-in file {str(tmp_path / 'secrets.toml')!r}; "
        "start it with workbench serve."
    )


# --- people --------------------------------------------------------------------------------------


def test_with_sign_in_the_address_does_not_matter(page, signing_in):
    page.options["server.address"] = "0.0.0.0"  # noqa: S104
    page.asked_with(host="work.example.org", x_forwarded_for="10.0.0.9")
    signing_in("1", name="Ann")
    assert people.refuse_open_server() is None
    assert people.current_person() == Person(person_key(ISSUER, "1"), "Ann", "analyst")
    assert people.navigation_position() == "sidebar"


@pytest.mark.parametrize("verified", [False, None, "false", "yes", [True], {}])
def test_only_a_verified_address_counts(signing_in, monkeypatch, verified):
    monkeypatch.setenv("WORKBENCH_ADMINS", "ann@example.org")
    signing_in("1", email="ann@example.org", email_verified=verified)
    assert people.current_person().role == "analyst"
    signing_in("1", email="ann@example.org", email_verified=True)
    assert people.current_person().role == "admin"


def test_a_session_that_changes_hands_is_emptied(page, signing_in):
    signing_in("1")
    people.current_person()
    page.session_state["upload"] = "secret"
    people.current_person()
    assert page.session_state["upload"] == "secret"
    signing_in("2")
    people.current_person()
    assert "upload" not in page.session_state


@pytest.mark.parametrize(
    "change",
    [{"is_logged_in": False}, {"is_logged_in": "yes"}, {"iat": time.time() - 169 * 3600},
     {"iat": None}, {"iat": "soon"}],
)  # fmt: skip
def test_a_sign_in_that_has_ended_shows_the_sign_in_page(page, signing_in, change):
    signing_in("1")
    people.current_person()
    page.session_state["upload"] = "secret"
    signing_in("1", **change)
    with pytest.raises(StoppedError):
        people.current_person()
    assert page.session_state == {}
    assert page.shown == [
        "Sign in",
        "Your uploads, runs and results are kept under your name, and nobody else sees them.",
        "Sign in",
    ]
    assert people.navigation_position() == "hidden"


def test_somebody_unknown_sees_a_sentence_and_the_way_out(page, signing_in, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEFAULT_ROLE", "none")
    signing_in("1")
    with pytest.raises(StoppedError):
        people.current_person()
    title, sentence, button = page.shown
    assert (title, button) == ("No access", "Sign out")
    assert sentence.replace("\\", "").startswith("You are signed in but not known here; ask")
