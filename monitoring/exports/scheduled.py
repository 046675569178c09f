"""Files for systems that import files: written at a time of day into a folder here or on a server; a marker says
that it is complete.

The feed's cursor moves after the marker is written. A process that dies in between leaves the same changes to be
written once more, in a file of its own; each change carries its id.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext

from core.db import clean_text
from core.exports.files import person_named, rows_as, whole_search
from core.exports.writers import WRITERS
from core.json_text import RawJSONRenderer
from core.lists.listings import LISTINGS, Listing, batches
from core.lists.saved_filters import columns_of
from core.models import ExportFormat, SavedFilter
from core.visibility import Scope, common_scope, visible_to
from monitoring.exports.errors import NotDelivered
from monitoring.exports.listings import row_of
from monitoring.feed import feed
from monitoring.feed.parameters import FeedParameters, choice_of
from monitoring.feed.serializers import serialized_entries
from monitoring.models import Change, ExportContent, FileFormat, ScheduledExport
from monitoring.publications.consumers import Follower
from portfolio.companies.parameters import CompanyParameters, companies_chosen
from portfolio.companies.serializers import named_companies
from portfolio.models import Company
from portfolio.visibility import scope_of_unit

logger = logging.getLogger(__name__)
PAGE = 500
AGAIN_AFTER = timedelta(minutes=15)
# How long a process may write before another may begin.
CLAIM = timedelta(hours=1)
EXPORTS = Follower(ScheduledExport, mend=partial(feed.mend_cursors, ScheduledExport))


@dataclass
class Source:
    """The rows of a file, a batch at a time; afterwards `cursor` says where the next file begins."""

    export: ScheduledExport
    cursor: str = ""

    @cached_property
    def scope(self) -> Scope:
        """At the time of writing, also that of the saved filter's owner."""
        saved = self.export.saved_filter
        return common_scope(scope_of_unit(self.export.unit_id), *([person_named(saved.owner)] if saved else []))

    def rows(self) -> Iterator[list[Any]]:
        is_feed = self.export.content == ExportContent.CHANGES
        return self._changes() if is_feed else self._companies()

    def _changes(self) -> Iterator[list[Any]]:
        self.cursor = self.export.cursor
        choice, has_more = choice_of(feed_parameters(self.export)).seen_by(self.scope), True
        while has_more:
            page = feed.read(feed.Cursor.read(self.cursor), PAGE, choice)
            self.cursor, has_more = str(page.next), page.has_more
            if entries := self._taken(page.entries):
                yield entries

    def _taken(self, entries: list[feed.Entry]) -> list[feed.Entry]:
        """Of a page of the feed, what the saved filter's list would show; and what became of such changes."""
        if self.export.saved_filter is None or not entries:
            return entries
        rows = _rows_of(self.export.saved_filter, with_past=True).filter(pk__in={entry.change.pk for entry in entries})
        taken = set(rows.order_by().values_list("pk", flat=True))
        return [entry for entry in entries if entry.change.pk in taken]

    def _companies(self) -> Iterator[list[Any]]:
        self.cursor = self.export.cursor
        saved = self.export.saved_filter
        rows = _rows_of(saved) if saved else companies_chosen(feed_parameters(self.export), Company.objects.all())
        found = whole_search(person_named(saved.owner), saved.listing, saved.query) if saved else None
        listing = replace(LISTINGS["portfolio.company"], found=found)
        yield from batches(visible_to(self.scope, rows).order_by("duns"), listing)

    @property
    def listing(self) -> Listing:
        """What not everybody may see stands in a file only where the saved filter names it."""
        saved, listing = self.export.saved_filter, LISTINGS[listing_of(self.export)]
        named = columns_of(listing.visible_to(person_named(saved.owner)), saved.columns) if saved else ()
        return listing.visible_to(None).of(named)


def listing_of(export: ScheduledExport) -> str:
    model: Any = Change if export.content == ExportContent.CHANGES else Company
    return str(model._meta.label_lower)


def _rows_of(saved: SavedFilter, *, with_past: bool = False) -> QuerySet[Any]:
    """As the list's page would show it to the filter's owner, in the owner's time zone."""
    person = person_named(saved.owner)
    is_searched = whole_search(person, saved.listing, saved.query) is None
    with timezone.override(getattr(person, "timezone", "UTC")):
        return rows_as(person, saved.listing, saved.query, with_past=with_past, is_searched=is_searched)


class ChangeFilters(FeedParameters):
    """A file has no pages."""

    after = None  # type: ignore[assignment]  # removes the field
    limit = None  # type: ignore[assignment]


class CompanyFilters(CompanyParameters):
    """Nor an order of its own, nor a search, which may leave companies out."""

    after = None  # type: ignore[assignment]
    limit = None  # type: ignore[assignment]
    sort = None  # type: ignore[assignment]
    search = None  # type: ignore[assignment]


def feed_parameters(export: ScheduledExport) -> dict[str, Any]:
    """The filters, read as the API reads them; raises DRF's ValidationError."""
    known = ChangeFilters if export.content == ExportContent.CHANGES else CompanyFilters
    return known.read(QueryDict(export.filters))


# When


def next_time(at: time, zone: str, after: datetime) -> datetime:
    """The next time that clocks in the zone show this time of day."""
    local = after.astimezone(ZoneInfo(zone))
    moment = datetime.combine(local.date(), at, ZoneInfo(zone))
    if moment <= local:
        moment = datetime.combine(local.date() + timedelta(days=1), at, ZoneInfo(zone))
    return moment


