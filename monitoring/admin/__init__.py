"""The admin's pages of registrations, companies and what D&B says about them. Thin: read, call one function, show."""

from monitoring.admin import (
    alerts,
    changes,
    channels,
    companies,
    deliveries,
    elements,
    file_servers,
    notifications,
    records,
    registrations,
    reports,
    rules,
    scheduled_exports,
    unreadable,
    webhooks,
)

__all__ = [
    "alerts",
    "changes",
    "channels",
    "companies",
    "deliveries",
    "elements",
    "file_servers",
    "notifications",
    "records",
    "registrations",
    "reports",
    "rules",
    "scheduled_exports",
    "unreadable",
    "webhooks",
]
