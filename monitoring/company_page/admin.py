"""Companies: found by number or name, and the page of one: its risk, its history, its owners, its data."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import KeyChangeList, ReadOnlyAdmin
from core.admin.filters import start_of
from core.admin.lists import ChosenChangeList, ChosenList
from core.admin.row_actions import RowActions, chosen_rows
from core.bulk import among
from core.lists.listings import Column
from core.lists.saved_filters import COLUMNS, columns_of
from core.markup import ago, badge
from core.text import counted, country_name
from core.visibility import is_restricted, scope_of, visible_to
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.company_page.exposure import at_stake, may_set_amount
from monitoring.company_page.risk import open_alerts, with_signal
from monitoring.company_page.summary import status_tone, status_words
from monitoring.company_page.tabs import OWNERSHIP, address_of, tab_of, tabs
from monitoring.company_page.view_data import company_page
from monitoring.data_fetch.admin.request_page import MOST_COMPANIES, PERMISSION, request_page
from monitoring.decisions.admin import company as decisions
from monitoring.family_tree.admin.request_page import may_fetch_trees
from monitoring.family_tree.admin.request_page import request_page as request_trees
from monitoring.family_tree.ownership import ownership_of
from monitoring.follows.admin.buttons import follow_button
from monitoring.follows.admin.mentions import notify_of
from monitoring.follows.mentionable import mentionable_in_notes
from monitoring.follows.mentions import with_names
from monitoring.history.company_projection import STATUS
from monitoring.models import FollowKind
from portfolio.companies.columns import COLUMN_ORDER, OF_OVER_LIMIT, SEE_EXPOSURE
from portfolio.companies.conditions import OVER_LIMIT
from portfolio.companies.filters import BY_NUMBER, COMPANY_FILTERS, ORDER_OF, SCORE_CLASSES, ExposureFilter
from portfolio.companies.known_first import known_first
from portfolio.companies.notes import add_note, describe_company, may_remove, remove_note
from portfolio.companies.owners import unreachable_text
from portfolio.companies.search import MOST, found_among, search_companies
from portfolio.imports.admin.actions import UPLOAD, addable
from portfolio.imports.admin.selection import stop_monitoring
from portfolio.models import Company, CompanyNote
from portfolio.proposals.pending import pending_proposal
from portfolio.registrations.filters import MemberFilter
from portfolio.visibility import left_on

# D&B sends nothing more under such a company's number.
GONE = frozenset(STATUS.values())
MAY_NOTE = "portfolio.add_companynote"
MAY_DESCRIBE = "portfolio.change_subject"
MAY_SEE_ALERTS = "monitoring.view_alert"
MAY_SEE_TREES = "monitoring.view_familytree"

BY_EXPOSURE = ("-exposure", "-duns")
# What the search notes at the request.
LEAVES_OUT = "search_leaves_out"


def status_badge(company: Company) -> SafeString | str:
    return (
        badge(status_words(company.operating_status), status_tone(company.operating_status))
        if company.operating_status
        else ""
    )


def note(request: HttpRequest, row: Company) -> str:
    written = add_note(
        company=row, text=request.POST.get("text", ""), by=request.user.get_username(), scope=scope_of(request.user)
    )
    if written:
        notify_of(request, [written])
    return gettext("Note added.") if written else gettext("The note was empty. Enter a text and add it again.")


def remove(request: HttpRequest, row: Company) -> str:
    try:
        rows = CompanyNote.objects.filter(pk=uuid.UUID(request.POST.get("key", "")), company=row.pk)
    except ValueError:
        raise Http404(gettext("The note does not exist.")) from None
    found = visible_to(request.user, rows).first()
    may_all = request.user.has_perm("portfolio.delete_companynote")
    if found and not may_remove(found, request.user.get_username(), may_all=may_all):
        raise PermissionDenied
    gone = found and remove_note(company=row, key=found.pk, by=request.user.get_username())
    return gettext("Note removed. The audit log keeps its text.") if gone else gettext("The note was already removed.")


def describe(request: HttpRequest, row: Company) -> str:
    tags, owner = request.POST.get("tags", ""), request.POST.get("owner", "")
    by, scope = request.user.get_username(), scope_of(request.user)
    changed = describe_company(company=row, tags=tags, owner=owner, by=by, scope=scope)
    if warning := unreachable_text(owner):
        messages.warning(request, warning)
    return (
        ngettext("Saved in %(count)s registration.", "Saved in %(count)s registrations.", changed)
        % {"count": counted(changed)}
        if changed
        else gettext("No changes to save.")
    )


ACTIONS = {"note": note, "remove-note": remove, "describe": describe, **decisions.ACTIONS}
RIGHTS = {"note": MAY_NOTE, "remove-note": MAY_NOTE, "describe": MAY_DESCRIBE, **decisions.RIGHTS}


class CompanyChangeList(ChosenChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.most = MOST if getattr(request, LEAVES_OUT, False) else 0
        self.addable = addable(request.user, self.query)

    def page_rows(self) -> Any:
        """In an order that a reader has chosen, unknown figures come last; a filter's own order has none."""
        by_exposure = tuple(map(str, self.queryset.query.order_by)) == BY_EXPOSURE
        if ORDER_VAR not in self.params and not by_exposure:
            return super().page_rows()
        start = (self.page_num - 1) * self.list_per_page if self.multi_page else 0
        return known_first(self.queryset, start, start + self.list_per_page)


