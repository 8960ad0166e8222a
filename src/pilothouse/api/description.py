"""What the OpenAPI document says beyond the routes: who may call, and every problem that can come back."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from pilothouse.api.errors import FRAMEWORK_PROBLEMS, status_of_kind
from pilothouse.domain.errors import PilothouseError
from pilothouse.wire.problems import Problem

PROBLEM: dict[str, Any] = {
    "description": "A problem (RFC 9457); `code` is one of `x-problems`.",
    "model": Problem,
}
FLOORS = [
    ["pilothouse", floor]
    for floor in (
        *("domain", "bpmn", "feel", "dmn", "artifacts", "connectors", "persistence", "security"),
        *("application", "lifecycle", "api"),
    )
]
"""Where the errors are defined that a call can meet; those of clients and of scoring processes it cannot."""
SCHEME = "token"
OPEN = ("/health",)
"""Calls that need no token, by the end of their path."""


def describe(app: FastAPI) -> None:
    """Let the application's document name the bearer token and all problems."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            document = plain()
            _add_security(document)
            _set_problem_media(document)
            document["x-problems"] = problems()
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def problems() -> dict[str, dict[str, object]]:
    """
    Give every problem by its code: its HTTP status and what it means.

    Those of plug-ins are not among them: the document is that of Pilothouse itself.
    """
    found = {code: {"status": status, "means": means} for code, status, means in FRAMEWORK_PROBLEMS}
    for kind in _kinds(PilothouseError):
        if kind.__module__.split(".")[:2] in FLOORS:
            means = (inspect.getdoc(kind) or "").partition("\n")[0]
            found.setdefault(kind.code, {"status": status_of_kind(kind), "means": means})
    return dict(sorted(found.items()))


def _kinds(kind: type[PilothouseError]) -> Iterator[type[PilothouseError]]:
    if "code" in vars(kind):
        yield kind
    for narrower in sorted(kind.__subclasses__(), key=lambda k: (k.__module__, k.__qualname__)):
        yield from _kinds(narrower)


def _add_security(document: dict[str, Any]) -> None:
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes[SCHEME] = {"type": "http", "scheme": "bearer"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if path.endswith(OPEN) else [{SCHEME: []}]


def _set_problem_media(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            content = operation["responses"]["default"]["content"]
            content["application/problem+json"] = content.pop("application/json")
