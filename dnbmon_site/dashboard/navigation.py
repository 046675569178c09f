"""The sidebar: what changed first, machinery last; each line only for those who may see it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import SearchResult

from core.cached_counts import up_to
from core.text import country_name
from monitoring.alerts.own_alerts import own_alerts
from portfolio.companies.search import find_companies
from portfolio.models import Company

FOUND = 20
Line = tuple[str | Promise, str, str]
GROUPS: tuple[tuple[str | Promise, bool, tuple[Line, ...]], ...] = (
    (
        "",
        False,
        (
            (_("Front page"), "home", ""),
            (_("Alerts"), "notification_important", "monitoring.alert"),
            (_("Changes"), "bolt", "monitoring.change"),
            (_("Notifications"), "notifications", "monitoring.notification"),
            (_("Companies"), "domain", "portfolio.company"),
            (_("Registrations"), "radar", "portfolio.registration"),
            (_("Reports"), "summarize", "monitoring.reportschedule:report"),
        ),
    ),
    (
        _("Portfolio"),
        False,
        (
            (_("Proposals"), "rule", "portfolio.proposal"),
            (_("Imports"), "upload_file", "portfolio.subjectimport"),
            (_("Subjects"), "checklist", "portfolio.subject"),
            (_("Syncs"), "sync", "portfolio.syncrun"),
            (_("Contract year"), "event_repeat", "portfolio.contract:year"),
            (_("Exports"), "download", "core.export"),
            (_("Saved filters"), "bookmark", "core.savedfilter"),
            (_("Notices"), "campaign", "core.notice"),
            (_("Audit"), "history_edu", "core.auditentry"),
        ),
    ),
    (
        _("Operations"),
        False,
        (
            (_("Health"), "monitor_heart", "health.incident:/health/"),
            (_("Incidents"), "warning", "health.incident"),
            (_("Deliveries"), "inbox", "monitoring.delivery"),
            (_("Unreadable items"), "report", "monitoring.deadletter"),
            (_("Replays"), "replay", "monitoring.replaypass"),
            (_("Publications"), "publish", "monitoring.publication"),
            (_("Messages"), "outgoing_mail", "monitoring.outboxmessage"),
            (_("Schedules"), "schedule", "django_q.schedule"),
            (_("Failed tasks"), "error", "django_q.failure"),
            (_("Finished tasks"), "task_alt", "django_q.success"),
            (_("Queue"), "queue", "django_q.ormq"),
            (_("Daily counts"), "bar_chart", "monitoring.dailystat"),
        ),
    ),
    (
        _("Settings"),
        False,
        (
            (_("Alert rules"), "rule_settings", "monitoring.alertrule"),
            (_("Channels"), "send", "monitoring.channel"),
            (_("Webhooks"), "webhook", "monitoring.webhookendpoint"),
            (_("Scheduled exports"), "schedule_send", "monitoring.scheduledexport"),
            (_("File servers"), "dns", "monitoring.fileserver"),
            (_("Report schedules"), "forward_to_inbox", "monitoring.reportschedule"),
            (_("Data elements"), "label", "monitoring.element"),
            (_("Contracts"), "contract", "portfolio.contract"),
        ),
    ),
    (
        _("People"),
        False,
        (
            (_("People"), "person", "accounts.user"),
            (_("Roles"), "group", "auth.group"),
            (_("API keys"), "key", "accounts.apikey"),
            (_("Sign-ins"), "login", "axes.accesslog"),
            (_("Failed sign-ins"), "lock", "axes.accessattempt"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    groups = [
        {"title": title, "separator": bool(title), "collapsible": folds, "items": list(_items(request, lines))}
        for title, folds, lines in GROUPS
    ]
    return [group for group in groups if group["items"]]


def _items(request: HttpRequest, lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    found = []
    for title, icon, model in lines:
        link = _link(model)
        if link and (not model or _may_see(request, model)):
            found.append({"title": title, "icon": icon, "link": link, "badge": _badge(request, model)})
    return found


def _badge(request: HttpRequest, model: str) -> str:
    """The number of open alerts that are the reader's own."""
    count = own_alerts(request.user)["open"] if model == "monitoring.alert" else 0
    return up_to(count) if count else ""


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
            description=", ".join(filter(None, [company.duns, company.city, country_name(company.country)])),
            link=reverse("admin:portfolio_company_change", args=[company.pk]),
            icon="domain",
        )
        for company in found
    ]
