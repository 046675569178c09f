"""Ctrl-K: pages, actions, help and companies by what the reader types, only those that the reader may use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import SearchResult

from core.text import country_name
from core.visibility import is_restricted, scope_of, visible_to
from dnbmon_site.dashboard.menu import address, may_see
from dnbmon_site.dashboard.menu_entries import Text
from dnbmon_site.dashboard.navigation import GROUPS
from dnbmon_site.dashboard.onboarding import MAY_GUIDE, SHOW
from dnbmon_site.http.unit_pages import is_open
from health.help_page import GLOSSARY, glossary_words, sections_for
from portfolio.companies.conditions import OVER_LIMIT
from portfolio.companies.search import search_companies
from portfolio.imports.admin.actions import addable
from portfolio.models import Company

FOUND = 20
# Companies are searched from here on: one letter begins too many names.
SHORTEST = 2
# A single word of a question is searched from here on: shorter ones, such as “the” and “how”, stand everywhere.
TELLING = 4


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do, by the page where it is done. `words`: what else people call it."""

    title: Text
    route: str
    right: str = ""
    words: Text = ""
    query: str = ""


ACTIONS = (
    Action(
        _("Get started"),
        "admin:index",
        MAY_GUIDE,
        _("guide setup set up steps onboarding connect"),
        f"{SHOW}=show#guide",
    ),
    Action(
        _("Add companies"),
        "admin:portfolio_subjectimport_upload",
        "portfolio.add_subjectimport",
        _("import upload list D-U-N-S numbers monitor file company"),
    ),
    Action(
        _("Find a company at D&B"),
        "admin:portfolio_companysearch_find",
        "portfolio.search_company",
        _("search match name number candidates add"),
    ),
    Action(
        _("Stop monitoring companies"),
        "admin:portfolio_subjectimport_upload",
        "portfolio.add_subjectimport",
        _("remove withdraw delete company"),
        "mode=remove",
    ),
    Action(
        _("Pause pulling"),
        "admin:portfolio_registration_changelist",
        "portfolio.pull_registration",
        _("pause stop resume start registration pull"),
    ),
    Action(
        _("Create alert rule"),
        "admin:monitoring_alertrule_add",
        "monitoring.add_alertrule",
        _("add new alert rule condition"),
    ),
    Action(
        _("Add channel"),
        "admin:monitoring_channel_add",
        "monitoring.view_alert",
        _("create new notifications email chat teams slack"),
    ),
    Action(
        _("Add webhook"),
        "admin:monitoring_webhookendpoint_add",
        "monitoring.add_webhookendpoint",
        _("create new integration events"),
    ),
    Action(_("Issue API key"), "admin:accounts_apikey_add", "accounts.add_apikey", _("create new add token")),
    Action(_("Invite user"), "admin:accounts_user_add", "accounts.add_user", _("create new add person people")),
    Action(
        _("Schedule an export"),
        "admin:monitoring_scheduledexport_add",
        "monitoring.add_scheduledexport",
        _("create new add file regular"),
    ),
    Action(
        _("Schedule a report"),
        "admin:monitoring_reportschedule_add",
        "monitoring.add_reportschedule",
        _("create new add email weekly monthly"),
    ),
    Action(_("Add file server"), "admin:monitoring_fileserver_add", "monitoring.add_fileserver", _("create new sftp")),
    Action(
        _("Export companies"), "admin:portfolio_company_export", "portfolio.view_company", _("download excel csv list")
    ),
    Action(_("My notifications"), "my_notifications", words=_("follow following mentions quiet hours digest email")),
    Action(_("Time zone and language"), "preferences", words=_("settings preferences profile date format")),
    Action(_("Change password"), "admin:password_change", words=_("account sign in login")),
)

# Lists with a filter set, by what people look for.
LISTS = (
    Action(
        _("Companies above their limit"),
        "admin:portfolio_company_changelist",
        "portfolio.view_exposure",
        _("exceeded exceeds limit exposure"),
        f"exposure={OVER_LIMIT}",
    ),
    Action(
        _("Companies without known exposure"),
        "admin:portfolio_company_changelist",
        "portfolio.view_exposure",
        _("unknown no missing amount"),
        "exposure=unknown",
    ),
    Action(
        _("Companies with an overdue review"),
        "admin:portfolio_company_changelist",
        "portfolio.view_company",
        _("overdue due reviews"),
        "review=overdue",
    ),
    Action(
        _("Refused decisions"),
        "admin:monitoring_decision_changelist",
        "monitoring.view_decision",
        _("rejected declined refusal proposal"),
        "state=refused",
    ),
    Action(
        _("Companies that D&B refused"),
        "admin:portfolio_subject_changelist",
        "portfolio.view_subject",
        _("refused rejected numbers not monitored"),
        "state=refused",
    ),
    Action(
        _("Critical alerts"),
        "admin:monitoring_alert_changelist",
        "monitoring.view_alert",
        _("urgent severe warnings"),
        "severity=4",
    ),
    Action(
        _("Overdue alerts"),
        "admin:monitoring_alert_changelist",
        "monitoring.view_alert",
        _("due late past date"),
        "due=overdue",
    ),
    Action(
        _("Alerts assigned to me"),
        "admin:monitoring_alert_changelist",
        "monitoring.view_alert",
        _("my mine own alerts"),
        "assignee=me",
    ),
    Action(
        _("Decisions to confirm"),
        "admin:monitoring_decision_changelist",
        "monitoring.view_decision",
        _("awaiting confirmation proposed second person approve"),
        "state=proposed",
    ),
)


