"""What has arrived is imported, refused, or waits: each kind of file in its way."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.blobs import load_bytes
from core.db import in_batches
from direct_plus.delivered_files import UnreadableFile, parse_file_name, read_lines
from monitoring.file_intake.arrivals import is_still_arriving, look_at
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
from monitoring.file_intake.parts import PartLost, deliver_part, drop_parts, part_keys
from monitoring.file_intake.rows import ACTOR, finish, refuse, save
from monitoring.file_intake.run import Run
from monitoring.models import DeliveredFile, DeliveredKind, Delivery, DeliveryState, FileSource, FileState
from portfolio.models import Registration
from portfolio.registrations.dnb_list_files import (
    DnbList,
    apply_exceptions,
    apply_list,
    preview_list,
    read_list,
)


class Gone(Exception):
    """The file is not where it was, or not what it was."""


def work_on(row: DeliveredFile, run: Run) -> None:
    """As far as it goes for now."""
    try:
        if row.kind in HEADERS:
            _end_header(row)
        elif row.kind == DeliveredKind.EXPORT:
            _import_export(row)
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


def gone_text() -> str:
    return gettext("The file was changed or removed before it was imported. Add it again.")


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


def _import_export(row: DeliveredFile) -> None:
    """All its parts at once, when no more have come for a while."""
    assert row.registration is not None
    files = list(DeliveredFile.objects.filter(reference=row.reference, kind=row.kind, written_at=row.written_at))
    waiting = sorted((one for one in files if one.state == FileState.WAITING), key=_number)
    if any(timezone.now() < part.wait_until for part in waiting):
        return
    with ExitStack() as stack:
        paths = {part.pk: path for part in waiting if (path := _readable(part, stack))}
        if not paths:
            return
        listed = read_list(row.registration, list(paths.values()))
    parts = [part for part in waiting if part.pk in paths]
    remark = _why_only_added(row.registration, files, listed)
    brought = next((part for part in parts if part.requester_id), row)
    by, reported_by = actor_of(brought), brought.requester_id
    result = apply_list(row.registration, listed, by=by, is_complete=not remark, reported_by=reported_by)
    for part in parts:
        finish(part, result=str(result), remark=remark)


def _why_only_added(registration: Registration, files: Sequence[DeliveredFile], listed: DnbList) -> str:
    """Why a list says nothing of those who are not on it; nothing where it does. Files imported before are part of it:
    who was on them is known to be in since the same time."""
    numbers = {_number(file) for file in files if file.state != FileState.REFUSED}
    is_whole = numbers == {_number(file) for file in files} and numbers == set(range(1, len(numbers) + 1))
    if not is_whole or is_still_arriving(files[0]):
        return gettext(
            "Companies were only added: the list is not complete. Add the missing parts, so that companies that are "
            "not on it are marked as no longer at D&B."
        )
    # Nothing shows whether there is a part 2.
    gone = preview_list(registration, listed).gone if numbers == {1} else 0
    if not gone:
        return ""
    text = gettext(
        "Companies were only added. Monitored before, but not on this list: %(companies)s. Other parts of the list may "
        "be missing. If it is complete, upload the file on the page “Adopt D&B's list” of the registration and select "
        "“Yes, complete”, or run “manage.py reconcile” with --complete."
    )
    return text % {"companies": plurals.companies(gone)}


def _readable(row: DeliveredFile, stack: ExitStack) -> Path | None:
    """Where it is for as long as the stack is open; None, and refused, where it cannot be read to its end."""
    try:
        path = stack.enter_context(content_of(row))
        for _ in read_lines(path):
            pass
    except (UnreadableFile, Gone) as error:
        refuse(row, gone_text() if isinstance(error, Gone) else str(error))
        return None
    return path


def _number(row: DeliveredFile) -> int:
    name = parse_file_name(row.name)
    return (name and name.number) or 1


def actor_of(row: DeliveredFile) -> str:
    if row.requester_id and row.source != FileSource.SERVER:
        return Actor(row.requested_by, row.requester_id)
    return row.requested_by or ACTOR


@contextmanager
def content_of(row: DeliveredFile) -> Iterator[Path]:
    """The file, under its own name; raises Gone."""
    if row.source not in (FileSource.UPLOAD, FileSource.API):
        yield _unchanged(row)
        return
    content = load_bytes(row.pk)
    if len(content) != row.size:
        raise Gone
    with tempfile.TemporaryDirectory(prefix="dnbmon-file-") as folder:
        path = Path(folder) / row.name
        path.write_bytes(content)
        yield path


def _unchanged(row: DeliveredFile) -> Path:
    path = Path(row.place)
    try:
        found = look_at(path)
    except UnreadableFile:
        raise Gone from None
    if found.is_link or (found.size, found.changed_ns) != (row.size, row.changed_ns):
        raise Gone
    return path
