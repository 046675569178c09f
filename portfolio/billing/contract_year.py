"""The contract year in numbers: what is billed, what will be, and what renews at the anniversary.

A company monitored for one day counts for the year, and what is still listed on the anniversary renews. So removals
planned for a date do not lower what is billed; they lower what renews, if they come before the anniversary.

docs/develop/direct_plus.md#registrations says why.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Case, Count, Max, Q, Sum, When
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from core import plurals
from core.audit import record
from core.db import in_batches
from core.notices import notify
from core.text import counted
from portfolio.billing.new_billable import contract_year_start
from portfolio.models import Contract, Registration, Subject, SubjectState
from portfolio.subjects.requests import withdraw_subjects

REMINDERS = (7, 30, 60)
LISTED = (SubjectState.MONITORED, SubjectState.PENDING_REMOVE)
PLANNED = "plan"
COUNTED = ("listed", "billed", "forecast", "renewing", "leaving", "withdrawn", "renewing_as_requested")


@dataclass(slots=True)
class Year:
    """One contract's year, as far as known."""

    contract: Contract
    registrations: list[Registration]
    start: date | None
    anniversary: date | None
    listed: int = 0
    billed: int = 0
    forecast: int = 0
    renewing: int = 0
    leaving: int = 0
    withdrawn: int = 0
    renewing_as_requested: int = 0
    plans: list[Plan] = field(default_factory=list)

    @property
    def coming(self) -> int:
        """What will have been billed by the anniversary and is not yet: nothing that was billed ever falls away."""
        return self.forecast - self.billed

    @property
    def numbers(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in COUNTED}

    @property
    def unadopted(self) -> list[Registration]:
        """Registrations whose list at D&B nobody has taken over: what is in them is not known."""
        return [row for row in self.registrations if not row.adopted]

    @property
    def incomplete(self) -> list[Registration]:
        """Adopted registrations whose complete list D&B has not sent: it may monitor more than is known."""
        return [row for row in self.registrations if row.adopted and not row.is_list_complete]

    @property
    def is_exact(self) -> bool:
        return not (self.unadopted or self.incomplete)

    @property
    def renewing_unrequested(self) -> int:
        """Companies that renew only because no registration that holds them has removed them yet."""
        return self.renewing - self.renewing_as_requested

    @property
    def days_left(self) -> int | None:
        return (self.anniversary - today()).days if self.anniversary else None

    @property
    def last_day(self) -> date | None:
        return self.anniversary - timedelta(days=1) if self.anniversary else None


@dataclass(frozen=True, slots=True)
class Plan:
    """Removals planned for a day in one registration."""

    day: date
    registration: Registration
    count: int
    too_late: bool


def today() -> date:
    return timezone.now().date()


def next_anniversary(contract: Contract, day: date | None = None) -> date | None:
    """The day on which the next contract year begins."""
    day = day or today()
    start = contract_year_start(contract, day)
    # A year and a day on lies in the next contract year, also around 29 February.
    return start and contract_year_start(contract, start + timedelta(days=367))


def contract_year(contract: Contract, counted: Mapping[str, int] | None = None) -> Year:
    """The numbers of the present contract year over all registrations of the contract: counted now, or before."""
    rows = list(Registration.objects.filter(contract=contract).defer("detail").order_by("reference"))
    year = Year(contract, rows, contract_year_start(contract), next_anniversary(contract))
    for name, number in (_companies(year) if counted is None else counted).items():
        setattr(year, name, number)
    year.plans = list(_plans(year))
    return year


def _companies(year: Year) -> dict[str, int]:
    """How many companies, in one reading: each once, as a company in two registrations is billed once."""
    subjects = Subject.objects.filter(registration__in=[row.pk for row in year.registrations]).order_by()
    # MongoDB's backend cannot sum over no groups at all.
    if not (year.registrations and subjects.exists()):
        return {}
    billed, leaving = is_billed(year.start), _leaving(year.anniversary)
    withdrawn = Q(state=SubjectState.MONITORED, requested=False)
    which = {
        "listed": Q(state__in=LISTED),
        "billed": billed,
        "forecast": billed | _coming(),
        "renewing": renews(year.anniversary),
        "leaving": _listed_or_coming() & leaving,
        "withdrawn": withdrawn,
        "renewing_as_requested": renews(year.anniversary) & ~withdrawn,
    }
    is_any = {f"is_{name}": Max(Case(When(condition, then=1), default=0)) for name, condition in which.items()}
    companies = subjects.values("company").annotate(**is_any)
    found = companies.aggregate(**{name: Sum(f"is_{name}") for name in which})
    return {name: found[name] or 0 for name in which}


def is_billed(start: date | None) -> Q:
    """Monitored on a day of this contract year; of any year, while its beginning is not known."""
    stayed = Q(monitored_until__isnull=False) if start is None else Q(monitored_until__gte=start)
    return Q(state__in=LISTED) | stayed


def _coming() -> Q:
    """Wanted or sent, and not refused."""
    return Q(state=SubjectState.PENDING_ADD) | (Q(requested=True) & ~Q(state=SubjectState.REFUSED))


def _listed_or_coming() -> Q:
    return Q(state__in=LISTED) | _coming()


def renews(anniversary: date | None) -> Q:
    """What D&B bills for another year, as far as is planned now."""
    return _listed_or_coming() & ~_leaving(anniversary)


