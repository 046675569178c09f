"""The portable form: every value as it was, on every engine, in an order that keeps a copy whole while others write."""

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import models

from core.blobs import load_bytes, store_bytes
from core.models import Blob
from dnbmon_site.accounts.models import IdempotencyKey, User, UserGroup
from dnbmon_site.operations.backup import portable_dump
from dnbmon_site.operations.backup.manifest import BackupError
from monitoring.figures.consumer import update_figures
from monitoring.models import (
    Change,
    ConsumerOffset,
    Delivery,
    Entry,
    FigureCheckpoint,
    Notification,
    Observation,
    Publication,
)
from monitoring.pipeline.ingest import surplus_of
from monitoring.publications.consumers import models_with_places
from portfolio.models import Company, Contract, Registration
from tests.builders.contracts import a_contract
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.figures import WHOLE, figures_on
from tests.builders.notifications import a_seed, an_update
from tests.builders.story import phone_seed, phone_update
from tests.builders.times import soon
from tests.support import PROGRAM

pytestmark = pytest.mark.django_db


def quiet(text: str) -> None:
    pass


def snapshot() -> dict[str, list[Any]]:
    """Every value of every row that is copied."""
    return {
        model._meta.label: [portable_dump.line_of(row) for row in _sorted(model)]
        for model in portable_dump.models_in_order()
    }


def _sorted(model: type[models.Model]) -> list[models.Model]:
    return sorted(model._default_manager.all(), key=lambda row: str(portable_dump.line_of(row)))


STORY: list[type[models.Model]] = [Registration, Delivery, Notification, Change, Observation, Publication, Company]


def story() -> list[list[Any]]:
    """All that it stands on, as the database has it."""
    return [list(model._default_manager.order_by("pk").values()) for model in STORY]


def there_and_back(folder: Path) -> dict[str, int]:
    written = portable_dump.dump(folder, quiet)
    portable_dump.check(folder, written)
    portable_dump.load(folder, quiet)
    return written


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    delivered(a_seed(primaryName="Ünï\u2028códe\n\U0001f600 Ltd"), an_update(an_element(current=None)))
    a_contract(name="EMEA", anniversary=datetime(2026, 4, 1).date(), calls_per_second=0.3)
    before = snapshot()
    written = there_and_back(tmp_path)
    assert snapshot() == before
    assert written["monitoring.Change"] == Change.objects.count() == 2
    assert Contract.objects.get(pk="EMEA").calls_per_second == 0.3


def test_who_reported_a_change_and_what_replaced_it_comes_back(tmp_path: Path) -> None:
    phone_seed(None, 0)
    phone_seed("1", 4)
    for reference in ("ONE", "TWO"):
        phone_update(None, "1", 3, reference)
    phone_update("1", "2", 20, "ONE")
    phone_seed("2", 21)
    assert Change.objects.filter(entry=Entry.OBSERVATION).exists()
    assert {row.verb for row in Observation.objects.all()} == {"observed", "replaced"}
    before, stored = snapshot(), story()
    written = there_and_back(tmp_path)
    assert snapshot() == before and written["monitoring.Observation"] == 2
    assert story() == stored
    assert Registration.objects.get(reference="WHOLE").turn == 3, "or what comes next would stand before what was read"


def test_bytes_come_back_exactly(tmp_path: Path) -> None:
    owner, content = uuid.uuid4(), bytes(range(256)) * 20_000
    store_bytes(owner, content)
    IdempotencyKey.objects.create(
        id="k", fingerprint="f", status=200, answer=b"\0\xff\n", working_until=NOW, created_at=NOW
    )
    there_and_back(tmp_path)
    assert load_bytes(owner) == content
    assert Blob.objects.filter(owner=owner).count() == 2
    assert bytes(IdempotencyKey.objects.get().answer) == b"\0\xff\n"
    assert IdempotencyKey.objects.get().created_at == NOW


NOW = datetime(2026, 1, 5, 8, 0, 0, 123000, tzinfo=UTC)


def test_people_keep_their_roles_although_keys_are_counted_anew(tmp_path: Path) -> None:
    ann = User.objects.create_user("ann")
    group = Group.objects.create(name="Auditors of the north")
    group.permissions.add(Permission.objects.get(codename="view_company"))
    UserGroup.objects.create(user=ann, group=group)
    there_and_back(tmp_path)
    ann = User.objects.get(pk=ann.pk)
    assert [role.name for role in ann.groups.all()] == ["Auditors of the north"]
    assert ann.has_perm("portfolio.view_company")


def test_a_file_that_lost_lines_is_noticed(tmp_path: Path) -> None:
    delivered(an_update())
    written = portable_dump.dump(tmp_path, quiet)
    with pytest.raises(BackupError, match="Change has 1 rows in the file instead of 2"):
        portable_dump.check(tmp_path, {**written, "monitoring.Change": 2})


def test_what_stands_on_something_is_copied_before_it() -> None:
    order = [model._meta.label for model in portable_dump.models_in_order()]
    for model in portable_dump.models_in_order():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model._meta.label in order:
                assert order.index(model._meta.label) < order.index(field.related_model._meta.label)
    for first, others in portable_dump.BEFORE.items():
        assert all(order.index(first) < order.index(other) for other in others), first


def test_how_far_somebody_has_read_is_copied_before_what_was_read_and_made_of_it() -> None:
    order = portable_dump.models_in_order()
    for model in models_with_places():
        assert order.index(model) < order.index(Publication), model
    assert set(order[: order.index(ConsumerOffset)]) <= set(models_with_places()), (
        "readers may have made any of the others"
    )


def test_every_model_is_copied_or_left_out_on_purpose() -> None:
    copied = {model._meta.label for model in portable_dump.models_in_order()}
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] in PROGRAM]
    # A proxy has no rows of its own.
    every = {model._meta.label for model in ours if not model._meta.proxy}
    assert every - copied == portable_dump.LEFT_OUT & every


def test_what_is_written_meanwhile_finds_what_it_stands_on(tmp_path: Path) -> None:
    """Something arrives between any two tables: the copy still has no row that stands on nothing."""
    delivered(an_update(an_element(current="FIRST")))
    for number, model in enumerate(portable_dump.models_in_order()):
        delivered(an_update(an_element(current=f"NAME {number}")))
        portable_dump.dump_model(model, tmp_path, quiet)
    portable_dump.load(tmp_path, quiet)
    changes, notifications = list(Change.objects.all()), set(Notification.objects.values_list("pk", flat=True))
    assert changes and {change.notification_id for change in changes} <= notifications
    for publication in Publication.objects.all():
        assert Change.objects.filter(delivery=publication.delivery_id).count() == publication.change_count
        assert surplus_of(publication.delivery_id) == []
        assert Blob.objects.filter(owner=publication.delivery_id).exists()


def test_figures_of_all_days_come_back(tmp_path: Path) -> None:
    delivered(a_seed(**WHOLE))
    update_figures(soon())
    before = figures_on(None)
    assert before
    there_and_back(tmp_path)
    FigureCheckpoint.objects.all().delete()
    assert figures_on(None) == before