@admin.register(Company)
class CompanyAdmin(RowActions, ChosenList, ReadOnlyAdmin):
    list_display = ("shown_name", "number", "shown_city", "shown_country", "status", "last_change")
    usual_columns = ("name", "duns", "city", "country_name", "operating_status", "changed_at")
    cells = {
        **{"shown_name": ("name",), "number": ("duns",), "shown_city": ("city",), "shown_country": ("country_name",)},
        **{"status": ("operating_status",), "last_change": ("changed_at",)},
    }
    list_filter = (MemberFilter, *COMPANY_FILTERS)
    search_fields = ("name",)
    search_help_text = _("Name, city, D-U-N-S number, own reference, ID in another system or tag")
    # The page of a company leads to no neighbours in the list: each link with its filters costs as much as a cell.
    preserve_filters = False
    sortable_by = ("shown_name", "number", "shown_country", "status", "last_change")
    column_order = COLUMN_ORDER
    largest_first = ("exposure", "limit_amount", "revenue", "employees")
    row_actions = ACTIONS
    actions = ("fetch_selected", "fetch_chains", "set_tier_of_selected", "stop_selected")
    list_before_template = "monitoring/company_page/companies_intro.html"
    page_template = "monitoring/company_page/company.html"
    empty_title = _("No companies")
    empty_template = "monitoring/company_page/companies_empty.html"

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(UPLOAD) and not is_restricted(request.user)

    def has_fetch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION) and not is_restricted(request.user)

    def has_tier_permission(self, request: HttpRequest) -> bool:
        return decisions.may_set_tier(request)

    @admin.action(description=_("Set tier…"), permissions=["tier"])
    def set_tier_of_selected(self, request: HttpRequest, queryset: QuerySet[Company]) -> HttpResponse | None:
        return decisions.set_tiers_page(request, queryset)

    @admin.action(description=_("Refresh from D&B…"), permissions=["fetch"])
    def fetch_selected(self, request: HttpRequest, queryset: QuerySet[Company]) -> HttpResponse | None:
        found = chosen_rows(request, queryset.order_by().values_list("duns", flat=True), MOST_COMPANIES)
        return request_page(request, found) if found else None

    def has_tree_permission(self, request: HttpRequest) -> bool:
        return may_fetch_trees(request)

    @admin.action(description=_("Fetch upward chains…"), permissions=["tree"])
    def fetch_chains(self, request: HttpRequest, queryset: QuerySet[Company]) -> HttpResponse | None:
        found = chosen_rows(request, queryset.order_by().values_list("duns", flat=True), MOST_COMPANIES)
        return request_trees(request, found) if found else None

    @admin.action(description=_("Stop monitoring…"), permissions=["import"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[Company]) -> HttpResponse:
        return stop_monitoring(request, queryset.order_by().values_list("duns", flat=True))

    @admin.display(description=_("Name"), ordering="search_name")
    def shown_name(self, company: Company) -> str:
        return company.name or gettext("Name not known yet (%(duns)s)") % {"duns": company.duns}

    @admin.display(description="D-U-N-S", ordering="duns")
    def number(self, company: Company) -> str:
        return company.duns

    @admin.display(description=_("City"))
    def shown_city(self, company: Company) -> str:
        return company.city

    @admin.display(description=_("Country"), ordering="country")
    def shown_country(self, company: Company) -> str:
        return country_name(company.country)

    @admin.display(description=_("Status"), ordering="operating_status")
    def status(self, company: Company) -> SafeString | str:
        return status_badge(company)

    @admin.display(description=_("Last update"), ordering="changed_at")
    def last_change(self, company: Company) -> SafeString | str:
        return ago(company.changed_at)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeyChangeList]:
        return CompanyChangeList

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        sees_all = request.user.has_perm(SEE_EXPOSURE)
        return [one for one in super().get_list_filter(request) if sees_all or one is not ExposureFilter]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The order of the index that the filter uses, so that nothing has to be sorted. What a search finds is few."""
        if request.GET.get("q"):
            return ("search_name", "duns")
        if self._begins_with_exposure(request):
            return BY_EXPOSURE
        used = next((column for name, column in ORDER_OF.items() if request.GET.get(name)), "")
        if used:
            return (used, "-duns" if used.startswith("-") else "duns")
        return ("duns",) if any(request.GET.get(name) for name in BY_NUMBER) else ("search_name", "duns")

    def chosen_columns(self, request: HttpRequest) -> tuple[Column, ...]:
        """Above the limit of a decision: with the amounts, unless the reader has chosen other columns."""
        chosen = super().chosen_columns(request)
        if chosen or COLUMNS in request.GET or request.GET.get("exposure") != OVER_LIMIT:
            return chosen
        return columns_of(self.listing.visible_to(request.user), OF_OVER_LIMIT)

    def _begins_with_exposure(self, request: HttpRequest) -> bool:
        """A list of a score class that its address shows with exposure: what matters most is at stake there."""
        is_of_classes = COLUMNS in request.GET and any(request.GET.get(name) for name in SCORE_CLASSES)
        return is_of_classes and any(column.name == "exposure" for column in self.chosen_columns(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip() or not getattr(request, "is_searched", True):
            return queryset, False
        found = search_companies(search_term, scope_of(request.user))
        setattr(request, LEAVES_OUT, found.has_more)
        return queryset.filter(among("duns", found.duns)), False

    def leaves_out(self, request: HttpRequest) -> bool:
        return getattr(request, LEAVES_OUT, False)

    def whole_search(self, person: Any, text: str, rows: list[Company]) -> list[Company]:
        return found_among(rows, text, scope_of(person))

    # The page of one
    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Also one that has left the registrations of the reader's business units."""
        row = super().get_object(request, object_id, from_field)
        if row is not None or not self.is_key(object_id):
            return row
        day = left_on(scope_of(request.user), object_id)
        found: Any = Company.objects.filter(pk=object_id).first() if day else None
        if found and day:
            found.left_at = datetime.combine(day, time.max, UTC)
        return found

    def page_context(self, request: HttpRequest, row: Company) -> dict[str, Any]:
        moment, before = end_of_day(request.GET.get("as_of", "")), request.GET.get("before", "")
        as_of = request.GET.get("as_of", "") if moment else ""
        tab = tab_of(request.GET.get("tab", ""), before)
        may_all = request.user.has_perm("portfolio.delete_companynote")
        is_gone = not moment and row.operating_status in GONE
        scope = scope_of(request.user)
        left_at = getattr(row, "left_at", None)
        found = company_page(row, moment=moment, before=before, scope=scope, left_at=left_at)
        for note, words in zip(found["notes"], with_names([one.text for one in found["notes"]]), strict=True):
            note.words = words
            note.may_go = may_remove(note, request.user.get_username(), may_all=may_all)
        shows_all = not is_restricted(request.user)
        shows_trees = left_at is None and tab == OWNERSHIP and request.user.has_perm(MAY_SEE_TREES)
        decided = decisions.part_of(request, row) if not moment and left_at is None else None
        money = at_stake(request, row, moment)
        may_note = left_at is None and request.user.has_perm(MAY_NOTE)
        return {
            **found,
            "until": moment,
            "as_of": as_of,
            "tab": tab,
            "tabs": tabs(tab, as_of),
            "today_address": address_of(tab),
            # Alerts are about today; a day in the past has none of its own.
            "alerts": (
                open_alerts(row.duns, scope, as_seen_by)
                if not moment and request.user.has_perm(MAY_SEE_ALERTS)
                else None
            ),
            "decisions": decided,
            "at_stake": money,
            "may_set_amount": not moment and left_at is None and may_set_amount(request),
            "hides_exposure": not request.user.has_perm(SEE_EXPOSURE),
            "risk": with_signal(found["risk"], money.over(decided["standing"].limit if decided else None)),
            "is_gone": is_gone,
            "may_fetch": not moment and found["is_listed"] and self.has_fetch_permission(request),
            "shows_all": shows_all,
            "may_open_dossier": left_at is None,
            "trees": ownership_of(row.duns, moment, scope) if shows_trees else None,
            "may_fetch_tree": not moment and found["is_listed"] and self.has_tree_permission(request),
            "pending": pending_proposal(row.duns, request.user) if is_gone else None,
            "latest": f"{timezone.localdate():%Y-%m-%d}",
            "left_at": left_at,
            "may_note": may_note,
            "cannot_note": not request.user.has_perm(MAY_NOTE),
            "mentionable": mentionable_in_notes(request.user, row) if may_note and not moment else [],
            "may_describe": left_at is None and request.user.has_perm(MAY_DESCRIBE),
            "follow": {} if moment else follow_button(request, FollowKind.COMPANY, row.duns),
        }

    def may_act(self, request: HttpRequest, row: Company, action: str) -> bool:
        if hasattr(row, "left_at"):
            return False
        if action == "tier":
            return decisions.may_set_tier(request)
        return action not in RIGHTS or request.user.has_perm(RIGHTS[action])


def end_of_day(text: str) -> datetime | None:
    """The last moment of a day in the reader's zone; None without a day, and for today, which is not over."""
    start = start_of(text) if text else None
    end = start + timedelta(days=1) - timedelta(milliseconds=1) if start else None
    return end if end and end < timezone.now() else None
