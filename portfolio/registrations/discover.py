"""Registrations as D&B has them: discovered and tracked, never created (docs/develop/direct_plus.md#registrations)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils import timezone

from core.db import clean_text, insert_new
from direct_plus.client import DirectPlus
from direct_plus.errors import DirectPlusError
from portfolio.dnb_client import client_for
from portfolio.models import Contract, Registration, RegistrationState


@dataclass(slots=True)
class Discovery:
    """What a look at D&B's list has found."""

    seen: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def all_contracts() -> list[Contract]:
    """Every contract; the settings alone describe one, which has a row from the first time somebody asks."""
    Contract.objects.get_or_create(name="default")
    return list(Contract.objects.order_by("name"))


def discover_registrations(
    contract: Contract, *, client: DirectPlus | None = None, report: Callable[[str], None] = lambda reference: None
) -> Discovery:
    """Take over D&B's list: what is new is inserted paused; details of all are read again. Raises DirectPlusError."""
    client = client or client_for(contract)
    found = Discovery(seen=client.registrations())
    rows = [
        Registration(id=Registration.key(contract.name, reference), contract=contract, reference=reference)
        for reference in found.seen
    ]
    found.new = [row.reference for row in insert_new(Registration, rows)]
    for row in rows:
        report(row.reference)
        try:
            read_details(row, client)
        except DirectPlusError as error:
            found.failed[row.reference] = str(error)
    return found


def read_details(registration: Registration, client: DirectPlus) -> None:
    """Keep D&B's whole answer, and its time."""
    detail = client.registration(registration.reference)
    fields: dict[str, object] = {"detail": clean_text(detail.raw_text, 1_000_000)}
    if detail.dnb_time:
        fields["dnb_time"] = detail.dnb_time
    Registration.objects.filter(pk=registration.pk).update(**fields)


def start_pulling(registration: Registration) -> None:
    """From now on the registration is pulled when it is due."""
    Registration.objects.filter(pk=registration.pk).update(
        state=RegistrationState.ACTIVE,
        paused_until=None,
        stopped_reason="",
        next_pull_at=timezone.now(),
        consecutive_failures=0,
    )


def pause_pulling(registration: Registration, until: object = None) -> None:
    """No pulls until a time (aware), or until somebody starts it again. D&B drops what waits for 4 days."""
    Registration.objects.filter(pk=registration.pk).update(state=RegistrationState.PAUSED, paused_until=until)


def resume_what_is_over() -> int:
    """Pauses whose time has come end by themselves."""
    over = Registration.objects.filter(state=RegistrationState.PAUSED, paused_until__lte=timezone.now())
    return over.update(state=RegistrationState.ACTIVE, paused_until=None, next_pull_at=timezone.now())
