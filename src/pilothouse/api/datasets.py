"""Datasets, and the locations that hold them."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.datasets import Dataset
from pilothouse.domain.locations import Location
from pilothouse.domain.pages import Page
from pilothouse.wire.requests import RegisterDataset, RegisterLocation

router = APIRouter(tags=["datasets"])


@router.post("/locations", status_code=201, response_model=Location)
def register_location(plane: Plane, who: KeyedWho, wanted: RegisterLocation) -> JSONResponse:
    """Register a folder that jobs may use."""
    return changed(
        plane,
        who,
        lambda: plane.locations.register(
            who, name=wanted.name, group=wanted.group, uri=wanted.uri, access=wanted.access
        ),
        201,
    )


@router.get("/locations", response_model=Page[Location])
def locations(plane: Plane, who: Who, after: After = None, limit: Limit = 50) -> JSONResponse:
    """List locations."""
    return shown(plane.locations.page(who, after=after, limit=limit))


@router.post("/datasets", status_code=201, response_model=Dataset)
def register(plane: Plane, who: KeyedWho, wanted: RegisterDataset) -> JSONResponse:
    """Register a version of a dataset; its digest is taken from the file."""
    return changed(plane, who, lambda: plane.datasets.register(who, wanted), 201)


@router.get("/datasets", response_model=Page[Dataset])
def page(plane: Plane, who: Who, after: After = None, limit: Limit = 50) -> JSONResponse:
    """List datasets."""
    return shown(plane.datasets.page(who, after=after, limit=limit))


@router.get("/datasets/{name}", response_model=Dataset)
def get(plane: Plane, who: Who, name: str) -> JSONResponse:
    """Show a dataset, by `name@version`."""
    return shown(plane.datasets.get(who, name=name))
