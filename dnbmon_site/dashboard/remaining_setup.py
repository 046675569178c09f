"""What the guided start does not do and an installation still needs, each with the page where it is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from core.models import AuditEntry
from core.text import counted
from portfolio.models import Contract, Registration, RegistrationState


@dataclass(frozen=True, slots=True)
class Remaining:
    text: str
    link: str


def remaining_setup(registrations: Sequence[Registration]) -> list[Remaining]:
    return [*_lists(registrations), *_anniversaries(), *_backup(), *_environment()]


def incomplete(registrations: Sequence[Registration]) -> list[Registration]:
    """Active registrations whose list was adopted without D&B's complete one."""
    active = [row for row in registrations if row.state == RegistrationState.ACTIVE]
    return [row for row in active if row.adopted and not row.is_list_complete]


def _lists(registrations: Sequence[Registration]) -> Iterator[Remaining]:
    if rows := incomplete(registrations):
        text = ngettext(
            "D&B's complete list is missing for %(count)s registration: more companies may be billed than are counted.",
            "D&B's complete list is missing for %(count)s registrations: more companies may be billed than are "
            "counted.",
            len(rows),
        )
        link = reverse("admin:portfolio_syncrun_adopt", args=[rows[0].pk]) + "#export-file"
        yield Remaining(text % {"count": counted(len(rows))}, link)


def _anniversaries() -> Iterator[Remaining]:
    for contract in Contract.objects.filter(anniversary=None).order_by("name")[:1]:
        text = gettext("The contract's anniversary is not set: no reminders of the renewal are sent.")
        yield Remaining(text, reverse("admin:portfolio_contract_change", args=[contract.pk]))


def _backup() -> Iterator[Remaining]:
    is_made = settings.BACKUP_ELSEWHERE or settings.BACKUP_FOLDER or AuditEntry.objects.filter(action="backup").exists()
    if not is_made:
        yield Remaining(gettext("Backups are not set up."), reverse("handbook", args=["operate/backup.md"]))


def _environment() -> Iterator[Remaining]:
    if not settings.PRODUCTION and not settings.DEMO:
        text = gettext("This is a %(environment)s installation. In production, more settings are required.")
        link = reverse("handbook", args=["operate/configuration.md"]) + "#requirements-in-production"
        yield Remaining(text % {"environment": settings.ENVIRONMENT}, link)
