"""What fetching family trees would do, shown before anybody confirms it; confirmed, it begins."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from core.actors import actor_of
from core.admin.row_actions import demand
from core.ids import time_first_id
from core.visibility import is_restricted
from direct_plus.duns import usable_numbers
from monitoring.data_fetch.admin.request_page import MOST_COMPANIES
from monitoring.family_tree.plan import CannotFetchTree, TreePlan, plan_trees
from monitoring.family_tree.request import known_trees, request_trees
from monitoring.family_tree.snapshots import latest_tree, outdated_chains
from monitoring.models import FamilyTree, TreeKind
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged
from portfolio.call_budgets.confirmation import confirmed_in, planned_calls
from portfolio.models import Company

PERMISSION = "monitoring.request_familytree"


def may_fetch_trees(request: HttpRequest) -> bool:
    """Calls are paid for, and a tree shows companies of all business units."""
    return request.user.has_perm(PERMISSION) and not is_restricted(request.user)


def request_page(request: HttpRequest, companies: Sequence[str] = ()) -> HttpResponse:
    """Of a company, or of companies selected in a list."""
    demand(may_fetch_trees(request))
    given = request.POST if request.method == "POST" else request.GET
    numbers = companies or usable_numbers(given.getlist("company"))[:MOST_COMPANIES] or _outdated(given)
    kind = TreeKind.FULL if given.get("kind") == TreeKind.FULL else TreeKind.UPWARD
    key = _key_in(request.POST.get("key", ""))
    if known := known_trees(key, numbers):
        return _redirect(known)
    if "outdated" in given and not numbers:
        return _page(request, kind, {"refusal": gettext("No upward chain is outdated.")})
    try:
        plan = plan_trees(kind, numbers)
        if "confirmed" in request.POST:
            return _redirect(request_trees(plan, confirmed_in(request.POST), by=actor_of(request), key=key))
    except (CallsChanged, BudgetUsedUp) as error:
        messages.error(request, str(error))
    except CannotFetchTree as error:
        return _page(request, kind, {"refusal": str(error), "other": error.tree})
    return _page(request, kind, {**_shown(plan), "key": key or time_first_id()})


def _outdated(given: Mapping[str, str]) -> list[str]:
    return outdated_chains(MOST_COMPANIES) if "outdated" in given else []


def _redirect(trees: Sequence[FamilyTree]) -> HttpResponse:
    if len(trees) == 1:
        return HttpResponseRedirect(reverse("admin:monitoring_familytree_change", args=[trees[0].pk]))
    return HttpResponseRedirect(reverse("admin:monitoring_familytree_changelist"))


def _key_in(text: str) -> uuid.UUID | None:
    """Of the form: sent twice, it is one request."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _shown(plan: TreePlan) -> dict[str, Any]:
    is_one = len(plan.companies) == 1
    return {
        "plan": plan,
        "count": len(plan.companies),
        "numbers": plan.companies,
        "company": Company.objects.filter(pk=plan.companies[0]).first(),
        "calls": planned_calls(plan.contract, plan.calls),
        "latest": latest_tree(plan.companies[0], plan.kind) if is_one else None,
    }


def _page(request: HttpRequest, kind: TreeKind, shown: Mapping[str, Any]) -> HttpResponse:
    title = gettext("Fetch family tree") if kind == TreeKind.FULL else gettext("Fetch upward chains")
    request.current_app = admin.site.name
    context = {**admin.site.each_context(request), "title": title, "kind": kind, **shown}
    return TemplateResponse(request, "monitoring/family_tree/request.html", context)
