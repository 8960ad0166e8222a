"""Every task type with its parameters."""

from __future__ import annotations

from docs.generating.markdown import code, table
from pilothouse.lifecycle.element_templates import element_templates
from pilothouse.lifecycle.tasks.catalogue import CANCELLED, PARAMETERS, REJECTED, Parameter, Topic
from pilothouse.lifecycle.tasks.catalogue import REFUSED as TRAINED_REFUSED
from pilothouse.lifecycle.tasks.compare import NO_CHAMPION
from pilothouse.lifecycle.tasks.load_test import FAILED as LOAD_FAILED
from pilothouse.lifecycle.tasks.route import CHANGED
from pilothouse.lifecycle.tasks.smoke_test import FAILED
from pilothouse.lifecycle.tasks.webhook import REFUSED

TASKS = {
    Topic.DEPLOY: (
        "Orders the snapshot onto every runtime that suits, waits until all run it, then moves the traffic.",
        "`deployments`: a list of `{id, runtime, stage, mode}`",
    ),
    Topic.SMOKE_TEST: (
        (
            "Asks every endpoint of the stage for the golden records and compares with the original model's answers, "
            "to 1e-12."
        ),
        f"`smoke`: `{{id, verdict, reason}}`; a difference is the business error `{FAILED}`",
    ),
    Topic.SCORE_JOB: (
        "Scores a dataset into the location that `PILOTHOUSE_RESULTS_LOCATION` names, and waits for the end.",
        "`job`: `{id, result, output, rows, rows_scored, rows_rejected, rejected_share}`",
    ),
    Topic.METRICS_JOB: (
        "Measures the snapshot on a labelled dataset, and waits for the end.",
        "`metrics`: the figures with `rows`, `rows_scored`, `rows_rejected`, `rejected_share`; `job` as above",
    ),
    Topic.TRAIN: (
        (
            "Trains the snapshot's model on a dataset by a training job (a deployment in batch mode must be there), and waits "
            "until what came of it is taken as a new snapshot."
        ),
        (
            "`trained`: `{job, snapshot, digest, parent, dataset, metrics}`; a model that the check refuses is the business "
            f"error `{TRAINED_REFUSED}`, with `refused`: `{{job, code}}`"
        ),
    ),
    Topic.LOAD_TEST: (
        (
            "Asks every endpoint that the snapshot runs on for its golden records at a steady rate, by a job of the kind "
            "`load-test` on the endpoint's runtime (`pilothouse jobs cancel` stops it), and keeps the verdict as an "
            "evaluation. Latency counts from the moment that a request was due, so a stalled endpoint is not overlooked. "
            "Of several endpoints the worst figures count."
        ),
        (
            "`load`: `{id, verdict, reason}` and the figures `requests`, `unsent`, `unanswered`, `error_share`, "
            "`rate_per_s`, `p50_ms`, `p90_ms`, `p99_ms`, `max_ms`. The verdict is FAIL above a limit, which is the business "
            f"error `{LOAD_FAILED}`, and INCONCLUSIVE when less than 95% of the rate was answered"
        ),
    ),
    Topic.COMPARE_WITH_CHAMPION: (
        (
            "Measures the snapshot and the champion on the same data, by two metrics jobs in the stage (both need a "
            "deployment in batch mode there), judges the differences (the snapshot's figures less the champion's), and keeps "
            "the verdict as an evaluation of the kind `comparison`. A decision sees `challenger_metrics`, `champion_metrics`, "
            "`difference`, `champion`, `dataset`, `service`, `snapshot` and `stage`."
        ),
        (
            "`comparison`: `{id, verdict, reason, champion, difference}`; INCONCLUSIVE where a difference that counts is not "
            f"known. Where there is no champion, or it is the snapshot itself, the business error is `{NO_CHAMPION}`"
        ),
    ),
    Topic.EVALUATE: (
        "Judges figures by a decision table and keeps the verdict, the rule and the evidence as an evaluation.",
        "`evaluation`: `{id, verdict, reason}`, the verdict PASS, FAIL or INCONCLUSIVE",
    ),
    Topic.EVALUATE_DECISION: (
        "Takes a decision; it is what a business rule task with a called decision becomes.",
        "`result`, which becomes the task's result variable; what it was decided by (file, rules, reasons of nulls) goes into the run's history",
    ),
    Topic.ROUTE: (
        (
            "Gives the snapshot a share of the service's traffic in the stage, the others keeping their proportions, and waits "
            "until every entry has taken the route; without a share it only says how the traffic is divided. The share 0 "
            "takes the snapshot out of the route. What would leave requests without an answer is refused."
        ),
        (
            "`route`: `{generation, champion, share, shares}`: the champion is the heaviest other snapshot (null where there is "
            "none), the share the snapshot's own, and the shares all by snapshot; generation 0 where there is no route. Where "
            f"the route has another generation than the one that was given, the business error is `{CHANGED}`"
        ),
    ),
    Topic.WITHDRAW: (
        "Withdraws the snapshot from the service in the stage, out of the route too.",
        "`deployments`: a list of ids",
    ),
    Topic.NOTIFY: (
        (
            "Writes the words into the audit, and as a line of the log `pilothouse.notifications`; where targets are "
            "named, sends them there too, to each once (needs `pip install 'pilothouse[notify]'`). A target that fails "
            "is tried again without the others."
        ),
        "nothing",
    ),
    Topic.WEBHOOK: (
        (
            "Posts JSON to a host that the group's policy grants (`pilothouse groups policy`), with the header "
            "`Idempotency-Key`. Redirects are not followed, private addresses need a grant that says so, and a call "
            "ends after 20 s or 256 KiB of answer. A status of 408, 425, 429 or 500 and above is tried again."
        ),
        f"`response`: `{{status, body}}`; any other status of 400 to 499 is the business error `{REFUSED}`",
    ),
    Topic.START_LIFE_CYCLE: (
        (
            "Begins a run of another life cycle, once, and waits for its end. A run that is cancelled leaves what it has "
            "started to itself. At most ten runs start one another in a row."
        ),
        (
            "`life_cycle`: `{id, outcome, variables}`, the outcome being the end event and the variables those at the end "
            f"(null and none without a wait); a run that ends by an error is the business error of its code, one that "
            f"was cancelled `{CANCELLED}`"
        ),
    ),
    Topic.TICKET: (
        (
            "Opens a ticket in a company's own system, adds a comment where one is given, and waits until people there have "
            "moved it. What is done is done once: a ticket and a comment carry a mark of the job, by which they are found "
            "again. While it waits it looks at the ticket ever more rarely, at least every five minutes, and goes on when "
            "the system is away for a while; a timer on the task ends a wait that must not last."
        ),
        (
            f"`ticket`: `{{id, name, url, state}}`; a state among `unless` is the business error `{REJECTED}`. The generic "
            "system is asked `POST url` (`{key, subject, text, kind, project, …fields}`), `GET url?key=` (a list), "
            "`GET url/id`, `POST url/id/comments` (`{key, text}`) and `GET url/id/comments?key=` (a list); a ticket is "
            "`{id, state}`, and `name` and `url` where it has them"
        ),
    ),
}


def task_types() -> str:
    """Write every task type with its parameters."""
    parts = []
    for topic in Topic:
        does, gives = TASKS[topic]
        rows = (
            (code(name), _kind(p), "yes" if p.required else "", p.description)
            for name, p in PARAMETERS[topic].items()
        )
        shown = table(("input", "kind", "required", "meaning"), rows)
        parts.append(f"### {topic.value}\n\n{does}\n\n{shown}\n\nGives {gives}.")
    return "\n\n".join(parts)


def _kind(parameter: Parameter) -> str:
    if parameter.choices:
        return "one of " + ", ".join(code(c) for c in parameter.choices)
    ends = ((parameter.lowest, "at least"), (parameter.highest, "at most"))
    bounds = ", ".join(f"{word} {end:g}" for end, word in ends if end is not None)
    return parameter.kind.value + (f", {bounds}" if bounds else "")


def templates() -> str:
    """Write every element template with what it asks for."""
    rows = (
        (
            code(template["id"]),
            str(template["name"]),
            ", ".join(code(kind) for kind in template["appliesTo"]),
            ", ".join(str(p["label"]) for p in template["properties"] if "label" in p),
        )
        for template in element_templates()
    )
    return table(("id", "name", "on", "what it asks for"), rows)
