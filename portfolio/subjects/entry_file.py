"""A list of companies as the file that a person would have uploaded, with the numbers as they were written."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from portfolio.companies.duns_lists import COMMENT
from portfolio.subjects.requests import SubjectEntry

FIELDS = ("name", "customer_reference", "tags", "owner")


def as_file(entries: Sequence[SubjectEntry], written: Mapping[str, str] | None = None) -> bytes:
    texts = {duns: text for duns, text in (written or {}).items() if COMMENT not in text}
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["duns", *FIELDS])
    writer.writerows(
        [texts.get(entry.duns, entry.duns), *(getattr(entry, name) for name in FIELDS)] for entry in entries
    )
    return file.getvalue().encode()
