"""Each user's own preferences: the time zone and the language in which dates and numbers are shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from core.admin.pickers import ZonePicker
from core.audit import record
from dnbmon_site.accounts.models import User


def languages() -> list[tuple[str, str]]:
    return [("", gettext("System default")), *settings.LANGUAGES]


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    language = forms.ChoiceField(
        label=_("Region format"),
        required=False,
        choices=languages,
        help_text=_("Sets the format of dates and numbers."),
    )

    class Meta:
        model = User
        fields = ("timezone", "language")
        widgets = {"timezone": ZonePicker}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].widget.attrs |= {"class": "dm-input"}


def examples() -> list[tuple[str, str, str]]:
    """How each language on offer writes this moment, and a number."""
    found = []
    for code, name in settings.LANGUAGES:
        with override(code):
            moment = date_format(timezone.localtime(), "DATETIME_FORMAT")
            found.append((name, moment, number_format(1_234_567.5, 1, force_grouping=True)))
    return found


def preferences(request: HttpRequest) -> HttpResponse:
    """For every user, about themselves only."""
    person = User.objects.get(username=request.user.get_username())
    form = PreferencesForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        _save(form, person)
        messages.success(request, gettext("Saved."))
        return HttpResponseRedirect(reverse("preferences"))
    context = {
        "title": gettext("Time zone and language"),
        "form": form,
        "examples": examples(),
    }
    return TemplateResponse(
        request, "dnbmon_site/accounts/preferences.html", {**admin.site.each_context(request), **context}
    )


def _save(form: PreferencesForm, person: User) -> None:
    if not form.changed_data:
        return
    after = {name: form.cleaned_data[name] for name in form.changed_data}
    before = {name: form.initial[name] for name in form.changed_data}
    User.objects.filter(pk=person.pk).update(**after)
    fields = ", ".join(str(form.fields[name].label) for name in after)
    summary = gettext("Preferences of %(person)s changed: %(fields)s") % {"person": person.username, "fields": fields}
    record(actor=person.username, action="edit preferences", thing=person, summary=summary, before=before, after=after)


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """Behind the user's name; users of an identity provider have no password here."""
    links = [
        {"title": gettext("My notifications"), "link": reverse("my_notifications")},
        {"title": gettext("Time zone and language"), "link": reverse("preferences")},
    ]
    if request.user.is_authenticated and request.user.has_usable_password():
        links.append({"title": gettext("Change password"), "link": reverse("admin:password_change")})
        links.append({"title": gettext("Two-step verification"), "link": reverse("second_factor")})
    return links
