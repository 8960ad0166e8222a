"""Lines of a file, with a bound on what one line may hold in memory."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAXIMUM_LINE_BYTES = 4 * 2**20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def bounded_lines(
    stream: IO[bytes], *, maximum: int = MAXIMUM_LINE_BYTES
) -> Iterator[bytes | None]:
    r"""
    Give a file's lines without their ends; None stands for a line that is longer than `maximum` bytes.

    Examples
    --------
    >>> import io
    >>> list(bounded_lines(io.BytesIO(b"ab\r\nlonger than that\nc"), maximum=4))
    [b'ab', None, b'c']
    """
    first = True
    while line := stream.readline(maximum + 2):
        if first:
            line, first = line.removeprefix(BYTE_ORDER_MARK), False
        content = line.removesuffix(b"\n").removesuffix(b"\r")
        if len(content) <= maximum:
            yield content
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(2**20)
        yield None
