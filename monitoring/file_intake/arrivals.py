"""Files as they arrive: which of a folder's are complete, whose they are, and which arrived before."""

from __future__ import annotations

import hashlib
import os
import stat
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from core.actors import Actor
from core.audit import record
from core.blobs import delete_bytes, store_bytes
from core.db import clean_text, insert_new
from direct_plus.delivered_files import (
    FileHeader,
    FileName,
    UnreadableFile,
    parse_file_name,
    read_header,
    read_header_file,
    sha256_of,
)
from monitoring.file_intake.headers import HEADER_OF, HEADERS, listed_text
from monitoring.file_intake.parts import drop_parts
from monitoring.file_intake.rows import note_refusal, save
from monitoring.models import DeliveredFile, DeliveredKind, FileSource, FileState
from portfolio.models import Registration

# A file is complete when nobody has written to it for so long.
QUIET = timedelta(minutes=1)
# One that breaks off may be sent further after a pause.
QUIET_WHEN_INCOMPLETE = timedelta(minutes=15)
# Names under which programs write until a file is complete.
IN_PROGRESS = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".swp", ".lock")
# A set waits for its header, and a header for its set; parts of an export have no header that counts them, so that they
# wait longer than one that breaks off is left alone, and until the next run.
HEADER_WAIT, EXPORT_WAIT = timedelta(hours=1), QUIET_WHEN_INCOMPLETE + timedelta(minutes=10)
LONGEST_NAME = 255
# They say which companies D&B monitors.
LISTS = (DeliveredKind.EXCEPTIONS, DeliveredKind.EXPORT)
# Folders for files that have come to their end.
DONE, REFUSED = PUT_ASIDE = ("done", "refused")


