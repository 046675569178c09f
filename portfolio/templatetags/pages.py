"""The pages' own tags and filters."""

from __future__ import annotations

from django import template

from portfolio import markup, wording

register = template.Library()
register.filter("ago", markup.ago)
register.filter("due", markup.due)
register.filter("exact", markup.exact)
register.filter("bytes_in_words", markup.bytes_in_words)
register.simple_tag(markup.badge)


@register.filter
def plural(count: int | None, one: str) -> str:
    return wording.plural(count or 0, one)


@register.filter
def counted(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
