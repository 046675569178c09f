"""How useful a rule's alerts were, beside the rule, and a threshold that would have spared the others."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.text import counted
from monitoring.alerts.effectiveness.outcomes import WINDOWS, Outcomes, outcomes_of
from monitoring.alerts.effectiveness.thresholds import RAISED_DAYS, Proposal, propose_threshold
from monitoring.alerts.rules import rule_text, scope_text

# The conditions that the form and the test on history show in place of those that are saved.
PROPOSED = "conditions"
LONGEST = 4_000


class EffectivenessPages:
    """For the admin of rules (before other bases)."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.effectiveness)
        own = path("<uuid:key>/effectiveness/", view, name="monitoring_alertrule_effectiveness")
        return [own, *super().get_urls()]  # type: ignore[misc]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """With the proposed conditions, which nobody has saved yet."""
        row = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        if row and request.method == "GET" and PROPOSED in request.GET:
            row.conditions = request.GET[PROPOSED][:LONGEST]
        return row

    @admin.display(description=_("Not relevant"))
    def not_relevant(self, row: Any) -> SafeString | str:
        return outcome_cell(row.outcomes)

    def effectiveness(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        row = self.object_or_404(request, str(key))  # type: ignore[attr-defined]
        proposal = propose_threshold(row)
        context = {
            "row": row,
            "words": rule_text(row),
            "scope": scope_text(row),
            "windows": [outcomes_of([row.pk], days)[row.pk] for days in WINDOWS],
            "proposal": proposal_text(proposal) if proposal else "",
            "query": urlencode({PROPOSED: proposal.conditions}) if proposal else "",
            "may_act": self.has_change_permission(request, row),  # type: ignore[attr-defined]
        }
        title = gettext("Effectiveness: %(name)s") % {"name": row.name}
        return self.page(request, "monitoring/alerts/effectiveness.html", title=title, **context)  # type: ignore[attr-defined, no-any-return]


def with_outcomes(rows: list[Any]) -> None:
    """For the list of rules, of the shorter time."""
    found = outcomes_of([row.pk for row in rows], WINDOWS[0])
    for row in rows:
        row.outcomes = found[row.pk]


def outcome_cell(outcomes: Outcomes) -> SafeString | str:
    if not outcomes.closed:
        return ""
    words = gettext("%(noise)s of %(closed)s (%(share)s %%)")
    counts = {"noise": outcomes.noise, "closed": outcomes.closed, "share": outcomes.share}
    address = reverse("admin:monitoring_alertrule_effectiveness", args=[outcomes.rule])
    return format_html('<a href="{}">{}</a>', address, words % {name: counted(one) for name, one in counts.items()})


def proposal_text(proposal: Proposal) -> str:
    counts = {name: counted(getattr(proposal, name)) for name in ("noise", "noise_avoided", "acted", "acted_lost")}
    is_another = proposal.after.operator != proposal.before.operator
    after, before = (f"“{one.text}”" if is_another else one.value for one in (proposal.after, proposal.before))
    names = {**counts, "after": after, "before": before}
    words = gettext(
        "With %(after)s instead of %(before)s, %(noise_avoided)s of %(noise)s alerts closed as not relevant "
        "would not have been raised, and %(acted_lost)s of %(acted)s alerts that users acted on."
    )
    return f"{words % names} {_raised_text(proposal)}".strip()


def _raised_text(proposal: Proposal) -> str:
    if proposal.raised is None:
        return ""
    words = gettext("In all, %(still)s alerts instead of %(raised)s would have been raised in %(days)s days.")
    return words % {
        "still": counted(proposal.still_raised),
        "raised": counted(proposal.raised),
        "days": counted(RAISED_DAYS),
    }
