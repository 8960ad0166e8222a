"""What reading test cases refuses."""

from __future__ import annotations

from pilothouse.domain.errors import InvalidError


class CaseFileError(InvalidError):
    """
    A file of test cases cannot be used as it is.

    Parameters
    ----------
    file
        The file's name.
    line
        The line, from 1; 0 for the file as a whole.
    problem
        What is wrong there.
    cure
        What to do about it.
    """

    code = "case-file-invalid"

    def __init__(self, *, file: str, line: int, problem: str, cure: str) -> None:
        self.file, self.line, self.problem, self.cure = file, line, problem, cure
        place = f", line {line}" if line else ""
        super().__init__(f"The test cases in {file}{place} cannot be used: {problem}. {cure}.")
