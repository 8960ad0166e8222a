"""The content-addressed store of artefacts, over local folders and object stores."""

from __future__ import annotations

from pilothouse.artifacts.store import open_store

__all__ = ["open_store"]
