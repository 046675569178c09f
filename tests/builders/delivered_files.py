"""Files as D&B delivers them, in a folder."""

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.builders.deliveries import as_json
from tests.builders.elements import an_element
from tests.builders.notifications import an_update
from tests.builders.registrations import REFERENCE

STAMP = "20260108110647"


def a_file(
    folder: Path,
    *items: Any,
    kind: str = "NOTIFICATION",
    number: int | None = 1,
    reference: str = REFERENCE,
    stamp: str = STAMP,
) -> Path:
    """A zip with a line for each item: bytes or text as they are, anything else as JSON without D&B's stamp."""
    base = f"{reference}_{stamp}_{kind}" + (f"_{number}" if number else "")
    return a_zip(folder, base, b"".join(_line(item) + b"\n" for item in items))


def a_zip(folder: Path, base: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{base}.zip"
    entry = zipfile.ZipInfo(f"{base}.txt", (2026, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, content)
    return path


def _line(item: Any) -> bytes:
    if isinstance(item, dict):
        return as_json({name: value for name, value in item.items() if name != "deliveryTimeStamp"})
    return item if isinstance(item, bytes) else str(item).encode()


def a_header(
    paths: Sequence[Path], *, kind: str = "NOTIFICATION_HEADER", folder: Path | None = None, **changed: Any
) -> Path:
    """The header of these files; `changed` are members that say something else."""
    counts = Counter(json.loads(line).get("type", "SEED") for path in paths for line in lines_of(path))
    header = {
        "reference": REFERENCE,
        "headerType": kind,
        "fileTimeStamp": "2026-01-08T11:06:47Z",
        "totalRecordCount": sum(counts.values()),
        "files": [{"name": path.name, "hash": hashlib.sha256(path.read_bytes()).hexdigest()} for path in paths],
        "notificationCount": [{"count": count, "type": type_} for type_, count in counts.items()],
        **changed,
    }
    path = (folder or paths[0].parent) / f"{REFERENCE}_{STAMP}_{kind}.json"
    path.write_text(json.dumps({"fileHeader": header}))
    return path


def lines_of(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        return archive.read(archive.namelist()[0]).splitlines()


def updates(count: int, first: int = 0) -> list[Any]:
    return [an_update(an_element(current=f"Name {n}"), duns=f"{100_000_000 + n}") for n in range(first, first + count)]
