"""What all kinds of uploads have in common: a file is kept, cancelled or undone, and a worker moves it on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from django.utils import timezone

from core.actors import Actor
from core.blobs import store_bytes
from core.db import clean_text
from core.jobs import ask_worker, run_step
from portfolio.imports.states import IN_WORK, demand_moved, demand_state, file_key, move
from portfolio.models import ImportState
from portfolio.models.imports import UndoableUpload, Upload

CANCELLABLE = (ImportState.UPLOADED, ImportState.READING, ImportState.READ)
WORKING_TIME = timedelta(seconds=50)
IDLE_AFTER = timedelta(minutes=1)
IDLE_AT_ONCE = 100
AnyUpload = TypeVar("AnyUpload", bound=Upload)


def keep_upload(model: type[AnyUpload], content: bytes, *, requested_by: str, **fields: Any) -> AnyUpload:
    """Keep a file; its bytes are durable before the row that names them. Nothing is read yet."""
    now, fields["file_name"] = timezone.now(), clean_text(fields["file_name"], 200)
    times = {"created_at": now, "moved_at": now}
    upload = model(file_size=len(content), created_by=clean_text(requested_by, 200), **times, **fields)
    store_bytes(file_key(upload), content)
    upload.save(force_insert=True)
    return upload


def cancel_upload(upload: Upload) -> None:
    demand_state(upload, *CANCELLABLE)
    demand_moved(move(upload, state=ImportState.CANCELLED))


def undo_upload(upload: UndoableUpload, state: ImportState, *, by: Actor, **fields: Any) -> None:
    """Once, of what is applied. `state`: undone where that takes one step, else being undone."""
    demand_state(upload, ImportState.APPLIED)
    who = {"undone_by": clean_text(by, 200), "undoer_id": by.id, "undone_at": timezone.now()}
    demand_moved(move(upload, state=state, **who, **fields))


@dataclass(frozen=True, slots=True)
class UploadWork(Generic[AnyUpload]):
    """How a worker moves uploads of a kind on; each step may be done twice. `job` is the address of a function that
    calls `run`."""

    model: type[AnyUpload]
    job: str
    name: str
    work_on: Callable[..., None]

    def start(self, key: uuid.UUID) -> None:
        """Have it done now; `continue_idle` picks it up where this is lost."""
        ask_worker(self.job, str(key), task_name=f"{self.name} {key}")

    def run(self, key: str) -> str:
        """Work for a while, then queue again; returns the state of the upload."""
        upload = self.model._default_manager.get(pk=uuid.UUID(key))
        until = timezone.now() + WORKING_TIME
        if not run_step(partial(self.work_on, until=until), upload, note=partial(self._stand_still, upload)):
            return "failed"
        return self._again(upload, until)

    def _stand_still(self, upload: AnyUpload, trouble: str) -> None:
        """Tried again after a while; the page shows why."""
        self.model._default_manager.filter(pk=upload.pk).update(error=trouble, moved_at=timezone.now())

    def _again(self, upload: AnyUpload, until: datetime) -> str:
        upload.refresh_from_db(fields=["state"])
        if upload.state in IN_WORK and timezone.now() >= until:
            self.start(upload.pk)
        return upload.state

    def continue_idle(self, run: Callable[[str], str]) -> int:
        """Pick up what a process that died has left; returns how many there were."""
        idle = self.model._default_manager.filter(state__in=IN_WORK, moved_at__lt=timezone.now() - IDLE_AFTER)
        keys = list(idle.order_by("moved_at").values_list("pk", flat=True)[:IDLE_AT_ONCE])
        for key in keys:
            run(str(key))
        return len(keys)
