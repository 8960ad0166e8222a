"""Task types: what the service tasks of a life cycle can do, one module each."""

from __future__ import annotations
