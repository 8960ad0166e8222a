"""Connectors: one package per kind of runtime, all keeping `pilothouse.ports.connectors.Connector`."""

from __future__ import annotations
