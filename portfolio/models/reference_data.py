"""D&B's codes and their words, and which lists of them were fetched."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from portfolio.models.contracts import Contract

CODE_KEYS = uuid.UUID("5f1c2a0e-6a53-5c8e-9a0d-3b1d0a4c7e21")


class ReferenceCategory(models.TextChoices):
    """What words are needed for. Industries are named by D&B's code of their classification."""

    OPERATING_STATUS = "operatingStatus", _("Operating statuses")
    ENTITY_TYPE = "businessEntityType", _("Business entity types")
    LEGAL_FORM = "legalForm", _("Legal forms")
    REGISTRATION_TYPE = "registrationNumberType", _("Types of registration numbers")
    SCOPE = "informationScope", _("Scopes of figures")
    RELIABILITY = "reliability", _("Reliability of figures")
    SCORE_CLASS = "scoreClass", _("Score classes")
    US_SIC = "399", _("Industries (US SIC 1987)")
    NAICS_2022 = "37788", _("Industries (NAICS 2022)")
    NAICS_2017 = "30832", _("Industries (NAICS 2017)")
    NACE_2 = "29104", _("Industries (NACE revision 2)")
    DNB_SIC = "3599", _("Industries (D&B SIC)")


class ReferenceList(models.Model):
    """One list of codes in one language, and the call that fetched it. Without a category: D&B's list of categories,
    which is in `answer`."""

    id = CompactUUIDField(primary_key=True, editable=False)
    category = models.CharField(_("category"), max_length=32, choices=ReferenceCategory.choices, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT)
    requested_by = models.CharField(_("requested by"), max_length=200)
    requested_at = models.DateTimeField(_("requested"))
    called_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(_("updated"), null=True)
    count = models.PositiveIntegerField(_("codes"), default=0)
    error = models.TextField(_("last error"), blank=True)
    answer = models.TextField(blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("fetch_referencelist", _("Can fetch D&B's reference data"))]
        verbose_name = _("reference data list")
        verbose_name_plural = _("reference data lists")

    def __str__(self) -> str:
        return str(self.get_category_display() or _("Categories"))

    @staticmethod
    def key(category: str, language: str) -> uuid.UUID:
        return uuid.uuid5(CODE_KEYS, f"{category}\n{language}")


class ReferenceCode(models.Model):
    """The words of one of D&B's codes in one language."""

    id = CompactUUIDField(primary_key=True, editable=False)
    category = models.CharField(max_length=32)
    code = models.CharField(max_length=64)
    language = models.CharField(max_length=8)
    words = models.TextField()

    class Meta:
        default_permissions = ()
        verbose_name = _("reference code")
        verbose_name_plural = _("reference codes")
        indexes = [models.Index(fields=["category", "language", "code"], name="reference_code_by_list")]

    def __str__(self) -> str:
        return f"{self.category} {self.code}: {self.words}"

    @staticmethod
    def key(category: str, code: str, language: str) -> uuid.UUID:
        return uuid.uuid5(CODE_KEYS, f"{category}\n{code}\n{language}")
