"""People and their roles."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.access import Grant, Principal
from pilothouse.domain.pages import Page
from pilothouse.domain.people import Person
from pilothouse.wire.requests import CreatePerson, GiveRole

router = APIRouter(tags=["people"])


@router.get("/me", response_model=Principal)
def me(who: Who) -> JSONResponse:
    """Show who the token speaks for, and the roles that count."""
    return shown(who)


@router.post("/people", status_code=201, response_model=Person)
def create(plane: Plane, who: KeyedWho, wanted: CreatePerson) -> JSONResponse:
    """Enter a person or a machine."""
    return changed(
        plane,
        who,
        lambda: plane.people.create(
            who, name=wanted.name, title=wanted.title, machine=wanted.machine
        ),
        201,
    )


@router.get("/people", response_model=Page[Person])
def page(plane: Plane, who: Who, after: After = None, limit: Limit = 50) -> JSONResponse:
    """List people."""
    return shown(plane.people.page(who, after=after, limit=limit))


@router.get("/people/{person}/grants", response_model=list[Grant])
def grants(plane: Plane, who: Who, person: str) -> JSONResponse:
    """List the roles that somebody holds."""
    return shown(plane.people.grants(who, person=person))


@router.post("/people/{person}/grants", status_code=201, response_model=Grant)
def grant(plane: Plane, who: KeyedWho, person: str, wanted: GiveRole) -> JSONResponse:
    """Give somebody a role."""
    return changed(
        plane,
        who,
        lambda: plane.people.grant(
            who, person=person, group=wanted.group, role=wanted.role, stage=wanted.stage
        ),
        201,
    )


@router.post("/grants/{grant_id}/end", response_model=Grant)
def end_grant(plane: Plane, who: KeyedWho, grant_id: str) -> JSONResponse:
    """Take a role away."""
    return changed(plane, who, lambda: plane.people.end_grant(who, grant_id=grant_id))
