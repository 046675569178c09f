"""Who reads a dossier, and which parts of it they may see: a user by permissions, an API key by scopes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from core.api.scopes import ALERTS, READ, READ_DECISIONS, READ_EXPOSURE
from core.visibility import is_restricted, visible_to

M = TypeVar("M", bound=Model)


class Part(TextChoices):
    CHANGES = "changes", _("Changes")
    ALERTS = "alerts", _("Alerts")
    MESSAGES = "messages", _("Messages")
    NOTES = "notes", _("Notes")
    EDITS = "edits", _("Audit log")
    MONITORING = "monitoring", _("Monitoring periods")
    PROPOSALS = "proposals", _("Proposals")
    FETCHES = "data_fetches", _("Data fetches")
    EXPOSURE = "exposure", _("Exposure")
    DECISIONS = "decisions", _("Decisions and reviews")


@dataclass(frozen=True, slots=True)
class Needed:
    """The permission for a part, and the scope that gives it to a key; no scope where no key sees it."""

    permission: str
    scope: str = ""


NEEDED: Mapping[Part, Needed] = {
    Part.CHANGES: Needed("monitoring.view_change", READ),
    Part.ALERTS: Needed("monitoring.view_alert", ALERTS),
    Part.MESSAGES: Needed("monitoring.view_outboxmessage", ALERTS),
    Part.NOTES: Needed("portfolio.view_companynote", READ),
    Part.EDITS: Needed("core.view_auditentry"),
    Part.MONITORING: Needed("portfolio.view_subject", READ),
    Part.PROPOSALS: Needed("portfolio.view_proposal", READ),
    Part.FETCHES: Needed("monitoring.view_datafetch", READ),
    Part.EXPOSURE: Needed("portfolio.view_exposure", READ_EXPOSURE),
    Part.DECISIONS: Needed("monitoring.view_decision", READ_DECISIONS),
}


# Of which a business unit has no rows of its own: they are for those who see all registrations.
OF_ALL_UNITS = frozenset({Part.EDITS})


@dataclass(frozen=True, slots=True)
class Reader:
    actor: Any
    parts: frozenset[Part]

    def sees(self, part: Part) -> bool:
        return part in self.parts

    @property
    def left_out(self) -> list[Part]:
        return [part for part in Part if part not in self.parts]

    def rows(self, model: type[M]) -> QuerySet[M]:
        """All that a dossier shows is taken from here."""
        return visible_to(self.actor, model._default_manager.all())


def reader_of_user(user: Any) -> Reader:
    return _reader(user, (part for part, needed in NEEDED.items() if user.has_perm(needed.permission)))


def reader_of_key(key: Any) -> Reader:
    return _reader(key, (part for part, needed in NEEDED.items() if needed.scope and key.allows(needed.scope)))


def _reader(actor: Any, parts: Iterable[Part]) -> Reader:
    return Reader(actor, frozenset(parts) - (OF_ALL_UNITS if is_restricted(actor) else frozenset()))
