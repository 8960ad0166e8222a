"""`pilothouse score`: ask a service as a consuming application does."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, print_one, print_rows
from pilothouse.domain.endpoints import EndpointKind
from pilothouse.domain.errors import InvalidError, NotFoundError, NotSignedInError
from pilothouse.sdk import ScoringClient


class RecordsInvalidError(InvalidError):
    """Standard input or the argument holds no records."""

    code = "records-invalid"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"These are no records: {problem}. Give JSON objects of equal keys, one a line, as the argument or "
            "on standard input."
        )


class ScoringTokenMissingError(NotSignedInError):
    """No scoring token was given."""

    code = "scoring-token-missing"

    def __init__(self) -> None:
        super().__init__(
            "No scoring token: set PILOTHOUSE_SCORING_TOKEN to one that `pilothouse tokens issue-scoring` gave."
        )


def score(
    service: str,
    stage: str,
    records: Annotated[
        str | None, typer.Argument(help="JSON lines; standard input, if not given.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Pin a snapshot's number.")] = None,
    sticky_key: Annotated[str | None, typer.Option(help="Keep to one variant by this key.")] = None,
    as_json: Json = False,
) -> None:
    """Score records by the service's endpoint in a stage."""
    text = os.environ.get("PILOTHOUSE_SCORING_TOKEN")
    if not text:
        raise ScoringTokenMissingError
    columns = columns_of(sys.stdin.read() if records is None else records)
    with connect() as client:
        known = client.services.endpoints(service, stage)
    endpoints = [e for e in known if e.kind is EndpointKind.REST]
    if not endpoints:
        raise NotFoundError(
            noun="endpoint",
            name=f"{service} in {stage}",
            cure="Deploy a snapshot online there first.",
        )
    scoring = ScoringClient(token=text)
    answer = scoring.score(endpoints[0].url, columns, version=version, sticky_key=sticky_key)
    scoring.close()
    if as_json:
        print_one(answer, as_json=True)
        return
    names = tuple(answer.columns)
    rows = zip(*answer.columns.values(), strict=True)
    print_rows([dict(zip(names, row, strict=True)) for row in rows], names, as_json=False)
    print_one({"snapshot": answer.snapshot, "prediction": answer.prediction_id}, as_json=False)


def columns_of(text: str) -> dict[str, list[str | int | float | bool | None]]:
    """
    Read JSON lines into columns.

    Examples
    --------
    >>> columns_of('{"a": 1}')
    {'a': [1]}
    """
    try:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as problem:
        raise RecordsInvalidError(problem=str(problem)) from problem
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise RecordsInvalidError(problem="there is no JSON object")
    names = list(rows[0])
    if any(list(row) != names and set(row) != set(names) for row in rows):
        raise RecordsInvalidError(problem="their keys differ")
    return {name: [row[name] for row in rows] for name in names}
