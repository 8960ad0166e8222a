"""Secrets by reference."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.secrets import (
    SecretExposedError,
    SecretMissingError,
    SecretReferenceError,
)
from pilothouse.security.secrets import MAXIMUM_BYTES, Secrets

if TYPE_CHECKING:
    from pathlib import Path


def kept(path: Path, content: bytes, *, mode: int = 0o600) -> str:
    path.write_bytes(content)
    path.chmod(mode)
    return f"file:{path}"


def test_a_variable_of_the_environment_is_read() -> None:
    secrets = Secrets(environment={"PASSWORD": "s3cret"})

    assert secrets.resolve("env:PASSWORD") == "s3cret"


@pytest.mark.parametrize("environment", [{}, {"PASSWORD": ""}])
def test_an_unset_or_empty_variable_is_told(environment: dict[str, str]) -> None:
    with pytest.raises(SecretMissingError) as missing:
        Secrets(environment=environment).resolve("env:PASSWORD")

    assert missing.value.reference == "env:PASSWORD"


@pytest.mark.parametrize("content", [b"s3cret", b"s3cret\n", b"s3cret\r\n"])
def test_a_private_file_is_read_without_its_line_end(tmp_path: Path, content: bytes) -> None:
    reference = kept(tmp_path / "secret", content)

    assert Secrets(environment={}).resolve(reference) == "s3cret"


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660, 0o777])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    reference = kept(tmp_path / "secret", b"s3cret", mode=mode)

    with pytest.raises(SecretExposedError) as exposed:
        Secrets(environment={}).resolve(reference)

    assert f"{mode:04o}" in exposed.value.problem
    assert "s3cret" not in str(exposed.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    reference = kept(tmp_path / "secret", b"s3cret")
    os.chown(tmp_path / "secret", 12345, -1)

    with pytest.raises(SecretExposedError, match="12345"):
        Secrets(environment={}).resolve(reference)


def test_a_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)

    with pytest.raises(SecretExposedError):
        Secrets(environment={}).resolve(f"file:{tmp_path / 'pipe'}")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"\xff\xfe", bytes(MAXIMUM_BYTES + 1)],
    ids=["empty", "line", "binary", "large"],
)
def test_a_file_that_holds_no_secret_is_told(tmp_path: Path, content: bytes) -> None:
    reference = kept(tmp_path / "secret", content)

    with pytest.raises(SecretMissingError) as missing:
        Secrets(environment={}).resolve(reference)

    assert missing.value.reference == reference


@pytest.mark.parametrize("name", ["relative", "/does/not/exist"])
def test_a_file_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(SecretMissingError):
        Secrets(environment={}).resolve(f"file:{name}")


@pytest.mark.parametrize("text", ["hunter2", "", "env:", ":x", "ENV:X"])
def test_a_secret_in_place_of_its_reference_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SecretReferenceError) as refused:
        Secrets(environment={}).resolve(text)

    assert refused.value.scheme is None
    assert not text or text not in str(refused.value).split(": ")


def test_a_scheme_that_nobody_answers_for_is_named() -> None:
    with pytest.raises(SecretReferenceError) as refused:
        Secrets(environment={}).resolve("vault:kv/x")

    assert refused.value.scheme == "vault"
