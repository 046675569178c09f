"""The tier of companies as users set it: one by one, from a list, or from a file. Rules never change such a tier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from django.utils.translation import gettext

from core.actors import Actor
from core.audit import entry_of, record, record_all
from core.bulk import find_rows, select_rows, update_versions
from core.db import clean_text, in_batches, insert_new
from core.ids import time_first_key
from core.models import AuditEntry
from monitoring.decisions.reviews import KEPT, by_open_review, keep_review, refresh_reviews
from monitoring.models import TierImport
from portfolio.exposure.days import today
from portfolio.imports.states import Refused
from portfolio.models import Company, Tier

# What forms, files and the API call the tier of a company that has none.
NONE = "none"
# What is read and written of a company by its version.
WRITTEN = ("duns", "version", "tier", "tier_set_by", "tier_set_on", "next_review_on", *KEPT)
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


class Before(msgspec.Struct, array_like=True, frozen=True):
    """What a company had before a file set its tier, and the tier that the file has for it."""

    duns: str
    given: str
    tier: str = ""
    set_by: str = ""
    set_on: str = ""

    @property
    def is_new(self) -> bool:
        """Another tier, or one that rules no longer change."""
        return self.tier != self.given or not self.set_by


def known_before(tiers: Mapping[str, str]) -> list[Before]:
    """Of the companies of a file, by the tier that it has for each."""
    found = find_rows(Company, ("duns", "tier", "tier_set_by", "tier_set_on"), sorted(tiers))
    return [Before(duns, tiers[duns], tier, by, day.isoformat() if day else "") for duns, tier, by, day in found]


def set_tiers_of_file(upload: TierImport, before: Sequence[Before]) -> None:
    """As the user who confirmed it. Repeating it adds no entries."""
    by = Actor(upload.confirmed_by, upload.confirmer_id) if upload.confirmer_id else upload.confirmed_by
    moment = upload.confirmed_at or upload.created_at
    new = [one for one in before if one.is_new]
    _record_all(new, lambda company, one: _entry(company, one.given, by, before=one), moment, upload.pk)
    given = {one.duns: one.given for one in new}

    def values(row: Company) -> dict[str, Any]:
        tier = given[row.pk]
        if (row.tier, row.tier_set_by) == (tier, upload.confirmed_by):
            return {}
        dated = {"tier_set_on": today(), **keep_review(row)} if row.tier != tier else {}
        return {"tier": tier, "tier_set_by": upload.confirmed_by, **dated}

    _write_for(upload, list(given), values)
    refresh_reviews(list(given))


def restore_tiers(upload: TierImport, before: Sequence[Before]) -> int:
    """As they were, unless the tier was set or released since then; returns how many were. Repeating it changes
    nothing."""
    by, moment = upload.undone_by, upload.undone_at or upload.created_at
    actor = Actor(by, upload.undoer_id) if upload.undoer_id else by
    ours, others = _split([one for one in before if one.is_new], upload.confirmed_by)
    _record_all(ours, lambda company, one: _undone(company, one, actor), moment, upload.pk, "undo")
    had = {one.duns: one for one in ours}

    def values(row: Company) -> dict[str, Any]:
        one = had[row.pk]
        if (row.tier, row.tier_set_by) != (one.given, upload.confirmed_by):
            return {}
        day = date.fromisoformat(one.set_on) if one.set_on else None
        return {"tier": one.tier, "tier_set_by": one.set_by, "tier_set_on": day}

    _write_for(upload, list(had), values)
    refresh_reviews([one.duns for one in before])
    return others


def _write_for(
    upload: TierImport,
    duns: Sequence[str],
    values: Callable[[Company], Mapping[str, Any]],
) -> None:
    """Each company by its version, read before the import is: whoever has stalled finds that another process has
    written the one, or moved the other, and writes nothing."""
    for batch in in_batches(duns):
        left = list(batch)
        while left:
            rows = select_rows(Company, WRITTEN, pk__in=left)
            changes = [(row, found) for row in rows if (found := values(row))]
            if not changes or not TierImport.objects.filter(pk=upload.pk, version=upload.version).exists():
                break
            left = [str(row.pk) for row in update_versions(changes)]


def _split(before: Sequence[Before], by: str) -> tuple[list[Before], int]:
    """Those that are still as the file set them; and how many are neither so nor as they were."""
    rows = find_rows(Company, ("duns", "tier", "tier_set_by"), [one.duns for one in before])
    now = {duns: (tier, set_by) for duns, tier, set_by in rows}
    ours = [one for one in before if now.get(one.duns) == (one.given, by)]
    as_before = sum(now.get(one.duns) in (None, (one.tier, one.set_by), (one.given, by)) for one in before)
    return ours, len(before) - as_before


def _record_all(
    rows: Sequence[Before], entry_for: Callable[[Company, Before], AuditEntry], moment: datetime, *key: object
) -> None:
    """Under keys made of the import and the company."""
    for batch in in_batches(rows):
        companies = Company.objects.only("duns", "name").in_bulk([one.duns for one in batch])
        entries = [entry_for(companies[one.duns], one) for one in batch if one.duns in companies]
        for entry in entries:
            entry.id, entry.at = time_first_key(moment, *key, entry.key), moment
        insert_new(AuditEntry, entries)


def _undone(company: Company, one: Before, by: str) -> AuditEntry:
    words = gettext("%(company)s: tier “%(tier)s” restored because the import was undone")
    return entry_of(
        actor=by,
        action="tier.restored",
        thing=company,
        summary=words % {"company": company, "tier": tier_text(one.tier)},
        before={"tier": one.given or NONE},
        after={"tier": one.tier or NONE, "set_by": one.set_by},
    )


def _told(companies: Iterable[Company], tier: str) -> list[Company]:
    """Those that get another tier, or one that rules no longer change."""
    return [row for row in companies if row.tier != tier or not row.tier_set_by]


def _entry(company: Company, tier: str, by: str, *, before: Before | None = None) -> AuditEntry:
    """`before`: what it had, where the row itself may have another tier by now."""
    had = (before.tier, before.set_by) if before else (company.tier, company.tier_set_by)
    return entry_of(
        actor=by,
        action="tier.set",
        thing=company,
        summary=_tier_set_text(company, had[0], tier),
        before={"tier": had[0] or NONE, "set_by": had[1]},
        after={"tier": tier or NONE, "set_by": by},
    )


def _tier_set_text(company: Company, before: str, tier: str) -> str:
    words = gettext("%(company)s (%(duns)s): tier “%(tier)s”, before “%(before)s”")
    names = {"company": company, "duns": company.duns}
    return words % {**names, "tier": tier_text(tier), "before": tier_text(before)}


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
        differing = list(rows.exclude(tier=tier).only("duns", "next_review_on"))
        same = sorted(set(batch) - {row.pk for row in differing})
        for duns, kept in by_open_review(differing):
            rows.filter(pk__in=duns).update(tier=tier, tier_set_by=name, tier_set_on=today(), **kept)
        rows.filter(pk__in=same).update(tier=tier, tier_set_by=name)
    refresh_reviews(duns)
