"""The connectors that are installed, each built once, when a runtime first asks for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from pilothouse.domain.errors import NotSupportedError
from pilothouse.domain.plugins import PluginKind, plugin

if TYPE_CHECKING:
    from pilothouse.connectors.settings import BuildConnector, ConnectorSettings
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.ports.connectors import Connector


class ConnectorBrokenError(NotSupportedError):
    """A connector is installed and cannot be loaded."""

    code = "connector-broken"

    def __init__(self, *, connector: str, target: str, problem: str) -> None:
        self.connector, self.target, self.problem = connector, target, problem
        super().__init__(
            f"The connector {connector!r} ({target}) cannot be loaded: {problem}. Install a release of its package "
            "that fits this one, with all that it needs."
        )


class InstalledConnectors:
    """
    Connectors by the names of their entry points; it keeps `pilothouse.ports.connectors.Connectors`.

    Parameters
    ----------
    settings
        What each connector is built from.
    """

    def __init__(self, settings: ConnectorSettings) -> None:
        self._settings = settings
        self._built: dict[str, Connector] = {}
        self._lock = threading.Lock()

    def of(self, runtime: Runtime) -> Connector:
        """
        Give the connector that drives a runtime.

        Raises
        ------
        PluginMissingError
            When none of that name is installed.
        ConnectorBrokenError
            When it cannot be loaded.
        """
        with self._lock:
            if runtime.connector not in self._built:
                self._built[runtime.connector] = self._build(runtime.connector)
            return self._built[runtime.connector]

    def check(self, name: str) -> None:
        """
        Make sure that a connector of that name is installed.

        Raises
        ------
        PluginMissingError
            When none is.
        """
        plugin(PluginKind.CONNECTOR, name)

    def _build(self, name: str) -> Connector:
        point = plugin(PluginKind.CONNECTOR, name)
        try:
            build = cast("BuildConnector", point.load())
        except (ImportError, AttributeError) as problem:
            raise ConnectorBrokenError(
                connector=name, target=point.value, problem=str(problem)
            ) from problem
        return build(self._settings)
