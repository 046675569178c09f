"""Beside an import of amounts: the companies whose limit its amounts exceed, or would exceed once it is applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from core.text import counted
from monitoring.decisions.over_limit import OverLimit, over_limit_with
from portfolio.exposure.admin.page_context import BESIDE_AMOUNTS
from portfolio.exposure.money import money_text
from portfolio.exposure.rates import exposure_settings
from portfolio.models import ExposureImport, ImportState

NAMED = 3


def limits_beside(request: HttpRequest, row: ExposureImport) -> Mapping[str, Any]:
    """For readers of decisions: all who open an import may see amounts."""
    if not request.user.has_perm("monitoring.view_decision"):
        return {}
    found = over_limit_with(row)
    return {"over_limit": _title(row, len(found)), "over_limit_each": _each(row, found)} if found else {}


def _title(row: ExposureImport, count: int) -> str:
    if row.state == ImportState.APPLIED:
        words = ngettext(
            "%(count)s company of this import exceeds its limit.",
            "%(count)s companies of this import exceed their limits.",
            count,
        )
    else:
        words = ngettext(
            "%(count)s company would exceed its limit once the import is applied.",
            "%(count)s companies would exceed their limits once the import is applied.",
            count,
        )
    return words % {"count": counted(count)}


def _each(row: ExposureImport, found: list[OverLimit]) -> list[str]:
    """Of the first, by how much."""
    currency = exposure_settings().reporting_currency
    if row.state == ImportState.APPLIED:
        words = gettext("%(company)s exceeds its limit of %(limit)s by %(excess)s.")
    else:
        words = gettext("%(company)s would exceed its limit of %(limit)s by %(excess)s.")
    more = gettext("And %(count)s more.") % {"count": counted(len(found) - NAMED)} if len(found) > NAMED else ""
    amounts = [(one, money_text(one.limit, currency), money_text(one.excess, currency)) for one in found[:NAMED]]
    lines = [
        words % {"company": one.name or one.duns, "limit": limit, "excess": excess} for one, limit, excess in amounts
    ]
    return [*lines, more] if more else lines


BESIDE_AMOUNTS.append(limits_beside)
