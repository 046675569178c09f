"""The entry to the handbook: its pages by what a reader wants to do, and for whom they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from health.runbook_page import FOLDER, rendered

Text = str | Promise
GLOSSARY = "use/glossary.md"


@dataclass(frozen=True, slots=True)
class Section:
    """Pages of `docs/` with what each is about. `rights`: one of them makes it the reader's task."""

    title: Text
    pages: tuple[tuple[str, Text], ...]
    rights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HelpPage:
    title: str
    text: Text
    link: str
    headings: tuple[tuple[str, str], ...] = ()


SECTIONS = (
    Section(
        _("Tasks"),
        (
            ("use/connect-to-dnb.md", _("Get started: the first pull, step by step")),
            ("use/investigate-an-alert.md", _("See what changed, and decide what to do")),
            ("use/create-an-alert-rule.md", _("Be alerted to the changes that matter to you")),
            ("use/get-alerts-by-email-or-chat.md", _("Send alerts to people and chat services")),
            ("use/follow-companies.md", _("Be notified of the companies that you follow")),
            ("use/portfolio-risk.md", _("Risk, movement and concentration of all companies, on any day")),
            ("use/find-and-export.md", _("Find companies, save a filter, download a list")),
            ("use/import-a-list.md", _("Monitor more companies")),
            ("use/find-a-company.md", _("Find companies at D&B by name")),
            ("use/exposure.md", _("Add your own exposure: the money at stake")),
            ("use/review-proposals.md", _("React to mergers and deletions at D&B")),
            ("use/schedule-removals.md", _("Control the costs of the next contract year")),
            ("use/refresh-from-dnb.md", _("Refresh companies from D&B, and close a data gap")),
            ("use/family-tree.md", _("See a company's owners and its whole family tree")),
            ("use/reviews-and-decisions.md", _("Review companies, and record decisions with their reasons")),
            ("use/dossier.md", _("Document the information on a company and all actions, with their dates")),
            ("use/calls.md", _("Control calls to D&B that may incur costs")),
            ("use/close-the-month.md", _("Report changes and costs")),
            ("use/invite-a-colleague.md", _("Give a colleague access")),
            ("use/training.md", _("Explore all features with sample companies")),
        ),
    ),
    Section(
        _("Reference"),
        (
            ("use/glossary.md", _("Glossary: the meaning of each term")),
            ("use/alerts.md", _("Rules, channels and messages")),
            ("use/companies.md", _("The content of a company's page")),
            ("use/lists.md", _("Saved filters, columns, time zone and language")),
            ("use/exports.md", _("Formats and limits of files")),
            ("use/reports.md", _("The content of the weekly and monthly reports")),
            ("use/imports.md", _("Import files, validation and approvals")),
            ("use/portfolio.md", _("Comparison of D&B's list with the requested companies")),
            ("use/delivered-files.md", _("Import and validation of files from D&B")),
            ("use/roles.md", _("The permissions of each role")),
            ("use/business-units.md", _("Business units: limit users to the data of some registrations")),
        ),
    ),
    Section(
        _("Operation"),
        (
            ("operate/troubleshooting.md", _("The runbook: the meaning of each health check, and the steps to take")),
            ("operate/operations.md", _("Commands, jobs and states")),
            ("operate/configuration.md", _("The purpose of each setting")),
            ("operate/backup.md", _("Back up, restore, and erase a company")),
            ("operate/delivered-files.md", _("Receive files from D&B automatically")),
            ("operate/deployment.md", _("Install with systemd or containers")),
            ("operate/upgrade.md", _("Move to a later version")),
            ("operate/engines.md", _("SQLite, PostgreSQL or MongoDB")),
            ("operate/scaling.md", _("Run on several machines")),
            ("operate/performance.md", _("The speed of D&B Monitoring, and how to measure it")),
            ("operate/security.md", _("Threats, and the protection against them")),
            ("operate/privacy.md", _("The personal data that is stored")),
        ),
        ("health.view_incident",),
    ),
    Section(
        _("Integration"),
        (
            ("integrate/integration.md", _("Connect a CRM, an ERP system or a data platform, with examples")),
            ("integrate/api.md", _("Read and change data from your own software")),
            ("integrate/webhooks.md", _("Receive events as they happen")),
        ),
        ("monitoring.change_webhookendpoint", "accounts.view_apikey"),
    ),
)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    request.current_app = admin.site.name
    shared = {**admin.site.each_context(request), "title": gettext("Help")}
    return TemplateResponse(request, "health/help_page.html", {**shared, "sections": sections_for(request)})


def sections_for(request: HttpRequest) -> list[tuple[Text, list[HelpPage]]]:
    """Those of the reader's tasks; any page opens for all by its address."""
    found = [
        (section.title, list(_pages_of(section)))
        for section in SECTIONS
        if not section.rights or any(map(request.user.has_perm, section.rights))
    ]
    return [(title, pages) for title, pages in found if pages]


def _pages_of(section: Section) -> Iterator[HelpPage]:
    for path, text in section.pages:
        if title := title_of(path):
            yield HelpPage(title, text, reverse("handbook", args=[path]), headings_of(path))


@lru_cache(maxsize=64)
def title_of(path: str) -> str:
    """The document's own; nothing where the documents were not installed."""
    file = FOLDER / path
    return file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") if file.is_file() else ""


@lru_cache(maxsize=1)
def glossary_words() -> tuple[tuple[str, str], ...]:
    """Each word of the glossary with its anchor."""
    file = FOLDER / GLOSSARY
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return tuple(
        (word, anchor) for anchor, word in re.findall(r'^\| <a id="([^"]+)"></a>([^|]+?) \|', text, re.MULTILINE)
    )


@lru_cache(maxsize=64)
def headings_of(path: str) -> tuple[tuple[str, str], ...]:
    """Text and anchor of each part of the page."""
    file = FOLDER / path
    _title, body = rendered(file, file.stat().st_mtime)
    found = re.findall(r'<h2 id="([^"]+)">(.*?)</h2>', body)
    return tuple((unescape(strip_tags(text)), anchor) for anchor, text in found)
