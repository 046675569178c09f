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
READ_DECISIONS = "read:decisions"
WRITE_DECISIONS = "write:decisions"
WRITE_TIERS = "write:tiers"
SEARCH_COMPANIES = "search:companies"
WRITE_FILES = "write:files"
FETCH_REFERENCE_DATA = "fetch:reference_data"
PULL = "pull"
FETCH = "fetch"
ALERTS = "alerts"
METRICS = "metrics"
SCOPES: dict[str, str | Promise] = {
    READ: _(
        "Read companies, changes, notifications, registrations, monitored companies, imports, company searches, "
        "delivered files, data fetches, family trees, references, D&B calls, entitlements, dossiers and the contract "
        "review"
    ),
    WRITE_PORTFOLIO: _("Request companies within the key's budget, and withdraw requests"),
    WRITE_REFERENCES: _("Set and remove the IDs that other systems use for companies"),
    READ_EXPOSURE: _("Read the amounts at stake with companies"),
    WRITE_EXPOSURE: _("Set and remove the amounts at stake with companies"),
    READ_DECISIONS: _("Read decisions on companies, with the figures known when the decisions were made"),
    WRITE_DECISIONS: _("Decide on companies. Decisions that a second person must confirm are only proposed"),
    WRITE_TIERS: _("Set the tier of companies"),
    SEARCH_COMPANIES: _("Search for companies at D&B, within the call budget. Each search may be billed"),
    WRITE_FILES: _("Upload files that D&B delivered"),
    PULL: _("Start a pull of a registration without waiting for its schedule"),
    FETCH: _(
        "Fetch the data and family trees of monitored companies from D&B within the call budget, and accept or discard "
        "the data"
    ),
    FETCH_REFERENCE_DATA: _("Fetch D&B's reference data, by calls that may incur costs"),
    ALERTS: _("Read alerts and the messages about them, acknowledge, assign, snooze, close and reopen alerts"),
    METRICS: _("Read Health and metrics, for example with Prometheus"),
}


def split_scopes(text: str) -> list[str]:
    """The names in a text that separates them by commas."""
    return [name for part in text.split(",") if (name := part.strip())]


def unknown_scopes(names: Iterable[str]) -> list[str]:
    return [name for name in names if name not in SCOPES]
