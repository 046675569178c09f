"""The first user and the first API key of a new installation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from core.api.scopes import SCOPES
from dnbmon_site.accounts.models import ApiKey, User

NAME = "admin"
KEY = "first key"
# Without what looks alike when read from a screen.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Access:
    """New credentials, shown once; None where there were some already."""

    user: str
    password: str | None = None
    api_key: str | None = None


def give_first_access(*, again: bool = False) -> Access:
    """Make what is missing; `again` replaces what was lost."""
    user, password = first_person(), None
    if user is None:
        user, password = make_person()
    elif again:
        password = new_password(user)
    return Access(user.username, password, first_key(user, again=again))


def first_person() -> User | None:
    return User.objects.filter(is_superuser=True, is_active=True).order_by("date_joined", "username").first()


def make_person() -> tuple[User, str]:
    password = a_password()
    name = NAME
    while User.objects.filter(username=name).exists():
        name = f"{NAME}-{a_password(1)}"
    return User.objects.create_superuser(name, "", password), password


def new_password(user: User) -> str:
    password = a_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


def first_key(user: User, *, again: bool) -> str | None:
    if again:
        for row in ApiKey.objects.valid().filter(name=KEY):
            row.revoke()
    elif ApiKey.objects.exists():
        return None
    # All scopes, like the user it is made with; its budget is 0, so it adds nothing that costs money.
    return ApiKey.issue(name=KEY, scopes=",".join(SCOPES), created_by=user)[1]


def a_password(groups: int = 4) -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(groups))
