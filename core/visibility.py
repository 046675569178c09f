"""Who sees what, decided in one place: rows for a user, an API key or a business unit.

Someone who sees everything reads the rows as they are. For anyone else, the rule that is registered for the model
chooses them; of a model without a rule nothing is shown.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from hashlib import sha256
from operator import or_
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Scope:
    """What someone sees: everything, or what these units' registrations report."""

    sees_all: bool
    units: frozenset[str] = frozenset()
    registrations: frozenset[uuid.UUID] = frozenset()
    # What rules have looked up for it, once a request.
    known: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def key(self) -> str:
        """What tells it from another scope, as a short text; empty for everything."""
        if self.sees_all:
            return ""
        parts = [*sorted(self.units), "", *sorted(map(str, self.registrations))]
        return sha256("\n".join(parts).encode()).hexdigest()

    def only(self, registrations: Iterable[uuid.UUID]) -> Scope:
        """Of these registrations; of everything, everything."""
        return self if self.sees_all else Scope(False, self.units, self.registrations.intersection(registrations))


EVERYTHING = Scope(sees_all=True)
NOTHING = Scope(sees_all=False)

PARTS = "parts"
Rule = Callable[[Scope, Any], Any]
RULES: dict[type[Model], Rule] = {}


def visibility_rule(*models: type[Model]) -> Callable[[Rule], Rule]:
    """Registers which rows of these models a scope shows."""

    def register(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(models, rule))
        return rule

    return register


def scope_of(actor: Any) -> Scope:
    """Of a user or an API key, read once and kept with it; whoever has none sees nothing."""
    if isinstance(actor, Scope):
        return actor
    if not hasattr(actor, "read_scope"):
        return NOTHING
    if (known := getattr(actor, "known_scope", None)) is None:
        known = actor.known_scope = actor.read_scope()
    return known  # type: ignore[no-any-return]


def common_scope(*actors: Any) -> Scope:
    """What all of these see."""
    limited = [scope for scope in map(scope_of, actors) if not scope.sees_all]
    if not limited:
        return EVERYTHING
    units = frozenset.intersection(*(scope.units for scope in limited))
    return Scope(False, units, frozenset.intersection(*(scope.registrations for scope in limited)))


def visible_to(actor: Any, rows: QuerySet[M]) -> QuerySet[M]:
    scope = scope_of(actor)
    if scope.sees_all:
        return rows
    rule = RULES.get(rows.model._meta.concrete_model)  # type: ignore[arg-type]
    return rule(scope, rows) if rule else rows.none()


def of_parts(rows: QuerySet[M], *parts: Q) -> QuerySet[M]:
    """Rows of any of these parts, which have none in common. Each is answered by an index of its own, while an engine
    may read and sort all of them where it is asked for one or the other."""
    found = rows.filter(reduce(or_, parts))
    found._hints = {**found._hints, PARTS: parts}  # type: ignore[attr-defined]  # kept by all that is made of it
    return found


def parts_of(rows: QuerySet[M]) -> list[QuerySet[M]]:
    parts: tuple[Q, ...] = rows._hints.get(PARTS, ())  # type: ignore[attr-defined]
    return [rows.filter(part) for part in parts] or [rows]


def is_restricted(actor: Any) -> bool:
    return not scope_of(actor).sees_all
