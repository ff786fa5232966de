"""Faults name the flags of a command where the methods name settings."""

import pytest
from click.testing import CliRunner

from workbench.cli.flags import by_flags
from workbench.cli.main import main
from workbench.core.errors import InvalidInputError

FLAGS = {name: f"--{name.replace('_', '-')}" for name in
         ("by", "bins", "favourable", "weights", "least_rows", "mode", "rate", "among", "operator",
          "refits", "keep")}  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("Nobody says which; set favourable to one of good and bad.",
         "Nobody says which; set --favourable to one of good and bad."),
        ("Settings do not fit: least_rows: input should be 1; mode: no such.",
         "Settings do not fit: --least-rows: input should be 1; --mode: no such."),
        ("say whose groups to compare with by, for example by=sex.",
         "say whose groups to compare with by, for example --by sex."),
        ("leaves 1 row; choose more rows, or among=all.",
         "leaves 1 row; choose more rows, or --among all."),
        ("choose operator 'mask' or operator 'add'.",
         "choose --operator 'mask' or --operator 'add'."),
        ("set mode to conditional.", "give --mode conditional."),
        ("leave favourable empty and use among=all.",
         "leave --favourable empty and use --among all."),
        ("All rows have weight 0; set weights to false or choose other rows.",
         "All rows have weight 0; give --no-weights or choose other rows."),
        ("There is no such; choose among 'x'.", "There is no such; choose among 'x'."),
        ("There is no column 'bins=3'; keep fewer bins.", "There is no column 'bins=3'; keep fewer "
         "bins."),
        ("The table's mode: it isn't known.", "The table's mode: it isn't known."),
        ("give --least-rows 1 or --bins age=25.", "give --least-rows 1 or --bins age=25."),
    ],
)  # fmt: skip
def test_writes_flags_where_a_word_is_plainly_a_setting(sentence, told):
    assert by_flags(sentence, FLAGS) == told
    assert by_flags(sentence, {}) == sentence


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fairness", "german-mlp", "german", "--by", "age"], "for example --bins age="),
        (["fairness", "german-mlp", "german", "--resamples", "1"], "--resamples: input should be"),
        (
            ["flips", "german-mlp", "german", "--by", "age", "--bins", "x"],
            "Error: --bins: 'x' names",
        ),
        (
            ["remedies", "german-mlp", "german", "--try", "nothing"],
            "Error: --remedies: there is no",
        ),
    ],
)
def test_the_command_line_says_what_to_type(arguments, told, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(arguments)
    assert told in capsys.readouterr().err


def test_the_fault_keeps_its_kind():
    from workbench.cli.main import workbench

    found = CliRunner().invoke(workbench, ["fairness", "german-mlp", "german", "--by", "age"])
    assert isinstance(found.exception, InvalidInputError)
