"""Guarded calls, against real servers on this host."""

from __future__ import annotations

import base64
import json
import socket
import threading
from typing import Any

import pytest

from pilothouse.domain.outgoing import (
    AddressRefusedError,
    CallRefusedError,
    CallTooLargeError,
    Credential,
    CredentialForm,
    HostNotGrantedError,
    HostUnreachableError,
    Method,
    OutgoingAnswer,
    OutgoingCall,
    OutgoingPolicy,
    RedirectRefusedError,
    SecretNotGrantedError,
    UrlInvalidError,
    parse_grant,
)
from pilothouse.domain.plain import canonical, from_plain
from pilothouse.domain.secrets import SecretMissingError
from pilothouse.outgoing.addresses import check_address
from pilothouse.outgoing.http import MAXIMUM_SENT, GuardedHttp, HttpLimits
from pilothouse.security.secrets import Secrets
from tests.web.answering import Received, Reply, answering

SECRET = "s3cret-t0ken"
SLASHED = 'ab/cd"ef=='
LOGIN = "robot:pa55-word"
REFERENCE = "env:TOKEN"
QUICK = HttpLimits(timeout_s=0.3, answer_bytes=1000)


def fine(request: Received) -> Reply:
    return Reply(body={"asked": request.path})


def caller(**others: Any) -> GuardedHttp:  # noqa: ANN401 what the caller takes
    environment = {"TOKEN": SECRET, "LINES": "a\nb", "SLASHED": SLASHED, "LOGIN": LOGIN}
    return GuardedHttp(secrets=Secrets(environment=environment), **others)


def policy(*grants: str) -> OutgoingPolicy:
    return OutgoingPolicy(hosts=tuple(parse_grant(g) for g in grants))


def call(url: str, credential: Credential | None = None, body: object = None) -> OutgoingCall:
    return OutgoingCall(
        method=Method.POST, url=url, key="lcj_1/send/ab", body=body, credential=credential
    )


def private(url: str, *secrets: str) -> OutgoingPolicy:
    return policy(" ".join((url, "private", *secrets)))


def test_a_granted_host_gets_the_body_and_the_key() -> None:
    with answering(fine) as server:
        answer = caller().call(call(server.url + "/a", body={"x": 1}), policy=private(server.url))

        [got] = server.received
        assert (got.method, got.body, got.key) == ("POST", {"x": 1}, "lcj_1/send/ab")
        assert (answer.status, answer.body) == (200, {"asked": "/a"})


@pytest.mark.parametrize(
    ("granted", "called"),
    [
        ("https://a.example", "https://b.example/"),
        ("https://a.example", "http://a.example/"),
        ("https://a.example", "https://a.example:8443/"),
        ("https://a.example", "https://a.example.evil.example/"),
    ],
)
def test_a_host_that_is_not_granted_is_not_called(granted: str, called: str) -> None:
    with pytest.raises(HostNotGrantedError) as refusal:
        caller().call(call(called), policy=policy(granted))

    assert refusal.value.origin == called.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "https://user:pass@a.example/",
        "https://a.example\\@b.example/",
        "https://a.example/\r\nX: y",
        "https://ä.example/",
        "https://a.example:0/",
        "https://a.example:99999/",
        "https:///path",
        "",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(UrlInvalidError) as refusal:
        caller().call(call(url), policy=policy("https://a.example"))

    assert "pass" not in refusal.value.message


def test_a_private_address_needs_a_grant_that_says_so() -> None:
    with answering(fine) as server, pytest.raises(AddressRefusedError) as refusal:
        caller().call(call(server.url), policy=policy(server.url))

    assert (refusal.value.address, refusal.value.problem) == ("127.0.0.1", "private")
    assert server.received == []


def test_a_public_name_that_stands_for_a_private_address_is_refused() -> None:
    guarded = caller(resolver=lambda _host, _port: ("192.0.43.10", "10.0.0.7"))

    with pytest.raises(AddressRefusedError) as refusal:
        guarded.call(call("https://a.example/"), policy=policy("https://a.example"))

    assert refusal.value.address == "10.0.0.7"


