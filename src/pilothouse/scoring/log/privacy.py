"""What of a record may stand in which table, by the roles of its schema."""

from __future__ import annotations

import hmac
import os
import stat
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.prediction_logs import SensitiveLogging
from pilothouse.domain.schemas import ColumnRole
from pilothouse.domain.secrets import (
    SecretExposedError,
    SecretMissingError,
    SecretReferenceError,
    parse_reference,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.domain.schemas import Column, Scalar, Schema

KEY_BYTES_LEAST, KEY_BYTES_MOST = 16, 64 * 1024
HASHED = "hmac:"
HASH_DIGITS = 32


class HashKeyMissingError(InvalidError):
    """A service wants sensitive values hashed, and the log has no key."""

    code = "hash-key-missing"

    def __init__(self) -> None:
        super().__init__(
            "A service asks for sensitive values as hashes, and the prediction log has no key for them. Give the "
            "reference of one (hash_key), or let the service leave them out; rows wait on the disk until then."
        )


class Place(Enum):
    """Where a column's values go."""

    OPEN = auto()
    RESTRICTED = auto()
    NOWHERE = auto()


@dataclass(frozen=True, slots=True)
class Treatment:
    """What happens to one column: where its values go, and whether they are hashed."""

    name: str
    place: Place
    hashed: bool


def treatments(schema: Schema, sensitive: SensitiveLogging) -> Mapping[str, Treatment]:
    """
    Say what happens to each column of a schema.

    Sensitive columns are left out or hashed, whatever else they are; protected ones go to the restricted table.
    """
    return {c.name: _treatment(c, sensitive) for c in schema.columns}


def _treatment(column: Column, sensitive: SensitiveLogging) -> Treatment:
    if column.sensitive and sensitive is SensitiveLogging.OMIT:
        return Treatment(column.name, Place.NOWHERE, hashed=False)
    place = Place.RESTRICTED if column.protected else Place.OPEN
    return Treatment(column.name, place, hashed=column.sensitive)


def key_column(schema: Schema) -> Column | None:
    """Give the column of the business key, the first identifier, or None."""
    return next((c for c in schema.columns if c.role is ColumnRole.IDENTIFIER), None)


class Hasher:
    """
    Hashes values with a key (HMAC-SHA-256, the first 128 bits).

    Parameters
    ----------
    key
        At least 16 bytes; None where there is none, and then hashing is refused.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = key

    def one(self, value: Scalar) -> str | None:
        """
        Give the hash of a value; a null stays one.

        Raises
        ------
        HashKeyMissingError
            When there is no key.

        Examples
        --------
        >>> hasher = Hasher(b"sixteen bytes ok")
        >>> hasher.one("4711") == hasher.one("4711") != hasher.one("4712")
        True
        """
        if self._key is None:
            raise HashKeyMissingError
        if value is None:
            return None
        found = hmac.digest(self._key, msgspec.json.encode(value), "sha256").hex()
        return HASHED + found[:HASH_DIGITS]

    def column(self, values: Sequence[Scalar]) -> list[str | None]:
        """Give the hashes of a column."""
        return [self.one(value) for value in values]


def hash_key(reference: str, environment: Mapping[str, str]) -> bytes | None:
    """
    Read the key that a reference names; None where there is no reference.

    Raises
    ------
    SecretReferenceError, SecretMissingError, SecretExposedError
        When the reference, or what it names, cannot be used.
    """
    if not reference:
        return None
    found = parse_reference(reference)
    match found.scheme:
        case "env":
            key = environment.get(found.name, "").encode()
        case "file":
            key = _private_file(found.name, reference)
        case _:
            raise SecretReferenceError(scheme=found.scheme)
    if len(key) < KEY_BYTES_LEAST:
        raise SecretMissingError(
            reference=reference, problem=f"it has fewer than {KEY_BYTES_LEAST} characters"
        )
    return key


def _private_file(name: str, reference: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise SecretExposedError(reference=reference, problem=f"its mode is {mode:04o}")
            return file.read(KEY_BYTES_MOST).strip()
    except OSError as problem:
        raise SecretMissingError(
            reference=reference, problem=problem.strerror or "it cannot be opened"
        ) from None
