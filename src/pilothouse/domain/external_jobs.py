"""External jobs: steps of life cycles that workers outside the platform fetch, do and report on."""

from __future__ import annotations

from pilothouse.domain.errors import InvalidError, RefusedError

LONGEST_TOPIC = 200
LONGEST_WORKER = 100
SHORTEST_LOCK_S, LONGEST_LOCK_S = 1.0, 86_400.0
LONGEST_WAIT_S = 20.0
"""How long a fetch may wait for jobs; proxies hang up on what is silent for longer."""
MOST_TOPICS, MOST_JOBS = 100, 100
LONGEST_PAUSE_S = 366 * 86_400.0


class TopicInvalidError(InvalidError):
    """A text cannot be a topic."""

    code = "topic-invalid"

    def __init__(self, *, topic: str) -> None:
        self.topic = topic[:LONGEST_TOPIC]
        super().__init__(
            f"{topic[:LONGEST_TOPIC]!r} cannot be a topic: it has 1 to {LONGEST_TOPIC} printable characters and no "
            "blanks around them. Use the type of the service task, letter by letter."
        )


class TopicTakenError(RefusedError):
    """A topic that a task type of the platform works on is to be given to workers outside it."""

    code = "topic-taken"

    def __init__(self, *, topics: tuple[str, ...]) -> None:
        self.topics = topics
        super().__init__(
            f"The platform itself works on {', '.join(topics)}. Name the steps of your own workers otherwise."
        )


class TopicNotExternalError(RefusedError):
    """A worker asks for jobs of a topic that its group does not give to workers outside the platform."""

    code = "topic-not-external"

    def __init__(self, *, topics: tuple[str, ...], group: str, allowed: tuple[str, ...]) -> None:
        self.topics, self.group, self.allowed = topics, group, allowed
        super().__init__(
            f"The group {group} does not give {', '.join(topics)} to workers outside the platform; it gives "
            f"{', '.join(allowed) or 'nothing'}. Ask an administrator: `pilothouse groups policy {group} "
            f"--external-topic {topics[0]}`."
        )


class JobNotHeldError(RefusedError):
    """A worker reports on a job that it does not hold, or holds no more."""

    code = "job-not-held"

    def __init__(self, *, job: str, worker: str, attempt: int) -> None:
        self.job, self.worker, self.attempt = job, worker, attempt
        super().__init__(
            f"The worker {worker} does not hold attempt {attempt} of job {job}: its lock ended and another one has "
            "the job, or the job is over. Drop the work and fetch again."
        )


class RetriesRaisedError(InvalidError):
    """A worker leaves more tries to a failed job than the life cycle does."""

    code = "retries-raised"

    def __init__(self, *, job: str, retries: int, left: int) -> None:
        self.job, self.retries, self.left = job, retries, left
        super().__init__(
            f"After this failure job {job} has {left} tries left, and not {retries}. Give 0 to {left}, or leave it "
            "out; more are drawn in the life cycle."
        )


def check_topic(topic: str) -> str:
    """
    Give a topic back.

    Raises
    ------
    TopicInvalidError
        When no service task could ask for it.

    Examples
    --------
    >>> check_topic("acme:credit check")
    'acme:credit check'
    """
    if not 1 <= len(topic) <= LONGEST_TOPIC or not topic.isprintable() or topic != topic.strip():
        raise TopicInvalidError(topic=topic)
    return topic
