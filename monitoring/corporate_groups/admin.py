"""The page of a corporate group, at `/portfolio/group/<D-U-N-S number of its global ultimate>/`."""

from __future__ import annotations

import re

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from core.visibility import Scope, scope_of
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.company_page.risk import OpenAlerts, open_alerts_of
from monitoring.corporate_groups.view_data import GroupPage, group_page, head_of
from monitoring.follows.admin.buttons import follow_button
from monitoring.models import FollowKind
from portfolio.companies.columns import exposure_in
from portfolio.exposure.rates import exposure_settings
from portfolio.models import Company

NINE_DIGITS = re.compile("[0-9]{9}")
MAY_SEE = "portfolio.view_company"
MAY_SEE_ALERTS = "monitoring.view_alert"
# Of more, the page names those of the first.
MOST_MEMBERS = 500
MAY_SEE_EXPOSURE = "portfolio.view_exposure"


@require_safe
def page(request: HttpRequest, duns: str) -> HttpResponse:
    """The address of a member leads to its group, unless the one that it names is a member of another."""
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
    is_number = NINE_DIGITS.fullmatch(duns)
    scope = scope_of(request.user)
    if is_number and (top := head_of(duns, scope)) != duns:
        return HttpResponseRedirect(reverse("corporate_group", args=[top]))
    group = group_page(duns, scope) if is_number else None
    if group is None:
        raise Http404(gettext("D&B Monitoring has no company of this group."))
    request.current_app, currency = admin.site.name, exposure_settings().reporting_currency
    context = {
        **admin.site.each_context(request),
        "opts": Company._meta,
        "title": group.name,
        "group": group,
        "with_exposure": request.user.has_perm(MAY_SEE_EXPOSURE),
        "currency": currency,
        "exposure_heading": exposure_in(currency),
        "alerts": _open_alerts(request, group, scope),
        "follow": follow_button(request, FollowKind.GROUP, duns),
    }
    return TemplateResponse(request, "monitoring/corporate_groups/group.html", context)


def _open_alerts(request: HttpRequest, group: GroupPage, scope: Scope) -> OpenAlerts | None:
    if not request.user.has_perm(MAY_SEE_ALERTS):
        return None
    return open_alerts_of([row.duns for row in group.monitored][:MOST_MEMBERS], scope, as_seen_by)