def search(request: HttpRequest) -> HttpResponse:
    """In place of unfold's, which also lists models by names that stand nowhere else, and keeps what it found."""
    text = request.GET.get("s", "").strip()
    if not text:
        return HttpResponse()
    found = Paginator(list(find(request, text)), FOUND * 3)
    context = {"page_obj": found, "results": found.page(1), "page_counter": 0, "text": text}
    return TemplateResponse(request, "unfold/helpers/command_results.html", context, headers={"HX-Trigger": "search"})


def find(request: HttpRequest, text: str) -> Iterator[SearchResult]:
    # Pages call it “login” and “to sign in”.
    words = text.casefold().replace("sign-in", "sign in").split()
    found = list(_find(request, text, words))
    yield from found or _by_one_word(request, words)


def _by_one_word(request: HttpRequest, words: list[str]) -> list[SearchResult]:
    """Where nothing has all words: what has most of those that mean something."""
    telling = [word for word in dict.fromkeys(words) if len(word) >= TELLING] if len(words) > 1 else []
    hits = [{(hit.title, hit.link): hit for hit in _find(request, "", [word])} for word in telling]
    counts = Counter(key for found in hits for key in found)
    known = {key: hit for found in hits for key, hit in found.items()}
    return [known[key] for key in sorted(counts, key=lambda key: (-counts[key], key[0].casefold() not in telling))]


def _find(request: HttpRequest, text: str, words: list[str]) -> Iterator[SearchResult]:
    """`text` is what companies are searched by; empty for pages, actions and help alone."""
    yield from _pages(request, words)
    yield from _actions(request, words)
    yield from _help(request, words)
    if len(text) >= SHORTEST:
        yield from _companies(request, text)
    if len(text or words[0]) >= SHORTEST:
        yield from _headings(request, words)
        yield from _glossary(words)


def _fits(words: list[str], *names: Text) -> bool:
    """Each typed word begins a word of the names."""
    known = " ".join(map(str, names)).casefold().replace("-", " ").split()
    known.extend(" ".join(map(str, names)).casefold().split())
    return all(any(name.startswith(word) for name in known) for word in words)


def _pages(request: HttpRequest, words: list[str]) -> Iterator[SearchResult]:
    for group in GROUPS:
        for entry in group.entries:
            for page in entry.pages:
                if _fits(words, entry.title, page.title, page.words) and may_see(request, page) and address(page):
                    above = "" if page.title == entry.title else str(entry.title)
                    yield _result(page.title, above or gettext("Page"), address(page), entry.icon)


def _actions(request: HttpRequest, words: list[str]) -> Iterator[SearchResult]:
    for actions, below, icon in ((ACTIONS, gettext("Action"), "play_arrow"), (LISTS, gettext("List"), "filter_list")):
        for action in actions:
            if _fits(words, action.title, action.words) and _may_do(request, action):
                link = reverse(action.route) + (f"?{action.query}" if action.query else "")
                yield _result(action.title, below, link, icon)


def _help(request: HttpRequest, words: list[str]) -> Iterator[SearchResult]:
    if _fits(words, gettext("Help"), gettext("documentation handbook manual")):
        yield _result(gettext("Help"), gettext("Page"), reverse("help"), "help")
    for section, pages in sections_for(request):
        for page in pages:
            if _fits(words, page.title, page.text):
                yield _result(page.title, gettext("Help: %(section)s") % {"section": section}, page.link, "help")


def _headings(request: HttpRequest, words: list[str]) -> Iterator[SearchResult]:
    for _section, pages in sections_for(request):
        for page in pages:
            for heading, anchor in page.headings:
                if _fits(words, heading):
                    place = gettext("Help: %(section)s") % {"section": page.title}
                    yield _result(heading, place, f"{page.link}#{anchor}", "help")


def _glossary(words: list[str]) -> Iterator[SearchResult]:
    link = reverse("handbook", args=[GLOSSARY])
    for word, anchor in glossary_words():
        if _fits(words, word):
            yield _result(word, gettext("Glossary"), f"{link}#{anchor}", "help")


def _may_do(request: HttpRequest, action: Action) -> bool:
    if is_restricted(request.user) and not is_open(action.route):
        return False
    if action.route == "admin:password_change":
        # People who come from an identity provider have no password here.
        return request.user.is_authenticated and request.user.has_usable_password()
    return not action.right or request.user.has_perm(action.right)


def _companies(request: HttpRequest, text: str) -> Iterator[SearchResult]:
    if not request.user.has_perm("portfolio.view_company"):
        return
    found = search_companies(text, scope_of(request.user)).duns[:FOUND]
    if not found and (number := addable(request.user, text)):
        title, below = (
            gettext("Add company %(number)s"),
            gettext("This D-U-N-S number is not in the list of companies."),
        )
        link = f"{reverse('admin:portfolio_subjectimport_upload')}?text={number}"
        yield _result(title % {"number": number}, below, link, "play_arrow")
    companies = visible_to(request.user, Company.objects.all()).in_bulk(found)
    for company in [companies[duns] for duns in found if duns in companies]:
        below = ", ".join(filter(None, [company.duns, company.city, country_name(company.country)]))
        link = reverse("admin:portfolio_company_change", args=[company.pk])
        yield _result(company.name or company.duns, below, link, "domain")


def _result(title: Text, description: str, link: str, icon: str) -> SearchResult:
    return SearchResult(title=str(title), description=description, link=link, icon=icon)
