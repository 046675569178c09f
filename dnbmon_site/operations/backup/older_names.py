"""What had another name in backups in rows of earlier versions: people keep their rights, lists and rows.

Each line leads from the older name to the one of now. Where names changed twice, both older ones lead to the last.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import zstandard

from dnbmon_site.http.older_queries import (
    ACTIONS,
    COLUMNS,
    DELIVERY_STATES,
    MESSAGE_STATES,
    PURPOSES,
    VALIDATIONS,
    query_now,
    words_now,
)
from monitoring.models.deliveries import STORY_PLACE
from monitoring.story_order import first_step, with_step

# Tables. Lists, rights and audit entries that bear a table's name follow by themselves.
MODELS: dict[str, str] = {
    "dnbmon_site.ApiKey": "accounts.ApiKey",
    "dnbmon_site.IdempotencyKey": "accounts.IdempotencyKey",
    "dnbmon_site.User": "accounts.User",
    "dnbmon_site.UserGroup": "accounts.UserGroup",
    "dnbmon_site.UserPermission": "accounts.UserPermission",
    "monitoring.AlertFact": "monitoring.AlertItem",
    "monitoring.DailyCount": "monitoring.DailyStat",
    "monitoring.DailyDelay": "monitoring.LatencyHistogram",
    "monitoring.DayTotal": "monitoring.DailyTotal",
    "monitoring.Dispatch": "monitoring.OutboxMessage",
    "monitoring.DispatchAttempt": "monitoring.SendAttempt",
    "monitoring.ReadMark": "monitoring.ConsumerOffset",
    "monitoring.ScoreMove": "monitoring.ScoreChange",
    "portfolio.AuditEntry": "core.AuditEntry",
    "portfolio.Export": "core.Export",
    "portfolio.KeySpending": "portfolio.ApiKeyUsage",
    "portfolio.ListCheck": "portfolio.MembershipCheck",
    "portfolio.Notice": "core.Notice",
    "portfolio.SavedFilter": "core.SavedFilter",
    "portfolio.SoloAct": "portfolio.SinglePersonAct",
    "portfolio.StoredBytes": "core.Blob",
    "portfolio.Tally": "core.CachedCount",
    "portfolio.ThrottleSlot": "portfolio.RateLimitSlot",
    "portfolio.WorkLease": "core.Lease",
}
# Columns, by the table's name of now; a foreign key's column ends with `_id`.
FIELDS: dict[str, dict[str, str]] = {
    "accounts.User": {
        "subject": "oidc_subject",
        "seen_number": "seen_sequence",
        "news_number": "news_sequence",
    },
    "core.Export": {"asked_by": "requested_by", "asked_at": "requested_at"},
    "health.Heartbeat": {"trouble": "last_error"},
    "health.Incident": {"matter": "dedup_key", "latest": "latest_detail", "loud": "notify"},
    "health.Probe": {"asked_at": "called_at"},
    "monitoring.Alert": {"hour": "rate_window", "number": "sequence", "counted_to": "last_counted"},
    "monitoring.AlertItem": {"number": "sequence"},
    "monitoring.AlertRule": {"pack": "default_key", "to_owner": "notify_owner"},
    "monitoring.Channel": {"shown": "display_address", "minimum": "min_severity", "rhythm": "frequency"},
    "monitoring.ConsumerOffset": {"reader": "consumer", "number": "position"},
    "monitoring.Delivery": {"asked_at": "called_at"},
    "monitoring.FileServer": {"keeper_id": "maintainer_id"},
    "monitoring.MailAddress": {"asked_at": "confirmation_sent_at", "asked_times": "confirmations_sent"},
    "monitoring.Publication": {"number": "sequence"},
    "monitoring.ReplayPass": {"begun_heard_at": "begun_dnb_time"},
    "monitoring.ScoreChange": {
        "falls": "consecutive_declines",
        "decline": "points_lost",
        "trail": "values",
        "is_told": "is_highlighted",
    },
    "monitoring.SendAttempt": {"dispatch_id": "message_id"},
    "monitoring.WebhookEndpoint": {"keeper_id": "maintainer_id"},
    "portfolio.Contract": {"settle": "recovery_delay"},
    "portfolio.Registration": {"failures": "consecutive_failures", "trouble": "last_error", "heard_at": "dnb_time"},
    "portfolio.Subject": {
        "wanted": "requested",
        "wanted_by": "requested_by",
        "wanted_at": "requested_at",
        "wanted_import": "requested_import",
        "told_by": "reported_by",
    },
    "portfolio.SubjectImport": {"undo_asked_by": "undo_requested_by", "undo_asker_id": "undo_requester_id"},
    "portfolio.SyncRun": {"wishes_after": "requests_after"},
}
# Rights whose name does not end with their table's: the codename, by the table's name of now.
RIGHTS: dict[str, dict[str, str]] = {}

Values = Mapping[Any, Any] | Callable[[str], str]

_LISTS = {before.lower(): now.lower() for before, now in MODELS.items()}
_KINDS = {before.rpartition(".")[2]: now.rpartition(".")[2] for before, now in _LISTS.items()}
_EVENTS = {"subject.wanted": "subject.requested", "subject.unwanted": "subject.withdrawn"}
_CHECKS = {"doubts": "in-doubt", "dispatches": "messages", "parked": "dead-messages"}
# The place of what a row of an import was found to be.
_VALIDATION = 3
CHUNK_BEGINS = b"[["


def _payload_now(payload: str) -> str:
    """What waits to be sent: alerts by the publication that raised them, events by their type."""
    message = json.loads(payload)
    if "alert" in message and "number" in message:
        message["sequence"] = message.pop("number")
    if "type" in message:
        message["type"] = _EVENTS.get(message["type"], message["type"])
    return json.dumps(message) if message != json.loads(payload) else payload


def _packed_now(data: str) -> str:
    """A chunk of an import's rows names what each was found to be; of all other bytes nothing changes."""
    packed = base64.b64decode(data)
    # Answers and files are many and large, and begin otherwise: they are not unpacked for this.
    if zstandard.ZstdDecompressor().stream_reader(packed).read(len(CHUNK_BEGINS)) != CHUNK_BEGINS:
        return data
    rows = _rows(zstandard.decompress(packed, max_output_size=1 << 24))
    if not any(row[_VALIDATION] in VALIDATIONS for row in rows):
        return data
    for row in rows:
        row[_VALIDATION] = VALIDATIONS.get(row[_VALIDATION], row[_VALIDATION])
    return base64.b64encode(zstandard.compress(json.dumps(rows).encode(), 3)).decode()


