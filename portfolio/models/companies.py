"""Companies as lists show them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import PartialIndex, TextInOrderOfBytes
from portfolio.models.figures import Size

# Lists are filtered by each value, unknown too.
INDEXED = (
    *("failure_class", "delinquency_class", "rating", "industry_code", "size", "operating_status"),
    *("flags", "exposure", "tier"),
)
# Lists are sorted by the value, or filtered by a range, where it is known: a company without figures is in none of
# these indexes, neither when it is inserted nor when PostgreSQL writes its row anew.
INDEXED_WHERE_KNOWN = (
    *("failure_percentile", "delinquency_percentile", "limit_amount", "payment_index", "employees", "revenue"),
    *("last_critical_at", "next_review_on"),
)
MERGED = ~models.Q(merged_into="")


def _where_known(name: str) -> PartialIndex:
    known = models.Q((f"{name}__isnull", False))
    return PartialIndex(fields=[name, "duns"], name=f"company_{name}", condition=known)


class Tier(models.TextChoices):
    """How much depends on a company. Of one without a tier, the column is empty."""

    CRITICAL = "critical", _("Critical")
    IMPORTANT = "important", _("Important")
    NORMAL = "normal", _("Normal")


class Company(models.Model):
    """A company as lists show it. The columns are projected from history, which is the truth."""

    duns = models.CharField(primary_key=True, max_length=9)
    name = models.TextField(blank=True)
    search_name = TextInOrderOfBytes(blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    city = models.TextField(_("city"), blank=True)
    operating_status = TextInOrderOfBytes(blank=True)
    changed_at = models.DateTimeField(null=True)
    merged_into = models.CharField(max_length=9, blank=True, help_text=_("The company into which D&B merged it."))
    global_ultimate = models.CharField(
        max_length=9, blank=True, help_text=_("The company at the top of its group, as D&B reports it.")
    )
    projection = models.TextField(
        blank=True, help_text=_("Data from which the columns were filled, so that later events can be applied to it.")
    )
    sources = models.TextField(
        blank=True, editable=False, help_text=_("Registrations that report the company, by responses or by files.")
    )
    version = models.BigIntegerField(default=0)
    # Figures: unknown is null or empty, never 0. monitoring/figures/ projects them, portfolio/exposure/ the last two.
    failure_percentile = models.SmallIntegerField(_("failure score percentile"), null=True, blank=True)
    failure_class = models.SmallIntegerField(_("failure score class"), null=True, blank=True)
    failure_incidence = models.IntegerField(
        _("failure incidence"), null=True, blank=True, help_text=_("In hundredths of a percent.")
    )
    delinquency_percentile = models.SmallIntegerField(_("delinquency score percentile"), null=True, blank=True)
    delinquency_class = models.SmallIntegerField(_("delinquency score class"), null=True, blank=True)
    delinquency_incidence = models.IntegerField(
        _("delinquency incidence"), null=True, blank=True, help_text=_("In hundredths of a percent.")
    )
    rating = TextInOrderOfBytes(_("D&B rating"), blank=True)
    limit_amount = models.BigIntegerField(
        _("recommended limit"), null=True, blank=True, help_text=_("In whole units of its currency.")
    )
    limit_currency = models.CharField(_("currency of the limit"), max_length=3, blank=True)
    payment_index = models.SmallIntegerField(_("payment index"), null=True, blank=True)
    industry_code = TextInOrderOfBytes(_("industry code"), blank=True)
    industry_scheme = models.CharField(_("industry classification"), max_length=32, blank=True)
    industry = models.TextField(_("industry"), blank=True)
    legal_form = models.TextField(_("legal form"), blank=True)
    start_year = models.SmallIntegerField(_("year of start"), null=True, blank=True)
    employees = models.BigIntegerField(_("employees"), null=True, blank=True)
    revenue = models.BigIntegerField(
        _("revenue"), null=True, blank=True, help_text=_("In whole units of its currency.")
    )
    revenue_currency = models.CharField(_("currency of the revenue"), max_length=3, blank=True)
    size = models.CharField(_("size"), max_length=8, choices=Size.choices, blank=True)
    flags = models.IntegerField(_("risk flags"), null=True, blank=True)
    parent = models.CharField(_("parent"), max_length=9, blank=True)
    domestic_ultimate = models.CharField(_("domestic ultimate"), max_length=9, blank=True)
    last_critical_at = models.DateTimeField(_("last critical change"), null=True, blank=True)
    exposure = models.BigIntegerField(
        _("exposure"), null=True, blank=True, help_text=_("In cents of the reporting currency.")
    )
    exposure_unconverted = models.BooleanField(
        _("exposure incomplete"), default=False, help_text=_("Some amount has no exchange rate.")
    )
    # Users decide on these; monitoring/decisions/ writes them.
    tier = models.CharField(_("tier"), max_length=9, choices=Tier.choices, blank=True)
    tier_set_by = models.TextField(
        blank=True, editable=False, help_text=_("User who set the tier. Empty while tier rules may set it.")
    )
    tier_set_on = models.DateField(null=True, editable=False)
    next_review_on = models.DateField(_("next review"), null=True, editable=False)
    # The review that was open when the tier changed, and when that was: a later review completes it.
    kept_review_on = models.DateField(null=True, editable=False)
    kept_review_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        indexes = [
            models.Index(fields=["search_name", "duns"], name="company_by_name"),
            models.Index(fields=["changed_at", "duns"], name="company_by_change"),
            models.Index(fields=["country", "duns"], name="company_by_country"),
            PartialIndex(fields=["merged_into", "duns"], name="company_by_merger", condition=MERGED),
            models.Index(fields=["global_ultimate", "duns"], name="company_by_group"),
            *(models.Index(fields=[name, "duns"], name=f"company_{name}") for name in INDEXED),
            *map(_where_known, INDEXED_WHERE_KNOWN),
            # A cell of the risk matrix.
            models.Index(fields=["failure_class", "delinquency_class", "duns"], name="company_by_classes"),
        ]

    def __str__(self) -> str:
        return self.name or self.duns
