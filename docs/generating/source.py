"""What the source says that running it does not: message texts, docstrings of attributes, comments of members."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from enum import StrEnum
    from types import ModuleType

PACKAGE = "pilothouse"
NOT_IMPORTED = ("__main__", ".migrations")
ATTRIBUTE = re.compile(r"^(?P<names>[a-z][\w, ]*)\n(?P<text>(?: {4}.*\n?)+)", flags=re.MULTILINE)


def import_everything() -> None:
    """Import every module of the package, so that all its classes are known."""
    package = importlib.import_module(PACKAGE)
    for found in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        if not any(part in found.name for part in NOT_IMPORTED):
            importlib.import_module(found.name)


def words(node: ast.expr) -> str:
    """
    Give the text of a message, with what is filled in by its name in braces.

    Examples
    --------
    >>> words(ast.parse("f'{name!r} is {what or 0}.'", mode="eval").body)
    '{name} is {…}.'
    """
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(words(value) for value in values)
        case ast.FormattedValue(value=ast.Name(id=name) | ast.Attribute(attr=name)):
            return f"{{{name}}}"
        case ast.FormattedValue(value=ast.Subscript(value=ast.Name(id=name))):
            return f"{{{name}}}"
        case ast.FormattedValue(
            value=ast.Call(func=ast.Attribute(attr="join"), args=[ast.Name(id=name)])
        ):
            return f"{{{name}}}"
        case ast.BinOp(left=left, right=right):
            return words(left) + words(right)
        case ast.Name(id=name):
            return f"{{{name}}}"
        case _:
            return "{…}"


def message_of(kind: type[Exception]) -> str:
    """Give the text that an error's constructor hands on; empty where it has none of its own."""
    if "__init__" not in vars(kind):
        return ""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"),
                args=given,
                keywords=named,
            ):
                return words(given[0]) if given else _not_found({k.arg: k.value for k in named})
    return ""


def _not_found(named: Mapping[str | None, ast.expr]) -> str:
    """Give the words of `NotFoundError`, which its narrower kinds fill in."""
    if not {"noun", "cure"} <= named.keys():
        return ""
    return f"There is no {words(named['noun'])} {{name}} that you can see. {words(named['cure'])}"


def calls(module: ModuleType, *names: str) -> Iterator[tuple[ast.Call, str]]:
    """Give every call of a function or method of these names, with the name of the function that makes it."""
    tree = ast.parse(inspect.getsource(module))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                match node:
                    case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
                        if name in names:
                            yield node, function.name


def problems(module: ModuleType, name: str) -> Iterator[tuple[str, str]]:
    """Give problem and cure of every problem of this class that the module makes."""
    tree = ast.parse(inspect.getsource(module))
    for function in (f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)):
        local = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Name(id=called), keywords=given) if called == name:
                    said = {k.arg: k.value for k in given}
                    parts = (_behind(said[part], local) for part in ("problem", "cure"))
                    problem, cure = map(words, parts)
                    yield problem, cure


def refusals(module: ModuleType, *names: str) -> Iterator[tuple[str, str]]:
    """
    Give problem and cure of every call of these functions, whose last two arguments they are.

    Where an argument is a local variable, every text that is assigned to it is given. What only passes on the words of
    others (a parameter, the message of an error) is left out.
    """
    tree = ast.parse(inspect.getsource(module))
    for function in (f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)):
        local = _texts(function)
        for node in ast.walk(function):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr=name) | ast.Name(id=name), args=[*_, problem, cure]
                ):
                    if name in names:
                        yield from (
                            (p, c) for p in _said(problem, local) for c in _said(cure, local)[:1]
                        )


def _texts(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                for target, value in zip(targets, values, strict=True):
                    if isinstance(target, ast.Name):
                        found.setdefault(target.id, []).append(value)
    return found


def _said(node: ast.expr, local: Mapping[str, list[ast.expr]]) -> list[str]:
    nodes = local.get(node.id, []) if isinstance(node, ast.Name) else [node]
    texts = []
    for each in nodes:
        branches = [each.body, each.orelse] if isinstance(each, ast.IfExp) else [each]
        texts += [
            words(b) for b in branches if isinstance(b, (ast.Constant, ast.JoinedStr, ast.BinOp))
        ]
    return texts


def _behind(node: ast.expr, local: Mapping[str, ast.expr]) -> ast.expr:
    return local.get(node.id, node) if isinstance(node, ast.Name) else node


def yields(module: ModuleType) -> Iterator[tuple[ast.expr, ...]]:
    """Give the parts of every tuple that a function of the module yields."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        match node:
            case ast.Yield(value=ast.Tuple(elts=parts)):
                yield tuple(parts)


def summary(thing: object) -> str:
    """Give the first paragraph of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n\n")[0]


def attributes(thing: object) -> Mapping[str, str]:
    """
    Read the Attributes section of a docstring: what each attribute means.

    Examples
    --------
    >>> class Point:
    ...     '''A point.
    ...
    ...     Attributes
    ...     ----------
    ...     x, y
    ...         Where it is.
    ...     '''
    >>> attributes(Point)
    {'x': 'Where it is.', 'y': 'Where it is.'}
    """
    text = inspect.getdoc(thing) or ""
    section = re.search(
        r"^Attributes\n-+\n(.*?)(?=\n\n\S+\n-+\n|\Z)", text, re.DOTALL | re.MULTILINE
    )
    if section is None:
        return {}
    return {
        name.strip(): " ".join(found["text"].split())
        for found in ATTRIBUTE.finditer(section[1] + "\n")
        for name in found["names"].split(",")
    }


def member_comments(kind: type[StrEnum]) -> Mapping[str, str]:
    """Give the comment behind each member of an enumeration, by the member's value."""
    found = {}
    for line in inspect.getsource(kind).splitlines():
        stated = re.match(r'\s+[A-Z_]+ = "([^"]+)"(?:\s+# (.*))?', line)
        if stated:
            comment = re.sub(r"^noqa: \w+ ?", "", stated[2] or "")
            found[stated[1]] = comment
    return found


def member_docstrings(kind: type[StrEnum]) -> Mapping[str, str]:
    """Give the text that stands under each member of an enumeration, by the member's value."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    found: dict[str, str] = {}
    last = None
    for node in getattr(body, "body", ()):
        match node:
            case ast.Assign(value=ast.Constant(value=str(value))):
                last = value
            case ast.Expr(value=ast.Constant(value=str(text))) if last is not None:
                found[last] = " ".join(text.split())
    return found
