"""How long things are kept: D&B's answers, and the history read from them. Unless set: for ever.

What is gone cannot be had again, so this is slow and careful: answers stay at least 30 days and go only when they were
read; history goes a company at a time, after a snapshot stands for it (condensing.py), and the feed loses its oldest
entries when everybody here has read them. A run ends after its time and goes on where it stopped.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, Q
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.ids import make_uuid
from core.models import Blob
from monitoring.history import checkpoints
from monitoring.history.state import SNAPSHOT
from monitoring.models import Delivery, DeliveryState, Notification, Publication, Source
from monitoring.publications.consumers import consumed_by_all
from monitoring.retention.compaction import Cut, condense
from monitoring.retention.family_trees import drop_pages, drop_trees
from portfolio.models import Company, Contract, Registration

LEAST_DAYS = 30
# History is cut in steps: each costs a look at every company.
STEP = timedelta(days=7)
AT_ONCE = 200
OVER = (DeliveryState.PUBLISHED, DeliveryState.RECOVERED, DeliveryState.REFUSED, DeliveryState.DISCARDED)
A_MINUTE = timedelta(seconds=55)


@dataclass(slots=True)
class Removed:
    answers: int = 0
    rows: int = 0
    publications: int = 0


def apply_retention() -> str:
    """What the job does for every contract; says what went."""
    until = timezone.now() + A_MINUTE
    removed = Removed()
    for contract in Contract.objects.order_by("name"):
        retain(contract, removed, until=until)
    return (
        f"{removed.answers:,} responses, {removed.rows:,} rows and {removed.publications:,} event feed entries removed"
    )


def retain(contract: Contract, removed: Removed, *, until: datetime) -> None:
    if contract.keep_bytes:
        drop_answers(contract, removed, until)
        removed.answers += drop_pages(contract.pk, days_ago(contract.keep_bytes))
    if contract.keep_history:
        removed.rows += drop_trees(contract.pk, days_ago(contract.keep_history))
    if contract.keep_history or contract.history_cut:
        cut_history(contract, removed, until)


def days_ago(days: int) -> datetime:
    return midnight(timezone.now() - timedelta(days=max(days, LEAST_DAYS)))


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def registrations_of(contract: Contract) -> dict[uuid.UUID, Registration]:
    return {row.pk: row for row in Registration.objects.filter(contract=contract)}


def drop_answers(contract: Contract, removed: Removed, until: datetime) -> None:
    """Bytes of deliveries that are over; what waits to be read or recovered keeps its own however old it is."""
    cut = days_ago(contract.keep_bytes or LEAST_DAYS)
    last = first_key(contract.bytes_kept_from) if contract.bytes_kept_from else uuid.UUID(int=0)
    registrations = list(registrations_of(contract))
    rows = Delivery.objects.filter(registration__in=registrations, state__in=OVER, pk__lt=first_key(cut))
    while batch := list(rows.filter(pk__gte=last).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        removed.answers += Blob.objects.filter(owner__in=batch, part=0).count()
        Blob.objects.filter(owner__in=batch).delete()
        last = uuid.UUID(int=batch[-1].int + 1)
        if timezone.now() >= until:
            return
    Contract.objects.filter(pk=contract.pk).update(bytes_kept_from=cut)


def first_key(moment: datetime) -> uuid.UUID:
    """The smallest key of a delivery made at that time or later."""
    return make_uuid(0, int(moment.timestamp() * 1000), 0)


def cut_history(contract: Contract, removed: Removed, until: datetime) -> None:
    at = contract.history_cut or next_cut(contract)
    if at is None:
        return
    Contract.objects.filter(pk=contract.pk, history_cut=None).update(history_cut=at, history_position="")
    registrations = registrations_of(contract)
    cut = Cut(at, registrations, {key: snapshot_delivery(row, at) for key, row in registrations.items()})
    companies = Company.objects.filter(pk__gt=contract.history_position).order_by("pk").values_list("pk", flat=True)
    # All of them first: what is written behind an open read is refused by SQLite when others write.
    for duns in list(companies):
        removed.rows += condense(duns, cut)
        if timezone.now() >= until:
            Contract.objects.filter(pk=contract.pk).update(history_position=duns)
            return
    # Also of companies with which a killed run had come to an end.
    checkpoints.forget_all()
    removed.publications += drop_publications(at)
    Contract.objects.filter(pk=contract.pk).update(history_kept_from=at, history_cut=None, history_position="")
    summary = gettext("History of contract %(contract)s before %(day)s replaced by snapshots")
    summary %= {"contract": contract, "day": f"{at:%Y-%m-%d}"}
    record(actor="retention", action="retention", thing=contract, summary=summary)


def next_cut(contract: Contract) -> datetime | None:
    at = days_ago(max(contract.keep_history or LEAST_DAYS, contract.keep_bytes or LEAST_DAYS))
    done = contract.history_kept_from
    return at if done is None or at - done >= STEP else None


def snapshot_delivery(row: Registration, at: datetime) -> Delivery:
    """What the snapshots of a registration came by; it has no bytes, and a rebuild leaves them alone."""
    key = uuid.uuid5(row.pk, f"snapshot {at.isoformat()}")
    fields = {"registration": row, "source": Source.SNAPSHOT, "state": DeliveryState.PUBLISHED, "received_at": at}
    return Delivery.objects.get_or_create(pk=key, defaults=fields)[0]


def drop_publications(at: datetime) -> int:
    """The oldest of the feed, as far as our own consumers have read; never the last, whose number must not return."""
    newest = Publication.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    first_kept = Publication.objects.filter(published_at__gte=at).aggregate(first=Min("sequence"))["first"]
    end = min(consumed_by_all(), newest - 1, (first_kept or newest) - 1)
    gone = Publication.objects.filter(sequence__lte=end)
    count = gone.count()
    gone.delete()
    return count


def what_remains(contract: Contract) -> list[str]:
    """What a rebuild and a look back can still answer, in words."""
    told = []
    if contract.bytes_kept_from:
        text = gettext("Responses from D&B are kept from %(day)s. A rebuild leaves earlier data unchanged.")
        told.append(text % {"day": f"{contract.bytes_kept_from:%Y-%m-%d}"})
    if contract.history_kept_from:
        text = gettext("Company history is kept from %(day)s. Of earlier events, only the latest of each type remains.")
        told.append(text % {"day": f"{contract.history_kept_from:%Y-%m-%d}"})
    return told


def note_for(moment: datetime | None) -> str:
    """What has to be said to who looks back to that moment."""
    if moment is None:
        return ""
    cut = Contract.objects.filter(Q(history_kept_from__gt=moment) | Q(history_cut__gt=moment))
    kept = max((day for row in cut for day in (row.history_kept_from, row.history_cut) if day), default=None)
    if kept is None:
        return ""
    text = gettext("History is kept from %(day)s. This earlier state is incomplete.")
    return text % {"day": f"{kept:%Y-%m-%d}"}


def note_for_company(duns: str, moment: datetime | None) -> str:
    """The same of one company, of which history may be whole all the same: only a snapshot shows that some went."""
    if moment is None:
        return ""
    snapshots = Notification.objects.filter(company=duns, type=SNAPSHOT, delivered_at__gt=moment)
    return note_for(moment) if snapshots.exists() else ""