def _leaving(anniversary: date | None) -> Q:
    """On the way out, or planned to be out before the anniversary."""
    going = Q(state=SubjectState.PENDING_REMOVE, requested=False)
    return going | Q(requested=True, remove_on__lt=anniversary) if anniversary else going


def _plans(year: Year) -> Iterable[Plan]:
    by_key = {row.pk: row for row in year.registrations}
    # Without the registrations as a condition, whose index would be taken instead of the days'.
    planned = Subject.objects.filter(requested=True, remove_on__isnull=False).order_by()
    found = planned.values_list("remove_on", "registration").annotate(count=Count("id"))
    counts = [row for row in found if row[1] in by_key]
    for day, registration, count in sorted(counts, key=lambda row: (row[0], by_key[row[1]].reference)):
        too_late = year.anniversary is not None and day >= year.anniversary
        yield Plan(day, by_key[registration], count, too_late)


# Removals planned for a date


def plan_numbers(registration: Registration, numbers: Sequence[str], day: date, *, by: str) -> int:
    """From that day on these are withdrawn; returns how many of them were requested. Sends nothing now.

    Whether one person may is decided before: `importing.planning`.
    """
    words = gettext("%(companies)s in %(reference)s scheduled for removal on %(day)s")
    return _set_plan(registration, numbers, day, by, "plan removal", words)


def cancel_removal(*, subjects: Sequence[Subject], by: str) -> int:
    """They stay."""
    words = gettext("Scheduled removal of %(companies)s in %(reference)s cancelled")
    return sum(
        _set_plan(registration, [row.company_id for row in rows], None, by, "cancel planned removal", words)
        for registration, rows in by_registration(subjects).items()
    )


def _set_plan(
    registration: Registration, numbers: Sequence[str], day: date | None, by: str, action: str, words: str
) -> int:
    keys = {Subject.key(registration.pk, number): number for number in numbers}
    before: dict[str, date | None] = {}
    for batch in in_batches(list(keys)):
        requested = Subject.objects.filter(pk__in=list(batch), requested=True).exclude(remove_on=day)
        before |= dict(requested.values_list("company_id", "remove_on"))
        requested.update(remove_on=day)
    if before:
        told = {"companies": plurals.companies(len(before)), "reference": registration.reference}
        summary = words % {**told, "day": day_text(day) if day else ""}
        after = dict.fromkeys(before, day)
        record(actor=by, action=action, thing=registration, summary=summary, before=before, after=after)
    return len(before)


def by_registration(subjects: Sequence[Subject]) -> dict[Registration, list[Subject]]:
    rows = (
        Registration.objects.select_related("contract")
        .defer("detail")
        .in_bulk(list({subject.registration_id for subject in subjects}))
    )
    found: dict[Registration, list[Subject]] = {}
    for subject in subjects:
        found.setdefault(rows[subject.registration_id], []).append(subject)
    return found


def remove_planned() -> int:
    """Withdraw what was planned to end by now; returns how many companies that is. The sync then tells D&B."""
    due = Subject.objects.filter(requested=True, remove_on__lte=today())
    found: dict[uuid.UUID, list[str]] = {}
    for registration, duns in due.values_list("registration_id", "company_id"):
        found.setdefault(registration, []).append(duns)
    rows = Registration.objects.select_related("contract").in_bulk(list(found))
    return sum(
        len(withdraw_subjects(registration=rows[key], duns=sorted(numbers), requested_by=PLANNED))
        for key, numbers in found.items()
    )


# Reminders


def remind() -> int:
    """Remind people of anniversaries 60, 30 and 7 days before, once each; returns how many notices were made."""
    return sum(_remind(contract) for contract in Contract.objects.order_by("name"))


def _remind(contract: Contract) -> bool:
    anniversary = next_anniversary(contract)
    left = (anniversary - today()).days if anniversary else 366
    due = next((days for days in REMINDERS if left <= days), None)
    if anniversary is None or due is None:
        return False
    year = contract_year(contract)
    notice = notify(
        kind="anniversary",
        subject=gettext("Contract “%(name)s” renews in %(days)s") % {"days": plurals.days(left), "name": contract.name},
        text=reminder_text(year),
        url=reverse("admin:portfolio_contract_year"),
        key=f"{contract.name}/{anniversary.isoformat()}/{due}",
    )
    return notice is not None


def reminder_text(year: Year) -> str:
    assert year.anniversary
    renewing = plurals.companies(year.renewing)
    if not year.is_exact:
        renewing = gettext("At least %(companies)s") % {"companies": renewing}
    return gettext(
        "A new contract year begins on %(anniversary)s. %(renewing)s will renew unless removed by then. "
        "%(against)sD&B must have received removals by the day before."
    ) % {"anniversary": day_text(year.anniversary), "renewing": renewing, "against": _against(year)}


def _against(year: Year) -> str:
    number = year.contract.contracted_number
    if number is None:
        return ""
    over = year.renewing - number
    words = gettext("Contracted: %(number)s. ")
    if over > 0:
        words = gettext("Contracted: %(number)s, so %(over)s more than contracted will renew. ")
    return words % {"number": counted(number), "over": counted(over)}


def day_text(day: date) -> str:
    return str(date_format(day, "DATE_FORMAT"))
