"""Headers: what a set's header says about its files, before they come, after, or never."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from django.utils import timezone
from django.utils.translation import gettext

from core.db import clean_text
from core.text import counted
from direct_plus.delivered_files import FileHeader
from monitoring.file_intake.contents import UNREADABLE
from monitoring.file_intake.rows import refuse
from monitoring.models import DeliveredFile, DeliveredKind, FileState

HEADER_OF = {
    DeliveredKind.SEED: DeliveredKind.SEED_HEADER,
    DeliveredKind.NOTIFICATION: DeliveredKind.NOTIFICATION_HEADER,
}
HEADERS = frozenset(HEADER_OF.values())
# A header is written with its files.
WRITTEN_WITHIN = timedelta(days=3)
SHA256_DIGITS = 64


class Step(Enum):
    IMPORT = auto()
    WAIT = auto()
    REFUSE = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    step: Step
    words: str = ""


def listed_text(header: FileHeader) -> str:
    """What is kept of a header. What does not look like a SHA-256 is none, and is compared with nothing."""
    files = [
        (clean_text(one.name, 300), one.sha256 if one.sha256 and len(one.sha256) == SHA256_DIGITS else "")
        for one in header.files
    ]
    return json.dumps({"files": files, "total": header.total, "counts": header.counts})


def header_of(row: DeliveredFile) -> DeliveredFile | None:
    """The header that lists the file; the latest, and one that was not refused, if there are several."""
    kind = HEADER_OF[DeliveredKind(row.kind)]
    around = (row.written_at - WRITTEN_WITHIN, row.written_at + WRITTEN_WITHIN)
    rows = DeliveredFile.objects.filter(reference=row.reference, kind=kind, written_at__range=around)
    listing = [one for one in rows.exclude(listed="").order_by("-arrived_at") if row.name in _hashes(one)]
    return next((one for one in listing if one.state != FileState.REFUSED), listing[0] if listing else None)


def wrong_hash(row: DeliveredFile, header: DeliveredFile | None) -> str:
    expected = _hashes(header).get(row.name, "") if header else ""
    if expected in ("", row.sha256):
        return ""
    text = gettext("The file does not match the hash in its header %(header)s. Download it again.")
    return text % {"header": header}


def decide(row: DeliveredFile) -> Decision:
    """Whether a stored file may be imported."""
    header, is_late = header_of(row), timezone.now() >= row.wait_until
    if header is None:
        words = gettext("No header arrived, so the file's hash and the number of its records were not checked.")
        return Decision(Step.IMPORT, words) if is_late else Decision(Step.WAIT)
    if problem := wrong_hash(row, header):
        return Decision(Step.REFUSE, problem)
    there, missing = _set_of(header)
    is_complete = not missing and all(map(_is_read, there))
    if header.state == FileState.WAITING and is_complete and (problem := wrong_counts(header, there)):
        refuse(header, problem)
    if header.state == FileState.REFUSED:
        return Decision(Step.REFUSE, header.reason)
    if is_complete:
        return Decision(Step.IMPORT)
    # What failed when it was read last may never be read.
    missing += [one.name for one in there if not _is_read(one) and one.reason]
    return Decision(Step.IMPORT, _missing_text(header, missing)) if missing and is_late else Decision(Step.WAIT)


def decide_header(header: DeliveredFile) -> Decision:
    """A header has done its work when its files are imported, or do not come."""
    there, missing = _set_of(header)
    if others := _with_other_content(header, missing):
        text = gettext(
            "Imported before, with content that differs from the header: %(files)s. Ask D&B for the complete set."
        )
        return Decision(Step.REFUSE, text % {"files": ", ".join(others)})
    if not missing and there and all(one.state == FileState.IMPORTED for one in there):
        problem = wrong_counts(header, there)
        return Decision(Step.REFUSE, problem) if problem else Decision(Step.IMPORT)
    if timezone.now() < header.wait_until or any(not one.is_over for one in there):
        return Decision(Step.WAIT)
    words = (
        _missing_text(header, missing)
        if missing
        else gettext("The header file lists no data files. Ask D&B for the complete set.")
    )
    return Decision(Step.IMPORT, words)


def wrong_counts(header: DeliveredFile, rows: Iterable[DeliveredFile]) -> str:
    """How the header's numbers differ from those of its files; nothing where they agree."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(row.counts_by_type)
    listed, total = header.contents_listed, sum(counts.values())
    if listed["total"] is not None and listed["total"] != total:
        text = gettext(
            "The header %(header)s lists %(listed)s records, but its files contain %(found)s. "
            "Ask D&B for the complete set."
        )
        return text % {"header": header, "listed": counted(listed["total"]), "found": counted(total)}
    if counts[UNREADABLE]:
        return ""  # nobody knows of which type they are
    for kind, number in listed["counts"].items():
        if counts[kind] != number:
            text = gettext(
                "The header %(header)s lists %(listed)s records of type %(type)s, but its files contain %(found)s. "
                "Ask D&B for the complete set."
            )
            words = {"header": header, "listed": counted(number), "type": kind, "found": counted(counts[kind])}
            return text % words
    return ""


def _hashes(header: DeliveredFile) -> dict[str, str]:
    return dict(header.contents_listed["files"])


def _set_of(header: DeliveredFile) -> tuple[list[DeliveredFile], list[str]]:
    """The listed files that are there with the right content, and the names of the others."""
    hashes = _hashes(header)
    rows = DeliveredFile.objects.filter(name__in=list(hashes)).exclude(state=FileState.REFUSED)
    there = {row.name: row for row in rows if hashes[row.name] in ("", row.sha256)}
    return list(there.values()), [name for name in hashes if name not in there]


def _with_other_content(header: DeliveredFile, missing: list[str]) -> list[str]:
    rows = DeliveredFile.objects.filter(name__in=missing, state=FileState.IMPORTED)
    return sorted(set(rows.values_list("name", flat=True)))


def _is_read(row: DeliveredFile) -> bool:
    return row.is_stored or row.state == FileState.IMPORTED


def _missing_text(header: DeliveredFile, missing: list[str]) -> str:
    text = gettext(
        "%(count)s of the files that %(header)s lists did not arrive or cannot be read, so the number of records was "
        "not checked."
    )
    return text % {"count": counted(len(missing)), "header": header}
