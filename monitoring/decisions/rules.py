"""Tiers by rules over figures: what they would change is shown before they apply, and users' own tiers stay."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.audit import entry_of, record, record_all
from core.db import in_batches
from core.models import AuditEntry
from core.text import country_name
from monitoring.decisions.reviews import by_open_review, refresh_reviews
from monitoring.decisions.tiers import NONE, tier_text
from monitoring.models import TierRule
from portfolio.companies.conditions import tagged
from portfolio.exposure.days import today
from portfolio.exposure.rates import in_reporting_currency
from portfolio.imports.states import Refused
from portfolio.models import Company, Tier

# The most critical one counts where several rules apply.
STRICTEST_FIRST = (Tier.CRITICAL, Tier.IMPORTANT, Tier.NORMAL)

# Who acts in the audit log.
TIER_RULES = "tier rules"
CONDITIONS = ("tier", "exposure_from", "failure_class_from", "country", "tag")


@dataclass(frozen=True, slots=True)
class TierChange:
    duns: str
    before: str
    after: str


def enabled_rules() -> list[TierRule]:
    return list(TierRule.objects.filter(is_enabled=True))


def matching(rule: TierRule) -> QuerySet[Company]:
    """Companies that meet its conditions and whose tier no user has set."""
    rows = Company.objects.filter(tier_set_by="")
    if rule.exposure_from is not None:
        rows = rows.filter(exposure__gte=rule.exposure_from * 100)
    if rule.failure_class_from is not None:
        rows = rows.filter(failure_class__gte=rule.failure_class_from)
    if rule.country:
        rows = rows.filter(country=rule.country)
    return tagged(rows, rule.tag) if rule.tag else rows


def conditions_text(rule: TierRule) -> str:
    return ", ".join(_conditions(rule)) or gettext("All companies")


def _conditions(rule: TierRule) -> Iterator[str]:
    if rule.exposure_from is not None:
        yield gettext("exposure from %(amount)s") % {"amount": in_reporting_currency(rule.exposure_from)}
    if rule.failure_class_from is not None:
        yield gettext("failure score class from %(value)s") % {"value": rule.failure_class_from}
    if rule.country:
        yield country_name(rule.country)
    if rule.tag:
        yield gettext("tag “%(tag)s”") % {"tag": rule.tag}


def changes(rules: Iterable[TierRule]) -> list[TierChange]:
    """What differs from what these rules give, by D-U-N-S number."""
    given = _given(rules)
    shown = dict(Company.objects.filter(tier_set_by="").exclude(tier="").order_by().values_list("pk", "tier"))
    found = {duns: (shown.get(duns, ""), given.get(duns, "")) for duns in {*given, *shown}}
    return [TierChange(duns, *tiers) for duns, tiers in sorted(found.items()) if tiers[0] != tiers[1]]


def _given(rules: Iterable[TierRule]) -> dict[str, str]:
    found: dict[str, str] = {}
    for rule in sorted(rules, key=lambda one: STRICTEST_FIRST.index(Tier(one.tier)), reverse=True):
        found.update(dict.fromkeys(matching(rule).order_by().values_list("pk", flat=True), rule.tier))
    return found


def summary_of(found: Iterable[TierChange]) -> list[tuple[str, str, int]]:
    """How many go from which tier to which."""
    counts = Counter((one.before, one.after) for one in found)
    return [(tier_text(before), tier_text(after), count) for (before, after), count in sorted(counts.items())]


# Applying


def apply_rules() -> int:
    """Every night, and after a user has confirmed it. Returns how many companies have another tier."""
    return _write(changes(enabled_rules()))


def _write(found: Sequence[TierChange]) -> int:
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in found:
        alike[one.before, one.after].append(one.duns)
    batches = [(tiers, batch) for tiers, duns in alike.items() for batch in in_batches(duns)]
    written = sum(_write_batch(batch, before, after) for (before, after), batch in batches)
    refresh_reviews([one.duns for one in found])
    return written


def _write_batch(batch: Sequence[str], before: str, after: str) -> int:
    """A user may have set one meanwhile: that one stays. Entries come first, so that no tier is of unknown origin."""
    rows = Company.objects.filter(pk__in=batch, tier_set_by="", tier=before)
    companies = list(rows.only("duns", "name", "next_review_on"))
    record_all([_entry(row, before, after) for row in companies])
    given = {"tier": after, "tier_set_on": today()}
    return sum(rows.filter(pk__in=duns).update(**given, **kept) for duns, kept in by_open_review(companies))


def _entry(company: Company, before: str, after: str) -> AuditEntry:
    told = {"company": company, "duns": company.duns, "tier": tier_text(after)}
    words = gettext("%(company)s (%(duns)s): tier “%(tier)s” by rules, before “%(before)s”")
    return entry_of(
        actor=TIER_RULES,
        action="tier.ruled",
        thing=company,
        summary=words % {**told, "before": tier_text(before)},
        before={"tier": before or NONE},
        after={"tier": after or NONE},
    )


def would_change(rule: TierRule, *, enabled: bool) -> list[TierChange]:
    """If this rule was enabled, or disabled, among the others."""
    others = [one for one in enabled_rules() if one.pk != rule.pk]
    return changes([*others, rule] if enabled else others)


def switch_rule(rule: TierRule, *, enabled: bool, confirmed: int, by: Actor) -> int:
    """Enable or disable it, once the user has confirmed how many tiers that changes."""
    found = would_change(rule, enabled=enabled)
    if len(found) != confirmed:
        words = gettext("No changes made: the rule now affects the tiers of %(companies)s. Check the list again.")
        raise Refused(words % {"companies": plurals.companies(len(found))})
    confirmed_ones = {name: getattr(rule, name) for name in CONDITIONS}
    if not TierRule.objects.filter(pk=rule.pk, is_enabled=not enabled, **confirmed_ones).update(is_enabled=enabled):
        raise Refused(
            gettext("No action taken: another user has changed this rule since you opened the page. Reload the page.")
        )
    written = _write(found)
    words = gettext("Tier rule “%(rule)s” enabled: tier changed for %(companies)s")
    if not enabled:
        words = gettext("Tier rule “%(rule)s” disabled: tier changed for %(companies)s")
    record(
        actor=by,
        action="tier_rule.enabled" if enabled else "tier_rule.disabled",
        thing=rule,
        summary=words % {"rule": rule, "companies": plurals.companies(written)},
        after={"tier": rule.tier, "conditions": conditions_text(rule), "companies": written},
    )
    return written
