"""Snapshots: taken once, whatever crashes; and the sweep that never removes what one names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.artifacts import GRACE
from pilothouse.application.founding import SYSTEM
from pilothouse.domain.access import ActionDeniedError, KeyedCall, Role
from pilothouse.domain.artifacts import ArtifactCorruptError, ArtifactMissingError
from pilothouse.domain.errors import ConflictError, NotFoundError
from pilothouse.domain.jobs import JobState
from pilothouse.domain.snapshots import SnapshotRefusedError
from pilothouse.wire.requests import TakeSnapshot
from tests.unit.application.company import entry, sha256

if TYPE_CHECKING:
    from pilothouse.domain.jobs import Job
    from tests.unit.application.company import Company


class KilledError(BaseException):
    """The process ends here, as by kill -9."""


def job_of(company: Company, job: Job) -> Job:
    return company.jobs.get(company.admin, job_id=job.id)


def audited(company: Company) -> list[str]:
    return [e.action for e in company.audit.page(company.admin, noun="snapshot").items]


def test_a_snapshot_gets_the_next_number_of_its_model(company: Company) -> None:
    first, second = company.snapshot(seed=1), company.snapshot(seed=2)

    assert [first.name, second.name] == ["fraud-gbm@1", "fraud-gbm@2"]
    assert company.models.get(company.admin, name="fraud-gbm").last_number == 2


def test_the_same_content_is_the_same_snapshot(company: Company) -> None:
    first = company.snapshot(seed=1)

    second = company.snapshot(seed=1)

    assert second == first
    assert company.models.get(company.admin, name="fraud-gbm").last_number == 1


def test_everything_that_the_digest_names_is_kept(company: Company) -> None:
    snapshot = company.snapshot()

    named = [snapshot.digest, snapshot.content.lock, snapshot.content.golden]
    named += [f.sha256 for f in snapshot.content.files]
    assert all(company.store.size(digest) is not None for digest in named)
    assert sha256(b"".join(company.store.get(snapshot.digest))) == snapshot.digest


def test_taking_an_ended_job_again_changes_nothing(company: Company) -> None:
    job = company.order_snapshot(services=("cc-fraud",))
    done = company.snapshots.take(SYSTEM, job.id)

    again = company.snapshots.take(SYSTEM, job.id)

    assert again == done
    assert company.checker.checks == 1
    assert audited(company) == ["taken", "tag", "take"]


def test_a_check_that_was_killed_is_done_again(company: Company) -> None:
    job = company.order_snapshot()
    company.checker.problems.append(KilledError())  # type: ignore[arg-type]
    with pytest.raises(KilledError):
        company.snapshots.take(SYSTEM, job.id)

    done = company.snapshots.take(SYSTEM, job.id)

    assert (done.state, done.snapshot) == (JobState.COMPLETE, "fraud-gbm@1")


def test_a_crash_between_keeping_and_writing_changes_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = company.order_snapshot()

    def killed(*_: object, **__: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(company.snapshots, "_written", killed)
        with pytest.raises(KilledError):
            company.snapshots.take(SYSTEM, job.id)

    assert company.snapshots.page(company.admin).items == ()
    assert company.snapshots.take(SYSTEM, job.id).snapshot == "fraud-gbm@1"


def test_what_a_killed_check_left_on_disk_goes_with_the_next(company: Company) -> None:
    job = company.order_snapshot()
    left = company.folder / "scratch" / f"{job.id}-left"
    left.mkdir(parents=True)
    company.clock.set(after_grace_at())

    company.snapshots.take(SYSTEM, job.id)

    assert list((company.folder / "scratch").iterdir()) == []


def test_two_workers_on_one_job_make_one_snapshot(company: Company) -> None:
    job = company.order_snapshot(services=("cc-fraud",))

    def other() -> None:
        company.checker.meanwhile = lambda: None
        company.snapshots.take(SYSTEM, job.id)

    company.checker.meanwhile = other
    done = company.snapshots.take(SYSTEM, job.id)

    assert done.snapshot == "fraud-gbm@1"
    assert len(company.snapshots.page(company.admin).items) == 1
    assert audited(company).count("tag") == 1


def test_a_cancelled_job_takes_nothing(company: Company) -> None:
    job = company.order_snapshot()
    company.jobs.cancel(company.admin, job_id=job.id)

    done = company.snapshots.take(SYSTEM, job.id)

    assert done.state is JobState.CANCELLED
    assert company.checker.checks == 0


def test_a_job_that_is_cancelled_under_its_check_takes_nothing(company: Company) -> None:
    job = company.order_snapshot()

    def cancel() -> None:
        company.jobs.cancel(company.admin, job_id=job.id)

    company.checker.meanwhile = cancel
    done = company.snapshots.take(SYSTEM, job.id)

    assert done.state is JobState.CANCELLED
    assert company.snapshots.page(company.admin).items == ()


def test_a_refused_folder_fails_the_job_with_the_check_s_own_words(company: Company) -> None:
    job = company.order_snapshot()
    company.checker.problems.append(
        SnapshotRefusedError(cause="golden-differs", problem="row 3 differs")
    )

    done = company.snapshots.take(SYSTEM, job.id)

    assert (done.state, done.error_code) == (JobState.FAILED, "golden-differs")
    assert "row 3 differs" in done.error


def test_a_manifest_of_another_model_is_refused(company: Company) -> None:
    files = company.upload(name="other-model")
    job = company.snapshots.order(company.admin, TakeSnapshot(model="fraud-gbm", files=files))

    done = company.snapshots.take(SYSTEM, job.id)

    assert done.state is JobState.FAILED
    assert "other-model" in done.error


@pytest.mark.parametrize("parent", ["fraud-gbm@9", "no parent", "cards-gbm@1"])
def test_a_parent_that_the_group_does_not_have_fails_the_job(company: Company, parent: str) -> None:
    company.group("cards")
    company.model("cards-gbm", group="cards")
    company.snapshot(model="cards-gbm", group="cards")
    job = company.order_snapshot(parents=[parent])

    done = company.snapshots.take(SYSTEM, job.id)

    assert done.state is JobState.FAILED
    assert parent in done.error


def test_a_snapshot_knows_its_parents(company: Company) -> None:
    first = company.snapshot(seed=1)

    second = company.snapshot(seed=2, parents=["fraud-gbm@1"])

    assert second.parents == (first.id,)


def test_a_damaged_artefact_fails_the_job(company: Company) -> None:
    job = company.order_snapshot()
    company.checker.problems.append(ArtifactCorruptError(sha256="a" * 64, found="b" * 64))

    done = company.snapshots.take(SYSTEM, job.id)

    assert (done.state, done.error_code) == (JobState.FAILED, "artifact-corrupt")


def test_a_conflict_with_another_worker_leaves_the_job_for_the_next_round(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = company.order_snapshot()

    def late(*_: object, **__: object) -> None:
        raise ConflictError(noun="model", name="fraud-gbm", expected=1, found=2)

    with monkeypatch.context() as patch:
        patch.setattr(company.snapshots, "_written", late)
        with pytest.raises(ConflictError):
            company.snapshots.take(SYSTEM, job.id)

    assert job_of(company, job).state is JobState.RUNNING
    assert company.snapshots.waiting(SYSTEM) == (job.id,)


def test_a_file_that_was_not_uploaded_is_named(company: Company) -> None:
    lost = entry("pilothouse.yaml", b"never sent")

    with pytest.raises(ArtifactMissingError) as missing:
        company.snapshots.order(company.admin, TakeSnapshot(model="fraud-gbm", files=(lost,)))

    assert missing.value.sha256 == lost.sha256


@pytest.mark.parametrize(
    "paths", [(), ("a", "a"), ("a", "a/b"), ("a/b/c", "a/b")], ids=["none", "twice", "in", "under"]
)
def test_paths_that_cannot_stand_beside_each_other_are_refused(
    company: Company, paths: tuple[str, ...]
) -> None:
    files = tuple(entry(path, b"x") for path in paths)

    with pytest.raises(SnapshotRefusedError) as refused:
        company.snapshots.order(company.admin, TakeSnapshot(model="fraud-gbm", files=files))

    assert refused.value.cause == "files"


def test_tagging_twice_changes_nothing(company: Company) -> None:
    name = company.snapshot().name
    first = company.snapshots.tag(company.admin, snapshot=name, service="cc-fraud")

    second = company.snapshots.tag(company.admin, snapshot=name, service="cc-fraud")

    assert second == first
    assert audited(company).count("tag") == 1


def test_untagging_what_is_not_tagged_changes_nothing_even_with_a_key(company: Company) -> None:
    name = company.snapshot().name
    keyed = company.admin.__class__(
        person_id=company.admin.person_id,
        name="admin",
        grants=company.admin.grants,
        call=KeyedCall(key="k", request="r"),
    )

    ended = company.snapshots.untag(keyed, snapshot=name, service="cc-fraud")

    assert ended is None


def test_tagging_needs_the_right_in_the_service_s_group(company: Company) -> None:
    company.group("cards")
    company.service("cards-limit", group="cards")
    ada = company.hire("ada", Role.MODEL_OWNER)
    company.people.grant(company.admin, person="ada", group="cards", role=Role.AUDITOR)
    issued = company.tokens.issue(company.admin, name="again", group="risk", person="ada")
    ada = company.tokens.sign_in(issued.text)
    name = company.snapshot(ada).name

    with pytest.raises(ActionDeniedError) as denied:
        company.snapshots.tag(ada, snapshot=name, service="cards-limit")

    assert denied.value.group == "cards"


def test_a_tag_starts_life_cycles_by_an_event(company: Company) -> None:
    company.snapshot(services=("cc-fraud",))

    with company.work(SYSTEM) as work:
        events = work.outbox.claim("lifecycles", owner="t", lease_s=60, limit=10)

    assert [e.payload["service"] for e in events] == ["cc-fraud"]


def after_grace_at() -> datetime:
    return datetime.now(UTC) + GRACE + timedelta(hours=1)  # noqa: TID251 files carry the host's time


def after_grace(company: Company) -> None:
    company.clock.set(after_grace_at())


def test_the_sweep_keeps_what_a_snapshot_names(company: Company) -> None:
    snapshot = company.snapshot()
    after_grace(company)

    removed = company.artifacts.sweep(SYSTEM)

    assert removed.removed == ()
    assert all(company.store.size(f.sha256) is not None for f in snapshot.content.files)
    assert company.store.size(snapshot.digest) is not None


def test_the_sweep_keeps_what_a_waiting_job_names(company: Company) -> None:
    job = company.order_snapshot()
    after_grace(company)

    removed = company.artifacts.sweep(SYSTEM)

    assert removed.removed == ()
    assert company.snapshots.take(SYSTEM, job.id).state is JobState.COMPLETE


def test_the_sweep_removes_what_nothing_names_after_its_grace(company: Company) -> None:
    files = company.upload(name="fraud-gbm", never="taken")
    young = company.artifacts.sweep(SYSTEM)
    after_grace(company)

    removed = company.artifacts.sweep(SYSTEM)

    assert (young.removed, young.young) == ((), 2)
    assert {a.sha256 for a in removed.removed} == {f.sha256 for f in files}


def test_the_sweep_sees_what_was_ordered_since_it_listed(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = company.upload(name="fraud-gbm")
    after_grace(company)
    listed = list(company.store.stored())

    def stored() -> list[object]:
        company.snapshots.order(company.admin, TakeSnapshot(model="fraud-gbm", files=files))
        return list(listed)

    monkeypatch.setattr(company.store, "stored", stored)

    assert company.artifacts.sweep(SYSTEM).removed == ()


def test_only_an_administrator_of_everything_sweeps(company: Company) -> None:
    ada = company.hire("ada", Role.ADMINISTRATOR)

    with pytest.raises(ActionDeniedError):
        company.artifacts.sweep(ada)


def test_a_file_that_the_snapshot_does_not_have_is_not_found(company: Company) -> None:
    name = company.snapshot().name

    with pytest.raises(NotFoundError) as missing:
        company.artifacts.download(company.admin, snapshot=name, path="secrets.txt")

    assert missing.value.noun == "file"
