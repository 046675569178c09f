"""Registrations: how each stands, what to do about it, and how often it is pulled."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from core.admin.base import PageAdmin
from core.admin.exports import ExportedList
from core.admin.row_actions import Outcome, RowAction, RowActions, demand, keys_of
from core.audit import record_edit
from core.cached_counts import recent_count
from core.fields import with_default
from core.jobs import asked_for
from core.markup import ago, badge, due, two_lines
from core.text import counted
from core.visibility import is_restricted
from monitoring.ingest.raw_item import pretty
from monitoring.models import DeadLetter, DeadLetterState
from monitoring.publications.places import newest_for
from monitoring.pull.admin.actions import (
    ACTIONS,
    PULL_NOW,
    Said,
    act,
    calls_in_doubt,
    is_first_start,
    look_for_registrations,
    no_worker,
    pause,
    pause_notes,
)
from monitoring.pull.admin.details import about_list, problems_of, recent_deliveries, settings_at_dnb
from monitoring.pull.admin.pause_form import PullPauseForm
from monitoring.pull.admin.questions import ask_before_first_pull
from monitoring.pull.admin.start_button import is_start_needed, start_button
from portfolio.billing.contract_year import LISTED
from portfolio.imports.admin.actions import UPLOAD
from portfolio.imports.admin.selection import upload_into
from portfolio.models import Registration, RegistrationState, Subject
from portfolio.registrations.pull_job import paused_pulls
from portfolio.registrations.schedule import next_due
from portfolio.registrations.status import (
    cadence_words,
    countdown,
    description,
    loss_sentence,
    loss_tone,
    reported_by_dnb,
    status,
)

PERMISSION = "portfolio.pull_registration"
CADENCE = {"cadence", "cadence_every", "cadence_time", "cadence_zone"}
LABELS = {
    "cadence": (
        _("Pull frequency"),
        _(
            "At least every 48 hours, because D&B deletes waiting notifications after 4 days. A change takes effect "
            "immediately."
        ),
    ),
    "cadence_every": (
        _("Interval"),
        _("Number of minutes or hours between two pulls, at most 48 hours. Not used for daily pulls."),
    ),
    "cadence_time": (_("Time of day"), _("For daily pulls only.")),
    "cadence_zone": (
        _("Time zone"),
        _("For daily pulls only."),
    ),
    "page_size": (
        _("Notifications per call"),
        _("1 to 100. D&B Monitoring reduces this number automatically while D&B is slow."),
    ),
}


def _acts(name: str) -> RowAction:
    return lambda request, row: outcome_of(act(name, [row], by=request.user.get_username()))


def _asked(name: str, button: Promise) -> RowAction:
    def act_on(request: HttpRequest, row: Registration) -> Outcome:
        back = reverse("admin:portfolio_registration_change", args=[row.pk])
        return ask_before_first_pull(request, [row], str(button), back) or _acts(name)(request, row)

    return act_on


@admin.register(Registration)
class RegistrationAdmin(RowActions, ExportedList, PageAdmin):
    list_display = ("name", "status", "needs_attention", "companies", "last_pull", "next_pull", "cadence_words")
    ordering = ("reference",)
    sortable_by = ()
    row_actions = {name: _acts(name) for name in ACTIONS} | {
        "start": _asked("start", _("Start pulling")),
        "pull-now": _asked("pull-now", _("Pull now")),
    }
    actions = ("pull_selected", "start_selected", "pause_selected", "import_selected", "stop_selected")
    list_before_template = "monitoring/pull/registrations_intro.html"
    change_form_template = "monitoring/pull/registration.html"
    empty_title = _("No registrations yet")
    empty_template = "monitoring/pull/registrations_empty.html"
    fieldsets = (
        (_("Pull schedule"), {"fields": ("cadence", "cadence_every", "cadence_time", "cadence_zone")}),
        (_("Call size"), {"fields": ("page_size",)}),
    )

    # Permissions: D&B creates registrations, we never delete one; pulling has a right of its own.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Users of business units read how theirs stand; pulling is run for the whole installation."""
        return not is_restricted(request.user) and super().has_change_permission(request, obj)

    def has_pull_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION) and not is_restricted(request.user)

    def may_act(self, request: HttpRequest, row: Registration, action: str) -> bool:
        return self.has_pull_permission(request)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(UPLOAD)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("look/", view(require_POST(self.look)), name="portfolio_registration_look"),
            path("pause/", view(self.pause), name="portfolio_registration_pause"),
            *super().get_urls(),
        ]

    # The list
    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With what decides how often an open page is refreshed (`live.js`)."""
        found: Any = super().get_changelist_instance(request)
        found.published, rows = newest_for(request.user), getattr(found, "result_list", ())
        found.is_pull_requested = any(getattr(row, "is_pull_requested", False) for row in rows)
        return found

    @staticmethod
    def seen(user: Any, rows: list[Any]) -> None:
        for row in rows:
            row.has_lists = not is_restricted(user)

    def complete_rows(self, rows: list[Any]) -> None:
        """What needs attention comes first."""
        in_doubt, paused, requested = calls_in_doubt(), paused_pulls(), asked_for(PULL_NOW)
        notes, listed = pause_notes(rows), _listed_in(rows)
        for row in rows:
            row.listed = listed.get(row.pk, 0)
            row.pause_note = notes.get(str(row.pk), "")
            row.paused_pulls, row.is_pull_requested = paused, str(row.pk) in requested
            row.problems = list(problems_of(row, in_doubt.get(row.pk, 0), pulls_paused=paused is not None))
        rows.sort(key=lambda row: (not row.problems, row.reference))

    @display(description=_("Registration"), header=True)  # type: ignore[untyped-decorator]  # unfold's: two lines
    def name(self, row: Registration) -> tuple[str, str]:
        return row.reference, description(row)

    @admin.display(description=_("State"))
    def status(self, row: Any) -> SafeString:
        found = status(row, pulls_paused=row.paused_pulls is not None)
        chip = badge(found.word, found.tone, found.sentence)
        if row.is_pull_requested:
            chip = format_html(
                "{} {}", chip, badge(gettext("Pull requested"), "info", gettext("The pull is waiting for a worker."))
            )
        return _part(row, "state", two_lines(chip, row.pause_note) if row.pause_note else chip)

    @admin.display(description=_("Up to date as of"))
    def last_pull(self, row: Registration) -> SafeString:
        return _part(row, "pulled", ago(row.last_pulled_at) or gettext("Never"))

    @admin.display(description=_("Next pull"))
    def next_pull(self, row: Any) -> SafeString:
        is_pulled = row.state == RegistrationState.ACTIVE and row.paused_pulls is None
        return _part(row, "next", due(row.next_pull_at if is_pulled else row.paused_until) or "–")

    @admin.display(description=_("Pull frequency"))
    def cadence_words(self, row: Registration) -> str:
        return cadence_words(row)

    @admin.display(description=_("Needs attention"))
    def needs_attention(self, row: Any) -> SafeString:
        marks = format_html_join(" ", "{}", ((badge(word, tone, why),) for word, tone, why in row.problems))
        return _part(row, "problems", format_html("{}{}", marks, about_list(row)) or "–")

    @admin.display(description=_("Companies"))
    def companies(self, row: Any) -> SafeString:
        """As counted last; until D&B's complete list is known, it may have more."""
        words = counted(row.listed)
        if not (row.adopted and row.is_list_complete):
            words = gettext("At least %(count)s") % {"count": words} if row.listed else gettext("Not known yet")
        page = "admin:portfolio_subject_changelist" if row.has_lists else "admin:portfolio_company_changelist"
        link = f"{reverse(page)}?registration={row.pk}"
        return _part(row, "companies", format_html('<a class="dm-company" href="{}">{}</a>', link, words))

    def get_list_display(self, request: HttpRequest) -> Any:
        name, state, *others = super().get_list_display(request)
        start = ["start"] if self.has_pull_permission(request) and is_start_needed() else []
        return (name, state, *start, *others)

    @admin.display(description=_("Pulling"))
    def start(self, row: Registration) -> SafeString | str:
        return start_button(row)

    def _act_on_all(
        self, request: HttpRequest, rows: list[Registration], action: str, button: str
    ) -> HttpResponse | None:
        back = reverse("admin:portfolio_registration_changelist")
        if question := ask_before_first_pull(request, rows, button, back):
            return question
        show_message(request, act(action, rows, by=request.user.get_username()))
        return None

    @admin.action(description=_("Pull now"), permissions=["pull"])
    def pull_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        return self._act_on_all(request, list(queryset), "pull-now", gettext("Pull now"))

    @admin.action(description=_("Start or resume"), permissions=["pull"])
    def start_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        return self._act_on_all(request, list(queryset), "start", gettext("Start pulling"))

    @admin.action(description=_("Pause"), permissions=["pull"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse:
        keys = "&".join(f"key={key}" for key in queryset.values_list("pk", flat=True))
        return HttpResponseRedirect(f"{reverse('admin:portfolio_registration_pause')}?{keys}")

    @admin.action(description=_("Add companies"), permissions=["import"])
    def import_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        return upload_into(request, queryset)

    @admin.action(description=_("Stop monitoring companies"), permissions=["import"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        return upload_into(request, queryset, mode="remove")

    # What people do
    def look(self, request: HttpRequest) -> HttpResponse:
        demand(self.has_pull_permission(request))
        show_message(request, look_for_registrations())
        return HttpResponseRedirect(reverse("admin:portfolio_registration_changelist"))

    def pause(self, request: HttpRequest) -> HttpResponse:
        demand(self.has_pull_permission(request))
        rows = list(Registration.objects.filter(pk__in=keys_of(request.GET.getlist("key"))).order_by("reference"))
        form = PullPauseForm(rows, request.POST or None)
        if request.method == "POST" and form.is_valid():
            until, reason = form.cleaned_data["until"], form.cleaned_data["reason"]
            show_message(request, pause(rows, until, by=request.user.get_username(), reason=reason))
            return HttpResponseRedirect(reverse("admin:portfolio_registration_changelist"))
        is_paused = any(row.state == RegistrationState.PAUSED for row in rows)
        title = gettext("Change end of pause") if is_paused else gettext("Pause pulling")
        shown: dict[str, Any] = {
            "title": title,
            "heading": f"{title}: {', '.join(row.reference for row in rows)}",
            "lead": gettext("While paused, no notifications are pulled. D&B deletes notifications after 4 days."),
            "warnings": [f"{row.reference}: {loss_sentence(row)}" for row in rows],
            "button": title,
            "back": reverse("admin:portfolio_registration_changelist"),
        }
        return self.page(request, "core/pause.html", form=form, **shown)

    # The page
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "cadence_time":
            kwargs["widget"] = forms.TimeInput({"type": "time", "class": "dm-input"}, format="%H:%M")
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name in LABELS:
            field.label, help_text = LABELS[db_field.name]
            field.help_text = with_default(db_field, str(help_text))
        return field

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        return super().render_change_form(request, {**context, **self._page_context(request, row)}, *args, **kwargs)

    def _page_context(self, request: HttpRequest, row: Registration | None) -> dict[str, Any]:
        if row is None:
            return {}
        told, paused = reported_by_dnb(row), paused_pulls()
        return {
            "paused_pulls": paused,
            "published": newest_for(request.user),
            "is_pull_requested": str(row.pk) in asked_for(PULL_NOW),
            "status": status(row, pulls_paused=paused is not None),
            "pause_note": pause_notes([row]).get(str(row.pk), ""),
            "loss": loss_sentence(row),
            "drops": countdown(row, pulls_paused=paused is not None),
            "is_first_start": is_first_start(row),
            "drops_tone": loss_tone(row),
            "cadence": cadence_words(row),
            "may_pull": self.has_pull_permission(request),
            "settings_at_dnb": list(settings_at_dnb(told)),
            "description": description(row),
            "in_doubt": calls_in_doubt().get(row.pk, 0),
            "unreadable": DeadLetter.objects.filter(registration=row, state=DeadLetterState.OPEN)[:1000].count(),
            "no_worker": no_worker(),
            "deliveries": recent_deliveries(row),
            "raw": pretty(row.detail),
            "show_history": False,
        }

    def save_model(self, request: HttpRequest, obj: Registration, form: forms.ModelForm[Any], change: bool) -> None:
        """Only what was edited: a worker writes the other fields of this row at the same time."""
        fields: dict[str, Any] = {name: form.cleaned_data[name] for name in form.changed_data}
        if fields.keys() & CADENCE and obj.state == RegistrationState.ACTIVE:
            fields["next_pull_at"] = next_due(obj, timezone.now())
        Registration.objects.filter(pk=obj.pk).update(**fields)
        record_edit(request, obj, form, is_change=change)


def _listed_in(rows: list[Any]) -> dict[Any, int]:
    """Companies as counted last; counted now where none were, as in the first minutes of a registration."""
    held = recent_count("held").get("registrations", {})
    known = {row.pk: held.get(str(row.pk), {}).get("listed", 0) for row in rows}
    new = [key for key, count in known.items() if not count]
    found = Subject.objects.filter(registration__in=new, state__in=LISTED).order_by().values_list("registration")
    return {**known, **dict(found.annotate(Count("id")))} if new else known


def _part(row: Registration, name: str, content: SafeString | str) -> SafeString:
    """A cell that an open page exchanges on its own, so that selected rows stay selected (`live.js`)."""
    return format_html('<span data-part="{}-{}">{}</span>', name, row.pk, content)


def show_message(request: HttpRequest, said: Said) -> None:
    messages.add_message(request, *outcome_of(said))


def outcome_of(said: Said) -> tuple[int, str]:
    return messages.WARNING if said.failed else messages.SUCCESS, said.text
