"""Signing in for real: an issuer, a server and two people, each with a browser of their own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from workbench.core.people import person_key

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
MILLISECONDS = 30_000
START_SECONDS = 60
# The part of the app that is tried out; the rest would only take time to load. What somebody
# typed stands for everything that a session keeps.
APP = """
import sys, types
package = types.ModuleType("workbench.ui")
package.__path__ = [{folder!r}]
sys.modules["workbench.ui"] = package
import streamlit as st
from workbench.core.errors import WorkbenchError
from workbench.ui import people

try:
    person = people.current_person()
except WorkbenchError as error:
    st.error(str(error))
    st.stop()
people.account_panel(person)
st.title("Inside")
st.text(f"key {{person.key}} role {{person.role}}")
st.text_input("Note", key="note")
st.session_state["kept"] = st.session_state.get("kept", "") + st.session_state["note"]
st.text(f"kept {{st.session_state['kept']}}")
st.button("Again")
"""
CLAIMS = {
    "ann": {"email": "Ann@example.org", "email_verified": True, "name": "Ann *Lee*"},
    "bea": {"email": "bea@example.org", "email_verified": True},
    "cid": {"email": "ann@example.org", "email_verified": False, "name": "Cid"},
}
SETTINGS = 'admins = ["ann@example.org"]\nviewers = ["bea@example.org"]\n'


@contextmanager
def running(command, url, log, **options):
    """Run a server until the block ends; begins once it answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, **options,
        )  # fmt: skip
        try:
            wait_for(url, process, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(url, process, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    """The address of an OpenID Connect issuer that knows the people above."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    people = [json.dumps({"sub": sub, **claims}) for sub, claims in CLAIMS.items()]
    command = ["oidc_provider_mock", "--port", str(port)]
    command += [f"--user-claims={claims}" for claims in people]
    log = tmp_path_factory.mktemp("issuer") / "log"
    with running(command, f"{url}/.well-known/openid-configuration", log):
        yield url


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    (folder / "workbench.toml").write_text(SETTINGS)
    return folder


@contextmanager
def served(app, issuer, home):
    """Serve an app with sign-in by the issuer; yields its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    (home / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "{url}/oauth2callback"\ncookie_secret = "{"c" * 64}"\n'
        'client_id = "workbench"\nclient_secret = "s"\n'
        f'server_metadata_url = "{issuer}/.well-known/openid-configuration"\n'
    )
    command = ["streamlit", "run", str(app), f"--server.port={port}"]
    command += [f"--secrets.files={home / 'secrets.toml'}"]
    shutil.copytree(ROOT / ".streamlit", home / ".streamlit")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STREAMLIT_", "WORKBENCH_", "XDG_"))
    }
    own = {"HOME": str(home), "WORKBENCH_HOME": str(home), "PYTHONPATH": str(ROOT)}
    own |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    log = home / "log"
    with running(command, f"{url}/_stcore/health", log, cwd=home, env=kept | own):
        yield url


@pytest.fixture(scope="module")
def url(issuer, home):
    """The address of the app, with sign-in by the issuer."""
    app = home / "app.py"
    app.write_text(APP.format(folder=str(ROOT / "workbench" / "ui")))
    with served(app, issuer, home) as address:
        yield address


@pytest.fixture(scope="module")
def workbench_url(issuer, tmp_path_factory):
    """The address of the whole workbench, with sign-in by the issuer."""
    home = tmp_path_factory.mktemp("whole")
    (home / "workbench.toml").write_text(SETTINGS)
    with served(ROOT / "app.py", issuer, home) as address:
        yield address


@pytest.fixture
def settings_file(home):
    """The settings, which the server reads again when they have changed."""
    file = home / "workbench.toml"
    yield file
    file.write_text(SETTINGS)


@pytest.fixture
def browsers(chromium, issuer):
    """Makes browsers that share nothing, and whose app asks this machine alone."""
    contexts, outside = [], []

    def refuse(route):
        if not route.request.frame.url.startswith(issuer):  # its pages are not ours
            outside.append(route.request.url)
        route.abort()

    def new():
        contexts.append(chromium.new_context(viewport={"width": 1200, "height": 800}))
        page = contexts[-1].new_page()
        page.route(lambda url: urlsplit(url).hostname not in {"127.0.0.1", None}, refuse)
        return page

    yield new
    for context in contexts:
        context.close()
    assert outside == []


def sign_in(page, url, who):
    page.goto(url)
    page.get_by_role("button", name="Sign in", exact=True).click(timeout=MILLISECONDS)
    page.get_by_role("button", name=who, exact=True).first.click(timeout=MILLISECONDS)


def enter(page, url, who):
    sign_in(page, url, who)
    page.get_by_role("heading", name="Inside").wait_for(timeout=MILLISECONDS)


def sign_out(page):
    page.get_by_role("button", name="Sign out", exact=True).click(timeout=MILLISECONDS)
    page.get_by_role("button", name="End session").click(timeout=MILLISECONDS)  # the issuer asks
    page.get_by_role("heading", name="Sign in").wait_for(timeout=MILLISECONDS)


def identity(page):
    return page.get_by_text("key u").inner_text()


def test_nobody_sees_a_page_before_signing_in(browsers, url):
    page = browsers()
    page.goto(url)
    page.get_by_role("heading", name="Sign in").wait_for(timeout=MILLISECONDS)
    assert page.get_by_text("key").count() == 0
    assert page.get_by_text("Note").count() == 0


def test_two_people_have_their_own_keys_and_roles(browsers, url, issuer):
    ann, bea = browsers(), browsers()
    enter(ann, url, "ann")
    enter(bea, url, "bea")
    assert identity(ann) == f"key {person_key(issuer, 'ann')} role admin"
    assert identity(bea) == f"key {person_key(issuer, 'bea')} role viewer"
    ann.get_by_text("Ann *Lee*").click()
    ann.get_by_text(f"Key: {person_key(issuer, 'ann')}").wait_for(timeout=MILLISECONDS)
    ann.get_by_text("Role: admin").wait_for(timeout=MILLISECONDS)


def test_signing_out_leaves_nothing_for_the_next_person_at_the_same_browser(browsers, url, issuer):
    page = browsers()
    enter(page, url, "ann")
    note = page.get_by_label("Note")
    note.fill("secret")
    note.press("Enter")
    page.get_by_text("kept secret").wait_for(timeout=MILLISECONDS)
    page.get_by_text("Ann *Lee*").click()
    sign_out(page)
    page.reload()
    page.get_by_role("heading", name="Sign in").wait_for(timeout=MILLISECONDS)
    enter(page, url, "bea")
    assert identity(page) == f"key {person_key(issuer, 'bea')} role viewer"
    assert page.get_by_label("Note").input_value() == ""
    assert page.get_by_text("secret").count() == 0


def test_an_address_that_nobody_verified_gives_no_role(browsers, url, issuer):
    page = browsers()
    enter(page, url, "cid")
    assert identity(page) == f"key {person_key(issuer, 'cid')} role analyst"


def test_a_change_of_the_lists_holds_at_the_next_click(browsers, url, issuer, settings_file):
    page = browsers()
    enter(page, url, "cid")
    key = person_key(issuer, "cid")
    settings_file.write_text(f'admins = ["{key}"]\n')
    page.get_by_role("button", name="Again").click()
    page.get_by_text(f"key {key} role admin").wait_for(timeout=MILLISECONDS)
    settings_file.write_text('default_role = "none"\n')
    page.get_by_role("button", name="Again").click()
    page.get_by_role("heading", name="No access").wait_for(timeout=MILLISECONDS)
    assert page.get_by_role("alert").inner_text().splitlines()[-1] == (
        "You are signed in but not known here; ask an administrator of this workbench to add "
        f"your verified e-mail address or your key {key} to one of its lists."
    )
    assert page.get_by_label("Note").count() == 0
    sign_out(page)


def test_whoever_is_refused_by_the_issuer_stays_outside(browsers, url):
    page = browsers()
    page.goto(url)
    page.get_by_role("button", name="Sign in", exact=True).click(timeout=MILLISECONDS)
    page.get_by_role("button", name="Deny").click(timeout=MILLISECONDS)
    page.get_by_role("heading", name="Sign in").wait_for(timeout=MILLISECONDS)


def test_a_forged_cookie_lets_nobody_in(browsers, url):
    page = browsers()
    claims = json.dumps({"sub": "ann", "iss": "x", "iat": time.time(), "is_logged_in": True})
    page.context.add_cookies([{"name": "_streamlit_user", "value": claims, "url": url}])
    page.goto(url)
    page.get_by_role("heading", name="Sign in").wait_for(timeout=MILLISECONDS)


def test_people_see_their_own_uploads_and_jobs_alone(browsers, workbench_url, tmp_path):
    mine = tmp_path / "ann's people.csv"
    mine.write_text("height,weight\n" + "".join(f"{n + 0.5},{n * n}\n" for n in range(20)))
    ann, bea = browsers(), browsers()
    sign_in(ann, workbench_url, "ann")
    ann.get_by_text("the model is right for").wait_for(timeout=2 * MILLISECONDS)
    ann.get_by_role("link", name="Add data").click()
    ann.locator('input[type="file"]').set_input_files(mine)
    ann.get_by_role("button", name="Keep this table").click(timeout=2 * MILLISECONDS)
    ann.get_by_text("You have 1 table here").wait_for(timeout=MILLISECONDS)
    ann.get_by_role("link", name="Jobs").click()
    ann.get_by_text("1 finished").wait_for(timeout=MILLISECONDS)

    sign_in(bea, workbench_url, "bea")
    bea.get_by_text("the model is right for").wait_for(timeout=2 * MILLISECONDS)
    bea.get_by_role("link", name="Add data").click()
    bea.get_by_text("The role viewer may not upload models and tables").wait_for(
        timeout=MILLISECONDS
    )
    assert bea.get_by_text("people", exact=True).count() == 0
    bea.get_by_role("link", name="Jobs").click()
    bea.get_by_text("1 finished").wait_for(timeout=MILLISECONDS)
    bea.get_by_role("link", name="Health").click()
    bea.get_by_text("ask an administrator of this workbench for the role admin").wait_for(
        timeout=MILLISECONDS
    )

    ann.get_by_text("Ann *Lee*").click()
    sign_out(ann)
    assert ann.get_by_role("link", name="Jobs").count() == 0
    ann.goto(f"{workbench_url}/jobs")
    ann.get_by_role("heading", name="Sign in").wait_for(timeout=MILLISECONDS)
    assert ann.get_by_text("finished").count() == 0
