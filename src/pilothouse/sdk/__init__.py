"""The Python client: everything that the API can do, as typed calls."""

from __future__ import annotations

from pilothouse.sdk.client import Client
from pilothouse.sdk.errors import ApiError, ApiUnreachableError
from pilothouse.sdk.held_jobs import HeldJob
from pilothouse.sdk.scoring import ScoringClient
from pilothouse.sdk.worker_errors import BpmnError, JobFailedError, JobLaterError, JobLostError
from pilothouse.sdk.workers import Pace, Worker

__all__ = [
    "ApiError",
    "ApiUnreachableError",
    "BpmnError",
    "Client",
    "HeldJob",
    "JobFailedError",
    "JobLaterError",
    "JobLostError",
    "Pace",
    "ScoringClient",
    "Worker",
]
