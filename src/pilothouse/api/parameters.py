"""Query parameters: one that a call does not have is refused, and not passed over."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request

from pilothouse.domain.errors import InvalidError


class ParameterUnknownError(InvalidError):
    """A query parameter is not one that the call has."""

    code = "parameter-unknown"

    def __init__(self, *, unknown: tuple[str, ...], known: tuple[str, ...]) -> None:
        self.unknown, self.known = unknown, known
        super().__init__(
            f"The call has no query parameter {', '.join(unknown)}; it has {', '.join(known) or 'none'}. "
            "Correct the address."
        )


def known_parameters(request: Request) -> None:
    """Refuse query parameters that the call would pass over, such as a filter with a slip of the pen."""
    if not request.query_params:
        return
    known = _known(request.app, request.method.lower(), request.url.path)
    unknown = tuple(sorted({name[:80] for name in request.query_params} - known))
    if unknown:
        raise ParameterUnknownError(unknown=unknown, known=tuple(sorted(known)))


def _known(app: FastAPI, method: str, path: str) -> frozenset[str]:
    for pattern, calls in _calls(app):
        if method in calls and pattern.match(path):
            return calls[method]
    return frozenset()


@functools.cache
def _calls(app: FastAPI) -> tuple[tuple[re.Pattern[str], Mapping[str, frozenset[str]]], ...]:
    """Give every documented path as a pattern, plain ones first, with each method's query parameters."""
    paths: Mapping[str, Mapping[str, Any]] = app.openapi()["paths"]
    return tuple(
        (_pattern(path), {method: _query(call) for method, call in paths[path].items()})
        for path in sorted(paths, key=lambda path: path.count("{"))
    )


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", path)
    return re.compile(
        "".join(_part(part) for part in parts) + r"\Z",
    )


def _part(part: str) -> str:
    if part == "{path}":
        return ".*"
    return "[^/]*" if part.startswith("{") else re.escape(part)


def _query(call: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(p["name"] for p in call.get("parameters", ()) if p["in"] == "query")
