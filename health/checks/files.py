"""Files that D&B delivered: what was refused, what waits for its header, and file servers that do not answer."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.utils.translation import gettext, ngettext

from core.db import clean_text
from core.text import counted, moment_text
from health.checks.context import Look
from health.checks.result import Result
from health.models import State
from monitoring.file_intake.arrivals import complete_files, intake_folder, rows_at
from monitoring.file_intake.headers import HEADERS
from monitoring.models import DeliveredFile, FileServer, FileState

REFUSED_FOR = timedelta(days=7)
COUNTED = 1000
READ_WITHIN = timedelta(minutes=15)
# After its time to wait a file is stored and read, which takes a while for large ones.
OVERDUE = timedelta(hours=3)


def checks_of_files(look: Look) -> Iterator[Result]:
    if look.is_full:
        rows = _open_files()
        yield delivered_files(look, rows)
        yield from filter(None, (_not_read(), _overdue(look, rows)))
        yield from file_servers()


def delivered_files(look: Look, rows: Iterable[DeliveredFile]) -> Result:
    title = gettext("Delivered files")
    if problem := _folder_problem():
        do = gettext("Give the user of the worker write permission for the folder, or set FILE_INTAKE_FOLDER.")
        return Result("files", title, State.WARNING, problem, do=do)
    refused = _refused(look)
    if not refused:
        return Result("files", title, State.OK, _waiting_text(rows), 0)
    sentence = ngettext(
        "%(count)s file of D&B was refused in the last 7 days. %(name)s: %(reason)s",
        "%(count)s files of D&B were refused in the last 7 days. The latest is %(name)s: %(reason)s",
        len(refused),
    ) % {"count": counted(len(refused)), "name": refused[0].name, "reason": refused[0].reason}
    do = gettext("Open “Delivered files”, correct the cause or ask D&B for the file, and add it again.")
    return Result("files", title, State.WARNING, sentence, len(refused), "files", do, is_mark=True)


def _folder_problem() -> str:
    folder = intake_folder()
    if not folder.exists() or os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return ""
    return gettext("The folder %(folder)s is not writable, so imported files cannot be moved.") % {"folder": folder}


def _not_read() -> Result | None:
    """What has lain in the folder for a while and was not taken in."""
    if _folder_problem():
        return None
    all_found = [found for found in complete_files(intake_folder()) if found.age > READ_WITHIN]
    known = rows_at(all_found)
    names = [found.path.name for found in all_found if found not in known]
    if not names:
        return None
    sentence = ngettext(
        "%(count)s file in the folder %(folder)s has not been read for over 15 minutes: %(name)s.",
        "%(count)s files in the folder %(folder)s have not been read for over 15 minutes, such as %(name)s.",
        len(names),
    ) % {"count": counted(len(names)), "folder": intake_folder(), "name": clean_text(names[0], 255)}
    do = gettext("Check that the job “Import delivered files” runs and that the user of the worker may read the files.")
    return Result("files", gettext("Intake folder"), State.WARNING, sentence, do=do, subject="folder")


def _open_files() -> list[DeliveredFile]:
    """By the end of their time to wait."""
    rows = DeliveredFile.objects.filter(state__in=(FileState.WAITING, FileState.PROCESSING)).order_by("wait_until")
    return list(rows.only("name", "kind", "state", "reason", "wait_until")[:COUNTED])


def _overdue(look: Look, rows: Iterable[DeliveredFile]) -> Result | None:
    """What waits although its time is over, or was begun and fails. Headers only wait for their files."""
    late = [row for row in rows if row.wait_until < look.now - OVERDUE and row.kind not in HEADERS]
    found = [row for row in late if row.state == FileState.WAITING or row.reason]
    if not found:
        return None
    sentence = ngettext(
        "%(count)s file of D&B should have been imported hours ago: %(name)s. %(reason)s",
        "%(count)s files of D&B should have been imported hours ago. The oldest is %(name)s. %(reason)s",
        len(found),
    ) % {"count": counted(len(found)), "name": found[0].name, "reason": found[0].reason}
    do = gettext("Open “Delivered files” and correct the cause. The import is tried again every 5 minutes.")
    return Result("files", gettext("Overdue files"), State.WARNING, sentence.strip(), do=do, subject="overdue")


def _refused(look: Look) -> list[DeliveredFile]:
    """Without those that arrived again as they should be."""
    since = look.now - REFUSED_FOR
    rows = DeliveredFile.objects.filter(state=FileState.REFUSED, ended_at__gte=since).order_by("-ended_at")
    found = list(rows.only("name", "reason")[:COUNTED])
    good = DeliveredFile.objects.filter(name__in={row.name for row in found}, state=FileState.IMPORTED)
    replaced = set(good.values_list("name", flat=True)) if found else set()
    return [row for row in found if row.name not in replaced]


def _waiting_text(rows: Iterable[DeliveredFile]) -> str:
    found = [row.wait_until for row in rows if row.state == FileState.WAITING]
    if not found:
        return gettext("No file was refused in the last 7 days.")
    return ngettext(
        "%(count)s file waits for its header or for other files until %(until)s.",
        "%(count)s files wait for their header or for other files until %(until)s.",
        len(found),
    ) % {"count": counted(len(found)), "until": moment_text(found[-1])}


def file_servers() -> Iterator[Result]:
    for server in FileServer.objects.filter(is_source=True).exclude(fetch_error="").order_by("name"):
        title = gettext("File server %(name)s") % {"name": server}
        do = gettext("Open the file server, correct the cause, and test the connection.")
        yield Result("file-servers", title, State.WARNING, server.fetch_error, do=do, subject=str(server.pk))
