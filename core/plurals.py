"""A number and what it counts, in the reader's language: "1 company", "2,000 companies"."""

from __future__ import annotations

from django.utils.translation import ngettext

from core.text import counted


def calls(count: int) -> str:
    return ngettext("%(count)s call", "%(count)s calls", count) % {"count": counted(count)}


def changes(count: int) -> str:
    return ngettext("%(count)s change", "%(count)s changes", count) % {"count": counted(count)}


def companies(count: int) -> str:
    return ngettext("%(count)s company", "%(count)s companies", count) % {"count": counted(count)}


def new_companies(count: int) -> str:
    return ngettext("%(count)s new company", "%(count)s new companies", count) % {"count": counted(count)}


def new_billable_companies(count: int) -> str:
    words = ngettext("%(count)s new billable company", "%(count)s new billable companies", count)
    return words % {"count": counted(count)}


def days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": counted(count)}


def lines(count: int) -> str:
    return ngettext("%(count)s line", "%(count)s lines", count) % {"count": counted(count)}


def minutes(count: int) -> str:
    return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": counted(count)}


def numbers(count: int) -> str:
    return ngettext("%(count)s number", "%(count)s numbers", count) % {"count": counted(count)}


def proposals(count: int) -> str:
    return ngettext("%(count)s proposal", "%(count)s proposals", count) % {"count": counted(count)}


def removals(count: int) -> str:
    return ngettext("%(count)s removal", "%(count)s removals", count) % {"count": counted(count)}


def rows(count: int) -> str:
    return ngettext("%(count)s row", "%(count)s rows", count) % {"count": counted(count)}
