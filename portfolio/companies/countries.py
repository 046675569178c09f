"""Countries as people write them."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django_countries import countries

# Common, and in no list of codes.
ALSO = {"UK": "GB", "U.K.": "GB", "U.S.": "US", "U.S.A.": "US", "ENGLAND": "GB", "GREAT BRITAIN": "GB"}


@lru_cache(maxsize=1024)
def country_code(text: str) -> str:
    """ "DE" for “DE”, “DEU”, “Germany” or, in the languages offered, “Deutschland”; nothing where it is none."""
    text = text.strip()
    known = ALSO.get(text.upper(), text)
    return countries.alpha2(known) or next(filter(None, (_by_name(known, code) for code, _ in settings.LANGUAGES)), "")


def _by_name(name: str, language: str) -> str:
    return str(countries.by_name(name, language=language))
