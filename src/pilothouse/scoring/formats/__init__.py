"""The formats: kinds of models, those that come with Pilothouse and those that other packages bring."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pilothouse.domain.plugins import PluginKind, PluginMissingError, plugin
from pilothouse.scoring.formats.contract import COMMON_OPTIONS, rows_per_call, unfit
from pilothouse.scoring.model_errors import PythonSourceRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.domain.policies import ModelPolicy
    from pilothouse.domain.snapshots import Manifest
    from pilothouse.scoring.formats.contract import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFormat:
    """
    An installed format.

    Attributes
    ----------
    format
        An instance of its class.
    target
        Where a child finds the class: ``module:attribute``.
    source
        The top-level package (a folder) or module (a file) that the child must be able to import.
    """

    format: Format
    target: str
    source: Path


def find_format(name: str) -> FoundFormat:
    """
    Give an installed format by the name that manifests use.

    Raises
    ------
    PluginMissingError
        When no installed package brings it.
    """
    point = plugin(PluginKind.FORMAT, name)
    kind = cast("type[Format]", point.load())
    top = point.module.partition(".")[0]
    spec = importlib.util.find_spec(top)
    if spec is None:
        raise PluginMissingError(kind=PluginKind.FORMAT, name=name, known=())
    folders = list(spec.submodule_search_locations or ())
    source = Path(folders[0]) if folders else Path(str(spec.origin))
    return FoundFormat(format=kind(), target=f"{point.module}:{point.attr}", source=source)


def refuse_unfit(format: Format, folder: Path, manifest: Manifest, policy: ModelPolicy) -> None:
    """
    Refuse a model that cannot or must not be loaded, before anything of it is loaded.

    Parameters
    ----------
    format
        The format that the manifest names.
    folder
        The model's files.
    manifest
        What the model says of itself.
    policy
        What the control plane grants.

    Raises
    ------
    ManifestUnfitError
        When a role, option or entry point is missing or not known to the format.
    PythonSourceRefusedError
        When the model brings code and policy does not grant that.
    """
    if format.runs_source and not policy.python_source:
        raise PythonSourceRefusedError(format=manifest.format)
    for role in sorted(format.roles - set(manifest.files)):
        raise unfit(manifest, f"files.{role}", "this format needs a file of this role")
    for part, given, known in (
        ("files", manifest.files, format.roles | format.optional_roles),
        ("options", manifest.options, format.options | COMMON_OPTIONS),
        ("entry_points", manifest.entry_points, format.entry_points),
    ):
        _refuse_unknown(manifest, part, given, known)
    rows_per_call(manifest)
    format.inspect(folder, manifest)


def _refuse_unknown(
    manifest: Manifest, part: str, given: Iterable[str], known: frozenset[str]
) -> None:
    for name in sorted(set(given) - known):
        words = f"known here are {', '.join(sorted(known))}" if known else "this format knows none"
        raise unfit(manifest, f"{part}.{name}", f"not known; {words}")