def test_the_address_that_was_checked_is_the_one_that_is_called() -> None:
    answers = iter([("127.0.0.1",), ("169.254.169.254",)])
    with answering(fine) as server:
        url = f"http://moving.example:{server.port}"
        guarded = caller(resolver=lambda _host, _port: next(answers))

        guarded.call(call(url), policy=private(url))

        assert server.received[0].headers["host"] == f"moving.example:{server.port}"


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "0.0.0.0",  # noqa: S104 an address to refuse
        "::",
        "224.0.0.1",
        "255.255.255.255",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
    ],
)
def test_some_addresses_are_called_for_nobody(address: str) -> None:
    with pytest.raises(AddressRefusedError):
        check_address(address, host="a.example", private=True)


@pytest.mark.parametrize(
    "address", ["::1", "10.1.2.3", "::ffff:192.168.0.1", "fd00::1", "100.64.0.1"]
)
def test_addresses_of_a_company_are_called_where_that_is_granted(address: str) -> None:
    check_address(address, host="a.example", private=True)

    with pytest.raises(AddressRefusedError):
        check_address(address, host="a.example", private=False)


def test_redirects_are_not_followed() -> None:
    with answering(fine) as other:
        moved = Reply(status=307, headers={"Location": other.url})
        with answering(lambda _: moved) as server, pytest.raises(RedirectRefusedError) as refusal:
            caller().call(call(server.url), policy=private(server.url))

        assert (refusal.value.status, other.received) == (307, [])


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again_when_the_host_says(status: int) -> None:
    later = Reply(status=status, headers={"Retry-After": "7"})
    with answering(lambda _: later) as server, pytest.raises(HostUnreachableError) as refusal:
        caller().call(call(server.url), policy=private(server.url))

    assert refusal.value.retry_after_s == 7.0


def test_a_refusal_carries_the_words_of_the_host() -> None:
    no = Reply(status=422, body={"why": "no such field"})
    with answering(lambda _: no) as server, pytest.raises(CallRefusedError) as refusal:
        caller().call(call(server.url + "/x?token=abc"), policy=private(server.url))

    assert (refusal.value.status, refusal.value.body) == (422, {"why": "no such field"})
    assert "abc" not in refusal.value.message


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (CredentialForm.PLAIN, SECRET),
        (CredentialForm.BEARER, f"Bearer {SECRET}"),
        (CredentialForm.BASIC, "Basic " + base64.b64encode(SECRET.encode()).decode()),
    ],
)
def test_a_granted_secret_goes_by_its_header(form: CredentialForm, value: str) -> None:
    credential = Credential(reference=REFERENCE, form=form)
    with answering(fine) as server:
        caller().call(call(server.url, credential), policy=private(server.url, REFERENCE))

        assert server.received[0].headers["authorization"] == value


def test_a_secret_that_is_not_granted_for_the_host_is_not_read() -> None:
    granted = policy("https://a.example env:TOKEN", "http://127.0.0.1:9 private")

    with pytest.raises(SecretNotGrantedError) as refusal:
        caller().call(call("http://127.0.0.1:9/", Credential(reference=REFERENCE)), policy=granted)

    assert refusal.value.reference == REFERENCE


@pytest.mark.parametrize("header", ["Host", "content-length", "Idempotency-Key:", "a b", ""])
def test_a_secret_goes_by_no_header_that_steers_the_call(header: str) -> None:
    granted = private("http://127.0.0.1:9", REFERENCE)
    credential = Credential(reference=REFERENCE, header=header)

    with pytest.raises(UrlInvalidError):
        caller().call(call("http://127.0.0.1:9/", credential), policy=granted)


def test_a_secret_of_several_lines_cannot_add_headers() -> None:
    credential = Credential(reference="env:LINES")

    with pytest.raises(SecretMissingError):
        caller().call(
            call("http://127.0.0.1:9/", credential),
            policy=private("http://127.0.0.1:9", "env:LINES"),
        )


def test_a_secret_that_the_host_repeats_is_hidden() -> None:
    def echo(request: Received) -> Reply:
        return Reply(body={"you sent": request.headers["authorization"]})

    credential = Credential(reference=REFERENCE, form=CredentialForm.BEARER)
    with answering(echo) as server:
        answer = caller().call(call(server.url, credential), policy=private(server.url, REFERENCE))

    assert SECRET not in str(answer.body)


