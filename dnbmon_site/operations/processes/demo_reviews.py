"""Tiers, reviews and decisions of the demo's customer, so that their pages are alive."""

from __future__ import annotations

from datetime import timedelta

from core.actors import Actor
from monitoring.decisions.decide import Draft, confirm, decide
from monitoring.decisions.reviews import refresh_all_reviews
from monitoring.decisions.rules import switch_rule, would_change
from monitoring.decisions.tiers import set_tier
from monitoring.jobs import update_company_figures
from monitoring.models import Decision, DecisionKind, ReviewSettings, TierRule
from portfolio.exposure.days import today
from portfolio.models import Company, Tier

# Name, tier, and the exposure from which it applies.
RULES = (("Largest exposure", Tier.CRITICAL, 150_000), ("Large exposure", Tier.IMPORTANT, 40_000))
CONFIRMED_FROM = 100_000
# How long ago tiers were set, in turns: some reviews are overdue, some due soon.
DAYS_AGO = (30, 75, 90, 110, 150, 178, 200)
DRAFTS = (
    Draft(DecisionKind.LIMIT, "Pays on time. Limit as agreed with the credit insurer.", 25_000_000, "EUR"),
    Draft(DecisionKind.APPROVE, "Sole source of a part that we need. No limit while it is delivered in advance."),
    Draft(DecisionKind.HOLD, "The annual accounts are late. No new orders until we have them."),
    Draft(DecisionKind.LIMIT, "Raised for the order of the coming season.", 40_000_000, "EUR"),
)


def make_reviews(first: Actor, second: Actor) -> None:
    """Once; later starts find the tiers."""
    if Company.objects.exclude(tier="").exists():
        return
    # So that decisions keep the figures too, which a worker would bring later.
    update_company_figures()
    ReviewSettings.objects.update_or_create(key="reviews", defaults={"second_from": CONFIRMED_FROM})
    for name, tier, exposure in RULES:
        rule = TierRule.objects.create(name=name, tier=tier, exposure_from=exposure)
        switch_rule(rule, enabled=True, confirmed=len(would_change(rule, enabled=True)), by=first)
    others = Company.objects.filter(tier="", exposure__isnull=False, operating_status="Active").order_by("-exposure")
    set_tier(list(others[:10]), tier=Tier.NORMAL, by=first)
    _set_earlier()
    _decide(first, second)


def _set_earlier() -> None:
    tiered = Company.objects.exclude(tier="").order_by("duns").values_list("pk", flat=True)
    for place, duns in enumerate(tiered):
        Company.objects.filter(pk=duns).update(tier_set_on=today() - timedelta(days=DAYS_AGO[place % len(DAYS_AGO)]))
    refresh_all_reviews()


def _decide(first: Actor, second: Actor) -> None:
    """All but the last are confirmed."""
    chosen = Company.objects.filter(operating_status="Active", merged_into="").exclude(tier="").order_by("-exposure")
    rows: list[Decision] = [
        decide(company.duns, draft, seen=0, by=first)
        for company, draft in zip(chosen[: len(DRAFTS)], DRAFTS, strict=False)
    ]
    for row in rows[:-1]:
        if row.needs_second:
            confirm(row, by=second)
