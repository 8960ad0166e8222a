"""Pilothouse, an open and self-hosted ModelOps centre."""

from __future__ import annotations

__version__ = "0.1.0"
