"""Ask D&B what the key may use: a call that takes nothing off the queue, and shows that D&B, key and token are well."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from core.db import clean_text, insert_new
from core.jobs import ask_worker
from direct_plus.client import DirectPlus
from direct_plus.errors import DirectPlusError, NotAuthorised, TokenExpired
from direct_plus.session import error_of
from health.checks.context import Look
from health.models import Probe
from monitoring.pull.rejections import PROBE
from portfolio.dnb_client import NotConfigured, client_for, fingerprint
from portfolio.models import AccessToken, Contract, Registration, RegistrationState

EVERY = timedelta(minutes=5)
# What is broken is asked after more often, so that it is soon seen to be well again.
EVERY_WHEN_BROKEN = timedelta(minutes=1)
TIMEOUT = 10.0
PATH = "/v1/entitlements"
A_LITTLE = timedelta(seconds=5)
TRY_STOPPED = "monitoring.jobs.probe_stopped"


def probe_due(look: Look) -> int:
    """Ask in every contract whose time has come; returns how many were asked."""
    shaken = {row.contract_id for row in look.registrations if shakes(row, look.probes.get(row.contract_id))}
    return sum(
        _probe(contract)
        for contract in look.contracts
        if is_due(look.probes.get(contract.name), in_doubt=contract.pk in shaken)
    )


def shakes(row: Registration, probe: Probe | None) -> bool:
    """A pull that failed, or was refused since, puts in doubt what D&B said minutes ago."""
    if row.state != RegistrationState.STOPPED or row.next_pull_at is None or probe is None:
        return bool(row.consecutive_failures)
    return row.next_pull_at - PROBE > probe.called_at


def probe_new() -> int:
    """Ask in contracts that were never asked, before anybody judges what goes by D&B's clock."""
    asked = set(Probe.objects.values_list("contract", flat=True))
    return sum(_probe(contract) for contract in Contract.objects.exclude(pk__in=asked).order_by("name"))


def is_due(probe: Probe | None, *, in_doubt: bool = False) -> bool:
    if probe is None:
        return True
    every = EVERY_WHEN_BROKEN if probe.reason or in_doubt else EVERY
    return timezone.now() - probe.called_at >= every - A_LITTLE or probe.called_at > timezone.now() + A_LITTLE


def _probe(contract: Contract) -> bool:
    """Who moves the time first asks; the others leave it."""
    now = timezone.now()
    insert_new(Probe, [Probe(contract=contract.name, called_at=now - EVERY - A_LITTLE)])
    free = Q(called_at__lte=now - EVERY_WHEN_BROKEN + A_LITTLE) | Q(called_at__gt=now + A_LITTLE)
    if not Probe.objects.filter(free, pk=contract.name).update(called_at=now):
        return False
    ask(contract)
    return True


def ask(contract: Contract) -> None:
    """Ask now, and keep what came of it."""
    begun = time.monotonic()
    try:
        client = client_for(contract)
        client.session.timeout = min(client.session.timeout, TIMEOUT)
        _call(client)
    except (DirectPlusError, NotConfigured) as error:
        _note_trouble(contract, error)
        return
    now = timezone.now()
    heard: datetime = client.session.dnb_time or now
    before = Probe.objects.filter(pk=contract.name).values_list("answered_at", flat=True).first()
    # A token of an earlier key proves nothing about this one; after a failure the key itself was accepted.
    unproven = Probe.objects.filter(Q(fingerprint="") | ~Q(reason=""), pk=contract.name)
    unproven.update(fingerprint=fingerprint(contract))
    Probe.objects.filter(pk=contract.name).update(
        answered_at=now,
        failing_since=None,
        refused=False,
        reason="",
        seconds=time.monotonic() - begun,
        token_until=AccessToken.objects.filter(pk=contract.pk).values_list("expires_at", flat=True).first(),
        clock_offset=(heard - now).total_seconds(),
    )
    _try_stopped_again(contract, stopped_since=before)


def _try_stopped_again(contract: Contract, *, stopped_since: datetime | None) -> None:
    """What was stopped since D&B last took the key may have been stopped with it, and need not wait for its hour."""
    stopped = Registration.objects.filter(contract=contract, state=RegistrationState.STOPPED)
    if stopped_since:
        stopped = stopped.filter(next_pull_at__gt=stopped_since + PROBE)
    if stopped.update(next_pull_at=timezone.now()):
        ask_worker(TRY_STOPPED, task_name="Retry stopped registrations")


def _call(client: DirectPlus) -> None:
    """Once, whatever comes of it: the next question comes soon, and a worker has other things to do."""
    error = error_of(client.session.send("GET", PATH))
    if isinstance(error, TokenExpired):
        client.session.renew_token()
        error = error_of(client.session.send("GET", PATH))
    if error is not None:
        raise error


def _note_trouble(contract: Contract, error: Exception) -> None:
    refused = isinstance(error, NotAuthorised | NotConfigured)
    row = Probe.objects.filter(pk=contract.name)
    row.update(refused=refused, reason=clean_text(str(error), 300), fingerprint=fingerprint(contract))
    row.filter(failing_since=None).update(failing_since=timezone.now())
