"""The worker: the loops that keep life cycles, runtimes and jobs going."""

from __future__ import annotations
