"""The Python client: everything that the API can do, as typed calls."""

from __future__ import annotations

from pilothouse.sdk.client import Client
from pilothouse.sdk.errors import ApiError, ApiUnreachableError
from pilothouse.sdk.scoring import ScoringClient

__all__ = ["ApiError", "ApiUnreachableError", "Client", "ScoringClient"]
