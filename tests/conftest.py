"""What every test may ask for."""

from __future__ import annotations

pytest_plugins = ["tests.buckets", "tests.databases", "tests.models.fixtures", "tests.skips"]
