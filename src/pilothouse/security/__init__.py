"""Secrets by reference, and tokens."""

from __future__ import annotations
