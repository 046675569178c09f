"""D&B's list of a registration, in one file or several: imported together, and complete only where that is known.

Neither names nor contents show how many parts a list has: parts 1 and 2 of 3 look like parts 1 and 2 of 2. So nobody is
marked as gone before a person has confirmed that the list is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.notices import notify
from direct_plus.delivered_files import UnreadableFile, parse_file_name, read_lines
from monitoring.file_intake.arrivals import is_still_arriving
from monitoring.file_intake.originals import Gone, actor_of, content_of, gone_text
from monitoring.file_intake.rows import finish, refuse, save
from monitoring.models import DeliveredFile, DeliveredKind, FileState
from portfolio.models import Registration
from portfolio.registrations.dnb_list_files import (
    DnbList,
    Preview,
    apply_list,
    confirm_list,
    is_first_list,
    preview_confirmation,
    preview_list,
    read_list,
)


class NumberChanged(Exception):
    """Another number of companies would be marked as gone than the person has seen."""


def import_list(row: DeliveredFile) -> None:
    """All its parts at once, when no more have come for a while."""
    assert row.registration is not None
    files = list(_of_list(row))
    waiting = sorted((one for one in files if one.state == FileState.WAITING), key=_number)
    if any(timezone.now() < part.wait_until for part in waiting):
        return
    with ExitStack() as stack:
        paths = {part.pk: path for part in waiting if (path := _readable(part, stack))}
        if not paths:
            return
        listed = read_list(row.registration, list(paths.values()))
    _apply(row, files, [part for part in waiting if part.pk in paths], listed)


def _apply(row: DeliveredFile, files: Sequence[DeliveredFile], parts: Sequence[DeliveredFile], listed: DnbList) -> None:
    assert row.registration is not None
    remark = _why_only_added(row.registration, files, listed)
    brought = next((part for part in parts if part.requester_id), row)
    by, reported_by = actor_of(brought), brought.requester_id
    result = apply_list(row.registration, listed, by=by, is_complete=not remark, reported_by=reported_by)
    if remark and _has_all_parts(files):
        _notify(row, remark)
    for part in parts:
        finish(part, result=str(result), remark=remark)
    # Those imported before too: what they lacked has come, or not.
    _of_list(row).filter(state=FileState.IMPORTED).update(remark=remark)


def _of_list(row: DeliveredFile) -> QuerySet[DeliveredFile]:
    return DeliveredFile.objects.filter(reference=row.reference, kind=row.kind, written_at=row.written_at)


def _has_all_parts(files: Sequence[DeliveredFile]) -> bool:
    """Up to the last that is known of. Files imported before are part of it: who was on them is known to be in since
    the same time."""
    numbers = {_number(file) for file in files if file.state != FileState.REFUSED}
    is_whole = numbers == {_number(file) for file in files} and numbers == set(range(1, len(numbers) + 1))
    return is_whole and not is_still_arriving(files[0])


def _why_only_added(registration: Registration, files: Sequence[DeliveredFile], listed: DnbList) -> str:
    """Nothing where the list has all that was known before: it is complete as far as anybody knows."""
    if not _has_all_parts(files):
        return gettext(
            "Companies were only added: the list is not complete. Add the missing parts, so that companies that are "
            "not on it can be marked as no longer at D&B."
        )
    gone = preview_list(registration, listed).gone
    if not gone and not is_first_list(registration, listed.dnb_time):
        return ""
    return _how_to_confirm(gone)


def _how_to_confirm(gone: int) -> str:
    if not gone:
        return gettext(
            "This is the first list of the registration, and D&B does not state how many parts a list has. If all have "
            "arrived, choose “Confirm complete list” on the page of this file."
        )
    text = gettext(
        "Companies were only added. Monitored before, but not on this list: %(companies)s. D&B does not state how many "
        "parts a list has. If all have arrived, choose “Confirm complete list” on the page of this file."
    )
    return text % {"companies": plurals.companies(gone)}


def _notify(row: DeliveredFile, remark: str) -> None:
    """Once for each list."""
    notify(
        kind="list",
        subject=gettext("%(registration)s: confirm D&B's list") % {"registration": row.reference},
        text=f"{row.name}: {remark}",
        url=reverse("admin:monitoring_deliveredfile_change", args=[row.pk]),
        key=f"{row.registration_id}|{row.written_at.isoformat()}",
    )


def preview_of(row: DeliveredFile, *, shown: int = 20) -> Preview | None:
    """What confirming that the list is complete would do; None where there is nothing to confirm."""
    if row.kind != DeliveredKind.EXPORT or row.state != FileState.IMPORTED or not row.remark:
        return None
    files = list(_of_list(row))
    if row.registration is None or not _has_all_parts(files) or any(not one.is_over for one in files):
        return None
    return preview_confirmation(row.registration, _time_of(files), shown=shown)


def _time_of(files: Sequence[DeliveredFile]) -> datetime:
    """Not later than what was applied of it: a clock of D&B's may be ahead."""
    imported = [file.arrived_at for file in files if file.state == FileState.IMPORTED]
    return min(files[0].written_at, *imported)


def confirm_complete(row: DeliveredFile, gone: int, *, by: Actor) -> str:
    """Who is not on the list is gone; `gone` is the number that the person has seen. Raises NumberChanged."""
    preview = preview_of(row)
    if preview is None or preview.gone != gone:
        raise NumberChanged(
            gettext("The list was confirmed before, or has changed since you opened the page. Check the number again.")
        )
    assert row.registration is not None
    files = list(_of_list(row).filter(state=FileState.IMPORTED).order_by("id"))
    names = ", ".join(file.name for file in files)
    words = confirm_list(row.registration, _time_of(files), name=names, by=by)
    for file in files:
        save(file, remark="", result=f"{file.result}; {words}")
    return words


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
