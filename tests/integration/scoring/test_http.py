"""HTTP as clients should not speak it, and as proxies do."""

from __future__ import annotations

import json
import re
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from pilothouse.scoring.http.messages import HttpLimits
from tests.entries.documents import TOKEN, one
from tests.entries.running import EntryClient, body, threaded_entry, until
from tests.entries.scorers import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMITS = HttpLimits(
    body_bytes=20_000,
    header_bytes=2_000,
    headers=20,
    header_timeout_s=0.4,
    body_timeout_s=0.4,
    idle_timeout_s=0.6,
    write_timeout_s=0.6,
    connections=8,
)
BODY = json.dumps(body()).encode()
LIVE = b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSE = b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def post(content: bytes = BODY, *headers: bytes) -> bytes:
    lines = [
        b"POST /v2/models/cc-fraud/infer HTTP/1.1",
        b"Host: a",
        b"Authorization: Bearer " + TOKEN.encode(),
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


def with_length(content: bytes = BODY, *headers: bytes) -> bytes:
    return post(content, b"Content-Length: %d" % len(content), *headers)


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


@pytest.fixture(params=[True, False], ids=["inline", "thread"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EntryClient]:
    with threaded_entry(tmp_path, Workshop(inline=request.param), http=LIMITS) as (client, _):
        client.take(one(1))
        yield client


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /v2 HTTP/1.1\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /v2 HTTP/1.1\nHost: a\n\n",
        b"GET /v2 HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"GET v2 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        post(BODY, b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        post(BODY, b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        post(BODY, b"Content-Length: 5", b"Content-Length: 5"),
        post(BODY, b"Content-Length: 5, 5"),
        post(BODY, b"Content-Length: +5"),
        post(BODY, b"Content-Length: -1"),
        post(BODY, b"Content-Length: 0x10"),
        post(BODY, b"Content-Length: 99999999999999999999999"),
        post(BODY, b"Transfer-Encoding: gzip, chunked"),
        post(BODY, b"Transfer-Encoding: xchunked"),
        post(b"zz\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
        post(b"3\r\nabcd\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
        post()
        .replace(b"HTTP/1.1", b"HTTP/1.0")
        .replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n", 1),
        with_length(BODY, b"Authorization: Bearer another"),
    ],
)
def test_malformed_or_ambiguous_requests_get_400_and_the_connection_ends(
    sent: bytes, client: EntryClient
) -> None:
    answer = client.raw(sent + LIVE)

    assert statuses(answer) == [400]
    assert b"connection: close" in answer
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == "http-malformed"
    assert client.ask("GET", "/v2/health/live").status == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /v2 HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (with_length(b" " * 20_001), 413),
        (post(b"", b"Content-Length: 1000000"), 413),
        (
            post(
                b"4000\r\n" + b" " * 0x4000 + b"\r\n4000\r\n" + b" " * 0x4000,
                b"Transfer-Encoding: chunked",
            ),
            413,
        ),
        (b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (b"GET /v2 HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 3000 + b"\r\n\r\n", 431),
        (b"GET /v2 HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 30 + b"\r\n", 431),
        (post(b"", b"Expect: something"), 417),
    ],
)
def test_requests_beyond_a_limit_are_told_which(
    sent: bytes, status: int, client: EntryClient
) -> None:
    answer = client.raw(sent)
    assert statuses(answer) == [status]
    assert client.ask("GET", "/v2/health/live").status == 200


def test_a_head_that_never_ends_is_cut_at_the_limit(client: EntryClient) -> None:
    with socket.create_connection((client.host, client.port), timeout=20) as connection:
        connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: a\r\nX: ")
        until(lambda: client.metric("pilothouse_connections") >= 1)
        for _ in range(20):
            connection.sendall(b"a" * 150)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert statuses(answer) == [431]


@pytest.mark.parametrize("sent", [b"GET /v2 HTTP/1.1\r\nHost:", post(b"{", b"Content-Length: 100")])
def test_a_slow_request_gets_408(sent: bytes, client: EntryClient) -> None:
    assert statuses(client.raw(sent)) == [408]


def test_an_idle_connection_is_closed_without_a_word(client: EntryClient) -> None:
    assert client.raw(b"") == b""
    assert statuses(client.raw(LIVE)) == [200]


def test_pipelined_requests_are_answered_in_order(client: EntryClient) -> None:
    sent = b"".join(
        with_length(json.dumps({**body(), "id": str(n)}).encode()) + LIVE for n in range(20)
    )

    answer = client.raw(sent + CLOSE)

    assert statuses(answer) == [200] * 41
    assert re.findall(rb'"id":"(\d+)"', answer) == [str(n).encode() for n in range(20)]


def test_a_bad_request_after_good_ones_is_answered_last(client: EntryClient) -> None:
    answer = client.raw(with_length() + LIVE + b"garbage\r\n\r\n" + LIVE)
    assert statuses(answer) == [200, 200, 400]


def test_nothing_after_a_closing_request_is_looked_at(client: EntryClient) -> None:
    assert statuses(client.raw(CLOSE + LIVE)) == [200]


def test_a_body_may_come_in_chunks_and_in_pieces(client: EntryClient) -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (1, BODY[i : i + 1]) for i in range(len(BODY)))
    sent = post(chunks + b"0\r\nTrailer: x\r\n\r\n", b"Transfer-Encoding: chunked") + CLOSE
    with socket.create_connection((client.host, client.port), timeout=20) as connection:
        for start in range(0, len(sent), 97):
            connection.sendall(sent[start : start + 97])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert statuses(answer) == [200, 200]


def test_a_client_that_expects_continue_gets_it(client: EntryClient) -> None:
    with socket.create_connection((client.host, client.port), timeout=20) as connection:
        connection.sendall(post(b"", b"Expect: 100-continue", b"Content-Length: %d" % len(BODY)))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert statuses(connection.recv(65536)) == [200]


def test_an_offer_to_upgrade_is_left_unheeded(client: EntryClient) -> None:
    offer = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk")
    sent = with_length(BODY, *offer)
    for cut in (len(sent), len(sent) - 10):
        with socket.create_connection((client.host, client.port), timeout=20) as connection:
            connection.sendall(sent[:cut])
            connection.sendall(sent[cut:] + CLOSE)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert statuses(answer) == [200, 200]


def test_a_whole_address_and_a_query_lead_to_the_same_path(client: EntryClient) -> None:
    sent = b"GET http://entry.example/v2/health/live?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert statuses(client.raw(sent)) == [200]


def test_http_1_0_is_answered_and_closed(client: EntryClient) -> None:
    assert statuses(client.raw(b"GET /v2/health/live HTTP/1.0\r\n\r\n")) == [200]


def test_a_client_that_closes_its_side_is_answered(client: EntryClient) -> None:
    assert statuses(client.raw(with_length(), half_close=True)) == [200]
    assert client.raw(b"GET /v2", half_close=True) == b""


def test_a_client_that_goes_before_its_answer_harms_nobody(tmp_path: Path) -> None:
    workshop = Workshop()
    with threaded_entry(tmp_path, workshop, http=LIMITS) as (client, _):
        client.take(one(1))
        scorer = workshop.last("gbm@1")
        scorer.gate.clear()
        with socket.create_connection((client.host, client.port)) as connection:
            reset = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            connection.sendall(with_length())
            assert scorer.entered.acquire(timeout=20)
        until(lambda: client.metric("pilothouse_http_refusals_total", code="client-gone") == 1)
        scorer.gate.set()
        assert client.infer(body()).status == 200


def flood(connection: socket.socket) -> None:
    """Ask without end and read no answer."""
    while True:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 200)


def test_a_client_that_reads_nothing_is_cut_off(client: EntryClient) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect((client.host, client.port))
        with pytest.raises(OSError, match=r"reset|pipe"):
            flood(connection)
    assert client.ask("GET", "/v2/health/live").status == 200


def test_one_connection_too_many_is_told(client: EntryClient) -> None:
    held = [socket.create_connection((client.host, client.port), timeout=20) for _ in range(8)]
    try:
        answer = client.raw(b"")
        assert statuses(answer) == [503]
        assert b"connections-exhausted" in answer
    finally:
        for connection in held:
            connection.close()
    until(lambda: statuses(client.raw(CLOSE)) == [200])
