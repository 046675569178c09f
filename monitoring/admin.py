"""The admin's pages of this app, each beside what it shows."""

from monitoring.alerts.admin import inbox, rules
from monitoring.company_page import admin as company_page
from monitoring.elements.admin import elements
from monitoring.exports.admin import scheduled, sftp_servers
from monitoring.feed import admin as feed
from monitoring.ingest.admin import dead_letters, notifications
from monitoring.outbox.admin import channels, messages
from monitoring.publications import admin as publications
from monitoring.pull.admin import deliveries, registrations
from monitoring.replay import admin as replay
from monitoring.reports import admin as reports
from monitoring.stats import admin as stats
from monitoring.webhooks import admin as webhooks

__all__ = [
    "channels",
    "company_page",
    "dead_letters",
    "deliveries",
    "elements",
    "feed",
    "inbox",
    "messages",
    "notifications",
    "publications",
    "registrations",
    "replay",
    "reports",
    "rules",
    "scheduled",
    "sftp_servers",
    "stats",
    "webhooks",
]
