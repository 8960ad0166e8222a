"""Connectors, plug-ins, and what a runtime can do."""

from __future__ import annotations

import inspect

from docs.generating.markdown import code, prose, table
from docs.generating.source import summary
from pilothouse.connectors.settings import ConnectorSettings
from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.plugins import PluginKind, installed
from pilothouse.domain.runtimes import Ability, Mode, RuntimeHealth
from pilothouse.ports.connectors import Connector

ABILITIES = {
    Ability.ONLINE: "holds snapshots ready behind an address",
    Ability.SCORE_JOB: "scores tables",
    Ability.METRICS_JOB: "measures snapshots on labelled tables",
    Ability.TRAIN_JOB: "trains a snapshot's model anew",
    Ability.LOAD_TEST: "tries how much load an endpoint bears",
    Ability.CANCEL: "stops a job that runs",
    Ability.LOGS: "gives the log of its entry and of its jobs",
}
CONNECTORS = {
    "local": {
        Ability.ONLINE: "where the runtime has an address",
        Ability.SCORE_JOB: "yes",
        Ability.METRICS_JOB: "yes",
        Ability.TRAIN_JOB: "yes, in the snapshot's own environment",
        Ability.LOAD_TEST: "yes, from the host of the endpoint itself",
        Ability.CANCEL: "yes; killed after 30 s",
        Ability.LOGS: "yes, up to 10,000 lines",
    }
}
PLUGINS = {
    PluginKind.FORMAT: ("a class that keeps `Format`", "scoring/formats/contract.py"),
    PluginKind.CONNECTOR: (
        "a function that takes the `ConnectorSettings` and gives a `Connector`",
        "ports/connectors.py",
    ),
    PluginKind.TASK_TYPE: (
        "a function that takes the `Facilities` and gives a `TaskType`; the name is the topic",
        "lifecycle/tasks/contract.py",
    ),
    PluginKind.SECRET_SOURCE: (
        "a class without parameters that has `resolve(reference)`; the name is the scheme",
        "ports/secrets.py",
    ),
}
STATES = {
    DeploymentState.ORDERED: "written down; the runtime has not taken it yet",
    DeploymentState.DEPLOYING: "the runtime loads it",
    DeploymentState.RUNNING: "the runtime says that it holds it ready",
    DeploymentState.DRAINING: "withdrawn; requests under way are answered",
    DeploymentState.WITHDRAWN: "gone from the runtime",
    DeploymentState.FAILED: "the runtime could not load it or lost it; `reason` says why, and it is tried again",
}


def own(kind: PluginKind) -> tuple[str, ...]:
    """Give the plug-ins that Pilothouse itself brings."""
    found = installed(kind).items()
    return tuple(sorted(n for n, p in found if p.module.startswith("pilothouse.")))


def connectors() -> str:
    """Write which connector has which ability."""
    names = own(PluginKind.CONNECTOR)
    rows = ((code(a.value), ABILITIES[a], *(CONNECTORS[n][a] for n in names)) for a in Ability)
    return table(("ability", "what it is", *map(code, names)), rows)


def connector_calls() -> str:
    """Write the contract of connectors."""
    rows = (
        (code(name), prose(summary(call)))
        for name, call in inspect.getmembers(Connector, inspect.isfunction)
        if not name.startswith("_")
    )
    return table(("call", "what it does"), rows)


def connector_settings() -> str:
    """Write what a connector is built from."""
    names = (code(name) for name in ConnectorSettings.__dataclass_fields__)
    return f"A connector is built from {', '.join(names)}."


def plugins() -> str:
    """Write the entry-point groups."""
    rows = (
        (
            code(kind.value),
            PLUGINS[kind][0],
            code(f"src/pilothouse/{PLUGINS[kind][1]}"),
            ", ".join(map(code, own(kind))) or "built in otherwise",
        )
        for kind in PluginKind
    )
    return table(("group", "the entry point names", "contract", "that come with Pilothouse"), rows)


def states() -> str:
    """Write modes, states of deployments, and health."""
    modes = ", ".join(code(m.value) for m in Mode)
    health = ", ".join(code(h.value) for h in RuntimeHealth)
    rows = ((code(s.value), STATES[s]) for s in DeploymentState)
    return f"Modes: {modes}. Health: {health}.\n\n{table(('state of a deployment', 'means'), rows)}"
