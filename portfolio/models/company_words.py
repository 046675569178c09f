"""The words by which companies are found."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import uuid_of

WORD_BYTES, DUNS_BYTES = 12, 4


class CompanyWord(models.Model):
    """A word of a company's name, city, references or tags: the key is its beginning, then the D-U-N-S number.

    So one small index, in the same order on every engine, leads from the beginning of a word to the companies.
    """

    key = CompactUUIDField(primary_key=True, editable=False)
    duns = models.CharField(max_length=9)

    class Meta:
        default_permissions = ()
        verbose_name = _("search word")
        verbose_name_plural = _("search words")
        indexes = [models.Index(fields=["duns"], name="word_by_company")]

    def __str__(self) -> str:
        return self.key.bytes[:WORD_BYTES].rstrip(b"\0").decode(errors="replace")

    @staticmethod
    def key_of(word: str, duns: str) -> uuid.UUID:
        begin = word.encode()[:WORD_BYTES].ljust(WORD_BYTES, b"\0")
        return uuid_of(int.from_bytes(begin) << 8 * DUNS_BYTES | int(duns))

    @staticmethod
    def keys_from(prefix: str) -> tuple[uuid.UUID, uuid.UUID]:
        """The least and the greatest key of a word that begins so."""
        begin, whole = prefix.encode()[:WORD_BYTES], WORD_BYTES + DUNS_BYTES
        return uuid.UUID(bytes=begin.ljust(whole, b"\0")), uuid.UUID(bytes=begin.ljust(whole, b"\xff"))
