"""The admin's pages of contracts and of what is wanted. Thin: read, call one function, show."""

from portfolio.admin import contracts, imports, proposals, subjects, syncing

__all__ = ["contracts", "imports", "proposals", "subjects", "syncing"]
