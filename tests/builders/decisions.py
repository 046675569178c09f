"""Decisions, tiers and reviews of companies."""

from datetime import date, timedelta
from typing import Any

from monitoring.decisions.decide import Draft, decide
from monitoring.decisions.reviews import refresh_reviews
from monitoring.decisions.upload import create_tier_import
from monitoring.models import Decision, ReviewSettings, TierImport, TierRule
from portfolio.exposure.days import today
from portfolio.models import Company, Tier
from tests.builders.companies import DUNS, a_company
from tests.builders.people import an_actor


def a_draft(kind: str = "approve", reason: str = "Pays on time.", **fields: Any) -> Draft:
    return Draft(kind, reason, **fields)


def a_limit(units: int, currency: str = "EUR", **fields: Any) -> Draft:
    return a_draft("limit", amount_cents=units * 100, currency=currency, **fields)


def a_decision(draft: Draft | None = None, *, duns: str = DUNS, seen: int = 0, by: str = "ann") -> Decision:
    return decide(duns, draft or a_draft(), seen=seen, by=an_actor(by))


def a_tiered_company(duns: str = DUNS, tier: str = Tier.NORMAL, *, set_days_ago: int = 0, **fields: Any) -> Company:
    """With the tier that a user set on a day before today, and the review that follows from it."""
    a_company(duns, **{"tier": tier, "tier_set_by": "mia", "tier_set_on": days_ago(set_days_ago), **fields})
    refresh_reviews([duns])
    return Company.objects.get(pk=duns)


def days_ago(days: int) -> date:
    return today() - timedelta(days=days)


def review_settings_of(**fields: Any) -> None:
    ReviewSettings.objects.update_or_create(key="reviews", defaults=fields)


def a_tier_rule(name: str = "Large", tier: str = Tier.CRITICAL, *, is_enabled: bool = False, **fields: Any) -> TierRule:
    return TierRule.objects.create(name=name, tier=tier, is_enabled=is_enabled, **fields)


def a_tier_import(*lines: str) -> TierImport:
    """A file of these lines, uploaded and not read yet."""
    content = "\n".join(lines).encode()
    return create_tier_import(content=content, file_name="tiers.csv", source="upload", requested_by=an_actor("mia"))
