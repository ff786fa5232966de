"""The library that a report brings: small where that is enough, of one release, as published."""

import hashlib
from importlib.resources import files

import pytest
from plotly.offline import get_plotlyjs

from tests.attributions import example
from tests.halos import some_halo
from workbench.report import plotly_js as library
from workbench.report import write_report
from workbench.report.plotly_js import CARTESIAN, plotly_js, release

FOLDER = files("workbench.report") / "plotly"


def test_both_libraries_are_of_one_release():
    """If this fails, plotly was updated: workbench/report/plotly/README.md says what to do."""
    assert release(plotly_js({"scatter"})) == release(get_plotlyjs()) != ""


def test_the_file_is_the_one_that_its_note_describes():
    note = (FOLDER / "README.md").read_text("utf-8")
    content = (FOLDER / "plotly-cartesian.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() in note
    assert f"plotly.js {release(content.decode())}," in note
    assert "MIT License" in (FOLDER / "LICENSE").read_text("utf-8")


def test_kinds_beyond_the_small_library_get_the_whole_one():
    assert len(plotly_js({"bar", "scatter", "heatmap", "contour"})) < 2_000_000
    for kind in ("surface", "scatter3d", "scattergl"):
        assert kind not in CARTESIAN
        assert plotly_js({"scatter", kind}) == get_plotlyjs()


def test_another_release_of_the_figures_gets_its_own_library(monkeypatch):
    other = get_plotlyjs().replace(release(get_plotlyjs()), "99.0.0", 1)
    monkeypatch.setattr(library, "_whole", lambda: other)
    assert plotly_js({"scatter"}) == other


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("/**\n* plotly.js v4.1.1\n* x", "4.1.1"),
        ("/**\n* plotly.js (cartesian - minified) v3.0.0-rc.1\n", "3.0.0-rc.1"),
        ("window.x = 1", ""),
    ],
)
def test_a_library_says_its_release_in_its_first_lines(said, found):
    assert release(said) == found


def test_a_report_takes_what_its_figures_need(tmp_path):
    flat = write_report([example(n=30)], tmp_path / "flat.html", title="Flat").read_text("utf-8")
    deep = write_report([some_halo(order=3)], tmp_path / "deep.html", title="Deep").read_text(
        "utf-8"
    )
    assert plotly_js({"scatter"}) in flat
    assert get_plotlyjs() not in flat
    assert get_plotlyjs() in deep
