"""What the Overview is asked for: the days and the registration, kept in its address and in every link from it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.dates import read_day
from core.text import day_text
from core.visibility import EVERYTHING, Scope, scope_of
from portfolio.models import Registration

RANGES = (7, 30, 90)
USUAL = 30
LONGEST = 366


@dataclass(frozen=True, slots=True)
class Asked:
    """Whole UTC days, as the roll-ups have them; one registration or all."""

    first: date
    last: date
    days: int = 0
    registration: Registration | None = None
    mistake: str = ""
    scope: Scope = EVERYTHING

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> date:
        """The first day of the same number of days before."""
        return self.first - timedelta(days=self.count)

    @property
    def each_day(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.count)]

    @property
    def words(self) -> str:
        """ "last 30 days", "1 Nov 2026 to 14 Nov 2026"."""
        if self.days:
            return ngettext("last day", "last %(days)d days", self.days) % {"days": self.days}
        return gettext("%(first)s to %(last)s") % {"first": day_text(self.first), "last": day_text(self.last)}

    @property
    def before_words(self) -> str:
        return ngettext("the previous day", "the previous %(days)d days", self.count) % {"days": self.count}

    @property
    def query(self) -> dict[str, str]:
        """The address; nothing for what is usual."""
        found = {"registration": str(self.registration.pk)} if self.registration else {}
        if self.days and self.days != USUAL:
            found["days"] = str(self.days)
        if not self.days:
            found |= {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return found

    def address(self, **others: str) -> str:
        return _address(self.query | others)

    def with_days(self, days: int) -> str:
        query = {name: value for name, value in self.query.items() if name == "registration"}
        return _address(query | ({} if days == USUAL else {"days": str(days)}))

    @property
    def risk(self) -> str:
        """The portfolio's risk at the end of these days, compared with the day before them."""
        query = {"day": self.last.isoformat(), "since": (self.first - timedelta(days=1)).isoformat()}
        query |= {"registration": str(self.registration.pk)} if self.registration else {}
        return f"{reverse('portfolio_risk')}?{urlencode(query)}"

    def changes(self, **filters: str) -> str:
        """The list of changes of these days and this registration, filtered further."""
        filters = {"day_from": self.first.isoformat(), "day_to": self.last.isoformat(), **filters}
        if self.registration:
            filters = {"registration": str(self.registration.pk), **filters}
        return f"{reverse('admin:monitoring_change_changelist')}?{urlencode(filters)}"


def _address(query: Mapping[str, str]) -> str:
    index = reverse("admin:index")
    return f"{index}?{urlencode(query)}" if query else index


def query_of(request: HttpRequest, registrations: Sequence[Registration]) -> Asked:
    """What the address asks for; what cannot be read is as usual, with a mistake."""
    return replace(_days_of(request, registrations), scope=scope_of(request.user))


def _days_of(request: HttpRequest, registrations: Sequence[Registration]) -> Asked:
    query = request.GET
    registration = _registration(query.get("registration", ""), registrations)
    if query.get("from") or query.get("to"):
        return _own_days(query.get("from", ""), query.get("to", ""), registration)
    text = query.get("days", "")
    days = int(text) if text in map(str, RANGES) else USUAL
    return Asked(today() - timedelta(days=days - 1), today(), days, registration)


def _own_days(start: str, end: str, registration: Registration | None) -> Asked:
    last = read_day(end) if end else today()
    first = read_day(start) if start else last and last - timedelta(days=USUAL - 1)
    if first is None or last is None:
        mistake = gettext("The dates are not valid. The last 30 days are shown; select both dates again.")
        return Asked(today() - timedelta(days=USUAL - 1), today(), USUAL, registration, mistake)
    first, last = min(first, last), max(first, last)
    if (last - first).days >= LONGEST:
        mistake = gettext("A range may have up to %(days)d days. The last %(days)d days of your range are shown.") % {
            "days": LONGEST
        }
        return Asked(last - timedelta(days=LONGEST - 1), last, 0, registration, mistake)
    return Asked(first, last, 0, registration)


def _registration(text: str, registrations: Sequence[Registration]) -> Registration | None:
    try:
        key = uuid.UUID(text)
    except ValueError:
        return None
    return next((row for row in registrations if row.pk == key), None)


def today() -> date:
    return timezone.now().astimezone(UTC).date()
