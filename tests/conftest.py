"""What every test may ask for."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = [
    "tests.skips",
    "tests.printable",
    "tests.buckets",
    "tests.databases",
    "tests.kits",
    "tests.models.fixtures",
]

# A slow machine is no failure: no test asserts how long it takes.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
