"""The paths of the API, from the committed OpenAPI document."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from docs.generating.markdown import code, prose, table
from pilothouse.api.app import PREFIX

DOCUMENT = Path(__file__).parents[2] / "openapi.json"


@functools.cache
def document() -> dict[str, Any]:
    """Give the OpenAPI document that stands at the root; another test holds it against the code."""
    read: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))
    return read


def api() -> str:
    """Write every path with its methods."""
    parts = []
    nouns: dict[str, list[tuple[str, str, str, str]]] = {}
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            row = (method.upper(), path.removeprefix(PREFIX), _words(operation), _asks(operation))
            nouns.setdefault(path.removeprefix(PREFIX).split("/")[1], []).append(row)
    for noun, rows in sorted(nouns.items()):
        shown = ((code(f"{m} {p}"), words, asks) for m, p, words, asks in rows)
        parts.append(
            f"### /{noun}\n\n{table(('call', 'what it does', 'parameters and body'), shown)}"
        )
    return "\n\n".join(parts)


def _words(operation: dict[str, Any]) -> str:
    described = operation.get("description") or operation.get("summary") or ""
    return prose(str(described).partition("\n\n")[0])


def _asks(operation: dict[str, Any]) -> str:
    named = [
        code(p["name"]) for p in operation.get("parameters", []) if p["in"] in ("query", "header")
    ]
    body = operation.get("requestBody", {}).get("content", {})
    schemas = [content.get("schema", {}).get("$ref", "") for content in body.values()]
    named += [f"body {code(ref.rpartition('/')[2])}" for ref in schemas if ref]
    named += [f"body {code(kind)}" for kind, c in body.items() if "$ref" not in c.get("schema", {})]
    return ", ".join(named)


def bodies() -> str:
    """Write the fields of every request body."""
    schemas = document()["components"]["schemas"]
    used = sorted(
        {
            str(content["schema"]["$ref"]).rpartition("/")[2]
            for operations in document()["paths"].values()
            for operation in operations.values()
            for content in operation.get("requestBody", {}).get("content", {}).values()
            if "$ref" in content.get("schema", {})
        }
    )
    parts = []
    for name in used:
        schema = schemas[name]
        needed = schema.get("required", [])
        rows = (
            (code(field), _type(kind), "yes" if field in needed else "")
            for field, kind in schema["properties"].items()
        )
        words = prose(str(schema.get("description", "")))
        parts.append(f"### {name}\n\n{words}\n\n{table(('field', 'type', 'required'), rows)}")
    return "\n\n".join(parts)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return code(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    kind = str(schema.get("type", "any value"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind
