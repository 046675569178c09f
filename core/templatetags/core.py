"""The pages' own tags and filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core import markup, plurals, text
from core.actors import person_text
from core.text import country_name

register = template.Library()
register.filter("ago", markup.ago)
register.filter("due", markup.due)
register.filter("exact", markup.exact)
register.filter("to_the_second", markup.to_the_second)
register.filter("clock", markup.clock)
register.filter("file_size", markup.file_size)
register.filter("country", country_name)
register.filter("person", person_text)
register.filter("with_code", markup.with_code)
register.simple_tag(markup.badge)
for words in (
    *(plurals.companies, plurals.days, plurals.new_billable_companies, plurals.new_companies, plurals.numbers),
    *(plurals.proposals, plurals.removals, plurals.rows),
):
    register.filter(words.__name__, words)


@register.simple_tag
def version() -> str:
    """Which version of the program runs."""
    return str(settings.VERSION)


@register.simple_tag
def what_is(term: str, anchor: str) -> SafeString:
    """A link to the term's entry in the glossary, where a reader may hesitate."""
    link = reverse("handbook", args=["use/glossary.md"])
    return format_html('<a href="{}#{}">{}</a>', link, anchor, gettext("What does “%(term)s” mean?") % {"term": term})


@register.simple_tag(takes_context=True)
def opens(context: Mapping[str, Any], address: str) -> bool:
    """Whether this link leads the reader to a page: some pages are closed to users of business units."""
    ask = getattr(context.get("request"), "opens", None)
    return ask is None or bool(ask(address))


@register.filter
def day(moment: date | None) -> str:
    return "" if moment is None else text.day_text(moment)


@register.filter
def counted(number: int | None) -> str:
    return "" if number is None else text.counted(number)
