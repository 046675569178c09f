"""Files that D&B delivers (contract, section 5): names, headers, zips, in the out folder."""

import hashlib
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from direct_plus.sandbox.http import responses
from direct_plus.sandbox.http.dates import file_stamp, second_stamp
from direct_plus.sandbox.state import notification_queue
from direct_plus.sandbox.state.world import World

ZIP_TIME = (2026, 1, 1, 0, 0, 0)
message = responses.message


def exceptions(world: World, reference: str, lines: list[str]) -> Path:
    kind = world.switches["exceptions_kind"]
    return write_zip(world, _base(world, reference, kind), ["DUNS\tCode\tInformation", *lines])


def seed_files(
    world: World, reference: str, lines: Iterable[bytes], *, per_file: int, at: int | None = None
) -> list[Path]:
    """`{"organization": …}` a line, no type, and the header that names files and hashes; of now or of `at`."""
    parts = write_parts(world, reference, "SEEDFILE", lines, per_file, at=at)
    return [*parts, *_headers(world, reference, world.switches["seed_header"], parts, {}, at=at)]


def notification_files(world: World, reference: str, raws: list[bytes], *, per_file: int) -> list[Path]:
    """Notifications as in a pull without deliveryTimeStamp; by D-U-N-S, oldest first."""
    parts = write_parts(world, reference, "NOTIFICATION", sorted(raws, key=_number_of), per_file)
    counts = Counter(str(_object(raw).get("type", "")) for raw in raws)
    extra = {"notificationCount": [{"count": count, "type": kind} for kind, count in counts.items()]}
    return [*parts, *_headers(world, reference, "NOTIFICATION_HEADER", parts, extra)]


def deliver_waiting(world: World, reference: str, *, per_file: int) -> list[Path]:
    """What waits leaves the queue by file instead of by pull."""
    now = world.clock.now()
    with world.store.transaction():
        found = notification_queue.waiting(world, reference, notification_queue.ALL)
        paths = notification_files(world, reference, [raw for _seq, raw in found], per_file=per_file)
        rows = [(now, paths[0].name, seq) for seq, _raw in found]
        world.store.many("UPDATE notice SET dequeued_at = ?, file = ? WHERE seq = ?", rows)
    return paths


def write_parts(
    world: World, reference: str, kind: str, lines: Iterable[Any], per_file: int, *, at: int | None = None
) -> list[Path]:
    """`…_KIND_1.zip`, `…_KIND_2.zip` and so on; one empty file where there is nothing."""
    base, rest = _base(world, reference, kind, at), iter(lines)
    paths: list[Path] = []
    while (part := list(islice(rest, per_file))) or not paths:
        paths.append(write_zip(world, f"{base}_{len(paths) + 1}", part))
    return paths


def write_zip(world: World, name: str, lines: Iterable[Any]) -> Path:
    """Complete or not there at all: written under another name first."""
    path = world.out / f"{name}.zip"
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        # a fixed time, so that the same content has the same hash
        entry = zipfile.ZipInfo(f"{name}.txt", ZIP_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(entry, "w", force_zip64=True) as file:
            file.writelines(_line_ends(lines))
    return partial.replace(path)


def send(paths: Iterable[Path], folder: Path) -> None:
    """As a program copies them: each is under its name when all of it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        partial = folder / f".{path.name}.part"
        shutil.copyfile(path, partial)
        partial.replace(folder / path.name)


def _line_ends(lines: Iterable[Any]) -> Iterator[bytes]:
    for line in lines:
        yield (line if isinstance(line, bytes) else str(line).encode()) + b"\n"


def _base(world: World, reference: str, kind: str, at: int | None = None) -> str:
    """A name not used yet: two files of one second differ by their second, as D&B's do."""
    now = at or world.clock.now()
    while any(world.out.glob(f"{reference}_{file_stamp(now)}_{kind}*")):
        now += 1_000
    return f"{reference}_{file_stamp(now)}_{kind}"


def _headers(
    world: World, reference: str, kind: str, parts: list[Path], extra: dict[str, Any], *, at: int | None = None
) -> list[Path]:
    """None, where they never come."""
    if not world.switches["headers"]:
        return []
    new = world.switches["header_case"] == "new"
    now = at or world.clock.now()
    names = ("productId", "versionId", "headerType") if new else ("productID", "productVersion", "headertype")
    header = {
        "reference": reference,
        names[0]: "cmptcs",
        names[1]: "v1",
        names[2]: kind,
        "fileTimeStamp": second_stamp(now),
        "totalRecordCount": sum(_count(path) for path in parts),
        "files": [{"name": path.name, "hash": hashlib.sha256(path.read_bytes()).hexdigest()} for path in parts],
        **extra,
    }
    path = world.out / f"{_base(world, reference, kind, at)}.json"
    path.write_text(json.dumps({"fileHeader": header}, indent=1), encoding="utf-8")
    return [path]


def _count(path: Path) -> int:
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        return sum(1 for _line in file)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _number_of(raw: bytes) -> str:
    organization = _object(raw).get("organization")
    return str(organization.get("duns", "")) if isinstance(organization, dict) else ""
