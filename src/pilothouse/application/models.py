"""Models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.application.finding import model_named
from pilothouse.application.people import person_named
from pilothouse.domain.access import Action
from pilothouse.domain.ids import GroupName, ModelId
from pilothouse.domain.models import Model

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.pages import Page
    from pilothouse.ports.unit_of_work import OpenWork
    from pilothouse.wire.requests import RegisterModel


class Models:
    """Register models and look them up."""

    def __init__(self, *, open_work: OpenWork) -> None:
        self._open_work = open_work

    def register(self, who: Principal, wanted: RegisterModel) -> Model:
        """Register a model; its owner is the caller where none is named."""
        who.require(Action.REGISTER_MODEL, group=GroupName(wanted.group))
        with self._open_work(who) as work:
            work.groups.get(wanted.group)
            holder = person_named(work, wanted.owner).id if wanted.owner else who.person_id
            model = work.models.add(
                Model(
                    id=ModelId(work.new_id("mod")),
                    group=GroupName(wanted.group),
                    name=wanted.name,
                    owner=holder,
                    use_case=wanted.use_case,
                    methodology=wanted.methodology,
                    risk_tier=wanted.risk_tier,
                    last_number=0,
                    created_at=work.at,
                )
            )
            work.audit.record(
                "register",
                noun="model",
                subject=model.id,
                group=model.group,
                detail={"name": wanted.name},
            )
            return work.commit(model)

    def get(self, who: Principal, *, name: str) -> Model:
        """Give one model."""
        with self._open_work.reading(who) as work:
            return model_named(work, name)

    def page(self, who: Principal, *, after: str | None = None, limit: int = 50) -> Page[Model]:
        """List the models that the caller sees."""
        with self._open_work.reading(who) as work:
            return work.models.page(groups=who.readable, after=after, limit=limit)
