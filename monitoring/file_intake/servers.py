"""Files of D&B on a file server: each is downloaded once into the folder of arrivals, under its name when complete."""

from __future__ import annotations

import posixpath
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import paramiko
from django.utils import timezone
from django.utils.translation import gettext

from core.db import clean_text
from direct_plus.delivered_files import UnreadableFile, parse_file_name
from monitoring.exports.errors import NotDelivered
from monitoring.exports.sftp import signed_in
from monitoring.file_intake.arrivals import QUIET, arrive, look_at
from monitoring.file_intake.run import Run
from monitoring.models import DeliveredFile, FileServer, FileSource, FileState

# Otherwise all of a file of 3 GB is asked for at once.
ASKED_AT_ONCE = 64
PIECE = 256 * 1024
# Of so many files the error is told.
MOST_TROUBLES = 10


def fetch_files(server: FileServer, folder: Path, run: Run) -> int:
    """Download what is new; what goes wrong is noted with the server. Returns how many files came."""
    done, troubles = 0, []
    try:
        with signed_in(server) as client:
            for remote in _listed(client, server):
                if run.is_over or not _is_new(remote, folder):
                    continue
                try:
                    done += _download(client, server, remote, folder, run)
                except OSError as error:
                    if isinstance(error, TimeoutError) or client.get_channel().closed:  # type: ignore[union-attr]
                        raise
                    troubles.append(f"{remote.filename}: {error}")
    except NotDelivered as trouble:
        troubles.append(str(trouble))
    told = clean_text(" ".join(_ended(one) for one in troubles[:MOST_TROUBLES]))
    FileServer.objects.filter(pk=server.pk).update(fetched_at=timezone.now(), fetch_error=told)
    return done


def _ended(text: str) -> str:
    return text.rstrip(".") + "."


def _listed(client: paramiko.SFTPClient, server: FileServer) -> list[paramiko.SFTPAttributes]:
    try:
        return client.listdir_attr(server.source_folder or ".")
    except (FileNotFoundError, PermissionError) as error:
        text = gettext("The folder with files from D&B does not exist on %(host)s, or %(user_name)s may not read it.")
        raise NotDelivered(text % {"host": server.host, "user_name": server.user_name}) from error


@contextmanager
def _on_this_machine(folder: Path) -> Iterator[None]:
    """What goes wrong here is no fault of the server's, and no other file fares better."""
    try:
        yield
    except (OSError, UnreadableFile) as error:
        text = gettext("Downloaded files cannot be stored in %(folder)s on this machine: %(error)s.")
        raise NotDelivered(text % {"folder": folder, "error": str(error).rstrip(".")}) from error


def _is_new(remote: paramiko.SFTPAttributes, folder: Path) -> bool:
    """A complete file of D&B that did not arrive in this form. Names are checked: the server chooses them."""
    name, modified = remote.filename, remote.st_mtime or 0
    if "/" in name or parse_file_name(name) is None or not stat.S_ISREG(remote.st_mode or 0):
        return False
    if 0 <= time.time() - modified < QUIET.total_seconds() or (folder / name).exists():
        return False
    rows = DeliveredFile.objects.filter(name=name, size=remote.st_size or 0)
    # What was refused may have been replaced by another file of the same size.
    since = datetime.fromtimestamp(modified, tz=UTC)
    return not any(row.state != FileState.REFUSED or row.arrived_at >= since for row in rows)


def _download(
    client: paramiko.SFTPClient, server: FileServer, remote: paramiko.SFTPAttributes, folder: Path, run: Run
) -> bool:
    """Goes on where the last one was broken off; False where it is not complete yet."""
    path = folder / remote.filename
    part = path.with_name(f".{path.name}.{remote.st_mtime}.{remote.st_size}.part")
    with client.open(posixpath.join(server.source_folder, remote.filename), "rb") as source:
        with _on_this_machine(folder):
            target = part.open("ab")
        with target:
            source.seek(target.tell())
            source.prefetch(remote.st_size or 0, ASKED_AT_ONCE)
            while piece := source.read(PIECE):
                with _on_this_machine(folder):
                    target.write(piece)
                    target.flush()
                if not run.has_time():
                    return False
    with _on_this_machine(folder):
        return _keep(part, path, remote, server)


def _keep(part: Path, path: Path, remote: paramiko.SFTPAttributes, server: FileServer) -> bool:
    if part.stat().st_size != remote.st_size:
        # It was changed on the server meanwhile.
        part.unlink()
        return False
    part.replace(path)
    try:
        arrive(look_at(path), source=FileSource.SERVER, by=server.name, requester_id=server.maintainer_id)
    except BaseException:
        # Or it would be taken for a file that somebody put into the folder.
        path.replace(part)
        raise
    return True
