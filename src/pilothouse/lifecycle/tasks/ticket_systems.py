"""
Ticket systems: what is asked of each over REST, and how it says it.

Every ticket carries a mark of the job that asked for it, by which it is found again; every comment carries it too.
A search of Jira lags a moment behind what was created, so between the creating and the note of it a crash of a second
or two may still make a second ticket; no other system here has such a gap.

References
----------
.. [1] Atlassian, "The Jira Cloud platform REST API", version 2: issue, issue search, issue comments.
.. [2] ServiceNow, "Table API", and the table ``sys_journal_field``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlencode

from pilothouse.domain.outgoing import Method
from pilothouse.lifecycle.errors import TicketAnswerError
from pilothouse.lifecycle.tasks.catalogue import System

if TYPE_CHECKING:
    from pilothouse.lifecycle.tasks.reaching import Reach

LATEST = 100
"""Comments of a ticket that are looked at for a mark, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket: the id that its system asks for, the name that people use, its page, and how it stands."""

    id: str
    name: str
    url: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTicket:
    """
    What a ticket shall say.

    Attributes
    ----------
    kind
        The type of issue, where the system has types.
    fields
        More of the system's own fields.
    """

    subject: str
    text: str
    kind: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)


class TicketSystem(Protocol):
    """One ticket system, for one delivery of a job."""

    def found(self, mark: str) -> Ticket | None:
        """Give the ticket that carries a mark."""
        ...

    def create(self, wanted: NewTicket, *, mark: str) -> Ticket:
        """Make a ticket that carries a mark."""
        ...

    def current(self, ticket_id: str) -> Ticket:
        """Give a ticket as it stands now."""
        ...

    def has_comment(self, ticket_id: str, *, mark: str) -> bool:
        """Whether a comment of a ticket carries a mark."""
        ...

    def add_comment(self, ticket_id: str, text: str, *, mark: str) -> None:
        """Add a comment that carries a mark."""
        ...


class Generic:
    """
    Any system that has these calls, perhaps by a small adapter of a company's own.

    ::

        POST {url}                  {key, subject, text, kind, …fields}   -> {id, state, name?, url?}
        GET  {url}?key=K                                                  -> a list of tickets, empty or one
        GET  {url}/{id}                                                   -> the ticket
        POST {url}/{id}/comments    {key, text}
        GET  {url}/{id}/comments?key=K                                    -> a list of comments, empty or one
    """

    def __init__(self, reach: Reach, *, url: str, project: str | None) -> None:
        self._reach, self._url, self._project = reach, url, project

    def found(self, mark: str) -> Ticket | None:
        """Give the ticket that carries a mark."""
        listed = self._list(f"{self._url}?{urlencode({'key': mark})}", mark)
        return self._ticket(listed[0]) if listed else None

    def create(self, wanted: NewTicket, *, mark: str) -> Ticket:
        """Make a ticket that carries a mark."""
        body = {
            **wanted.fields,
            "key": mark,
            "subject": wanted.subject,
            "text": wanted.text,
            "kind": wanted.kind,
            "project": self._project,
        }
        return self._ticket(self._reach.change(Method.POST, self._url, key=mark, body=body).body)

    def current(self, ticket_id: str) -> Ticket:
        """Give a ticket as it stands now."""
        return self._ticket(self._reach.look(Method.GET, self._at(ticket_id), key=ticket_id))

    def has_comment(self, ticket_id: str, *, mark: str) -> bool:
        """Whether a comment of a ticket carries a mark."""
        query = urlencode({"key": mark})
        return bool(self._list(f"{self._at(ticket_id)}/comments?{query}", mark))

    def add_comment(self, ticket_id: str, text: str, *, mark: str) -> None:
        """Add a comment that carries a mark."""
        body = {"key": mark, "text": text}
        self._reach.change(Method.POST, f"{self._at(ticket_id)}/comments", key=mark, body=body)

    def _at(self, ticket_id: str) -> str:
        return f"{self._url}/{quote(ticket_id, safe='')}"

    def _list(self, url: str, mark: str) -> list[object]:
        return _list(self._reach.look(Method.GET, url, key=mark))

    def _ticket(self, body: object) -> Ticket:
        identity = _text(body, "id")
        return Ticket(
            id=identity,
            name=_text(body, "name") if _has(body, "name") else identity,
            url=_text(body, "url") if _has(body, "url") else self._at(identity),
            state=_text(body, "state"),
        )


class Jira:
    """
    Jira by version 2 of its REST API.

    Parameters
    ----------
    search
        The path of its search, which Jira Cloud and Jira Data Center have at different places.
    """

    def __init__(self, reach: Reach, *, url: str, project: str | None, search: str) -> None:
        self._reach, self._url, self._project, self._search = reach, url, project, search

    def found(self, mark: str) -> Ticket | None:
        """Give the issue that has a mark as its label."""
        query = {"jql": f'labels = "{mark}" ORDER BY created', "fields": "status", "maxResults": 1}
        body = self._look(f"{self._search}?{urlencode(query)}", mark)
        issues = _list(_at(body, "issues"))
        return self._ticket(issues[0]) if issues else None

    def create(self, wanted: NewTicket, *, mark: str) -> Ticket:
        """Make an issue that has a mark as its label."""
        labels = wanted.fields.get("labels", [])
        fields = {
            "project": {"key": self._project},
            "issuetype": {"name": wanted.kind or "Task"},
            **wanted.fields,
            "summary": wanted.subject,
            "description": wanted.text,
            "labels": [*_list(labels), mark],
        }
        url = f"{self._url}/rest/api/2/issue"
        made = self._reach.change(Method.POST, url, key=mark, body={"fields": fields}).body
        return self.current(_text(made, "key"))

    def current(self, ticket_id: str) -> Ticket:
        """Give an issue as it stands now."""
        path = f"issue/{quote(ticket_id, safe='')}?fields=status"
        return self._ticket(self._look(path, ticket_id))

    def has_comment(self, ticket_id: str, *, mark: str) -> bool:
        """Whether one of the latest comments of an issue ends with a mark."""
        query = urlencode({"orderBy": "-created", "maxResults": LATEST})
        body = self._look(f"{_comments(ticket_id)}?{query}", mark)
        return any(mark in _text(c, "body") for c in _list(_at(body, "comments")))

    def add_comment(self, ticket_id: str, text: str, *, mark: str) -> None:
        """Add a comment that ends with a mark."""
        url = f"{self._url}/rest/api/2/{_comments(ticket_id)}"
        self._reach.change(Method.POST, url, key=mark, body={"body": f"{text}\n\n({mark})"})

    def _look(self, path: str, key: str) -> object:
        return self._reach.look(Method.GET, f"{self._url}/rest/api/2/{path}", key=key)

    def _ticket(self, body: object) -> Ticket:
        key = _text(body, "key")
        return Ticket(
            id=key,
            name=key,
            url=f"{self._url}/browse/{key}",
            state=_text(body, "fields", "status", "name"),
        )


class ServiceNow:
    """ServiceNow by its Table API; `project` is the table, ``incident`` without it."""

    def __init__(self, reach: Reach, *, url: str, project: str | None) -> None:
        self._reach, self._root, self._table = reach, url, project or "incident"
        self._url = f"{url}/api/now/table/{quote(self._table, safe='')}"

    def found(self, mark: str) -> Ticket | None:
        """Give the record that has a mark as its correlation id."""
        query = {"sysparm_query": f"correlation_id={mark}", "sysparm_limit": 1, **_SHOWN}
        body = self._reach.look(Method.GET, f"{self._url}?{urlencode(query)}", key=mark)
        records = _list(_at(body, "result"))
        return self._ticket(records[0]) if records else None

    def create(self, wanted: NewTicket, *, mark: str) -> Ticket:
        """Make a record that has a mark as its correlation id."""
        body = {
            **wanted.fields,
            "short_description": wanted.subject,
            "description": wanted.text,
            "correlation_id": mark,
        }
        url = f"{self._url}?{urlencode(_SHOWN)}"
        return self._ticket(
            _at(self._reach.change(Method.POST, url, key=mark, body=body).body, "result")
        )

    def current(self, ticket_id: str) -> Ticket:
        """Give a record as it stands now."""
        body = self._reach.look(
            Method.GET, f"{self._at(ticket_id)}?{urlencode(_SHOWN)}", key=ticket_id
        )
        return self._ticket(_at(body, "result"))

    def has_comment(self, ticket_id: str, *, mark: str) -> bool:
        """Whether the journal of a record holds a comment with a mark."""
        query = {
            "sysparm_query": f"element_id={ticket_id}^element=comments^valueLIKE{mark}",
            "sysparm_limit": 1,
        }
        url = f"{self._root}/api/now/table/sys_journal_field?{urlencode(query)}"
        return bool(_list(_at(self._reach.look(Method.GET, url, key=mark), "result")))

    def add_comment(self, ticket_id: str, text: str, *, mark: str) -> None:
        """Add a comment that ends with a mark."""
        body = {"comments": f"{text}\n\n({mark})"}
        self._reach.change(Method.PATCH, self._at(ticket_id), key=mark, body=body)

    def _at(self, ticket_id: str) -> str:
        return f"{self._url}/{quote(ticket_id, safe='')}"

    def _ticket(self, record: object) -> Ticket:
        identity = _text(record, "sys_id")
        page = f"{self._root}/nav_to.do?{urlencode({'uri': f'{self._table}.do?sys_id={identity}'})}"
        return Ticket(
            id=identity, name=_text(record, "number"), url=page, state=_text(record, "state")
        )


_SHOWN = {"sysparm_display_value": "true", "sysparm_fields": "sys_id,number,state"}


def ticket_system(system: System, reach: Reach, *, url: str, project: str | None) -> TicketSystem:
    """Give the system of a name at an address."""
    root = url.rstrip("/")
    match system:
        case System.GENERIC:
            return Generic(reach, url=root, project=project)
        case System.JIRA:
            return Jira(reach, url=root, project=project, search="search/jql")
        case System.JIRA_DATA_CENTER:
            return Jira(reach, url=root, project=project, search="search")
        case System.SERVICENOW:
            return ServiceNow(reach, url=root, project=project)


def _comments(ticket_id: str) -> str:
    return f"issue/{quote(ticket_id, safe='')}/comment"


def _has(body: object, name: str) -> bool:
    return isinstance(body, Mapping) and body.get(name) is not None


def _at(body: object, *names: str) -> object:
    """Go down the objects of an answer."""
    for name in names:
        if not _has(body, name):
            raise TicketAnswerError(path=".".join(names), body=str(body))
        body = body[name]  # type: ignore[index]
    return body


def _text(body: object, *names: str) -> str:
    found = _at(body, *names)
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise TicketAnswerError(path=".".join(names), body=str(body))
    return str(found)


def _list(body: object) -> list[object]:
    if not isinstance(body, list | tuple):
        raise TicketAnswerError(path="(a list)", body=str(body))
    return list(body)
