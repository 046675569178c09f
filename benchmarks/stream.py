"""What D&B sends in a benchmark: notifications by number, alike for the floor and for D&B Monitoring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from tests.builders.times import stamp

A_PAGE = 100
# News, so that alerts are raised as on any day.
BEGINNING = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=48)
STEP = timedelta(milliseconds=10)
DELIVERED_LATER = timedelta(minutes=1)
SCORE_DATE = "organization.dnbAssessment.failureScore.scoreDate"
EMPLOYEES = "organization.numberOfEmployees"
NAME = "organization.primaryName"


class Item(NamedTuple):
    """One notification: a SEED where it has a document, else an UPDATE of elements."""

    number: int
    duns: str
    elements: tuple[tuple[str, Any, Any], ...] = ()
    document: dict[str, Any] | None = None

    @property
    def at(self) -> datetime:
        return BEGINNING + self.number * STEP

    @property
    def delivered_at(self) -> datetime:
        return self.at + DELIVERED_LATER

    def as_json(self) -> dict[str, Any]:
        organization, delivered = {"duns": self.duns}, {"deliveryTimeStamp": stamp(self.delivered_at)}
        if self.document is not None:
            whole = organization | {"countryISOAlpha2Code": "GB"} | self.document
            return {"type": "SEED", "organization": whole, **delivered}
        at = stamp(self.at)
        elements = [{"element": e, "previous": p, "current": c, "timestamp": at} for e, p, c in self.elements]
        return {"type": "UPDATE", "organization": organization, "elements": elements, **delivered}


def duns_of(number: int) -> str:
    return f"{100_000_000 + number}"


def a_feed(numbers: Sequence[int]) -> Iterator[Item]:
    """By turns the first document of a company and two changes of one that is known."""
    for number in numbers:
        if number % 2 == 0:
            document = {"primaryName": f"Company {number // 2} Ltd", "telephone": [{"telephoneNumber": str(number)}]}
            yield Item(number, duns_of(number // 2), document=document)
        else:
            yield two_changes(number, number * 7919 % (number // 2 + 1))


def a_known_world(numbers: Sequence[int], companies: int) -> Iterator[Item]:
    """Of companies that are all known before: a document in forty, else two changes."""
    for number in numbers:
        company = number * 7919 % companies
        if number % 40 == 0:
            yield Item(number, duns_of(company), document={"primaryName": f"Name {company} Ltd"})
        else:
            yield two_changes(number, company)


def two_changes(number: int, company: int) -> Item:
    score, employees = (
        (SCORE_DATE, "2026-01-01", str(number)),
        (EMPLOYEES, [{"value": number}], [{"value": number + 1}]),
    )
    return Item(number, duns_of(company), (score, employees))


def a_name(number: int, companies: int) -> Item:
    """The next name of the next company."""
    change, company = divmod(number, companies)
    return Item(number, duns_of(company), ((NAME, f"Company {company}, {change}", f"Company {company}, {change + 1}"),))


def a_large_document(number: int, company: int) -> Item:
    """A document of 5 kB; of two of one company, a tenth of the values differ."""
    values = {f"value{n}": f"{n:03d} {number if n % 10 == 0 else company:09d} {'of D&B ' * 4}" for n in range(96)}
    details = {f"part{n}": {k: v for k, v in values.items() if int(k[5:]) % 8 == n} for n in range(8)}
    return Item(number, duns_of(company), document={"primaryName": f"Company {company} Ltd", **details})


def pages(items: Iterator[Item], size: int = A_PAGE) -> Iterator[list[Item]]:
    while page := list(islice(items, size)):
        yield page


# In the process of a measurement


def stored(items: Sequence[Item], registration: Any, source: str = "pull") -> Any:
    """As D&B's answer that was received and not read yet."""
    from tests.builders.deliveries import a_delivery

    answered_at = stamp(items[-1].delivered_at) if items else None
    return a_delivery(*(item.as_json() for item in items), registration=registration, source=source, at=answered_at)


def read_backlog() -> None:
    """All that waits, as the worker's job reads it."""
    from monitoring.jobs import ingest_received
    from monitoring.pipeline.ingest import waiting_deliveries

    while waiting_deliveries():
        ingest_received()


def let_consumers_catch_up() -> None:
    """By the jobs that the worker runs, until each has read the last publication."""
    from monitoring import jobs
    from monitoring.consumers.membership import gather_all
    from monitoring.follows.consumer import notify_all
    from monitoring.models import ConsumerOffset
    from monitoring.publications.consumers import consumed_by_all
    from monitoring.publications.sequence import newest_publication

    newest, before = newest_publication(), None
    while consumed_by_all() < newest:
        positions = dict(ConsumerOffset.objects.values_list("consumer", "position"))
        if positions == before:
            raise RuntimeError(f"Nothing reads on: one consumer's job is missing here. Positions: {positions}")
        before = positions
        for job in (gather_all, jobs.make_proposals, jobs.alert_published, notify_all, jobs.queue_for_webhooks):
            job()
        jobs.count_days()
        jobs.update_company_figures()
