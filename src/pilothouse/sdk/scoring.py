"""A client of scoring entries: what a consuming application sends, in Open Inference v2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from pilothouse.domain.errors import InvalidError, UnavailableError
from pilothouse.domain.schemas import DataType, Scalar, Schema
from pilothouse.sdk.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DATATYPES = {
    DataType.BOOLEAN: "BOOL",
    DataType.INTEGER: "INT64",
    DataType.NUMBER: "FP64",
    DataType.STRING: "BYTES",
    DataType.TIMESTAMP: "BYTES",
}


class EntryRefusedError(InvalidError):
    """An entry refused the records; the words are its own."""

    code = "records-refused"

    def __init__(self, *, url: str, status: int, entry_code: str, detail: str) -> None:
        self.url, self.status, self.entry_code, self.detail = url, status, entry_code, detail
        super().__init__(f"{url} refused the records ({status} {entry_code}): {detail}")


class EntryUnreachableError(UnavailableError):
    """An entry does not answer, or is not ready."""

    code = "entry-unreachable"

    def __init__(self, *, url: str, problem: str) -> None:
        self.url, self.problem = url, problem
        super().__init__(f"{url} does not answer: {problem}. Try again in a moment.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an entry answered: the output columns, and which snapshot and route gave them."""

    columns: Mapping[str, tuple[Scalar, ...]]
    snapshot: str
    route_generation: int | None
    prediction_id: str
    parameters: Mapping[str, Any]


class ScoringClient:
    """
    Scores records at a service's endpoint.

    Parameters
    ----------
    token
        A scoring token (`pilothouse tokens issue-scoring`).
    timeout_s
        How long to wait for an answer, above 0.
    """

    def __init__(self, *, token: str, timeout_s: float = 30.0) -> None:
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}"}, timeout=timeout_s, trust_env=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def schema(self, url: str, *, version: str | None = None) -> Mapping[str, str]:
        """Ask for the input columns and their Open Inference datatypes, such as ``{"AGEP": "INT64"}``."""
        metadata = self._call("GET", _versioned(url, version), None)
        return {tensor["name"]: tensor["datatype"] for tensor in metadata["inputs"]}

    def score(
        self,
        url: str,
        columns: Mapping[str, Sequence[Scalar]],
        *,
        datatypes: Mapping[str, str] | None = None,
        version: str | None = None,
        sticky_key: str | None = None,
    ) -> Answer:
        """
        Score records, column by column.

        Parameters
        ----------
        url
            ``http://host:port/v2/models/{service}``.
        columns
            One sequence a column, all of one length of at least 1.
        datatypes
            Open Inference datatypes by column; asked from the entry where not given.
        version
            A snapshot's number, to pin it; the route chooses where not given.
        sticky_key
            Requests of one key go to one variant while the route stands.

        Raises
        ------
        EntryRefusedError
            When the records break the schema, or the token does not open the service.
        EntryUnreachableError
            When the entry does not answer or has nobody ready to.
        """
        known = datatypes or self.schema(url, version=version)
        inputs = [
            {
                "name": name,
                "shape": [len(values)],
                "datatype": known.get(name, "BYTES"),
                "data": list(values),
            }
            for name, values in columns.items()
        ]
        body: dict[str, object] = {"inputs": inputs}
        if sticky_key is not None:
            body["parameters"] = {"sticky_key": sticky_key}
        answer = self._call("POST", _versioned(url, version) + "/infer", body)
        parameters = answer.get("parameters", {})
        return Answer(
            columns={t["name"]: tuple(t["data"]) for t in answer["outputs"]},
            snapshot=str(parameters.get("snapshot", "")),
            route_generation=parameters.get("route_generation"),
            prediction_id=str(parameters.get("prediction_id", "")),
            parameters=parameters,
        )

    def infer(
        self,
        url: str,
        *,
        number: int,
        schema: Schema,
        columns: Mapping[str, Sequence[Scalar]],
    ) -> Mapping[str, Sequence[Scalar]]:
        """Score records by one pinned snapshot whose schema is known (see `pilothouse.ports.entries`)."""
        datatypes = {c.name: DATATYPES[c.type] for c in schema.columns}
        return self.score(url, columns, datatypes=datatypes, version=str(number)).columns

    def _call(self, method: str, url: str, body: object) -> dict[str, Any]:
        try:
            answer = self._http.request(method, url, json=body)
        except httpx.TransportError as problem:
            raise EntryUnreachableError(url=url, problem=str(problem)) from problem
        if answer.is_success:
            try:
                return dict(answer.json())
            except (ValueError, TypeError) as problem:
                raise ApiError(
                    status=answer.status_code,
                    code="not-open-inference",
                    detail=f"{url} answered with something else than Open Inference v2.",
                ) from problem
        code, detail = _words(answer)
        if answer.status_code in (429, 502, 503, 504):
            raise EntryUnreachableError(url=url, problem=detail)
        raise EntryRefusedError(url=url, status=answer.status_code, entry_code=code, detail=detail)


def _versioned(url: str, version: str | None) -> str:
    return url if version is None else f"{url}/versions/{version}"


def _words(answer: httpx.Response) -> tuple[str, str]:
    try:
        body = answer.json()
        return str(body.get("code", "")), str(body.get("error", ""))
    except (ValueError, AttributeError):
        return "", answer.text[:200]