def _rows(text: bytes) -> list[Any]:
    """Of a chunk; nothing of a file that only begins like one."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return []
    is_chunk = all(isinstance(row, list) and len(row) > _VALIDATION for row in rows)
    return rows if is_chunk and all(isinstance(row[_VALIDATION], str) for row in rows) else []


# Values, by the table's name and the column's name of now.
VALUES: dict[str, dict[str, Values]] = {
    "core.AuditEntry": {"what": _KINDS, "action": ACTIONS},
    "core.Blob": {"data": _packed_now},
    "core.Export": {"listing": _LISTS, "query": query_now},
    "core.SavedFilter": {
        "listing": _LISTS,
        "query": query_now,
        "columns": words_now(COLUMNS),
    },
    "health.Incident": {"dedup_key": words_now(_CHECKS), "runbook": words_now(_CHECKS)},
    "monitoring.Delivery": {"state": DELIVERY_STATES},
    "monitoring.OutboxMessage": {
        "state": MESSAGE_STATES,
        "event_type": _EVENTS,
        "payload": _payload_now,
    },
    "monitoring.ReplayPass": {"purpose": PURPOSES},
    "monitoring.WebhookEndpoint": {"event_types": words_now(_EVENTS)},
    "portfolio.SubjectImport": {"counts": words_now(VALIDATIONS)},
}


def _change_with_source(line: dict[str, Any]) -> dict[str, Any]:
    """Places named neither step nor source: the registration, and whether a file brought it (`story_order.py`). Later
    the step had three digits."""
    place, registration = line.get("place") or "", line.get("registration_id")
    if len(place) == STORY_PLACE - 1:
        return line | {"place": f"0{place}"}
    if len(place) != LENGTH_WITHOUT_SOURCE or not registration:
        return line
    source = f"{uuid.UUID(registration).hex[:8]}{int(place[20] == WAY_OF_FILES)}"
    return line | {"place": with_step("0000" + place[:12] + source + place[12:], first_step(line["kind"]))}


def _publication_with_entries(line: dict[str, Any]) -> dict[str, Any]:
    """Its changes were all its entries."""
    return {"entry_count": line.get("change_count", 0), **line}


LENGTH_WITHOUT_SOURCE, WAY_OF_FILES = 37, "2"
# Rows of which one column follows from others, by the table's name and the columns of now.
ROWS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "monitoring.Change": _change_with_source,
    "monitoring.Publication": _publication_with_entries,
}


def label_now(label: str) -> str:
    return MODELS.get(label, label)


def labels_ever(label: str) -> list[str]:
    """What a table is called now, then what it was called before."""
    return [label, *(before for before, now in MODELS.items() if now == label)]


def line_now(label: str, line: dict[str, Any]) -> dict[str, Any]:
    """A row by the columns and with the values of now."""
    fields, values = FIELDS.get(label, {}), VALUES.get(label, {})
    by_column = ((fields.get(name, name), value) for name, value in line.items())
    found = {name: _value_now(values.get(name, {}), value) for name, value in by_column}
    return ROWS[label](found) if label in ROWS else found


def _value_now(values: Values, value: Any) -> Any:
    if callable(values):
        return values(value) if isinstance(value, str) else value
    return values.get(value, value) if isinstance(value, str | int) else value


def content_type_now(app: str, model: str) -> tuple[str, str]:
    """By its natural key, as rows name it."""
    app, _, model = _LISTS.get(f"{app}.{model}", f"{app}.{model}").partition(".")
    return app, model


def permission_now(codename: str, app: str, model: str) -> tuple[str, str, str]:
    """By its natural key: “view_export” goes with its table."""
    app_now, model_now = content_type_now(app, model)
    own = next((names for label, names in RIGHTS.items() if label.lower() == f"{app_now}.{model_now}"), {})
    action, _, named = codename.partition("_")
    usual = f"{action}_{model_now}" if named == model else codename
    return own.get(codename, usual), app_now, model_now
