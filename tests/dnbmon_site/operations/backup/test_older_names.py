"""A backup in rows that an earlier version made: its tables, rights and lists are found by their names of now."""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django.utils.crypto import salted_hmac

from core.blobs import load_bytes, store_bytes
from core.models import AuditEntry, Export, SavedFilter
from dnbmon_site.accounts.models import ApiKey, User, UserGroup, UserPermission
from dnbmon_site.operations.backup import older_names, portable_dump
from dnbmon_site.operations.backup.create import make_backup
from dnbmon_site.operations.backup.manifest import FILE, BackupError, read_manifest
from dnbmon_site.operations.backup.restore import restore
from monitoring.models import Change, ConsumerOffset, Delivery, Observation
from monitoring.pipeline.ingest import surplus_of
from monitoring.rebuild.rebuild import rebuild
from monitoring.story_order import source_at
from portfolio.models import Registration, Subject, Validation
from tests.builders.registrations import a_registration
from tests.builders.story import phone_update
from tests.builders.subjects import a_subject

# The rows of a backup are written and restored on every engine in test_portable_dump.py and test_restore.py.
pytestmark = [pytest.mark.django_db, pytest.mark.one_engine]
Line = dict[str, Any]
# What it was called before, written out: the table under test is not asked.
REGISTRATION, STAMP = "3fa85f64-5717-4562-b3fc-2c963f66afa6", "019b956e8a48"
OLDER = {
    **{f"accounts.{name}": f"dnbmon_site.{name}" for name in ("ApiKey", "IdempotencyKey", "User")},
    **{f"accounts.{name}": f"dnbmon_site.{name}" for name in ("UserGroup", "UserPermission")},
    **{f"core.{name}": f"portfolio.{name}" for name in ("AuditEntry", "Export", "Notice", "SavedFilter")},
    "core.Blob": "portfolio.StoredBytes",
    "monitoring.AlertItem": "monitoring.AlertFact",
    "monitoring.ConsumerOffset": "monitoring.ReadMark",
    "monitoring.DailyStat": "monitoring.DailyCount",
    "monitoring.DailyTotal": "monitoring.DayTotal",
    "monitoring.LatencyHistogram": "monitoring.DailyDelay",
    "monitoring.OutboxMessage": "monitoring.Dispatch",
    "monitoring.ScoreChange": "monitoring.ScoreMove",
    "monitoring.SendAttempt": "monitoring.DispatchAttempt",
    "portfolio.ApiKeyUsage": "portfolio.KeySpending",
    "portfolio.MembershipCheck": "portfolio.ListCheck",
    "portfolio.SinglePersonAct": "portfolio.SoloAct",
}
COLUMNS = {
    "accounts.User": {"oidc_subject": "subject", "seen_sequence": "seen_number", "news_sequence": "news_number"},
    "core.Export": {"requested_by": "asked_by", "requested_at": "asked_at"},
    "monitoring.ConsumerOffset": {"consumer": "reader", "position": "number"},
    "monitoring.OutboxMessage": {},
    "portfolio.Contract": {"recovery_delay": "settle"},
    "portfolio.Registration": {"last_error": "trouble", "consecutive_failures": "failures", "dnb_time": "heard_at"},
    "portfolio.Subject": {
        "requested": "wanted",
        "requested_by": "wanted_by",
        "requested_at": "wanted_at",
        "requested_import": "wanted_import",
        "reported_by": "told_by",
    },
}


def before(label: str) -> str:
    return OLDER.get(label, label)


def as_before(label: str, line: Line) -> Line:
    """By the columns of then; content types by their names of then, and rights as well."""

    def name(value: Any) -> Any:
        if not isinstance(value, list) or len(value) == 1:
            return value
        *first, app, model = value
        older = before(apps.get_model(app, model)._meta.label).lower().split(".")
        return [*(codename.replace(f"_{model}", f"_{older[1]}") for codename in first), *older]

    columns = COLUMNS.get(label, {})
    line = {columns.get(column, column): name(value) for column, value in line.items()}
    if line.get("listing") == "core.auditentry":
        line["listing"] = "portfolio.auditentry"
    return line


