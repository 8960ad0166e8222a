"""What can be said of a life cycle without a server, and what the catalogue promises."""

from __future__ import annotations

import pytest

from pilothouse.domain.plugins import PluginTwiceError
from pilothouse.lifecycle.definitions import shipped
from pilothouse.lifecycle.library import Shelf
from pilothouse.lifecycle.offline import lint
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic, known_topics
from pilothouse.lifecycle.tasks.smoke_test import same


def test_everything_shipped_can_be_uploaded() -> None:
    assert {lint(xml) for xml in shipped()} == {()}


def test_every_topic_says_what_its_parameters_are() -> None:
    assert set(PARAMETERS) == set(Topic)
    assert all(p.description for parameters in PARAMETERS.values() for p in parameters.values())


def test_a_file_that_is_no_xml_is_one_finding() -> None:
    [finding] = lint(b"not xml at all")

    assert finding.element == "(file)"


def test_a_foreign_package_may_not_take_over_a_topic(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("site")
    info = folder / "thief-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thief\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pilothouse.task_types]\ndeploy = thief:build\n")
    monkeypatch.syspath_prepend(str(folder))

    with pytest.raises(PluginTwiceError) as twice:
        known_topics()

    assert twice.value.name == "deploy"


def test_a_shelf_keeps_what_was_used_last() -> None:
    shelf: Shelf[str, int] = Shelf(size=2)
    for key in ("a", "b"):
        shelf.get(key, lambda: 1)
    shelf.get("a", lambda: 2)
    shelf.get("c", lambda: 3)

    assert (shelf.get("a", lambda: 4), shelf.get("b", lambda: 5)) == (1, 5)


@pytest.mark.parametrize(
    ("golden", "answer", "equal"),
    [
        (1.0, 1.0 + 9e-13, True),
        (1.0, 1.0 + 2e-12, False),
        (1e9, 1e9 + 1e-4, True),
        (1e9, 1e9 + 1e-2, False),
        (-1e9, -1e9 - 1e-4, True),
        (0.0, 1e-13, True),
        (None, None, True),
        (None, 0.0, False),
        (0.0, None, False),
        ("yes", "yes", True),
        ("1", 1, False),
        (True, 1, False),
        (True, True, True),
        (1, 1.0, True),
    ],
)
def test_an_answer_is_the_golden_one_to_1e_12(golden: object, answer: object, equal: bool) -> None:
    assert same(golden, answer) is equal  # type: ignore[arg-type]
