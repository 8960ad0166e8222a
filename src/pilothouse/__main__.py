"""`python -m pilothouse` is the command `pilothouse`."""

from __future__ import annotations

from pilothouse.cli.main import run

run()
