"""Who may do what: roles, the actions they allow, grants per group and stage, and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.errors import DeniedError, RefusedError
from pilothouse.domain.ids import GroupName, PersonId, ServiceTag, StageName, TokenId

EVERY_GROUP = GroupName("*")


class Role(StrEnum):
    """What somebody is in a group."""

    ADMINISTRATOR = "administrator"
    MODEL_OWNER = "model-owner"
    VALIDATOR = "validator"
    OPERATOR = "operator"
    DATA_STEWARD = "data-steward"
    BUSINESS_OWNER = "business-owner"
    AUDITOR = "auditor"
    CONSUMER = "consumer"
    WORKER = "worker"


class Action(StrEnum):
    """What can be asked of Pilothouse."""

    READ = "read"
    ADMINISTER = "administer"  # groups, people, grants, policies, stages
    REGISTER_MODEL = "register-model"
    TAKE_SNAPSHOT = "take-snapshot"
    TAG_SNAPSHOT = "tag-snapshot"
    MANAGE_DATASET = "manage-dataset"
    MANAGE_SERVICE = "manage-service"
    MANAGE_RUNTIME = "manage-runtime"
    MANAGE_LOCATION = "manage-location"
    DEPLOY = "deploy"
    RUN_JOB = "run-job"
    UPLOAD_LIFECYCLE = "upload-lifecycle"
    START_RUN = "start-run"
    OPERATE_RUN = "operate-run"
    DO_TASK = "do-task"
    READ_AUDIT = "read-audit"
    ISSUE_SCORING_TOKEN = "issue-scoring-token"  # noqa: S105 the name of an action
    WORK_ON_JOBS = "work-on-jobs"


_OWNER = {
    Action.READ,
    Action.REGISTER_MODEL,
    Action.TAKE_SNAPSHOT,
    Action.TAG_SNAPSHOT,
    Action.MANAGE_DATASET,
    Action.RUN_JOB,
    Action.START_RUN,
    Action.DO_TASK,
}
_OPERATOR = {
    Action.READ,
    Action.MANAGE_SERVICE,
    Action.MANAGE_RUNTIME,
    Action.MANAGE_LOCATION,
    Action.DEPLOY,
    Action.RUN_JOB,
    Action.UPLOAD_LIFECYCLE,
    Action.START_RUN,
    Action.OPERATE_RUN,
    Action.DO_TASK,
    Action.ISSUE_SCORING_TOKEN,
}
ALLOWED: Mapping[Role, frozenset[Action]] = {
    Role.ADMINISTRATOR: frozenset(Action),
    Role.MODEL_OWNER: frozenset(_OWNER),
    Role.VALIDATOR: frozenset({Action.READ, Action.RUN_JOB, Action.DO_TASK, Action.READ_AUDIT}),
    Role.OPERATOR: frozenset(_OPERATOR),
    Role.DATA_STEWARD: frozenset(
        {Action.READ, Action.MANAGE_DATASET, Action.MANAGE_LOCATION, Action.DO_TASK}
    ),
    Role.BUSINESS_OWNER: frozenset({Action.READ, Action.MANAGE_SERVICE, Action.DO_TASK}),
    Role.AUDITOR: frozenset({Action.READ, Action.READ_AUDIT}),
    Role.CONSUMER: frozenset(),
    Role.WORKER: frozenset({Action.WORK_ON_JOBS}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role of a person in a group (or in every group, ``*``), in one stage or in all."""

    id: str
    person_id: PersonId
    group: GroupName
    role: Role
    stage: StageName | None
    granted_at: datetime
    granted_by: PersonId
    ended_at: datetime | None = None
    version: int = 1


class ActionDeniedError(DeniedError):
    """The caller's roles do not allow the action in this group and stage."""

    code = "action-denied"

    def __init__(
        self, *, person: str, action: Action, group: GroupName, stage: StageName | None
    ) -> None:
        self.person, self.action, self.group, self.stage = person, action, group, stage
        where = f"group {group}" + (f" in {stage}" if stage else " as a whole")
        roles = ", ".join(r.value for r, allowed in ALLOWED.items() if action in allowed)
        super().__init__(
            f"{person} may not {action.value} in {where}. Ask an administrator for one of the roles {roles}."
        )


