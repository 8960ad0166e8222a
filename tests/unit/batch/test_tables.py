"""Reading and writing tables: what is exact, what is one record's fault, what is the file's."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.domain.jobs import TableFormat
from pilothouse.domain.schemas import Column, DataType, Scalar
from pilothouse.scoring.tables.blocks import (
    Block,
    ColumnUnsupportedError,
    RecordProblem,
    TableUnreadableError,
    Unreadable,
)
from pilothouse.scoring.tables.cells import cell
from pilothouse.scoring.tables.csv import FAST_INTEGER, FAST_NUMBER, _all_match, _cells
from pilothouse.scoring.tables.formats import open_reader, open_writer
from pilothouse.scoring.tables.lines import MAXIMUM_LINE_BYTES, bounded_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

A, B = Column(name="a", type=DataType.INTEGER), Column(name="b", type=DataType.STRING)
N = Column(name="n", type=DataType.NUMBER)


def read(
    content: bytes, form: TableFormat, columns: Sequence[Column], *, rows: int = 1000
) -> list[Block]:
    return list(open_reader(io.BytesIO(content), form).blocks(columns, rows=rows))


def values(blocks: list[Block], name: str) -> list[object]:
    return [value for block in blocks for value in block.columns[name]]


def unreadable(blocks: list[Block]) -> list[Unreadable]:
    return [u for block in blocks for u in block.unreadable]


def parquet(**columns: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufdd0"), max_size=12)
row = st.tuples(
    st.booleans() | st.none(),
    st.integers(-(2**63), 2**63 - 1) | st.none(),
    st.floats(allow_nan=False, allow_infinity=False) | st.none(),
    text | st.none(),
)
KINDS = (DataType.BOOLEAN, DataType.INTEGER, DataType.NUMBER, DataType.STRING)
COLUMNS = tuple(Column(name=f"c {k}", type=k, nullable=True) for k in KINDS)


@pytest.mark.parametrize("form", list(TableFormat))
@settings(deadline=None, max_examples=60)
@given(rows=st.lists(row, max_size=20))
def test_what_is_written_reads_back_exactly(
    form: TableFormat, rows: list[tuple[Scalar, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tables") / "table"
    columns = {c.name: [r[i] for r in rows] for i, c in enumerate(COLUMNS)}
    with open_writer(path, form, [(c.name, c.type) for c in COLUMNS]) as writer:
        writer.write(columns)

    blocks = read(path.read_bytes(), form, COLUMNS)

    assert {c.name: [repr(v) for v in values(blocks, c.name)] for c in COLUMNS} == {
        name: [repr(v) for v in given_] for name, given_ in columns.items()
    }
    assert [n for b in blocks for n in b.numbers] == list(range(1, len(rows) + 1))


numerals = st.from_regex(r"[+-]?[0-9]{0,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)


@pytest.mark.parametrize(
    ("kind", "fast"), [(DataType.NUMBER, FAST_NUMBER), (DataType.INTEGER, FAST_INTEGER)]
)
@settings(deadline=None, max_examples=300)
@given(word=numerals | text)
def test_the_fast_way_reads_a_cell_as_the_careful_way_does(
    kind: DataType, fast: str, word: str
) -> None:
    careful = cell(word, kind)

    assert repr(_cells(pa.array([word]), kind)) == repr([careful])
    if _all_match(pa.array([word]), fast):
        assert not isinstance(careful, str)


@pytest.mark.parametrize("form", list(TableFormat))
def test_blocks_are_no_longer_than_asked_and_rows_keep_their_order(
    form: TableFormat, tmp_path: Path
) -> None:
    with open_writer(tmp_path / "t", form, [("a", DataType.INTEGER)]) as writer:
        writer.write({"a": list(range(2500))})

    blocks = read((tmp_path / "t").read_bytes(), form, [A], rows=1000)

    assert max(len(b.numbers) for b in blocks) == 1000
    assert values(blocks, "a") == list(range(2500))


# CSV


def test_an_empty_cell_is_null_and_a_quoted_one_is_the_empty_text() -> None:
    blocks = read(b'a,b\n1,\n2,""\n', TableFormat.CSV, [B])

    assert values(blocks, "b") == [None, ""]


def test_lines_with_other_cells_are_kept_apart_under_their_own_number() -> None:
    blocks = read(b"a,b\n1,x\n2\n\n3,y\n4,z,9\n5,w\n", TableFormat.CSV, [A, B])

    assert [n for b in blocks for n in b.numbers] == [1, 3, 5]
    assert [(u.number, u.code, u.text) for u in unreadable(blocks)] == [
        (2, RecordProblem.MALFORMED, "2"),
        (4, RecordProblem.MALFORMED, "4,z,9"),
    ]


def test_a_file_of_nothing_but_malformed_lines_reads_as_nothing_but_malformed_lines() -> None:
    blocks = read(b"a,b\n1\n2\n", TableFormat.CSV, [A, B])

    assert sum(b.records for b in blocks) == 2
    assert [u.number for u in unreadable(blocks)] == [1, 2]


def test_bytes_that_are_no_text_cost_their_cell_and_no_more() -> None:
    blocks = read(b"a,b\n1,\xff\xfe\n2,fine \xc3\xbc\n\xff\n", TableFormat.CSV, [A, B])

    assert values(blocks, "a") == [1, 2]
    assert isinstance(values(blocks, "b")[0], bytes)
    assert values(blocks, "b")[1] == "fine ü"
    assert [u.number for u in unreadable(blocks)] == [3]


def test_nul_bytes_are_text_like_any_other() -> None:
    blocks = read(b"a,b\n1,x\x00y\n\x00,z\n", TableFormat.CSV, [A, B])

    assert values(blocks, "b") == ["x\x00y", "z"]
    assert values(blocks, "a") == [1, "\x00"]


@pytest.mark.parametrize("word", ["1_000", " 1", "0x10", "\u0661", "1,5", "nan", "inf", "1e99999"])
def test_what_is_no_decimal_number_stays_text(word: str) -> None:
    blocks = read(f'n\n"{word}"\n2.5\n'.encode(), TableFormat.CSV, [N])

    assert values(blocks, "n") == [word, 2.5]


def test_an_integer_too_long_for_64_bits_is_not_cut() -> None:
    blocks = read(b"a\n9999999999999999999\n", TableFormat.CSV, [A])

    assert values(blocks, "a") == [9999999999999999999]


def test_a_header_alone_is_an_empty_table() -> None:
    assert read(b"a,b\n", TableFormat.CSV, [A, B]) == []
    assert read(b"\xef\xbb\xbfa,b", TableFormat.CSV, [A, B]) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no header"),
        (b"\n\n", "no header"),
        (b"a,b,a\n1,2,3\n", "twice: a"),
        (b'a,b\n1,x\n2,"y\n3,z\n', "never closed"),
        (b'a,b\n1,"' + b"x" * (2 * MAXIMUM_LINE_BYTES + 9), "more than"),
        (b"a,b\n1,x\n" + b"9" * (3 * MAXIMUM_LINE_BYTES) + b",y\n", "more than"),
    ],
)
def test_a_csv_file_broken_as_a_whole_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(TableUnreadableError) as caught:
        read(content, TableFormat.CSV, [A, B])

    assert words in caught.value.problem


def test_endless_malformed_lines_do_not_fill_the_memory() -> None:
    with pytest.raises(TableUnreadableError) as caught:
        read(b"a,b\n" + b"secret\n" * 100_001, TableFormat.CSV, [A, B])

    assert "secret" not in caught.value.message


# JSON lines


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "JSON"),
        (b"[1]", "something else"),
        (b'{"a": NaN, "b": "x"}', "NaN"),
        (b'{"a": 1, "a": 2, "b": "x"}', "twice"),
        (b'{"a": 1, "b": "\xff"}', "decode"),
        (b'{"a": 1, "b": "\\ud800"}', "surrogate"),
        (b'{"a": 1, "b": "x\x00"}', "control character"),
        (b'{"a": ' + b"9" * 5000 + b', "b": "x"}', "digits"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_a_line_that_is_no_strict_json_object_is_kept_apart(line: bytes, words: str) -> None:
    good = b'{"a": 1, "b": "x"}\n'

    blocks = read(good + line + b"\n" + good, TableFormat.JSONL, [A, B])

    assert [n for b in blocks for n in b.numbers] == [1, 3]
    (found,) = unreadable(blocks)
    assert (found.number, found.code) == (2, RecordProblem.MALFORMED)
    assert words in found.message


def test_a_line_longer_than_the_bound_is_passed_over_without_being_held() -> None:
    long = b'{"a": "' + b"x" * (3 * MAXIMUM_LINE_BYTES) + b'"}'

    blocks = read(long + b'\n{"a": 1}\n', TableFormat.JSONL, [A])

    assert values(blocks, "a") == [1]
    (found,) = unreadable(blocks)
    assert (found.code, found.text) == (RecordProblem.TOO_LONG, None)


def test_a_record_that_lacks_a_column_says_which() -> None:
    blocks = read(b'{"a": 1, "b": "x"}\n\n{"a": 2}\n', TableFormat.JSONL, [A, B])

    (found,) = unreadable(blocks)
    assert (found.number, found.code) == (2, RecordProblem.MISSING)
    assert found.message == "the record lacks b"


def test_an_infinite_json_number_is_left_for_the_schema_to_refuse() -> None:
    blocks = read(b'{"n": 1e999}\n', TableFormat.JSONL, [N])

    assert values(blocks, "n") == [math.inf]


@given(st.lists(st.binary(max_size=12).filter(lambda b: b"\n" not in b and b"\r" not in b)))
def test_lines_are_bounded_wherever_they_break(lines: list[bytes]) -> None:
    given_ = b"".join(line + b"\n" for line in [b"first", *lines])

    found = list(bounded_lines(io.BytesIO(given_), maximum=5))

    assert found == [b"first", *(line if len(line) <= 5 else None for line in lines)]


# Parquet


def test_parquet_is_read_by_column_and_typed_by_itself() -> None:
    content = parquet(a=[1, 2], b=["x", None], unused=[b"", b""])

    reader = open_reader(io.BytesIO(content), TableFormat.PARQUET)

    assert (reader.records, reader.type_of("b"), reader.type_of("unused")) == (
        2,
        DataType.STRING,
        None,
    )
    assert [dict(b.columns) for b in reader.blocks([A, B], rows=9)] == [
        {"a": [1, 2], "b": ["x", None]}
    ]


def test_times_become_text_with_every_digit_and_naive_ones_keep_no_zone() -> None:
    moment = datetime(2026, 1, 5, 12, tzinfo=UTC)
    content = parquet(
        zoned=pa.array([moment, None], pa.timestamp("ns", "Europe/Paris")),
        naive=pa.array([moment, None], pa.timestamp("s")),
    )
    columns = [Column(name=n, type=DataType.TIMESTAMP) for n in ("zoned", "naive")]

    blocks = read(content, TableFormat.PARQUET, columns)

    assert values(blocks, "zoned") == ["2026-01-05T12:00:00.000000000Z", None]
    assert values(blocks, "naive") == ["2026-01-05T12:00:00.000", None]


def test_a_column_of_a_foreign_type_is_refused_by_name() -> None:
    with pytest.raises(ColumnUnsupportedError) as caught:
        read(parquet(a=[[1], [2]]), TableFormat.PARQUET, [A])

    assert (caught.value.column, caught.value.found) == ("a", "list<element: int64>")


def test_a_parquet_file_broken_anywhere_is_refused() -> None:
    whole = parquet(a=list(range(5000)), b=[str(i) for i in range(5000)])
    broken = [b"", b"PAR1", b"PAR1" * 4, whole[:-1], whole[: len(whole) // 2], b"a,b\n1,2\n"]
    flipped = bytearray(whole)
    flipped[-8:-4] = b"\xff\xff\xff\x7f"  # a footer of 2 GB

    for content in (*broken, bytes(flipped)):
        with pytest.raises(TableUnreadableError):
            read(content, TableFormat.PARQUET, [A, B])


def test_a_file_that_says_another_format_is_not_guessed_at() -> None:
    blocks = read(parquet(a=[1]), TableFormat.JSONL, [A])

    assert values(blocks, "a") == []
    assert unreadable(blocks)


def test_a_library_that_is_not_installed_is_named_with_its_extra() -> None:
    program = (
        "import sys, io; sys.modules['pyarrow'] = None\n"
        "from pilothouse.domain.errors import MissingExtraError\n"
        "from pilothouse.domain.jobs import TableFormat\n"
        "from pilothouse.scoring.tables.formats import open_reader\n"
        "open_reader(io.BytesIO(b'{}'), TableFormat.JSONL)\n"
        "try:\n    open_reader(io.BytesIO(b''), TableFormat.PARQUET)\n"
        "except MissingExtraError as e:\n    import json; print(json.dumps(e.fields))\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert json.loads(said) == {
        "library": "pyarrow",
        "extra": "tables",
        "purpose": "Reading Parquet",
    }
