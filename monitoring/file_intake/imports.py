"""What has arrived is imported, refused, or waits: each kind of file in its way."""

from __future__ import annotations

from django.utils import timezone

from core.db import in_batches
from direct_plus.delivered_files import UnreadableFile
from monitoring.file_intake.contents import store_contents
from monitoring.file_intake.headers import (
    HEADERS,
    Decision,
    Step,
    decide,
    decide_header,
    header_of,
    wrong_hash,
)
from monitoring.file_intake.lists import import_list
from monitoring.file_intake.originals import Gone, actor_of, content_of, gone_text
from monitoring.file_intake.parts import PartLost, deliver_part, drop_parts, part_keys
from monitoring.file_intake.rows import finish, refuse, save
from monitoring.file_intake.run import Run
from monitoring.models import DeliveredFile, DeliveredKind, Delivery, DeliveryState, FileState
from portfolio.registrations.dnb_list_files import apply_exceptions


def work_on(row: DeliveredFile, run: Run) -> None:
    """As far as it goes for now."""
    try:
        if row.kind in HEADERS:
            _end_header(row)
        elif row.kind == DeliveredKind.EXPORT:
            import_list(row)
        elif row.kind == DeliveredKind.EXCEPTIONS:
            _import_exceptions(row)
        else:
            _import_contents(row, run)
    except UnreadableFile as error:
        drop_parts(row)
        refuse(row, str(error))
    except PartLost:
        save(row, state=FileState.WAITING, parts=0, delivered_parts=0, is_stored=False, records=0, counts="{}")
    except Gone:
        if timezone.now() >= row.wait_until:
            refuse(row, gone_text())


def _end_header(row: DeliveredFile) -> None:
    decision = decide_header(row)
    if decision.step == Step.REFUSE:
        refuse(row, decision.words)
    elif decision.step == Step.IMPORT:
        finish(row, remark=decision.words)


def _import_contents(row: DeliveredFile, run: Run) -> None:
    if row.state == FileState.WAITING:
        if problem := wrong_hash(row, header_of(row)):
            raise UnreadableFile(problem)
        if not row.is_stored:
            with content_of(row) as path:
                if not store_contents(row, path, run.has_time):
                    return
        decision = decide(row)
        if not _may_begin(row, decision):
            return
    _pass_on(row, run)


def _may_begin(row: DeliveredFile, decision: Decision) -> bool:
    if decision.step == Step.REFUSE:
        raise UnreadableFile(decision.words)
    if decision.step == Step.IMPORT:
        save(row, state=FileState.PROCESSING, remark=decision.words)
    return decision.step == Step.IMPORT


def _pass_on(row: DeliveredFile, run: Run) -> None:
    """Each part becomes a delivery and is read; from then on it is read like any other, whoever does it."""
    for number in range(row.delivered_parts, row.parts):
        if not run.has_time():
            return
        delivery = deliver_part(row, number)
        if delivery.state == DeliveryState.RECEIVED:
            run.keep(delivery)
        save(row, delivered_parts=number + 1)
        run.report(row)
    _end_contents(row, run)


def _end_contents(row: DeliveredFile, run: Run) -> None:
    new = unreadable = 0
    is_read = True
    for keys in in_batches(part_keys(row)):
        for delivery in Delivery.objects.filter(pk__in=keys).select_related("registration"):
            is_stopped = bool(delivery.registration.ingest_stopped_reason)
            if delivery.state == DeliveryState.RECEIVED and not is_stopped and run.has_time():
                run.keep(delivery)
                delivery.refresh_from_db()
            is_read &= delivery.state in (DeliveryState.INGESTED, DeliveryState.PUBLISHED)
            new += delivery.new_count or 0
            unreadable += delivery.unreadable_count
    if is_read:
        finish(row, new_count=new, unreadable_count=unreadable)


def _import_exceptions(row: DeliveredFile) -> None:
    assert row.registration is not None
    with content_of(row) as path:
        result = apply_exceptions(row.registration, path, by=actor_of(row))
    finish(row, result=str(result))
