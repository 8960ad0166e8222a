"""In which order files that are uploaded together can be taken: decision files after those that they import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.dmn import imports_of, namespace_of
from pilothouse.domain.errors import InvalidError
from pilothouse.lifecycle.files import is_decision_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ImportCircleError(InvalidError):
    """Files that are uploaded together import one another in a circle."""

    code = "imports-in-a-circle"

    def __init__(self, *, files: tuple[str, ...]) -> None:
        self.files = files
        super().__init__(
            f"None of {', '.join(files)} can be uploaded before the others: they import one another in a circle, or "
            "wait for one that does. Take one import of the circle out."
        )


class FileUnreadableError(InvalidError):
    """One of several files is no XML, or no DMN that is read."""

    code = "file-unreadable"

    def __init__(self, *, file: str, problem: str) -> None:
        self.file, self.problem = file, problem
        super().__init__(f"{file}: {problem}")


def upload_order(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """
    Give the names of files in the order in which they can be uploaded: as given, as far as imports allow.

    Decision files come before life cycles. An import of what is not among them is the server's to find.

    Raises
    ------
    FileUnreadableError
        When one is no XML, or a decision file that is not read.
    ImportCircleError
        When decision files import one another in a circle.
    """
    namespaces: dict[str, str] = {}
    imports: dict[str, tuple[str, ...]] = {}
    for name, xml in files.items():
        try:
            if is_decision_file(xml):
                namespaces[name], imports[name] = namespace_of(xml), imports_of(xml)
        except InvalidError as error:
            raise FileUnreadableError(file=name, problem=error.message) from None
    others = (name for name in files if name not in namespaces)
    return (*_after_imports(namespaces, imports), *others)


def _after_imports(
    namespaces: Mapping[str, str], imports: Mapping[str, Iterable[str]]
) -> tuple[str, ...]:
    waiting = {
        name: {n for n, space in namespaces.items() if space in imports[name] and n != name}
        for name in namespaces
    }
    ordered: list[str] = []
    while waiting:
        ready = next((name for name, needs in waiting.items() if needs <= {*ordered}), None)
        if ready is None:
            raise ImportCircleError(files=tuple(waiting))
        ordered.append(ready)
        del waiting[ready]
    return tuple(ordered)
