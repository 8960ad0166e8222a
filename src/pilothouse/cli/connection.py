"""How commands reach the server: an address and a token, from the environment or the home folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pilothouse.domain.errors import NotSignedInError
from pilothouse.sdk import Client
from pilothouse.settings import Settings

SERVER_FILE = "server.json"
ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105 the name of a file


class TokenMissingError(NotSignedInError):
    """No token was found."""

    code = "token-missing"

    def __init__(self, *, home: Path) -> None:
        self.home = str(home)
        super().__init__(
            f"No token: set PILOTHOUSE_TOKEN, or use the home folder whose administrator you are (there is no "
            f"{home / ADMIN_TOKEN_FILE})."
        )


def server_url(settings: Settings) -> str:
    """Give the server's address: PILOTHOUSE_URL, else where the home's server said that it is."""
    named = os.environ.get("PILOTHOUSE_URL")
    if named:
        return named
    told = settings.home / SERVER_FILE
    if told.is_file():
        return str(json.loads(told.read_text(encoding="utf-8"))["url"])
    return f"http://{settings.host}:{settings.port}"


def token(settings: Settings) -> str:
    """Give the caller's token: PILOTHOUSE_TOKEN, else the home's first administrator's."""
    named = os.environ.get("PILOTHOUSE_TOKEN")
    if named:
        return named
    kept = settings.home / ADMIN_TOKEN_FILE
    if not kept.is_file():
        raise TokenMissingError(home=settings.home)
    return kept.read_text(encoding="utf-8").strip()


def connect() -> Client:
    """Connect as the environment says."""
    settings = Settings()
    return Client(url=server_url(settings), token=token(settings))
