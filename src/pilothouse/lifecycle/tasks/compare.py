"""Compare with champion: measure two snapshots on the same data, and judge the difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.application.evaluations import Judgement
from pilothouse.application.finding import snapshot_named, stage_named
from pilothouse.application.routes import route_of
from pilothouse.domain.evaluations import Verdict
from pilothouse.domain.jobs import Job, JobKind
from pilothouse.lifecycle.errors import DatasetMissingError, TaskInputError
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import (
    BusinessError,
    Done,
    Facilities,
    Later,
    Outcome,
    TaskContext,
    TaskType,
    own_service,
    pause_s,
)
from pilothouse.lifecycle.tasks.evaluate import kept, verdict_of
from pilothouse.lifecycle.tasks.ordered_jobs import completed
from pilothouse.wire.requests import OrderJob

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal

NO_CHAMPION = "no-champion"
Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The figures of both on one dataset; `difference` is the challenger's less the champion's."""

    champion: str
    dataset: str
    challenger_metrics: Figures
    champion_metrics: Figures
    difference: Figures


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``compare-with-champion``."""

    def handle(context: TaskContext) -> Outcome:
        return _Comparing(facilities, context).outcome()

    topic = Topic.COMPARE_WITH_CHAMPION
    return TaskType(topic=topic, parameters=PARAMETERS[topic], handle=handle)


class _Comparing:
    """One delivery: settle who the champion is, measure both, judge."""

    def __init__(self, facilities: Facilities, context: TaskContext) -> None:
        self._facilities, self._context = facilities, context
        self._service = own_service(facilities, context)
        self._snapshot = context.needed("snapshot")
        self._decision = context.text("decision")
        self._least, self._most = self._limits("least"), self._limits("most")
        if not (self._decision or self._least or self._most):
            problem = "is missing, and so are least and most: nothing says what is good enough"
            raise TaskInputError(topic=_TOPIC, parameter="decision", problem=problem)

    def outcome(self) -> Outcome:
        champion = self._context.once("champion", str, self._settled)
        if not champion:
            message = (
                f"{self._service.tag} has no champion besides {self._snapshot} to compare with."
            )
            return BusinessError(code=NO_CHAMPION, message=message)
        dataset = self._context.text("dataset") or self._service.test_dataset
        if dataset is None:
            raise DatasetMissingError(service=self._service.tag)
        measured = [self._measured(name, dataset) for name in (self._snapshot, champion)]
        challenger, incumbent = measured
        if challenger is None or incumbent is None:
            return Later(after_s=pause_s(self._context))
        return self._judged(
            Compared(
                champion=champion,
                dataset=dataset,
                challenger_metrics=challenger,
                champion_metrics=incumbent,
                difference=differences(challenger, incumbent),
            )
        )

    def _settled(self, who: Principal) -> str:
        """Name the champion, which stays the same for this job whatever becomes of the route; nothing for none."""
        with self._facilities.open_work(who) as work:
            challenger = snapshot_named(work, self._snapshot).name
            given = self._context.text("champion")
            if given is not None:
                named = snapshot_named(work, given).name
                return work.commit("" if named == challenger else named)
            stage = self._context.text("champion_stage") or self._context.needed("stage")
            route = route_of(work, self._service, stage_named(work, stage).name)
            others = [v for v in route.variants if v.snapshot != challenger] if route else []
            heaviest = max((v.weight for v in others), default=0.0)
            first = [v.snapshot for v in others if v.weight == heaviest]
            if len(first) > 1:
                problem = f"is missing, and {' and '.join(first)} have the same share of {stage}"
                raise TaskInputError(topic=_TOPIC, parameter="champion", problem=problem)
            return work.commit(first[0] if first else "")

    def _measured(self, snapshot: str, dataset: str) -> Figures | None:
        wanted = OrderJob(
            kind=JobKind.METRICS,
            snapshot=snapshot,
            service=self._service.tag,
            stage=self._context.needed("stage"),
            dataset=dataset,
        )

        def ordered(who: Principal, _: int) -> Job:
            return self._facilities.jobs.order(who, wanted)

        jobs = completed(self._facilities, self._context, Job, ordered, part=f"{snapshot}/")
        if jobs is None:
            return None
        progress = jobs[0].progress
        share = progress.rows_rejected / progress.rows_read if progress.rows_read else None
        return {"rows": float(progress.rows_read), "rejected_share": share, **jobs[0].metrics}

    def _judged(self, compared: Compared) -> Outcome:
        context = self._context
        evidence: dict[str, object] = {
            "champion": compared.champion,
            "dataset": compared.dataset,
            "challenger_metrics": dict(compared.challenger_metrics),
            "champion_metrics": dict(compared.champion_metrics),
            "difference": dict(compared.difference),
        }
        verdict, reason, decision, rule = self._verdict(compared, evidence)
        judgement = Judgement(
            kind="comparison",
            snapshot=self._snapshot,
            service=self._service.tag,
            stage=context.needed("stage"),
            verdict=verdict,
            reason=reason,
            evidence=evidence,
            decision=decision,
            rule=rule,
            run_id=context.heading.run_id,
        )
        shown = {
            **kept(self._facilities, context, judgement),
            "champion": compared.champion,
            "difference": dict(compared.difference),
        }
        return Done(variables={"comparison": shown})

    def _verdict(
        self, compared: Compared, evidence: dict[str, object]
    ) -> tuple[Verdict, str, str | None, str | None]:
        """Judge by the decision where one is named, else by limits; give the decision and its rule too."""
        context, key = self._context, self._decision
        if key is None:
            verdict, reason = judged(compared.difference, least=self._least, most=self._most)
            evidence |= {"least": dict(self._least), "most": dict(self._most)}
            return verdict, reason, None, None
        names = {
            "service": self._service.tag,
            "snapshot": self._snapshot,
            "stage": context.needed("stage"),
        }
        decided = self._facilities.decisions.decide(
            context.who, group=context.heading.group, key=key, context={**evidence, **names}
        )
        evidence |= {"rules": list(decided.rules), "nulls": list(decided.nulls)}
        verdict, reason = verdict_of(decided)
        return verdict, reason, decided.decision, decided.rule

    def _limits(self, parameter: str) -> Mapping[str, float]:
        given = self._context.job.inputs.get(parameter) or {}
        found: dict[str, float] = {}
        for name, value in given.items() if isinstance(given, Mapping) else ():
            if isinstance(value, bool) or not isinstance(value, int | float):
                problem = f"says {value!r} of {name}, not a number"
                raise TaskInputError(topic=_TOPIC, parameter=parameter, problem=problem)
            found[str(name)] = float(value)
        return found


_TOPIC = Topic.COMPARE_WITH_CHAMPION


def differences(challenger: Figures, champion: Figures) -> dict[str, float | None]:
    """
    Give the challenger's figures less the champion's; null where one of them has none.

    Examples
    --------
    >>> differences({"auc": 0.75, "rows": 9.0}, {"auc": 0.5, "brier": 0.1})
    {'auc': 0.25, 'rows': None, 'brier': None}
    """
    names = dict.fromkeys((*challenger, *champion))
    pairs = {name: (challenger.get(name), champion.get(name)) for name in names}
    return {n: None if a is None or b is None else a - b for n, (a, b) in pairs.items()}


def judged(
    difference: Figures, *, least: Mapping[str, float], most: Mapping[str, float]
) -> tuple[Verdict, str]:
    """
    Judge differences by limits: FAIL beyond one, INCONCLUSIVE where one is not known, PASS otherwise.

    Examples
    --------
    >>> judged({"auc": -0.02}, least={"auc": -0.01}, most={})[1]
    'auc differs by -0.02, below -0.01'
    >>> judged({"auc": 0.02}, least={"auc": 0}, most={"log_loss": 0})[0]
    <Verdict.INCONCLUSIVE: 'INCONCLUSIVE'>
    """
    known = {name: value for name, value in difference.items() if value is not None}
    below = [(n, "below", limit) for n, limit in least.items() if n in known and known[n] < limit]
    above = [(n, "above", limit) for n, limit in most.items() if n in known and known[n] > limit]
    if below or above:
        said = (
            f"{n} differs by {known[n]:.4g}, {word} {limit:g}" for n, word, limit in below + above
        )
        return Verdict.FAIL, "; ".join(said)
    unknown = sorted({*least, *most} - known.keys())
    if unknown:
        return Verdict.INCONCLUSIVE, f"no difference is known of {', '.join(unknown)}"
    return Verdict.PASS, "all differences are within their limits"
