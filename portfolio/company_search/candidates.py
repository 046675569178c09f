"""D&B's candidates as they are kept, and what people read about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.db import clean_text, in_batches
from core.visibility import visible_to
from direct_plus.candidates import MatchCandidate
from portfolio.models import CompanySearch, Contract, Subject

RECOMMENDED = 8  # D&B's own advice (contract section 6)
MOST = 10
# What D&B compares, as people call it; what is left out says nothing about identity.
COMPONENTS = {
    "Name": _("name"),
    "Street Number": _("street number"),
    "Street Name": _("street"),
    "City": _("city"),
    "State": _("state"),
    "Phone": _("telephone"),
    "Postal Code": _("postal code"),
}
GRADES = {"A": _("Same: %(names)s"), "B": _("Similar: %(names)s"), "F": _("Different: %(names)s")}


class Candidate(msgspec.Struct, array_like=True, frozen=True):
    duns: str
    name: str = ""
    country: str = ""
    address: str = ""
    confidence: int | None = None
    status: str = ""
    grades: dict[str, str] = {}

    @property
    def is_recommended(self) -> bool:
        return self.confidence is not None and self.confidence >= RECOMMENDED

    @property
    def grade_words(self) -> list[str]:
        """ "Same: name, city", "Different: telephone"."""
        return [str(words) % {"names": names} for grade, words in GRADES.items() if (names := self._graded(grade))]

    def _graded(self, grade: str) -> str:
        return ", ".join(str(label) for name, label in COMPONENTS.items() if self.grades.get(name) == grade)


def stored(found: Iterable[MatchCandidate]) -> str:
    return msgspec.json.encode([_kept(one) for one in found][:MOST]).decode()


def _kept(one: MatchCandidate) -> Candidate:
    name, address, status = clean_text(one.name, 300), clean_text(one.address, 300), clean_text(one.status, 60)
    grades = {component: one.grades[component] for component in COMPONENTS if component in one.grades}
    return Candidate(one.duns, name, clean_text(one.country or "", 2), address, one.confidence, status, grades)


def candidates_of(search: CompanySearch) -> list[Candidate]:
    return msgspec.json.decode(search.candidates, type=list[Candidate])


def monitored_in(contract: Contract, duns: Sequence[str], actor: Any) -> dict[str, list[str]]:
    """The references of the registrations in which each company is requested already, as far as the actor sees them."""
    found: dict[str, list[str]] = {}
    for batch in in_batches(sorted(set(duns))):
        rows = Subject.objects.filter(company__in=batch, requested=True, registration__contract=contract)
        rows = visible_to(actor, rows)
        for number, reference in rows.order_by("registration__reference").values_list(
            "company_id", "registration__reference"
        ):
            found.setdefault(number, []).append(reference)
    return found


def confidence_text(candidate: Candidate) -> str:
    if candidate.confidence is None:
        return gettext("Not rated")
    return gettext("%(confidence)s of 10") % {"confidence": candidate.confidence}