def made_before(folder: Path) -> Path:
    """A backup, written again as an earlier version would have: that one's key is ours, and so is its signature."""
    made = make_backup(folder, format="rows")
    manifest = read_manifest(made)
    for label in manifest.rows:
        rewrite(made, label, as_before)
    manifest.rows = {before(label): count for label, count in manifest.rows.items()}
    manifest.migrations = {"dnbmon_site": "0009_languages", "portfolio": "0019_lists_of_people"}
    manifest.add_sums(made)
    values = asdict(manifest)
    values["heard_at"] = values.pop("dnb_time")
    resigned(made, values)
    return made


def resigned(made: Path, values: dict[str, Any]) -> None:
    """As whoever made it has signed it: over its own names."""
    text = json.dumps({**values, "signature": ""}, sort_keys=True)
    signature = salted_hmac("dnbmon_site.backup.manifest", text, algorithm="sha256").hexdigest()
    (made / FILE).write_text(json.dumps({**values, "signature": signature}))


def rewrite(made: Path, label: str, change: Callable[[str, Line], Line]) -> None:
    now, then = (made / f"{name.lower()}.jsonl.zst" for name in (label, before(label)))
    lines = [change(label, line) for line in portable_dump.read_lines(now)]
    now.unlink()
    with zstandard.open(then, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def right(app: str, codename: str) -> Permission:
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def emptied() -> None:
    for model in portable_dump.models_in_order():
        model._default_manager.all().delete()


@pytest.fixture
def ann() -> User:
    """With a role of the company's own and a right of her own, a filter, a file and a key."""
    ann = User.objects.create_user("ann", password="secret words")
    role = Group.objects.create(name="Exporters")
    role.permissions.set(
        [
            *(right("core", "view_export"), right("core", "share_savedfilter"), right("accounts", "add_user")),
            *(right("monitoring", "view_outboxmessage"), right("portfolio", "view_membershipcheck")),
        ]
    )
    UserGroup.objects.create(user=ann, group=role)
    UserPermission.objects.create(user=ann, permission=right("core", "view_auditentry"))
    SavedFilter.objects.create(listing="core.auditentry", name="mine", owner="ann", created_at=timezone.now())
    SavedFilter.objects.create(listing="monitoring.change", name="mine", owner="ann", created_at=timezone.now())
    export = Export.objects.create(
        listing="core.auditentry", format="csv", file_name="x.csv", requested_at=timezone.now()
    )
    store_bytes(export.pk, b"a,b")
    ApiKey.issue(name="CRM", created_by=ann)
    of = ContentType.objects.get_for_model(SavedFilter)
    LogEntry.objects.create(user=ann, content_type=of, object_id="1", object_repr="mine", action_flag=1)
    return ann


@pytest.mark.every_engine
def test_people_keep_what_they_had(ann: User, tmp_path: Path) -> None:
    rights = ann.get_all_permissions()
    made = made_before(tmp_path)
    assert (made / "dnbmon_site.user.jsonl.zst").exists() and not (made / "core.export.jsonl.zst").exists()
    emptied()
    restore(made, by="test")
    ann = User.objects.get(pk=ann.pk)
    assert ann.check_password("secret words")
    assert (
        ann.get_all_permissions()
        == rights
        == {
            "core.view_export",
            "core.share_savedfilter",
            "core.view_auditentry",
            "accounts.add_user",
            "monitoring.view_outboxmessage",
            "portfolio.view_membershipcheck",
        }
    )
    assert set(SavedFilter.objects.values_list("listing", flat=True)) == {"core.auditentry", "monitoring.change"}
    assert load_bytes(Export.objects.get(listing="core.auditentry").pk) == b"a,b"
    assert ApiKey.objects.get().created_by == ann
    assert LogEntry.objects.get().content_type == ContentType.objects.get_for_model(SavedFilter)


def test_a_manifest_of_before_is_ours_only_as_it_was_signed(ann: User, tmp_path: Path) -> None:
    made = made_before(tmp_path)
    values = json.loads((made / FILE).read_text())
    assert "heard_at" in values and read_manifest(made).is_ours
    (made / FILE).write_text(json.dumps({**values, "heard_at": {"1": "2026-01-01"}}))
    assert read_manifest(made).dnb_time == {"1": "2026-01-01"} and not read_manifest(made).is_ours
    (made / FILE).write_text("[]")
    with pytest.raises(BackupError, match="cannot be read"):
        read_manifest(made)


@pytest.mark.every_engine
def test_a_rebuild_after_it_brings_the_story_over(tmp_path: Path) -> None:
    """Rows of when nobody knew who else reported a change, and which changes are one fact."""
    for reference in ("ONE", "TWO"):
        phone_update(None, "1", 1, reference)
    phone_update(None, "1", 2, "THREE")
    held, places = {row.pk: row.superseded for row in Change.objects.all()}, set(Change.objects.values_list("place"))
    made = make_backup(tmp_path, format="rows")
    rewrite(made, "monitoring.Change", without_story)
    rewrite(made, "monitoring.Publication", without_story)
    rewrite(made, "monitoring.Delivery", without_story)
    (made / "monitoring.observation.jsonl.zst").unlink()
    manifest = read_manifest(made)
    del manifest.rows["monitoring.Observation"]
    manifest.add_sums(made)
    manifest.write(made)
    emptied()
    restore(made, by="test")
    assert all(source_at(row.place) == row.registration_id.hex[:8] + "0" for row in Change.objects.all())
    assert not Observation.objects.exists() and not Change.objects.filter(superseded=True).exists()
    assert all(surplus_of(row.pk) == [] for row in Delivery.objects.all())
    result = rebuild()
    assert (result.observed, result.replaced) == (1, 1)
    assert {row.pk: row.superseded for row in Change.objects.all()} == held
    assert set(Change.objects.values_list("place")) == places


def without_story(label: str, line: Line) -> Line:
    gone = {"replaced_by", "entry", "entry_count", "claimed_until"}
    older = {name: value for name, value in line.items() if name not in gone}
    if label == "monitoring.Publication":
        # All changes were counted: all of them held when they were published.
        older["change_count"] = line["change_count"] or line["entry_count"]
    if label == "monitoring.Change":
        older |= {"superseded": False, "place": line["place"][4:16] + line["place"][25:]}
    return older


def test_subjects_and_how_far_each_was_read_come_over(tmp_path: Path) -> None:
    registration = a_registration(last_error="it was late", consecutive_failures=3)
    subject = a_subject(registration=registration, requested_by="ann", requested_at=datetime(2026, 1, 8, 9, tzinfo=UTC))
    offset = ConsumerOffset.objects.create(consumer="tests", position=7)
    made = made_before(tmp_path)
    emptied()
    restore(made, by="test")
    found = Subject.objects.get()
    assert (found.pk, found.requested, found.requested_by) == (subject.pk, True, "ann")
    assert found.requested_at == subject.requested_at
    assert ConsumerOffset.objects.get(pk=offset.pk).position == 7
    assert Registration.objects.get().pk == registration.pk


@pytest.mark.parametrize(
    ("label", "older", "now"),
    [
        (
            "core.SavedFilter",
            {"listing": "portfolio.subject", "query": "wanted=yes&state=refused", "columns": "duns,wanted,wanted_by"},
            {"query": "requested=yes&state=refused", "columns": "duns,requested,requested_by"},
        ),
        (
            "core.SavedFilter",
            {"listing": "portfolio.auditentry", "query": "action=want&what=dispatch&actor=ann"},
            {"listing": "core.auditentry", "query": "action=request&what=outboxmessage&actor=ann"},
        ),
        (
            "core.Export",
            {"query": "wanted=yes&columns=duns,wanted,wanted_at", "asked_by": "ann"},
            {"query": "requested=yes&columns=duns,requested,requested_at", "requested_by": "ann"},
        ),
        ("core.Export", {"query": "q=wanted%2Aparked&day=2026"}, {}),
        ("core.AuditEntry", {"what": "dispatch", "action": "dispatch.again"}, None),
        ("core.AuditEntry", {"what": "savedfilter", "action": "unwant"}, {"action": "withdraw"}),
        (
            "health.Incident",
            {"matter": "doubts", "runbook": "/docs/runbook.md#doubts", "loud": True, "latest": "2 calls"},
            {
                "dedup_key": "in-doubt",
                "runbook": "/docs/runbook.md#in-doubt",
                "notify": True,
                "latest_detail": "2 calls",
            },
        ),
        ("health.Incident", {"matter": "dead-letters", "runbook": "#dead-letters"}, None),
        ("monitoring.Delivery", {"state": "doubtful", "asked_at": "2026"}, {"state": "in_doubt", "called_at": "2026"}),
        ("monitoring.Delivery", {"state": "repaired"}, {"state": "recovered"}),
        ("monitoring.Delivery", {"state": "published"}, {}),
        (
            "monitoring.Change",
            {"kind": "element", "registration_id": REGISTRATION, "place": f"{STAMP}0000000700000000700002001"},
            {"place": f"0001{STAMP}3fa85f6400000000700000000700002001"},
        ),
        (
            "monitoring.Change",
            {"kind": "baseline", "registration_id": REGISTRATION, "place": f"{STAMP}0000000720000000700002001"},
            {"place": f"0000{STAMP}3fa85f6410000000720000000700002001"},
        ),
        ("monitoring.Change", {"registration_id": REGISTRATION, "place": ""}, {}),
        (
            "monitoring.Change",
            {"registration_id": REGISTRATION, "place": f"001{STAMP}3fa85f640" + "0" * 25},
            {"place": f"0001{STAMP}3fa85f640" + "0" * 25},
        ),
        ("monitoring.Change", {"registration_id": REGISTRATION, "place": f"0001{STAMP}3fa85f640" + "0" * 25}, {}),
        ("monitoring.Publication", {"number": 3, "change_count": 7}, {"sequence": 3, "entry_count": 7}),
        ("monitoring.Publication", {"sequence": 3, "change_count": 7, "entry_count": 9}, {}),
        ("monitoring.ReplayPass", {"purpose": "repair"}, {"purpose": "recovery"}),
        ("monitoring.ReplayPass", {"purpose": "asked_for"}, {"purpose": "requested"}),
        (
            "monitoring.OutboxMessage",
            {"state": "parked", "event_type": "alert.raised", "payload": '{"alert": "a", "number": 3}'},
            {"state": "dead", "payload": '{"alert": "a", "sequence": 3}'},
        ),
        (
            "monitoring.OutboxMessage",
            {
                "state": "waiting",
                "event_type": "subject.unwanted",
                "payload": '{"type": "subject.unwanted", "data": {}}',
            },
            {"event_type": "subject.withdrawn", "payload": '{"type": "subject.withdrawn", "data": {}}'},
        ),
        ("monitoring.OutboxMessage", {"payload": '{"type":"change.published","data":{"number":1.50}}'}, {}),
        (
            "monitoring.WebhookEndpoint",
            {"event_types": "change.published, subject.wanted,subject.unwanted", "keeper_id": "k"},
            {"event_types": "change.published, subject.requested,subject.withdrawn", "maintainer_id": "k"},
        ),
        (
            "portfolio.SubjectImport",
            {"counts": '{"wanted": 2, "repaired": 1, "not_there": 3, "new": 1}', "undo_asked_by": "bob"},
            {
                "counts": '{"requested": 2, "reformatted": 1, "not_monitored": 3, "new": 1}',
                "undo_requested_by": "bob",
            },
        ),
    ],
)
def test_values_of_before_are_those_of_now(label: str, older: Line, now: Line | None) -> None:
    """`now`: what is different; None where nothing of the meaning is asked here but that all names are known."""
    found = older_names.line_now(label, older)
    assert found.keys() <= {field.attname for field in apps.get_model(label)._meta.concrete_fields}
    if now is not None:
        kept = {name: value for name, value in older.items() if name in found}
        assert found == kept | now
    for name, value in found.items():
        choices = dict(apps.get_model(label)._meta.get_field(name).flatchoices)
        assert not choices or value in choices


def stored(text: bytes) -> str:
    return base64.b64encode(zstandard.compress(text, 3)).decode()


def blob_now(text: bytes) -> bytes:
    line = older_names.line_now("core.Blob", {"data": stored(text)})
    return zstandard.decompress(base64.b64decode(line["data"]), max_output_size=1 << 24)


def test_rows_of_an_import_are_what_they_were_found_to_be() -> None:
    """As they lie in the bytes that the import owns."""
    rows = [[2, "804735132", "804735132", found, "", "Gorman", "", "", ""] for found in ("wanted", "repaired", "new")]
    rows.append([5, "x", "", "not_there"])
    read = json.loads(blob_now(json.dumps(rows).encode()))
    assert [row[3] for row in read] == ["requested", "reformatted", "new", "not_monitored"]
    assert [row[:3] + row[4:] for row in read] == [row[:3] + row[4:] for row in rows]
    assert {row[3] for row in read} <= set(Validation.values)


@pytest.mark.parametrize(
    "text",
    [
        b"[[no JSON, but a file that begins so",
        b"[[1,2],[3]]",
        b'[[1,2,3,{"wanted":1}]]',
        b'[[1,"a","b","new"]]',
        b'[["wanted"],[1,2,3,"wanted"]]',
        b"[" * 100_000,
        b'{"transactionDetail": {"wanted": 1}}',
        b"",
    ],
)
def test_other_bytes_stay_to_the_last(text: bytes) -> None:
    data = stored(text)
    assert older_names.line_now("core.Blob", {"data": data}) == {"data": data}


def test_rows_that_are_missing_are_noticed(ann: User, tmp_path: Path) -> None:
    made = made_before(tmp_path)
    manifest = read_manifest(made)
    manifest.rows["portfolio.SavedFilter"] += 1
    manifest.write(made)
    emptied()
    with pytest.raises(BackupError, match="core.SavedFilter: 2 of 3"):
        restore(made, by="test")


def test_the_engines_own_copy_of_before_is_refused(tmp_path: Path) -> None:
    made = made_before(tmp_path)
    manifest = read_manifest(made)
    manifest.format, manifest.engine = "sqlite", "sqlite"
    manifest.write(made)
    with pytest.raises(BackupError, match="--format rows|copy of sqlite"):
        restore(made, by="test")


def test_names_that_may_change_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renamed table, column, value and right are one line each."""
    monkeypatch.setitem(older_names.FIELDS, "core.AuditEntry", {"who": "actor"})
    monkeypatch.setitem(older_names.VALUES, "core.AuditEntry", {"what": {"order": "request"}})
    monkeypatch.setitem(older_names.RIGHTS, "core.SavedFilter", {"lend_filter": "share_savedfilter"})
    row = portable_dump.row_of(AuditEntry, {"who": "ann", "what": "order", "gone": 1})
    assert isinstance(row, AuditEntry) and (row.actor, row.what) == ("ann", "request")
    assert older_names.permission_now("lend_filter", "portfolio", "savedfilter") == (
        "share_savedfilter",
        "core",
        "savedfilter",
    )
    assert older_names.permission_now("view_export", "portfolio", "export") == ("view_export", "core", "export")


def test_every_name_of_now_is_a_table() -> None:
    known = {model._meta.label for model in apps.get_models()}
    named = {*older_names.MODELS.values(), *older_names.FIELDS, *older_names.VALUES}
    assert named - known == set()
    assert older_names.MODELS.keys() & known == set()
    for tables in (older_names.FIELDS, older_names.VALUES):
        for label, columns in tables.items():
            fields = {field.attname for field in apps.get_model(label)._meta.concrete_fields}
            assert set(older_names.FIELDS.get(label, {}).values()) <= fields, label
            assert tables is older_names.FIELDS or set(columns) <= fields, label
