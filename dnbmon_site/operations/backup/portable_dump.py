"""The portable form: each model's rows as lines of JSON, compressed, read and written a few at a time.

It needs no tool of the database and may be put back on any engine. It is no picture of one moment where the engine
gives none (MongoDB): rows go on changing while it is made. So the order of copying makes it whole. What stands on
something else is copied before it, consumers' offsets before what they count, deliveries before their bytes: whatever
is in the copy finds there what it stands on, and what is missing is read again from the bytes (`after_restore.py`).
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import zstandard
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from core.models import CachedCount, Clock
from dnbmon_site.operations.backup import older_names
from dnbmon_site.operations.backup.after_restore import ENDED
from dnbmon_site.operations.backup.manifest import BackupError, Report
from monitoring.models import ContractReview, HistoryCheckpoint, Publication
from monitoring.publications.consumers import models_with_places

# Made anew by the program: what migrations make, what is counted, and what holds only for a while or for one place.
NOT_COPIED: tuple[type[models.Model], ...] = (
    *(ContentType, Permission, Clock, CachedCount, ContractReview, HistoryCheckpoint),
    *ENDED,
)
LEFT_OUT = {model._meta.label for model in NOT_COPIED}
LEFT_OUT_APPS = {"axes"}
# Beside foreign keys: the first is copied before the others, because it says something of them.
BEFORE: dict[str, tuple[str, ...]] = {
    "monitoring.Alert": ("monitoring.OutboxMessage",),
    "monitoring.Publication": ("monitoring.Change", "monitoring.Observation"),
    "monitoring.Delivery": ("core.Blob",),
    "monitoring.DeliveredFile": ("monitoring.Delivery", "core.Blob"),
    "portfolio.SubjectImport": ("portfolio.Subject", "core.Blob"),
    "portfolio.ExposureImport": ("core.Blob",),
    "monitoring.TierImport": ("core.Blob",),
    "portfolio.Proposal": ("portfolio.Subject",),
    "core.Export": ("core.Blob",),
    "monitoring.FigureCheckpoint": ("core.Blob",),
    "portfolio.MembershipCheck": ("core.Blob",),
}
AT_ONCE = 200
# Four megabytes a row.
FEW = {"core.Blob": 8, "monitoring.Notification": 50}

Model = type[models.Model]


def models_in_order() -> list[Model]:
    """Those that are copied, what stands on others first."""
    every = {model._meta.label: model for model in apps.get_models(include_auto_created=True) if _is_copied(model)}
    needs = _needs(every)
    ordered: list[Model] = []

    def visit(label: str) -> None:
        if every[label] in ordered:
            return
        for needed in sorted(needs[label] & every.keys() - {label}):
            visit(needed)
        ordered.append(every[label])

    for label in sorted(every):
        visit(label)
    return ordered[::-1]


def _needs(every: Mapping[str, Model]) -> dict[str, set[str]]:
    """By each model those that are copied after it.

    How far somebody has read comes before all that may have been made by reading; where others stand on such rows, as
    on people, at least before what was read.
    """
    places = {model._meta.label for model in models_with_places()}
    needs = {label: {*_referred(model), *BEFORE.get(label, ())} for label, model in every.items()}
    first = places - set().union(*needs.values())
    for label in places & every.keys():
        needs[label] |= every.keys() - first if label in first else {Publication._meta.label}
    return needs


def _is_copied(model: Model) -> bool:
    meta = model._meta
    return meta.managed and not meta.proxy and meta.label not in LEFT_OUT and meta.app_label not in LEFT_OUT_APPS


def _referred(model: Model) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            yield field.related_model._meta.label


def dump(folder: Path, report: Report) -> dict[str, int]:
    """Write every model's file; how many rows each holds."""
    return {model._meta.label: dump_model(model, folder, report) for model in models_in_order()}


