"""The admin's pages of contracts and of what is wanted. Thin: read, call one function, show."""

from portfolio.admin import audit, contracts, exports, imports, notices, proposals, saved_filters, subjects, syncing

__all__ = ["audit", "contracts", "exports", "imports", "notices", "proposals", "saved_filters", "subjects", "syncing"]
