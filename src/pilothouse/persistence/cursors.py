"""Cursors: opaque texts that say where a page ended."""

from __future__ import annotations

import base64
import binascii
import json

from pilothouse.domain.errors import CursorInvalidError


def write_cursor(*, noun: str, newest_first: bool, key: str) -> str:
    """
    Give the cursor that goes on after `key`.

    Examples
    --------
    >>> write_cursor(noun="stage", newest_first=False, key="DEV")
    'WyJzdGFnZSIsZmFsc2UsIkRFViJd'
    """
    plain = json.dumps([noun, newest_first, key], separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(cursor: str, *, noun: str, newest_first: bool) -> str:
    """
    Give the key that a page ended with.

    Raises
    ------
    CursorInvalidError
        When the text is not a cursor of this list in this order.

    Examples
    --------
    >>> read_cursor("WyJzdGFnZSIsZmFsc2UsIkRFViJd", noun="stage", newest_first=False)
    'DEV'
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        plain = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise CursorInvalidError(cursor=cursor) from None
    if not isinstance(plain, list) or plain[:2] != [noun, newest_first] or len(plain) != 3:
        raise CursorInvalidError(cursor=cursor)
    if not isinstance(plain[2], str) or "\0" in plain[2]:
        raise CursorInvalidError(cursor=cursor)
    return plain[2]
