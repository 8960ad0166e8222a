"""A place in the text of a regular expression that moves on, and what a wrong one raises."""

from __future__ import annotations

from typing import NoReturn

from pilothouse.feel.errors import FeelPatternError

MAXIMUM_NESTING = 50


class BadPatternError(ValueError):
    """
    The text is no regular expression; by the standard the call is null.

    Parameters
    ----------
    problem
        What is wrong with it.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


class Cursor:
    """
    Where reading stands.

    Parameters
    ----------
    text
        The regular expression, without the white space that does not count.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self._depth = 0

    @property
    def following(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.place : self.place + 1]

    def sees(self, *texts: str) -> bool:
        """Say whether one of these comes next."""
        return self.text.startswith(texts, self.place)

    def take(self) -> str:
        """
        Give the next character and go on.

        Raises
        ------
        BadPatternError
            At the end of the text.
        """
        if self.place >= len(self.text):
            raise BadPatternError("it ends too early")
        self.place += 1
        return self.text[self.place - 1]

    def accept(self, text: str) -> bool:
        """Go past a text if it comes next, and say whether it did."""
        found = self.text.startswith(text, self.place)
        self.place += len(text) * found
        return found

    def take_until(self, end: str) -> str:
        """
        Give what stands before a text, and go past that.

        Raises
        ------
        BadPatternError
            When it does not come.
        """
        found = self.text.find(end, self.place)
        if found < 0:
            raise BadPatternError(f"{end!r} is missing at its end")
        taken = self.text[self.place : found]
        self.place = found + len(end)
        return taken

    def enter(self) -> None:
        """
        Note that a group or class opens; `leave` takes it back.

        Raises
        ------
        FeelPatternError
            When too many are open.
        """
        self._depth += 1
        if self._depth > MAXIMUM_NESTING:
            self.refuse(f"more than {MAXIMUM_NESTING} groups or classes inside one another")

    def leave(self) -> None:
        """Note that a group or class closes."""
        self._depth -= 1

    def refuse(self, form: str) -> NoReturn:
        """
        Say that the expression uses what is not supported.

        Raises
        ------
        FeelPatternError
            Always.
        """
        raise FeelPatternError(pattern=self.text, form=form)