def test_a_secret_that_the_host_repeats_in_escapes_is_hidden() -> None:
    def echo(request: Received) -> Reply:
        said = json.dumps({"you sent": request.headers["authorization"]}).replace("/", "\\/")
        return Reply(raw=said.encode())

    credential = Credential(reference="env:SLASHED", form=CredentialForm.BEARER)
    with answering(echo) as server:
        allowed = private(server.url, "env:SLASHED")
        answer = caller().call(call(server.url, credential), policy=allowed)

    assert answer.body == {"you sent": "***"}


def test_a_password_that_the_host_repeats_without_its_user_is_hidden() -> None:
    no = Reply(status=403, body={"why": "pa55-word is wrong", "pa55-word": 1})
    credential = Credential(reference="env:LOGIN", form=CredentialForm.BASIC)
    with answering(lambda _: no) as server, pytest.raises(CallRefusedError) as refusal:
        caller().call(call(server.url, credential), policy=private(server.url, "env:LOGIN"))

    assert refusal.value.body == {"why": "*** is wrong", "***": 1}
    assert "pa55" not in refusal.value.message


def test_an_answer_that_is_too_large_is_refused() -> None:
    large = Reply(raw=b"x" * 1001)
    with answering(lambda _: large) as server, pytest.raises(CallTooLargeError) as refusal:
        caller(limits=QUICK).call(call(server.url), policy=private(server.url))

    assert (refusal.value.what, refusal.value.limit) == ("answer", 1000)


def test_a_body_that_is_too_large_is_not_sent() -> None:
    with answering(fine) as server, pytest.raises(CallTooLargeError):
        caller().call(call(server.url, body="x" * MAXIMUM_SENT), policy=private(server.url))

    assert server.received == []


def test_what_is_no_json_comes_as_text() -> None:
    with answering(lambda _: Reply(raw=b"{not", headers={})) as server:
        answer = caller().call(call(server.url), policy=private(server.url))

    assert answer.body == "{not"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b'{"a": "x\\u0000y"}', {"a": "x\ufffdy"}),
        (b'{"\\ud800": [1e999, NaN, "\\udc00"]}', {"?": ["inf", "NaN", "?"]}),
        (b"[" * 31 + b"1" + b"]" * 31, json.loads("[" * 31 + "1" + "]" * 31)),
        (b"[" * 40 + b"]" * 40, "[" * 40 + "]" * 40),
        (b"[" * 400 + b"]" * 400, "[" * 400 + "]" * 400),
        (b"\xff\x00", "\ufffd\ufffd"),
    ],
)
def test_an_answer_is_one_that_every_database_keeps(raw: bytes, body: object) -> None:
    with answering(lambda _: Reply(raw=raw)) as server:
        answer = caller(limits=QUICK).call(call(server.url), policy=private(server.url))

    assert from_plain(OutgoingAnswer, json.loads(canonical(answer))) == answer
    assert answer.body == body


def test_a_host_that_drips_its_answer_is_cut_off() -> None:
    with dripping() as port:
        url = f"http://127.0.0.1:{port}"

        with pytest.raises(HostUnreachableError) as refusal:
            caller(limits=QUICK).call(call(url), policy=private(url))

    assert "longer than 0.3 s" in refusal.value.problem or "timed out" in refusal.value.problem


def test_a_host_that_is_down_may_come_back() -> None:
    with answering(fine) as server:
        url = server.url

    with pytest.raises(HostUnreachableError) as refusal:
        caller().call(call(url), policy=private(url))

    assert "127.0.0.1" in refusal.value.problem


def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    def unknown(_host: str, _port: int) -> tuple[str, ...]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(HostUnreachableError) as refusal:
        caller(resolver=unknown).call(
            call("https://a.example/"), policy=policy("https://a.example")
        )

    assert "not known" in refusal.value.problem


class dripping:  # noqa: N801 read as a word
    """A host that sends a header a byte at a time, for as long as somebody listens."""

    def __enter__(self) -> int:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._drip)
        self._thread.start()
        port: int = self._socket.getsockname()[1]
        return port

    def _drip(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not self._ended.wait(0.02):
                try:
                    connection.sendall(b"y")
                except OSError:
                    return

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()
