"""Companies that renew at the anniversary and that the customer may do without, by reason; a person decides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from core.admin.filters import key_at
from monitoring.benefit.year import Year
from monitoring.models import NO_NOISE, Alert, Change, Kind, Severity
from monitoring.reports.alert_section import raised_between
from portfolio.billing.contract_year import next_anniversary, renews
from portfolio.exposure.totals import exposures_at
from portfolio.models import Company, Contract, Subject

# A company that joined later has had no time to change.
LONG_ENOUGH = timedelta(days=90)
LOUD = [severity for severity in Severity if severity != Severity.NOISE]


class Reason(TextChoices):
    """Why a company may be left out."""

    UNREQUESTED = "unrequested", _("Not requested in any registration")
    UNCHANGED = "unchanged", _("No change in the contract year")
    GROUP = "group", _("Global ultimate is monitored, too")
    REPEATED = "repeated", _("In several registrations")


class Entry(NamedTuple):
    """A company in a registration, as far as billing goes."""

    company: str
    requested: bool
    since: date | None


@dataclass(frozen=True, slots=True)
class Saving:
    """The companies of a reason, and what leaving them out would have meant in this contract year."""

    reason: Reason
    companies: int
    # D&B bills a company once, however many registrations hold it.
    saved: int
    # Alerts that would not have been raised.
    alerts: int
    exposure: int | None


@dataclass(slots=True)
class Candidates:
    """The companies of each reason, and how many renew in all."""

    renewing: int
    by_reason: Mapping[Reason, AbstractSet[str]]
    alerts: Counter[str] = field(default_factory=Counter)

    @property
    def saved(self) -> int:
        """Without those that stay in another registration; a company of several reasons is saved once."""
        return len(set().union(*(numbers for reason, numbers in self.by_reason.items() if reason != Reason.REPEATED)))

    def savings(self) -> list[Saving]:
        """What companies show may still be of the previous currency."""
        exposures = exposures_at().by_duns
        return [_saving(reason, self.by_reason[reason], self.alerts, exposures) for reason in Reason]


def _saving(reason: Reason, numbers: AbstractSet[str], alerts: Counter[str], exposures: Mapping[int, int]) -> Saving:
    known = [cents for duns in numbers if (cents := exposures.get(int(duns))) is not None]
    saved = 0 if reason == Reason.REPEATED else len(numbers)
    return Saving(reason, len(numbers), saved, sum(alerts[duns] for duns in numbers), sum(known) if known else None)


def candidates_of(year: Year) -> Candidates:
    entries: dict[str, list[Entry]] = defaultdict(list)
    for entry in _renewing():
        entries[entry.company].append(entry)
    by_reason = {
        Reason.UNREQUESTED: {duns for duns, found in entries.items() if not any(one.requested for one in found)},
        Reason.UNCHANGED: _unchanged(entries, year),
        Reason.GROUP: _with_ultimate(entries.keys()),
        Reason.REPEATED: {duns for duns, found in entries.items() if len(found) > 1},
    }
    return Candidates(len(entries), by_reason, alerts_of(year))


def _renewing() -> Iterator[Entry]:
    for contract in Contract.objects.order_by("name"):
        rows = Subject.objects.filter(renews(next_anniversary(contract)), registration__contract=contract)
        yield from map(Entry._make, rows.order_by().values_list("company_id", "requested", "monitored_since"))


def _unchanged(entries: Mapping[str, list[Entry]], year: Year) -> set[str]:
    """Monitored long enough, and without a change other than noise."""
    latest = year.end - LONG_ENOUGH
    staying = {
        duns for duns, found in entries.items() if all(one.since is not None and one.since <= latest for one in found)
    }
    changes = Change.objects.filter(NO_NOISE, severity__in=LOUD, pk__gte=key_at(year.began), superseded=False)
    changes = changes.exclude(kind=Kind.BASELINE)
    return staying - set(changes.order_by().values_list("company_id", flat=True).distinct()) if staying else set()


def _with_ultimate(numbers: Collection[str]) -> set[str]:
    """Those whose global ultimate, another company, renews as well."""
    rows = Company.objects.exclude(global_ultimate="").order_by().values_list("pk", "global_ultimate")
    return {duns for duns, top in rows if top != duns and duns in numbers and top in numbers}


def alerts_of(year: Year, companies: Sequence[str] | None = None) -> Counter[str]:
    """By company: alerts raised in the contract year, as the inbox shows them; of these companies, or of all."""
    about = Alert.objects.exclude(company=None) if companies is None else Alert.objects.filter(company__in=companies)
    rows = raised_between(about, year.began).order_by()
    return Counter(rows.values_list("company_id", flat=True))
