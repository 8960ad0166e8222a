"""Records kept apart: one JSON line each, with its number, its causes, and itself without sensitive values."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pilothouse.domain.contracts import Violation
    from pilothouse.domain.schemas import Schema
    from pilothouse.scoring.tables.blocks import Unreadable

HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One reason why a record was kept apart; `column` is None where it is the whole record's."""

    code: str
    column: str | None
    message: str


def violation_causes(violations: Sequence[Violation]) -> tuple[Cause, ...]:
    """Give a record's violations of its schema as causes."""
    return tuple(Cause(code=v.code.value, column=v.column, message=v.message) for v in violations)


class RecordLog:
    """
    A file of records with their causes: ``_rejected.jsonl``, ``_flagged.jsonl``.

    Parameters
    ----------
    path
        The file to write; one that is there is replaced.
    schema
        The input schema, which says whose values must not be shown.
    keep_empty
        Whether the file stays when nothing was kept apart.
    """

    def __init__(self, path: Path, *, schema: Schema, keep_empty: bool = True) -> None:
        self.name, self.rows = path.name, 0
        self._path, self._keep_empty = path, keep_empty
        self._sensitive = frozenset(c.name for c in schema.columns if c.sensitive)
        self._file: IO[str] = path.open("w", encoding="utf-8")

    @property
    def discreet(self) -> bool:
        """Whether some values must not be shown, so that no words of unknown origin may be."""
        return bool(self._sensitive)

    def add(self, number: int, causes: Sequence[Cause], record: Mapping[str, object]) -> None:
        """Keep a record that was read."""
        self._write(number, causes, {n: self._shown(n, v) for n, v in record.items()})

    def add_unreadable(self, unreadable: Unreadable) -> None:
        """Keep a record that could not be read; its text may hold anything, so it is hidden if anything is."""
        message, text = unreadable.message, unreadable.text
        cause = Cause(code=unreadable.code.value, column=None, message=message)
        self._write(
            unreadable.number, (cause,), HIDDEN if self.discreet and text is not None else text
        )

    def _shown(self, name: str, value: object) -> object:
        if name in self._sensitive and value is not None:
            return HIDDEN
        if value is None or isinstance(value, (str, int)):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        return repr(value)

    def _write(self, number: int, causes: Sequence[Cause], record: object) -> None:
        told = [{"code": c.code, "column": c.column, "message": c.message} for c in causes]
        line = {"row": number, "causes": told, "record": record}
        json.dump(line, self._file, ensure_ascii=False, allow_nan=False)
        self._file.write("\n")
        self.rows += 1

    @property
    def kept(self) -> bool:
        """Whether the file stays."""
        return self._keep_empty or self.rows > 0

    def close(self) -> None:
        """Complete the file."""
        self._file.close()
        if not self.kept:
            self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
