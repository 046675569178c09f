"""What became of a file, in words; and the file put aside, with that beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext, ngettext

from core.text import counted, moment_text
from monitoring.file_intake.arrivals import DONE, REFUSED, Found, look_at
from monitoring.file_intake.contents import UNREADABLE
from monitoring.file_intake.headers import HEADER_OF, HEADERS
from monitoring.models import DeliveredFile, FileState

REPORT = ".report.txt"


def report_text(row: DeliveredFile) -> str:
    return "\n".join(f"{name}: {words}" for name, words in report_lines(row)) + "\n"


def report_lines(row: DeliveredFile) -> Iterator[tuple[str, str]]:
    yield gettext("File"), row.name
    yield "SHA-256", row.sha256
    yield gettext("Registration"), row.reference or "–"
    yield gettext("Result"), str(FileState(row.state).label)
    if row.state == FileState.REFUSED:
        yield gettext("Reason"), row.reason
    elif row.kind in HEADER_OF:
        yield gettext("Records"), records_text(row)
        yield gettext("By type"), by_type_text(row) or "–"
    elif row.kind in HEADERS:
        yield gettext("Listed files"), counted(len(row.contents_listed["files"]))
    elif row.result:
        yield gettext("Changes"), row.result
    if row.remark:
        yield gettext("Remark"), row.remark
    if row.repeats:
        yield gettext("Received again"), again_text(row)
    if row.ended_at:
        yield gettext("Date"), moment_text(row.ended_at)


def records_text(row: DeliveredFile) -> str:
    words = ngettext("%(count)s record", "%(count)s records", row.records) % {"count": counted(row.records)}
    if row.state == FileState.IMPORTED:
        words += gettext(", %(new)s new") % {"new": counted(row.new_count)}
    if row.unreadable_count:
        words += gettext(", %(count)s not parsed") % {"count": counted(row.unreadable_count)}
    return words


def by_type_text(row: DeliveredFile) -> str:
    names = {UNREADABLE: gettext("unreadable"), "": gettext("without type")}
    counts = sorted(row.counts_by_type.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{names.get(kind, kind)} {counted(count)}" for kind, count in counts)


def again_text(row: DeliveredFile) -> str:
    text = ngettext(
        "The same file was imported before. It arrived %(count)s more time, and nothing was changed.",
        "The same file was imported before. It arrived %(count)s more times, and nothing was changed.",
        row.repeats,
    )
    return text % {"count": counted(row.repeats)}


def put_aside(row: DeliveredFile, found: Found) -> None:
    """From the folder it was found in to one beside it. The report comes first: whoever sees the file finds it."""
    path = found.path
    if look_at(path) != found:
        return  # another file has come under its name
    folder = path.parent / (DONE if row.state == FileState.IMPORTED else REFUSED)
    folder.mkdir(exist_ok=True)
    if folder.is_symlink():
        raise NotADirectoryError(f"{folder} is a link; files are only moved to a folder of the same place")
    target = folder / path.name
    if target.exists() or target.is_symlink():
        target = folder / f"{path.stem}-{row.sha256[:8]}{path.suffix}"
    _write(target.with_name(f"{target.name}{REPORT}"), report_text(row))
    path.replace(target)


def _write(path: Path, text: str) -> None:
    """Never through a link that somebody left under the name."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    part.replace(path)