class NotPermitted(Exception):
    """The file changes what only others may change."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file in a folder, as it was when it was looked at."""

    path: Path
    size: int
    modified_ns: int
    # By the file system's own clock: also where a program sets the time of a file, or moves a file here.
    changed_ns: int
    is_link: bool = False

    @property
    def place(self) -> str:
        """The path as it can be stored."""
        return clean_text(str(self.path), 4000)

    @property
    def age(self) -> timedelta:
        """Since it was put or changed there; below zero where the clock was set back."""
        return timedelta(microseconds=(time.time_ns() - self.changed_ns) // 1000)


def intake_folder() -> Path:
    return Path(settings.FILE_INTAKE_FOLDER).resolve()


def complete_files(folder: Path) -> list[Found]:
    """Those that nobody is still writing, by name."""
    if not folder.is_dir():
        return []
    found = [_look_at(Path(entry.path)) for entry in os.scandir(folder)]
    return sorted((one for one in found if one and _is_complete(one)), key=lambda one: one.path.name)


def rows_at(all_found: Sequence[Found]) -> dict[Found, DeliveredFile]:
    """The row of each file that is known to lie there."""
    names = [clean_text(found.path.name, LONGEST_NAME) for found in all_found]
    rows = {(row.place, row.size, row.changed_ns): row for row in DeliveredFile.objects.filter(name__in=names)}
    places = ((found, (found.place, found.size, found.changed_ns)) for found in all_found)
    return {found: rows[place] for found, place in places if place in rows}


def is_still_arriving(row: DeliveredFile) -> bool:
    """Whether a file of the same export lies in the folder that is not read yet: it is cut, or still written."""
    folder, begin = intake_folder(), f"{row.reference}_{row.written_at:%Y%m%d%H%M%S}_DunsExport".lower()
    entries = os.scandir(folder) if folder.is_dir() else ()
    of_set = [_look_at(Path(one.path)) for one in entries if one.name.lstrip(".").lower().startswith(begin)]
    all_found = [found for found in of_set if found]
    return len(rows_at(all_found)) < len(all_found)


def look_at(path: Path) -> Found:
    """A file that somebody names: it is complete."""
    found = _look_at(path)
    if found is None:
        raise UnreadableFile(gettext("%(name)s is not a file.") % {"name": path.name})
    return found


def _look_at(path: Path) -> Found | None:
    try:
        state = path.lstat()
    except FileNotFoundError:
        return None
    is_link = stat.S_ISLNK(state.st_mode)
    if not is_link and not stat.S_ISREG(state.st_mode):
        return None
    return Found(path, state.st_size, state.st_mtime_ns, state.st_ctime_ns, is_link)


def _is_complete(found: Found) -> bool:
    name = found.path.name.lower()
    if name.startswith(".") or name.endswith(IN_PROGRESS) or name in PUT_ASIDE:
        return False
    if timedelta() <= found.age < QUIET:
        return False
    is_cut = name.endswith(".zip") and not found.is_link and not is_zipfile(found.path)
    return not is_cut or not timedelta() <= found.age < QUIET_WHEN_INCOMPLETE


def arrive(found: Found, *, source: FileSource, by: str = "", requester_id: uuid.UUID | None = None) -> DeliveredFile:
    """The row of a file in a folder. Its content is what it was when it was looked at, or it is another file.

    `requester_id` is the person who vouches for what it says, where there is one.
    """
    path = found.path
    digest = _digest_of_link(path) if found.is_link else sha256_of(path)
    row = _row(path.name, digest, found.size, found.modified_ns, source=source, by=by)
    row.place, row.changed_ns, row.requester_id = found.place, found.changed_ns, requester_id
    if found.is_link:
        row.state = FileState.REFUSED
        row.reason = gettext("The folder contains a link to this file. Put the file itself into the folder.")
    elif row.kind in HEADERS and row.state != FileState.REFUSED:
        _read_header(row, lambda: read_header_file(path))
    return _known(row)


def _digest_of_link(path: Path) -> str:
    """Where it leads is not looked at."""
    return hashlib.sha256(b"link " + os.fsencode(os.readlink(path))).hexdigest()


def upload_file(
    *, name: str, content: bytes, source: FileSource, requested_by: Actor, may_change_lists: bool
) -> DeliveredFile:
    """Store a file that somebody uploads; a worker imports it. Raises NotPermitted."""
    digest = hashlib.sha256(content).hexdigest()
    row = _row(Path(name).name, digest, len(content), 0, source=source, by=requested_by)
    if row.kind in LISTS and not may_change_lists:
        text = gettext("%(name)s was not uploaded: you have no permission to change monitored companies.")
        raise NotPermitted(text % {"name": row})
    row.requester_id = requested_by.id
    if row.kind in HEADERS and row.state != FileState.REFUSED:
        _read_header(row, lambda: read_header(content))
    store_bytes(row.pk, content)
    row = _known(row)
    if row.is_over:
        delete_bytes(row.pk)
    summary = gettext("Delivered file %(name)s uploaded") % {"name": row}
    record(actor=requested_by, action="delivered file.upload", thing=row, summary=summary)
    return row


def _read_header(row: DeliveredFile, read: Callable[[], FileHeader]) -> None:
    try:
        header = read()
    except UnreadableFile as error:
        row.state, row.reason = FileState.REFUSED, clean_text(str(error))
        return
    if header.reference not in (None, row.reference):
        text = gettext("The header file is for the registration %(reference)s, but its file name states another.")
        row.state, row.reason = FileState.REFUSED, text % {"reference": clean_text(str(header.reference), 200)}
        return
    row.listed = listed_text(header)


def _row(name: str, digest: str, size: int, modified_ns: int, *, source: FileSource, by: str) -> DeliveredFile:
    now, shown = timezone.now(), clean_text(name, LONGEST_NAME)
    known = parse_file_name(name) if len(name) <= LONGEST_NAME else None
    written_at = known.written_at if known else _moment(modified_ns) or now
    kind = DeliveredKind(known.kind.value) if known else DeliveredKind.OTHER
    row = DeliveredFile(
        id=DeliveredFile.key(shown, digest, written_at),
        name=shown,
        sha256=digest,
        size=size,
        kind=kind,
        reference=known.reference[:200] if known else "",
        written_at=written_at,
        source=source,
        requested_by=by,
        arrived_at=now,
        wait_until=now if source == FileSource.COMMAND else now + _wait(kind),
    )
    _find_registration(row, known)
    return row


def _moment(modified_ns: int) -> datetime | None:
    """None where no program can have set it so: file systems keep times far outside the calendar."""
    try:
        return datetime.fromtimestamp(modified_ns // 1_000_000 / 1000, tz=UTC) if modified_ns > 0 else None
    except (OverflowError, OSError, ValueError):
        return None


def _wait(kind: DeliveredKind) -> timedelta:
    if kind in HEADERS or kind in HEADER_OF:
        return HEADER_WAIT
    return EXPORT_WAIT if kind == DeliveredKind.EXPORT else timedelta()


def _find_registration(row: DeliveredFile, name: FileName | None) -> None:
    """Whose it is, or why it is refused."""
    rows = list(Registration.objects.filter(reference=name.reference)[:2]) if name else []
    if len(rows) == 1:
        row.registration = rows[0]
        return
    row.state = FileState.REFUSED
    if name is None:
        row.reason = gettext(
            "This is not the name of a file from D&B. Restore the name that D&B gave it, such as "
            "ACME_20260105080000_NOTIFICATION_1.zip."
        )
    elif rows:
        row.reason = gettext("Several contracts have a registration %(reference)s, so the file was not imported.")
    else:
        row.reason = gettext(
            "The registration %(reference)s is not known here. Check that the file is yours. New registrations are "
            "found within an hour; add the file again afterwards."
        )
    row.reason %= {"reference": name.reference[:200] if name else ""}


def _known(row: DeliveredFile) -> DeliveredFile:
    """Insert it, unless the same arrived before: what was refused is tried again, what was imported is noted."""
    if row.state == FileState.REFUSED:
        row.ended_at = row.arrived_at
    if insert_new(DeliveredFile, [row]):
        if row.is_over:
            note_refusal(row)
        return row
    before = DeliveredFile.objects.select_related("registration").get(pk=row.pk)
    if before.state == FileState.REFUSED:
        _begin_again(before, row)
    elif before.state == FileState.IMPORTED:
        save(before, repeats=before.repeats + 1, place=row.place, changed_ns=row.changed_ns)
    elif not (before.place and Path(before.place).exists()):
        save(before, place=row.place, changed_ns=row.changed_ns, source=row.source)
    return before


def _begin_again(before: DeliveredFile, row: DeliveredFile) -> None:
    if before.registration_id:
        drop_parts(before)
    kept = {"id", "repeats"}
    fields: dict[str, Any] = {
        field.attname: getattr(row, field.attname)
        for field in DeliveredFile._meta.concrete_fields
        if field.attname not in kept
    }
    save(before, **fields)
    before.registration = row.registration
