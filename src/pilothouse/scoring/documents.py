"""
YAML documents from strangers, read as plain JSON values.

Built from the parser's events, so that no tag, alias or anchor is ever followed. Plain scalars are read as in
the YAML 1.2 JSON schema: ``null``, ``~``, ``true``, ``false``, decimal numbers, and text otherwise, so ``no`` and
``2024-01-05`` stay the texts that they are. Keys are texts, each once.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from pilothouse.scoring.folder_errors import ManifestInvalidError

Json = Any
Event = Any  # the events that matter have a mark, and those alone are looked at
MAXIMUM_BYTES = 1_000_000
MAXIMUM_DEPTH = 32
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})\Z")
NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?\Z")
WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}


class _Builder:
    """Values under construction, innermost last."""

    def __init__(self) -> None:
        self.result: Any = None
        self._open: list[
            tuple[Any, list[str]]
        ] = []  # a container, and the key that waits for its value
        self._root: list[Any] = []

    def enter(self, container: Json, line: int) -> None:
        self._place(container, line)
        self._open.append((container, []))
        if len(self._open) > MAXIMUM_DEPTH:
            raise ManifestInvalidError(
                line=line, problem=f"nested deeper than {MAXIMUM_DEPTH} levels"
            )

    def leave(self) -> None:
        self._open.pop()

    def scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if self._at_key():
            mapping, waiting = self._open[-1]
            if event.value in mapping:
                raise ManifestInvalidError(
                    line=line, problem=f"the key {event.value!r} stands twice"
                )
            mapping[event.value] = None
            waiting.append(event.value)
            return
        self._place(event.value if event.style else plain_scalar(event.value), line)

    def _at_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1][0], dict) and not self._open[-1][1]

    def _place(self, value: Json, line: int) -> None:
        if not self._open:
            self.result = value
            return
        container, waiting = self._open[-1]
        if isinstance(container, list):
            container.append(value)
        elif waiting:
            container[waiting.pop()] = value
        else:
            raise ManifestInvalidError(line=line, problem="a key must be text")


def plain_scalar(text: str) -> Json:
    """
    Read an unquoted scalar.

    Examples
    --------
    >>> [plain_scalar(t) for t in ("no", "true", "12", "1.5e3", "1:30", "~", "010")]
    ['no', True, 12, 1500.0, '1:30', None, '010']
    """
    if text in WORDS:
        return WORDS[text]
    if INTEGER.match(text):
        return int(text)
    if NUMBER.match(text) and any(c.isdigit() for c in text.lower().partition("e")[0]):
        return float(text)
    return text


def read_document(data: bytes) -> dict[str, Any]:
    r"""
    Read a YAML document whose top is a mapping.

    Parameters
    ----------
    data
        UTF-8 text of at most `MAXIMUM_BYTES`.

    Raises
    ------
    ManifestInvalidError
        When it is too large or too deep, no YAML, or holds aliases, anchors, tags or a key twice.

    Examples
    --------
    >>> read_document(b"name: cc-fraud\ncountries: [no, se]")
    {'name': 'cc-fraud', 'countries': ['no', 'se']}
    """
    if len(data) > MAXIMUM_BYTES:
        raise ManifestInvalidError(line=0, problem=f"it is larger than {MAXIMUM_BYTES} bytes")
    builder = _Builder()
    documents = 0
    try:
        for event in yaml.parse(
            data.decode("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        ):
            documents += isinstance(event, yaml.DocumentStartEvent)
            _take(builder, event, documents)
    except UnicodeDecodeError:
        raise ManifestInvalidError(line=0, problem="it is not UTF-8 text") from None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        words = str(getattr(problem, "problem", None) or problem)
        raise ManifestInvalidError(line=mark.line + 1 if mark else 0, problem=words) from None
    if not isinstance(builder.result, dict):
        raise ManifestInvalidError(line=1, problem="the document must be a mapping")
    return builder.result


def _take(builder: _Builder, event: Event, documents: int) -> None:
    line = event.start_mark.line + 1
    if documents > 1:
        raise ManifestInvalidError(line=line, problem="a second document begins")
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        raise ManifestInvalidError(line=line, problem="anchors and aliases are not taken")
    if getattr(event, "tag", None) is not None:
        raise ManifestInvalidError(line=line, problem=f"the tag {event.tag} is not taken")
    match event:
        case yaml.ScalarEvent():
            builder.scalar(event, line)
        case yaml.MappingStartEvent():
            builder.enter({}, line)
        case yaml.SequenceStartEvent():
            builder.enter([], line)
        case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
            builder.leave()
        case _:
            return


class _Dumper(yaml.SafeDumper):
    """Writes texts so that `read_document` reads them as texts, and nothing as an alias."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(plain_scalar(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def write_document(document: object) -> str:
    """
    Write plain JSON values as YAML that `read_document` reads back the same.

    Examples
    --------
    >>> print(write_document({"name": "x", "codes": ["1e5", "no", 2.0]}), end="")
    name: x
    codes:
    - "1e5"
    - 'no'
    - 2.0
    """
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
