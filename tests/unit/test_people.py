"""People: keys, roles from lists, and what a role may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import AccessError
from workbench.core.people import ROLES, Person, demand, local_person, may, person_for, person_key
from workbench.core.settings import Settings

ISSUER = "https://id.example.org"
ALLOWED = {
    ("viewer", "run_small"), ("analyst", "run_small"), ("analyst", "run"), ("analyst", "upload"),
    ("admin", "run_small"), ("admin", "run"), ("admin", "upload"), ("admin", "administer"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_variables(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WORKBENCH_{name.upper()}", raising=False)
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))


def person(email="ann@example.org", *, verified=True, subject="1", issuer=ISSUER, **settings):
    return person_for(
        Settings(**settings), email=email, email_verified=verified, subject=subject, issuer=issuer
    )


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ["run_small", "run", "upload", "administer"])
def test_what_a_role_may_do(role, action):
    someone = Person("u1", "", role)
    assert may(someone, action) == ((role, action) in ALLOWED)
    if may(someone, action):
        demand(someone, action)
    else:
        with pytest.raises(AccessError):
            demand(someone, action)


@pytest.mark.parametrize(
    ("role", "action", "sentence"),
    [
        ("viewer", "upload", "The role viewer may not upload models and tables; ask an "
         "administrator of this workbench for the role analyst."),
        ("analyst", "administer", "The role analyst may not change shared models or see the jobs "
         "of others; ask an administrator of this workbench for the role admin."),
    ],
)  # fmt: skip
def test_a_refusal_names_the_role_that_is_enough(role, action, sentence):
    with pytest.raises(AccessError) as caught:
        demand(Person("u1", "", role), action)
    assert str(caught.value) == sentence


def test_lists_give_roles_whatever_the_case():
    lists = {"admins": ("Ann@Example.ORG",), "analysts": ("bea@example.org",)}
    assert person("ann@example.org", **lists).role == "admin"
    assert person(" BEA@example.org ", **lists).role == "analyst"
    assert person("cid@example.org", default_role="viewer", **lists).role == "viewer"


def test_the_highest_role_of_several_lists_counts():
    lists = {"viewers": ("ann@example.org",), "admins": ("ann@example.org",)}
    assert person(**lists).role == "admin"


def test_an_unverified_address_gives_no_role():
    lists = {"admins": ("ann@example.org",), "default_role": "viewer"}
    assert person(verified=False, **lists).role == "viewer"
    with pytest.raises(AccessError):
        person(verified=False, admins=("ann@example.org",), default_role="none")


def test_a_key_on_a_list_needs_no_address():
    key = person_key(ISSUER, "1")
    assert person("", verified=False, admins=(key,), default_role="none").role == "admin"


@pytest.mark.parametrize("email", ["", "  "])
def test_no_address_is_on_no_list(email):
    assert person(email, admins=("", " "), default_role="viewer").role == "viewer"


def test_somebody_else_is_told_what_to_ask_for():
    key = person_key(ISSUER, "1")
    with pytest.raises(AccessError) as caught:
        person(default_role="none")
    assert str(caught.value) == (
        "You are signed in but not known here; ask an administrator of this workbench to add your "
        f"verified e-mail address or your key {key} to one of its lists."
    )


@pytest.mark.parametrize("missing", ["subject", "issuer"])
def test_a_sign_in_must_say_who_it_is(missing):
    with pytest.raises(AccessError) as caught:
        person(**{missing: ""})
    assert str(caught.value) == (
        "The sign-in does not say who you are (sub and iss are missing); ask for the scope openid "
        "in the sign-in's client_kwargs."
    )


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_keys_name_owners_and_differ_between_people(issuer, subject, other_issuer, other_subject):
    key, other = person_key(issuer, subject), person_key(other_issuer, other_subject)
    assert len(key) == 17
    assert key[0] == "u"
    assert set(key[1:]) <= set("0123456789abcdef")
    if "\n" not in issuer + other_issuer:
        assert (key == other) == ((issuer, subject) == (other_issuer, other_subject))


def test_a_key_outlives_a_new_address_and_says_nothing_about_it():
    before, after = person("ann@example.org"), person("ann.lee@example.org")
    assert before.key == after.key == person_key(ISSUER, "1")
    assert "ann" not in before.key
    assert (before.name, after.name) == ("ann@example.org", "ann.lee@example.org")


def test_without_sign_in_there_is_one_person():
    assert local_person(Settings()) == Person("local", "", "admin")
    open_to_all = Settings(allow_anonymous_network=True)
    assert local_person(open_to_all) == Person("local", "everybody", "analyst")
    careful = Settings(allow_anonymous_network=True, default_role="none")
    assert local_person(careful).role == "viewer"
