"""The gRPC server: its port, its limits, and its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from pilothouse.scoring.grpc.app import GrpcApp
    from pilothouse.scoring.http.messages import HttpLimits


class GrpcServer:
    """
    Serves one app, in the event loop that all of the entry shares.

    Parameters
    ----------
    app
        What answers.
    limits
        What clients may ask; the same as over HTTP where gRPC has the like.
    """

    def __init__(self, app: GrpcApp, *, limits: HttpLimits) -> None:
        self._server = grpc.aio.server(
            options=(
                ("grpc.so_reuseport", 0),  # a second entry on the port must fail, not share it
                ("grpc.max_receive_message_length", limits.body_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_metadata_size", limits.header_bytes),
                ("grpc.absolute_max_metadata_size", limits.header_bytes),
                ("grpc.max_connection_idle_ms", int(limits.idle_timeout_s * 1000)),
            ),
            maximum_concurrent_rpcs=limits.connections,
        )
        self._server.add_generic_rpc_handlers(app.handlers())

    async def listen(self, host: str, port: int) -> int:
        """
        Answer on an address; give the port.

        Raises
        ------
        RuntimeError
            When it cannot be had.
        """
        bound: int = self._server.add_insecure_port(
            f"{f'[{host}]' if ':' in host else host}:{port}"
        )
        await self._server.start()
        return bound

    async def close(self, *, timeout_s: float) -> None:
        """Accept nothing more, let calls under way be answered, then cut off what is late."""
        await asyncio.shield(self._server.stop(timeout_s))
