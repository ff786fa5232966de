"""The site builds without a warning, and documents every exported name, method, check, command."""

import re
import subprocess
import sys

import pytest

import workbench
from docs import reference
from docs.reference import walk
from tests.examples import ROOT
from workbench import api
from workbench.checks.registry import CHECKS


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as ``make docs`` builds it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-b", "html", "-W", "-q", "docs", str(folder)],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=280, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def page(site, name):
    return (site / f"{name}.html").read_text(encoding="utf-8")


def test_every_exported_name_is_documented(site):
    text = page(site, "python")
    assert [name for name in workbench.__all__ if f'id="workbench.{name}"' not in text] == []


def test_every_exported_name_is_in_one_group():
    names = [name for group in reference.exported().values() for name in group]
    assert sorted(names) == sorted(workbench.__all__)


def test_every_method_and_check_has_its_page_in_the_lists(site):
    for name in api.list_methods():
        assert f'href="methods/{name}.html"' in page(site, "methods")
    for code in CHECKS:
        assert f'href="checks/{code}.html"' in page(site, "checks")


def test_every_command_is_explained(site):
    text = page(site, "commands")
    for path, _ in walk():
        assert f">workbench {' '.join(path)}<" in text


def test_nothing_is_fetched_from_elsewhere(site):
    for file in site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//[^"]*', text) == []
