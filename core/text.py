"""Text as people read it: spans, moments, counted nouns, countries."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext_lazy
from django_countries import countries


def country_name(code: str) -> str:
    """ "United Kingdom" for "GB"; a code that nobody knows stays as it is."""
    return str(countries.name(code) or code)


def is_clean(text: str) -> bool:
    """Whether every engine takes it: no NUL and no lone surrogates."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def days_and_hours(span: timedelta) -> str:
    """ "2 d 4 h", "3 h 10 min", "5 min"."""
    minutes = max(int(span.total_seconds() // 60), 0)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return gettext("%(days)s d %(hours)s h") % {"days": days, "hours": hours}
    words = gettext("%(hours)s h %(minutes)s min") if hours else gettext("%(minutes)s min")
    return words % {"hours": hours, "minutes": rest}


def moment_text(moment: datetime) -> str:
    return str(date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT"))


def with_full_stop(text: str) -> str:
    """One alone, also after “p.m.”."""
    return text if text.endswith(".") else f"{text}."


def restart_text() -> str:
    """Services and containers have commands of their own, which administrators know."""
    if settings.PRODUCTION:
        return gettext("Then restart D&B Monitoring.")
    return gettext(
        "Then restart D&B Monitoring: press Ctrl-C or run “make stop”, and run the same “make start” command again."
    )


def day_text(day: date) -> str:
    return str(date_format(day, "SHORT_DATE_FORMAT"))


A_MOMENT = 60
SPANS = (
    (31_557_600, ngettext_lazy("%(count)s year", "%(count)s years", "count")),
    (2_629_800, ngettext_lazy("%(count)s month", "%(count)s months", "count")),
    (86_400, ngettext_lazy("%(count)s day", "%(count)s days", "count")),
    (3_600, ngettext_lazy("%(count)s hour", "%(count)s hours", "count")),
    (A_MOMENT, ngettext_lazy("%(count)s minute", "%(count)s minutes", "count")),
)


INTERVALS = (
    (1440, ngettext_lazy("every day", "every %(count)s days", "count")),
    (60, ngettext_lazy("every hour", "every %(count)s hours", "count")),
    (1, ngettext_lazy("every minute", "every %(count)s minutes", "count")),
)


def ago(moment: datetime, now: datetime | None = None) -> str:
    """ "2 hours ago", "in 3 days", "just now"."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    if abs(seconds) < A_MOMENT:
        return gettext("just now")
    words = gettext("%(span)s ago") if seconds > 0 else gettext("in %(span)s")
    return words % {"span": span(abs(seconds))}


def span(seconds: float) -> str:
    """The largest unit that fits, in words."""
    for size, words in SPANS:
        if seconds >= size:
            count = int(seconds // size)
            return words % {"count": count}
    return gettext("a moment")


def interval_text(minutes: int) -> str:
    """ "every 5 minutes", "every hour", "every 2 days": in the largest unit without a rest."""
    size, words = next((one for one in INTERVALS if minutes and minutes % one[0] == 0), INTERVALS[-1])
    return words % {"count": minutes // size}


def plural(count: int, one: str, many: str | None = None) -> str:
    """ "1 change", "2,000 changes", in English: for commands and programs. Pages count with `plurals.py`."""
    return f"{counted(count)} {one if count == 1 else many or one + 's'}"


def amount(number: float) -> str:
    """ "1,234,567", or "9.40" where it is no whole number."""
    return counted(int(number)) if number.is_integer() else str(number_format(number, 2, force_grouping=True))


def counted(number: int) -> str:
    """ "1,234,567", with the separator of the reader's language."""
    return str(number_format(number, force_grouping=True))
