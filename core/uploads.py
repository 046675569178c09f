"""Uploads of a bounded size: what is too large is neither kept in memory nor on disk, and a page can say so.

Stands before Django's own handlers for every request, so that no page can be forgotten; strangers upload nothing.
"""

from __future__ import annotations

from functools import cached_property

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest


class BoundedUpload(FileUploadHandler):
    """Stops taking files in where a request passes the limit; the rest is read in small pieces and dropped."""

    taken = 0
    is_too_large = False

    @cached_property
    def limit(self) -> int:
        user = getattr(self.request, "user", None)
        return settings.IMPORT_LIMIT_MB * 1_000_000 if user and user.is_authenticated else 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.taken += len(raw_data)
        if self.taken > self.limit:
            self.is_too_large = True
            # Not StopUpload: Django would read the rest line by line, and a line may be all of it.
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def is_too_large(request: HttpRequest) -> bool:
    """Whether a file of this request was not taken in."""
    return any(getattr(handler, "is_too_large", False) for handler in request.upload_handlers)
