"""The admin's pages of registrations, companies and what D&B says about them. Thin: read, call one function, show."""

from monitoring.admin import changes, companies, deliveries, elements, notifications, records, registrations, unreadable

__all__ = ["changes", "companies", "deliveries", "elements", "notifications", "records", "registrations", "unreadable"]
