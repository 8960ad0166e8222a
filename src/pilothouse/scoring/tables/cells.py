"""Cells of CSV: text, read as the schema says. Standard library only."""

from __future__ import annotations

import codecs

from pilothouse.domain.contracts import DECIMAL_INTEGER, DECIMAL_NUMBER
from pilothouse.domain.schemas import DataType

# Stands for a byte that is no UTF-8: a code point that text may never hold (Unicode 23.7, noncharacters).
NOT_TEXT = "\ufdd0"
codecs.register_error(
    "pilothouse-mark",
    lambda e: (NOT_TEXT * (e.end - e.start), e.end),  # type: ignore[attr-defined]
)


def cell(text: str, kind: DataType) -> object:
    """
    Read one cell; what is not of its kind stays as it stands.

    Examples
    --------
    >>> cell("2.50", DataType.NUMBER), cell("2.50", DataType.INTEGER), cell("True", DataType.BOOLEAN)
    (2.5, '2.50', True)
    """
    if NOT_TEXT in text:
        return text.encode()  # bytes are of no kind, so the record is refused
    match kind:
        case DataType.NUMBER:
            return float(text) if DECIMAL_NUMBER.match(text) else text
        case DataType.INTEGER:
            return int(text) if DECIMAL_INTEGER.match(text) else text
        case DataType.BOOLEAN:
            return {"true": True, "false": False}.get(text.lower(), text)
        case DataType.STRING | DataType.TIMESTAMP:
            return text
