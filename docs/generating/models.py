"""Model folders: the manifest's fields, the formats and their options, the snapshot's digest."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
import typing

from docs.generating.markdown import code, prose, table
from docs.generating.source import attributes, member_comments
from pilothouse.domain.groups import Group
from pilothouse.domain.jobs import TableFormat
from pilothouse.domain.plugins import PluginKind, installed
from pilothouse.domain.policies import ModelPolicy
from pilothouse.domain.schemas import Column, ColumnRole, DataType, OnViolation, Schema
from pilothouse.domain.snapshots import FileEntry, Manifest, SnapshotContent
from pilothouse.scoring.formats import find_format
from pilothouse.scoring.formats.contract import COMMON_OPTIONS

MEANINGS: dict[type, dict[str, str]] = {
    Manifest: {
        "pilothouse": "Version of the manifest: 1.",
        "name": "The model's name: lower-case letters, digits and single hyphens, starting with a letter.",
        "format": "One of the installed formats.",
        "inputs": "Schema of what the model takes.",
        "outputs": "Schema of what it gives.",
        "description": "For people.",
    },
    Schema: {
        "columns": "1 to 10,000 columns, in the model's order, each name once.",
        "on_violation": "What happens to a record that breaks the schema.",
    },
    Column: {
        "name": "1 to 200 characters.",
        "type": "One of the types below.",
        "nullable": "Whether a record may have null here.",
        "minimum": "Smallest value, inclusive; numbers only.",
        "maximum": "Largest value, inclusive; numbers only.",
        "categories": "The closed list of values; strings, integers and booleans only.",
        "role": "One of the roles below.",
        "protected": "Marks a protected class; kept for tests of fairness.",
        "sensitive": "Its values never appear in messages, logs and rejected records.",
        "description": "For people.",
    },
    SnapshotContent: {
        "schema": "Version of this document: 1.",
        "manifest": "The manifest, whole, with defaults written out.",
        "files": "Every file that the manifest names, or that lies in a folder it names: path, SHA-256 and size.",
    },
    FileEntry: {
        "path": "Relative, in the folder of the model.",
        "sha256": "Of its bytes, 64 hexadecimal digits.",
        "size": "In bytes.",
    },
}
ROLE_MEANINGS = {
    ColumnRole.IDENTIFIER: "may be sent, never reaches the model",
    ColumnRole.PREDICTOR: "must be sent, reaches the model (the default)",
    ColumnRole.NON_PREDICTOR: "known and not sent: kept for analysis",
    ColumnRole.PREDICTION_DATE: "must be sent, reaches the model: when the prediction is for",
    ColumnRole.WEIGHT: "known and not sent: the weight of a record",
    ColumnRole.SCORE: "an output: a probability or a value",
    ColumnRole.LABEL: "an output: the predicted class; in inputs, the column of the truth",
}
NAMES = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "boolean",
    "None": "null",
    "Schema": "schema",
    "Column": "columns",
    "FileEntry": "files",
    "Manifest": "manifest",
    "DataType": "type",
    "ColumnRole": "role",
    "OnViolation": "`reject`, `coerce` or `flag`",
}
TYPES = {"categories": "list of values, or null"}
HOLDS = {DataType.BOOLEAN: "true or false", DataType.STRING: "text in Unicode"}


def fields(kind: type) -> str:
    """Write the fields of a value."""
    documented = {**attributes(kind), **MEANINGS.get(kind, {})}
    hints = typing.get_type_hints(kind)
    rows = []
    for field in dataclasses.fields(kind):
        needed = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        rows.append(
            (
                code(field.name),
                TYPES.get(field.name) or _type(hints[field.name]),
                "yes" if needed else "",
                prose(documented[field.name]),
            )
        )
    return table(("field", "type", "required", "meaning"), rows)


def _type(hint: object) -> str:
    text = hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
    text = re.sub(r"\b(?:[a-z_]+\.)+", "", text)
    text = (
        text.replace("tuple[", "list of ").replace(", ...]", "").replace("Mapping[str, ", "map to ")
    )
    names = {
        "str": "text",
        "int": "whole number",
        "float": "number",
        "bool": "boolean",
        "None": "null",
    }
    text = re.sub(r"\b(str|int|float|bool|None)\b", lambda m: names[m[1]], text.replace("]", ""))
    return text.replace("|", "or").replace("object", "any value")


def manifest_fields() -> str:
    """Write the fields of the manifest."""
    return fields(Manifest)


def schema_fields() -> str:
    """Write the fields of a schema."""
    return fields(Schema)


def column_fields() -> str:
    """Write the fields of a column, and what they may be."""
    types = member_comments(DataType)
    violations = member_comments(OnViolation)
    kinds = table(
        ("type", "holds"), ((code(t.value), HOLDS.get(t) or types[t.value]) for t in DataType)
    )
    roles = table(("role", "meaning"), ((code(r.value), ROLE_MEANINGS[r]) for r in ColumnRole))
    found = table(
        ("on_violation", "meaning"),
        (
            (code(v.value), violations[v.value] or "the record is refused (the default)")
            for v in OnViolation
        ),
    )
    return "\n\n".join((fields(Column), kinds, roles, found))


def digest_fields() -> str:
    """Write what a snapshot's digest covers."""
    return f"{fields(SnapshotContent)}\n\nEach of `files` is\n\n{fields(FileEntry)}"


