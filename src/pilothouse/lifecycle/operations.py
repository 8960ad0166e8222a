"""What operators do to a run by hand: suspend and resume it, change its variables, move its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.happenings import Resumed, Suspended, TokensMoved, VariablesEdited
from pilothouse.domain.plain import digest
from pilothouse.lifecycle.orders import Orders, RunOrder
from pilothouse.lifecycle.subjects import check_not_reserved

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import OpenWork
    from pilothouse.wire.operations import EditVariables, HoldRun, MoveTokens, RunPreview
    from pilothouse.wire.runs import RunView


class Operations:
    """Operate runs by hand; each order has a reason, which its history and the audit keep."""

    def __init__(self, *, open_work: OpenWork, moving: Moving) -> None:
        self._orders = Orders(open_work=open_work, moving=moving)

    def suspend(self, who: Principal, *, run_id: str, wanted: HoldRun) -> RunView:
        """
        Hold a run where it stands: no job of it is claimed, no timer fires, no task is done.

        Raises
        ------
        RunSuspendedError, AlreadyOverError
            When it is suspended already, or has ended.
        """
        happening = Suspended(actor=who.person_id, reason=wanted.reason)
        return self._orders.give(who, _held(run_id, wanted, happening, "suspend"))

    def resume(self, who: Principal, *, run_id: str, wanted: HoldRun) -> RunView:
        """
        Let a suspended run go on; timers whose moment has passed fire once.

        Raises
        ------
        RunNotSuspendedError, AlreadyOverError
            When it is not suspended, or has ended.
        """
        happening = Resumed(actor=who.person_id, reason=wanted.reason)
        return self._orders.give(who, _held(run_id, wanted, happening, "resume"))

    def edit(self, who: Principal, *, run_id: str, wanted: EditVariables) -> RunView:
        """
        Set variables of a run, and remove others, in the process or in one open scope.

        Raises
        ------
        VariableReservedError
            When one says what the run is about.
        ScopeUnknownError, VariableUnknownError, VariableInvalidError
            When the scope or a variable is not there, or a value cannot be kept.
        """
        check_not_reserved({**wanted.variables, **dict.fromkeys(wanted.remove)})
        edited = VariablesEdited(
            actor=who.person_id,
            reason=wanted.reason,
            given=wanted.variables,
            removed=wanted.remove,
            scope=wanted.scope,
        )
        order = RunOrder(
            run_id=run_id,
            happening=edited,
            action="edit-variables",
            detail={
                "reason": wanted.reason,
                "variables": sorted(wanted.variables),
                "sha256": digest(wanted.variables),
                "removed": sorted(wanted.remove),
                "scope": wanted.scope,
            },
            revision=wanted.revision,
        )
        return self._orders.give(who, order)

    def move(self, who: Principal, *, run_id: str, wanted: MoveTokens) -> RunView:
        """
        Cancel what stands at some elements of a run, and begin before others.

        Raises
        ------
        MoveRefusedError
            When an element cannot be left or begun so, or nothing would be left.
        """
        return self._orders.give(who, _moved(who, run_id, wanted))

    def preview_move(self, who: Principal, *, run_id: str, wanted: MoveTokens) -> RunPreview:
        """Say what a move would do; what it would refuse is refused, and nothing is changed."""
        return self._orders.preview(who, _moved(who, run_id, wanted))


def _held(run_id: str, wanted: HoldRun, happening: Suspended | Resumed, action: str) -> RunOrder:
    return RunOrder(
        run_id=run_id,
        happening=happening,
        action=action,
        detail={"reason": wanted.reason},
        revision=wanted.revision,
    )


def _moved(who: Principal, run_id: str, wanted: MoveTokens) -> RunOrder:
    happening = TokensMoved(
        actor=who.person_id, reason=wanted.reason, cancelled=wanted.cancel, begun=wanted.begin
    )
    return RunOrder(
        run_id=run_id,
        happening=happening,
        action="move-tokens",
        detail={
            "reason": wanted.reason,
            "cancelled": list(wanted.cancel),
            "begun": list(wanted.begin),
        },
        revision=wanted.revision,
    )
