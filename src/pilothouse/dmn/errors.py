"""What DMN refuses: files that it would not run exactly, values that do not fit, rules that contradict."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.domain.errors import InvalidError, NotFoundError, RefusedError

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    One reason to reject a file.

    Parameters
    ----------
    element
        The element, by name and id: ``rule r1``.
    line
        Its line in the file, from 1; 0 for the file as a whole.
    problem
        What is wrong.
    cure
        What to do about it.
    """

    element: str
    line: int
    problem: str
    cure: str


class DmnRejectedError(InvalidError):
    """
    A decision file cannot be run as it is.

    Parameters
    ----------
    problems
        Every reason, in the order of the file.
    """

    code = "dmn-rejected"

    def __init__(self, *, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        shown = " ".join(
            f"Line {p.line}, {p.element}: {p.problem}. {p.cure}." for p in problems[:_SHOWN]
        )
        more = f" And {len(problems) - _SHOWN} more." if len(problems) > _SHOWN else ""
        super().__init__(f"The decision file cannot be run. {shown}{more}")


class DecisionNotFoundError(NotFoundError):
    """
    The file has no decision of this id or name.

    Parameters
    ----------
    name
        What was asked for.
    known
        The decisions that there are.
    """

    code = "decision-not-found"

    def __init__(self, *, name: str, known: tuple[str, ...]) -> None:
        self.known = known
        super().__init__(
            noun="decision", name=name, cure=f"The file has: {', '.join(known) or 'none'}."
        )


class DmnValueError(InvalidError):
    """
    A value does not fit what the decision declares.

    Parameters
    ----------
    decision
        The decision.
    clause
        The input or output.
    problem
        What is wrong with the value.
    """

    code = "dmn-value"

    def __init__(self, *, decision: str, clause: str, problem: str) -> None:
        self.decision, self.clause, self.problem = decision, clause, problem
        super().__init__(
            f"The decision {decision!r} cannot be taken: {clause} {problem}. "
            "Give another value, or correct the decision."
        )


class DmnConflictError(RefusedError):
    """
    Rules of one table contradict each other.

    Parameters
    ----------
    decision
        The decision.
    policy
        The hit policy that they break.
    rules
        The ids of the rules that matched.
    """

    code = "dmn-conflict"

    def __init__(self, *, decision: str, policy: str, rules: tuple[str, ...]) -> None:
        self.decision, self.policy, self.rules = decision, policy, rules
        super().__init__(
            f"The decision {decision!r} has hit policy {policy}, and the rules {', '.join(rules)} "
            "matched together with different meanings. Make their conditions exclude each other, or "
            "choose another hit policy."
        )
