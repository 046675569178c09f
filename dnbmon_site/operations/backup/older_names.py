"""What had another name in backups in rows of earlier versions: people keep their rights, lists and rows.

Each line leads from the older name to the one of now. Where names changed twice, both older ones lead to the last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Tables. Lists, rights and audit entries that bear a table's name follow by themselves.
MODELS: dict[str, str] = {
    "dnbmon_site.ApiKey": "accounts.ApiKey",
    "dnbmon_site.IdempotencyKey": "accounts.IdempotencyKey",
    "dnbmon_site.User": "accounts.User",
    "dnbmon_site.UserGroup": "accounts.UserGroup",
    "dnbmon_site.UserPermission": "accounts.UserPermission",
    "portfolio.AuditEntry": "core.AuditEntry",
    "portfolio.Export": "core.Export",
    "portfolio.Notice": "core.Notice",
    "portfolio.SavedFilter": "core.SavedFilter",
    "portfolio.StoredBytes": "core.StoredBytes",
    "portfolio.Tally": "core.Tally",
    "portfolio.WorkLease": "core.WorkLease",
}
# Columns, by the table's name of now; a foreign key's column ends with `_id`.
FIELDS: dict[str, dict[str, str]] = {}
# Rights whose name does not end with their table's: the codename, by the table's name of now.
RIGHTS: dict[str, dict[str, str]] = {}

_LISTS = {before.lower(): now.lower() for before, now in MODELS.items()}
_KINDS = {before.rpartition(".")[2]: now.rpartition(".")[2] for before, now in _LISTS.items()}
# Values, by the table's name and the column's name of now.
VALUES: dict[str, dict[str, Mapping[Any, Any]]] = {
    "core.AuditEntry": {"what": _KINDS},
    "core.Export": {"listing": _LISTS},
    "core.SavedFilter": {"listing": _LISTS},
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
    return {name: _value_now(values.get(name, {}), value) for name, value in by_column}


def _value_now(values: Mapping[Any, Any], value: Any) -> Any:
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
