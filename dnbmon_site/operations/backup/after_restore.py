"""What has to be so after a backup was put back: nothing runs, nothing is sent twice, and nothing stays missing.

The world went on after the backup. D&B gave out notifications that are not here: each registration gets a call in
doubt, from D&B's time in the last answer that is known, and is paused; released, it replays them. People changed what
they request, and D&B's lists with it: syncs stand still until a person has compared. Tokens, leases and sessions
belong to processes that are no more. What the worker runs comes from the program's table, never from the backup.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import note_act
from core.jobs import OrmQ, Task
from core.leases import NOBODYS
from core.models import Blob, Lease
from core.notices import notify
from dnbmon_site.accounts.models import ApiKey, IdempotencyKey
from dnbmon_site.worker.schedules import make_schedules_anew
from health.models import Heartbeat
from monitoring.data_fetch.request import stop_all_fetches
from monitoring.family_tree.refresh import forbid_refreshes
from monitoring.family_tree.request import stop_all_trees
from monitoring.figures import checkpoints
from monitoring.models import Change, Delivery, DeliveryState, Notification, Observation, Publication, Source
from monitoring.replay.after_restore import add_call_in_doubt
from portfolio.companies.word_index import index_all_companies
from portfolio.company_search.search import stop_all_searches
from portfolio.models import (
    AccessToken,
    CompanyWord,
    Contract,
    RateLimitSlot,
    Registration,
    RegistrationState,
    SyncRun,
    SyncState,
)
from portfolio.reference_data.fetch import stop_all_lists
from portfolio.sync.progress import OPEN

# Of processes that are no more.
ENDED: tuple[type[Model], ...] = (AccessToken, RateLimitSlot, Lease, Session, OrmQ, Task, Heartbeat)
UNHEARD = timedelta(days=1)
# A portable backup copies the companies of a data fetch before the data fetch itself.
WRITTEN_WITHIN = timedelta(hours=1)


@dataclass(slots=True)
class Aftermath:
    registrations: list[str] = field(default_factory=list)
    syncs: int = 0
    keys: int = 0


def after_restore(taken_at: datetime, dnb_time: Mapping[str, str], *, by: str, source: str) -> Aftermath:
    """`dnb_time`: what the backup says of D&B's time by registration, where that is known."""
    result = Aftermath(keys=ApiKey.objects.valid().count())
    for model in ENDED:
        model._default_manager.all().delete()
    IdempotencyKey.objects.filter(status=None).delete()
    Delivery.objects.exclude(claimed_until=None).update(claimed_until=None)
    stop_calls(taken_at)
    make_schedules_anew()
    # They were made by the clock of another database.
    checkpoints.remove_all()
    if not CompanyWord.objects.exists():
        # A backup of an earlier version.
        index_all_companies()
    Contract.objects.update(restored_from=taken_at)
    for row in Registration.objects.select_related("contract").order_by("reference"):
        pause(row, taken_at)
        result.syncs += hold_sync(row, taken_at)
        put_in_doubt(row, taken_at, dnb_time.get(str(row.pk)))
        result.registrations.append(row.reference)
    notify_people(result, taken_at, by, source)
    return result


def stop_calls(taken_at: datetime) -> None:
    """What was paid since the backup is not known here, so a person confirms each further call."""
    reason = gettext("A backup was restored. D&B Monitoring has no record of the calls made after the backup.")
    stop_all_fetches(reason, whole_before=taken_at - WRITTEN_WITHIN)
    stop_all_trees(reason)
    forbid_refreshes()
    stop_all_searches(reason)
    stop_all_lists(reason)


def pause(row: Registration, taken_at: datetime) -> None:
    Registration.objects.filter(pk=row.pk).update(
        state=RegistrationState.PAUSED,
        paused_until=None,
        **NOBODYS,
        quota_used_up=False,
        last_error=gettext(
            "Restored from a backup of %(moment)s. Start the registration to replay later notifications."
        )
        % {"moment": said(taken_at)},
    )


def put_in_doubt(row: Registration, taken_at: datetime, heard: str | None) -> None:
    """From the earlier of both: the row may have been copied later than what it should speak for."""
    times = [moment for moment in (row.dnb_time, datetime.fromisoformat(heard) if heard else None) if moment]
    begin = min(times, default=taken_at - UNHEARD) - row.contract.overlap
    add_call_in_doubt(
        row,
        begin,
        gettext("Restored from a backup of %(moment)s. Notifications pulled later are missing until they are replayed.")
        % {"moment": said(taken_at)},
    )


def hold_sync(row: Registration, taken_at: datetime) -> int:
    """Nothing goes to D&B before a person has seen the differences: what is requested here may be long withdrawn."""
    words = gettext(
        "Restored from a backup of %(moment)s, which does not contain later requests and calls. "
        "Compare with D&B's list first, then resume."
    ) % {"moment": said(taken_at)}
    held = SyncRun.objects.filter(registration=row, state__in=OPEN).update(
        state=SyncState.PAUSED, error=words, retry_at=None
    )
    if row.adopted and not held:
        SyncRun.objects.create(
            registration=row, state=SyncState.PAUSED, started_by="restore", started_at=timezone.now(), error=words
        )
    return int(row.adopted or bool(held))


def notify_people(result: Aftermath, taken_at: datetime, by: str, source: str) -> None:
    summary = gettext(
        "Restored from %(source)s, a backup of %(moment)s: %(registrations)s registrations paused with calls in doubt, "
        "%(syncs)s syncs paused"
    ) % {"source": source, "moment": said(taken_at), "registrations": len(result.registrations), "syncs": result.syncs}
    note_act(actor=by, action="restore", what="backup", key=source[:128], summary=summary)
    text = gettext(
        "%(summary)s. Nothing is pulled or sent for a registration until it is started "
        "(docs/operate/backup.md). Call budgets do not count the calls made since the backup: fewer calls "
        "are left at D&B than the budgets show."
    ) % {"summary": summary}
    notify(
        kind="restore",
        subject=gettext("Backup restored"),
        text=text,
        key=f"{source}|{timezone.now().isoformat()}",
    )


def said(moment: datetime) -> str:
    return gettext("%(moment)s UTC") % {"moment": f"{moment:%Y-%m-%d %H:%M}"}


def read_again_what_is_unfinished() -> int:
    """The rows were copied while others wrote: a delivery without its number may lack some of what it brought."""
    last, count = uuid.UUID(int=0), 0
    read = Delivery.objects.filter(state__in=(DeliveryState.INGESTED, DeliveryState.PUBLISHED)).order_by("pk")
    while batch := list(read.filter(pk__gt=last).values_list("pk", flat=True)[:500]):
        last = batch[-1]
        published = set(Publication.objects.filter(delivery__in=batch).values_list("delivery_id", flat=True))
        count += sum(read_again(key) for key in batch if key not in published)
    return count


def read_again(key: uuid.UUID) -> bool:
    if Blob.objects.filter(owner=key).exists():
        fields = {"state": DeliveryState.RECEIVED, "ingested_at": None, "published_at": None, "error": ""}
        return bool(Delivery.objects.filter(pk=key).update(**fields))
    if not any(model._default_manager.filter(delivery=key).exists() for model in (Notification, Change, Observation)):
        # A page of a replay that brought nothing new: its bytes stand with those that brought them first.
        Delivery.objects.filter(pk=key, source=Source.REPLAY).delete()
    return False
