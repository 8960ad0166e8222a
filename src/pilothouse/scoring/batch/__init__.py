"""Batch: one job in one process; a file in, a folder out, whole or not at all."""

from __future__ import annotations
