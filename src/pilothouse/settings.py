"""Settings, from the environment (``PILOTHOUSE_…``) and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 2**20


class Settings(BaseSettings):
    """
    What a control plane is told.

    Each field is read from the environment variable of its name in capitals with the prefix
    ``PILOTHOUSE_``; a value that cannot be used stops the start with the variable's name.
    """

    model_config = SettingsConfigDict(env_prefix="PILOTHOUSE_", extra="ignore", frozen=True)

    home: Path = Field(
        default=Path("~/.pilothouse"),
        description="Folder of everything that is kept on this host.",
    )
    database_url: str = Field(
        default="",
        description="Database; empty for SQLite in the home folder. PostgreSQL: `postgresql://user@host/name`.",
    )
    artifacts_url: str = Field(
        default="",
        description="Artefact store; empty for a folder in the home folder. Or `s3://bucket/prefix`.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the API listens on.")
    port: int = Field(
        default=8100, ge=0, le=65535, description="Port of the API; 0 for any free one."
    )
    body_limit_bytes: int = Field(
        default=8 * MEBIBYTE, ge=1024, description="Largest body of a call that is not an upload."
    )
    body_timeout_s: float = Field(
        default=30.0, gt=0, description="Longest pause within a body before the call is ended."
    )
    artifact_limit_bytes: int = Field(
        default=4096 * MEBIBYTE, ge=1024, description="Largest file that may be uploaded."
    )
    poll_s: float = Field(
        default=0.5, gt=0, le=60, description="How often work is looked for, in seconds."
    )
    runtime_variables: str = Field(
        default="",
        description="Names of environment variables, separated by commas, that scoring processes of this host get "
        "beside the allow-list, such as `AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY` for reading the artefact store.",
    )
    prediction_log_url: str = Field(
        default="",
        description="Where scoring processes write prediction logs: empty for the folder `log` in the home folder, an "
        "absolute folder, a URL such as `s3://bucket/log`, or `off`.",
    )
    prediction_log_hash_key: str = Field(
        default="",
        description="Reference to the secret that sensitive values are hashed with, `file:/path` or `env:NAME`, as a "
        "scoring process reads it; needed once a service asks for hashes.",
    )
    results_location: str = Field(
        default="results",
        description="Location that life cycles write the output of their score jobs to.",
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @property
    def database(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{self.home / 'pilothouse.db'}"

    @property
    def artifacts(self) -> str:
        """The artefact store's address."""
        return self.artifacts_url or (self.home / "artifacts").as_uri()

    @property
    def prediction_log(self) -> str | None:
        """Where prediction logs go, None for nowhere."""
        if self.prediction_log_url == "off":
            return None
        return self.prediction_log_url or str(self.home / "log")

    @property
    def shown_database(self) -> str:
        """The database's address without a password, for people."""
        return re.sub(r":[^:@/]+@", ":***@", self.database)
