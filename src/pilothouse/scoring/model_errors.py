"""What can go wrong between a model folder and its answers. Standard library only: the child process reads it too."""

from __future__ import annotations

from pilothouse.domain.errors import (
    InvalidError,
    NotSupportedError,
    PilothouseError,
    RefusedError,
    UnavailableError,
)

LINE_LIMIT = 500


def shortened(text: str) -> str:
    """Give at most `LINE_LIMIT` characters of a text, with a mark where more was."""
    return text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 3] + "..."


class ModelLoadError(InvalidError):
    """The model could not be loaded; `exception` is the class that it raised, `line` its last line."""

    code = "model-load"

    def __init__(self, *, exception: str, line: str) -> None:
        self.exception, self.line = exception, shortened(line)
        super().__init__(
            f"The model cannot be loaded: {exception}: {shortened(line)}. Check the manifest's format, files, "
            "entry points and requirements with `pilothouse check`."
        )


class PickleRefusedError(RefusedError):
    """A pickle runs code of its author's choice when it is read."""

    code = "pickle-refused"

    def __init__(self, *, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path} is a pickle (or joblib) file, which runs any code when it is read. Save the model by "
            "`skops.io.dump(model, path)` and name that file."
        )


class TypesRefusedError(RefusedError):
    """A skops file holds types that policy does not grant."""

    code = "types-refused"

    def __init__(self, *, types: tuple[str, ...]) -> None:
        self.types = types
        super().__init__(
            f"The model holds types that policy does not grant: {shortened(', '.join(types))}. Build it from "
            "scikit-learn's own estimators, or ask an administrator to grant these types to the group."
        )


class PythonSourceRefusedError(RefusedError):
    """Policy does not grant the group models that bring Python source."""

    code = "python-source-refused"

    def __init__(self, *, format: str) -> None:
        self.format = format
        super().__init__(
            f"A model of format {format!r} runs Python source that it brings itself, and policy does not grant "
            "that. Use a data format such as sklearn (skops) or onnx, or ask an administrator for the grant."
        )


class ManifestUnfitError(InvalidError):
    """The manifest asks of a format what the format does not know."""

    code = "manifest-unfit"

    def __init__(self, *, format: str, path: str, problem: str) -> None:
        self.format, self.path, self.problem = format, path, problem
        super().__init__(f"At {path} of the manifest (format {format}): {problem}. Correct it.")


class LibraryMissingError(NotSupportedError):
    """The model's environment lacks the library that its format needs."""

    code = "library-missing"

    def __init__(self, *, format: str, library: str, package: str) -> None:
        self.format, self.library, self.package = format, library, package
        super().__init__(
            f"Format {format} needs the library {library}, which the model's environment lacks. Add "
            f"{package!r} to the manifest's requirements."
        )


class ModelFailedError(RefusedError):
    """The model raised while it was asked; `exception` is the class, `line` the last line of its message."""

    code = "model-failed"

    def __init__(self, *, exception: str, line: str) -> None:
        self.exception, self.line = exception, shortened(line)
        super().__init__(
            f"The model raised {exception}: {shortened(line)}. The input kept the model's contract, so correct "
            "the model or narrow its input schema."
        )


class ModelTimeoutError(UnavailableError):
    """The model took longer than its limit; its process was ended. `doing` is ``load``, ``score``, ``metrics`` or ``train``."""

    code = "model-timeout"

    def __init__(self, *, doing: str, timeout_s: float) -> None:
        self.doing, self.timeout_s = doing, timeout_s
        super().__init__(
            f"The model did not finish its {doing} within {timeout_s:g} s, and its process was ended. Ask for "
            "fewer rows at once, or raise the deployment's limit."
        )


class ModelDiedError(UnavailableError):
    """The model's process ended; `exit` says how (``exit 3``, ``SIGKILL``), `log` has its last lines."""

    code = "model-died"

    def __init__(self, *, exit: str, log: str) -> None:
        self.exit, self.log = exit, log
        last = shortened(log.strip().rpartition("\n")[2])
        super().__init__(
            f"The model's process ended ({exit}){': ' + last if last else ''}. It may have passed its memory "
            "limit or left by itself; read its log, correct the model or raise the limit."
        )


