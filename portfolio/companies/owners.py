"""The owner of a company as people write it: a username or an email address, by which alerts reach a person."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.translation import gettext


def user_of(owner: str) -> Any:
    """The active user whom the text names, by username or email address."""
    people = get_user_model().objects.filter(Q(username=owner) | Q(email=owner), is_active=True)
    return people.order_by("username").first()


def users_of(owners: Collection[str]) -> dict[str, Any]:
    """The same of many: the active user whom each text names."""
    texts = sorted(owners)
    people = get_user_model().objects.filter(Q(username__in=texts) | Q(email__in=texts), is_active=True)
    found: dict[str, Any] = {}
    for person in people.order_by("username"):
        for text in {person.get_username(), person.email} & set(texts):
            found.setdefault(text, person)
    return found


def is_mail(text: str) -> bool:
    name, at, host = text.partition("@")
    return bool(name and at and "." in host) and not any(character.isspace() for character in text)


def unreachable_text(owner: str) -> str:
    """Why alerts may not reach this owner, and what to do; nothing where they do, or where there is no owner."""
    owner = owner.strip()
    person = user_of(owner) if owner else None
    if person and not person.email:
        return gettext(
            "“%(owner)s” has no email address, so alerts for the owner of this company are sent only to channels of "
            "this user. Add an email address under “Users”."
        ) % {"owner": owner}
    if person or not owner or is_mail(owner):
        return ""
    return gettext(
        "“%(owner)s” is not an active user or an email address, so alerts for the owner of this company are sent to "
        "no one. Enter a username or an email address as the owner."
    ) % {"owner": owner}
