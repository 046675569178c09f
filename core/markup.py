"""Small pieces of HTML that pages share: words on a coloured ground, and times with the exact time behind."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core import text as core_text

LONGEST_CELL = 300


def badge(text: object, tone: str = "calm", title: object = "") -> SafeString:
    """A word on a coloured ground; the word says what the colour does."""
    return format_html('<span class="dm-badge dm-{}" title="{}">{}</span>', tone, title, text)


def two_lines(text: object, below: object) -> SafeString:
    """A cell of a list that may need several lines, on a phone too, with smaller words below."""
    return format_html('<span class="dm-cell">{}<small>{}</small></span>', text, below)


def with_code(text: str) -> SafeString:
    """`Names` between backticks as code, as in Markdown."""
    parts = enumerate(str(text).split("`"))
    return format_html_join("", "{}", ((format_html("<code>{}</code>", part) if n % 2 else part,) for n, part in parts))


def ago(moment: datetime | None) -> SafeString | str:
    """ "2 hours ago", with the exact time in the reader's zone as its title."""
    if moment is None:
        return ""
    return _time(moment, core_text.ago(moment))


def due(moment: datetime | None) -> SafeString | str:
    """ "in 4 minutes"; "due now" from then on."""
    if moment is None:
        return ""
    is_due = moment <= timezone.now() + timedelta(minutes=1)
    return _time(moment, gettext("due now") if is_due else core_text.ago(moment))


def overdue(moment: datetime) -> SafeString:
    """ "overdue by 4 minutes"."""
    late = core_text.span((timezone.now() - moment).total_seconds())
    return _time(moment, gettext("overdue by %(span)s") % {"span": late})


def _time(moment: datetime, text: str) -> SafeString:
    local = timezone.localtime(moment)
    day, time = date_format(local, "DATE_FORMAT"), date_format(local, "H:i:s")
    title = f"{date_format(local, 'l')}, {day}, {time} ({local.tzname()})"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), title, text)


def exact(moment: datetime | None) -> SafeString | str:
    """The time in the reader's zone, with how long ago as its title."""
    if moment is None:
        return ""
    local, title = timezone.localtime(moment), core_text.ago(moment)
    text = core_text.moment_text(moment)
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), title, text)


def to_the_second(moment: datetime | None) -> SafeString | str:
    """For what follows each other within a minute."""
    if moment is None:
        return ""
    return _time(moment, f"{core_text.day_text(timezone.localtime(moment).date())}, {clock(moment)}")


def clock(moment: datetime) -> str:
    return str(date_format(timezone.localtime(moment), "H:i:s"))


def file_size(count: int | None) -> str:
    if count is None:
        return ""
    if count < 1_000:
        return gettext("%(count)s bytes") % {"count": count}
    size, unit = (count / 1_000, "kB") if count < 1_000_000 else (count / 1_000_000, "MB")
    return f"{number_format(size, 1, force_grouping=True)} {unit}"


def cell(value: object) -> SafeString | str:
    """Any value of a row in a cell: times in the reader's zone, numbers and days as the reader's language has them."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime):
        return exact(value)
    if isinstance(value, date):
        return core_text.day_text(value)
    if isinstance(value, int):
        return core_text.counted(value)
    if isinstance(value, float):
        return core_text.amount(value)
    return format_html('<span class="dm-text-cell">{}</span>', shortened(str(value)))


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1].rstrip() + "…"
