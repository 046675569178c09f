"""A delivered file itself, as it arrived: where it is read from, and in whose name."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.utils.translation import gettext

from core.actors import Actor
from core.blobs import load_bytes
from direct_plus.delivered_files import UnreadableFile
from monitoring.file_intake.arrivals import look_at
from monitoring.file_intake.rows import ACTOR
from monitoring.models import DeliveredFile, FileSource


class Gone(Exception):
    """The file is not where it was, or not what it was."""


def gone_text() -> str:
    return gettext("The file was changed or removed before it was imported. Add it again.")


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
