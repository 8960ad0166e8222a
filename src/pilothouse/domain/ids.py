"""Ids: a prefix that names the noun, and a UUIDv7 (RFC 9562) in Crockford's base32; sortable by creation."""

from __future__ import annotations

from datetime import datetime
from typing import NewType

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
"""Two digits at a time: an id is made for every row."""

PersonId = NewType("PersonId", str)
TokenId = NewType("TokenId", str)
ModelId = NewType("ModelId", str)
SnapshotId = NewType("SnapshotId", str)
DatasetId = NewType("DatasetId", str)
RuntimeId = NewType("RuntimeId", str)
LocationId = NewType("LocationId", str)
DeploymentId = NewType("DeploymentId", str)
JobId = NewType("JobId", str)
EvaluationId = NewType("EvaluationId", str)
DefinitionId = NewType("DefinitionId", str)
RunId = NewType("RunId", str)
TaskId = NewType("TaskId", str)

GroupName = NewType("GroupName", str)
ServiceTag = NewType("ServiceTag", str)
StageName = NewType("StageName", str)


def sortable_id(prefix: str, *, at: datetime, entropy: bytes) -> str:
    """
    Make an id such as ``dep_01JC2Q…``.

    Parameters
    ----------
    prefix
        Two to four lower-case letters that name the noun.
    at
        The moment of creation, aware.
    entropy
        Ten random bytes; 74 bits of them are used.

    Returns
    -------
    str
        The prefix, an underscore and 26 characters; ids of one prefix sort by creation to the millisecond.

    References
    ----------
    .. [1] RFC 9562, section 5.7, "UUID Version 7".

    Examples
    --------
    >>> from datetime import UTC
    >>> sortable_id("dep", at=datetime(2026, 1, 5, 12, tzinfo=UTC), entropy=bytes(10))
    'dep_01KE70EHG0E008000000000000'
    """
    milliseconds = int(at.timestamp() * 1000)
    rand_a = int.from_bytes(entropy[:2]) & 0xFFF
    rand_b = int.from_bytes(entropy[2:10]) & ((1 << 62) - 1)
    number = (milliseconds << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b
    digits = "".join([PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
    return f"{prefix}_{digits}"
