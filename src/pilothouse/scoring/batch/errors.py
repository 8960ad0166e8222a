"""What can go wrong with a job as a whole."""

from __future__ import annotations

from pilothouse.domain.errors import (
    InvalidError,
    NotSupportedError,
    RefusedError,
    UnavailableError,
)


class JobCancelledError(RefusedError):
    """The job was told to stop, and stopped."""

    code = "job-cancelled"

    def __init__(self, *, job: str) -> None:
        self.job = job
        super().__init__(
            f"Job {job} was cancelled and left no output. Order a new one if it is still wanted."
        )


class JobBusyError(RefusedError):
    """Another process runs this job."""

    code = "job-busy"

    def __init__(self, *, home: str) -> None:
        self.home = home
        super().__init__(
            f"Another process holds the job in {home}. Leave it to finish or cancel it."
        )


class JobKindError(NotSupportedError):
    """The batch runner does not run jobs of this kind."""

    code = "job-kind-unsupported"

    def __init__(self, *, kind: str) -> None:
        self.kind = kind
        super().__init__(
            f"The batch runner has no jobs of kind {kind}. Order 'score', 'metrics' or 'train'."
        )


class SourceMissingError(InvalidError):
    """A job has nothing to read."""

    code = "job-without-source"

    def __init__(self, *, job: str) -> None:
        self.job = job
        super().__init__(f"Job {job} names no file to read. Order it with a dataset or a source.")


class TargetMissingError(InvalidError):
    """A scoring job has nowhere to write."""

    code = "target-missing"

    def __init__(self, *, job: str) -> None:
        self.job = job
        super().__init__(
            f"Job {job} scores a file and names no target. Name one as 'location:path'."
        )


class OutputExistsError(RefusedError):
    """The output folder is there already and is not this job's."""

    code = "output-exists"

    def __init__(self, *, root: str, path: str) -> None:
        self.root, self.path = root, path
        super().__init__(
            f"{path!r} exists already below {root} and was not written by this job. Nothing was changed; name "
            "another target, or remove it first."
        )


class SourceDigestError(InvalidError):
    """The input file is not the one that the order names."""

    code = "source-digest"

    def __init__(self, *, path: str, expected: str, found: str) -> None:
        self.path, self.expected, self.found = path, expected, found
        super().__init__(
            f"The file {path!r} has SHA-256 {found}, and the order names {expected}: it was changed or cut short. "
            "Restore it, or order the job for the file as it is."
        )


class SourceChangedError(UnavailableError):
    """The input file was written to while the job read it."""

    code = "source-changed"

    def __init__(self, *, path: str) -> None:
        self.path = path
        super().__init__(
            f"The file {path!r} was changed while it was read, so nothing was published. Order the job again once "
            "nobody writes to it."
        )


class LabelMissingError(InvalidError):
    """Metrics need the truth, and nobody says which column has it."""

    code = "label-missing"

    def __init__(self, *, snapshot: str) -> None:
        self.snapshot = snapshot
        super().__init__(
            f"Metrics of {snapshot} need a label: name its column in the order, or give a column of the input "
            "schema the role 'label'."
        )


class ColumnUntypedError(InvalidError):
    """A column is asked for whose type neither the schema nor the file tells."""

    code = "column-untyped"

    def __init__(self, *, column: str) -> None:
        self.column = column
        super().__init__(
            f"Neither the input schema nor the file says what type column {column!r} has. Add it to the schema "
            "(role 'non_predictor' or 'label')."
        )


class ColumnsCollideError(InvalidError):
    """Two columns of the output would have one name."""

    code = "columns-collide"

    def __init__(self, *, columns: tuple[str, ...]) -> None:
        self.columns = columns
        super().__init__(
            f"The model's outputs and the columns passed through share the names {', '.join(columns)}. Leave them "
            "out of the order's columns, or rename the outputs."
        )


class MetricsTooLargeError(InvalidError):
    """The model's own metrics need the whole table at once, and it does not fit."""

    code = "metrics-too-large"

    def __init__(self, *, cells: int, limit: int) -> None:
        self.cells, self.limit = cells, limit
        super().__init__(
            f"The model's own 'metrics' entry point needs the whole table at once, and that has more than {limit} "
            "cells. Measure a sample, or leave the entry point out."
        )


class MetricNameError(InvalidError):
    """The model's own metrics use a name that they may not."""

    code = "metric-name"

    def __init__(self, *, name: str) -> None:
        self.name = name[:80]
        super().__init__(
            f"The model's 'metrics' entry point answered with a metric named {name[:80]!r}: names are lower-case "
            "letters, digits and underscores, starting with a letter. Rename it in the model's source."
        )


class StorageFailedError(UnavailableError):
    """The disk refused."""

    code = "storage-failed"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"Reading or writing failed: {problem}. Nothing was published; make room or mend the folder, then "
            "order the job again."
        )