class LastAdministratorError(RefusedError):
    """Nobody would be left who can administer every group."""

    code = "last-administrator"

    def __init__(self, *, person: PersonId) -> None:
        self.person = person
        super().__init__(
            f"{person} is the last one who administers every group. Give somebody else that role first: "
            "`pilothouse people grant NAME administrator --group '*'`."
        )


class KeyReusedError(RefusedError):
    """An idempotency key comes with another request than the first time."""

    code = "idempotency-key-reused"

    def __init__(self, *, key: str) -> None:
        self.key = key
        super().__init__(
            f"Idempotency-Key {key!r} was used for another request before. Use a new key for a new request."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedCall:
    """A call that may be repeated: the caller's key (1 to 200 characters) and the digest of what was asked."""

    key: str
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """
    Who is asking, with the roles that count now, and why.

    `cause` names what made a machine act (``run run_01J…``), empty for a person's own call. `call` is set
    where the caller asked, by a key of its own, that repeating the call shall change nothing.
    """

    person_id: PersonId
    name: str
    grants: tuple[Grant, ...]
    token_id: TokenId | None = None
    cause: str = ""
    call: KeyedCall | None = None

    def may(self, action: Action, *, group: GroupName, stage: StageName | None = None) -> bool:
        """
        Whether a role of this person allows the action there.

        A role in one stage allows what is done in that stage, and to read in its group; what concerns the
        group as a whole, its tasks and approvals among it, needs the role in all stages.
        """
        return any(
            action in ALLOWED[g.role]
            and g.group in (group, EVERY_GROUP)
            and (g.stage in (None, stage) or action is Action.READ)
            for g in self.grants
            if g.ended_at is None
        )

    def require(self, action: Action, *, group: GroupName, stage: StageName | None = None) -> None:
        """
        Let the action pass, or say who could do it.

        Raises
        ------
        ActionDeniedError
            When no role allows it.
        """
        if not self.may(action, group=group, stage=stage):
            raise ActionDeniedError(person=self.name, action=action, group=group, stage=stage)

    def has_role(self, role: Role, *, group: GroupName) -> bool:
        """Whether the person holds the role in the group, in all stages."""
        return any(
            g.role is role
            and g.group in (group, EVERY_GROUP)
            and g.stage is None
            and g.ended_at is None
            for g in self.grants
        )

    @property
    def readable(self) -> frozenset[GroupName] | None:
        """The groups whose things this person sees; None for all."""
        groups = {g.group for g in self.grants if Action.READ in ALLOWED[g.role] and not g.ended_at}
        return None if EVERY_GROUP in groups else frozenset(groups)

    def because(self, cause: str) -> Principal:
        """Give the same caller acting for a cause."""
        return replace(self, cause=cause)


class TokenKind(StrEnum):
    """What a token opens."""

    API = "api"
    SCORING = "scoring"


class TokenRevokedError(RefusedError):
    """The token was revoked before."""

    code = "token-revoked"

    def __init__(self, *, token: TokenId) -> None:
        self.token = token
        super().__init__(f"Token {token} was revoked already. Issue a new one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """
    A token, known by the SHA-256 of its text; the text is shown once, when it is issued.

    An API token acts as its person. A scoring token opens the named services of its group (none named:
    all of them) at the scoring entries, and nothing else.
    """

    id: TokenId
    group: GroupName
    kind: TokenKind
    name: str
    person_id: PersonId
    sha256: str
    services: tuple[ServiceTag, ...]
    issued_at: datetime
    issued_by: PersonId
    expires_at: datetime | None
    revoked_at: datetime | None = None
    version: int = 1

    def usable(self, *, at: datetime) -> bool:
        """Whether the token opens anything at this moment."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def revoked(self, *, at: datetime) -> Token:
        """End the token."""
        if self.revoked_at is not None:
            raise TokenRevokedError(token=self.id)
        return replace(self, revoked_at=at)
