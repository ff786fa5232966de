"""``workbench evaluate`` as a person meets it."""

import json

import pytest
from click.testing import CliRunner

from workbench import api
from workbench.cli.main import main, workbench
from workbench.core.results import Performance, load
from workbench.plots import performance_sentence


def run(*arguments):
    done = CliRunner().invoke(workbench, list(arguments), catch_exceptions=True)
    assert done.exit_code == 0, done.output
    return done.output


def test_answers_with_metrics_checks_and_provenance():
    said = run("evaluate", "wine-mlp", "wine")
    result = api.evaluate("wine-mlp", api.load_table("wine"))
    lines = said.splitlines()
    assert lines[0] == performance_sentence(result)
    assert "  accuracy                      1 (0.904 to 1), Wilson" in lines
    assert "  ! WB006 Enough rows: Fewer than 30 rows of cultivar 1 (16)" in said
    assert lines[-1].startswith("performance.evaluate · 36 rows of wine/test")


def test_writes_files_that_a_report_takes(tmp_path):
    said = run("evaluate", "diabetes-mlp", "diabetes", "--out", str(tmp_path), "--level", "0.9")
    names = sorted(path.suffix for path in tmp_path.iterdir())
    assert names == [".csv", ".json", ".performance"]
    assert said.count("Wrote ") == 3
    (file,) = tmp_path.glob("*.performance")
    result = load(file)
    assert isinstance(result, Performance)
    assert result.level == 0.9
    assert run("report", str(tmp_path)).startswith("Wrote ")
    assert "How good is the model" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_prints_json_with_checks():
    content = json.loads(run("evaluate", "wine-mlp", "wine", "--json", "--split", "all"))
    assert content["kind"] == "performance"
    codes = {check["code"]: check["status"] for check in content["checks"]}
    assert codes == {"WB006": "ok", "WB007": "ok", "WB008": "warning"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "wine-mlp", "wine", "--threshold", "2"],
         "Error: Settings do not fit: --threshold: input should be less than 1, got '2'.\n"),
        (["explain", "wine-mlp", "wine", "--method", "evaluate"],
         "Error: Method 'performance.evaluate' does not share out a prediction among "
         "features; call evaluate.\n"),
    ],
)  # fmt: skip
def test_faults_are_one_sentence(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 1
    assert capsys.readouterr().err == message


def test_each_command_has_the_flags_of_its_own_methods():
    explain, evaluate = (run(name, "--help") for name in ("explain", "evaluate"))
    assert "--budget" in explain
    assert "--threshold" not in explain
    assert "--threshold" in evaluate
    assert "--budget" not in evaluate
