"""Business units: what they see, and who belongs to them. Access is taken before any is given."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import Any

from django.utils.text import slugify

from core.db import insert_new
from core.models import BusinessUnit
from dnbmon_site.accounts.models import ApiKey, UnitKey, UnitMember, User
from monitoring.alerts.own_alerts import count_own_alerts
from monitoring.models import Alert
from portfolio.models import CompanyNote, Registration, UnitRegistration


def slug_of(name: str) -> str:
    """The key of a unit with this name; nothing where no letter or digit is in it."""
    return slugify(name, allow_unicode=True)[:60]


def is_left_over(slug: str) -> bool:
    """Whether a deleted unit had this key: a new one would see that unit's alerts and notes."""
    return Alert.objects.filter(unit=slug).exists() or CompanyNote.objects.filter(units__contains=f" {slug} ").exists()


def set_unit(
    unit: BusinessUnit, *, registrations: Collection[Registration], people: Collection[User], keys: Collection[ApiKey]
) -> None:
    """Who is in a unit sees no more than the units do, also where access was given at the same time."""
    before = set(UnitMember.objects.filter(unit=unit).values_list("user_id", flat=True))
    users = {row.pk for row in people}
    _limit(users, keys)
    chosen = {row.pk for row in registrations}
    _set(UnitRegistration, unit, "registration_id", chosen, lambda key: UnitRegistration.key(unit.pk, key))
    _set(UnitMember, unit, "user_id", users, lambda key: uuid.uuid5(key, unit.pk))
    _set(UnitKey, unit, "key_id", {row.pk for row in keys}, lambda key: uuid.uuid5(key, unit.pk))
    _limit(users, keys)
    count_own_alerts(users | before)


def _limit(users: set[uuid.UUID], keys: Collection[ApiKey]) -> None:
    User.objects.filter(pk__in=users).update(sees_all=False)
    ApiKey.objects.filter(pk__in=[row.pk for row in keys]).update(sees_all=False)


def _set(model: Any, unit: BusinessUnit, column: str, chosen: set[uuid.UUID], key_of: Any) -> None:
    rows = model.objects.filter(unit=unit)
    rows.exclude(**{f"{column}__in": chosen}).delete()
    known = set(rows.values_list(column, flat=True))
    insert_new(model, [model(id=key_of(key), unit=unit, **{column: key}) for key in sorted(chosen - known)])


def restrict_all(*, but: Any) -> None:
    """When the first unit is there: whoever is in none sees nothing."""
    User.objects.exclude(pk=but).update(sees_all=False)
    ApiKey.objects.update(sees_all=False)


def losing_access(*, but: Any) -> tuple[int, int]:
    """How many users and API keys the first unit leaves without access, until they are given it."""
    people = User.objects.filter(is_active=True, is_superuser=False).exclude(pk=but)
    return people.count(), ApiKey.objects.valid().count()


def open_to_all(*, by: Any) -> bool:
    """When the last unit is gone; False where one was added at the same time, so that access stays limited."""
    User.objects.update(sees_all=True)
    ApiKey.objects.update(sees_all=True)
    if not BusinessUnit.objects.exists():
        return True
    restrict_all(but=by)
    return False


def without_access() -> tuple[list[User], list[ApiKey]]:
    """Active users and valid keys that see nothing."""
    people = User.objects.filter(is_active=True, is_superuser=False, sees_all=False, unit_rows=None)
    return list(people.order_by("username")), list(ApiKey.objects.valid().filter(sees_all=False, unit_rows=None))


def give_all(things: Iterable[User | ApiKey]) -> None:
    """Only to who is in no unit: a unit would not limit them any more."""
    for row in things:
        found: Any = type(row)._default_manager.filter(pk=row.pk)
        units: Any = row.unit_rows
        if not units.exists():
            found.update(sees_all=True)
            # Whoever was put into one meanwhile.
            if units.exists():
                found.update(sees_all=False)
        if isinstance(row, User):
            count_own_alerts([row.pk])
