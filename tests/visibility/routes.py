"""Every address of the site, as its URL table has it: a new page is among them without being named here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

PARAMETER = re.compile(r"<(?:[^>:]+:)?(\w+)>")
# Leads to unknown addresses only.
CATCH_ALL = {"(?P<url>.*)$", "^(?P<url>.*)$", ""}


@dataclass(frozen=True, slots=True)
class Route:
    """`path` has its parameters in braces."""

    path: str
    parameters: tuple[str, ...] = ()

    def filled(self, values: Mapping[str, Any]) -> str:
        return self.path.format(**values)


def all_routes() -> list[Route]:
    found = {route.path: route for route in _routes(get_resolver().url_patterns, "/")}
    return sorted(found.values(), key=lambda route: route.path)


def _routes(patterns: Any, prefix: str) -> Iterator[Route]:
    for pattern in patterns:
        text = _text_of(pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, prefix + text)
        elif isinstance(pattern, URLPattern) and (text or isinstance(pattern.pattern, RoutePattern)):
            path = prefix + text
            yield Route(path, tuple(re.findall(r"{(\w+)}", path)))


def _text_of(pattern: Any) -> str:
    """With parameters in braces; of a regular expression, nothing but its parameters and letters."""
    text = str(pattern.pattern)
    if isinstance(pattern.pattern, RoutePattern):
        return PARAMETER.sub(r"{\1}", text)
    if text in CATCH_ALL:
        return ""
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", text).strip("^$")
