"""Ids take 16 bytes, and are the same for the program on every engine."""

import os
import uuid
from typing import Any, cast

import pytest
from bson.binary import UUID_SUBTYPE
from django.db import connection
from django.db.models import Case, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from core.bulk import insert_rows
from core.fields import CompactUUIDField
from core.models import AuditEntry, SavedFilter
from dnbmon_site.accounts.models import ApiKey, User
from tests.engines import engine

pytestmark = pytest.mark.django_db
# In the order of their hex text; the last two begin with a bit that a signed number would take for its sign.
KEYS = [uuid.UUID(text * 32) for text in "0179af"]
NONE = uuid.UUID(int=1 << 64)


def entry(key: uuid.UUID, actor: uuid.UUID | None = None) -> AuditEntry:
    at = timezone.now()
    return AuditEntry(id=key, at=at, actor="ann", actor_id=actor, action="x", what="x", key=str(key), summary="x")


@pytest.fixture
def entries() -> list[AuditEntry]:
    """Made by Django and by our own insert, alternately; the second half has nobody behind it."""
    rows = [entry(key, key if place < 3 else None) for place, key in enumerate(KEYS)]
    AuditEntry.objects.bulk_create(rows[1::2])
    insert_rows(AuditEntry, rows[::2])
    return rows


def test_comes_back_as_it_was(entries: list[AuditEntry]) -> None:
    found = dict(AuditEntry.objects.values_list("pk", "actor_id"))
    assert found == {key: key if place < 3 else None for place, key in enumerate(KEYS)}
    assert all(type(key) is uuid.UUID for key in found)
    assert AuditEntry.objects.get(pk=str(KEYS[2])).actor_id == KEYS[2], "asked for by its text too"
    assert AuditEntry.objects.get(pk=KEYS[2].hex).key == str(KEYS[2])


def test_is_in_the_order_of_its_text(entries: list[AuditEntry]) -> None:
    every = [uuid.UUID(bytes=os.urandom(16)) for _ in range(50)]
    AuditEntry.objects.bulk_create([entry(key) for key in every])
    ordered = sorted([*KEYS, *every], key=str)
    rows = AuditEntry.objects
    assert list(rows.order_by("pk").values_list("pk", flat=True)) == ordered
    after = rows.filter(pk__gt=ordered[20], pk__lte=ordered[30]).order_by("-pk")
    assert list(after.values_list("pk", flat=True)) == ordered[30:20:-1]


def test_is_found_among_others(entries: list[AuditEntry]) -> None:
    rows = AuditEntry.objects
    assert rows.filter(pk__in=[KEYS[0], str(KEYS[5]), NONE]).count() == 2
    assert rows.exclude(actor_id__in=KEYS[:2]).exclude(actor_id=None).get().pk == KEYS[2]
    assert rows.filter(actor_id=F("pk")).count() == 3
    assert rows.filter(pk__in=rows.exclude(actor_id=None).values("actor_id")).count() == 3
    assert sorted(rows.in_bulk(KEYS[:2])) == KEYS[:2]


def test_is_changed(entries: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=KEYS[0]).update(actor_id=KEYS[5])
    AuditEntry.objects.filter(pk=KEYS[1]).update(actor_id=F("pk"))
    rows = [entry(key) for key in KEYS[3:5]]
    rows[0].actor_id = KEYS[4]
    AuditEntry.objects.bulk_update(rows, ["actor_id"])
    found = dict(AuditEntry.objects.values_list("pk", "actor_id"))
    assert [found[key] for key in KEYS] == [KEYS[5], KEYS[1], KEYS[2], KEYS[4], None, None]


def test_expressions_give_ids(entries: list[AuditEntry]) -> None:
    rows = AuditEntry.objects
    either = rows.annotate(either=Coalesce("actor_id", "pk")).order_by("pk").values_list("either", flat=True)
    assert list(either) == KEYS
    chosen = Case(When(pk__gt=KEYS[3], then=F("pk")), default=Value(NONE, output_field=CompactUUIDField()))
    assert list(rows.annotate(one=chosen).order_by("pk").values_list("one", flat=True)) == [NONE] * 4 + KEYS[4:]
    same = rows.filter(pk=OuterRef("actor_id")).values("pk")
    assert list(rows.annotate(same=Subquery(same)).order_by("pk").values_list("same", flat=True))[1:4] == [
        *KEYS[1:3],
        None,
    ]


def test_leads_to_other_rows() -> None:
    ann, bob = User.objects.create_user("ann"), User.objects.create_user("bob")
    key = ApiKey.issue(name="program", created_by=ann)[0]
    assert ApiKey.objects.select_related("created_by").get(created_by__username="ann").created_by == ann
    assert list(ApiKey.objects.values_list("created_by", "created_by_id", "created_by__pk")) == [(ann.pk,) * 3]
    assert User.objects.get(api_keys=key.pk) == ann
    assert list(User.objects.filter(api_keys__in=[key])) == [ann]
    assert [list(one.api_keys.all()) for one in User.objects.prefetch_related("api_keys").order_by("username")] == [
        [key],
        [],
    ]
    bob.delete()
    ann.delete()
    assert ApiKey.objects.get().created_by is None


@pytest.mark.skipif(engine() != "sqlite", reason="others have a type for it")
def test_takes_sixteen_bytes() -> None:
    ApiKey.issue(name="program", created_by=User.objects.create_user("ann"))
    SavedFilter.objects.create(listing="core.auditentry", name="x", owner="ann", created_at=timezone.now())
    insert_rows(AuditEntry, [entry(KEYS[0], KEYS[1])])
    columns = ["accounts_apikey.created_by_id", "core_savedfilter.id", "core_auditentry.id", "core_auditentry.actor_id"]
    with connection.cursor() as cursor:
        for table, column in (name.split(".") for name in columns):
            cursor.execute(f"SELECT typeof({column}), length({column}) FROM {table}")
            assert cursor.fetchall() == [("blob", 16)], f"{table}.{column}"


@pytest.mark.skipif(engine() != "mongodb", reason="others have columns of one type")
def test_is_of_the_kind_for_ids_however_it_was_written() -> None:
    rows = AuditEntry.objects
    rows.bulk_create([entry(key, key) for key in KEYS[:3]])
    rows.filter(pk=KEYS[0]).update(actor_id=Value(KEYS[5], output_field=CompactUUIDField()))
    rows.filter(pk=KEYS[1]).update(actor_id=KEYS[5])
    found = list(cast(Any, connection).database["core_auditentry"].find())
    values = [value for row in found for value in (row["id"], row["actor_id"])]
    assert [(value.subtype, len(value)) for value in values] == [(UUID_SUBTYPE, 16)] * 6
