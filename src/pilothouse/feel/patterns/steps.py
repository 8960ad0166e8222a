"""
The steps of a program.

Each maker takes the index of the step that comes after, and what else its step needs to know. `depth` is how many
loops stand around the step: after a character was taken, all of them have made progress.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.patterns.characters import Characters, variants
from pilothouse.feel.patterns.run import stride_over
from pilothouse.feel.patterns.syntax import Stand

if TYPE_CHECKING:
    from pilothouse.feel.patterns.run import Captures, Run, Step

_FEW = 3


def found() -> Step:
    """Make the step that ends the search."""

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        run.end, run.captures = place, captures
        run.waiting.clear()

    return step


def literal(text: str, *, after: int, depth: int) -> Step:
    """Make the step that takes a text."""
    length = len(text)

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        if run.text.startswith(text, place):
            run.waiting.append((after, place + length, depth, captures))

    return step


def one(characters: Characters, *, after: int, depth: int) -> Step:
    """Make the step that takes one character of a set."""
    heavy = characters.weight > 1

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        if heavy:
            run.owe_characters(1, characters.weight)
        if place < run.size and characters[run.text[place]]:
            run.waiting.append((after, place + 1, depth, captures))

    return step


def exactly(characters: Characters, *, count: int, after: int, depth: int) -> Step:
    """Make the step that takes a number of characters of a set."""

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        end = place + count
        if end > run.size:
            return
        if run.span(characters, start=place, limit=end, inside=True) == end:
            run.waiting.append((after, end, depth, captures))

    return step


def anchor(stand: Stand, *, after: int) -> Step:
    """Make the step that holds only at some places."""

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        if _stands(stand, run, place):
            run.waiting.append((after, place, progress, captures))

    return step


def _stands(stand: Stand, run: Run, place: int) -> bool:
    match stand:
        case Stand.TEXT_START:
            return place == 0
        case Stand.TEXT_END:
            return place == run.size
        case Stand.LINE_START:
            # A newline at the very end of the text starts no line.
            return place == 0 or (place < run.size and run.text[place - 1] == "\n")
        case Stand.LINE_END:
            return _ends_line(run, place)


def _ends_line(run: Run, place: int) -> bool:
    if place < run.size:
        return run.text[place] == "\n"
    return place == 0 or run.text[place - 1] != "\n"


def fork(targets: tuple[int, ...], *, row: int) -> Step:
    """Make the step that tries several ways, the first one first."""
    backwards = targets[::-1]
    many = len(targets) if len(targets) > _FEW else 0

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        failed = run.failed[row + progress]
        if place in failed:
            return
        failed.add(place)
        if many:
            run.owe(many)
        for target in backwards:
            run.waiting.append((target, place, progress, captures))

    return step


def turn_end(loop: int, *, after: int, outer: int) -> Step:
    """Make the step at the end of a loop's turn: another turn follows only if this one took a character."""

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        if progress > outer:
            run.waiting.append((loop, place, outer, captures))
        else:
            run.waiting.append((after, place, progress, captures))

    return step


def mark(slot: int, *, after: int) -> Step:
    """Make the step that notes where a group starts or ends."""

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        run.waiting.append((after, place, progress, (slot, place, captures)))

    return step


def sweep(characters: Characters, *, most: int | None, retreat: int, row: int, depth: int) -> Step:
    """
    Make the step that takes as many characters of a set as it can, and leaves it to `retreat` to give back.

    `row` is where `retreat` remembers; without an end (`most` is None) what it gave back in vain before need not be
    taken again.
    """

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        failed = run.failed[row + progress]
        if place in failed:
            return
        if most is None:
            end = _reach_fresh(run, characters, place, run.failed[row + depth])
        else:
            failed.add(place)
            limit = min(run.size, place + most)
            end = run.span(characters, start=place, limit=limit, inside=True)
        run.waiting.append((retreat, end, progress, (place, 0, captures)))

    return step


def _reach_fresh(run: Run, characters: Characters, place: int, failed: set[int]) -> int:
    """Go on until the next character is not in the set, or all from the next place on failed before."""
    text, size, at, weight = run.text, run.size, place, characters.weight
    stride = stride_over(characters)
    while True:
        first, stop = at, min(size, at + stride)
        while at < stop and characters[text[at]] and at + 1 not in failed:
            at += 1
        run.owe_characters(at - first, weight)
        if at < stop or at == size:
            return at


def retreat(
    itself: int, *, guard: Characters | None, after: int, row: int | None, depth: int
) -> Step:
    """
    Make the step that tries what comes after a sweep, and then with one character less, down to where it began.

    Parameters
    ----------
    itself
        The index of the step.
    guard
        What the next character must be for that which comes after, where it is known.
    after
        What comes after.
    row
        Where it remembers; None for a sweep with an end.
    depth
        How many loops stand around it.
    """

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        assert captures is not None  # noqa: S101 the sweep before it put its start there
        low, _, before = captures
        high = place if guard is None else _guarded(run, guard, low, place)
        if row is not None:
            run.failed[row + depth].update(range(max(high, low + 1), place + 1))
            if high <= low:
                run.failed[row + progress].add(low)
        if high > low:
            run.waiting.append((itself, high - 1, progress, captures))
        if high >= low:
            now = progress if high == low else depth
            run.waiting.append((after, high, now, before))

    return step


def _guarded(run: Run, guard: Characters, low: int, high: int) -> int:
    """Go back to a place that the guard lets pass; below `low` where there is none."""
    text, at, weight = run.text, high, guard.weight
    stride = stride_over(guard)
    if at == run.size:
        at -= 1
    while at >= low:
        first, stop = at, max(low, at - stride)
        while at >= stop and not guard[text[at]]:
            at -= 1
        run.owe_characters(first - at, weight)
        if at >= stop:
            break
    return at


def creep(
    itself: int,
    characters: Characters,
    *,
    guard: Characters | None,
    after: int,
    row: int,
    depth: int,
) -> Step:
    """Make the step that takes as few characters of a set as it can, without an end; see `retreat`."""

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        failed = run.failed[row + progress]
        if place in failed:
            return
        failed.add(place)
        if place < run.size and characters[run.text[place]]:
            run.waiting.append((itself, place + 1, depth, captures))
        if guard is None or (place < run.size and guard[run.text[place]]):
            run.waiting.append((after, place, progress, captures))

    return step


def recall(group: int, *, blind: bool, after: int, depth: int) -> Step:
    """Make the step that takes the text of a group again; nothing where the group has none."""

    def step(run: Run, place: int, progress: int, captures: Captures) -> None:
        start, end = taken_by(group, captures, run)
        if start == end:
            run.waiting.append((after, place, progress, captures))
        elif _repeated(run, start, end, place, blind=blind):
            run.waiting.append((after, place + end - start, depth, captures))

    return step


def taken_by(group: int, captures: Captures, run: Run) -> tuple[int, int]:
    """Find the start and the end of what a group took last; two equal places where it took nothing."""
    end, walked = -1, 0
    while captures is not None:
        slot, place, captures = captures
        walked += 1
        if end < 0 and slot == 2 * group + 1:
            end = place
        elif end >= 0 and slot == 2 * group:
            run.owe_characters(walked)
            return place, end
    run.owe_characters(walked)
    return 0, 0


def _repeated(run: Run, start: int, end: int, place: int, *, blind: bool) -> bool:
    text, length = run.text, end - start
    run.owe_characters(length)
    if text[start:end] == text[place : place + length]:
        return True
    if not blind or place + length > run.size:
        return False
    return all(text[start + i] in variants(text[place + i]) for i in range(length))
