"""Reaching other systems from a task: the group's policy, the credential, and a call that is kept and audited."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pilothouse.domain.outgoing import Credential, CredentialForm, OutgoingAnswer, OutgoingCall

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.outgoing import Method, OutgoingPolicy
    from pilothouse.lifecycle.tasks.contract import Facilities, TaskContext

T = TypeVar("T")


def policy_of(facilities: Facilities, context: TaskContext) -> OutgoingPolicy:
    """Give what the run's group may reach, as it is granted now."""
    with facilities.open_work.reading(context.who) as work:
        return work.groups.get(context.heading.group).outgoing


def credential_of(context: TaskContext) -> Credential | None:
    """Give the credential that the task's inputs name."""
    reference = context.text("secret")
    if reference is None:
        return None
    return Credential(
        reference=reference,
        header=context.text("secret_header") or "Authorization",
        form=CredentialForm(context.text("secret_form") or CredentialForm.PLAIN),
    )


class Reach:
    """Calls other systems for one delivery of a job, with its credential."""

    def __init__(self, facilities: Facilities, context: TaskContext) -> None:
        self._facilities, self._context = facilities, context
        self._policy = policy_of(facilities, context)
        self._credential = credential_of(context)

    def look(self, method: Method, url: str, *, key: str) -> object:
        """Ask for something that a call does not change, and give the answer's body."""
        call = OutgoingCall(method=method, url=url, key=key, credential=self._credential)
        return self._facilities.outgoing.call(call, policy=self._policy).body

    def change(self, method: Method, url: str, *, key: str, body: object) -> OutgoingAnswer:
        """Call with a body."""
        call = OutgoingCall(method=method, url=url, key=key, body=body, credential=self._credential)
        return self._facilities.outgoing.call(call, policy=self._policy)

    def key(self, part: str) -> str:
        """Give the idempotency key of a part of the job: the same in every delivery with the same inputs."""
        call = self._context.keyed(part).call
        return self._context.job.id if call is None else call.key

    def kept(self, who: Principal, action: str, result: T, **detail: object) -> T:
        """Write down what was done outside, and with it the result that keeps it from being done twice."""
        heading = self._context.heading
        with self._facilities.open_work(who) as work:
            work.audit.record(
                action,
                noun="run",
                subject=heading.run_id,
                group=heading.group,
                detail={"element": self._context.job.element, **detail},
            )
            return work.commit(result)
