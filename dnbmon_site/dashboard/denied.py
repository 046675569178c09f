"""The page that refuses: which roles permit what was asked for, as far as its address tells."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.visibility import is_restricted
from dnbmon_site.accounts.roles import ROLES, rights_of
from dnbmon_site.dashboard.menu_entries import Page
from dnbmon_site.dashboard.navigation import GROUPS
from dnbmon_site.dashboard.palette import ACTIONS
from dnbmon_site.http.unit_pages import is_open

# What the ends of the admin's names of pages ask for.
VERBS = {"changelist": "view", "change": "view", "add": "add", "delete": "delete", "history": "view", "do": "change"}
# Pages whose right is another one than their names tell.
RIGHTS = {
    "portfolio_subject_plan": "portfolio.change_subject",
    "portfolio_registration_do": "portfolio.pull_registration",
    "portfolio_registration_look": "portfolio.pull_registration",
    "portfolio_registration_pause": "portfolio.pull_registration",
    "monitoring_alert_do": "monitoring.acknowledge_alert",
    "portfolio_proposal_do": "portfolio.decide_proposal",
    "test_key": "portfolio.pull_registration",
    "dismiss_start": "portfolio.pull_registration",
    "health_job": "django_q.change_schedule",
}


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"exception": str(exception), "roles": roles_for(request)}, status=403)


def roles_for(request: HttpRequest) -> list[str]:
    """The roles that include what was asked for; none where that is not known."""
    match = request.resolver_match
    if match is None or (is_restricted(request.user) and not is_open(match.view_name)):
        return []
    right = next(_rights_of(match.url_name or ""), "")
    return [role for role in ROLES if right and right in rights_of(role, [right])]


def _rights_of(name: str) -> Iterator[str]:
    if name in RIGHTS:
        yield RIGHTS[name]
    yield from (action.right for action in ACTIONS if action.right and action.route == f"admin:{name}")
    app, _, rest = name.partition("_")
    model, _, page = rest.rpartition("_")
    if model and page in VERBS:
        yield f"{app}.{VERBS[page]}_{model}"
    yield from (page.model.replace(".", ".view_") for page in _pages() if name.startswith(page.model.replace(".", "_")))


def _pages() -> Iterator[Page]:
    for group in GROUPS:
        for entry in group.entries:
            yield from (page for page in entry.pages if page.model)
