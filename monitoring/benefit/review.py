"""The review as it was counted last: pages and the API show it without counting. It is counted again at night, and when
someone asks for it."""

from __future__ import annotations

import uuid
from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from core.db import database_now
from core.jobs import ask_worker
from monitoring.benefit.gains import Gains, gains_of
from monitoring.benefit.savings import Reason, Saving, candidates_of
from monitoring.benefit.year import Year, year_so_far
from monitoring.models import ContractReview

JOB = "monitoring.jobs.update_contract_review"
STEPS = 3
# Nobody needs longer to count one.
UNFINISHED = timedelta(minutes=10)
NUMBER = array("I").itemsize


@dataclass(frozen=True, slots=True)
class Numbers:
    """All of a review but the companies of each reason. Exposure is in cents; who may not see it is shown none."""

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


def review() -> Review:
    """The latest; counted now where there is none."""
    whole = ContractReview.objects.filter(is_whole=True).defer("companies").order_by("-made_at")
    row = whole.first()
    if row is None:
        count()
        return review()
    return Review(row.pk, row.made_at, msgspec.json.decode(row.numbers, type=Numbers))


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
    forget_unfinished()
    row = ContractReview(pk=uuid.UUID(key)) if key else ContractReview.objects.create(made_at=database_now())
    _note(row, 1, made_at=database_now())
    year = year_so_far()
    gains = gains_of(year)
    _note(row, 2)
    candidates = candidates_of(year)
    _note(row, 3)
    savings = candidates.savings()
    numbers = Numbers(year, gains, candidates.renewing, candidates.saved, savings)
    packed = b"".join(_packed(candidates.by_reason[one.reason]) for one in savings)
    _note(row, STEPS, numbers=msgspec.json.encode(numbers).decode(), companies=packed, is_whole=True)
    for made_at in ContractReview.objects.filter(pk=row.pk).values_list("made_at", flat=True):
        ContractReview.objects.filter(is_whole=True, made_at__lt=made_at).delete()
    return sum(one.companies for one in savings)


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
