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
    by_design
        Whether Pilothouse refuses it on purpose, though the standard allows it: functions in Java and PMML models.
    runs
        Whether the element can be evaluated all the same, as the standard has it: a call of an unknown function is
        null, and so are an expression without text and a context that has a key twice.
    """

    element: str
    line: int
    problem: str
    cure: str
    by_design: bool = False
    runs: bool = False


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
    The file has no decision of this id or name, nor decision service or business knowledge model, as was asked.

    Parameters
    ----------
    name
        What was asked for.
    known
        What there is of the sort.
    noun
        The sort.
    """

    code = "decision-not-found"

    def __init__(self, *, name: str, known: tuple[str, ...], noun: str = "decision") -> None:
        self.known = known
        super().__init__(noun=noun, name=name, cure=f"The file has: {', '.join(known) or 'none'}.")


class DmnValueError(InvalidError):
    """
    A value that a decision needs is missing, or is not of the type that the decision declares.

    Parameters
    ----------
    decision
        The decision.
    problem
        Which value, and what is wrong with it.
    """

    code = "dmn-value"

    def __init__(self, *, decision: str, problem: str) -> None:
        self.decision, self.problem = decision, problem
        super().__init__(
            f"The decision {decision!r} cannot be taken: {problem}. "
            "Give another value, or correct the decision."
        )


class DmnConflictError(RefusedError):
    """
    Rules of one table contradict each other.

    Parameters
    ----------
    decision
        The decision.
    problem
        Which rules, and what they break.
    """

    code = "dmn-conflict"

    def __init__(self, *, decision: str, problem: str) -> None:
        self.decision, self.problem = decision, problem
        super().__init__(
            f"The decision {decision!r} contradicts itself: {problem}. Make the conditions of the rules exclude "
            "each other, or choose another hit policy."
        )
