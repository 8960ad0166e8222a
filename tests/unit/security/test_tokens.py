"""Tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.domain.access import TokenKind
from pilothouse.observability.clock import SystemIds
from pilothouse.security.tokens import ENTROPY_BYTES, Mint, fingerprint, kind_of, matches, mint

ENTROPY = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)


@given(kind=st.sampled_from(TokenKind), one=ENTROPY, two=ENTROPY)
def test_a_token_is_known_by_its_text_and_by_no_other(
    kind: TokenKind, one: bytes, two: bytes
) -> None:
    text, sha256 = mint(kind, entropy=one)
    other, _ = mint(kind, entropy=two)

    assert kind_of(text) is kind
    assert matches(text, sha256=sha256)
    assert matches(other, sha256=sha256) == (one == two)


def test_the_kinds_have_texts_that_differ() -> None:
    api, api_sha256 = mint(TokenKind.API, entropy=bytes(ENTROPY_BYTES))
    scoring, scoring_sha256 = mint(TokenKind.SCORING, entropy=bytes(ENTROPY_BYTES))

    assert (api.split("_")[0], scoring.split("_")[0]) == ("ph", "phs")
    assert api_sha256 != scoring_sha256


@pytest.mark.parametrize("size", [0, ENTROPY_BYTES - 1, ENTROPY_BYTES + 1])
def test_entropy_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"not {size}"):
        mint(TokenKind.API, entropy=bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ph_",
        "xx_" + 8 * "1" + "_" + 52 * "0",
        "ph_" + 8 * "1" + "_" + 51 * "0",
        "ph_" + 8 * "U" + "_" + 52 * "0",
    ],
)
def test_a_text_of_another_form_is_no_token(text: str) -> None:
    assert kind_of(text) is None


def test_the_fingerprint_takes_any_text() -> None:
    assert len(fingerprint("\udcff")) == 64


def test_the_mint_never_makes_the_same_token_twice() -> None:
    tokens = Mint(ids=SystemIds())

    minted = {tokens.mint(TokenKind.API) for _ in range(100)}

    assert len({text for text, _ in minted}) == 100
    assert all(tokens.fingerprint(text) == sha256 for text, sha256 in minted)
