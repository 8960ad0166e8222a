"""
Every error that Pilothouse raises on purpose.

::

    PilothouseError
    ├── NotFoundError        the thing named does not exist, or the caller may not know of it
    ├── RefusedError         the order is well formed and breaks a rule, or the thing has moved on
    │   └── ConflictError    somebody else changed it first: read it again and retry
    ├── InvalidError         the input is wrong and will stay wrong
    ├── DeniedError          the caller is known and may not do this
    ├── NotSignedInError     the caller is not known
    ├── UnavailableError     it may work later; ``retry_after_s`` says when to try
    └── NotSupportedError    this runtime, format or build lacks the ability

Each class has a public, stable ``code``. A message says what is wrong, with which thing, and what to do
next. Errors carry their facts as fields; they know nothing of HTTP or exit codes.
"""

from __future__ import annotations

from typing import ClassVar

LISTED = {
    "assignment": "pilothouse snapshots services MODEL@NUMBER",
    "decision": "pilothouse lifecycles list",
    "definition": "pilothouse lifecycles list",
    "grant": "pilothouse people roles NAME",
    "person": "pilothouse people list",
    "route": "pilothouse services route TAG STAGE",
}
"""The commands that list nouns whose plural is not theirs."""


class PilothouseError(Exception):
    """The root of every deliberate error."""

    code: ClassVar[str] = "unexpected"

    @property
    def message(self) -> str:
        """The whole sentence that a person reads."""
        return str(self.args[0]) if self.args else self.code

    @property
    def fields(self) -> dict[str, object]:
        """The public facts of the error, by name."""
        return {k: v for k, v in vars(self).items() if not k.startswith("_")}


class NotFoundError(PilothouseError):
    """The thing named does not exist, or the caller may not know of it."""

    code = "not-found"

    def __init__(self, *, noun: str, name: str, cure: str = "") -> None:
        self.noun, self.name = noun, name
        cure = cure or f"List what there is with `{LISTED.get(noun, f'pilothouse {noun}s list')}`."
        super().__init__(f"There is no {noun} {name!r} that you can see. {cure}")


class RefusedError(PilothouseError):
    """The order breaks a rule of the domain, or comes too late."""

    code = "refused"


class ConflictError(RefusedError):
    """Somebody changed the thing between the reading and the writing."""

    code = "conflict"

    def __init__(self, *, noun: str, name: str, expected: int, found: int | None) -> None:
        self.noun, self.name, self.expected, self.found = noun, name, expected, found
        now = "it is gone" if found is None else f"it is now at version {found}"
        super().__init__(
            f"The {noun} {name} was changed by somebody else: you hold version {expected}, {now}. "
            "Read it again and repeat the change."
        )


class AlreadyExistsError(RefusedError):
    """A thing of this name exists and is not the same."""

    code = "already-exists"

    def __init__(self, *, noun: str, name: str) -> None:
        self.noun, self.name = noun, name
        super().__init__(f"A {noun} named {name!r} exists already. Choose another name or use it.")


class InvalidError(PilothouseError):
    """The input is wrong and will stay wrong until somebody changes it."""

    code = "invalid"


class CursorInvalidError(InvalidError):
    """A text does not say where a page of this list ended."""

    code = "cursor-invalid"

    def __init__(self, *, cursor: str) -> None:
        self.cursor = cursor[:80]
        super().__init__(
            f"{cursor[:80]!r} is not a cursor of this list. Use the `next` of the page before, with the same "
            "list and order, or leave it out to start anew."
        )


class DeniedError(PilothouseError):
    """The caller is known and may not do this."""

    code = "denied"


class NotSignedInError(PilothouseError):
    """The caller is not known."""

    code = "not-signed-in"


class UnavailableError(PilothouseError):
    """It may work later."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after_s: float = 5.0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class NotSupportedError(PilothouseError):
    """This runtime, format or build lacks the ability."""

    code = "not-supported"


class MissingExtraError(NotSupportedError):
    """A library that only some users need is not installed."""

    code = "missing-extra"

    def __init__(self, *, library: str, extra: str, purpose: str) -> None:
        self.library, self.extra, self.purpose = library, extra, purpose
        super().__init__(
            f"{purpose} needs the library {library}, which is not installed. "
            f"Install it with `pip install 'pilothouse[{extra}]'`."
        )
