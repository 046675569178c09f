"""What health remembers over time."""

from __future__ import annotations

import uuid

from django.db import models

BEATS = uuid.UUID("1a6f4f5b-5d0e-5c3a-9f1e-7f1c2f6f3b60")
JOBS = "jobs"


class Heartbeat(models.Model):
    """The last sign of life of a part of the program: “jobs” is written by a job, and so shows that jobs run."""

    id = models.UUIDField(primary_key=True, editable=False)
    name = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(help_text="By the database's clock.")

    def __str__(self) -> str:
        return f"{self.name}: {self.at:%Y-%m-%d %H:%M:%S}"

    @staticmethod
    def key(name: str) -> uuid.UUID:
        return uuid.uuid5(BEATS, name)
