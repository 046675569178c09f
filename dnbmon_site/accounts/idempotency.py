"""Writes that may be sent again: with the header `Idempotency-Key` the same request has one effect and one answer.

What was answered is kept with what was asked. A process that dies in between leaves the row behind without an answer;
after a while the request may then be made again, which is safe because every write of this API may be repeated: what
makes calls that cost gives its row the key that the request has here (`core/api/repeats.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import Any
from uuid import UUID

import zstandard
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.api.repeats import NAME
from core.db import insert_new
from core.visibility import scope_of
from dnbmon_site.accounts.api_keys import key_of, presented_key
from dnbmon_site.accounts.models import IdempotencyKey
from dnbmon_site.api.problems import REUSED, problem

View = Callable[..., HttpResponse]
HEADER = "Idempotency-Key"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
LONGEST = 255
WORKING = timedelta(minutes=2)
KEPT = timedelta(days=7)
# So much of a fingerprint says what was asked; for who does not see everything, the rest says what they see.
ASKED = 32
UNITS_CHANGED = (
    "This request was already sent, and its response is not shown again, because your business units have changed "
    "since then. Use a new key for each request."
)
# What says nothing about the request itself: the next time it may be different.
PASSING = (401, 403, 429)
LARGEST = 64 * 1024 * 1024


def repeatable(view: View) -> View:
    @wraps(view)
    def once(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        word = request.headers.get(HEADER)
        owner = _owner(request) if word is not None and request.method in WRITES else None
        if word is None or owner is None:
            return view(request, *arguments, **named)
        if not (0 < len(word) <= LONGEST and word.isascii() and word.isprintable()):
            return problem(400, f"{HEADER}: use 1 to {LONGEST} printable ASCII characters.")
        asked = _digest(request.method or "", request.get_full_path(), request.body)
        setattr(request, NAME, UUID(_digest(owner, word, asked)[:32]))
        row = _claim(_digest(owner, word), _with_scope(request, asked))
        if isinstance(row, HttpResponse):
            return row
        if row.status is not None:
            return _answered_again(view, row)(request, *arguments, **named)
        return _done(row, lambda: view(request, *arguments, **named))

    return once


def _owner(request: HttpRequest) -> str | None:
    """Whose word it is; None for strangers, whom the view refuses."""
    if presented_key(request) is not None:
        key = key_of(request)
        return f"key {key.pk}" if key else None
    return f"user {request.user.pk}" if request.user.is_authenticated else None


def _with_scope(request: HttpRequest, asked: str) -> str:
    """What was answered while business units showed something else is not shown again, and not done again either."""
    key = scope_of(key_of(request) or request.user).key
    return asked[:ASKED] + key[: len(asked) - ASKED] if key else asked


def _digest(*parts: str | bytes) -> str:
    texts = [part.encode() if isinstance(part, str) else part for part in parts]
    return sha256(b"".join(b"%d:%s" % (len(text), text) for text in texts)).hexdigest()


def _claim(key: str, fingerprint: str) -> IdempotencyKey | HttpResponse:
    """The row of a request that is to be done now, or was answered before; else the refusal."""
    now = timezone.now()
    row = IdempotencyKey(id=key, fingerprint=fingerprint, working_until=now + WORKING, created_at=now)
    if not insert_new(IdempotencyKey, [row]):
        row = IdempotencyKey.objects.get(pk=key)
        if row.fingerprint != fingerprint:
            return problem(409, UNITS_CHANGED if row.fingerprint[:ASKED] == fingerprint[:ASKED] else REUSED)
        if row.status is None and not _take_over(row):
            headers = {"Retry-After": "5"}
            return problem(409, "The same request is still in progress. Retry in a few seconds.", headers=headers)
    return row


def _take_over(row: IdempotencyKey) -> bool:
    """Who made it first is gone: of those who ask again one goes on."""
    now = timezone.now()
    if row.working_until > now:
        return False
    left = IdempotencyKey.objects.filter(pk=row.pk, status=None, working_until=row.working_until)
    return bool(left.update(working_until=now + WORKING))


def _done(row: IdempotencyKey, view: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        response = view()
        if hasattr(response, "render"):
            response.render()
    except Exception:
        IdempotencyKey.objects.filter(pk=row.pk).delete()
        raise
    if response.status_code >= 500 or response.status_code in PASSING:
        IdempotencyKey.objects.filter(pk=row.pk).delete()
        return response
    IdempotencyKey.objects.filter(pk=row.pk).update(
        status=response.status_code,
        content_type=response.get("Content-Type", ""),
        answer=zstandard.compress(response.content),
    )
    return response


def _answered_again(view: Any, row: IdempotencyKey) -> View:
    """The view with the answer of before in place of its work: who may not ask any more is refused as ever."""
    methods = {name.lower(): lambda *_, **__: _again(row) for name in WRITES if hasattr(view.cls, name.lower())}
    replay: Any = type(view.cls.__name__, (view.cls,), methods)
    answering: View = replay.as_view()
    return answering


def _again(row: IdempotencyKey) -> HttpResponse:
    content = zstandard.decompress(bytes(row.answer), max_output_size=LARGEST)
    response = HttpResponse(content, status=row.status, content_type=row.content_type or None)
    response["Idempotent-Replayed"] = "true"
    return response


def forget_old() -> int:
    """Words are kept for a week."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
