"""The admin's pages of this app, each beside what it shows."""

from monitoring.alerts.admin import alerts, response_times, rules
from monitoring.company_page import admin as company_page
from monitoring.data_fetch.admin import fetches
from monitoring.decisions.admin import decisions, import_limits, reviews, tier_imports, tier_rules
from monitoring.deliveries import admin as deliveries
from monitoring.elements.admin import elements
from monitoring.exports.admin import file_servers, scheduled
from monitoring.family_tree.admin import trees
from monitoring.feed import admin as feed
from monitoring.file_intake import admin as file_intake
from monitoring.follows.admin import buttons
from monitoring.ingest.admin import dead_letters, notifications
from monitoring.outbox.admin import channels, messages
from monitoring.publications import admin as publications
from monitoring.pull.admin import registrations
from monitoring.replay import admin as replay
from monitoring.reports import admin as reports
from monitoring.stats import admin as stats
from monitoring.webhooks import admin as webhooks

__all__ = [
    "buttons",
    "channels",
    "company_page",
    "dead_letters",
    "decisions",
    "deliveries",
    "elements",
    "feed",
    "fetches",
    "import_limits",
    "alerts",
    "messages",
    "notifications",
    "publications",
    "registrations",
    "replay",
    "reports",
    "reviews",
    "response_times",
    "rules",
    "scheduled",
    "file_intake",
    "file_servers",
    "stats",
    "tier_imports",
    "tier_rules",
    "trees",
    "webhooks",
]
