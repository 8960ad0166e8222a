"""One decision table of many rules in DMN and in the format of a peer, with inputs that hit it everywhere."""

from __future__ import annotations

import random
from dataclasses import dataclass
from xml.sax.saxutils import escape

INPUTS = ("age", "amount", "tier", "score", "repeat", "region")
TIERS = ("low", "medium", "high", "critical")
REGIONS = ("EU", "US", "APAC", "LATAM", "MEA")
DMN = "https://www.omg.org/spec/DMN/20230324/MODEL/"
TYPES = ("number", "number", "string", "number", "boolean", "string")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rules of six cells each; the text of a cell means the same in FEEL and in the peer's language."""

    rules: tuple[tuple[str, ...], ...]

    def dmn(self) -> bytes:
        """Write the table as a DMN 1.5 file with the decision ``route``."""
        clauses = "".join(
            f'<input id="i_{name}"><inputExpression typeRef="{kind}"><text>{name}</text></inputExpression></input>'
            for name, kind in zip(INPUTS, TYPES, strict=True)
        )
        data = "".join(
            f'<inputData id="d_{name}" name="{name}"><variable name="{name}" typeRef="{kind}"/></inputData>'
            for name, kind in zip(INPUTS, TYPES, strict=True)
        )
        needs = "".join(
            f'<informationRequirement><requiredInput href="#d_{name}"/></informationRequirement>'
            for name in INPUTS
        )
        rules = "".join(_rule(number, cells) for number, cells in enumerate(self.rules, 1))
        return (
            f'<definitions xmlns="{DMN}" id="b" name="b" namespace="bench">{data}'
            f'<decision id="route" name="route"><variable name="route" typeRef="string"/>{needs}'
            f'<decisionTable hitPolicy="FIRST">{clauses}<output name="route" typeRef="string"/>{rules}'
            "</decisionTable></decision></definitions>"
        ).encode()

    def jdm(self) -> dict[str, object]:
        """Write the table as a JSON decision model of the zen engine."""
        spot = {"x": 0, "y": 0}
        rules = [
            {
                "_id": f"r{number}",
                **dict(zip(INPUTS, cells, strict=True)),
                "route": f'"r{number}"',
            }
            for number, cells in enumerate(self.rules, 1)
        ]
        content = {
            "hitPolicy": "first",
            "inputs": [{"id": name, "name": name, "field": name} for name in INPUTS],
            "outputs": [{"id": "route", "name": "route", "field": "route"}],
            "rules": [{k: "" if v == "-" else v for k, v in rule.items()} for rule in rules],
        }
        nodes = [
            {"id": "in", "name": "in", "type": "inputNode", "position": spot},
            {
                "id": "t",
                "name": "t",
                "type": "decisionTableNode",
                "position": spot,
                "content": content,
            },
            {"id": "out", "name": "out", "type": "outputNode", "position": spot},
        ]
        edges = [
            {"id": f"{a}{b}", "sourceId": a, "targetId": b, "type": "edge"}
            for a, b in (("in", "t"), ("t", "out"))
        ]
        kind = "application/vnd.gorules.decision"
        return {"contentType": kind, "nodes": nodes, "edges": edges}


def _rule(number: int, cells: tuple[str, ...]) -> str:
    entries = "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in cells)
    said = f'<outputEntry><text>"r{number}"</text></outputEntry>'
    return f'<rule id="r{number}">{entries}{said}</rule>'


def table(rules: int, *, seed: int) -> Table:
    """Make a table whose last rule takes what no other has taken."""
    chance = random.Random(seed)  # noqa: S311 - made-up rules
    made = [_cells(chance, rules) for _ in range(rules - 1)]
    return Table(rules=(*made, ("-",) * len(INPUTS)))


def _cells(chance: random.Random, rules: int) -> tuple[str, ...]:
    low = chance.randrange(18, 80)
    amount = chance.randrange(1, rules + 1) * 100
    tiers = ", ".join(f'"{t}"' for t in chance.sample(TIERS, chance.randrange(1, 3)))
    return (
        f"[{low}..{low + chance.randrange(2, 12)}]",
        chance.choice((f"< {amount}", f">= {amount}", f"[{amount}..{amount + 2000})")),
        tiers,
        chance.choice(("-", f"> {chance.randrange(0, 90) / 100}")),
        chance.choice(("true", "false", "-")),
        chance.choice((f'"{chance.choice(REGIONS)}"', "-")),
    )


def inputs(count: int, rules: int, *, seed: int) -> list[dict[str, object]]:
    """Make inputs, as plain JSON values."""
    chance = random.Random(seed)  # noqa: S311 - made-up inputs
    return [
        {
            "age": chance.randrange(18, 92),
            "amount": chance.randrange(0, rules * 120),
            "tier": chance.choice(TIERS),
            "score": chance.randrange(0, 100) / 100,
            "repeat": chance.random() < 0.5,
            "region": chance.choice(REGIONS),
        }
        for _ in range(count)
    ]
