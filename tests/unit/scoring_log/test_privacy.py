from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.secrets import (
    SecretExposedError,
    SecretMissingError,
    SecretReferenceError,
)
from pilothouse.scoring.log.privacy import hash_key

if TYPE_CHECKING:
    from pathlib import Path

KEY = "a key of sixteen bytes and more"


def test_a_key_comes_from_a_private_file_or_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(0o600)
    assert hash_key(f"file:{file}", {}) == hash_key("env:KEY", {"KEY": KEY}) == KEY.encode()
    assert hash_key("", {}) is None


def test_a_key_that_others_could_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o640)
    with pytest.raises(SecretExposedError):
        hash_key(f"file:{file}", {})


@pytest.mark.parametrize("reference", ["env:MISSING", "env:SHORT", "file:/not/there"])
def test_a_key_that_is_missing_or_short_is_refused(reference: str) -> None:
    with pytest.raises(SecretMissingError):
        hash_key(reference, {"SHORT": "fifteen bytes.."})


@pytest.mark.parametrize("reference", [KEY, "vault:key"])
def test_what_is_no_reference_is_refused_and_not_repeated(reference: str) -> None:
    with pytest.raises(SecretReferenceError) as refused:
        hash_key(reference, {})
    assert KEY not in str(refused.value)
