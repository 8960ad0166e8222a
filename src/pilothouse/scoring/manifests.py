"""Manifests: reading ``pilothouse.yaml`` of a model folder, and writing a schema into it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pilothouse.domain.plain import from_plain, to_plain
from pilothouse.domain.schemas import Column, OnViolation, Schema
from pilothouse.domain.snapshots import MANIFEST_NAME, Manifest
from pilothouse.scoring.documents import MAXIMUM_BYTES, read_document, write_document
from pilothouse.scoring.folder_errors import ManifestInvalidError
from pilothouse.scoring.folders import small_file

if TYPE_CHECKING:
    from pathlib import Path


def read_manifest(folder: Path) -> Manifest:
    """
    Read and check the manifest of a model folder.

    Raises
    ------
    FolderRefusedError
        When there is none, or it is not a plain file.
    ManifestInvalidError
        When it cannot be read safely.
    DocumentError
        When a field is missing, unknown or wrong; other errors of the domain say so for names and schemas.
    """
    manifest = from_plain(
        Manifest, read_document(small_file(folder, MANIFEST_NAME, limit=MAXIMUM_BYTES))
    )
    if manifest.outputs.on_violation is not OnViolation.REJECT:
        raise ManifestInvalidError(
            line=0,
            problem="outputs.on_violation: a model's answers are always checked strictly; leave it out",
        )
    return manifest


def write_schema(
    manifest: Path, *, inputs: Schema | None = None, outputs: Schema | None = None
) -> None:
    """
    Write schemas into a manifest file; its other fields stay, its comments are lost.

    The file is replaced in one step, so a crash leaves the old one or the new one.

    Parameters
    ----------
    manifest
        The path of ``pilothouse.yaml``.
    inputs, outputs
        What to write; None leaves what is there.
    """
    document = read_document(small_file(manifest.parent, manifest.name, limit=MAXIMUM_BYTES))
    for name, schema in (("inputs", inputs), ("outputs", outputs)):
        if schema is not None:
            document[name] = _written(schema)
    temporary = manifest.with_name(manifest.name + ".new")
    temporary.write_text(write_document(document), "utf-8")
    temporary.replace(manifest)


def _written(schema: Schema) -> dict[str, Any]:
    """Write a schema without what is at its default, so that people can read it."""
    written: dict[str, Any] = {"columns": [_written_column(c) for c in schema.columns]}
    if schema.on_violation is not OnViolation.REJECT:
        written["on_violation"] = schema.on_violation.value
    return written


def _written_column(column: Column) -> dict[str, Any]:
    return {
        f.name: to_plain(getattr(column, f.name))
        for f in fields(Column)
        if getattr(column, f.name) != f.default
    }
