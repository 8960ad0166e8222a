"""Where the parser stands in its tokens, and the guards against text that nests without end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.tokens import Token, TokenKind, syntax_error, tokenize

if TYPE_CHECKING:
    from pilothouse.feel.errors import FeelSyntaxError
    from pilothouse.feel.syntax import Expr, Test

MAXIMUM_NESTING = 100
"""How deep brackets, bodies and operators may nest."""

_BETWEEN_OPERANDS = frozenset(
    {"and", "or", "in", "between", "instance", "then", "else", "return", "satisfies", "of"}
)
_MAXIMUM_CALLS = 120  # of the parser's own recursion, three frames of Python each


class Cursor:
    """
    A place in the tokens of a text.

    Parameters
    ----------
    text
        The text, at most 10,000 characters.

    Raises
    ------
    FeelSyntaxError
        When the text has no tokens.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(tokenize(text))
        self.index = 0
        self._nesting = -1  # the text itself is no level
        self._calls = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.index]

    def at_sign(self, *signs: str) -> bool:
        """Say whether one of these signs comes next."""
        token = self.tokens[self.index]
        return token.kind is TokenKind.SIGN and token.text in signs

    def at_word(self, *words: str) -> bool:
        """Say whether one of these keywords comes next."""
        token = self.tokens[self.index]
        return token.kind is TokenKind.NAME and token.text in words

    def advance(self) -> Token:
        """Take the next token."""
        token = self.tokens[self.index]
        self.index += 1
        return token

    def accept(self, sign: str) -> bool:
        """Take the sign if it comes next."""
        found = self.at_sign(sign)
        self.index += found
        return found

    def follows(self, sign: str) -> bool:
        """Say whether the sign comes after the next token."""
        after = self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        return after.kind is TokenKind.SIGN and after.text == sign

    def operand_follows(self, *brackets: str) -> bool:
        """
        Say whether an operand may begin after the next token.

        Parameters
        ----------
        brackets
            The signs that count as the beginning of one.
        """
        after = self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        match after.kind:
            case TokenKind.SIGN:
                return after.text in brackets
            case TokenKind.NAME:
                return after.text not in _BETWEEN_OPERANDS
            case TokenKind.END:
                return False
            case TokenKind.NUMBER | TokenKind.TEXT | TokenKind.MOMENT:
                return True

    def close_angle(self) -> None:
        """
        Take the ``>`` that closes a type; of ``>=`` its first half.

        Raises
        ------
        FeelSyntaxError
            When something else comes next.
        """
        token = self.token
        if self.at_sign(">="):
            self.tokens[self.index] = Token(token.kind, "=", token.start + 1, token.end)
        else:
            self.expect(">")

    def accept_word(self, word: str) -> bool:
        """Take the keyword if it comes next."""
        found = self.at_word(word)
        self.index += found
        return found

    def expect(self, sign: str) -> Token:
        """
        Take the sign.

        Raises
        ------
        FeelSyntaxError
            When something else comes next.
        """
        if not self.at_sign(sign):
            raise self.failure(f"{sign!r}")
        return self.advance()

    def expect_word(self, word: str) -> Token:
        """
        Take the keyword.

        Raises
        ------
        FeelSyntaxError
            When something else comes next.
        """
        if not self.at_word(word):
            raise self.failure(f"{word!r}")
        return self.advance()

    def expect_end(self) -> None:
        """
        Make sure that nothing is left.

        Raises
        ------
        FeelSyntaxError
            When something is.
        """
        if self.token.kind is not TokenKind.END:
            raise self.failure("an operator or the end of the expression")

    def failure(self, expected: str, *, token: Token | None = None) -> FeelSyntaxError:
        """
        Make the error for a token, by default for the next one.

        Parameters
        ----------
        expected
            What could stand there.
        token
            Another token than the next one.
        """
        at = token or self.token
        found = "the end of the text"
        if at.kind is not TokenKind.END:
            found = repr(self.text[at.start : min(at.end, at.start + 40)])
        return syntax_error(self.text, at.start, found=found, expected=expected)

    def restart(self) -> None:
        """Go back to the first token."""
        self.tokens = list(tokenize(self.text))
        self.index = 0

    def descend(self) -> None:
        """Note one more level of nesting; `ascend` takes it back."""
        self._nesting += 1
        if self._nesting > MAXIMUM_NESTING:
            raise self.failure(f"at most {MAXIMUM_NESTING} levels of nesting")

    def ascend(self) -> None:
        """Note one level of nesting less."""
        self._nesting -= 1

    def call(self) -> None:
        """Note one more recursion of the parser; `done` takes it back."""
        self._calls += 1
        if self._calls > _MAXIMUM_CALLS:
            raise self.failure(f"at most {MAXIMUM_NESTING} levels of nesting")

    def done(self) -> None:
        """Note one recursion less."""
        self._calls -= 1

    def above(self, *children: Expr | Test) -> int:
        """
        Give the height of a node over these children.

        Raises
        ------
        FeelSyntaxError
            When the tree would be too high to be walked safely.
        """
        height = 1 + max((child.height for child in children), default=0)
        if height > MAXIMUM_NESTING + 10:
            raise self.failure(f"at most {MAXIMUM_NESTING} levels of nesting")
        return height
