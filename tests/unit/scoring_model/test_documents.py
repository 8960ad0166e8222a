"""YAML from strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.schemas import Column, ColumnRole, DataType, Schema
from pilothouse.scoring.documents import MAXIMUM_BYTES, read_document, write_document
from pilothouse.scoring.folder_errors import FolderRefusedError, ManifestInvalidError
from pilothouse.scoring.manifests import read_manifest, write_schema
from tests.models.build import base_manifest, write_folder

if TYPE_CHECKING:
    from pathlib import Path

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
    | st.sampled_from(["1e5", "no", "~", "", "010", ".5", "1:30", "2024-01-01", "null"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcno1~", max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abcno1", min_size=1, max_size=4), JSON, max_size=4))
def test_what_is_written_reads_back_the_same(document: dict[str, object]) -> None:
    assert read_document(write_document(document).encode()) == document


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (b"a: &x 1\nb: *x\n", 1, "anchors and aliases"),
        (b"a: 1\nb: *x\n", 2, "alias"),
        (b"a: 1\na: 2\n", 2, "stands twice"),
        (b"a: !!python/object/apply:os.system [ls]\n", 1, "tag"),
        (b"a: !!binary aGk=\n", 1, "tag"),
        (b"--- \na: 1\n---\nb: 2\n", 3, "second document"),
        (b"? [a]\n: 1\n", 1, "key must be text"),
        (b"- 1\n", 1, "must be a mapping"),
        (b"", 1, "must be a mapping"),
        (b"a: [1\n", 2, "expected"),
        (b"a: '\xff'\n", 0, "UTF-8"),
        (b"a: " + b"[" * 40 + b"]" * 40, 1, "deeper than"),
        (b"a: " + b"x" * MAXIMUM_BYTES, 0, "larger than"),
    ],
)
def test_a_document_with_more_than_plain_values_is_refused(
    text: bytes, line: int, words: str
) -> None:
    with pytest.raises(ManifestInvalidError) as caught:
        read_document(text)

    assert caught.value.line == line
    assert words in caught.value.problem


def test_plain_words_are_never_taken_for_booleans_dates_or_octals() -> None:
    read = read_document(b"countries: [no, yes, on]\nday: 2024-01-05\ncode: 010\ntime: 1:30\n")

    assert read == {
        "countries": ["no", "yes", "on"],
        "day": "2024-01-05",
        "code": "010",
        "time": "1:30",
    }


def test_a_schema_is_written_into_a_manifest_and_the_rest_stays(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path, base_manifest("tiny", "onnx", description="of two columns"), [{}]
    )
    path = folder / "pilothouse.yaml"
    inputs = Schema(
        columns=(
            Column(name="id", type=DataType.STRING, role=ColumnRole.IDENTIFIER),
            Column(name="state", type=DataType.STRING, nullable=True, categories=("no", "1e5")),
        )
    )

    write_schema(path, inputs=inputs)

    manifest = read_manifest(folder)
    assert manifest.inputs == inputs
    assert (manifest.description, len(manifest.outputs.columns)) == ("of two columns", 2)
    assert [p.name for p in tmp_path.glob("*.new")] == []


def test_a_manifest_that_is_missing_or_a_link_or_a_pipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderRefusedError):
        read_manifest(tmp_path)
    (tmp_path / "pilothouse.yaml").symlink_to("/etc/passwd")
    with pytest.raises(FolderRefusedError):
        read_manifest(tmp_path)
    (tmp_path / "pilothouse.yaml").unlink()
    (tmp_path / "pilothouse.yaml").mkdir()
    with pytest.raises(FolderRefusedError):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pilothouse": 2}, "document-invalid"),
        ({"pilothouse": True}, "document-invalid"),
        ({"name": "../x"}, "name-invalid"),
        ({"unknown": 1}, "document-invalid"),
        ({"golden": "../golden.jsonl"}, "path-invalid"),
        ({"files": {"model": "/etc/passwd"}}, "path-invalid"),
        ({"files": {}}, "document-invalid"),
        ({"inputs": {"columns": []}}, "schema-invalid"),
        ({"entry_points": {"score": "os.system"}}, "document-invalid"),
        (
            {"outputs": {"columns": [{"name": "s", "type": "number"}], "on_violation": "flag"}},
            "manifest-invalid",
        ),
    ],
)
def test_a_hostile_or_broken_manifest_is_refused_by_its_code(
    changes: dict[str, object], code: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path, base_manifest("tiny", "onnx", **changes), [{}])

    with pytest.raises(InvalidError) as caught:
        read_manifest(folder)

    assert caught.value.code == code
