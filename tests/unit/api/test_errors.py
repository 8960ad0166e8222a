"""Errors as problems: one status a branch, with the facts of the error."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request

from pilothouse.api.errors import STATUS, on_deliberate, status_of_kind
from pilothouse.domain import errors
from pilothouse.domain.ids import StageName
from pilothouse.domain.stages import StageSkippedError

if TYPE_CHECKING:
    from fastapi.responses import JSONResponse

WANTED = {
    "NotFoundError": 404,
    "RefusedError": 409,
    "InvalidError": 422,
    "DeniedError": 403,
    "NotSignedInError": 401,
    "UnavailableError": 503,
    "NotSupportedError": 501,
}
BRANCHES = [
    kind for kind in errors.PilothouseError.__subclasses__() if kind.__module__ == errors.__name__
]


def answered(problem: Exception) -> JSONResponse:
    return asyncio.run(on_deliberate(Request({"type": "http"}), problem))


@pytest.mark.parametrize("kind", BRANCHES)
def test_every_branch_of_the_tree_has_its_status(kind: type[errors.PilothouseError]) -> None:
    assert status_of_kind(kind) == WANTED[kind.__name__]


def test_no_branch_is_forgotten() -> None:
    assert {kind for kind, _ in STATUS} == set(BRANCHES)


def test_an_error_on_no_branch_is_a_fault_of_ours() -> None:
    assert status_of_kind(errors.PilothouseError) == 500


@pytest.mark.parametrize(
    ("problem", "header", "value"),
    [
        (errors.UnavailableError("Later.", retry_after_s=1.2), "retry-after", "2"),
        (errors.NotSignedInError("Who?"), "www-authenticate", "Bearer"),
    ],
)
def test_an_answer_says_what_the_protocol_asks_for(
    problem: errors.PilothouseError, header: str, value: str
) -> None:
    assert answered(problem).headers[header] == value


def test_a_problem_has_code_words_and_facts() -> None:
    problem = StageSkippedError(snapshot="m@1", wanted=StageName("UAT"), missing=StageName("SIT"))

    body = json.loads(bytes(answered(problem).body))

    assert body == {
        "type": "urn:pilothouse:problem:stage-skipped",
        "title": "stage skipped",
        "status": 409,
        "code": "stage-skipped",
        "detail": problem.message,
        "fields": {"snapshot": "m@1", "wanted": "UAT", "missing": "SIT"},
    }


def test_what_is_no_deliberate_error_is_not_answered_as_one() -> None:
    with pytest.raises(RuntimeError):
        answered(RuntimeError("ours"))
