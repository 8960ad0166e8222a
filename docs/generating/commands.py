"""The commands of the command line, from the application that runs them."""

from __future__ import annotations

import inspect
import types
import typing
from dataclasses import dataclass
from enum import Enum

from typer.models import ArgumentInfo, CommandInfo, OptionInfo, TyperInfo

from docs.generating.markdown import code, prose, table
from docs.generating.source import summary
from pilothouse.cli.main import command_line

MACHINE = "--json"
"""An option of every command but a few; said once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An argument or option of a command, as a person types it."""

    usage: str
    kind: str
    default: str
    help: str
    option: bool
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: its whole name, what it does, and what it takes."""

    name: str
    help: str
    inputs: tuple[Input, ...]


def commands() -> tuple[Command, ...]:
    """Give every command, in the order of the help."""
    app = command_line()
    own = [_command(info, ()) for info in app.registered_commands]
    nested = [_command(i, (g,)) for g in app.registered_groups for i in _typer(g)]
    return (*own, *nested)


def groups() -> dict[str, str]:
    """Give the nouns that have commands of their own, with what they are."""
    return {str(g.name): str(_own(g).info.help) for g in command_line().registered_groups}


def _own(group: TyperInfo) -> typing.Any:  # noqa: ANN401  the library leaves its type open
    return group.typer_instance


def _typer(group: TyperInfo) -> list[CommandInfo]:
    return list(_own(group).registered_commands)


def _command(info: CommandInfo, groups: tuple[TyperInfo, ...]) -> Command:
    callback = info.callback
    if callback is None:
        raise TypeError(f"the command {info.name} has no function")
    name = info.name or callback.__name__.replace("_", "-")
    hints = typing.get_type_hints(callback, include_extras=True)
    parameters = inspect.signature(callback).parameters.values()
    return Command(
        name=" ".join(("pilothouse", *(str(g.name) for g in groups), name)),
        help=prose(summary(callback)),
        inputs=tuple(_input(p, hints[p.name]) for p in parameters),
    )


def _input(parameter: inspect.Parameter, hint: object) -> Input:
    kind, *extras = typing.get_args(hint) if hasattr(hint, "__metadata__") else (hint,)
    info = next((e for e in extras if isinstance(e, (ArgumentInfo, OptionInfo))), None)
    required = parameter.default is inspect.Parameter.empty
    option = isinstance(info, OptionInfo) or (info is None and not required)
    several, plain = _plain(kind)
    if option:
        usage = _option(parameter.name, info, boolean=plain is bool)
    else:
        usage = parameter.name.upper() + ("…" if several else "")
    return Input(
        usage=usage,
        kind=_kind(plain) + (", several times" if several and option else ""),
        default=_default(parameter.default),
        help=prose((info.help if info else None) or ""),
        option=option,
        required=required,
    )


def _option(name: str, info: OptionInfo | ArgumentInfo | None, *, boolean: bool) -> str:
    given = (info.default, *(info.param_decls or ())) if info else ()
    declared = [d for d in given if isinstance(d, str) and d.startswith("-")]
    long = "--" + name.replace("_", "-")
    if declared:
        return ", ".join(declared)
    return f"{long} / --no-{long[2:]}" if boolean else long


def _plain(kind: object) -> tuple[bool, object]:
    """Give whether several may be given, and the type of one."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    if typing.get_origin(kind) is list:
        return True, typing.get_args(kind)[0]
    return False, kind


def _kind(kind: object) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(code(m.value) for m in kind)
    names = {"str": "text", "int": "whole number", "bool": "flag", "datetime": "time"}
    name = getattr(kind, "__name__", str(kind))
    return names.get(name, name.lower())


def _default(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else ""
    if default in (inspect.Parameter.empty, None, ""):
        return ""
    return code(default.value if isinstance(default, Enum) else default)


def _line(command: Command) -> str:
    arguments = [i.usage if i.required else f"[{i.usage}]" for i in command.inputs if not i.option]
    needed = [f"{i.usage.split(',')[0]} …" for i in command.inputs if i.option and i.required]
    return " ".join((command.name, *arguments, *needed))


def _section(command: Command) -> str:
    rows = [
        (code(i.usage), i.kind, "required" if i.required else i.default, i.help)
        for i in command.inputs
        if i.usage != MACHINE
    ]
    shown = table(("input", "kind", "default", "meaning"), rows) if rows else ""
    json = " Takes `--json`." if any(i.usage == MACHINE for i in command.inputs) else ""
    head = f"### {command.name.removeprefix('pilothouse ')}\n\n```\n{_line(command)}\n```"
    return "\n\n".join(part for part in (head, command.help + json, shown) if part)


def cli() -> str:
    """Write every command with what it takes."""
    known = commands()
    parts = [table(("noun", "what it is"), ((code(n), h) for n, h in groups().items()))]
    alone = [c for c in known if c.name.count(" ") == 1]
    parts += ["## Commands without a noun", *(_section(c) for c in alone)]
    for noun in groups():
        own = [c for c in known if c.name.startswith(f"pilothouse {noun} ")]
        parts += [f"## {noun}", *(_section(c) for c in own)]
    return "\n\n".join(parts)
