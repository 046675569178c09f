"""Who belongs to a business unit, and may do everything."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.test import Client

from core.api.scopes import SCOPES
from core.models import BusinessUnit
from dnbmon_site.accounts.models import ApiKey, UnitKey, UnitMember, User
from tests.builders.programs import Program


def a_person_of(unit: BusinessUnit, username: str = "amy") -> User:
    """Of the staff, with every permission there is, and no superuser."""
    person = User.objects.create_user(username, f"{username}@example.com", is_staff=True, sees_all=False)
    person.user_permissions.set(Permission.objects.all())
    UnitMember.objects.create(unit=unit, user=person)
    return person


def a_key_of(unit: BusinessUnit) -> Program:
    """With every scope."""
    row, plain = ApiKey.issue(name="ours", scopes=",".join(SCOPES), budget=5, calls_per_minute=0, sees_all=False)
    UnitKey.objects.create(unit=unit, key=row)
    return Program(Client(), {"Authorization": f"Bearer {plain}"})
