"""What a backup says of itself: when, from which engine, how many rows of what, and the sums of its files.

A backup is a folder. It is made under another name and gets its own when everything in it was read again and found
right, so that what bears the name of a backup is one. The manifest is signed with SECRET_KEY, and names the sum of
every file, so that what is put back is what this installation wrote: a backup brings people and rights with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from django.utils.crypto import constant_time_compare, salted_hmac

PREFIX = "dnbmon-"
UNFINISHED = ".unfinished"
FILE = "manifest.json"
SALT = "dnbmon_site.backup.manifest"
PIECE = 1 << 20

Report = Callable[[str], None]
# What manifests of versions before call something else, and have signed so.
OLDER_NAMES = {"heard_at": "dnb_time"}


class BackupError(Exception):
    """What is wrong with a backup, its place or its tools; the message says what to do."""


@dataclass(slots=True)
class Manifest:
    format: str
    engine: str
    taken_at: str
    # D&B's time in its last answer, by registration: read before anything was copied.
    dnb_time: dict[str, str] = field(default_factory=dict)
    migrations: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    signature: str = ""

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.taken_at)

    def add_sums(self, folder: Path) -> None:
        self.files = {path.name: sum_of(path) for path in sorted(folder.iterdir()) if path.name != FILE}

    def _signed(self, older: bool = False) -> str:
        """By the installation's key, over everything else; `older`: as a version before would have signed it."""
        values = {**asdict(self), "signature": ""}
        if older:
            values |= {before: values.pop(now) for before, now in OLDER_NAMES.items()}
        return salted_hmac(SALT, json.dumps(values, sort_keys=True), algorithm="sha256").hexdigest()

    @property
    def is_ours(self) -> bool:
        return any(constant_time_compare(str(self.signature), self._signed(older)) for older in (False, True))

    def write(self, folder: Path) -> None:
        self.signature = self._signed()
        with (folder / FILE).open("w") as file:
            json.dump(asdict(self), file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())

    def check(self, folder: Path) -> None:
        """Raises where a file is missing, was added, or is not what was written."""
        if added := {path.name for path in folder.iterdir()} - {FILE, *self.files}:
            raise BackupError(
                f"{folder} also contains {', '.join(sorted(added))}, not part of the backup. Use another backup."
            )
        for name, expected in self.files.items():
            if not (folder / name).is_file():
                raise BackupError(f"{folder / name} is missing, so the backup is incomplete. Use another backup.")
            if sum_of(folder / name) != expected:
                raise BackupError(f"{folder / name} is damaged. Use another backup.")


def read_manifest(folder: Path) -> Manifest:
    try:
        values = json.loads((folder / FILE).read_text())
        return Manifest(**{OLDER_NAMES.get(name, name): value for name, value in values.items()})
    except FileNotFoundError:
        raise BackupError(f"{folder} is not a backup: {FILE} is missing. Name the folder of a backup.") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BackupError(f"{folder / FILE} cannot be read ({error}). Use another backup.") from error


def sum_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def backups_in(place: Path) -> list[Path]:
    """The finished ones, oldest first: their names begin with the time."""
    found = place.glob(f"{PREFIX}*") if place.is_dir() else iter(())
    return sorted(path for path in found if path.suffix != UNFINISHED and (path / FILE).is_file())


def chosen(path: Path) -> Path:
    """The backup itself, or the newest in a folder of them."""
    if (path / FILE).is_file():
        return path
    found = backups_in(path)
    if not found:
        raise BackupError(f"{path} does not contain a backup. Name a backup, or the folder that contains backups.")
    return found[-1]


@contextmanager
def new_folder(place: Path, moment: datetime) -> Iterator[Path]:
    """A folder that only its owner reads, and that gets its name when the block ends well."""
    place.mkdir(parents=True, exist_ok=True)
    final = place / f"{PREFIX}{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z"
    folder = final.with_name(final.name + UNFINISHED)
    folder.mkdir(mode=0o700)
    try:
        yield folder
        for path in folder.iterdir():
            path.chmod(0o600)
        folder.rename(final)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def rotate(place: Path, keep: int) -> list[Path]:
    """Remove the oldest beyond `keep`, and what killed processes left unfinished."""
    old = backups_in(place)[:-keep] + list(place.glob(f"{PREFIX}*{UNFINISHED}"))
    for folder in old:
        shutil.rmtree(folder)
    return old
