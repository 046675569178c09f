"""What other systems call our companies: kept by their own programs, and shown wherever a company changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import ngettext

from core.audit import record
from core.db import in_batches, insert_new
from core.text import counted
from portfolio.companies.word_index import subject_words, texts_of
from portfolio.models import ExternalReference

MOST_NAMED = 200


@dataclass(frozen=True, slots=True)
class Named:
    """A company under the name that a system has for it."""

    duns: str
    system: str
    id: str


def references_by_company(duns: Iterable[str]) -> dict[str, list[ExternalReference]]:
    found: dict[str, list[ExternalReference]] = defaultdict(list)
    for batch in in_batches(sorted(set(duns))):
        for row in ExternalReference.objects.filter(company__in=batch).order_by("system", "reference"):
            found[row.company_id].append(row)
    return found


def companies_named(reference: str) -> list[str]:
    """The companies that some system calls so; `system:id` asks one system only."""
    system, _, rest = reference.partition(":")
    rows = ExternalReference.objects.filter(Q(reference=reference) | Q(system=system, reference=rest))
    return sorted(set(rows.values_list("company_id", flat=True)[:MOST_NAMED]))


def name_companies(named: Sequence[Named], *, requested_by: str) -> tuple[list[Named], list[Named]]:
    """Keep these names; a name that stood for another company moves. Returns what is new, and what was there."""
    latest = {ExternalReference.key(one.system, one.id): one for one in named}
    rows = [
        ExternalReference(id=key, company_id=one.duns, system=one.system, reference=one.id)
        for key, one in latest.items()
    ]
    with subject_words(texts_of(rows)):
        inserted = {row.pk for row in insert_new(ExternalReference, rows)}
        moved = {row.pk for row in rows if row.pk not in inserted and _move(row)}
    changed = [one for key, one in latest.items() if key in inserted | moved]
    if changed:
        _record("reference.set", changed, requested_by)
    return changed, [one for one in latest.values() if one not in changed]


def _move(row: ExternalReference) -> bool:
    others = ExternalReference.objects.filter(pk=row.pk).exclude(company=row.company_id)
    return bool(others.update(company=row.company_id))


def forget_name(system: str, id: str, *, requested_by: str) -> bool:
    """Whether there was such a name."""
    row = ExternalReference.objects.filter(pk=ExternalReference.key(system, id)).first()
    if row is None:
        return False
    row.delete()
    _record("reference.remove", [Named(row.company_id, system, id)], requested_by)
    return True


def _record(action: str, named: Sequence[Named], actor: str) -> None:
    shown = ", ".join(f"{one.system}:{one.id} = {one.duns}" for one in named[:10]) + (" …" if len(named) > 10 else "")
    thing = ExternalReference(pk=ExternalReference.key(named[0].system, named[0].id))
    after = {"references": [[one.system, one.id, one.duns] for one in named[:10_000]]}
    words = ngettext(
        "%(count)s ID in another system: %(shown)s", "%(count)s IDs in other systems: %(shown)s", len(named)
    )
    summary = words % {"count": counted(len(named)), "shown": shown}
    record(actor=actor, action=action, thing=thing, summary=summary, after=after)
