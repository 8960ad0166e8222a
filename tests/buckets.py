"""An S3 server for tests, and an empty bucket in it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

S3_SERVER = """
import sys
from moto.server import main
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, log = free_port(), tmp_path_factory.mktemp("s3") / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-c", S3_SERVER, str(port)],
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"], "HOME": str(log.parent)},
        )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _until_it_answers(endpoint, server, log)
        yield endpoint
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)


def _until_it_answers(endpoint: str, server: subprocess.Popen[bytes], log: Path) -> None:
    with httpx.Client(
        trust_env=False, transport=httpx.HTTPTransport(retries=12), timeout=60
    ) as client:
        try:
            client.get(endpoint + "/moto-api/")
        except httpx.ConnectError:
            pytest.fail(f"the S3 server (exit {server.poll()}) said: {log.read_text()}")


@pytest.fixture
def bucket(s3_endpoint: str) -> dict[str, str]:
    """An empty bucket, as the arguments of `open_store`."""
    httpx.post(f"{s3_endpoint}/moto-api/reset", trust_env=False).raise_for_status()
    httpx.put(f"{s3_endpoint}/artifacts", trust_env=False).raise_for_status()
    return {
        "url": "s3://artifacts/some/prefix",
        "endpoint": s3_endpoint,
        "region": "us-east-1",
        "access_key_id": "testing",
        "secret_access_key": "testing",
    }
