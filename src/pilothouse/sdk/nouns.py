"""The API's nouns as attributes of the client, each with its calls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pilothouse.domain.access import Grant, Principal, Token
from pilothouse.domain.datasets import Dataset
from pilothouse.domain.deployments import Deployment
from pilothouse.domain.endpoints import Endpoint
from pilothouse.domain.evaluations import Evaluation
from pilothouse.domain.events import AuditEntry, Change
from pilothouse.domain.groups import Group
from pilothouse.domain.jobs import Job
from pilothouse.domain.locations import Location
from pilothouse.domain.models import Model
from pilothouse.domain.people import Person
from pilothouse.domain.routes import Route
from pilothouse.domain.runtimes import Capabilities, Runtime
from pilothouse.domain.services import Service
from pilothouse.domain.stages import Stage
from pilothouse.domain.whereabouts import Whereabouts
from pilothouse.sdk.errors import WaitedTooLongError
from pilothouse.sdk.transport import part
from pilothouse.wire.views import IssuedToken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from pilothouse.sdk.transport import Transport
    from pilothouse.wire import requests

POLL_S = 0.3


class Noun:
    """What every noun has: the connection."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport


class Groups(Noun):
    """Teams."""

    def create(self, wanted: requests.CreateGroup) -> Group:
        """Create a group."""
        return self._transport.post(Group, "/groups", wanted)

    def list(self) -> Iterable[Group]:
        """List groups."""
        return self._transport.every(Group, "/groups")

    def set_policy(self, name: str, wanted: requests.SetPolicy) -> Group:
        """Change what the group's models may bring."""
        return self._transport.post(Group, f"/groups/{part(name)}/policy", wanted)


class People(Noun):
    """People and machines, and their roles."""

    def me(self) -> Principal:
        """Show who the token speaks for."""
        return self._transport.get(Principal, "/me")

    def create(self, wanted: requests.CreatePerson) -> Person:
        """Enter somebody."""
        return self._transport.post(Person, "/people", wanted)

    def list(self) -> Iterable[Person]:
        """List people."""
        return self._transport.every(Person, "/people")

    def grants(self, person: str) -> tuple[Grant, ...]:
        """List somebody's roles."""
        return self._transport.get(tuple[Grant, ...], f"/people/{part(person)}/grants")

    def grant(self, person: str, wanted: requests.GiveRole) -> Grant:
        """Give a role."""
        return self._transport.post(Grant, f"/people/{part(person)}/grants", wanted)

    def end_grant(self, grant_id: str) -> Grant:
        """Take a role away."""
        return self._transport.post(Grant, f"/grants/{part(grant_id)}/end")


class Tokens(Noun):
    """API tokens and scoring tokens."""

    def issue(self, wanted: requests.IssueToken) -> IssuedToken:
        """Issue an API token; its text is shown this once."""
        return self._transport.post(IssuedToken, "/tokens", wanted)

    def issue_scoring(self, wanted: requests.IssueScoringToken) -> IssuedToken:
        """Issue a scoring token; its text is shown this once."""
        return self._transport.post(IssuedToken, "/scoring-tokens", wanted)

    def list(self) -> Iterable[Token]:
        """List tokens, without their texts."""
        return self._transport.every(Token, "/tokens")

    def revoke(self, token_id: str) -> Token:
        """End a token."""
        return self._transport.post(Token, f"/tokens/{part(token_id)}/revoke")


class Models(Noun):
    """Models."""

    def register(self, wanted: requests.RegisterModel) -> Model:
        """Register a model."""
        return self._transport.post(Model, "/models", wanted)

    def get(self, name: str) -> Model:
        """Show a model."""
        return self._transport.get(Model, f"/models/{part(name)}")

    def list(self) -> Iterable[Model]:
        """List models."""
        return self._transport.every(Model, "/models")

    def where(self, name: str) -> tuple[Whereabouts, ...]:
        """Say where every snapshot of the model runs."""
        return self._transport.get(tuple[Whereabouts, ...], f"/models/{part(name)}/where")


class Stages(Noun):
    """Stages."""

    def define(self, wanted: requests.DefineStage) -> Stage:
        """Add a stage."""
        return self._transport.post(Stage, "/stages", wanted)

    def list(self) -> tuple[Stage, ...]:
        """List stages in the order of the path."""
        return self._transport.get(tuple[Stage, ...], "/stages")


class Services(Noun):
    """Services, their routes and endpoints."""

    def define(self, wanted: requests.DefineService) -> Service:
        """Define a service."""
        return self._transport.post(Service, "/services", wanted)

    def get(self, tag: str) -> Service:
        """Show a service."""
        return self._transport.get(Service, f"/services/{part(tag)}")

    def list(self) -> Iterable[Service]:
        """List services."""
        return self._transport.every(Service, "/services")

    def set_log(self, tag: str, wanted: requests.SetLog) -> Service:
        """Change what the prediction log keeps of a service."""
        return self._transport.post(Service, f"/services/{part(tag)}/log", wanted)

    def where(self, tag: str, *, at: datetime | None = None) -> tuple[Whereabouts, ...]:
        """Say where every version runs, now or at a past moment."""
        return self._transport.get(tuple[Whereabouts, ...], f"/services/{part(tag)}/where", at=at)

    def route(self, tag: str, stage: str) -> Route:
        """Show the route in a stage."""
        return self._transport.get(Route, f"/services/{part(tag)}/routes/{part(stage)}")

    def set_route(self, tag: str, stage: str, wanted: requests.SetRoute) -> Route:
        """Divide the traffic in a stage."""
        return self._transport.post(Route, f"/services/{part(tag)}/routes/{part(stage)}", wanted)

    def endpoints(self, tag: str, stage: str) -> tuple[Endpoint, ...]:
        """Say where applications meet the service in a stage."""
        return self._transport.get(
            tuple[Endpoint, ...], f"/services/{part(tag)}/endpoints/{part(stage)}"
        )


