"""What the page and the list of companies offer: their tier, the next review, the decision that holds."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from core import plurals
from core.actors import actor_of
from core.admin.row_actions import CSRF_FIELD, Outcome, chosen_rows, demand
from core.visibility import is_restricted
from monitoring.decisions.admin.decisions import DECIDE
from monitoring.decisions.current import TIER_TONES, key_of, standing_of
from monitoring.decisions.reviews import LONGEST_NOTE, mark_reviewed
from monitoring.decisions.tiers import MOST_BY_HAND, NONE, release_tier, set_tier, tier_of, tier_text
from monitoring.decisions.work import start_update
from portfolio.imports.states import Refused
from portfolio.models import Company, Tier

SET_TIER = "monitoring.change_tier"
BY_RULES = "rules"


def review(request: HttpRequest, row: Company) -> Outcome:
    try:
        seen = key_of(request.POST.get("seen", ""))
        mark_reviewed(row, seen=seen, note=request.POST.get("note", ""), by=actor_of(request))
    except Refused as error:
        return messages.ERROR, str(error)
    return gettext("Review completed.")


def change_tier(request: HttpRequest, row: Company) -> Outcome:
    word = request.POST.get("tier", "")
    if word == BY_RULES:
        release_tier(row, by=actor_of(request))
        start_update()
        return gettext("Tier rules set the tier from now on.")
    try:
        tier = tier_of(word)
    except Refused as error:
        return messages.ERROR, str(error)
    set_tier([row], tier=tier, by=actor_of(request))
    return gettext("Tier saved: %(tier)s.") % {"tier": tier_text(tier)}


ACTIONS = {"review": review, "tier": change_tier}
RIGHTS = {"review": DECIDE, "tier": SET_TIER}


def may_set_tier(request: HttpRequest) -> bool:
    """A tier is the company's, in all business units."""
    return request.user.has_perm(SET_TIER) and not is_restricted(request.user)


def part_of(request: HttpRequest, company: Company) -> dict[str, Any] | None:
    """The part of a company's page: shared by all business units that hold the company."""
    if not request.user.has_perm("monitoring.view_decision"):
        return None
    return {
        "standing": standing_of(company),
        "tiers": [*Tier.choices, (NONE, tier_text(""))],
        "tier_now": company.tier or NONE,
        "tier_tone": TIER_TONES[Tier(company.tier)] if company.tier else "calm",
        "longest_note": LONGEST_NOTE,
        "may_decide": request.user.has_perm(DECIDE),
        "may_set_tier": may_set_tier(request),
    }


def set_tiers_page(request: HttpRequest, companies: QuerySet[Company]) -> HttpResponse | None:
    """For the selected companies: their number and the tier are asked first."""
    demand(may_set_tier(request))
    rows = chosen_rows(request, companies.order_by("pk"), MOST_BY_HAND)
    if not rows:
        return None
    word, number = request.POST.get("tier", ""), request.POST.get("count", "")
    if word and number == str(len(rows)):
        return _set(request, rows, word)
    return _ask(request, rows, is_outdated=bool(word))


def _set(request: HttpRequest, rows: list[Company], word: str) -> HttpResponse:
    try:
        changed = set_tier(rows, tier=tier_of(word), by=actor_of(request))
        words = gettext("Tier saved. Changed for %(companies)s.")
        messages.success(request, words % {"companies": plurals.companies(changed)})
    except Refused as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(request.get_full_path())


def _ask(request: HttpRequest, rows: list[Company], *, is_outdated: bool) -> HttpResponse:
    asked = ("tier", "count", CSRF_FIELD)
    context = {
        "title": gettext("Set the tier of %(companies)s") % {"companies": plurals.companies(len(rows))},
        "rows": rows[:20],
        "more": max(len(rows) - 20, 0),
        "by_hand": sum(bool(row.tier_set_by) for row in rows),
        "count": len(rows),
        "tiers": [*Tier.choices, (NONE, tier_text(""))],
        "is_outdated": is_outdated,
        "fields": [(name, one) for name, values in request.POST.lists() for one in values if name not in asked],
        "back": request.get_full_path(),
    }
    request.current_app = admin.site.name
    page = "monitoring/decisions/set_tiers.html"
    return TemplateResponse(request, page, {**admin.site.each_context(request), **context})
