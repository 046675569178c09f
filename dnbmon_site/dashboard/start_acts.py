"""What the guided start does: test the key at D&B, and go away when somebody dismisses it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from core.actors import actor_of
from core.admin.row_actions import demand
from core.audit import record
from core.db import clean_text, insert_new
from core.jobs import ask_worker
from direct_plus.errors import DirectPlusError, NotAuthorised
from dnbmon_site.accounts.models import User
from dnbmon_site.dashboard.onboarding import MAY_GUIDE
from dnbmon_site.dashboard.open_counts import DISMISSED
from health.models import Probe
from portfolio.dnb_client import NotConfigured, fingerprint, refusal_of_key
from portfolio.models import Contract
from portfolio.registrations.discover import all_contracts

ENTITLEMENTS = "portfolio.entitlements.fetch.update_entitlements"


@require_POST
def test_key(request: HttpRequest) -> HttpResponse:
    """Sign in at D&B with the key as it is set now; what is on the queue stays there."""
    demand(request.user.has_perm(MAY_GUIDE))
    contracts = all_contracts()
    probes = [probe_key(contract) for contract in contracts]
    for contract, probe in zip(contracts, probes, strict=True):
        _show_result(request, probe, name=str(contract) if len(contracts) > 1 else "")
    if not all(probe.reason for probe in probes):
        # Else health would not know until the night what the key may use.
        ask_worker(ENTITLEMENTS, task_name="Update entitlements")
    return redirect("admin:index")


def _show_result(request: HttpRequest, probe: Probe, *, name: str) -> None:
    """With the contract's name where there are several."""
    if probe.reason and not probe.fingerprint:
        messages.error(request, probe.reason)
    elif probe.reason:
        # The step names the error.
        text = gettext("The test of the key of contract “%(name)s” failed.") if name else gettext("The test failed.")
        messages.error(request, text % {"name": name})
    else:
        text = gettext("D&B accepted the API key of contract “%(name)s”.") if name else gettext("D&B accepted the key.")
        messages.success(request, text % {"name": name})


def probe_key(contract: Contract) -> Probe:
    """Ask D&B for a token, and keep the answer where health looks for it."""
    error: DirectPlusError | NotConfigured | None
    try:
        error = refusal_of_key(contract)
    except NotConfigured as missing:
        error = missing
    return _kept(contract, error)


def _kept(contract: Contract, error: Exception | None) -> Probe:
    now = timezone.now()
    insert_new(Probe, [Probe(contract=contract.name, called_at=now)])
    row = Probe.objects.get(pk=contract.name)
    row.called_at, row.refused = now, isinstance(error, NotAuthorised | NotConfigured)
    row.fingerprint = fingerprint(contract)
    row.reason = clean_text(str(error), 300) if error else ""
    row.failing_since = (row.failing_since or now) if error else None
    row.answered_at = row.answered_at if error else now
    row.save(update_fields=["called_at", "refused", "reason", "fingerprint", "failing_since", "answered_at"])
    return row


@require_POST
def dismiss(request: HttpRequest) -> HttpResponse:
    """For every user of this installation: what is done need not be shown again."""
    demand(request.user.has_perm(MAY_GUIDE))
    user = User.objects.get(pk=str(request.user.pk))
    record(actor=actor_of(request), action=DISMISSED, thing=user, summary=gettext("Guided start dismissed"))
    words = gettext(
        "The guide is dismissed. To show it again, choose “Help” in the menu, then “Show the steps to get started”."
    )
    messages.success(request, words)
    return redirect("admin:index")
