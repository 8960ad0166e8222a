"""Roles, their actions, and the events and settings of the control plane."""

from __future__ import annotations

from docs.generating.markdown import code, prose, table
from docs.generating.source import summary
from pilothouse.bootstrap import SUBSCRIBERS
from pilothouse.domain.access import ALLOWED, Action, Role
from pilothouse.domain.events import EventType
from pilothouse.settings import Settings

ROLES = {
    Role.ADMINISTRATOR: "Everything, in the group or in all groups.",
    Role.MODEL_OWNER: "The data scientist: registers models, takes snapshots, runs jobs and life cycles on them.",
    Role.VALIDATOR: "Tests independently, and answers the approvals that a life cycle asks validators for.",
    Role.OPERATOR: "The ModelOps engineer: runtimes, deployments, routes, life cycles, incidents, scoring tokens.",
    Role.DATA_STEWARD: "Registers the datasets, and the locations that jobs may use.",
    Role.BUSINESS_OWNER: "Defines the services that models are for.",
    Role.AUDITOR: "Reads everything, the audit too, and changes nothing.",
    Role.CONSUMER: "May do nothing at the control plane: an application's person, for whom scoring tokens are issued.",
    Role.WORKER: "A machine that does steps of the group's life cycles by functions of its own, and nothing else.",
}
ACTIONS = {
    Action.READ: "see the group's things",
    Action.ADMINISTER: "groups, people, roles, policies, stages, API tokens of others",
    Action.REGISTER_MODEL: "register models",
    Action.TAKE_SNAPSHOT: "upload files and take snapshots",
    Action.TAG_SNAPSHOT: "tag snapshots with services",
    Action.MANAGE_DATASET: "register datasets",
    Action.MANAGE_SERVICE: "define services, and say what is logged of them",
    Action.MANAGE_RUNTIME: "register and retire runtimes",
    Action.MANAGE_LOCATION: "register locations",
    Action.DEPLOY: "order and withdraw deployments, set routes",
    Action.RUN_JOB: "order score, metrics and training jobs",
    Action.UPLOAD_LIFECYCLE: "upload, activate and retire life cycles and decision tables",
    Action.START_RUN: "start a life cycle by hand",
    Action.OPERATE_RUN: "suspend, resume, change, move, carry over and cancel runs, retry incidents, send messages",
    Action.DO_TASK: "take and answer tasks that ask for one's role",
    Action.READ_AUDIT: "read the audit and the history of things",
    Action.ISSUE_SCORING_TOKEN: "issue scoring tokens (whoever issued one may revoke it)",
    Action.WORK_ON_JOBS: "fetch jobs of the topics that the group gives away, and report on them",
}
EVENTS = {
    EventType.SNAPSHOT_CREATED: "A snapshot was tagged with a service, when it was taken or later: one event per tag.",
    EventType.JOB_FINISHED: "A job ended, however it ended.",
    EventType.ALERT_FIRED: "A monitor raised an alert. Nothing of Pilothouse does so yet.",
    EventType.MESSAGE_THROWN: (
        "A run sent a message; it goes to the run that waits for it, or starts one, or is kept for its time to live."
    ),
    EventType.SIGNAL_THROWN: (
        "A run sent a signal; it goes to every run of the group that waits for it, and starts what starts by it."
    ),
}


def roles() -> str:
    """Write what each role is."""
    return table(("role", "who"), ((code(r.value), ROLES[r]) for r in Role))


def actions() -> str:
    """Write which role may do what."""
    shown = [r for r in Role if r is not Role.CONSUMER]
    rows = (
        (code(a.value), ACTIONS[a], *("●" if a in ALLOWED[r] else "" for r in shown))
        for a in Action
    )
    return table(("action", "what", *(r.value for r in shown)), rows)


def events() -> str:
    """Write the events of the outbox and who takes them."""
    rows = (
        (code(e.value), EVENTS[e], ", ".join(SUBSCRIBERS.get(e, ())) or "nobody yet: not kept")
        for e in EventType
    )
    return table(("event", "when", "subscribers"), rows)


def settings() -> str:
    """Write every setting."""
    rows = (
        (
            code(f"PILOTHOUSE_{name.upper()}"),
            code(field.default) if str(field.default) else "(empty)",
            prose(str(field.description)),
        )
        for name, field in Settings.model_fields.items()
    )
    return f"{prose(summary(Settings))}\n\n{table(('variable', 'default', 'meaning'), rows)}"
