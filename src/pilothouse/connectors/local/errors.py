"""What the local connector refuses."""

from __future__ import annotations

from pilothouse.domain.errors import InvalidError, RefusedError


class AddressInvalidError(InvalidError):
    """A local runtime's address is not one that a process can listen on."""

    code = "address-invalid"

    def __init__(self, *, runtime: str, address: str) -> None:
        self.runtime, self.address = runtime, address
        super().__init__(
            f"Runtime {runtime} has the address {address!r}; a local runtime needs host:port with a port from 1 to "
            "65535, as in 127.0.0.1:8701. Register it again with such an address."
        )


class LogLinesError(InvalidError):
    """More or fewer lines of a log are asked for than one answer can carry."""

    code = "log-lines"

    def __init__(self, *, lines: int) -> None:
        self.lines = lines
        super().__init__(f"{lines} lines of a log cannot be given. Ask for 1 to 10,000.")


class EntryRefusedError(RefusedError):
    """An entry answers, and does not take what it is sent."""

    code = "entry-refused"

    def __init__(self, *, runtime: str, status: int, answer: str) -> None:
        self.runtime, self.status, self.answer = runtime, status, answer
        super().__init__(
            f"The entry of runtime {runtime} refuses ({status}): {answer} Bring both sides to neighbouring "
            "releases; if its home was restored or copied, withdraw the runtime and order it again."
        )