def plan(export: ScheduledExport) -> None:
    """A new or changed one: its folder and filters are checked, and its next time is set."""
    if not export.server:
        folder_of(export)
    export.cursor = export.cursor or str(feed.latest())
    export.due_at = next_time(export.at, export.zone, timezone.now())


def write_due() -> int:
    """Write the files whose time has come; returns how many."""
    due = ScheduledExport.objects.filter(is_active=True, due_at__lte=timezone.now()).order_by("due_at")
    return sum(write_now(export) for export in list(due))


def write_now(export: ScheduledExport) -> bool:
    """Write one file, unless another process does."""
    as_known = ScheduledExport.objects.filter(pk=export.pk, due_at=export.due_at, ran_at=export.ran_at)
    if not as_known.update(due_at=timezone.now() + CLAIM):
        return False
    try:
        done = _written(export)
    except NotDelivered as error:
        done = _failed(str(error))
    except OSError as error:
        logger.exception("scheduled export %s failed", export)
        done = _failed(_not_written(error))
    except Exception as error:
        # No step of a job (`core.jobs.run_step`): that is begun again where the database is locked, and this is a file.
        logger.exception("scheduled export %s failed", export)
        done = _failed(f"{type(error).__name__}: {error}")
    ScheduledExport.objects.filter(pk=export.pk).update(**done)
    export.refresh_from_db()
    return not export.error


def _failed(reason: str) -> dict[str, Any]:
    now = timezone.now()
    return {"error": clean_text(reason), "failed_at": now, "due_at": now + AGAIN_AFTER}


def _not_written(error: OSError) -> str:
    words = gettext("The file could not be written to %(place)s: %(error)s.")
    return words % {"place": error.filename or settings.EXPORT_FOLDER, "error": error.strerror or error}


def _written(export: ScheduledExport) -> dict[str, Any]:
    now = timezone.now()
    with _folder(export) as folder:
        source, path = Source(export), folder / f"{export.name}_{now:%Y%m%dT%H%M%S%f}Z.{export.format}"
        try:
            count = _write(path, source)
            error = ""
        except feed.Gone:
            source.cursor, count = str(feed.latest()), 0
            error = gettext(
                "A backup was restored, so this file is empty. Export all companies once. "
                "The next file continues normally."
            )
            path.write_bytes(b"")
        marker = _mark_done(path, count, now)
        if export.server:
            from monitoring.exports.sftp import deliver

            deliver(export.server, export.folder, [path, marker])
    return {
        "failed_at": now if error else None,
        "ran_at": now,
        "file_name": path.name,
        "rows": count,
        "cursor": source.cursor,
        "error": error,
        "due_at": next_time(export.at, export.zone, now),
    }


# Where


def base_folder() -> Path:
    return Path(settings.EXPORT_FOLDER).resolve()


def folder_of(export: ScheduledExport) -> Path:
    """Below the folder for exports and nowhere else."""
    base = base_folder()
    folder = (base / export.folder).resolve()
    if not folder.is_relative_to(base) or "\0" in export.folder:
        raise ValidationError(
            {"folder": gettext("The folder must be inside the export folder (EXPORT_FOLDER). Enter a relative path.")}
        )
    return folder


@contextmanager
def _folder(export: ScheduledExport) -> Iterator[Path]:
    """Where it is written; what goes to a server is kept here until it is there."""
    if export.server:
        with TemporaryDirectory(prefix="dnbmon-export-") as temporary:
            yield Path(temporary)
        return
    folder = folder_of(export)
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


# What


def _write(path: Path, source: Source) -> int:
    """Under another name until it is complete, so that nobody takes half of it."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    if source.export.format == FileFormat.JSON_LINES:
        count = _write_lines(part, source)
    else:
        count = WRITERS[ExportFormat(source.export.format)](part, source.listing, _completed(source))
    part.replace(path)
    return count


def _completed(source: Source) -> Iterator[list[Any]]:
    for found in source.rows():
        rows = [row_of(one) if isinstance(one, feed.Entry) else one for one in found]
        source.listing.complete(rows)
        yield rows


def _write_lines(path: Path, source: Source) -> int:
    """Each line as the API would show it, with values as D&B sent them."""
    count = 0
    with path.open("wb") as file:
        for rows in source.rows():
            for item in _as_in_the_api(rows, source.scope):
                file.write(RawJSONRenderer().render(item) + b"\n")
                count += 1
    return count


def _as_in_the_api(rows: list[Any], scope: Scope) -> Iterable[Any]:
    if isinstance(rows[0], feed.Entry):
        return list(serialized_entries(rows, scope))
    return list(named_companies(rows))


def _mark_done(path: Path, count: int, now: datetime) -> Path:
    with path.open("rb") as file:
        digest = sha256()
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    told = {
        "file": path.name,
        "rows": count,
        "bytes": path.stat().st_size,
        "sha256": digest.hexdigest(),
        "written_at": now.isoformat(timespec="milliseconds"),
    }
    marker = path.with_name(f"{path.name}.done")
    part = marker.with_name(f".{marker.name}.part")
    part.write_text(json.dumps(told) + "\n")
    part.replace(marker)
    return marker
