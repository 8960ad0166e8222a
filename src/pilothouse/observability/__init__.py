"""What the process sees of the world: the time and randomness."""

from __future__ import annotations
