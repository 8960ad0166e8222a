"""The task type notify, by the real library, against a real server on this host."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.errors import MissingExtraError
from pilothouse.domain.outgoing import OutgoingPolicy, TargetInvalidError
from pilothouse.outgoing.notifications import AppriseNotifications
from pilothouse.security.secrets import Secrets
from tests.integration.lifecycle.drawings import asking
from tests.integration.lifecycle.reaching import given, grant, incident, start
from tests.web.answering import Received, Reply, answering

if TYPE_CHECKING:
    from tests.integration.lifecycle.house import House

# The library itself asks for a module of Python's that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
WORDS = {"subject": "Ready", "text": "Snapshot 7 runs in PROD."}


def taken(_: Received) -> Reply:
    return Reply(body={})


def test_words_go_to_every_target_once(house: House) -> None:
    with answering(taken) as one, answering(taken) as other:
        house.environment |= {
            "OPS": f"json://127.0.0.1:{one.port}/ops",
            "RISK": f"json://127.0.0.1:{other.port}/risk",
        }
        grant(house, targets=("env:OPS", "env:RISK"))
        start(house, asking("notify", {**WORDS, "targets": "env:OPS, env:RISK,env:OPS"}))

        given(house)

    assert [(r.path, r.body["title"], r.body["message"]) for r in one.received] == [
        ("/ops", "Ready", "Snapshot 7 runs in PROD.")
    ]
    assert [r.path for r in other.received] == ["/risk"]
    [detail] = house.audited("notify", "run")
    assert detail["targets"] == ["env:OPS", "env:RISK"]


def test_a_target_that_fails_is_tried_again_without_the_others(house: House) -> None:
    replies = [Reply(status=500), Reply(status=500), Reply()]
    with answering(taken) as one, answering(lambda _: replies.pop(0)) as other:
        house.environment |= {
            "OPS": f"json://127.0.0.1:{one.port}",
            "RISK": f"json://127.0.0.1:{other.port}",
        }
        grant(house, targets=("env:OPS", "env:RISK"))
        start(house, asking("notify", {**WORDS, "targets": "env:OPS,env:RISK"}))

        given(house)

    assert (len(one.received), len(other.received)) == (1, 3)
    assert len(house.audited("notify", "run")) == 1


def test_a_target_that_is_not_granted_keeps_all_words_back(house: House) -> None:
    with answering(taken) as one:
        house.environment |= {"OPS": f"json://127.0.0.1:{one.port}", "OTHER": "json://127.0.0.1:1"}
        grant(house, targets=("env:OPS",))
        start(house, asking("notify", {**WORDS, "targets": "env:OPS,env:OTHER"}))

        assert incident(house).code == "secret-not-granted"

    assert (one.received, house.audited("notify", "run")) == ([], [])


@pytest.mark.parametrize("address", ["nonsense", "unheard://of"])
def test_a_secret_that_holds_no_address_is_an_incident_that_hides_it(
    house: House, address: str
) -> None:
    house.environment["OPS"] = address
    grant(house, targets=("env:OPS",))
    start(house, asking("notify", {**WORDS, "targets": "env:OPS"}))

    found = incident(house)

    assert (found.code, address in found.message) == ("notification-target-invalid", False)


def test_without_targets_nothing_is_sent(house: House) -> None:
    start(house, asking("notify", WORDS))

    given(house)

    [detail] = house.audited("notify", "run")
    assert (detail["subject"], detail["targets"]) == ("Ready", [])


def test_a_missing_library_is_said_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    sender = AppriseNotifications(secrets=Secrets(environment={"OPS": "json://a.example"}))

    with pytest.raises(MissingExtraError) as missing:
        sender.send(
            "env:OPS",
            subject="a",
            text="b",
            policy=OutgoingPolicy(notification_targets=("env:OPS",)),
        )

    assert missing.value.extra == "notify"


@pytest.mark.parametrize("address", ["tok3n-tok3n", "slack://tok3n-tok3n", "tok3n://tok3n-tok3n"])
def test_a_secret_that_is_no_address_is_in_no_log(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    notifications = AppriseNotifications(secrets=Secrets(environment={"OPS": address}))
    policy = OutgoingPolicy(notification_targets=("env:OPS",))
    caplog.set_level(logging.DEBUG)

    with pytest.raises(TargetInvalidError) as refusal:
        notifications.send("env:OPS", subject="a", text="b", policy=policy)

    assert "tok3n" not in caplog.text + refusal.value.message


def test_an_address_is_in_no_log_whatever_the_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with answering(taken) as one:
        address = f"json://user:tok3n@127.0.0.1:{one.port}/tok3n-path"
        notifications = AppriseNotifications(secrets=Secrets(environment={"OPS": address}))
        policy = OutgoingPolicy(notification_targets=("env:OPS",))

        notifications.send("env:OPS", subject="a", text="b", policy=policy)

    assert len(one.received) == 1
    assert "tok3n" not in "".join(r.getMessage() for r in caplog.records if r.name == "apprise")
