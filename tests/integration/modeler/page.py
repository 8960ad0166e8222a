"""A page that has bpmn-js, as the tests speak to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from playwright.sync_api import Page

CAMUNDA_7 = b"http://camunda.org/schema/1.0/bpmn"


class Modeler:
    """Camunda Modeler without its frame: opens, saves, applies templates, takes pictures."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def open(self, xml: bytes) -> tuple[list[str], list[str]]:
        """Open a file; give the warnings and the ids of all that is drawn."""
        kind = "platform" if CAMUNDA_7 in xml else "cloud"
        found = self._call("open", xml.decode(), kind)
        return found["warnings"], found["drawn"]

    def save(self) -> bytes:
        """Give the file as it would be saved."""
        return str(self._call("save")).encode()

    def picture(self, path: Path) -> None:
        """Take a picture of the whole drawing, in its own size."""
        box = self._call("box")
        size = {"width": int(box["width"]) + 80, "height": int(box["height"]) + 80}
        self._page.set_viewport_size(size)  # type: ignore[arg-type]
        self._page.evaluate("pilothouse.fit()")
        self._page.screenshot(path=path)

    def apply(
        self, xml: bytes, template: Mapping[str, object], *, to: str, fields: Mapping[str, object]
    ) -> bytes:
        """Apply a template to an element (the process where none is named), fields filled in; give the file."""
        done = self._call("apply", xml.decode(), to, template, fields)
        assert done["warnings"] == []
        return str(done["xml"]).encode()

    def problems_of(self, templates: Sequence[Mapping[str, object]]) -> list[str]:
        """Say what Camunda's own schema has against templates."""
        return list(self._call("validate", templates)["problems"])

    def _call(self, name: str, *given: object) -> Any:  # noqa: ANN401  whatever the page answers
        return self._page.evaluate(f"given => pilothouse.{name}(...given)", list(given))
