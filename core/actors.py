"""Who acts: a name for people to read, and the id behind it, by which two persons are told apart."""

from __future__ import annotations

import getpass
import os
import uuid
from collections.abc import Iterable
from typing import Any, Self

from django.contrib.auth import get_user_model
from django.http import HttpRequest

AT_THE_SHELL = uuid.UUID("2f4d2a51-2a8c-5a0e-9b53-0d6f6f9f4c1e")


class Actor(str):
    """A person, key or account by its name of this moment. Names can be changed and taken over, ids cannot."""

    id: uuid.UUID
    # Of a key the person who issued it: nobody gets a share of the limits for each key.
    answerable: uuid.UUID

    def __new__(cls, name: str, id: uuid.UUID, answerable: uuid.UUID | None = None) -> Self:
        actor = super().__new__(cls, name)
        actor.id = id
        actor.answerable = answerable or id
        return actor

    def __getnewargs__(self) -> tuple[str, uuid.UUID, uuid.UUID]:  # type: ignore[override]
        """MongoDB's backend copies what it is asked with."""
        return str(self), self.id, self.answerable


def actor_of(request: HttpRequest) -> Actor:
    """Who has signed in."""
    return Actor(request.user.get_username(), uuid.UUID(str(request.user.pk)))


def actor_at_the_shell() -> Actor:
    """Who runs a command: the account at the operating system, whatever it calls itself in its environment."""
    return Actor(f"{getpass.getuser()} (command line)", uuid.uuid5(AT_THE_SHELL, str(os.getuid())))


def id_of(actor: str) -> uuid.UUID | None:
    """None for the program itself."""
    return actor.id if isinstance(actor, Actor) else None


def person_text(person: Any) -> str:
    """A user as others know them: by full name, else by the name to sign in with."""
    return str(person.get_full_name() or person.get_username())


def is_invited(person: Any) -> bool:
    """Until the first login."""
    return bool(person.is_active and person.invited_at is not None and person.last_login is None)


def names_of(usernames: Iterable[str]) -> dict[str, str]:
    """The full names of users, where they have one."""
    names = sorted(set(usernames) - {""})
    people = get_user_model().objects.filter(username__in=names) if names else ()
    return {person.get_username(): person_text(person) for person in people}
