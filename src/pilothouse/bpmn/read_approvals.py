"""What a user task says of votes, reminders and escalation, from XML: the pilothouse extensions around an approval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import GROUP_TARGETS, Overdue, Reminder
from pilothouse.bpmn.forms import FieldType
from pilothouse.bpmn.read_timers import LONG_AGO, zone_of
from pilothouse.bpmn.reminding import lead, remind_schedule
from pilothouse.domain.access import Role
from pilothouse.domain.approvals import Decision, Quorum, Rejection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.bpmn.expressions import Value
    from pilothouse.bpmn.reading import Reading
    from pilothouse.bpmn.xml import Element

DECISION = "decision"
"""The field of the form that is the vote."""


def read_quorum(
    reading: Reading, approval: Element | None, form: Mapping[str, object] | None
) -> Quorum | None:
    """Read how many people have to approve; None where one answer is enough, as without any quorum."""
    if approval is None or not (approval.get("quorum") or approval.get("perRole")):
        if approval is not None and approval.get("rejection"):
            reading.reject(approval, "it has a rejection and no quorum", "Give it a quorum.")
        return None
    per_role = _per_role(reading, approval)
    needed = sum(per_role.values())
    count = reading.whole(approval, "quorum", default=max(needed, 1), lowest=1)
    if count < needed:
        reading.reject(
            approval,
            f"its roles have to give {needed} approvals, and its quorum is {count}",
            "Give a quorum of at least as many, or none.",
        )
    if not _has_decision(form):
        reading.reject(
            approval,
            "it has a quorum, and its form has no field that is the vote",
            'Add <pilothouse:field name="decision" type="choice" required="true" choices="approve, reject"/>.',
        )
    return Quorum(count=count, per_role=per_role, rejection=_rejection(reading, approval))


def _per_role(reading: Reading, approval: Element) -> dict[str, int]:
    found: dict[str, int] = {}
    parts = [p for p in (approval.get("perRole") or "").split(",") if p.strip()]
    for role, sign, number in (part.partition(":") for part in parts):
        text = number.strip()
        good = sign and role.strip() in set(Role) and role.strip() not in found
        if not good or not (text.isascii() and text.isdigit() and 0 < int(text[:3]) <= 100):
            reading.reject(
                approval,
                f"perRole has {f'{role}{sign}{number}'.strip()!r}, which is no role with a number, or a second one",
                f'Write perRole="validator: 1, business-owner: 1". Roles are {", ".join(Role)}.',
            )
            continue
        found[role.strip()] = int(text)
    return found


def _rejection(reading: Reading, approval: Element) -> Rejection:
    text = approval.get("rejection") or Rejection.ONE.value
    if text in set(Rejection):
        return Rejection(text)
    reading.reject(
        approval, f"a rejection of {text!r} is not known", f"Write one of {', '.join(Rejection)}."
    )
    return Rejection.ONE


def _has_decision(form: Mapping[str, object] | None) -> bool:
    fields = form["fields"] if form else ()
    wanted = {"name": DECISION, "type": FieldType.CHOICE.value, "required": True}
    return isinstance(fields, list) and any(
        all(f.get(key) == value for key, value in wanted.items())
        and sorted(f.get("choices", ())) == sorted(Decision)
        for f in fields
    )


def read_reminder(reading: Reading, element: Element | None, due: Value | None) -> Reminder | None:
    """Read when the candidates are reminded."""
    if element is None:
        return None
    after = reading.optional(element, "after", what="reminder")
    before = reading.optional(element, "before", what="reminder")
    zone = zone_of(reading, element)
    if after is None and before is None:
        reading.reject(element, "the reminder has no time", 'Write after="P1D", or before="PT4H".')
    if before is not None and due is None:
        reading.reject(
            element, "it reminds before a due date that the task has not", "Give it a due date."
        )
    try:
        if after is not None and not after.text.startswith("="):
            remind_schedule(after.text, at=LONG_AGO, zone=zone)
        if before is not None and not before.text.startswith("="):
            lead(before.text)
    except (ValueError, OverflowError) as error:
        reading.reject(
            element, f"the reminder: {error}", "Write a duration, or a cycle such as R3/P1D."
        )
    return Reminder(targets=_targets(element), after=after, before=before, zone=zone)


def read_overdue(reading: Reading, element: Element | None, due: Value | None) -> Overdue | None:
    """Read what happens when the due date passes."""
    if element is None:
        return None
    if due is None:
        reading.reject(
            element, "it escalates at a due date that the task has not", "Give it a due date."
        )
    return Overdue(
        targets=_targets(element),
        roles=reading.optional(element, "roles", what="roles"),
        code=reading.optional(element, "code", what="escalation code"),
    )


def _targets(element: Element) -> str:
    return (element.get("targets") or GROUP_TARGETS).strip()


def reject_assignee(reading: Reading, element: Element) -> None:
    """Reject a task that has a quorum and is assigned to one person."""
    reading.reject(
        element,
        "one person is assigned to it, and it has a quorum",
        "Give it candidate groups or candidate users instead.",
    )
