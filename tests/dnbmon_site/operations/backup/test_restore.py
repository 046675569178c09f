"""A backup goes into an empty place only, and afterwards nothing runs, is sent twice, or stays missing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from core.blobs import delete_bytes
from core.db import insert_new
from core.models import AuditEntry, Lease, Notice
from dnbmon_site.accounts.models import User
from dnbmon_site.operations.backup import portable_dump, restore
from dnbmon_site.operations.backup.after_restore import after_restore, read_again_what_is_unfinished
from dnbmon_site.operations.backup.create import make_backup
from dnbmon_site.operations.backup.daily import newest_time
from dnbmon_site.operations.backup.manifest import FILE, BackupError, backups_in, chosen, read_manifest, rotate
from dnbmon_site.worker.schedules import SCHEDULED
from monitoring.data_fetch.request import may_resume
from monitoring.history.facts import WITHDRAWN
from monitoring.history.settle import entry_of
from monitoring.models import (
    Alert,
    Change,
    DataFetch,
    Delivery,
    DeliveryState,
    FetchState,
    Notification,
    Observation,
    Publication,
    Source,
)
from monitoring.pipeline.ingest import ingest, waiting_deliveries
from monitoring.replay.after_restore import put_in_doubt_since_backup
from monitoring.replay.passes import recovery_is_due
from portfolio.jobs import _has_work
from portfolio.models import (
    AccessToken,
    Contract,
    DnbCall,
    ReferenceList,
    Registration,
    RegistrationState,
    SearchState,
    Subject,
    SubjectState,
    SyncRun,
    SyncState,
)
from portfolio.reference_data.fetch import fetch_due
from tests.builders.companies import DUNS
from tests.builders.company_searches import a_search
from tests.builders.data_fetches import a_fetch, monitored
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import an_element
from tests.builders.notifications import an_update
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
TAKEN = datetime(2026, 1, 8, 12, tzinfo=UTC)
HEARD = datetime(2026, 1, 8, 11, 6, 48, 292000, tzinfo=UTC)


def restored(heard: str | None = None) -> Registration:
    row = Registration.objects.get()
    after_restore(TAKEN, {str(row.pk): heard} if heard else {}, by="ann", source="dnbmon-1")
    row.refresh_from_db()
    return row


def emptied() -> None:
    for model in portable_dump.models_in_order():
        model._default_manager.all().delete()


# Making


def test_a_backup_is_verified_and_says_what_is_in_it(tmp_path: Path) -> None:
    delivered(an_update())
    made = make_backup(tmp_path, format="rows", by="ann")
    manifest = read_manifest(made)
    manifest.check(made)
    assert manifest.rows["monitoring.Change"] == 1
    assert {path.name for path in made.iterdir()} == {*manifest.files, FILE}
    assert made.stat().st_mode & 0o077 == 0 and (made / FILE).stat().st_mode & 0o077 == 0
    entry = AuditEntry.objects.get(action="backup")
    assert entry.actor == "ann" and made.name in entry.summary and "verified" in entry.summary


def test_only_the_newest_are_kept_and_nothing_unfinished(tmp_path: Path) -> None:
    (tmp_path / "dnbmon-20200101T000000000Z.unfinished").mkdir()
    made = [make_backup(tmp_path, format="rows", keep=2) for _ in range(3)]
    assert backups_in(tmp_path) == made[1:]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [path.name for path in made[1:]]
    assert chosen(tmp_path) == made[-1]


def test_rotation_never_removes_the_last(tmp_path: Path) -> None:
    made = make_backup(tmp_path, format="rows", keep=1)
    assert rotate(tmp_path, 1) == [] and made.exists()


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dnbmon_site.operations.backup.portable_dump.check", lambda *_: (_ for _ in ()).throw(BackupError("damaged"))
    )
    with pytest.raises(BackupError, match="damaged"):
        make_backup(tmp_path, format="rows")
    assert backups_in(tmp_path) == [] and not list(tmp_path.glob("dnbmon-*"))


def test_two_at_a_time_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second(*_: object) -> None:
        with pytest.raises(BackupError, match="Another backup to"):
            make_backup(tmp_path, format="rows")

    monkeypatch.setattr("dnbmon_site.operations.backup.create.verify", second)
    make_backup(tmp_path, format="rows")


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dnbmon_site.operations.backup.create.MARGIN", 10**18)
    with pytest.raises(BackupError, match="or choose another folder"):
        make_backup(tmp_path, format="rows")


# Putting back


def test_a_backup_comes_back_into_an_empty_place(tmp_path: Path) -> None:
    delivered(an_update(an_element(current="A"), an_element("organization.telephone", None, "1")))
    User.objects.create_user("ann")
    facts = set(Change.objects.values_list("pk", "current"))
    make_backup(tmp_path, format="rows")
    emptied()
    done = restore.restore(tmp_path, by="ann")
    assert set(Change.objects.values_list("pk", "current")) == facts
    assert done.aftermath.registrations == ["ACME_LOD_01"]
    assert AuditEntry.objects.filter(action="restore", actor="ann").exists()


def test_nothing_is_put_back_where_somebody_works(tmp_path: Path) -> None:
    delivered(an_update())
    make_backup(tmp_path, format="rows")
    with pytest.raises(BackupError, match="not empty: it contains registrations, companies.*empty database"):
        restore.restore(tmp_path, by="ann")
    assert Registration.objects.get().state == RegistrationState.ACTIVE


def test_a_damaged_backup_is_not_put_back(tmp_path: Path) -> None:
    delivered(an_update())
    made = make_backup(tmp_path, format="rows")
    emptied()
    file = made / "monitoring.change.jsonl.zst"
    file.write_bytes(file.read_bytes()[:-3] + b"xyz")
    with pytest.raises(BackupError, match="damaged"):
        restore.restore(made, by="ann")
    file.unlink()
    with pytest.raises(BackupError, match="missing"):
        restore.restore(made, by="ann")
    assert Registration.objects.count() == 0


def resigned(made: Path, **changed: object) -> None:
    """The manifest as somebody changes it who does not know the key."""
    text = json.loads((made / FILE).read_text())
    (made / FILE).write_text(json.dumps({**text, **changed}))


@pytest.mark.parametrize("changed", [{"taken_at": "2026-01-01T00:00:00+00:00"}, {"signature": ""}, {"signature": 1}])
def test_one_whose_manifest_was_changed_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    made = make_backup(tmp_path, format="rows")
    emptied()
    resigned(made, **changed)
    with pytest.raises(BackupError, match=r"not signed with this SECRET_KEY.*Set the SECRET_KEY.*--trust SUM"):
        restore.restore(made, by="ann")
    assert newest_time(tmp_path) is None


def test_one_of_another_key_is_put_back_only_by_the_sum_that_was_written_down(
    tmp_path: Path, settings: Settings
) -> None:
    made = make_backup(tmp_path, format="rows")
    written_down = AuditEntry.objects.get(action="backup").summary.partition(f"SHA-256 of {FILE} ")[2]
    emptied()
    settings.SECRET_KEY = "another"
    with pytest.raises(BackupError, match="not signed with this SECRET_KEY"):
        restore.restore(made, by="ann")
    with pytest.raises(BackupError, match="does not match the SHA-256"):
        restore.restore(made, by="ann", trust="0" * 64)
    assert restore.restore(made, by="ann", trust=written_down).backup == made


def test_a_file_that_was_put_beside_the_others_is_refused(tmp_path: Path) -> None:
    """It would be read: a backup may be older than some of the models."""
    made = make_backup(tmp_path, format="rows")
    emptied()
    (made / "portfolio.new.jsonl.zst").write_bytes(b"")
    with pytest.raises(BackupError, match="not part of the backup"):
        restore.restore(made, by="ann")


def test_what_the_worker_runs_comes_from_the_table(tmp_path: Path) -> None:
    Schedule.objects.create(name="doctored", func="os.system", args="'id'")
    Schedule.objects.create(name="Pull due registrations", func="os.system", repeats=0)
    make_backup(tmp_path, format="rows")
    emptied()
    restore.restore(tmp_path, by="ann")
    assert set(Schedule.objects.values_list("func", flat=True)) == SCHEDULED
    assert Schedule.objects.get(repeats=0).name == "Pull due registrations"


def test_one_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    made = make_backup(tmp_path, format="rows")
    manifest = read_manifest(made)
    manifest.migrations["portfolio"] = "9999_from_the_future"
    manifest.write(made)
    emptied()
    with pytest.raises(BackupError, match="newer version.*portfolio 9999"):
        restore.restore(made, by="ann")


def test_what_is_no_backup_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="does not contain a backup"):
        restore.restore(tmp_path, by="ann")


# Afterwards


def test_registrations_are_paused_with_a_doubt_from_what_was_heard_last() -> None:
    row = a_registration(dnb_time=HEARD, turn=7, lease_until=timezone.now() + timedelta(hours=1))
    row = restored()
    assert (row.state, row.lease_until) == (RegistrationState.PAUSED, None)
    doubt = Delivery.objects.get()
    assert doubt.state == DeliveryState.IN_DOUBT
    assert (doubt.turn, doubt.stands_for, row.turn) == (8, 8, 8), "what is replayed stands after what was read"
    assert doubt.replay_from == HEARD - row.contract.overlap
    assert recovery_is_due(row)
    assert "2026-01-08 12:00 UTC" in row.last_error


def test_the_earlier_of_row_and_backup_is_what_was_heard() -> None:
    a_registration(dnb_time=HEARD)
    row = restored(heard=(HEARD - timedelta(minutes=9)).isoformat())
    assert Delivery.objects.get().replay_from == HEARD - timedelta(minutes=9) - row.contract.overlap


def test_one_that_heard_nothing_replays_from_the_day_before_the_backup() -> None:
    a_registration(dnb_time=None)
    row = restored()
    assert Delivery.objects.get().replay_from == TAKEN - timedelta(days=1) - row.contract.overlap


def test_a_registration_that_the_backup_does_not_know_replays_too() -> None:
    row = a_registration(dnb_time=timezone.now())
    Contract.objects.update(restored_from=timezone.now() - timedelta(days=2))
    row.contract.refresh_from_db()
    for _ in range(2):
        put_in_doubt_since_backup(row)
    assert Delivery.objects.get().state == DeliveryState.IN_DOUBT


def test_long_after_a_restore_a_new_registration_is_just_new() -> None:
    row = a_registration(dnb_time=timezone.now())
    Contract.objects.update(restored_from=timezone.now() - timedelta(days=16))
    row.contract.refresh_from_db()
    put_in_doubt_since_backup(row)
    assert not Delivery.objects.exists()


def test_nothing_of_processes_that_are_no_more_is_left() -> None:
    row = a_registration()
    AccessToken.objects.create(contract=row.contract, encrypted="x")
    Lease.objects.create(key="sync/1", lease_until=timezone.now() + timedelta(days=1))
    Session.objects.create(session_key="s", session_data="", expire_date=timezone.now() + timedelta(days=1))
    waiting = a_delivery(an_update())
    Delivery.objects.filter(pk=waiting.pk).update(claimed_until=timezone.now() + timedelta(days=1))
    restored()
    assert waiting_deliveries() == [waiting.pk], "nobody reads it any more"
    assert not AccessToken.objects.exists() and not Lease.objects.exists() and not Session.objects.exists()


def test_a_data_fetch_in_the_middle_makes_no_call_before_somebody_confirms_it() -> None:
    row = a_registration()
    monitored(row, DUNS)
    fetch = a_fetch(DUNS)
    restored()
    fetch.refresh_from_db()
    assert fetch.state == FetchState.STOPPED and "restored" in fetch.reason


def test_a_data_fetch_that_may_lack_companies_is_not_continued() -> None:
    row = a_registration()
    monitored(row, DUNS)
    earlier, later = a_fetch(DUNS), a_fetch(DUNS)
    DataFetch.objects.filter(pk=earlier.pk).update(requested_at=TAKEN - timedelta(days=1))
    DataFetch.objects.filter(pk=later.pk).update(requested_at=TAKEN)
    restored()
    earlier.refresh_from_db()
    later.refresh_from_db()
    assert may_resume(earlier) and not may_resume(later)


@pytest.mark.parametrize("state", [SearchState.WAITING, SearchState.CALLED])
def test_a_search_in_the_middle_makes_no_call_before_somebody_confirms_it(state: SearchState) -> None:
    search = a_search(a_registration().contract, state=state)
    restored()
    search.refresh_from_db()
    assert search.state == SearchState.STOPPED and "restored" in search.error


def test_reference_data_that_was_requested_or_due_is_not_fetched_unconfirmed() -> None:
    contract = a_registration().contract
    long_ago = timezone.now() - timedelta(days=40)
    for place, fetched_at in enumerate([None, long_ago]):
        ReferenceList.objects.create(
            id=ReferenceList.key(str(place), "en"), contract=contract, requested_by="ann",
            requested_at=long_ago, called_at=fetched_at, fetched_at=fetched_at,
        )  # fmt: skip
    restored()
    assert fetch_due() == 0 and not DnbCall.objects.exists()
    assert "restored" in ReferenceList.objects.get(fetched_at=None).error


def test_people_are_told_that_more_calls_were_used_than_are_counted() -> None:
    a_registration()
    restored()
    assert "do not count the calls made since the backup" in Notice.objects.get(kind="restore").text


def test_a_sync_in_the_middle_waits_for_a_person_and_sends_nothing_before() -> None:
    row = a_registration(adopted=True)
    a_subject("804735132", registration=row, requested=True, state=SubjectState.UNKNOWN)
    a_subject("150483782", registration=row, requested=True, state=SubjectState.PENDING_ADD, sent_at=timezone.now())
    SyncRun.objects.create(registration=row, state=SyncState.RUNNING, started_at=timezone.now())
    assert _has_work(row)
    row = restored()
    run = SyncRun.objects.get()
    assert (run.state, "Compare with D&B" in run.error) == (SyncState.PAUSED, True)
    assert not _has_work(row)
    assert sorted(Subject.objects.values_list("state", flat=True)) == ["pending_add", "unknown"]


def test_without_a_sync_under_way_wishes_of_the_past_are_held_as_well() -> None:
    row = a_registration(adopted=True)
    a_subject("804735132", registration=row, requested=True, state=SubjectState.UNKNOWN)
    assert _has_work(row)
    assert not _has_work(restored())


def test_deliveries_that_were_copied_half_read_are_read_again() -> None:
    """As the portable form can leave them: the delivery says that it is published, its number is not in the copy."""
    done = delivered(an_update(an_element(current="A")))
    half = delivered(an_update(an_element(current="B")))
    Publication.objects.filter(delivery=half).delete()
    Change.objects.filter(delivery=half).delete()
    # Without bytes: one page of a replay published what became of a change, the other brought nothing.
    page, empty = (a_delivery(source=Source.REPLAY) for _ in range(2))
    for one in (page, empty):
        delete_bytes(one.pk)
        Delivery.objects.filter(pk=one.pk).update(state=DeliveryState.INGESTED)
    insert_new(Observation, [entry_of(Change.objects.get(), WITHDRAWN, page)])
    assert read_again_what_is_unfinished() == 1
    assert set(Delivery.objects.values_list("pk", flat=True)) == {done.pk, half.pk, page.pk}
    half.refresh_from_db()
    assert half.state == DeliveryState.RECEIVED
    ingest(half)
    assert Change.objects.filter(delivery=half).count() == 1
    assert Publication.objects.count() == 2 and Notification.objects.count() == 2
    assert Delivery.objects.get(pk=done.pk).state == DeliveryState.PUBLISHED


def test_alerts_of_the_backup_are_not_raised_again_by_what_is_read_again() -> None:
    from tests.builders.alerts import raised
    from tests.builders.notifications import news
    from tests.builders.rules import a_rule

    a_rule()
    half = delivered(news())
    raised()
    assert Alert.objects.count() == 1
    Publication.objects.filter(delivery=half).delete()
    read_again_what_is_unfinished()
    ingest(Delivery.objects.select_related("registration").get(pk=half.pk))
    raised()
    assert Alert.objects.count() == 1


def test_an_unread_delivery_stays_to_be_read() -> None:
    a_delivery(an_update())
    assert read_again_what_is_unfinished() == 0
    assert Delivery.objects.get().state == DeliveryState.RECEIVED
