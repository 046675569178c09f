"""The daily backup, where a folder for it is named. It runs in a process of its own: it may take longer than a job."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from core.notices import notify
from dnbmon_site.operations.backup.manifest import BackupError, backups_in, read_manifest
from health.job_results import NO_BACKUP_FOLDER

EVERY = timedelta(hours=24)
# A little early each day is better than a run later each day.
EARLY = timedelta(minutes=30)


def back_up_if_due() -> str:
    """Start the day's backup; says what was done."""
    if not settings.BACKUP_FOLDER:
        return NO_BACKUP_FOLDER
    place = Path(settings.BACKUP_FOLDER)
    last = newest_time(place)
    if last and timezone.now() - last < EVERY - EARLY:
        return f"Not due: the latest backup is of {last:%Y-%m-%d %H:%M} UTC."
    notify_if_late(place, last)
    return start(place)


def newest_time(place: Path) -> datetime | None:
    """Of the newest backup that this installation could put back."""
    for folder in reversed(backups_in(place)):
        try:
            manifest = read_manifest(folder)
        except BackupError:
            continue
        if manifest.is_ours:
            return manifest.moment
    return None


def start(place: Path) -> str:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "backup", str(place)]
    # Its words go where the worker's go; it goes on when the worker is stopped.
    subprocess.Popen(
        [*command, f"--keep={settings.BACKUP_KEEP}"], stdin=subprocess.DEVNULL, cwd="/", start_new_session=True
    )
    return f"A backup to {place} has started."


def notify_if_late(place: Path, last: datetime | None) -> None:
    """Two days without a backup although one is tried each hour: people should know, once a day."""
    if last is None or timezone.now() - last < 2 * EVERY:
        return
    text = gettext(
        "The latest backup in %(place)s was made at %(last)s UTC, although a backup is attempted every hour. Run "
        "“.venv/bin/python manage.py backup %(place)s” to see the error."
    ) % {"place": place, "last": f"{last:%Y-%m-%d %H:%M}"}
    notify(kind="backup", subject=gettext("No backup for two days"), text=text, key=f"{datetime.now(UTC):%Y-%m-%d}")
