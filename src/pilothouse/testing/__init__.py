"""Fakes that are true to their ports, and the suite that every connector must pass."""

from __future__ import annotations
