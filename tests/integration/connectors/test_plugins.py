"""A foreign wheel brings a format, a connector, a task type and a secret source, and each is found."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

MODULE = '''
from pilothouse.domain.runtimes import Ability, Capabilities
from pilothouse.domain.errors import NotSupportedError


class LakeFormat:
    """A format of somebody else."""


class LakeConnector:
    def __init__(self, settings):
        self.settings = settings

    def capabilities(self, runtime):
        return Capabilities(
            abilities=frozenset(), inabilities={a: "it is a lake" for a in Ability}
        )

    def run_job(self, runtime, order):
        raise NotSupportedError("it is a lake")


class CutTask:
    """A task type of somebody else."""


class VaultSecrets:
    def resolve(self, reference):
        return "from the vault: " + reference


def build(settings):
    return LakeConnector(settings)
'''
ENTRY_POINTS = """
[pilothouse.formats]
lake = lakehouse_plugin:LakeFormat
[pilothouse.connectors]
lake = lakehouse_plugin:build
ruin = lakehouse_plugin:missing
[pilothouse.task_types]
cut = lakehouse_plugin:CutTask
[pilothouse.secret_sources]
vault = lakehouse_plugin:VaultSecrets
"""
ASK = """
import json, sys
from dataclasses import replace
from pathlib import Path
from pilothouse.connectors.installed import InstalledConnectors
from pilothouse.connectors.settings import ConnectorSettings
from pilothouse.domain.plugins import PluginKind, installed
from pilothouse.domain.policies import ModelPolicy
from pilothouse.domain.runtimes import Mode, Runtime, RuntimeHealth
from pilothouse.observability.clock import SystemClock, SystemIds
from pilothouse.security.secrets import Secrets

secrets = Secrets(environment={})
settings = ConnectorSettings(
    home=Path.cwd(), artifacts="memory:///", clock=SystemClock(), ids=SystemIds(), secrets=secrets,
    policy_of=lambda group: ModelPolicy(), environment={},
)
runtime = Runtime(
    id="rtm_1", group="credit", name="the-lake", connector="lake", stage="DEV", modes=(Mode.BATCH,), services=(),
    address=None, options={}, health=RuntimeHealth.UNKNOWN, health_reason="", created_at=SystemClock().now(),
)
connectors = InstalledConnectors(settings)
connectors.check("lake")
connector = connectors.of(runtime)
try:
    connectors.check("moon")
except Exception as problem:
    missing = [problem.code, problem.message]
try:
    connectors.of(replace(runtime, connector="ruin"))
except Exception as problem:
    broken = [problem.code, problem.message]
print(json.dumps({
    "installed": {kind.value: {n: p.load().__name__ for n, p in installed(kind).items() if n in ("lake", "cut", "vault")}
                  for kind in PluginKind},
    "connector": type(connector).__name__,
    "same": connectors.of(runtime) is connector,
    "settings": connector.settings is settings,
    "why": sorted(set(connector.capabilities(runtime).inabilities.values())),
    "local": type(connectors.of(replace(runtime, connector="local"))).__name__,
    "secret": secrets.resolve("vault:kv/smtp"),
    "missing": missing,
    "broken": broken,
}))
"""


def build_wheel(folder: Path, *, name: str, module: str, entry_points: str) -> Path:
    """Write a wheel as the binary distribution format 1.0 says, RECORD and all."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": entry_points,
    }
    record = "".join(
        f"{path},sha256={digest(text)},{len(text.encode())}\n" for path, text in files.items()
    )
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return wheel


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def install(wheel: Path, target: Path) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "install",
            "--quiet",
            "--no-index",
            "--no-deps",
            "--python",
            sys.executable,
            "--target",
            str(target),
            str(wheel),
        ],
        check=True,
    )


def ask(script: str, *, plugins: Path) -> subprocess.CompletedProcess[str]:
    opened = f"import sys; sys.path.append({str(plugins)!r})\n{script}"
    return subprocess.run(
        [sys.executable, "-c", opened], capture_output=True, text=True, check=False
    )


def test_a_foreign_wheel_is_found_and_its_connector_built(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, name="lakehouse_plugin", module=MODULE, entry_points=ENTRY_POINTS)
    install(wheel, tmp_path / "installed")

    answer = ask(ASK, plugins=tmp_path / "installed")

    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["installed"] == {
        "pilothouse.formats": {"lake": "LakeFormat"},
        "pilothouse.connectors": {"lake": "build"},
        "pilothouse.task_types": {"cut": "CutTask"},
        "pilothouse.secret_sources": {"vault": "VaultSecrets"},
    }
    assert (found["connector"], found["same"], found["settings"]) == ("LakeConnector", True, True)
    assert found["why"] == ["it is a lake"]
    assert found["local"] == "LocalConnector"
    assert found["secret"] == "from the vault: vault:kv/smtp"
    assert found["missing"][0] == "plugin-missing"
    assert "'moon'" in found["missing"][1]
    assert found["broken"][0] == "connector-broken"
    assert "lakehouse_plugin:missing" in found["broken"][1]


@pytest.mark.parametrize("kind", ["formats", "connectors", "task_types", "secret_sources"])
def test_two_packages_that_claim_one_name_are_refused(tmp_path: Path, kind: str) -> None:
    for name in ("first_plugin", "second_plugin"):
        points = f"[pilothouse.{kind}]\nlake = {name}:build\n"
        wheel = build_wheel(tmp_path, name=name, module=MODULE, entry_points=points)
        install(wheel, tmp_path / "installed")
    script = (
        "from pilothouse.domain.plugins import PluginKind, PluginTwiceError, installed\n"
        f"try:\n    installed(PluginKind('pilothouse.{kind}'))\n"
        "except PluginTwiceError as problem:\n    print(problem.code, problem.name)\n"
    )

    answer = ask(script, plugins=tmp_path / "installed")

    assert answer.stdout.split() == ["plugin-twice", "lake"]
