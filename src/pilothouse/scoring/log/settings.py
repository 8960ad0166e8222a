"""What a prediction log is started with."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.domain.errors import InvalidError
from pilothouse.scoring.log.spool import SpoolLimits

LOG_FOLDER = "log"  # in an entry's home


class LogSettingsError(InvalidError):
    """The settings of a prediction log make no sense."""

    code = "log-settings-invalid"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The settings of the prediction log: {problem}. Correct them in entry.json."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """
    What a prediction log is started with (``log`` in ``entry.json``).

    Attributes
    ----------
    tables
        Where the tables are: an absolute folder or a URL that Delta Lake opens.
    hash_key
        Reference to the secret that sensitive values are hashed with, ``file:/path`` or ``env:NAME``; empty where
        no service asks for hashes.
    spool
        How much of this host's disk may wait for the writer.
    write_s
        How often the writer looks for new rows.
    tidy_s
        How often it joins small files and removes what is older than it may be.
    keep_removed_hours
        How long files that are no longer part of a table stay, for readers that still use them.
    close_s
        How long the writer may take to finish when the entry ends; what is left then waits for the next start.
    """

    tables: str
    hash_key: str = ""
    spool: SpoolLimits = SpoolLimits()  # noqa: RUF009 frozen
    write_s: float = 5.0
    tidy_s: float = 3600.0
    keep_removed_hours: int = 168
    close_s: float = 4.0

    def __post_init__(self) -> None:
        if not self.tables.startswith("/") and "://" not in self.tables:
            raise LogSettingsError(problem="'tables' is neither an absolute folder nor a URL")
        if min(self.write_s, self.tidy_s, self.close_s) <= 0 or self.keep_removed_hours < 0:
            raise LogSettingsError(problem="times are above 0")
