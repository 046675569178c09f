"""Open alerts as tasks: the reader's own, and critical ones; with the money at stake for those who may see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from core.cached_counts import COUNTED, Numbers, OpenCounts, up_to
from dnbmon_site.dashboard.needs.need import Item, Need
from monitoring.alerts.own_alerts import own_alerts
from monitoring.models import AlertState, Severity
from portfolio.companies.columns import SEE_EXPOSURE
from portfolio.exposure.money import money_text

ORDER, LATEST = "alerts", "latest"


def is_by_exposure(request: HttpRequest) -> bool:
    """Where the reader may see money, what costs most comes first unless the latest is asked for."""
    return request.GET.get(ORDER) != LATEST and request.user.has_perm(SEE_EXPOSURE)


def own_alert_needs(request: HttpRequest, numbers: OpenCounts) -> Iterator[Need]:
    own = own_alerts(request.user)
    if count := own["open"]:
        title = ngettext("%(count)s alert is assigned to you", "%(count)s alerts are assigned to you", count)
        text = gettext("Acknowledge the alerts you work on and close those that are resolved.")
        link = reverse("admin:monitoring_alert_changelist") + "?assignee=me"
        yield _need(request, numbers, own, count, "info", title % {"count": up_to(count)}, text, link)


def critical_alert_needs(request: HttpRequest, numbers: OpenCounts) -> Iterator[Need]:
    found = numbers.of("alerts")
    if count := found.get("critical", 0):
        title = ngettext("%(count)s critical alert", "%(count)s critical alerts", count) % {"count": up_to(count)}
        link = reverse("admin:monitoring_alert_changelist")
        link += f"?state={AlertState.NEW.value}&severity={Severity.CRITICAL.value}"
        yield _need(request, numbers, found, count, "bad", title, gettext("Not acknowledged yet."), link)


def _need(
    request: HttpRequest, numbers: OpenCounts, found: Numbers, count: int, tone: str, title: str, text: str, link: str
) -> Need:
    may_see = request.user.has_perm(SEE_EXPOSURE)
    currency = numbers.of("exposure").get("currency", "") if may_see else ""
    at_stake = found.get("at_stake", 0) if currency else 0
    if at_stake:
        words = gettext("At stake: at least %(amount)s.") if count >= COUNTED else gettext("At stake: %(amount)s.")
        text = f"{text} {words % {'amount': money_text(at_stake, currency)}}"
    chosen = found.get("largest") if at_stake and is_by_exposure(request) else None
    items = [_item(one, currency) for one in chosen or found.get("newest", ())]
    other = _other_order(request) if at_stake else None
    order = (
        gettext("The latest first, because your role does not show exposure.") if not may_see and len(items) > 1 else ""
    )
    return Need(tone, title, text, link, gettext("View alerts"), items, other, order)


def _item(found: Mapping[str, Any], currency: str) -> Item:
    link = reverse("admin:monitoring_alert_change", args=[found["key"]])
    cents = found.get("exposure", 0) if currency else 0
    amount = money_text(cents, currency) if cents else ""
    return Item(found["title"], link, datetime.fromisoformat(found["raised_at"]), amount)


def _other_order(request: HttpRequest) -> tuple[str, str]:
    query = request.GET.copy()
    query.pop("part", None)
    if is_by_exposure(request):
        query[ORDER] = LATEST
        words = gettext("Show the latest first")
    else:
        query.pop(ORDER, None)
        words = gettext("Show the largest exposure first")
    return words, f"{reverse('admin:index')}?{urlencode(list(query.items()))}#needs"