def dump_model(model: Model, folder: Path, report: Report) -> int:
    count = 0
    with zstandard.open(_path(folder, model), "w", encoding="utf-8", newline="\n") as file:
        for row in _rows(model):
            file.write(json.dumps(line_of(row), ensure_ascii=True, separators=(",", ":")) + "\n")
            count += 1
            if count % 1000 == 0:
                report(f"{model._meta.verbose_name_plural}: {count:,}")
    return count


def _rows(model: Model) -> Iterator[models.Model]:
    size = FEW.get(model._meta.label, AT_ONCE)
    rows = model._default_manager.order_by("pk")
    batch = list(rows[:size])
    while batch:
        yield from batch
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:size])


def line_of(row: models.Model) -> dict[str, Any]:
    """The values by column; keys that the database counts are left out, and rows with such keys are named."""
    return {field.attname: _json_value(field, row) for field in row._meta.concrete_fields if not _is_counted(field)}


def _is_counted(field: Any) -> bool:
    return bool(field.primary_key and isinstance(field, models.AutoField))


def _json_value(field: Any, row: models.Model) -> Any:
    value = getattr(row, field.attname)
    if value is not None and field.is_relation and _is_counted(field.target_field):
        return _name_of(field.related_model, value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    return value if value is None or isinstance(value, bool | int | float | str) else field.value_to_string(row)


@cache
def _name_of(model: Any, key: Any) -> list[Any]:
    return list(model._default_manager.get(pk=key).natural_key())


@cache
def _key_of(model: Any, *name: Any) -> Any:
    return model._default_manager.get_by_natural_key(*name).pk


def forget_names() -> None:
    _name_of.cache_clear()
    _key_of.cache_clear()


def load(folder: Path, report: Report) -> None:
    """Put all rows back; what stands there of each model goes first (migrations make a few)."""
    forget_names()
    ordered = models_in_order()
    for model in ordered:
        model._default_manager.all().delete()
    for model in reversed(ordered):
        load_model(model, folder, report)


def load_model(model: Model, folder: Path, report: Report) -> None:
    path = _found(folder, model)
    if path is None:
        return  # The backup is older than this model.
    count = 0
    for batch in _batches(read_lines(path), FEW.get(model._meta.label, AT_ONCE)):
        with transaction.atomic():
            model._default_manager.bulk_create([row_of(model, line) for line in batch])
        count += len(batch)
        report(f"{model._meta.verbose_name_plural}: {count:,}")


def row_of(model: Model, line: dict[str, Any]) -> models.Model:
    """Columns that the backup did not know yet have their defaults, those that are gone are passed by."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    known = older_names.line_now(model._meta.label, line).items()
    return model(**{name: _python_value(fields[name], value) for name, value in known if name in fields})


def _python_value(field: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return _key_of(field.related_model, *_name_now(field.related_model, value))
    target = field.target_field if field.is_relation else field
    return base64.b64decode(value) if isinstance(target, models.BinaryField) else target.to_python(value)


def _name_now(model: Model, name: list[Any]) -> Iterable[Any]:
    if model is Permission:
        return older_names.permission_now(*name)
    return older_names.content_type_now(*name) if model is ContentType else map(_hashable, name)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def check(folder: Path, rows: dict[str, int]) -> None:
    """Read every file again to its end; raises where there are not as many lines as were written."""
    for label, expected in rows.items():
        found = sum(1 for _ in read_lines(_path(folder, apps.get_model(label))))
        if found != expected:
            raise BackupError(
                f"{label} has {found:,} rows in the file instead of {expected:,}. Create the backup again."
            )


def count_rows() -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in models_in_order()}


def _path(folder: Path, model: Model) -> Path:
    return _file(folder, model._meta.label)


def _file(folder: Path, label: str) -> Path:
    return folder / f"{label.lower()}.jsonl.zst"


def _found(folder: Path, model: Model) -> Path | None:
    """By the name of now or one of before."""
    paths = (_file(folder, label) for label in older_names.labels_ever(model._meta.label))
    return next((path for path in paths if path.exists()), None)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8", newline="\n"):
            yield json.loads(line)


def _batches(lines: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
