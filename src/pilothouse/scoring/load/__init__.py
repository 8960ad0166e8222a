"""Load tests: golden records at a steady rate against an endpoint, and what came back how fast."""

from __future__ import annotations
