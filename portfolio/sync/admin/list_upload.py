"""Uploading a file from D&B: a list is shown first, and applied as complete or as a part, as the person answers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from core.actors import actor_of
from core.uploads import is_too_large
from direct_plus.delivered_files import FileKind, UnreadableFile, parse_file_name, text_size
from portfolio.models import Registration
from portfolio.registrations.adopt import read_listing
from portfolio.registrations.dnb_list_files import (
    DnbList,
    WrongFile,
    apply_exceptions,
    apply_list,
    is_whole,
    preview_list,
    read_list,
)

SHOWN = 20
COMPLETE = "complete"
# What a page posts back: ten characters for each number.
MOST_NUMBERS = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 11
EXTENTS = (COMPLETE, "part")


def too_large() -> str:
    return gettext(
        "The file is larger than %(limit)s MB. Ask an administrator to load it on the server with "
        "“.venv/bin/python manage.py adopt”."
    ) % {"limit": settings.IMPORT_LIMIT_MB}


def uploaded_list(request: HttpRequest, registration: Registration) -> DnbList | None:
    """The list in the uploaded file; None where there is none to ask about, and a message tells why."""
    file = request.FILES.get("file")
    if is_too_large(request):
        messages.error(request, too_large())
        return None
    if file is None:
        messages.warning(request, gettext("Choose a file first."))
        return None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / Path(str(file.name)).name
        with place.open("wb") as copy:
            copy.writelines(file.chunks())
        try:
            return _list_in(request, registration, place)
        except (UnreadableFile, WrongFile) as error:
            messages.error(request, str(error))
    return None


def _list_in(request: HttpRequest, registration: Registration, file: Path) -> DnbList | None:
    """A page waits for it, so that a zip may hold no more than one may upload without one."""
    if text_size(file) > settings.IMPORT_LIMIT_MB * 1_000_000:
        messages.error(request, too_large())
        return None
    name = parse_file_name(file.name)
    if name and name.kind == FileKind.EXCEPTIONS:
        messages.success(request, f"{apply_exceptions(registration, file, by=actor_of(request))}.")
        return None
    listed = read_list(registration, [file])
    if len(listed.numbers) > MOST_NUMBERS:
        messages.error(request, too_large())
        return None
    return listed


def confirmed_list(given: Mapping[str, str]) -> DnbList | None:
    """The list that was shown, as the page posts it back."""
    try:
        dnb_time = min(datetime.fromisoformat(given.get("dnb_time", "")), timezone.now())
    except (ValueError, TypeError):
        return None
    numbers = read_listing(given.get("numbers", "").split()).numbers
    name = given.get("name", "")
    return DnbList(name, dnb_time, len(numbers), numbers, [], is_whole([Path(name)]))


def preview_page(registration: Registration, listed: DnbList) -> dict[str, Any]:
    preview = preview_list(registration, listed, shown=SHOWN)
    return {
        "registration": registration,
        "listed": listed,
        "preview": preview,
        "known": len(listed.numbers) - preview.newly_known,
        "unreadable": ", ".join(listed.unreadable[:SHOWN]),
        "more_unreadable": max(len(listed.unreadable) - SHOWN, 0),
        "more_gone": preview.gone - len(preview.names),
        "numbers": " ".join(listed.numbers),
    }


def apply_confirmed(request: HttpRequest, registration: Registration, listed: DnbList) -> bool:
    """False, and nothing applied, where it would do something else by now than the page showed."""
    by, is_complete = actor_of(request), listed.is_whole and request.POST.get("extent") == COMPLETE
    if is_complete and str(preview_list(registration, listed).gone) != request.POST.get("gone"):
        messages.warning(
            request, gettext("The list at D&B has changed since you uploaded the file. Check the numbers again.")
        )
        return False
    result = apply_list(registration, listed, by=by, is_complete=is_complete, reported_by=by.id)
    messages.success(request, f"{result}.")
    return True
