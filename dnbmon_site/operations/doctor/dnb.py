"""What can be wrong between this installation and D&B: account, address, mixed data, stopped registrations, clocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from django.conf import settings

from core.db import database_now
from direct_plus.errors import NotAuthorised
from dnbmon_site.operations.doctor.finding import Finding
from monitoring.models import Delivery
from portfolio.dnb_client import NotConfigured, base_url, check_address, credentials, is_at_dnb, is_real, refusal_of_key
from portfolio.models import Contract, Registration, RegistrationState

# As the sandbox numbers its answers; D&B's look otherwise.
SANDBOX_ANSWER = re.compile(r"^rrt-[0-9a-f]{16}-b-eu-1-2-\d+$")
CLOCK_OFF = timedelta(seconds=30)


def known_contracts() -> list[Contract]:
    """Before D&B was asked for the first time there is no row; the settings are looked at all the same."""
    return list(Contract.objects.order_by("name")) or [Contract()]


def contracts() -> Iterator[Finding]:
    for contract in known_contracts():
        try:
            check_address(contract)
            credentials(contract)
        except NotConfigured as error:
            yield Finding(str(error), "Correct the setting. Until then D&B is not called for this contract.")
        yield from address_of(contract)


def key() -> Iterator[Finding]:
    """Whether D&B takes it: asked of D&B, as a key that is set may be wrong, or end."""
    for contract in known_contracts():
        try:
            error = refusal_of_key(contract)
        except NotConfigured:
            continue
        if isinstance(error, NotAuthorised):
            yield Finding(
                f"D&B does not accept the API key of contract {contract}: {error}",
                f"Correct {contract.prefix}_API_KEY and {contract.prefix}_API_SECRET, or ask D&B about the account.",
            )
        elif error:
            yield Finding(
                f"The API key of contract {contract} could not be tested: {error}",
                "Fix the connection first, then run this again.",
            )


def address_of(contract: Contract) -> Iterator[Finding]:
    address, is_dnb = base_url(contract), is_real(contract)
    if settings.PRODUCTION and not is_dnb:
        yield Finding(
            f"Contract {contract} uses {address} in production, which is not D&B.",
            "Unless this is a proxy, remove DNB_BASE_URL and the contract's address.",
        )
    if settings.DEMO and is_dnb:
        yield Finding("The demo uses D&B's real address.", "Start the demo only with “make run”.")
    made_up = is_made_up(contract)
    if is_dnb and made_up:
        yield Finding(
            f"The database contains sandbox notifications, but contract {contract} uses the real D&B.",
            "Set DATABASE_URL to another database, so that real and sandbox data are not mixed.",
        )
    if not is_dnb and made_up is False:
        yield Finding(
            f"The database contains real notifications, but contract {contract} uses {address}.",
            "Correct DNB_BASE_URL, or use another database for the sandbox.",
        )


def is_made_up(contract: Contract) -> bool | None:
    """Whether what was pulled last came from a sandbox; None where nothing was."""
    pulled = Delivery.objects.filter(registration__in=list(registrations_of(contract))).exclude(transaction_id="")
    last = pulled.order_by("-id").values_list("transaction_id", flat=True).first()
    return None if last is None else bool(SANDBOX_ANSWER.match(last))


def registrations_of(contract: Contract) -> list[object]:
    return list(Registration.objects.filter(contract=contract).values_list("pk", flat=True))


def pulling() -> Iterator[Finding]:
    active = Registration.objects.filter(state=RegistrationState.ACTIVE).exists()
    if active and settings.ENVIRONMENT != "production" and not settings.DNB_PULL and is_at_dnb(settings.DNB_BASE_URL):
        yield Finding(
            "Registrations are active, but pulling is off.", "If no other installation pulls, set DNB_PULL=yes."
        )
    for row in Registration.objects.exclude(stopped_reason="").filter(state=RegistrationState.STOPPED):
        yield Finding(
            f"{row} was stopped by D&B: {row.stopped_reason}",
            "Correct the cause named above. D&B is asked again every hour.",
        )
    for row in Registration.objects.exclude(ingest_stopped_reason=""):
        yield Finding(f"Processing of {row} has stopped: {row.ingest_stopped_reason}", "Review “Parsing errors”.")


def clock() -> Iterator[Finding]:
    """Against the database's clock, which leases go by, and D&B's, where it can be reached (no key is needed)."""
    off = abs(database_now() - datetime.now(UTC))
    if off > CLOCK_OFF:
        yield Finding(
            f"This machine's clock and the database's differ by {off.total_seconds():,.0f} s.", "Set up NTP on both."
        )
    try:
        answer = requests.head(settings.DNB_BASE_URL, timeout=5, allow_redirects=False)
    except requests.RequestException as error:
        yield Finding(
            f"{settings.DNB_BASE_URL} cannot be reached ({type(error).__name__}).",
            "Check the firewall, the proxy and DNS.",
        )
        return
    told = answer.headers.get("Date")
    off = abs(parsedate_to_datetime(told) - datetime.now(UTC)) if told else timedelta(0)
    if off > CLOCK_OFF and is_at_dnb(settings.DNB_BASE_URL):
        yield Finding(f"This machine's clock and D&B's differ by {off.total_seconds():,.0f} s.", "Set up NTP.")
