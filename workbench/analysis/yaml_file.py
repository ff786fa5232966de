"""Analysis files: a plain part of YAML, read with care and written in one order.

Of YAML there are mappings, lists, text, numbers, true, false and null. Anchors, tags and keys
that stand twice are refused: they make a file mean something else than what a reader sees, or a
short file a huge one.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from workbench.analysis.contents import Analysis
from workbench.core.errors import InvalidInputError
from workbench.core.files import refuse_special, replacing

MAX_BYTES = 2**20
HEADER = "# Analysis of the explainability workbench: workbench run {name} --out out/\n"
# Plain words that are no text. Those of YAML 1.1, by which "no" is false and 1:30 is ninety, are
# left out when reading, and still put into quotes when writing, for other programs.
_WORDS = (
    ("tag:yaml.org,2002:null", re.compile(r"null|~|"), "n~\0"),
    ("tag:yaml.org,2002:bool", re.compile(r"true|false"), "tf"),
    ("tag:yaml.org,2002:int", re.compile(r"[-+]?(0|[1-9][0-9]*)"), "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]{1,4})?"),
        "-+0123456789",
    ),
)


_RARE_ENDS = ("\r", "\x85", "\u2028", "\u2029")


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as PyYAML keeps them

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            raise _fault(event, "anchors (& and *) are not used here; write the value again")
        if getattr(event, "tag", None) is not None:
            raise _fault(event, "tags (!) are not used here; remove it")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise _fault(key, "a key must be text; put it in quotes")
            if key.value in seen:
                raise _fault(key, f"the key {key.value[:60]!r} stands here twice; remove one")
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_scalar(self, node: Any) -> Any:
        text = super().construct_scalar(node)
        if isinstance(text, str) and re.search("[\ud800-\udfff]", text):
            raise _fault(node, "the text is not valid Unicode; write it again")
        return text


_OF_YAML: dict[str, Any] = yaml.SafeDumper.yaml_implicit_resolvers


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers: dict[str, Any] = {  # noqa: RUF012 - as PyYAML keeps them
        first: list(pairs) for first, pairs in _OF_YAML.items()
    }

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - every value is written out
        return True


class _Block(dict[str, Any]):
    """A mapping with a line for each key, also where all would fit on one."""


class _BlockList(list[Any]):
    """A list with a line for each entry."""


def _block(dumper: yaml.SafeDumper, data: _Block) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=False)


def _block_list(dumper: yaml.SafeDumper, data: _BlockList) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=False)


def _long_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Write text of several lines as such, and other text as PyYAML sees fit.

    Line ends of other scripts are escaped: PyYAML would fold them as if they were plain ones.
    """
    if any(end in text for end in _RARE_ENDS):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
    style = "|" if "\n" in text and text == text.strip() and text.isascii() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


for _tag, _pattern, _first in _WORDS:
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    for _kind in (_Loader, _Dumper):
        _kind.add_implicit_resolver(
            _tag, _whole, ["" if letter == "\0" else letter for letter in _first]
        )
_Dumper.add_representer(str, _long_text)
_Dumper.add_representer(_Block, _block)
_Dumper.add_representer(_BlockList, _block_list)


def _fault(at: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


def parse_analysis(text: str, name: str = "the text") -> Analysis:
    """Read an analysis.

    Raises
    ------
    InvalidInputError
        If it is too large, is not YAML of the plain kind, or does not fit; one sentence names
        every fault by step and field.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise InvalidInputError(f"{name} holds more than {MAX_BYTES:,} bytes; split the analysis.")
    try:
        values = _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = error.problem or "the YAML is damaged"
        problem = f"{error.context}, {problem}" if problem.startswith("but ") else problem
        raise InvalidInputError(f"{name} is not an analysis file{where}: {problem}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else "it is damaged"
        raise InvalidInputError(f"{name} is not an analysis file: {reason}.") from None
    if not isinstance(values, dict) or "steps" not in values:
        raise InvalidInputError(
            f"{name} is not an analysis file: it must be a mapping with the key steps."
        )
    if "format" not in values:
        raise InvalidInputError(f"{name} does not say its format; write format: 1 on top.")
    return Analysis(**values)


def load_analysis(path: str | Path) -> Analysis:
    """Read an analysis file.

    Parameters
    ----------
    path
        A YAML file, as ``save_analysis`` writes it.

    Raises
    ------
    InvalidInputError
        If there is no such file or it does not fit; one sentence names every fault.
    """
    path = Path(path)
    refuse_special(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InvalidInputError(
                f"{str(path)!r} holds more than {MAX_BYTES:,} bytes; split the analysis."
            )
        text = content.decode("utf-8")
    except FileNotFoundError:
        raise InvalidInputError(f"There is no analysis file {str(path)!r}.") from None
    except UnicodeDecodeError:
        raise InvalidInputError(f"{str(path)!r} is not text in UTF-8.") from None
    except OSError as error:
        raise InvalidInputError(f"{str(path)!r} cannot be read: {error.strerror}.") from None
    return parse_analysis(text, repr(str(path)))


def to_yaml(analysis: Analysis, name: str = "analysis.yaml") -> str:
    """Write an analysis as the text of a file; ``load_analysis`` reads the same one back.

    Parameters
    ----------
    name
        What the file will be called, for the command on its first line.
    """
    content = analysis.fields()
    for key, part in content.items():
        if isinstance(part, dict):
            content[key] = _Block(part)
        elif isinstance(part, list):
            content[key] = _BlockList(_Block(entry) if key == "steps" else entry for entry in part)
    body = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True,
        default_flow_style=None, width=100,
    )  # fmt: skip
    plain = "".join(letter if letter.isalnum() or letter in "-._" else "_" for letter in name)
    return HEADER.format(name=plain) + body


def save_analysis(analysis: Analysis, path: str | Path) -> Path:
    """Write an analysis file; a file of that name is replaced as a whole.

    Parameters
    ----------
    analysis
        Such as ``analysis_of`` makes.
    path
        Where to write; usually ``.yaml``.
    """
    path = Path(path)
    text = to_yaml(analysis, path.name)
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
    return path
