"""`pilothouse groups`, `pilothouse people`, `pilothouse tokens`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, err, print_one, print_rows
from pilothouse.domain.access import Role
from pilothouse.domain.outgoing import parse_grant
from pilothouse.wire import requests
from pilothouse.wire.views import IssuedToken

groups = typer.Typer(no_args_is_help=True, help="Groups: the teams that own things.")
people = typer.Typer(no_args_is_help=True, help="People and their roles.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens, for the API and for scoring.")
Expiry = Annotated[datetime | None, typer.Option(help="When it ends, UTC (RFC 3339).")]


@groups.command("list")
def list_groups(as_json: Json = False) -> None:
    """List groups."""
    with connect() as client:
        print_rows(
            client.groups.list(), ("name", "title", "python_source", "skops_types"), as_json=as_json
        )


@groups.command("create")
def create_group(
    name: str, title: Annotated[str, typer.Option()] = "", as_json: Json = False
) -> None:
    """Create a group."""
    with connect() as client:
        print_one(
            client.groups.create(requests.CreateGroup(name=name, title=title)), as_json=as_json
        )


@groups.command("policy")
def policy(
    name: str,
    python_source: Annotated[bool | None, typer.Option(help="Grant Python source.")] = None,
    skops_type: Annotated[list[str] | None, typer.Option(help="Grant this type too.")] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            help="Let life cycles call this host: `https://HOST[:PORT]`, then apart by blanks the word `private` for "
            "one of your own network, and references to the secrets that calls may carry."
        ),
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(help="Let life cycles notify the address in this secret, by reference."),
    ] = None,
    external_topic: Annotated[
        list[str] | None, typer.Option(help="Let workers outside take jobs of this topic.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change what a group's models may bring and its life cycles may reach; a list given replaces the one before."""
    wanted = requests.SetPolicy(
        python_source=python_source,
        skops_types=_listed(skops_type),
        outgoing_hosts=None if host is None else tuple(parse_grant(text) for text in host if text),
        notification_targets=_listed(notify),
        external_topics=_listed(external_topic),
    )
    with connect() as client:
        print_one(client.groups.set_policy(name, wanted), as_json=as_json)


def _listed(given: list[str] | None) -> tuple[str, ...] | None:
    """Give what is to stand from now on; a single empty text empties the list."""
    return None if given is None else tuple(text for text in given if text)


@people.command("list")
def list_people(as_json: Json = False) -> None:
    """List people."""
    with connect() as client:
        print_rows(client.people.list(), ("id", "name", "title", "machine"), as_json=as_json)


@people.command("create")
def create_person(
    name: str,
    title: Annotated[str, typer.Option()] = "",
    machine: Annotated[bool, typer.Option("--machine")] = False,
    as_json: Json = False,
) -> None:
    """Enter a person or a machine."""
    wanted = requests.CreatePerson(name=name, title=title, machine=machine)
    with connect() as client:
        print_one(client.people.create(wanted), as_json=as_json)


@people.command("me")
def me(as_json: Json = False) -> None:
    """Show who you are to the server."""
    with connect() as client:
        print_one(client.people.me(), as_json=as_json)


@people.command("roles")
def roles(name: str, as_json: Json = False) -> None:
    """List somebody's roles."""
    with connect() as client:
        print_rows(
            client.people.grants(name),
            ("id", "role", "group", "stage", "granted_at"),
            as_json=as_json,
        )


@people.command("grant")
def grant(
    name: str,
    role: Role,
    group: Annotated[str, typer.Option()] = "default",
    stage: Annotated[str | None, typer.Option(help="In this stage alone.")] = None,
    as_json: Json = False,
) -> None:
    """Give somebody a role."""
    wanted = requests.GiveRole(group=group, role=role, stage=stage)
    with connect() as client:
        print_one(client.people.grant(name, wanted), as_json=as_json)


@people.command("end-grant")
def end_grant(grant_id: str, as_json: Json = False) -> None:
    """Take a role away."""
    with connect() as client:
        print_one(client.people.end_grant(grant_id), as_json=as_json)


@tokens.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List tokens, without their texts."""
    with connect() as client:
        print_rows(
            client.tokens.list(),
            ("id", "kind", "name", "person_id", "services", "expires_at", "revoked_at"),
            as_json=as_json,
        )


@tokens.command("issue")
def issue(
    name: str,
    person: Annotated[str | None, typer.Option(help="You, if not given.")] = None,
    group: Annotated[str, typer.Option()] = "default",
    expires_at: Expiry = None,
    as_json: Json = False,
) -> None:
    """Issue an API token; its text is shown this once."""
    wanted = requests.IssueToken(name=name, group=group, person=person, expires_at=_utc(expires_at))
    with connect() as client:
        _print_issued(client.tokens.issue(wanted), as_json=as_json)


@tokens.command("issue-scoring")
def issue_scoring(
    name: str,
    service: Annotated[
        list[str] | None, typer.Option(help="All of the group's, if not given.")
    ] = None,
    group: Annotated[str, typer.Option()] = "default",
    expires_at: Expiry = None,
    as_json: Json = False,
) -> None:
    """Issue a scoring token for a consuming application; its text is shown this once."""
    wanted = requests.IssueScoringToken(
        name=name, group=group, services=tuple(service or ()), expires_at=_utc(expires_at)
    )
    with connect() as client:
        _print_issued(client.tokens.issue_scoring(wanted), as_json=as_json)


@tokens.command("revoke")
def revoke(token: str, as_json: Json = False) -> None:
    """End a token, by its id."""
    with connect() as client:
        print_one(client.tokens.revoke(token), as_json=as_json)


def _print_issued(issued: IssuedToken, *, as_json: bool) -> None:
    if as_json:
        print_one(issued, as_json=True)
        return
    err.print(f"{issued.token.id}: keep this text, it is shown this once", markup=False)
    typer.echo(issued.text)


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
