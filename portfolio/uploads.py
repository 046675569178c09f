"""Uploads of a bounded size: what is too large is neither kept in memory nor on disk, and a page can say so."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest


class BoundedUpload(FileUploadHandler):
    """Stops taking a file in where it passes the limit; the rest of it is read in small pieces and dropped."""

    def __init__(self, request: HttpRequest, limit: int) -> None:
        super().__init__(request)
        self.limit = limit
        self.taken = 0
        self.is_too_large = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.taken += len(raw_data)
        if self.taken > self.limit:
            self.is_too_large = True
            # Not StopUpload: Django would read the rest line by line, and a line may be all of it.
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def bound_upload(request: HttpRequest, limit: int) -> BoundedUpload:
    """To be called before anything looks into the request's form, the check of its token included."""
    handler = BoundedUpload(request, limit)
    handlers: Any = request.upload_handlers
    handlers.insert(0, handler)
    return handler
