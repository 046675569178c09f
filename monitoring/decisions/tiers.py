"""The tier of companies as users set it: one by one, from a list, or from a file. Rules never change such a tier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext

from core.actors import Actor
from core.audit import entry_of, record, record_all
from core.db import clean_text, in_batches, insert_new
from core.ids import time_first_key
from core.models import AuditEntry
from monitoring.decisions.reviews import refresh_reviews
from monitoring.models import TierImport
from portfolio.exposure.days import today
from portfolio.imports.states import Refused
from portfolio.models import Company, Tier

# What forms, files and the API call the tier of a company that has none.
NONE = "none"
# Of a list: each is an act in the audit log.
MOST_BY_HAND = 1_000


def tier_of(word: str) -> str:
    """As it is stored; raises Refused."""
    if word not in (*Tier.values, NONE):
        raise Refused(gettext("Choose a tier: critical, important, normal or none."))
    return "" if word == NONE else word


def tier_text(tier: str) -> str:
    return str(Tier(tier).label) if tier else gettext("None")


def set_tier(companies: Sequence[Company], *, tier: str, by: Actor) -> int:
    """For each company, with an entry in the audit log; returns how many had another tier."""
    # Before the tiers: a process that dies in between leaves no tier of unknown origin.
    record_all([_entry(row, tier, by) for row in _told(companies, tier)])
    write_tiers([row.duns for row in companies], tier=tier, by=by)
    return sum(row.tier != tier for row in companies)


def set_tiers_of_file(upload: TierImport, duns: Sequence[str], *, tier: str) -> None:
    """As the user who confirmed it. Repeating it adds no entries."""
    by = Actor(upload.confirmed_by, upload.confirmer_id) if upload.confirmer_id else upload.confirmed_by
    for batch in in_batches(duns):
        companies = Company.objects.filter(pk__in=batch).only("duns", "name", "tier", "tier_set_by")
        entries = [_entry(row, tier, by) for row in _told(companies, tier)]
        for entry in entries:
            entry.id = time_first_key(upload.confirmed_at or upload.created_at, upload.pk, entry.key)
        insert_new(AuditEntry, entries)
    write_tiers(duns, tier=tier, by=upload.confirmed_by)


def _told(companies: Iterable[Company], tier: str) -> list[Company]:
    """Those that get another tier, or one that rules no longer change."""
    return [row for row in companies if row.tier != tier or not row.tier_set_by]


def _entry(company: Company, tier: str, by: str) -> AuditEntry:
    return entry_of(
        actor=by,
        action="tier.set",
        thing=company,
        summary=gettext("%(company)s: tier “%(tier)s”") % {"company": company, "tier": tier_text(tier)},
        before={"tier": company.tier or NONE, "set_by": company.tier_set_by},
        after={"tier": tier or NONE, "set_by": by},
    )


def release_tier(company: Company, *, by: Actor) -> None:
    """Rules may set it again: every night, and when they are applied."""
    record(
        actor=by,
        action="tier.released",
        thing=company,
        summary=gettext("%(company)s: tier set by rules from now on") % {"company": company},
        before={"tier": company.tier or NONE, "set_by": company.tier_set_by},
    )
    Company.objects.filter(pk=company.pk).update(tier_set_by="")


def write_tiers(duns: Sequence[str], *, tier: str, by: str) -> None:
    """Each row in one step, so that a rule cannot come in between. Repeating it changes nothing."""
    name = clean_text(by, 200)
    for batch in in_batches(duns):
        rows = Company.objects.filter(pk__in=batch)
        differing = list(rows.exclude(tier=tier).values_list("pk", flat=True))
        same = sorted(set(batch) - set(differing))
        rows.filter(pk__in=differing).update(tier=tier, tier_set_by=name, tier_set_on=today())
        rows.filter(pk__in=same).update(tier=tier, tier_set_by=name)
    refresh_reviews(duns)
