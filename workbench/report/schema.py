"""The JSON Schema of a report's JSON, made from the results' own types.

``python -m workbench.report.schema > docs/report.schema.json`` writes it anew.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import MISSING, Field, fields
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from workbench.checks import Outcome
from workbench.core.card import Card
from workbench.core.figures import ChosenFigure
from workbench.core.provenance import Provenance
from workbench.core.results import RESULT_FORMAT, Tabular
from workbench.report.document import Level
from workbench.report.json_file import REPORT_FORMAT

_DEFS = "#/$defs/{model}"
_TEXT: dict[str, Any] = {"type": "string"}


def report_schema() -> dict[str, Any]:
    """Return the schema of the file that ``write_json`` writes."""
    kinds = sorted(get_args(Tabular), key=lambda kind: kind.kind)
    outcome = TypeAdapter(Outcome).json_schema(ref_template=_DEFS)
    defs: dict[str, Any] = {
        "values": {
            "description": "An array: nested lists, null for what is not a finite number.",
            "type": ["array", "number", "string", "boolean", "null"],
            "items": {"$ref": "#/$defs/values"},
        },
        "outcome": _with_null(outcome),
        "entry": _object({
            "title": _TEXT, "remark": _TEXT, "step": _TEXT,
            "figures": _list({"$ref": "#/$defs/ChosenFigure"}),
            "checks": _list({"$ref": "#/$defs/outcome"}),
            "result": {"oneOf": [{"$ref": f"#/$defs/{kind.kind}"} for kind in kinds]},
        }, ("title", "remark", "step", "checks", "result")),  # older reports say no figures
        **{kind.kind: _result(kind) for kind in kinds},
    }  # fmt: skip
    for model in (Provenance, Card, ChosenFigure):
        own = model.model_json_schema(ref_template=_DEFS, by_alias=True)
        defs |= own.pop("$defs", {})
        defs[model.__name__] = own
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of the explainability workbench",
        "$defs": defs,
        **_object({
            "format": {"const": REPORT_FORMAT}, "kind": {"const": "report"}, "title": _TEXT,
            "comments": _list(_TEXT), "level": {"enum": list(get_args(Level))},
            "results": _list({"$ref": "#/$defs/entry"}) | {"minItems": 1},
            "models": _list({"$ref": "#/$defs/Card"}), "tables": _list({"type": "object"}),
            "analysis": _TEXT,
        }),
    }  # fmt: skip


def _result(kind: Any) -> dict[str, Any]:
    parts = {field.name: _field(field) for field in fields(kind)}
    needed = [f.name for f in fields(kind) if f.default is MISSING]
    return _object({
        "format": {"const": RESULT_FORMAT}, "kind": {"const": kind.kind},
        "fields": _object(parts, needed),
    })  # fmt: skip


def _field(field: Field[Any]) -> dict[str, Any]:
    """Describe what a field of a result becomes; arrays have no type that pydantic knows."""
    declared: Any = field.type
    if isinstance(declared, type) and issubclass(declared, BaseModel):
        name = declared.__name__
        if name in {"Provenance", "Schema"}:
            return {"$ref": f"#/$defs/{name}"}
    try:
        found = TypeAdapter(declared).json_schema(ref_template=_DEFS)
    except (PydanticSchemaGenerationError, PydanticUserError, AttributeError, TypeError):
        return {"$ref": "#/$defs/values"}
    return {} if "$defs" in found else _with_null(found)


def _with_null(schema: Any) -> Any:
    """Allow null for every number: what is not finite is written so."""
    if isinstance(schema, list):
        return [_with_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: _with_null(part) for key, part in schema.items()}
    if told.get("type") == "number":
        told["type"] = ["number", "null"]
    return told


def _object(properties: dict[str, Any], needed: Iterable[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "additionalProperties": False,
        "required": sorted(properties if needed is None else needed),
    }  # fmt: skip


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(report_schema(), indent=1, sort_keys=True) + "\n")
