"""The sidebar: what changed first, machinery last; each line only for those who may see it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from unfold.dataclasses import SearchResult

from portfolio.models import Company
from portfolio.searching import find_companies

FOUND = 20
GROUPS: tuple[tuple[str, bool, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "",
        False,
        (
            ("Front page", "home", ""),
            ("Alerts", "notification_important", "monitoring.alert"),
            ("Changes", "bolt", "monitoring.change"),
            ("Notifications", "notifications", "monitoring.notification"),
            ("Companies", "domain", "portfolio.company"),
            ("Registrations", "radar", "portfolio.registration"),
            ("Reports", "summarize", "monitoring.reportschedule:report"),
        ),
    ),
    (
        "Portfolio",
        False,
        (
            ("Proposals", "rule", "portfolio.proposal"),
            ("Imports", "upload_file", "portfolio.subjectimport"),
            ("Subjects", "checklist", "portfolio.subject"),
            ("Syncs", "sync", "portfolio.syncrun"),
            ("Contract year", "event_repeat", "portfolio.contract:year"),
            ("Exports", "download", "portfolio.export"),
            ("Saved filters", "bookmark", "portfolio.savedfilter"),
            ("Notices", "campaign", "portfolio.notice"),
            ("Audit", "history_edu", "portfolio.auditentry"),
        ),
    ),
    (
        "Operations",
        False,
        (
            ("Health", "monitor_heart", "health.incident:/health/"),
            ("Incidents", "warning", "health.incident"),
            ("Deliveries", "inbox", "monitoring.delivery"),
            ("Unreadable items", "report", "monitoring.deadletter"),
            ("Replays", "replay", "monitoring.replaypass"),
            ("Publications", "publish", "monitoring.publication"),
            ("Messages", "outgoing_mail", "monitoring.dispatch"),
            ("Schedules", "schedule", "django_q.schedule"),
            ("Failed tasks", "error", "django_q.failure"),
            ("Finished tasks", "task_alt", "django_q.success"),
            ("Queue", "queue", "django_q.ormq"),
            ("Daily counts", "bar_chart", "monitoring.dailycount"),
        ),
    ),
    (
        "Settings",
        False,
        (
            ("Alert rules", "rule_settings", "monitoring.alertrule"),
            ("Channels", "send", "monitoring.channel"),
            ("Webhooks", "webhook", "monitoring.webhookendpoint"),
            ("Scheduled exports", "schedule_send", "monitoring.scheduledexport"),
            ("File servers", "dns", "monitoring.fileserver"),
            ("Report schedules", "forward_to_inbox", "monitoring.reportschedule"),
            ("Words and weights", "label", "monitoring.element"),
            ("Contracts", "contract", "portfolio.contract"),
        ),
    ),
    (
        "People",
        False,
        (
            ("People", "person", "dnbmon_site.user"),
            ("Roles", "group", "auth.group"),
            ("API keys", "key", "dnbmon_site.apikey"),
            ("Sign-ins", "login", "axes.accesslog"),
            ("Failed sign-ins", "lock", "axes.accessattempt"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    groups = [
        {"title": title, "separator": bool(title), "collapsible": folds, "items": list(_items(request, lines))}
        for title, folds, lines in GROUPS
    ]
    return [group for group in groups if group["items"]]


def _items(request: HttpRequest, lines: tuple[tuple[str, str, str], ...]) -> list[dict[str, Any]]:
    found = []
    for title, icon, model in lines:
        link = _link(model)
        if link and (not model or _may_see(request, model)):
            found.append({"title": title, "icon": icon, "link": link})
    return found


def _may_see(request: HttpRequest, model: str) -> bool:
    app, _, name = model.partition(":")[0].partition(".")
    return request.user.has_perm(f"{app}.view_{name}") or request.user.has_perm(f"{app}.change_{name}")


def _link(model: str) -> str:
    """A model's list, or the page or address behind a colon; nothing for what is not there, such as the queue's
    rows where Redis holds the queue."""
    name, _, page = model.partition(":")
    if page.startswith("/"):
        return page
    try:
        return reverse(f"admin:{name.replace('.', '_')}_{page or 'changelist'}" if model else "admin:index")
    except NoReverseMatch:
        return ""


def search_companies(request: HttpRequest, text: str) -> list[SearchResult]:
    """Companies in the search of every page."""
    if not _may_see(request, "portfolio.company"):
        return []
    found = find_companies(Company.objects.all(), text)[:FOUND]
    return [
        SearchResult(
            title=company.name or company.duns,
            description=", ".join(filter(None, [company.duns, company.city, company.country])),
            link=reverse("admin:portfolio_company_change", args=[company.pk]),
            icon="domain",
        )
        for company in found
    ]
