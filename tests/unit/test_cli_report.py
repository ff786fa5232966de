"""``workbench report``: one file of results, or several."""

import json

import pytest

from tests.command_line import ADULT, QUICK, complaint


@pytest.fixture
def results(cli, tmp_path):
    assert cli(*ADULT, *QUICK, "--out", tmp_path / "out").code == 0
    return tmp_path / "out"


def test_a_report_of_a_folder(results, cli):
    said = cli("report", results, "--title", "Week <12>", "--comment", "Looks & feels right")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"Wrote {results / 'report.html'}\n"
    text = (results / "report.html").read_text(encoding="utf-8")
    assert "Week &lt;12&gt;" in text
    assert "Looks &amp; feels right" in text
    assert "adult-mlp@1" in text


def test_a_report_of_files_goes_where_asked(results, cli, tmp_path):
    [file] = results.glob("*.attribution")
    target = tmp_path / "sub" / "week.html"
    assert cli("report", file, file, "--out", target).out == f"Wrote {target}\n"
    assert target.stat().st_size > 10_000


def test_a_report_shows_the_figures_that_are_asked_for(results, cli, tmp_path):
    (file, *_), target = sorted(results.glob("*.attribution")), tmp_path / "r.json"
    wished = (f"{file.name}=dependence,feature=age", f"{file}=bar,max_features=3")
    said = cli("report", file, "--out", target, "--figure", wished[0], "--figure", wished[1])
    assert said.code == 0
    (entry,) = json.loads(target.read_text(encoding="utf-8"))["results"]
    assert entry["figures"] == [
        {"view": "dependence", "options": {"feature": "age"}},
        {"view": "bar", "options": {"max_features": 3}},
    ]
    for figure, message in [
        ("pie", "Figure 'pie' does not fit: there is no view 'pie' of 'attribution', choose "),
        ("bar,max_features", "Figure 'bar,max_features' has no value for 'max_features'; write "),
        ("bar,max_features=many", "Figure 'bar,max_features=many' does not fit: max_features of "),
        ("dependence,feature=agee", "Figure 'dependence,feature=agee' cannot be drawn: "),
        (
            "waterfall,row=1,row=2",
            "Figure 'waterfall,row=1,row=2' gives 'row' twice; leave one out.",
        ),
        ("", "Figure '' does not fit: its view is not named."),
        (
            "waterfall,row=-1",
            "Figure 'waterfall,row=-1' does not fit: row of view 'waterfall' must "
            "be 0 or more, got -1.",
        ),
    ]:
        told = complaint(cli("report", file, "--out", target, "--figure", f"{file.name}={figure}"))
        assert told.startswith(message)


def test_what_is_said_twice_of_a_file_is_never_the_last_alone(results, cli, tmp_path):
    (file, *_), target = sorted(results.glob("*.attribution")), tmp_path / "r.json"

    def said(*flags):
        return cli("report", file, file, "--out", target, *flags)

    for other in ("bar,max_features=3,output=>50K", "bar,output=>50K,max_features=3"):
        twice = said("--figure", f"{file}=bar,max_features=3,output=>50K",
                     "--figure", f"{file.name}={other}")  # fmt: skip
        assert complaint(twice) == f"Figure {other!r} is asked for twice; leave one out."
    assert complaint(said("--remark", f"{file}=one", "--remark", f"{file.name}=two")) == (
        f"File {file.name!r} has 2 remarks; write them as one --remark."
    )
    assert not target.exists()
    assert said("--figure", f"{file}=bar", "--figure", f"{file}=bar,max_features=3").code == 0
    figures = [{"view": "bar", "options": {}}, {"view": "bar", "options": {"max_features": 3}}]
    told = json.loads(target.read_text(encoding="utf-8"))["results"]
    assert [[{"options": {}, **f} for f in one["figures"]] for one in told] == [figures, figures]


def test_a_report_in_several_files_with_card_data_and_remark(results, cli, tmp_path):
    [file] = results.glob("*.attribution")
    page, numbers, tables = (tmp_path / f"r.{name}" for name in ("html", "json", "zip"))
    said = cli("report", results, "--out", page, "--out", numbers, "--out", tables,
               "--level", "auditor", "--remark", f"{file.name}=Mind = this")  # fmt: skip
    assert said.out == "".join(f"Wrote {path}\n" for path in (page, numbers, tables))
    text = page.read_text(encoding="utf-8")
    for part in ("Mind = this", "Appendix for auditors", "Intended use", "The data"):
        assert part in text
    content = json.loads(numbers.read_bytes())
    assert (content["level"], content["results"][0]["remark"]) == ("auditor", "Mind = this")
    assert [card["name"] for card in content["models"]] == ["adult-mlp"]
    assert complaint(cli("report", results, "--out", tmp_path / "r.docx")).endswith(
        "end the name in one of .html, .pdf, .json, .zip, or name the format."
    )
    assert complaint(cli("report", results, "--figure", "other=bar")).startswith(
        "Figure 'other=bar' belongs to none of the results; write FILE=VIEW,OPTION=VALUE with "
    )
    assert complaint(cli("report", results, "--remark", "other=x")) == (
        f"Remark 'other=x' belongs to none of the results; write FILE=TEXT with one of {file.name}."
    )


def test_a_report_of_what_is_no_result_is_one_sentence(results, cli, tmp_path):
    [file] = results.glob("*.attribution")
    empty, target = tmp_path / "empty", tmp_path / "report.html"
    empty.mkdir()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    csv = next(results.glob("*.csv"))
    for path, message in {
        file: f"Result file {str(file)!r} was changed after it was written; run the analysis "
        "again.",
        csv: f"{str(csv)!r} is not a result file; it may be cut short.",
        empty: f"Folder {str(empty)!r} holds no result file; run a command such as workbench "
        "explain with --out.",
        tmp_path / "nope": f"There is no result file {str(tmp_path / 'nope')!r}.",
    }.items():
        assert complaint(cli("report", path, "--out", target)) == message
    assert not target.exists()
