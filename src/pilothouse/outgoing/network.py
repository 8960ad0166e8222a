"""Connections to checked addresses, every wait on which ends by one deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpcore

from pilothouse.outgoing.addresses import check_address

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

WRITTEN_AT_ONCE = 16 * 1024


class Deadline:
    """
    The moment by which a call must be over.

    A limit on each read alone would let a host drip one byte at a time for ever.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._until = time.monotonic() + timeout_s

    def left_s(self) -> float:
        """
        Give the seconds that are left.

        Raises
        ------
        httpcore.ReadTimeout
            When none are.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(f"it took longer than {self._timeout_s:g} s")
        return left

    def for_each_part(self) -> dict[str, float]:
        """Give the limits in the form that the HTTP library asks for."""
        return dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)


class GuardedBackend(httpcore.NetworkBackend):
    """
    Connects to names whose every address may be called.

    The name is looked up here and the connection goes to the address that was checked, so a name that
    changes between the check and the call gains nothing.
    """

    def __init__(
        self,
        *,
        private: bool,
        deadline: Deadline,
        resolver: Callable[[str, int], tuple[str, ...]],
    ) -> None:
        self._private, self._deadline, self._resolver = private, deadline, resolver
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the name's addresses that answers."""
        try:
            addresses = self._resolver(host.strip("[]"), port)
        except OSError as error:
            raise httpcore.ConnectError(f"its name is not known ({error})") from error
        for address in addresses:
            check_address(address, host=host, private=self._private)
        problem = httpcore.ConnectError("its name stands for no address")
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(
                    address, port, timeout=self._deadline.left_s(), socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = httpcore.ConnectError(f"no connection to {address} ({error})")
            else:
                return _Stream(stream, self._deadline)
        raise problem


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, timeout=self._deadline.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITTEN_AT_ONCE):
            part = buffer[start : start + WRITTEN_AT_ONCE]
            self._inner.write(part, timeout=self._deadline.left_s())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left_s = self._deadline.left_s()
        inner = self._inner.start_tls(ssl_context, server_hostname, timeout=left_s)
        return _Stream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 the library's own
        return self._inner.get_extra_info(info)
