"""Plug-ins: formats, connectors, task types and secret sources that other packages bring by entry points."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points

from pilothouse.domain.errors import InvalidError, NotSupportedError


class PluginKind(StrEnum):
    """The entry-point groups that Pilothouse reads."""

    FORMAT = "pilothouse.formats"
    CONNECTOR = "pilothouse.connectors"
    TASK_TYPE = "pilothouse.task_types"
    SECRET_SOURCE = "pilothouse.secret_sources"  # noqa: S105 the name of a group


class PluginMissingError(NotSupportedError):
    """Nothing of this name is installed."""

    code = "plugin-missing"

    def __init__(self, *, kind: PluginKind, name: str, known: tuple[str, ...]) -> None:
        self.kind, self.name, self.known = kind, name, known
        super().__init__(
            f"No {kind.value} plug-in is named {name!r}; installed are {', '.join(known) or 'none'}. Install "
            "the package that brings it, or correct the name."
        )


class PluginTwiceError(InvalidError):
    """Two packages bring a plug-in of one name."""

    code = "plugin-twice"

    def __init__(self, *, kind: PluginKind, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(
            f"Two installed packages bring a {kind.value} plug-in named {name!r}. Remove one of them."
        )


def installed(kind: PluginKind) -> Mapping[str, EntryPoint]:
    """
    Give the installed plug-ins of a kind by name, none of them loaded.

    Raises
    ------
    PluginTwiceError
        When two packages claim one name.
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=kind.value):
        if found.get(point.name, point).value != point.value:
            raise PluginTwiceError(kind=kind, name=point.name)
        found[point.name] = point
    return found


def plugin(kind: PluginKind, name: str) -> EntryPoint:
    """
    Give one plug-in's entry point, not loaded.

    Raises
    ------
    PluginMissingError
        When none has this name.
    """
    known = installed(kind)
    if name not in known:
        raise PluginMissingError(kind=kind, name=name, known=tuple(sorted(known)))
    return known[name]
