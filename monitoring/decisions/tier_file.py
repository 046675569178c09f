"""The lines of a file of tiers, each with a validation: company (by D-U-N-S number or own reference) and tier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.bulk import find_rows
from core.db import clean_text
from core.text import counted
from monitoring.decisions.tiers import NONE
from monitoring.models import TierImport
from portfolio.exposure.flaws import Flaw
from portfolio.exposure.references import References
from portfolio.exposure.validate import read_duns
from portfolio.imports import columns as companies
from portfolio.imports.columns import HeadedTable
from portfolio.models import Company, Tier

HEADERS = {
    "tier": "tier suppliertier importance criticality priority stufe kritikalität wichtigkeit prio",
    "reference": companies.HEADERS["customer_reference"],
}
FIELD_OF = {word: field for field, words in HEADERS.items() for word in words.split()}
WORDS = {
    Tier.CRITICAL: "critical kritisch a 1",
    Tier.IMPORTANT: "important wichtig b 2",
    Tier.NORMAL: "normal standard c 3",
    NONE: "none keine ohne",
}
TIER_OF = {word: str(tier) for tier, words in WORDS.items() for word in words.split()}


class TierCheck(models.TextChoices):
    CHANGED = "changed", _("Tier changes")
    SAME = "same", _("Same tier")
    DUPLICATE = "duplicate", _("Duplicate in this file")
    COMPANY = "company", _("Company not found")
    TIER = "tier", _("Unknown tier")


# Both become the tier that the user has set, which rules do not change.
ACCEPTED = (TierCheck.CHANGED, TierCheck.SAME)


@dataclass(frozen=True, slots=True)
class TierLine:
    number: int
    duns: str = ""
    reference: str = ""
    tier: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.duns or self.reference or self.tier)


class TierTable(HeadedTable):
    field_of = FIELD_OF
    value = "tier"

    @staticmethod
    def missing() -> str:
        return gettext(
            "No columns with companies and tiers were found. Add the headings “D-U-N-S” and “Tier” above them, or "
            "use the template."
        )

    def lines(self, start: int = 0) -> Iterator[TierLine]:
        return (TierLine(number, **values) for number, values in islice(self.values(), start, None))


class TierRow(msgspec.Struct, array_like=True, frozen=True):
    """What was written in a line, what it became, and what is wrong with it."""

    line: int
    company: str
    written: str
    validation: str
    reason: str = ""
    duns: str = ""
    tier: str = ""
    before: str = ""

    @property
    def label(self) -> str:
        return str(TierCheck(self.validation).label)


class TierValidator:
    """Knows the companies that the file has named so far."""

    def __init__(self, upload: TierImport, table: TierTable) -> None:
        self._references = References()
        self._first_lines: dict[str, int] = {}

    def remember(self, rows: Iterable[TierRow]) -> None:
        self._first_lines |= {row.duns: row.line for row in rows if row.validation in ACCEPTED}

    def validate(self, lines: Sequence[TierLine]) -> list[TierRow]:
        filled = [line for line in lines if not line.is_empty]
        self._references.learn([line.reference for line in filled if not line.duns])
        named = [self._company(line) for line in filled]
        found = find_rows(Company, ("duns", "tier"), list({one for one in named if isinstance(one, str)}))
        known = dict(found)
        return [self._row(line, one, known) for line, one in zip(filled, named, strict=True)]

    def _company(self, line: TierLine) -> str | Flaw:
        try:
            return read_duns(line.duns) if line.duns else self._references.company_of(line.reference)
        except Flaw as flaw:
            return flaw

    def _row(self, line: TierLine, company: str | Flaw, known: dict[str, str]) -> TierRow:
        tier = TIER_OF.get(line.tier.strip().casefold(), "")
        row = TierRow(line.number, clean_text(line.duns or line.reference, 60), clean_text(line.tier, 60), "")
        if isinstance(company, Flaw):
            return _flawed(row, TierCheck.COMPANY, str(company))
        if company not in known:
            return _flawed(row, TierCheck.COMPANY, gettext("D&B Monitoring does not know this company."))
        if not tier:
            return _flawed(row, TierCheck.TIER, gettext("Enter critical, important, normal or none."))
        first = self._first_lines.setdefault(company, line.number)
        if first != line.number:
            words = gettext("Same company as in line %(first)s. Only that line is used.")
            return _flawed(row, TierCheck.DUPLICATE, words % {"first": counted(first)})
        before = known[company] or NONE
        check = TierCheck.SAME if before == tier else TierCheck.CHANGED
        return msgspec.structs.replace(row, validation=check, duns=company, tier=tier, before=before)


def _flawed(row: TierRow, check: TierCheck, reason: str) -> TierRow:
    return msgspec.structs.replace(row, validation=check, reason=clean_text(reason, 400))
