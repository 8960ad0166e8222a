"""`pilothouse check` and `pilothouse infer-schema`: on the laptop, without a server."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.connection import TokenMissingError, connect, read_settings
from pilothouse.cli.folders import model_folder
from pilothouse.cli.output import Json, err, print_one, print_rows
from pilothouse.domain.policies import TRUSTED_SKOPS_TYPES, ModelPolicy
from pilothouse.domain.snapshots import MANIFEST_NAME, Manifest
from pilothouse.scoring.check import CheckSettings, check_folder
from pilothouse.scoring.environments import Environments
from pilothouse.scoring.inference import InferenceHints, infer_schema
from pilothouse.scoring.manifests import read_manifest, write_schema
from pilothouse.scoring.tables.sample import read_sample
from pilothouse.sdk import ApiUnreachableError


def check(
    folder: Path,
    python_source: Annotated[
        bool, typer.Option("--python-source", help="Check as for a group that is granted it.")
    ] = False,
    skops_type: Annotated[
        list[str] | None, typer.Option(help="Check as for a group that is granted this type.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say of a model folder (or one packed as .tar.gz or .zip) exactly what the platform would say, by doing what it would do."""
    settings = read_settings()
    policy = ModelPolicy(
        python_source=python_source,
        skops_types=TRUSTED_SKOPS_TYPES | frozenset(skops_type or ()),
    )
    with (
        model_folder(folder) as opened,
        tempfile.TemporaryDirectory(prefix="pilothouse-check-") as scratch,
    ):
        report = check_folder(
            opened,
            environments=Environments(settings.home / "environments"),
            scratch=Path(scratch),
            settings=CheckSettings(policy=policy, datasets=_datasets(read_manifest(opened))),
            progress=lambda line: err.print(line, markup=False),
        )
    if as_json:
        print_one(report, as_json=True)
        return
    manifest = report.content.manifest
    print_one(
        {
            "model": manifest.name,
            "format": manifest.format,
            "digest": report.digest,
            "files": len(report.content.files),
            "inputs": len(manifest.inputs.columns),
            "outputs": len(manifest.outputs.columns),
            "isolation": report.isolation,
            "python source": report.python_source,
        },
        as_json=False,
    )
    print_rows(
        report.findings, ("severity", "code", "message"), as_json=False, empty="No findings."
    )


def _datasets(manifest: Manifest) -> dict[str, str] | None:
    """Give the digests of the registered datasets, where the manifest names one and a server can be asked."""
    if manifest.reference is None and manifest.training is None:
        return {}
    try:
        with connect() as client:
            return {dataset.full_name: dataset.sha256 for dataset in client.datasets.list()}
    except (TokenMissingError, ApiUnreachableError) as nobody:
        err.print(f"The named datasets are not looked up: {nobody.message}", markup=False)
        return None  # the report then says that the digest may differ from the platform's


def infer(
    folder: Path,
    sample: Annotated[Path, typer.Option(help="A Parquet, CSV or JSON lines file.")],
    categorical: Annotated[
        list[str] | None, typer.Option(help="A column of codes, whose values are categories.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Infer the input schema from a sample and write it into the folder's manifest, for a person to correct."""
    columns = read_sample(sample)
    schema = infer_schema(columns, hints=InferenceHints(categorical=tuple(categorical or ())))
    write_schema(folder / MANIFEST_NAME, inputs=schema)
    print_rows(
        schema.columns,
        ("name", "type", "nullable", "minimum", "maximum", "categories", "role"),
        as_json=as_json,
    )
