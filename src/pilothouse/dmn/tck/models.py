"""The models of the kit, with the files beside them that they import."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.dmn import Decisions, DmnRejectedError, Problem, imports_of, read_leniently
from pilothouse.dmn.cases import MAXIMUM_BYTES
from pilothouse.dmn.document import Document

if TYPE_CHECKING:
    from pathlib import Path

_END = ".dmn"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableModel:
    """
    A model that cannot be read at all.

    Parameters
    ----------
    problems
        Why: what the reader refused; empty where there was nothing that it could read.
    reason
        Why, in words.
    """

    reason: str
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Models:
    """The models that a run met so far, each read once."""

    notes: list[str] = field(default_factory=list)
    _read: dict[Path, Decisions | UnreadableModel] = field(default_factory=dict)

    def of(self, folder: Path, name: str) -> Decisions | UnreadableModel:
        """
        Give the model of a test file.

        Parameters
        ----------
        folder
            Where the test file is.
        name
            The name that it gives; only a file of this folder itself is read.
        """
        path = folder / (name if name.endswith(_END) else name + _END)
        if not name or path.parent != folder or path.name in ("", ".."):
            return UnreadableModel(reason=f"the test file names no model beside it: {name[:80]!r}")
        if path not in self._read:
            self._read[path] = self._model(path)
        return self._read[path]

    def _model(self, path: Path) -> Decisions | UnreadableModel:
        try:
            xml = bytes_of(path)
            imports = self._imports(path) if imports_of(xml) else {}
            return read_leniently(xml, imports=imports)
        except DmnRejectedError as error:
            return UnreadableModel(reason=error.message, problems=error.problems)
        except OSError as error:
            return UnreadableModel(reason=f"the model {path.name} cannot be read: {error}")
        # The edge between the engine and a folder of models: our own fault in one must not hide the others.
        except Exception as error:  # noqa: BLE001
            reason = f"reading the model: unexpected {type(error).__name__}: {error}"
            return UnreadableModel(reason=reason)

    def _imports(self, path: Path) -> dict[str, bytes]:
        """Give the other models of the folder by their namespaces."""
        found: dict[str, bytes] = {}
        for other in sorted(path.parent.glob("*" + _END)):
            if other == path:
                continue
            try:
                xml = bytes_of(other)
                namespace = Document(xml).namespace
            except (DmnRejectedError, OSError) as error:
                self.notes.append(f"{other}: cannot be imported: {error}")
                continue
            if namespace in found:
                self.notes.append(f"{other}: another model beside it has its namespace {namespace}")
            found.setdefault(namespace, xml)
        return found


def bytes_of(path: Path) -> bytes:
    """
    Read a file as far as a reader may look: one byte more than is allowed, so that it is refused.

    Raises
    ------
    OSError
        When it cannot be read, or is a pipe or device, whose reading might never end.
    """
    if not path.is_file():
        raise OSError(f"{path.name} is no file")
    with path.open("rb") as file:
        return file.read(MAXIMUM_BYTES + 1)