class BlockTooLargeError(InvalidError):
    """More was sent to a model at once than a frame holds."""

    code = "block-too-large"

    def __init__(self, *, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        super().__init__(
            f"These rows take more than {limit_bytes} bytes together. Ask for fewer rows at once."
        )


class OutputInvalidError(RefusedError):
    """The model's answer breaks its output schema; `problems` has the first ten, `count` how many there are."""

    code = "output-invalid"

    def __init__(self, *, problems: tuple[str, ...], count: int) -> None:
        self.problems, self.count = tuple(shortened(p) for p in problems[:10]), count
        super().__init__(
            f"The model's answer breaks its output schema in {count} places, first: {self.problems[0]}. "
            "Correct the model, or the manifest's outputs."
        )


class MetricsMissingError(NotSupportedError):
    """The model brings no metrics of its own."""

    code = "metrics-missing"

    def __init__(self, *, model: str) -> None:
        self.model = model
        super().__init__(
            f"Model {model} has no 'metrics' entry point. Name one in the manifest, or use the platform's metrics."
        )


class RequirementRefusedError(InvalidError):
    """A requirement is not a named package."""

    code = "requirement-refused"

    def __init__(self, *, requirement: str) -> None:
        self.requirement = shortened(requirement)
        super().__init__(
            f"Requirement {shortened(requirement)!r} is refused: only packages by name with versions, extras and "
            "markers are taken ('scikit-learn==1.9.1'), no options, addresses or paths."
        )


class LockFailedError(InvalidError):
    """Requirements could not be resolved; `log` has the resolver's last lines."""

    code = "lock-failed"

    def __init__(self, *, log: str) -> None:
        self.log = log[-2000:]
        super().__init__(
            f"The requirements cannot be locked: {log[-2000:].strip()}\nOnly wheels are taken. Correct the "
            "manifest's requirements, or bring a requirements.lock with hashes."
        )


class LockInvalidError(InvalidError):
    """A lock holds something else than exact versions with hashes."""

    code = "lock-invalid"

    def __init__(self, *, line: int, problem: str) -> None:
        self.line, self.problem = line, problem
        super().__init__(
            f"Line {line} of the requirements lock: {problem}. Make it by `uv pip compile --generate-hashes "
            "--no-emit-index-url`, or leave it out and let the platform lock."
        )


class PythonMissingError(NotSupportedError):
    """This machine lacks the Python version that a snapshot was locked for."""

    code = "python-missing"

    def __init__(self, *, python: str) -> None:
        self.python = python
        super().__init__(
            f"This machine has no Python {python}. Install it, or take the snapshot with a version that the "
            "runtimes have."
        )


class EnvironmentFailedError(UnavailableError):
    """An environment could not be built; `log` has the installer's last lines."""

    code = "environment-failed"

    def __init__(self, *, digest: str, log: str) -> None:
        self.digest, self.log = digest, log[-2000:]
        super().__init__(
            f"The environment of lock {digest[:12]} cannot be built: {log[-2000:].strip()}\nSee that the package "
            "index can be reached and has these files, then try again.",
            retry_after_s=30.0,
        )


class PackageInvalidError(InvalidError):
    """An artefact that should describe a snapshot does not."""

    code = "package-invalid"

    def __init__(self, *, digest: str, problem: str) -> None:
        self.digest, self.problem = digest, shortened(problem)
        super().__init__(
            f"Artefact {digest} is not a snapshot: {shortened(problem)}. Name a snapshot's digest."
        )


CHILD_ERRORS: dict[str, type[PilothouseError]] = {
    kind.code: kind
    for kind in (
        PickleRefusedError,
        TypesRefusedError,
        PythonSourceRefusedError,
        ManifestUnfitError,
        LibraryMissingError,
    )
}
"""The errors that a child may hand to its parent by code and fields."""
