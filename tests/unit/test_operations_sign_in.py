"""Sign-in: what counts as configured, what is wrong with it, and who may listen where."""

import pytest

from workbench.core.errors import InvalidInputError
from workbench.core.settings import Settings
from workbench.operations.server import app_folder, configured_address, is_loopback
from workbench.operations.sign_in import SignIn, read_sign_in, refusal, secrets_files

GOOD = {
    "redirect_uri": "https://work.example.org/oauth2callback",
    "cookie_secret": "c" * 32,
    "client_id": "workbench",
    "client_secret": "s",
    "server_metadata_url": "https://id.example.org/.well-known/openid-configuration",
}
COOKIE = (
    "cookie_secret must be 32 random characters or more (python -c 'import secrets; "
    "print(secrets.token_hex(32))' makes some)"
)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WORKBENCH_{name.upper()}", raising=False)
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.delenv("STREAMLIT_SERVER_ADDRESS", raising=False)


def toml(**keys):
    return "".join(f'{key} = "{value}"\n' for key, value in keys.items())


@pytest.fixture
def secrets(tmp_path):
    def write(text=None, **changed):
        file = tmp_path / "secrets.toml"
        file.write_text("[auth]\n" + toml(**(GOOD | changed)) if text is None else text)
        return file

    return write


def test_a_good_section_is_configured(secrets):
    file = secrets()
    assert read_sign_in([file]) == SignIn((file,), ("default",), ())


def test_named_providers(secrets):
    shared = {key: GOOD[key] for key in ("redirect_uri", "cookie_secret")}
    own = {key: GOOD[key] for key in ("client_id", "client_secret", "server_metadata_url")}
    text = f"[auth]\n{toml(**shared)}[auth.acme]\n{toml(**own)}[auth.other]\n{toml(**own)}"
    assert read_sign_in([secrets(text)]).providers == ("acme", "other")
    both = f"[auth]\n{toml(**GOOD)}[auth.acme]\n{toml(**own)}"
    assert read_sign_in([secrets(both)]).providers == ("default", "acme")


def test_extra_arguments_are_no_provider(secrets):
    text = "[auth]\n" + toml(**GOOD) + '[auth.client_kwargs]\nprompt = "login"\n'
    assert read_sign_in([secrets(text)]).providers == ("default",)


def test_nothing_is_not_configured(secrets, tmp_path):
    assert not read_sign_in([]).is_configured
    assert read_sign_in([tmp_path / "none.toml"]) == SignIn()
    file = secrets('[other]\nkey = "x"\n')
    assert read_sign_in([file]) == SignIn((file,))


def test_a_later_file_replaces_the_section(secrets, tmp_path):
    later = tmp_path / "later.toml"
    later.write_text("[auth]\n" + toml(**GOOD | {"cookie_secret": "short"}))
    assert read_sign_in([later, secrets()]).faults == ()
    assert len(read_sign_in([secrets(), later]).faults) == 1


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("redirect_uri", "", "redirect_uri must be the address of this workbench with "
         "/oauth2callback"),
        ("redirect_uri", "https://work.example.org/", "redirect_uri must be the address of this "
         "workbench with /oauth2callback"),
        ("redirect_uri", "http://work.example.org/oauth2callback", "redirect_uri must begin with "
         "https"),
        ("cookie_secret", "xxx", COOKIE),
        ("client_id", "", "client_id is missing"),
        ("client_secret", "", "client_secret is missing"),
        ("server_metadata_url", "", "server_metadata_url is missing"),
        ("server_metadata_url", "http://id.example.org/x", "server_metadata_url must begin with "
         "https"),
    ],
)  # fmt: skip
def test_every_fault_has_a_sentence(secrets, key, value, fault):
    file = secrets(**{key: value})
    found = read_sign_in([file])
    assert found.faults == (f"{fault} in [auth] of {str(file)!r}.",)
    assert found.is_configured
    assert refusal("127.0.0.1", found, Settings()) == (
        f"People could not sign in: {fault} in [auth] of {str(file)!r}."
    )


