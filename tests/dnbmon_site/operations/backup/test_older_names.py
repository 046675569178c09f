"""A backup in rows that an earlier version made: its tables, rights and lists are found by their names of now."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from core.blobs import load_bytes, store_bytes
from core.models import AuditEntry, Export, SavedFilter
from dnbmon_site.accounts.models import ApiKey, User, UserGroup, UserPermission
from dnbmon_site.operations.backup import older_names, portable_dump
from dnbmon_site.operations.backup.create import make_backup
from dnbmon_site.operations.backup.manifest import BackupError, read_manifest
from dnbmon_site.operations.backup.restore import restore

pytestmark = pytest.mark.django_db
Line = dict[str, Any]
# What it was called before, written out: the table under test is not asked.
APPS = {
    **dict.fromkeys(("ApiKey", "IdempotencyKey", "User", "UserGroup", "UserPermission"), "dnbmon_site"),
    **dict.fromkeys(("AuditEntry", "Export", "Notice", "SavedFilter", "Blob", "CachedCount"), "portfolio"),
}
NAMES = {
    "AlertItem": "AlertFact",
    "ApiKeyUsage": "KeySpending",
    "Blob": "StoredBytes",
    "CachedCount": "Tally",
    "ConsumerOffset": "ReadMark",
    "DailyStat": "DailyCount",
    "DailyTotal": "DayTotal",
    "LatencyHistogram": "DailyDelay",
    "MembershipCheck": "ListCheck",
    "OutboxMessage": "Dispatch",
    "ScoreChange": "ScoreMove",
    "SendAttempt": "DispatchAttempt",
    "SinglePersonAct": "SoloAct",
}


def before(label: str) -> str:
    app, _, model = label.partition(".")
    return f"{APPS.get(model, app)}.{NAMES.get(model, model)}"


def as_before(label: str, line: Line) -> Line:
    def name(value: Any) -> Any:
        if not isinstance(value, list) or len(value) == 1:
            return value
        *first, _, model = value
        known = apps.get_model(value[-2], model)._meta.label
        return [*first, *before(known).lower().split(".")]

    line = {column: name(value) for column, value in line.items()}
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
    manifest.write(made)
    return made


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
        [right("core", "view_export"), right("core", "share_savedfilter"), right("accounts", "add_user")]
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
        }
    )
    assert set(SavedFilter.objects.values_list("listing", flat=True)) == {"core.auditentry", "monitoring.change"}
    assert load_bytes(Export.objects.get(listing="core.auditentry").pk) == b"a,b"
    assert ApiKey.objects.get().created_by == ann
    assert LogEntry.objects.get().content_type == ContentType.objects.get_for_model(SavedFilter)


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
