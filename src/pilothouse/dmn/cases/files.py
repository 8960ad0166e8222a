"""Files of test cases, by the ends of their names."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING

from pilothouse.dmn.cases.csv_file import read_csv
from pilothouse.dmn.cases.errors import CaseFileError
from pilothouse.dmn.cases.json_file import read_json
from pilothouse.dmn.cases.xml_file import read_xml
from pilothouse.feel import Budget

if TYPE_CHECKING:
    from pilothouse.dmn.cases.case import Case

MAXIMUM_BYTES = 1_000_000
"""The largest file of cases, in bytes."""

_READING_STEPS = 1_000_000


class Format(StrEnum):
    """How cases may be written, by the end of the file's name."""

    JSON = ".json"
    CSV = ".csv"
    XML = ".xml"


def read_cases(data: bytes, *, file: str) -> tuple[Case, ...]:
    r"""
    Read the test cases of a file.

    Parameters
    ----------
    data
        Its bytes, at most 1,000,000; text in UTF-8.
    file
        Its name, which ends in ``.json``, ``.csv`` or ``.xml`` (the kit's format).

    Raises
    ------
    CaseFileError
        When it holds no case, or anything in it cannot be used; it says where and what to do.

    Examples
    --------
    >>> cases = read_cases(b"name,decision,auc,expected\ngood,Gate,0.9,PASS", file="gate.csv")
    >>> cases[0].inputs
    {'auc': Decimal('0.9')}
    """
    check_size(data, file=file)
    budget = Budget(steps=_READING_STEPS)
    match _format(file):
        case Format.JSON:
            cases = read_json(_text(data, file), file=file, budget=budget)
        case Format.CSV:
            cases = read_csv(_text(data, file), file=file, budget=budget)
        case Format.XML:
            cases = read_xml(data, file=file)
    if not cases:
        raise CaseFileError(file=file, line=0, problem="there is no case in it", cure="Add one")
    return cases


def check_size(data: bytes, *, file: str) -> None:
    """
    Refuse a file that is too large.

    Raises
    ------
    CaseFileError
        When it has more than 1,000,000 bytes.
    """
    if len(data) > MAXIMUM_BYTES:
        raise CaseFileError(
            file=file,
            line=0,
            problem=f"it has {len(data)} bytes, and {MAXIMUM_BYTES} are allowed",
            cure="Divide the cases among several files",
        )


def _format(file: str) -> Format:
    end = PurePath(file).suffix.lower()
    if end not in set(Format):
        raise CaseFileError(
            file=file,
            line=0,
            problem=f"its name ends in {end!r}",
            cure=f"Write cases as {', '.join(Format)}",
        )
    return Format(end)


def _text(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseFileError(
            file=file,
            line=data.count(b"\n", 0, error.start) + 1,
            problem="it is not UTF-8",
            cure="Save it as UTF-8",
        ) from error
