"""The committed ``openapi.json`` is that of the code, and no difference to it breaks a caller in silence."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.api.description import problems
from tests.contract.openapi import FILE, Document, generated, incompatible

if TYPE_CHECKING:
    from collections.abc import Callable

AGAIN = "Run `python -m tests.contract.openapi` and commit openapi.json"


@pytest.fixture(scope="module")
def now() -> Document:
    return generated()


@pytest.fixture(scope="module")
def committed() -> Document:
    document: Document = json.loads(FILE.read_text(encoding="utf-8"))
    return document


def test_no_difference_breaks_a_caller(committed: Document, now: Document) -> None:
    broken = incompatible(committed, now)

    assert broken == [], "\n".join(("Callers of the committed API would fail:", *broken))


def test_the_committed_document_is_that_of_the_code(committed: Document, now: Document) -> None:
    # What a test of the same run has loaded beside the API adds problems; the file has the API's own.
    extra = now["x-problems"].keys() - committed["x-problems"].keys()
    ours = {**now, "x-problems": {k: v for k, v in now["x-problems"].items() if k not in extra}}

    assert ours == committed, AGAIN


def test_every_problem_that_the_code_can_raise_is_listed(now: Document) -> None:
    assert set(problems()) == set(now["x-problems"])
    assert {"token-wrong", "stage-skipped", "body-too-large", "unexpected"} <= set(problems())


def test_every_call_names_its_problems_and_its_token(now: Document) -> None:
    for path, calls in now["paths"].items():
        for method, call in calls.items():
            content = call["responses"]["default"]["content"]
            assert list(content) == ["application/problem+json"], (method, path)
            assert call["security"] == ([] if path.endswith("/health") else [{"token": []}])
            assert call["description"], (method, path)


def without(document: Document, *keys: Any) -> None:  # noqa: ANN401 keys of any kind
    found: Any = document
    for key in keys[:-1]:
        found = found[key]
    del found[keys[-1]]


def schema(document: Document, name: str) -> Any:  # noqa: ANN401 a part of the document
    return document["components"]["schemas"][name]


MODELS = "/api/v1/models"
BREAKING: dict[str, tuple[Callable[[Document], object], str]] = {
    "a path is gone": (lambda d: without(d, "paths", MODELS), "GET /api/v1/models is gone"),
    "a method is gone": (
        lambda d: without(d, "paths", MODELS, "post"),
        "POST /api/v1/models is gone",
    ),
    "a field of an answer is gone": (
        lambda d: without(schema(d, "Model"), "properties", "owner"),
        "the field owner is gone",
    ),
    "a field of a request is gone": (
        lambda d: without(schema(d, "RegisterModel"), "properties", "use_case"),
        "the field use_case is gone",
    ),
    "a field is required": (
        lambda d: schema(d, "RegisterModel")["required"].append("use_case"),
        "the field use_case is required now",
    ),
    "a request's type is narrower": (
        lambda d: schema(d, "RegisterModel")["properties"].update(owner={"type": "string"}),
        "body.owner does not take null any more",
    ),
    "an answer's type is wider": (
        lambda d: schema(d, "Model")["properties"].update(
            owner={"anyOf": [{"type": "string"}, {"type": "null"}]}
        ),
        "owner can be null now",
    ),
    "a choice is gone": (
        lambda d: schema(d, "RiskTier")["enum"].remove("low"),
        "does not take =low any more",
    ),
    "a parameter is gone": (
        lambda d: d["paths"][MODELS]["get"]["parameters"].pop(),
        "has no query parameter limit any more",
    ),
    "a parameter is required": (
        lambda d: d["paths"][MODELS]["get"]["parameters"].append(
            {"in": "query", "name": "group", "required": True, "schema": {"type": "string"}}
        ),
        "requires the new parameter group",
    ),
    "a status is another": (
        lambda d: d["paths"][MODELS]["post"]["responses"].update(
            {"200": d["paths"][MODELS]["post"]["responses"].pop("201")}
        ),
        "does not answer 201 any more",
    ),
    "a problem is gone": (
        lambda d: without(d, "x-problems", "stage-skipped"),
        "the problem stage-skipped is gone",
    ),
    "a problem has another status": (
        lambda d: d["x-problems"]["stage-skipped"].update(status=400),
        "has status 400 and had 409",
    ),
    "health asks for a token": (
        lambda d: d["paths"]["/api/v1/health"]["get"].update(security=[{"token": []}]),
        "asks for a token now",
    ),
}
HARMLESS: dict[str, Callable[[Document], object]] = {
    "a path is new": lambda d: d["paths"].update({"/api/v1/new": d["paths"][MODELS]}),
    "a field of an answer is new": lambda d: schema(d, "Model")["properties"].update(
        new={"type": "string"}
    ),
    "an optional field of a request is new": lambda d: schema(d, "RegisterModel")[
        "properties"
    ].update(new={"type": "string"}),
    "a choice is new": lambda d: schema(d, "RiskTier")["enum"].append("extreme"),
    "a problem is new": lambda d: d["x-problems"].update(new={"status": 409, "means": "New."}),
    "words are others": lambda d: d["paths"][MODELS]["get"].update(description="Other words."),
    "a request's type is wider": lambda d: schema(d, "RegisterModel")["properties"].update(
        name={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
}


@pytest.mark.parametrize("what", BREAKING)
def test_a_difference_that_breaks_callers_is_told(now: Document, what: str) -> None:
    change, words = BREAKING[what]
    changed = copy.deepcopy(now)
    change(changed)

    told = incompatible(now, changed)

    assert any(words in line for line in told), told


@pytest.mark.parametrize("what", HARMLESS)
def test_a_difference_that_breaks_nobody_is_not(now: Document, what: str) -> None:
    changed = copy.deepcopy(now)
    HARMLESS[what](changed)

    assert changed != now
    assert incompatible(now, changed) == []
