"""Simulators of ticket systems: the calls of Jira, of ServiceNow and of the generic shape, with what each refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tests.web.answering import Reply

if TYPE_CHECKING:
    from tests.web.answering import Received

NOT_FOUND = Reply(status=404, body={"errorMessages": ["Issue does not exist"]})


class Simulated(Protocol):
    """A ticket system that answers, and lets a test look at its tickets and move them."""

    def __call__(self, request: Received) -> Reply: ...

    def marks(self) -> list[str]: ...

    def comments(self) -> list[str]: ...

    def move(self, state: str) -> None: ...


@dataclass
class SimulatedJira:
    """
    Version 2 of Jira's REST API, as far as issues, labels, comments and status go.

    Jira Cloud searches at ``search/jql`` (its older path answers 410), Jira Data Center at ``search``.
    """

    authorization: str
    search: str = "search/jql"
    issues: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, request: Received) -> Reply:
        if request.headers.get("authorization") != self.authorization:
            return Reply(status=401, body={"errorMessages": ["You are not authenticated"]})
        path = request.path.removeprefix("/rest/api/2/")
        if path.startswith("search"):
            return self._searched(path, request)
        if (request.method, path) == ("POST", "issue"):
            return self._created(request)
        return self._issue(path, request)

    def _searched(self, path: str, request: Received) -> Reply:
        if path != self.search:
            return Reply(status=410 if path == "search" else 404, body={"errorMessages": ["gone"]})
        asked = re.fullmatch(r'labels = "([^"]+)" ORDER BY created', request.query["jql"])
        if asked is None:
            return Reply(status=400, body={"errorMessages": ["Error in the JQL Query"]})
        found = [i for i in self.issues.values() if asked[1] in i["fields"]["labels"]]
        return Reply(body={"issues": [_shown(issue) for issue in found]})

    def _created(self, request: Received) -> Reply:
        fields = request.body["fields"]
        if not fields["project"]["key"]:
            return Reply(status=400, body={"errors": {"project": "project is required"}})
        if fields["issuetype"]["name"] not in ("Task", "Change"):
            return Reply(status=400, body={"errors": {"issuetype": "Specify an issue type"}})
        key = f"{fields['project']['key']}-{len(self.issues) + 1}"
        whole = {**fields, "status": {"name": "To Do"}, "comments": []}
        self.issues[key] = {"id": str(10_000 + len(self.issues)), "key": key, "fields": whole}
        return Reply(status=201, body={"id": self.issues[key]["id"], "key": key})

    def _issue(self, path: str, request: Received) -> Reply:
        _, key, *rest = path.split("/")
        issue = self.issues.get(key)
        if issue is None:
            return NOT_FOUND
        comments = issue["fields"]["comments"]
        if rest == ["comment"] and request.method == "POST":
            comments.append({"id": str(len(comments)), "body": request.body["body"]})
            return Reply(status=201, body=comments[-1])
        if rest == ["comment"]:
            return Reply(body={"comments": comments[::-1], "total": len(comments)})
        return Reply(body=_shown(issue))

    def marks(self) -> list[str]:
        return [i["fields"]["labels"][-1] for i in self.issues.values()]

    def comments(self) -> list[str]:
        return [c["body"] for i in self.issues.values() for c in i["fields"]["comments"]]

    def move(self, state: str) -> None:
        for issue in self.issues.values():
            issue["fields"]["status"] = {"name": state}


def _shown(issue: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": issue["id"],
        "key": issue["key"],
        "fields": {"status": issue["fields"]["status"]},
    }


@dataclass
class SimulatedServiceNow:
    """ServiceNow's Table API over the tables ``change_request`` and ``sys_journal_field``."""

    authorization: str
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    journal: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, request: Received) -> Reply:
        if request.headers.get("authorization") != self.authorization:
            return Reply(status=401, body={"error": {"message": "User Not Authenticated"}})
        table, *rest = request.path.removeprefix("/api/now/table/").split("/")
        if table == "sys_journal_field":
            return self._journal(request.query["sysparm_query"])
        if table != "change_request":
            return Reply(status=400, body={"error": {"message": f"Invalid table {table}"}})
        return self._record(rest[0], request) if rest else self._table(request)

    def _journal(self, query: str) -> Reply:
        asked = re.fullmatch(r"element_id=(\w+)\^element=comments\^valueLIKE(\S+)", query)
        assert asked is not None, query
        found = [j for j in self.journal if j["element_id"] == asked[1] and asked[2] in j["value"]]
        return Reply(body={"result": found})

    def _table(self, request: Received) -> Reply:
        if request.method == "GET":
            mark = request.query["sysparm_query"].removeprefix("correlation_id=")
            found = [r for r in self.records.values() if r["correlation_id"] == mark]
            return Reply(body={"result": found[: int(request.query["sysparm_limit"])]})
        identity = f"{len(self.records):032x}"
        number = f"CHG{len(self.records):07}"
        self.records[identity] = {
            **request.body,
            "sys_id": identity,
            "number": number,
            "state": "New",
        }
        return Reply(status=201, body={"result": self.records[identity]})

    def _record(self, identity: str, request: Received) -> Reply:
        record = self.records.get(identity)
        if record is None:
            return Reply(status=404, body={"error": {"message": "No Record found"}})
        if request.method == "PATCH":
            self.journal.append({"element_id": identity, "value": request.body["comments"]})
        return Reply(body={"result": record})

    def marks(self) -> list[str]:
        return [r["correlation_id"] for r in self.records.values()]

    def comments(self) -> list[str]:
        return [j["value"] for j in self.journal]

    def move(self, state: str) -> None:
        for record in self.records.values():
            record["state"] = state


@dataclass
class SimulatedGeneric:
    """The generic shape at ``/tickets``."""

    authorization: str
    tickets: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, request: Received) -> Reply:
        if request.headers.get("authorization") != self.authorization:
            return Reply(status=401, body="who are you?")
        _, _, *rest = request.path.split("/")
        match request.method, rest:
            case "GET", []:
                found = [t for t in self.tickets.values() if t["key"] == request.query["key"]]
                return Reply(body=found)
            case "POST", []:
                identity = str(len(self.tickets) + 1)
                self.tickets[identity] = {**request.body, "id": identity, "state": "open"}
                return Reply(status=201, body=self.tickets[identity])
            case "GET", [identity]:
                found_one = self.tickets.get(identity)
                return Reply(body=found_one) if found_one else NOT_FOUND
            case "POST", [_, "comments"]:
                self.said.append(request.body)
                return Reply(status=201, body={})
            case "GET", [_, "comments"]:
                return Reply(body=[c for c in self.said if c["key"] == request.query["key"]])
        return NOT_FOUND

    def marks(self) -> list[str]:
        return [t["key"] for t in self.tickets.values()]

    def comments(self) -> list[str]:
        return [c["text"] for c in self.said]

    def move(self, state: str) -> None:
        for ticket in self.tickets.values():
            ticket["state"] = state
