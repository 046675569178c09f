"""A list of companies as the file that a person would have uploaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from portfolio.subjects.requests import SubjectEntry

FIELDS = ("name", "customer_reference", "tags", "owner")


def as_file(entries: Sequence[SubjectEntry]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["duns", *FIELDS])
    writer.writerows([entry.duns, *(getattr(entry, name) for name in FIELDS)] for entry in entries)
    return text.getvalue().encode()
