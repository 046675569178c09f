"""Exports as files that are kept: small ones at once, large ones by a job; both read the list as its page does."""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone, translation
from django.utils.translation import gettext

from core import plurals
from core.audit import record
from core.blobs import PART_SIZE, delete_bytes, load_bytes, store_bytes
from core.db import clean_text
from core.exports.writers import write_file
from core.leases import NOBODYS, Hold, HoldLost, releasing
from core.lists.listings import LISTINGS, Listing
from core.lists.saved_filters import COLUMNS, columns_of
from core.markup import file_size
from core.models import Export, ExportFormat, ExportState
from core.visibility import scope_of

logger = logging.getLogger(__name__)
AT_ONCE = 10_000
# Between two notes of how far it is.
HELD_FOR = timedelta(minutes=5)
KEPT = timedelta(days=7)
NOTED_EVERY = 5_000
A_DAY = timedelta(days=1)
UNFINISHED = (ExportState.WAITING, ExportState.WRITING)
# What one person may have made: so that nobody fills the disk, or keeps the worker from everybody else's.
MOST_UNFINISHED, MOST_A_DAY, MOST_KEPT = 3, 100, 2_000_000_000


Find = Callable[[list[Any]], list[Any]]


class BeyondQuota(Exception):
    """Somebody has asked for too much; the message says what to do."""


def ask_export(*, listing: Listing, query: str, form: ExportFormat, by: str, filters: str = "") -> Export:
    """Record that a user has asked for a list as a file; `filters` are those of the query in words."""
    now = timezone.now()
    refuse_beyond_quota(by)
    export = Export.objects.create(
        listing=listing.name,
        query=query,
        format=form,
        file_name=f"{listing.file_stem}-{now:%Y%m%d-%H%M%S}.{form.value}",
        requested_by=by,
        requested_at=now,
    )
    words = gettext("%(list)s exported as %(format)s")
    if filters:
        words = gettext("%(list)s exported as %(format)s, filtered by %(query)s")
    words %= {"list": listing.title, "format": form.label, "query": filters}
    after = {"listing": listing.name, "query": query, "format": form.value}
    record(actor=by, action="export", thing=export, summary=words, after=after)
    return export


def refuse_beyond_quota(by: str) -> None:
    rows = Export.objects.filter(requested_by=by)
    if rows.filter(state__in=UNFINISHED).count() >= MOST_UNFINISHED:
        raise BeyondQuota(
            gettext("%(count)s of your exports are still in progress. Wait until one finishes, then export again.")
            % {"count": MOST_UNFINISHED}
        )
    if rows.filter(requested_at__gte=timezone.now() - A_DAY).count() >= MOST_A_DAY:
        raise BeyondQuota(
            gettext("You have reached the limit of %(count)s exports in 24 hours. Try again later.")
            % {"count": MOST_A_DAY}
        )
    if (rows.aggregate(size=Sum("size"))["size"] or 0) >= MOST_KEPT:
        raise BeyondQuota(
            gettext("Your exports use all of your storage (%(room)s). Files are deleted after 7 days; try again then.")
            % {"room": file_size(MOST_KEPT)}
        )


def rows_for(model_admin: Any, request: HttpRequest) -> QuerySet[Any]:
    """The rows of a list's page, with its search, filters and order, over all its pages."""
    try:
        return model_admin.get_changelist_instance(request).queryset  # type: ignore[no-any-return]
    except (IncorrectLookupParameters, DisallowedModelAdminLookup):
        raise Http404(
            gettext("This list does not have that filter. Open the list and choose from its filters.")
        ) from None


def write_export(export: Export, queryset: QuerySet[Any]) -> bool:
    """Write the file and keep it, unless another process does."""
    with releasing(_take(export)) as hold:
        if hold:
            _write(export, hold, queryset)
        return hold is not None


def _take(export: Export) -> Hold[Export] | None:
    row = Export.objects.filter(pk=export.pk, state__in=UNFINISHED)
    return Hold.take(row, HELD_FOR, state=ExportState.WRITING, error="")


def _write(export: Export, hold: Hold[Export], queryset: QuerySet[Any], found: Find | None = None) -> None:
    person = _active_user(export.requested_by)
    listing = replace(_as_shown_to(person, LISTINGS[export.listing].visible_to(person)), found=found)
    listing = listing.of(columns_of(listing, QueryDict(export.query).get(COLUMNS, "")))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        count = write_file(path, ExportFormat(export.format), listing, queryset, _progress_of(export, hold))
        size = _store(export.pk, path)
    finished = {"rows": count, "size": size, "finished_at": timezone.now(), "seen_as": scope_of(person).key}
    _note(export, hold, state=ExportState.FINISHED, **finished, **NOBODYS)


def _as_shown_to(person: Any, listing: Listing) -> Listing:
    """Rows that the list's page shows differently to someone who sees some of them stand so in the file."""
    seen = getattr(admin.site.get_model_admin(listing.model), "seen", None)
    return replace(listing, limit=partial(seen, person)) if seen else listing


