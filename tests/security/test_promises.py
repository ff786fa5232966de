"""Every test that docs/security.md names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tests_behind_the_promises_exist():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) > 20
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8") if name else True, name
        assert (ROOT / file).is_file()
