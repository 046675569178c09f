"""What everybody says for themselves: the time zone and the language in which dates and numbers are shown."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from core.audit import record
from dnbmon_site.accounts.models import User


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    class Meta:
        model = User
        fields = ("timezone", "language")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["timezone"].widget.attrs |= {"class": "dm-input", "list": "zones", "autocomplete": "off"}
        self.fields["language"].widget.attrs |= {"class": "dm-input"}


def preferences(request: HttpRequest) -> HttpResponse:
    """For every person who may log in, about themselves only."""
    person = User.objects.get(username=request.user.get_username())
    form = PreferencesForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        _save(form, person)
        messages.success(request, gettext("Saved. Pages are shown so from now on."))
        return HttpResponseRedirect(reverse("preferences"))
    context = {
        "title": gettext("Your zone and language"),
        "form": form,
        "zones": sorted(zoneinfo.available_timezones()),
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
    fields = gettext(" and ").join(after)
    words = gettext("%(person)s: %(fields)s changed") % {"person": person.username, "fields": fields}
    record(actor=person.username, action="edit preferences", thing=person, summary=words, before=before, after=after)


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """Behind the person's name; whoever comes in through a sign-in service has no password here."""
    links = [{"title": gettext("Your zone and language"), "link": reverse("preferences")}]
    if request.user.is_authenticated and request.user.has_usable_password():
        links.append({"title": gettext("Change password"), "link": reverse("admin:password_change")})
    return links