def _progress_of(export: Export, hold: Hold[Export]) -> Any:
    noted = 0

    def progress(written: int) -> None:
        nonlocal noted
        if written - noted >= NOTED_EVERY:
            noted = written
            _note(export, hold, rows=written, lease_until=hold.next_end())

    return progress


def _note(export: Export, hold: Hold[Export], **values: Any) -> None:
    hold.update(**values)
    for name, value in values.items():
        setattr(export, name, value)


def _store(owner: uuid.UUID, path: Path) -> int:
    """In files of one part each, so that no more than a part is in memory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for number in range(-(-size // PART_SIZE) or 1):
            delete_bytes(part_key(owner, number))
            store_bytes(part_key(owner, number), file.read(PART_SIZE))
    return size


def part_key(owner: uuid.UUID, number: int) -> uuid.UUID:
    return uuid.uuid5(owner, f"part {number}")


def parts_of(export: Export) -> Iterator[bytes]:
    """The finished file, piece by piece."""
    for number in range(-(-export.size // PART_SIZE) or 1):
        yield load_bytes(part_key(export.pk, number))


def may_be_seen(export: Export, person: Any) -> bool:
    """Not a file that holds what its reader has not been shown since it was written."""
    scope = scope_of(person)
    return scope.sees_all or export.seen_as == scope.key


def delete_file(export: Export) -> None:
    for number in range(-(-export.size // PART_SIZE) or 1):
        delete_bytes(part_key(export.pk, number))


# What a job does


def write_waiting() -> int:
    """Write what waits, also what a process left that died; returns how many were written."""
    waiting = Export.objects.filter(state__in=UNFINISHED).order_by("id").values_list("pk", flat=True)
    return sum(work_on(key) for key in list(waiting))


def work_on(key: uuid.UUID) -> bool:
    """Write one export unless another process does; whether it was written."""
    export = Export.objects.get(pk=key)
    with releasing(_take(export)) as hold:
        return hold is not None and _is_written(export, hold)


def _is_written(export: Export, hold: Hold[Export]) -> bool:
    try:
        _write_format(export, hold)
    except HoldLost:
        logger.info("another process writes export %s", export.pk)
        return False
    except Exception as error:
        # Whatever the list stumbled over, the one who asked for it is told. Jobs stand above this, and so does their
        # boundary.
        logger.exception("export %s failed", export.pk)
        trouble = clean_text(f"{type(error).__name__}: {error}")
        hold.held().update(state=ExportState.FAILED, error=trouble, **NOBODYS)
        return False
    return True


def _write_format(export: Export, hold: Hold[Export]) -> None:
    """Read the list as the page of the person who asked would show it, in that person's time zone and language."""
    person = person_named(export.requested_by)
    language = getattr(person, "language", "") or settings.LANGUAGE_CODE
    with timezone.override(getattr(person, "timezone", "UTC")), translation.override(language):
        found = whole_search(person, export.listing, export.query)
        _write(export, hold, rows_as(person, export.listing, export.query, is_searched=not found), found)


def person_named(name: str) -> Any:
    person = _active_user(name)
    if person is None:
        raise PermissionDenied(gettext("The user %(name)s no longer exists or is inactive.") % {"name": name})
    return person


def _active_user(name: str) -> Any:
    return get_user_model().objects.filter(username=name, is_active=True).first()


def whole_search(person: Any, listing: str, query: str) -> Find | None:
    """Where the list's page finds so many rows only, what finds all of them, a batch at a time."""
    find = getattr(admin.site.get_model_admin(LISTINGS[listing].model), "whole_search", None)
    text = QueryDict(query).get(SEARCH_VAR, "").strip()
    return partial(find, person, text) if find and text else None


def rows_as(
    person: Any, listing: str, query: str, *, with_past: bool = False, is_searched: bool = True
) -> QuerySet[Any]:
    """The rows of a list as its page would show them to this person; `with_past` those too that no longer hold. Without
    the search, where `whole_search` comes after it."""
    model_admin = admin.site.get_model_admin(LISTINGS[listing].model)
    request = HttpRequest()
    request.method, request.GET, request.user = "GET", QueryDict(query), person
    request.with_past = with_past  # type: ignore[attr-defined]
    request.shows_no_page = True  # type: ignore[attr-defined]
    request.is_searched = is_searched  # type: ignore[attr-defined]
    if not model_admin.has_view_permission(request):
        raise PermissionDenied(gettext("%(person)s no longer has permission to view this list.") % {"person": person})
    return rows_for(model_admin, request)


def remove_old() -> int:
    """Files are kept for a week; returns how many went."""
    old = list(Export.objects.filter(requested_at__lt=timezone.now() - KEPT)[:1000])
    for export in old:
        delete_file(export)
        export.delete()
    return len(old)


def state_text(export: Export) -> str:
    """How it stands, in words."""
    rows = plurals.rows(export.rows)
    if export.state == ExportState.FINISHED:
        return rows
    if export.state == ExportState.FAILED:
        return export.error
    return gettext("%(rows)s written so far") % {"rows": rows} if export.rows else gettext("waiting for a free worker")
