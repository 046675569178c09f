"""What an API key may do: each scope with the sentence shown beside its checkbox."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

READ = "read"
WRITE_PORTFOLIO = "write:portfolio"
WRITE_REFERENCES = "write:references"
READ_EXPOSURE = "read:exposure"
WRITE_EXPOSURE = "write:exposure"
FETCH_REFERENCE_DATA = "fetch:reference_data"
PULL = "pull"
ALERTS = "alerts"
METRICS = "metrics"
SCOPES: dict[str, str | Promise] = {
    READ: _(
        "Read companies, changes, notifications, registrations, monitored companies, imports, references and D&B calls"
    ),
    WRITE_PORTFOLIO: _("Add monitored companies within the key's budget, and remove them"),
    WRITE_REFERENCES: _("Set and remove the IDs that other systems use for companies"),
    READ_EXPOSURE: _("Read the amounts at stake with companies"),
    WRITE_EXPOSURE: _("Set and remove the amounts at stake with companies"),
    FETCH_REFERENCE_DATA: _("Fetch D&B's reference data, by calls that may cost"),
    PULL: _("Pull a registration immediately instead of waiting for its schedule"),
    ALERTS: _("Read, acknowledge and close alerts"),
    METRICS: _("Read health and metrics, for a monitoring system"),
}


def split_scopes(text: str) -> list[str]:
    """The names in a text that separates them by commas."""
    return [name for part in text.split(",") if (name := part.strip())]


def unknown_scopes(names: Iterable[str]) -> list[str]:
    return [name for name in names if name not in SCOPES]
