"""What a fetch would do, before anybody confirms it: which companies, and how many calls of which kind."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any

from django.utils.translation import gettext

from core.db import in_batches
from monitoring.data_fetch.blocks import blocks_of
from monitoring.models import BEING_WRITTEN, DataFetch, FetchedCompany, FetchedState, FetchState
from portfolio.call_budgets.calls import calls_left
from portfolio.models import CallKind, Contract, Registration, Subject, SubjectState

LISTED = (SubjectState.MONITORED, SubjectState.PENDING_ADD, SubjectState.PENDING_REMOVE)
# Those for which calls are still to be made, after somebody has confirmed them.
UNFINISHED = (FetchedState.WAITING, FetchedState.FAILED)


class CannotFetch(Exception):
    """Why not; the message says what to do."""


class GapInWork(CannotFetch):
    """Another data fetch is about the same gap, and would be paid twice."""

    def __init__(self, fetch: DataFetch) -> None:
        self.fetch = fetch
        super().__init__(
            gettext("This data gap is being closed already by a data fetch of %(moment)s, requested by %(user)s.")
            % {"moment": f"{fetch.requested_at:%Y-%m-%d %H:%M} UTC", "user": fetch.requested_by}
        )


@dataclass(frozen=True, slots=True)
class Check:
    """A refresh check: of which product, since which day."""

    product_id: str
    version_id: str
    since: date


@dataclass(slots=True)
class Plan:
    """Companies with the registration for which each is fetched, the blocks, and the calls."""

    contract: Contract
    companies: Mapping[str, uuid.UUID]
    blocks: Sequence[str]
    calls: Mapping[CallKind, int]
    check: Check | None = None
    gap: Registration | None = None
    left_out: list[str] = field(default_factory=list)


def plan_companies(numbers: Collection[str]) -> Plan:
    """Of those that a registration monitors; D&B's answer belongs to one of them."""
    found = registrations_of(numbers)
    contracts = {registration.contract for registration in found.values()}
    if not found:
        raise CannotFetch(
            gettext("None of the companies is monitored in a registration. Add them to a registration first.")
        )
    if len(contracts) > 1:
        raise CannotFetch(gettext("The companies belong to several contracts. Select companies of one contract."))
    contract = contracts.pop()
    companies = {duns: registration.pk for duns, registration in found.items()}
    calls = {CallKind.DATA_BLOCKS: len(companies)}
    left_out = sorted(set(numbers) - companies.keys())
    return Plan(contract, companies, blocks_of(contract), calls, left_out=left_out)


def plan_gap(registration: Registration) -> Plan:
    """All companies of a registration, of which only those with changes are fetched."""
    if registration.gap_from is None:
        raise CannotFetch(gettext("%(name)s has no data gap.") % {"name": registration.reference})
    if other := open_fetch_of(registration):
        raise GapInWork(other)
    # Those that are to be removed are monitored until D&B confirms it.
    states = (SubjectState.MONITORED, SubjectState.PENDING_REMOVE)
    rows = Subject.objects.filter(registration=registration, state__in=states)
    companies = dict.fromkeys(rows.values_list("company_id", flat=True), registration.pk)
    if not companies:
        raise CannotFetch(gettext("D&B monitors no company in %(name)s.") % {"name": registration.reference})
    check = _check_of(registration)
    contract = registration.contract
    return Plan(
        contract, companies, blocks_of(contract), _calls(contract, len(companies), len(companies)), check, registration
    )


def open_fetch_of(registration: Registration, *, beside: DataFetch | None = None) -> DataFetch | None:
    """One that is to close the registration's gap as it is now."""
    gap = {"gap_from": registration.gap_from, "gap_until": registration.gap_until}
    rows = DataFetch.objects.filter(registration=registration, **gap).exclude(BEING_WRITTEN)
    rows = rows.exclude(pk=beside.pk) if beside else rows
    return rows.exclude(state=FetchState.DONE).first()


def calls_to_resume(fetch: DataFetch) -> Mapping[CallKind, int]:
    """What is left of a fetch that stopped, calls without an answer included."""
    left = FetchedCompany.objects.filter(fetch=fetch, state__in=UNFINISHED)
    unchecked = left.filter(checked_at=None).count() if fetch.check_since else 0
    return _calls(fetch.contract, unchecked, left.count())


def _calls(contract: Contract, checks: int, companies: int) -> Mapping[CallKind, int]:
    """Where a check comes first, it is not known how many companies have changes: as many as the budget has left are
    confirmed, and a fetch stops when they are used."""
    most = min(companies, max(calls_left(contract, CallKind.DATA_BLOCKS), 1)) if checks else companies
    return {CallKind.REFRESH_CHECK: checks, CallKind.DATA_BLOCKS: most}


def registrations_of(numbers: Collection[str]) -> dict[str, Registration]:
    found: dict[str, Registration] = {}
    for batch in in_batches(sorted(numbers)):
        rows = Subject.objects.filter(company__in=batch, state__in=LISTED).select_related("registration__contract")
        for row in sorted(rows, key=lambda row: row.registration.reference, reverse=True):
            found[row.company_id] = row.registration
    return found


def _check_of(registration: Registration) -> Check:
    """Of the product that the registration monitors."""
    detail: Any = json.loads(registration.detail or "{}")
    product = detail.get("messages", {}).get("registration", {})
    product_id, version_id = product.get("productId"), product.get("versionId")
    if not (isinstance(product_id, str) and isinstance(version_id, str)):
        raise CannotFetch(
            gettext("D&B does not report the product of %(name)s, which a refresh check needs. Refresh its companies.")
            % {"name": registration.reference}
        )
    assert registration.gap_from is not None
    return Check(product_id, version_id, registration.gap_from.astimezone(UTC).date())
