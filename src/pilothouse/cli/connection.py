"""How commands reach the server: an address and a token, from the environment or the home folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import ValidationError

from pilothouse.domain.errors import InvalidError, NotSignedInError
from pilothouse.sdk import Client
from pilothouse.settings import Settings

SERVER_FILE = "server.json"
ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105 the name of a file


class TokenMissingError(NotSignedInError):
    """No token was found."""

    code = "api-token-missing"

    def __init__(self, *, home: Path) -> None:
        self.home = str(home)
        super().__init__(
            f"No token: set PILOTHOUSE_TOKEN, or use the home folder whose administrator you are, without "
            f"PILOTHOUSE_URL (the token in {home / ADMIN_TOKEN_FILE} is for its own server alone)."
        )


class SettingInvalidError(InvalidError):
    """A setting cannot be used."""

    code = "setting-invalid"
    exit_code = 2

    def __init__(self, *, settings: tuple[str, ...], problem: str) -> None:
        self.settings, self.problem = settings, problem
        super().__init__(
            f"{', '.join(settings)} cannot be used: {problem}. Correct the environment."
        )


class ServerFileError(InvalidError):
    """The home folder's note of where its server is cannot be read."""

    code = "server-file"

    def __init__(self, *, path: Path) -> None:
        self.path = str(path)
        super().__init__(
            f"{path} does not say where the server is. Start it again with `pilothouse up`, or set PILOTHOUSE_URL."
        )


def read_settings() -> Settings:
    """
    Read the settings from the environment.

    Raises
    ------
    SettingInvalidError
        When one cannot be used; it names the variables.
    """
    try:
        return Settings()
    except ValidationError as problem:
        found = problem.errors(include_input=False, include_url=False)
        names = tuple(f"PILOTHOUSE_{str(e['loc'][0]).upper()}" for e in found)
        words = "; ".join(e["msg"] for e in found)
        raise SettingInvalidError(settings=names, problem=words) from None


def server_url(settings: Settings) -> str:
    """Give the server's address: PILOTHOUSE_URL, else where the home's server said that it is."""
    return os.environ.get("PILOTHOUSE_URL") or _own_url(settings)


def _own_url(settings: Settings) -> str:
    told = settings.home / SERVER_FILE
    if told.is_file():
        try:
            return str(json.loads(told.read_text(encoding="utf-8"))["url"])
        except (ValueError, KeyError, TypeError):
            raise ServerFileError(path=told) from None
    return f"http://{settings.host}:{settings.port}"


def token(settings: Settings) -> str:
    """
    Give the caller's token: PILOTHOUSE_TOKEN, else the home's first administrator's.

    That one goes to the home's own server only: sent to another, it would be given away.
    """
    named = os.environ.get("PILOTHOUSE_TOKEN")
    if named:
        return named
    kept = settings.home / ADMIN_TOKEN_FILE
    if not kept.is_file() or server_url(settings) != _own_url(settings):
        raise TokenMissingError(home=settings.home)
    return kept.read_text(encoding="utf-8").strip()


def connect() -> Client:
    """Connect as the environment says."""
    settings = read_settings()
    return Client(url=server_url(settings), token=token(settings))
