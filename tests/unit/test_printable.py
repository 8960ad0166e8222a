"""What tests log is sent by xdist, whatever it holds."""

from __future__ import annotations

from tests.printable import printable


def test_half_of_a_surrogate_pair_is_written_out_and_the_rest_is_kept() -> None:
    assert printable("a\0b\ud800 ü") == "a\0b\\ud800 ü"
