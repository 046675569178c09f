"""Companies and their D-U-N-S numbers."""

from typing import Any

from core.db import search_name
from portfolio.companies.word_index import write_company_words
from portfolio.models import Company

DUNS = "804735132"
OTHER = "150483782"


def duns_numbers(count: int, first: int = 100_000_000) -> list[str]:
    return [f"{first + position:09d}" for position in range(count)]


def a_company(duns: str = DUNS, name: str = "Acme Ltd", **fields: Any) -> Company:
    values = {"name": name, "search_name": search_name(name), **fields}
    write_company_words([(duns, name, fields.get("city", ""))])
    return Company.objects.update_or_create(duns=duns, defaults=values)[0]
