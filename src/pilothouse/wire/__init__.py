"""The public JSON where it differs from the domain value: what callers ask for."""

from __future__ import annotations
