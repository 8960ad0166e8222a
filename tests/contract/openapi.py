"""
The API's document: generate it, write it to ``openapi.json``, and say which differences break callers.

``python -m tests.contract.openapi`` writes the file anew.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilothouse.api.app import build_api
from pilothouse.bootstrap import build
from pilothouse.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE = Path(__file__).parents[2] / "openapi.json"
Document = dict[str, Any]


class Side(StrEnum):
    """Who writes a value: what a caller sends must go on being taken, what it reads must go on coming."""

    SENT = "request"
    READ = "answer"


def generated() -> Document:
    """Give the document of the code as it is now."""
    with tempfile.TemporaryDirectory() as home:
        plane = build(Settings(home=Path(home)))
        try:
            document: Document = build_api(plane, loops=dict).openapi()
        finally:
            plane.close()
    return json.loads(json.dumps(document))  # type: ignore[no-any-return]


def written(document: Document) -> str:
    """Give the text of the file."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def incompatible(old: Document, new: Document) -> list[str]:
    """Say in words each difference by which a caller of the old API fails at the new one."""
    return [*_paths(old, new), *_problems(old, new)]


def _paths(old: Document, new: Document) -> Iterator[str]:
    for path, calls in old["paths"].items():
        for method, call in calls.items():
            name = f"{method.upper()} {path}"
            known = new["paths"].get(path, {}).get(method)
            if known is None:
                yield f"{name} is gone"
            else:
                yield from _call(name, Comparison(old=old, new=new), call, known)


def _problems(old: Document, new: Document) -> Iterator[str]:
    for code, told in old["x-problems"].items():
        known = new["x-problems"].get(code)
        if known is None:
            yield f"the problem {code} is gone"
        elif known["status"] != told["status"]:
            yield f"the problem {code} has status {known['status']} and had {told['status']}"


def _call(name: str, compare: Comparison, old: Document, new: Document) -> Iterator[str]:
    yield from _parameters(name, compare, old, new)
    yield from _body(name, compare, old.get("requestBody"), new.get("requestBody"))
    for status, answer in old["responses"].items():
        known = new["responses"].get(status)
        if known is None:
            yield f"{name} does not answer {status} any more"
            continue
        for media, content in answer.get("content", {}).items():
            yield from _media(
                f"{name} {status}", compare, content, known.get("content", {}).get(media), Side.READ
            )
    if not old.get("security") and new.get("security"):
        yield f"{name} asks for a token now"


def _parameters(name: str, compare: Comparison, old: Document, new: Document) -> Iterator[str]:
    before = {(p["in"], p["name"]): p for p in old.get("parameters", ())}
    after = {(p["in"], p["name"]): p for p in new.get("parameters", ())}
    for key, parameter in before.items():
        if key not in after:
            yield f"{name} has no {key[0]} parameter {key[1]} any more"
            continue
        if after[key].get("required") and not parameter.get("required"):
            yield f"{name} requires the parameter {key[1]} now"
        yield from compare.schemas(
            f"{name} parameter {key[1]}", parameter["schema"], after[key]["schema"], Side.SENT
        )
    for key in sorted(after.keys() - before.keys()):
        if after[key].get("required"):
            yield f"{name} requires the new parameter {key[1]}"


def _body(
    name: str, compare: Comparison, old: Document | None, new: Document | None
) -> Iterator[str]:
    if old is None:
        if new is not None and new.get("required"):
            yield f"{name} requires a body now"
        return
    if new is None:
        yield f"{name} takes no body any more"
        return
    for media, content in old["content"].items():
        yield from _media(f"{name} body", compare, content, new["content"].get(media), Side.SENT)


def _media(
    name: str, compare: Comparison, old: Document, new: Document | None, side: Side
) -> Iterator[str]:
    if new is None:
        yield f"{name} has another content type"
    elif "schema" in old:
        yield from compare.schemas(name, old["schema"], new.get("schema", {}), side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two documents, to find their references in; `seen` ends what refers to itself."""

    old: Document
    new: Document
    seen: set[tuple[str, str, Side]] = field(default_factory=set)

    def schemas(self, name: str, old: Document, new: Document, side: Side) -> Iterator[str]:
        """Compare two schemas; `name` says where they stand."""
        pair = (str(old.get("$ref", "")), str(new.get("$ref", "")), side)
        if pair[0] and pair in self.seen:
            return
        self.seen.add(pair)
        old, new = _resolved(self.old, old), _resolved(self.new, new)
        yield from _types(name, self._forms(self.old, old), self._forms(self.new, new), side)
        before, after = self._object(self.old, old), self._object(self.new, new)
        if before is not None and after is not None:
            yield from self._fields(name, before, after, side)
        if "items" in old and "items" in new:
            yield from self.schemas(f"{name}[]", old["items"], new["items"], side)

    def _fields(self, name: str, old: Document, new: Document, side: Side) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for key in before.keys() - after.keys():
            yield f"{name}: the field {key} is gone"
        for key in sorted(before.keys() & after.keys()):
            yield from self.schemas(f"{name}.{key}", before[key], after[key], side)
        was, is_ = set(old.get("required", ())), set(new.get("required", ()))
        if side is Side.SENT:
            for key in sorted(is_ - was):
                yield f"{name}: the field {key} is required now"

    def _forms(self, document: Document, schema: Document) -> set[str]:
        """Give the types that a value may have; for an enumeration, its values."""
        if not schema:
            return set()
        parts = schema.get("anyOf") or schema.get("oneOf")
        if parts:
            return {f for part in parts for f in self._forms(document, _resolved(document, part))}
        if "enum" in schema:
            return {f"={value}" for value in schema["enum"]}
        if "const" in schema:
            return {f"={schema['const']}"}
        return {str(schema["type"])} if "type" in schema else set()

    def _object(self, document: Document, schema: Document) -> Document | None:
        if "properties" in schema:
            return schema
        parts = [_resolved(document, p) for p in schema.get("anyOf", ())]
        return next((p for p in parts if "properties" in p), None)


def _resolved(document: Document, schema: Mapping[str, Any]) -> Document:
    if "$ref" not in schema:
        return dict(schema)
    found: Any = document
    for part in str(schema["$ref"]).removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _types(name: str, old: set[str], new: set[str], side: Side) -> Iterator[str]:
    """Say which forms are not taken any more; an answer may have new ones of an enumeration, but no new type."""
    if not old or not new:  # one of them allows anything
        if side is Side.SENT and new and not old:
            yield f"{name} took anything and takes {', '.join(sorted(new))} now"
        return
    if side is Side.SENT:
        lost = {f for f in old if not _covered(f, new)}
        if lost:
            yield f"{name} does not take {', '.join(sorted(lost))} any more"
        return
    strange = {f for f in new if not f.startswith("=") and not _covered(f, old)}
    if strange:
        yield f"{name} can be {', '.join(sorted(strange))} now"


def _covered(form: str, forms: set[str]) -> bool:
    if form in forms or (form == "integer" and "number" in forms):
        return True
    return form.startswith("=") and "string" in forms


if __name__ == "__main__":
    FILE.write_text(written(generated()), encoding="utf-8")
    sys.stdout.write(f"{FILE} is written.\n")
