"""What the demo's Pilothouse is told before the model comes: people, runtimes, folders, data, services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from home import free_ports

from pilothouse.domain.access import Role
from pilothouse.domain.datasets import DatasetRole
from pilothouse.domain.jobs import TableFormat
from pilothouse.domain.locations import LocationAccess, Place
from pilothouse.domain.runtimes import Mode
from pilothouse.wire import requests

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.sdk import Client

GROUP = "default"
STAGES = ("DEV", "SIT", "UAT", "PROD")
TEST_DATASET = "acs-employment@2015-test"
ONLINE, BATCH = "employment-eligibility", "employment-outreach"
AUTHOR, VALIDATOR = "ada", "vera"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The texts of the tokens that the demo's people and its application use."""

    author: str
    validator: str
    application: str

    def keep(self, folder: Path) -> None:
        """Write them into a folder that only its owner reads, for a look around afterwards."""
        folder.mkdir(mode=0o700)
        for name, text in (
            (AUTHOR, self.author),
            (VALIDATOR, self.validator),
            ("application", self.application),
        ):
            file = folder / name
            file.touch(mode=0o600)
            file.write_text(text + "\n", "utf-8")


def register_runtimes(client: Client) -> None:
    """Register a local runtime for each stage, each with a free port for what it serves online."""
    for stage, port in zip(STAGES, free_ports(len(STAGES)), strict=True):
        client.runtimes.register(
            requests.RegisterRuntime(
                name=f"local-{stage.lower()}",
                group=GROUP,
                stage=stage,
                address=f"127.0.0.1:{port}",
            )
        )


def register_data(client: Client, *, data: Path, results: Path) -> None:
    """Register the folders that jobs may read and write, and the labelled rows that tests are done on."""
    for name, folder, access in (
        ("data", data, LocationAccess.READ),
        ("results", results, LocationAccess.READ_WRITE),
    ):
        client.locations.register(
            requests.RegisterLocation(name=name, group=GROUP, uri=folder.as_uri(), access=access)
        )
    client.datasets.register(
        requests.RegisterDataset(
            name=TEST_DATASET,
            group=GROUP,
            place=Place(location="data", path="2015-test.parquet"),
            format=TableFormat.PARQUET,
            role=DatasetRole.TEST,
            label="employed",
        )
    )


def define_services(client: Client) -> None:
    """Define two business uses of one model: one asked online, one that scores files."""
    for tag, mode, lifecycle, title in (
        (ONLINE, Mode.ONLINE, "promote-online", "Who is likely employed, asked one by one"),
        (BATCH, Mode.BATCH, "batch-only", "Whom to write to, a file at a time"),
    ):
        client.services.define(
            requests.DefineService(
                tag=tag,
                group=GROUP,
                mode=mode,
                title=title,
                lifecycle=lifecycle,
                test_dataset=TEST_DATASET,
            )
        )


def enter_people(client: Client) -> Tokens:
    """Enter the author, who is a validator too, a second validator, and an application; give their tokens."""
    for name, title, roles in (
        (AUTHOR, "Ada, data scientist", (Role.MODEL_OWNER, Role.VALIDATOR)),
        (VALIDATOR, "Vera, validator", (Role.VALIDATOR,)),
    ):
        client.people.create(requests.CreatePerson(name=name, title=title))
        for role in roles:
            client.people.grant(name, requests.GiveRole(group=GROUP, role=role))
    scoring = requests.IssueScoringToken(name="benefits portal", group=GROUP, services=(ONLINE,))
    return Tokens(
        author=_token(client, AUTHOR),
        validator=_token(client, VALIDATOR),
        application=client.tokens.issue_scoring(scoring).text,
    )


def _token(client: Client, person: str) -> str:
    wanted = requests.IssueToken(name=f"{person}'s laptop", group=GROUP, person=person)
    return client.tokens.issue(wanted).text
