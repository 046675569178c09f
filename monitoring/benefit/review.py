"""The review as it was counted last: pages and the API show it without counting. It is counted again at night, when
someone asks for it, and where what is kept is of another currency or another version of the program."""

from __future__ import annotations

import uuid
from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from core.db import database_now, insert_new
from core.jobs import ask_worker
from monitoring.benefit.gains import Gains, gains_of
from monitoring.benefit.savings import Reason, Saving, candidates_of
from monitoring.benefit.year import Year, year_so_far
from monitoring.models import ContractReview
from portfolio.exposure.rates import exposure_settings
from portfolio.models import Company

JOB = "monitoring.jobs.update_contract_review"
STEPS = 3
# Nobody needs longer to count one.
UNFINISHED = timedelta(minutes=10)
# Of so many companies it is counted while the page is opened.
COUNTED_AT_ONCE = 2_000
NUMBER = array("I").itemsize


@dataclass(frozen=True, slots=True)
class Numbers:
    """All of a review but the companies of each reason. Exposure is in cents; who may not see it is shown none."""

    currency: str
    year: Year
    gains: Gains
    renewing: int
    saved: int
    savings: list[Saving]


@dataclass(frozen=True, slots=True)
class Review:
    key: uuid.UUID
    made_at: datetime
    numbers: Numbers


def review() -> Review | None:
    """The latest. Without one it is counted: now where that is quick, else by a worker, and None until it is done."""
    found = _latest()
    if found or begun():
        return found
    if Company.objects.order_by()[: COUNTED_AT_ONCE + 1].count() > COUNTED_AT_ONCE:
        ask_for_review()
        return None
    count()
    return _latest()


def _latest() -> Review | None:
    """None where it was written by another version of the program, or in a currency that is no longer reported."""
    whole = ContractReview.objects.filter(is_whole=True).defer("companies").order_by("-made_at")
    row = whole.first()
    if row is None:
        return None
    try:
        numbers = msgspec.json.decode(row.numbers, type=Numbers)
    except msgspec.ValidationError:
        return None
    is_current = numbers.currency == exposure_settings().reporting_currency
    return Review(row.pk, row.made_at, numbers) if is_current else None


def companies_of(found: Review, *reasons: Reason) -> dict[str, list[Reason]]:
    """In the order of their numbers, each with all of its reasons: those with one of these, or all. None where the
    review has gone since then."""
    packed = ContractReview.objects.filter(pk=found.key).values_list("companies", flat=True).first() or b""
    rest, of_each = memoryview(bytes(packed)), defaultdict[int, list[Reason]](list)
    for saving in found.numbers.savings:
        size = saving.companies * NUMBER
        for number in rest[:size].cast("I") if rest else ():
            of_each[number].append(saving.reason)
        rest = rest[size:]
    asked = {*(reasons or Reason)}
    return {f"{number:09d}": of_each[number] for number in sorted(of_each) if not asked.isdisjoint(of_each[number])}


def begun() -> ContractReview | None:
    """The one that is being counted, or waits for a worker."""
    unfinished = ContractReview.objects.filter(is_whole=False, made_at__gte=database_now() - UNFINISHED)
    return unfinished.defer("numbers", "companies").order_by("-made_at").first()


def ask_for_review() -> None:
    """Have it counted now; nothing where it is being counted."""
    if begun() is None:
        row = ContractReview.objects.create(made_at=database_now())
        ask_worker(JOB, str(row.pk), task_name="Update contract review")


def count(key: str = "") -> int:
    """Count it; returns how many companies it names. It counts once it is whole, and replaces those before."""
    row = _begin(key)
    forget_unfinished()
    currency, year = exposure_settings().reporting_currency, year_so_far()
    gains = gains_of(year)
    _note(row, 2)
    candidates = candidates_of(year)
    _note(row, 3)
    savings = candidates.savings()
    numbers = Numbers(currency, year, gains, candidates.renewing, candidates.saved, savings)
    packed = b"".join(_packed(candidates.by_reason[one.reason]) for one in savings)
    _note(row, STEPS, numbers=msgspec.json.encode(numbers).decode(), companies=packed, is_whole=True)
    for made_at in ContractReview.objects.filter(pk=row.pk).values_list("made_at", flat=True):
        ContractReview.objects.filter(is_whole=True, made_at__lt=made_at).delete()
    return sum(one.companies for one in savings)


def _begin(key: str) -> ContractReview:
    """The row that was waited for may have been taken for one that a killed process left."""
    row = ContractReview(made_at=database_now(), step=1)
    if key:
        row.pk = uuid.UUID(key)
    if not insert_new(ContractReview, [row]):
        _note(row, 1, made_at=row.made_at)
    return row


def _note(row: ContractReview, step: int, **values: object) -> None:
    """Nothing where a company was erased since the beginning: what was read may hold it."""
    ContractReview.objects.filter(pk=row.pk).update(step=step, **values)


def _packed(numbers: Iterable[str]) -> bytes:
    return array("I", sorted(map(int, numbers))).tobytes()


def forget_unfinished() -> None:
    """Of processes that were killed."""
    ContractReview.objects.filter(is_whole=False, made_at__lt=database_now() - UNFINISHED).delete()


def forget_reviews() -> None:
    """They hold a company or a registration that is erased; one that is being counted is lost with its row."""
    ContractReview.objects.all().delete()
