"""The numbers that say how a model is doing: pure functions of arrays, one method a file."""

from __future__ import annotations
