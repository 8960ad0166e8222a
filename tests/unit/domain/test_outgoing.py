"""Grants of hosts and notification targets."""

from __future__ import annotations

import pytest

from pilothouse.domain.outgoing import (
    HostGrant,
    HostNotGrantedError,
    OutgoingPolicy,
    Scheme,
    SecretNotGrantedError,
    UrlInvalidError,
    parse_grant,
)
from pilothouse.domain.plain import from_plain, to_plain
from pilothouse.domain.secrets import SecretReferenceError


@pytest.mark.parametrize(
    ("text", "origin", "private", "secrets"),
    [
        ("https://a.example", "https://a.example", False, ()),
        ("https://A.Example:443/ private", "https://a.example", True, ()),
        ("http://[::1]:8080 env:A file:/b", "http://[::1]:8080", False, ("env:A", "file:/b")),
    ],
)
def test_a_grant_is_read(text: str, origin: str, private: bool, secrets: tuple[str, ...]) -> None:
    grant = parse_grant(text)

    assert (grant.origin, grant.private, grant.secrets) == (origin, private, secrets)


@pytest.mark.parametrize(
    "text",
    ["", "a.example", "https://a.example/path", "https://a.example?q", "https://u@a.example"],
)
def test_what_is_no_origin_is_not_granted(text: str) -> None:
    with pytest.raises(UrlInvalidError):
        parse_grant(text)


def test_a_secret_itself_is_no_reference_and_is_not_repeated() -> None:
    with pytest.raises(SecretReferenceError) as refusal:
        parse_grant("https://a.example hunter2")

    assert "hunter2" not in refusal.value.message


@pytest.mark.parametrize("host", ["A.example", "a.example/x", "a.example:1", "u@a.example", ""])
def test_a_host_that_is_written_otherwise_than_it_is_compared_is_refused(host: str) -> None:
    with pytest.raises(UrlInvalidError):
        HostGrant(scheme=Scheme.HTTPS, host=host, port=443)


def test_a_grant_survives_the_codec() -> None:
    grant = parse_grant("http://10.0.0.7:8080 private env:A")

    assert from_plain(HostGrant, to_plain(grant)) == grant


def test_a_url_is_matched_by_scheme_host_and_port_alone() -> None:
    policy = OutgoingPolicy(hosts=(parse_grant("https://a.example"),))

    assert policy.grant_for("https://A.example:443/x?y=1") == policy.hosts[0]
    with pytest.raises(HostNotGrantedError) as refusal:
        policy.grant_for("https://a.example:444/x")
    assert refusal.value.origin == "https://a.example:444"


def test_a_target_that_is_not_named_is_refused() -> None:
    with pytest.raises(SecretNotGrantedError):
        OutgoingPolicy(notification_targets=("env:A",)).check_target("env:B")
