"""
From the tree of a regular expression to the steps that search for it.

Steps are made from the last to the first, so that each knows the one after it. Repetitions with counts are written
out, but for those of single characters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.feel.patterns import steps
from pilothouse.feel.patterns.characters import Characters, exactly, union
from pilothouse.feel.patterns.syntax import (
    Anchor,
    Choice,
    Group,
    Literal,
    Node,
    One,
    Recall,
    Repeat,
    Sequence,
    first_of,
    joined,
    may_be_empty,
)

if TYPE_CHECKING:
    from pilothouse.feel.patterns.run import Run, Step

Opening = tuple[Characters, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    A step, and what is known of the text that it can take.

    Parameters
    ----------
    step
        Its index.
    opening
        Sets of which one holds the next character if the step is to lead to a match; None where nothing is known.
    """

    step: int
    opening: Opening = None

    @property
    def guard(self) -> Characters | None:
        """The next character's set, where it is known."""
        return None if self.opening is None else union(self.opening)


@dataclass(slots=True, kw_only=True)
class Program:
    """
    The steps of one expression, as they are made.

    Parameters
    ----------
    code
        The steps.
    rows
        How many rows of a run's memory they use.
    """

    code: list[Step] = field(default_factory=list)
    rows: int = 0

    def place(self, node: Node, *, after: Place, depth: int) -> Place:
        """
        Make the steps of a part.

        Parameters
        ----------
        node
            The part.
        after
            What follows it.
        depth
            How many loops stand around it.
        """
        match node:
            case Literal(text=text):
                made = self._enter(steps.literal(text, after=after.step, depth=depth))
                return Place(step=made, opening=(exactly(text[0]),))
            case One(characters=characters):
                made = self._enter(steps.one(characters, after=after.step, depth=depth))
                return Place(step=made, opening=(characters,))
            case Anchor(stand=stand):
                made = self._enter(steps.anchor(stand, after=after.step))
                return Place(step=made, opening=after.opening)
            case Sequence(parts=parts):
                return self._sequence(parts, after=after, depth=depth)
            case Choice(branches=branches):
                return self._choice(branches, after=after, depth=depth)
            case _:
                return self._place_other(node, after=after, depth=depth)

    def _place_other(self, node: Recall | Group | Repeat, *, after: Place, depth: int) -> Place:
        match node:
            case Recall(group=group, blind=blind):
                again = steps.recall(group, blind=blind, after=after.step, depth=depth)
                return Place(step=self._enter(again))
            case Group(number=number, part=part):
                end = self._mark(2 * number + 1, after=after)
                start = self.place(part, after=end, depth=depth)
                return self._mark(2 * number, after=start)
            case Repeat(part=One(characters=characters)):
                return self._many(node, characters, after=after, depth=depth)
            case Repeat():
                return self._repeat(node, after=after, depth=depth)

    def enter_found(self) -> Place:
        """Make the step that ends the search."""
        return Place(step=self._enter(steps.found()))

    def _enter(self, step: Step) -> int:
        self.code.append(step)
        return len(self.code) - 1

    def _reserve(self) -> int:
        """Keep an index for a step that others must know before it can be made."""
        return self._enter(_unmade)

    def _row(self, depth: int) -> int:
        self.rows += depth + 1
        return self.rows - depth - 1

    def _mark(self, slot: int, *, after: Place) -> Place:
        made = self._enter(steps.mark(slot, after=after.step))
        return Place(step=made, opening=after.opening)

    def _fork(self, *targets: Place, depth: int) -> Place:
        made = self._enter(steps.fork(tuple(t.step for t in targets), row=self._row(depth)))
        return Place(step=made, opening=joined(*(t.opening for t in targets)))

    def _sequence(self, parts: tuple[Node, ...], *, after: Place, depth: int) -> Place:
        for part in reversed(parts):
            after = self.place(part, after=after, depth=depth)
        return after

    def _choice(self, branches: tuple[Node, ...], *, after: Place, depth: int) -> Place:
        # What follows is tried once at each place, however many branches lead there.
        join = self._fork(after, depth=depth)
        return self._fork(
            *(self.place(branch, after=join, depth=depth) for branch in branches), depth=depth
        )

    def _repeat(self, node: Repeat, *, after: Place, depth: int) -> Place:
        if node.most is None:
            after = self._loop(node, after=after, depth=depth)
        else:
            after = self._turns(node, node.most - node.least, after=after, depth=depth)
        return self._sequence((node.part,) * node.least, after=after, depth=depth)

    def _turns(self, node: Repeat, count: int, *, after: Place, depth: int) -> Place:
        """Make the steps of turns that may be left out."""
        end = after
        for _ in range(count):
            turn = self._turn(node.part, after, end=end, depth=depth)
            after = self._fork(*_ordered(turn, end, node), depth=depth)
        return after

    def _loop(self, node: Repeat, *, after: Place, depth: int) -> Place:
        row, opening = self._row(depth), joined(first_of(node.part), after.opening)
        loop = Place(step=self._reserve(), opening=opening)
        turn = self._turn(node.part, loop, end=after, depth=depth)
        targets = tuple(place.step for place in _ordered(turn, after, node))
        self.code[loop.step] = steps.fork(targets, row=row)
        return loop

    def _turn(self, part: Node, again: Place, *, end: Place, depth: int) -> Place:
        """Make the steps of a turn, after which others follow unless it took nothing."""
        if not may_be_empty(part):
            return self.place(part, after=again, depth=depth)
        step = steps.turn_end(again.step, after=end.step, outer=depth)
        return self.place(part, after=Place(step=self._enter(step)), depth=depth + 1)

    def _many(self, node: Repeat, characters: Characters, *, after: Place, depth: int) -> Place:
        """Make the steps that take many characters of a set."""
        if node.most is None or (node.greedy and node.most > node.least + 1):
            after = self._span(node, characters, after=after, depth=depth)
        elif node.most > node.least:
            optional = Repeat(
                part=Sequence(parts=(node.part,)),
                least=0,
                most=node.most - node.least,
                greedy=node.greedy,
            )
            after = self._repeat(optional, after=after, depth=depth)
        if node.least == 0:
            return after
        step = steps.exactly(characters, count=node.least, after=after.step, depth=depth)
        return Place(step=self._enter(step), opening=(characters,))

    def _span(self, node: Repeat, characters: Characters, *, after: Place, depth: int) -> Place:
        opening = joined((characters,), after.opening)
        if not node.greedy:
            return self._creep(characters, opening, after=after, depth=depth)
        row, itself = self._row(depth), self._reserve()
        most = None if node.most is None else node.most - node.least
        self.code[itself] = steps.retreat(
            itself,
            guard=after.guard,
            after=after.step,
            row=row if most is None else None,
            depth=depth,
        )
        step = steps.sweep(characters, most=most, retreat=itself, row=row, depth=depth)
        return Place(step=self._enter(step), opening=opening)

    def _creep(
        self, characters: Characters, opening: Opening, *, after: Place, depth: int
    ) -> Place:
        itself = self._reserve()
        self.code[itself] = steps.creep(
            itself,
            characters,
            guard=after.guard,
            after=after.step,
            row=self._row(depth),
            depth=depth,
        )
        return Place(step=itself, opening=opening)


def _ordered(turn: Place, end: Place, node: Repeat) -> tuple[Place, Place]:
    return (turn, end) if node.greedy else (end, turn)


def _unmade(run: Run, place: int, progress: int, captures: object) -> None:
    raise AssertionError("a step was kept and not made")
