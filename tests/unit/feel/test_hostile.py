"""Attacks on expressions and decision files end in a typed error, or in a value, inside the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.errors import PilothouseError
from tests.fuzz.hostile import expressions, files

if TYPE_CHECKING:
    from tests.fuzz.hostile import Hostile


@pytest.mark.parametrize("hostile", [*expressions(), *files()], ids=lambda h: h.name)
def test_attack_is_stopped(hostile: Hostile) -> None:
    if not hostile.error:
        hostile.attack()
        return

    with pytest.raises(PilothouseError) as stopped:
        hostile.attack()

    assert stopped.value.code == hostile.error
