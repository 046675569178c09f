"""The elements table while a delivery is read: unknown paths appear in it by themselves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from django.utils import timezone

from core.bulk import select_rows
from core.db import clean_text, insert_new
from monitoring.elements.severity import BY_KIND, IMPROVED, default_label, default_severity, severity_of_element
from monitoring.models import Element, Severity

LONGEST_PATH = 400


@lru_cache(maxsize=4096)
def element_key(path: str) -> str:
    """The path as a key: paths too long for an index end in a hash of the whole."""
    if len(path) <= LONGEST_PATH:
        return clean_text(path, LONGEST_PATH)
    digest = blake2b(path.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{clean_text(path, LONGEST_PATH - 20)}…{digest}"


class SeverityTable:
    """Severities as people set them, read once for a delivery."""

    def __init__(self) -> None:
        self._known: dict[str, Element] = {}
        self._plain: dict[str, Severity] = {}

    def learn(self, paths: Iterable[str]) -> None:
        """Load the elements of these paths; insert those never seen."""
        unknown = {element_key(path) for path in paths} - self._known.keys()
        if not unknown:
            return
        self._load(unknown)
        missing = unknown - self._known.keys()
        if missing:
            insert_new(Element, [_element(path) for path in sorted(missing)])
            self._load(missing)

    def _load(self, keys: Iterable[str]) -> None:
        self._known.update((row.path, row) for row in select_rows(Element, pk__in=list(keys)))

    def constant(self, path: str) -> Severity | None:
        """Of paths whose values make no difference, once one was asked for."""
        return self._plain.get(path)

    def of_element(self, path: str, current: Any, previous: Any = None) -> Severity:
        plain = self._plain.get(path)
        return self._by_value(path, current, previous) if plain is None else plain

    def _by_value(self, path: str, current: Any, previous: Any) -> Severity:
        element = self._known[element_key(path)]
        severity = severity_of_element(element, current, previous)
        if element.severity <= IMPROVED:
            self._plain[path] = severity
        return severity

    @staticmethod
    def of_kind(kind: str) -> Severity:
        return BY_KIND[kind]


def _element(path: str) -> Element:
    return Element(
        path=path,
        label=default_label(path)[:200],
        severity=default_severity(path),
        first_seen_at=timezone.now(),
    )
