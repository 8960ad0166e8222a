"""`pilothouse doctor`: what this host has, and what it lacks for which purpose."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import sqlite3
from dataclasses import dataclass
from enum import StrEnum

import typer

from pilothouse import __version__
from pilothouse.cli.connection import read_settings, server_url
from pilothouse.cli.output import Json, print_rows
from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.plugins import PluginKind, installed
from pilothouse.sdk import Client
from pilothouse.settings import Settings


class Health(StrEnum):
    """How a part is."""

    OK = "ok"
    LACKING = "lacking"  # something is possible only with it
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that was looked at."""

    part: str
    health: Health
    says: str


def doctor(as_json: Json = False) -> None:
    """Look at this host and say what works, what lacks, and what to do; exits with 1 if something is broken."""
    settings = read_settings()
    parts = [
        Part(
            part="pilothouse",
            health=Health.OK,
            says=f"{__version__}, Python {platform.python_version()}",
        ),
        Part(part="sqlite", health=Health.OK, says=sqlite3.sqlite_version),
        _home(settings),
        _server(settings),
        _sandbox(),
        *(_extra(*extra) for extra in EXTRAS),
        _evaluator(),
        *_plugins(),
    ]
    print_rows(parts, ("part", "health", "says"), as_json=as_json)
    if any(p.health is Health.BROKEN for p in parts):
        raise typer.Exit(code=1)


EXTRAS = (
    ("pyarrow", "tables", "batch jobs and samples"),
    ("numpy", "tables", "batch jobs and samples"),
    ("psycopg", "postgres", "a PostgreSQL database"),
)


def _home(settings: Settings) -> Part:
    home = settings.home
    if not home.exists():
        return Part(part="home", health=Health.OK, says=f"{home} (made by `pilothouse up`)")
    if not home.is_dir():
        return Part(part="home", health=Health.BROKEN, says=f"{home} is not a folder")
    free = shutil.disk_usage(home).free / 2**30
    if not os.access(home, os.W_OK):
        return Part(part="home", health=Health.BROKEN, says=f"{home} cannot be written to")
    return Part(part="home", health=Health.OK, says=f"{home}, {free:.1f} GiB free")


def _server(settings: Settings) -> Part:
    url = server_url(settings)
    try:
        with Client(url=url, token=None, timeout_s=5.0) as client:
            client.health()
    except PilothouseError as problem:
        return Part(part="server", health=Health.LACKING, says=problem.message)
    return Part(part="server", health=Health.OK, says=url)


def _sandbox() -> Part:
    found = shutil.which("bwrap")
    if found is None:
        return Part(
            part="sandbox",
            health=Health.LACKING,
            says="no bubblewrap: models run in processes with limits but without a sandbox; install `bubblewrap`",
        )
    return Part(part="sandbox", health=Health.OK, says=found)


def _extra(module: str, extra: str, purpose: str) -> Part:
    if importlib.util.find_spec(module) is None:
        return Part(
            part=module,
            health=Health.LACKING,
            says=f"needed for {purpose}: pip install 'pilothouse[{extra}]'",
        )
    return Part(part=module, health=Health.OK, says=f"for {purpose}")


def _evaluator() -> Part:
    if importlib.util.find_spec("numpy") is None:
        return Part(
            part="evaluator",
            health=Health.LACKING,
            says="compiled models need numpy: pip install 'pilothouse[tables]'",
        )
    try:
        importlib.import_module("pilothouse.evaluator._kernel")
    except ImportError:
        return Part(
            part="evaluator",
            health=Health.LACKING,
            says="compiled models by numpy: install a C compiler, then Pilothouse anew, for the quick kernel",
        )
    return Part(part="evaluator", health=Health.OK, says="compiled models by the native kernel")


def _plugins() -> list[Part]:
    return [
        Part(part=kind.value, health=Health.OK, says=", ".join(sorted(installed(kind))) or "none")
        for kind in PluginKind
    ]
