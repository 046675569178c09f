"""No one gains permissions by a key: its issuer must have those behind each of its scopes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext

from core.api.scopes import (
    ALERTS,
    FETCH,
    FETCH_REFERENCE_DATA,
    METRICS,
    PULL,
    READ,
    READ_DECISIONS,
    READ_EXPOSURE,
    SEARCH_COMPANIES,
    WRITE_DECISIONS,
    WRITE_EXPOSURE,
    WRITE_FILES,
    WRITE_PORTFOLIO,
    WRITE_REFERENCES,
    WRITE_TIERS,
    split_scopes,
)
from dnbmon_site.accounts.models import ApiKey

# The permissions behind each scope; the API's views name the same for each address.
RIGHTS_BEHIND: Mapping[str, tuple[str, ...]] = {
    READ: (
        *("portfolio.view_company", "portfolio.view_registration", "portfolio.view_subject"),
        *("portfolio.view_subjectimport", "portfolio.view_externalreference", "portfolio.view_companysearch"),
        *("portfolio.view_contract", "portfolio.view_callbudget", "portfolio.view_dnbcall"),
        "portfolio.view_referencelist",
        "portfolio.view_entitlements",
        *("monitoring.view_change", "monitoring.view_notification", "monitoring.view_deliveredfile"),
        *("monitoring.view_datafetch", "monitoring.view_familytree"),
        # Parts of a dossier.
        *("portfolio.view_companynote", "portfolio.view_proposal"),
    ),
    WRITE_PORTFOLIO: ("portfolio.change_subject",),
    WRITE_REFERENCES: ("portfolio.change_externalreference", "portfolio.delete_externalreference"),
    READ_EXPOSURE: ("portfolio.view_exposure",),
    WRITE_EXPOSURE: ("portfolio.change_exposure",),
    READ_DECISIONS: ("monitoring.view_decision",),
    WRITE_DECISIONS: ("monitoring.decide_company",),
    WRITE_TIERS: ("monitoring.change_tier",),
    SEARCH_COMPANIES: ("portfolio.search_company",),
    WRITE_FILES: ("monitoring.add_deliveredfile", "portfolio.change_subject"),
    FETCH_REFERENCE_DATA: ("portfolio.fetch_referencelist",),
    PULL: ("portfolio.pull_registration",),
    FETCH: ("monitoring.request_datafetch", "monitoring.request_familytree"),
    ALERTS: ("monitoring.view_alert", "monitoring.acknowledge_alert", "monitoring.view_outboxmessage"),
    METRICS: ("health.change_incident",),
}
# A budget adds companies that are billed, without approval.
RIGHT_TO_SPEND = "portfolio.confirm_import"


def scopes_beyond(actor: Any, scopes: Iterable[str]) -> list[str]:
    """Those behind which is a permission that the actor lacks. An unknown scope has no effect."""
    return [name for name in scopes if not actor.has_perms(RIGHTS_BEHIND.get(name, ()))]


def may_hold(actor: Any, key: ApiKey) -> bool:
    """Whether the actor may be shown this key, or change its scopes."""
    may_spend = not key.budget or actor.has_perm(RIGHT_TO_SPEND)
    return may_spend and not scopes_beyond(actor, split_scopes(key.scopes))


def held(actor: Any, keys: Iterable[ApiKey]) -> Iterator[ApiKey]:
    return (key for key in keys if may_hold(actor, key))


def unknown_words(key: ApiKey) -> str:
    names = ", ".join(f"“{name}”" for name in key.unknown_scopes)
    return gettext(
        "%(names)s is not a valid scope and has no effect. Select the scopes that the system needs, and save."
    ) % {"names": names}
