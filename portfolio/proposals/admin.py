"""Proposals: what D&B's news suggest, accepted or dismissed by a person, singly or many at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core import plurals
from core.actors import Actor, actor_of
from core.admin.base import ReadOnlyAdmin
from core.admin.exports import ExportedList
from core.admin.filters import choice_filter
from core.admin.row_actions import chosen_rows, demand, keys_of
from core.markup import ago, badge
from portfolio.companies.search import of_companies
from portfolio.exports import with_acting_registrations
from portfolio.models import LIST_INCOMPLETE, Company, Proposal, ProposalKind, ProposalState, Registration
from portfolio.proposals.decide import Decided, Refused, accept, approve, cost_of, dismiss, needs_approval
from portfolio.proposals.registrations import acting_in
from portfolio.registrations.filters import RegistrationFilter

AT_ONCE = 500
KIND_TONES = {
    ProposalKind.TRANSFER: "info",
    ProposalKind.DELETE: "bad",
    ProposalKind.EXIT: "warn",
    ProposalKind.REPLACEMENT: "info",
}
STATE_TONES = {
    ProposalState.OPEN: "warn",
    ProposalState.AWAITING_APPROVAL: "warn",
    ProposalState.ACCEPTED: "good",
    ProposalState.DISMISSED: "calm",
}
KIND_WORDS = {
    ProposalKind.TRANSFER: _("Merged"),
    ProposalKind.DELETE: _("Deleted at D&B"),
    ProposalKind.EXIT: _("Left the monitored set"),
    ProposalKind.REPLACEMENT: _("Refused"),
}
# What can be done, with whose right, in which state.
VERBS = {
    "accept": ("portfolio.decide_proposal", (ProposalState.OPEN,)),
    "dismiss": ("portfolio.decide_proposal", (ProposalState.OPEN, ProposalState.AWAITING_APPROVAL)),
    "approve": ("portfolio.approve_import", (ProposalState.AWAITING_APPROVAL,)),
}
BUTTONS = {"accept": _("Accept"), "dismiss": _("Dismiss"), "approve": _("Approve")}
TITLES = {
    "accept": _("Accept %(proposals)s"),
    "dismiss": _("Dismiss %(proposals)s"),
    "approve": _("Approve %(proposals)s"),
}


class ActingInFilter(RegistrationFilter):
    """A merger or deletion is listed under each registration in which accepting it acts."""

    def in_registration(self, queryset: QuerySet[Any], registration: uuid.UUID) -> QuerySet[Any]:
        return queryset.filter(acting_in(registration))


@admin.register(Proposal)
class ProposalAdmin(ExportedList, ReadOnlyAdmin):
    list_display = ("shown_company", "what", "then", "shown_cost", "reference", "since", "status")
    list_filter = (
        choice_filter("state", ProposalState.choices, _("state")),
        choice_filter("kind", ProposalKind.choices, _("event")),
        ActingInFilter,
    )
    search_fields = ("company",)
    search_help_text = _("D-U-N-S number or company name")
    ordering = ("-created_at",)
    sortable_by = ()
    actions = ("accept_selected", "dismiss_selected", "approve_selected")
    page_template = "portfolio/proposals/proposal.html"
    list_before_template = "portfolio/proposals/intro.html"
    empty_title = _("No proposals")
    empty_text = _(
        "Proposals appear here when D&B merges, deletes or refuses a monitored company. You decide whether to accept "
        "each one."
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.decide)
        return [path("decide/<slug:verb>/", view, name="portfolio_proposal_decide"), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (of_companies(queryset, search_term, request.user) if search_term.strip() else queryset), False

    def complete_rows(self, rows: list[Any]) -> None:
        complete(rows)

    # The list
    @display(description=_("Company"), header=True)  # type: ignore[untyped-decorator]  # unfold's: two lines
    def shown_company(self, row: Proposal) -> tuple[str, str]:
        return row.company.name or gettext("Name not yet known"), row.company_id

    @admin.display(description=_("Event"))
    def what(self, row: Proposal) -> SafeString:
        kind = ProposalKind(row.kind)
        return badge(KIND_WORDS[kind], KIND_TONES[kind], row.reason)

    @admin.display(description=_("Proposal"))
    def then(self, row: Any) -> SafeString | str:
        if not row.replacement:
            return gettext("Remove the company")
        return format_html(gettext("Replace with {} {}"), row.successor.name or "", row.replacement)

    @admin.display(description=_("Cost"))
    def shown_cost(self, row: Any) -> str:
        if not row.cost:
            return gettext("None")
        cost = plurals.companies(row.cost)
        return gettext("up to %(cost)s") % {"cost": cost} if row.is_uncertain else cost

    @admin.display(description=_("Registration"))
    def reference(self, row: Any) -> str:
        return str(row.references)

    @admin.display(description=_("Date"))
    def since(self, row: Proposal) -> SafeString | str:
        return ago(row.happened_at or row.created_at)

    @admin.display(description=_("State"))
    def status(self, row: Proposal) -> SafeString:
        state = ProposalState(row.state)
        return badge(state.label, STATE_TONES[state])

    @admin.action(description=_("Accept"), permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> HttpResponse | None:
        return self._ask_about(request, "accept", queryset)

    @admin.action(description=_("Dismiss"), permissions=["decide"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> HttpResponse | None:
        return self._ask_about(request, "dismiss", queryset)

    @admin.action(description=_("Approve (second approval)"), permissions=["approve"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> HttpResponse | None:
        return self._ask_about(request, "approve", queryset)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return may(request, "accept")

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return may(request, "approve")

    # Deciding
    def _ask_about(self, request: HttpRequest, verb: str, queryset: QuerySet[Proposal]) -> HttpResponse | None:
        waiting = queryset.filter(state__in=VERBS[verb][1])
        if not waiting.exists():
            messages.warning(
                request,
                gettext(
                    "This action is not available for any of the selected proposals. Filter the list by "
                    "state and select others."
                ),
            )
        rows = chosen_rows(request, waiting, AT_ONCE)
        return self._ask(request, verb, rows) if rows else None

    def _ask(self, request: HttpRequest, verb: str, rows: list[Any], trouble: str = "") -> HttpResponse:
        complete(rows)
        cost = 0 if verb == "dismiss" else cost_of(rows)
        above = len(needs_approval(rows, actor_of(request))) if verb == "accept" else 0
        context = {"rows": rows, "verb": verb, "cost": cost, "above": above, "trouble": trouble}
        context["up_to"] = any(row.is_uncertain for row in rows)
        context["button"] = BUTTONS[verb]
        context["note"] = request.POST.get("note", "")
        title = TITLES[verb] % {"proposals": plurals.proposals(len(rows))}
        return self.page(request, "portfolio/proposals/decide.html", title=title, **context)

    def decide(self, request: HttpRequest, verb: str) -> HttpResponse:
        """Ask (the keys stand in the address), then do."""
        if verb not in VERBS:
            raise Http404(
                gettext("The action “%(verb)s” does not exist. Open “Proposals” and choose an action there.")
                % {"verb": verb}
            )
        demand(may(request, verb))
        given = request.POST if request.method == "POST" else request.GET
        rows = list(Proposal.objects.filter(pk__in=keys_of(given.getlist("key")))[:AT_ONCE])
        if not rows:
            raise Http404(gettext("No proposal was selected. Open “Proposals” and select at least one."))
        if request.method != "POST":
            return self._ask(request, verb, rows)
        return self._do(request, verb, rows)

    def _do(self, request: HttpRequest, verb: str, rows: list[Proposal]) -> HttpResponse:
        try:
            said = do(verb, rows, actor_of(request), request.POST)
        except Refused as why:
            return self._ask(request, verb, rows, str(why))
        level = messages.WARNING if said.too_late else messages.SUCCESS
        messages.add_message(request, level, str(said))
        if len(rows) == 1:
            return HttpResponseRedirect(reverse("admin:portfolio_proposal_change", args=[rows[0].pk]))
        return HttpResponseRedirect(reverse("admin:portfolio_proposal_changelist"))

    # The page of one
    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        complete([row])
        return {
            "title": f"{row.company.name or row.company_id}: {KIND_WORDS[ProposalKind(row.kind)].lower()}",
            "what": self.what(row),
            "status": self.status(row),
            "cost": self.shown_cost(row),
            "verbs": [verb for verb, (_, states) in VERBS.items() if row.state in states and may(request, verb)],
        }


def may(request: HttpRequest, verb: str) -> bool:
    return request.user.has_perm(VERBS[verb][0])


def do(verb: str, rows: Sequence[Proposal], by: Actor, given: Any) -> Decided:
    if verb == "dismiss":
        return dismiss(rows, by=by, note=given.get("note", ""))
    number = given.get("confirmed", "").replace(",", "").strip()
    if not (number.isascii() and number.isdigit()):
        raise Refused(gettext("Enter the number of new billable companies to confirm."))
    return (accept if verb == "accept" else approve)(rows, by=by, confirmed=int(number))


def complete(rows: Sequence[Any]) -> None:
    """Companies on both sides, registrations, and whether costs are only known to be at most so high."""
    with_acting_registrations(list(rows))
    successors = Company.objects.in_bulk(list({row.replacement for row in rows if row.replacement}))
    contracts = {row.pk: {registration.contract_id for registration in row.registrations} for row in rows}
    uncertain = set(uncertain_contracts(name for names in contracts.values() for name in names))
    for row in rows:
        row.successor = successors.get(row.replacement) or Company(duns=row.replacement)
        row.is_known = row.replacement in successors
        row.is_uncertain = not contracts[row.pk].isdisjoint(uncertain)


def uncertain_contracts(names: Iterable[str]) -> Iterable[str]:
    """Contracts with a registration whose list at D&B is not known."""
    rows = Registration.objects.filter(LIST_INCOMPLETE, contract__in=set(names))
    return rows.values_list("contract", flat=True)