def formats() -> str:
    """Write every installed format: roles of files, options, entry points, and how it reads them."""
    own = {
        name: point
        for name, point in installed(PluginKind.FORMAT).items()
        if point.module.startswith("pilothouse.")
    }
    return "\n\n".join(_format(name) for name in sorted(own))


def _format(name: str) -> str:
    kind = find_format(name).format
    module = sys.modules[type(kind).__module__]
    rows = (
        ("files that must be there", _codes(kind.roles)),
        ("files that may be there", _codes(kind.optional_roles)),
        ("options", _codes(kind.options | COMMON_OPTIONS)),
        ("entry points", _codes(kind.entry_points)),
        (
            "runs the author's code on load",
            "yes: the group must be granted it" if kind.runs_source else "no",
        ),
    )
    return f"### {name}\n\n{table(('', ''), rows)}\n\n{_documented(inspect.getdoc(module) or '')}"


def _codes(names: frozenset[str]) -> str:
    return ", ".join(code(n) for n in sorted(names)) or "none"


def _documented(text: str) -> str:
    """Turn a module's docstring into Markdown: paragraphs, and definition lists as lists."""
    parts = []
    for part in text.split("\n\n"):
        items = re.findall(r"^(\S.*)\n((?: {4}.*(?:\n|$))+)", part, flags=re.MULTILINE)
        if items:
            parts.append("\n".join(f"- {prose(term)}: {prose(said)}" for term, said in items))
        else:
            parts.append(prose(part))
    return "\n\n".join(parts)


def policies() -> str:
    """Write what a group's policy grants."""
    granted = attributes(ModelPolicy)
    reaching = {n: m for n, m in attributes(Group).items() if n not in granted}
    defaults = {"python_source": "no", "skops_types": "what scikit-learn's own estimators hold"}
    rows = (
        (code(name), defaults.get(name, "none"), prose(means))
        for name, means in {**granted, **reaching}.items()
    )
    return table(("grant", "at first", "meaning"), rows)


def tables() -> str:
    """Write the kinds of files that jobs read and write."""
    means = {
        TableFormat.PARQUET: "Typed and compressed; the best choice. Needs the extra `tables`.",
        TableFormat.CSV: "RFC 4180, UTF-8, a header line; an empty field is null. Needs the extra `tables`.",
        TableFormat.JSONL: "One JSON object a line, UTF-8, without NaN.",
    }
    return table(("format", "what it is"), ((code(f.value), means[f]) for f in TableFormat))