class Locations(Noun):
    """Folders that jobs may use."""

    def register(self, wanted: requests.RegisterLocation) -> Location:
        """Register a location."""
        return self._transport.post(Location, "/locations", wanted)

    def list(self) -> Iterable[Location]:
        """List locations."""
        return self._transport.every(Location, "/locations")


class Datasets(Noun):
    """Datasets."""

    def register(self, wanted: requests.RegisterDataset) -> Dataset:
        """Register a version of a dataset."""
        return self._transport.post(Dataset, "/datasets", wanted)

    def get(self, name: str) -> Dataset:
        """Show a dataset, ``name@version``."""
        return self._transport.get(Dataset, f"/datasets/{part(name)}")

    def list(self) -> Iterable[Dataset]:
        """List datasets."""
        return self._transport.every(Dataset, "/datasets")


class Runtimes(Noun):
    """Runtimes."""

    def register(self, wanted: requests.RegisterRuntime) -> Runtime:
        """Register a runtime."""
        return self._transport.post(Runtime, "/runtimes", wanted)

    def get(self, name: str) -> Runtime:
        """Show a runtime."""
        return self._transport.get(Runtime, f"/runtimes/{part(name)}")

    def list(self) -> Iterable[Runtime]:
        """List runtimes."""
        return self._transport.every(Runtime, "/runtimes")

    def capabilities(self, name: str) -> Capabilities:
        """Say what a runtime can do."""
        return self._transport.get(Capabilities, f"/runtimes/{part(name)}/capabilities")

    def logs(self, name: str, *, job: str | None = None, lines: int = 200) -> tuple[str, ...]:
        """Give the last lines of a log."""
        return self._transport.get(
            tuple[str, ...], f"/runtimes/{part(name)}/logs", job=job, lines=lines
        )

    def retire(self, name: str) -> Runtime:
        """Take an empty runtime out of use."""
        return self._transport.post(Runtime, f"/runtimes/{part(name)}/retire")


class Deployments(Noun):
    """Deployments."""

    def order(self, wanted: requests.OrderDeployment) -> tuple[Deployment, ...]:
        """Deploy a snapshot."""
        return self._transport.post(tuple[Deployment, ...], "/deployments", wanted)

    def get(self, deployment_id: str) -> Deployment:
        """Show a deployment."""
        return self._transport.get(Deployment, f"/deployments/{part(deployment_id)}")

    def list(self, *, service: str | None = None, stage: str | None = None) -> Iterable[Deployment]:
        """List deployments, newest first."""
        return self._transport.every(Deployment, "/deployments", service=service, stage=stage)

    def withdraw(self, deployment_id: str, *, stop_service: bool = False) -> Deployment:
        """Withdraw a deployment."""
        return self._transport.post(
            Deployment, f"/deployments/{part(deployment_id)}/withdraw", stop_service=stop_service
        )


class Jobs(Noun):
    """Jobs."""

    def order(self, wanted: requests.OrderJob) -> Job:
        """Run a snapshot over a table."""
        return self._transport.post(Job, "/jobs", wanted)

    def get(self, job_id: str) -> Job:
        """Show a job."""
        return self._transport.get(Job, f"/jobs/{part(job_id)}")

    def list(self, *, service: str | None = None) -> Iterable[Job]:
        """List jobs, newest first."""
        return self._transport.every(Job, "/jobs", service=service)

    def cancel(self, job_id: str) -> Job:
        """Stop a job."""
        return self._transport.post(Job, f"/jobs/{part(job_id)}/cancel")

    def wait(
        self,
        job_id: str,
        *,
        timeout_s: float = 3600.0,
        progress: Callable[[Job], None] | None = None,
    ) -> Job:
        """
        Wait until a job has ended, and give it.

        Raises
        ------
        WaitedTooLongError
            (a `TimeoutError`) When it has not ended after `timeout_s` seconds; it goes on all the same.
        """
        end = time.monotonic() + timeout_s
        while True:
            job = self.get(job_id)
            if progress is not None:
                progress(job)
            if job.state.ended:
                return job
            if time.monotonic() > end:
                raise WaitedTooLongError(job=job_id, state=job.state.value, timeout_s=timeout_s)
            time.sleep(POLL_S)


class Evaluations(Noun):
    """Verdicts with their evidence."""

    def list(self, *, snapshot: str | None = None) -> Iterable[Evaluation]:
        """List verdicts, newest first."""
        return self._transport.every(Evaluation, "/evaluations", snapshot=snapshot)


class Audit(Noun):
    """The record of orders and the history of things."""

    def list(self, *, noun: str | None = None, subject: str | None = None) -> Iterable[AuditEntry]:
        """List what was ordered, newest first."""
        return self._transport.every(AuditEntry, "/audit", noun=noun, subject=subject)

    def history(self, noun: str, subject: str) -> tuple[Change, ...]:
        """Give every value that a thing has had."""
        return self._transport.get(tuple[Change, ...], f"/history/{part(noun)}/{part(subject)}")
