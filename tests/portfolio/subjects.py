"""Subjects and people for the tests of the portfolio."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission

from dnbmon_site.models import User
from portfolio.models import Company, Registration, Subject, SubjectState
from portfolio.rows import search_name
from tests.builders import DUNS, a_registration


def a_company(duns: str = DUNS, name: str = "Acme Ltd", **fields: Any) -> Company:
    values = {"name": name, "search_name": search_name(name), **fields}
    return Company.objects.update_or_create(duns=duns, defaults=values)[0]


def a_subject(duns: str = DUNS, registration: Registration | None = None, **fields: Any) -> Subject:
    """Wanted and monitored, unless told otherwise."""
    registration = registration or a_registration(adopted=True)
    if not Company.objects.filter(duns=duns).exists():
        a_company(duns, f"Company {duns}")
    values: dict[str, Any] = {"wanted": True, "state": SubjectState.MONITORED, **fields}
    key = Subject.key(registration.pk, duns)
    values |= {"registration": registration, "company_id": duns}
    return Subject.objects.update_or_create(id=key, defaults=values)[0]


def a_person(*rights: str, username: str = "bob", role: str = "") -> User:
    """Somebody of the staff with these rights, or with the rights of a role."""
    user = User.objects.create_user(username, is_staff=True)
    if rights:
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    if role:
        user.groups.set(Group.objects.filter(name=role))
    return user
