"""The prediction log: records in segments on the disk, and the writer that carries them into tables."""

from __future__ import annotations