def test_this_machine_needs_no_https(secrets):
    local = {
        "redirect_uri": "http://localhost:8501/oauth2callback",
        "server_metadata_url": "http://127.0.0.1:9400/.well-known/openid-configuration",
    }
    assert read_sign_in([secrets(**local)]).faults == ()


def test_a_section_that_is_none(secrets):
    file = secrets("auth = 3\n")
    assert read_sign_in([file]).faults == (f"[auth] of {str(file)!r} must be a section.",)


@pytest.mark.parametrize(
    ("text", "why"), [("[auth\n", "TOMLDecodeError"), (b"\xff", "UnicodeDecodeError")]
)
def test_a_damaged_file_opens_no_door(secrets, text, why):
    file = secrets("")
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInputError) as caught:
        read_sign_in([file])
    assert str(caught.value) == (
        f"The sign-in file {str(file)!r} cannot be read ({why}); correct it or its permissions, so "
        "that it is certain who may come in."
    )


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InvalidInputError, match=r"cannot be read \(Is a directory\)"):
        read_sign_in([tmp_path])


def test_which_file_is_read(tmp_path, monkeypatch, secrets):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    places = (
        tmp_path / "me" / ".streamlit" / "secrets.toml",
        tmp_path / "app" / ".streamlit" / "secrets.toml",
    )
    assert secrets_files(Settings(), tmp_path / "app") == places
    own = secrets()  # in the home folder
    assert secrets_files(Settings(), tmp_path / "app") == (own,)
    chosen = tmp_path / "chosen.toml"
    with pytest.raises(InvalidInputError) as caught:
        secrets_files(Settings(sign_in=chosen), tmp_path / "app")
    assert str(caught.value) == (
        f"The sign-in file {str(chosen)!r} cannot be read (it does not exist); correct it or its "
        "permissions, so that it is certain who may come in."
    )
    chosen.touch()
    assert secrets_files(Settings(sign_in=chosen), tmp_path / "app") == (chosen,)
    with pytest.raises(InvalidInputError, match=r"\(its name must end in \.toml\)"):
        secrets_files(Settings(sign_in=chosen.rename(tmp_path / "chosen")), tmp_path / "app")


LOCAL = ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LOCALHOST", "localhost:8501",
         "127.0.0.1:80", "[::1]:8501", "[::1]", "unix:///run/app.sock"]  # fmt: skip
WIDE = ["", "0.0.0.0", "::", "192.168.0.7", "example.org", "example.org:8501", "[::]:80",  # noqa: S104
        "127.0.0.1.example.org", "localhost.example.org:80", "[::1", "[", "a:b:c", "127.0.0.1:x:y",
        "0", "evil@localhost.example.org"]  # fmt: skip


@pytest.mark.parametrize("host", LOCAL)
def test_addresses_of_this_machine(host):
    assert is_loopback(host)
    assert refusal(host, SignIn(), Settings()) is None


@pytest.mark.parametrize("host", WIDE)
def test_addresses_that_others_reach(host):
    assert not is_loopback(host)
    assert refusal(host, SignIn(), Settings()) == (
        f"Listening on {host or 'every address'} without sign-in would let in everybody who can "
        "reach this machine; set up sign-in (docs/operations.md), listen on 127.0.0.1, or set "
        "allow_anonymous_network to accept that."
    )
    assert refusal(host, SignIn(providers=("default",)), Settings()) is None
    assert refusal(host, SignIn(), Settings(allow_anonymous_network=True)) is None


def test_the_app_listens_to_this_machine_alone(monkeypatch, tmp_path):
    assert (app_folder() / "app.py").is_file()
    assert configured_address(app_folder()) == "127.0.0.1"
    assert configured_address(tmp_path) == ""
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")  # noqa: S104
    assert configured_address(app_folder()) == "0.0.0.0"  # noqa: S104
