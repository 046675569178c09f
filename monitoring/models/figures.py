"""Figures of companies over time."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import models

from core.fields import CompactDateTimeField, CompactUUIDField
from portfolio.models import Company

WORD_KEYS = uuid.UUID("6d5a1c0e-8f57-5b7b-a6c1-3d9e4b2f7a10")
COMPANIES = 1_000_000_000


def number_of_month(day: date) -> int:
    """Counted from the year 0, so that the next month has the next number."""
    return day.year * 12 + day.month - 1


class FigureMonth(models.Model):
    """A company's figures in a month: a record after each day on which one changed. A month without any has no row, or
    an empty one where there were some before."""

    # Begins with the month, so that all of a month lie together.
    key = models.BigIntegerField(primary_key=True)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, db_index=False)
    month = models.DateField()
    entries = models.BinaryField(default=b"")
    # By the database's clock: a checkpoint that was made before knows it no longer.
    changed_at = CompactDateTimeField()
    version = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["company", "month"], name="figure_month_by_company"),
            # With the key, so that rows of other months are passed by without being read.
            models.Index(fields=["changed_at", "key"], name="figure_month_by_change"),
        ]

    def __str__(self) -> str:
        return f"{self.company_id} {self.month:%Y-%m}"

    @staticmethod
    def first_key(month: date) -> int:
        """No company's is smaller in that month."""
        return number_of_month(month) * COMPANIES

    @staticmethod
    def key_of(duns: str, month: date) -> int:
        return FigureMonth.first_key(month) + int(duns)


class FigureState(models.Model):
    """What a company's figures were made of, so that what happens later needs nothing of what happened before. Written
    before the rows of months and the company's columns: whoever finds another version than it has read begins again."""

    company = models.OneToOneField(Company, on_delete=models.CASCADE, primary_key=True)
    projection = models.TextField(blank=True)
    # The record at the end of the day before that of the last event.
    before = models.BinaryField(default=b"")
    version = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.company_id)


class WordKind(models.TextChoices):
    """What records hold as numbers instead of texts."""

    RATING = "rating"
    CURRENCY = "currency"
    INDUSTRY = "industry"
    LEGAL_FORM = "legal_form"
    COUNTRY = "country"
    STATUS = "status"


class FigureWord(models.Model):
    """A text that stands in records as a number; never removed, so that every record can be read."""

    id = CompactUUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=12, choices=WordKind.choices)
    number = models.IntegerField()
    text = models.TextField()
    # Of an industry's code, its description.
    label = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "number"], name="figure_word_once_a_kind")]

    def __str__(self) -> str:
        return self.text

    @staticmethod
    def key(kind: str, text: str) -> uuid.UUID:
        return uuid.uuid5(WORD_KEYS, f"{kind}\n{text}")


class FigureCheckpoint(models.Model):
    """All companies' records at the beginning of a month, as bytes beside it: saves reading the months before. It may
    go at any time; rows that changed since it was made are read beside it."""

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    month = models.DateField()
    # By the database's clock, before the first row was read.
    made_at = CompactDateTimeField()
    companies = models.IntegerField(default=0)
    # All texts that stand in records as numbers; their rows are read only for what came later.
    words = models.TextField(blank=True)
    is_whole = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["month", "made_at"], name="figure_checkpoint_by_month")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
