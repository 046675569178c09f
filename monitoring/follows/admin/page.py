"""A user's own page: what they follow, how they are notified, and their latest messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from core.actors import actor_of
from core.audit import record
from core.markup import badge
from core.outbound.mail_server import no_server_text
from core.visibility import is_restricted
from monitoring.follows.admin.forms import AddressForm, FollowForm, PreferenceForm, how_form
from monitoring.follows.follow import follow, unfollow
from monitoring.follows.preferences import channel_for, pause, preference_of, resume, stored_preference_of
from monitoring.follows.sent import latest_mention, latest_messages
from monitoring.follows.subjects import Subject, key_of, subject_of, subjects_of
from monitoring.follows.unread import MENTION, mark_read
from monitoring.models import Follow, Frequency, MessageState, NotificationPreference, Severity
from monitoring.outbox.admin.messages import state_badge
from monitoring.outbox.permitted_addresses import without_server

PAGE = "my_notifications"
# The channels are the user's own, whichever of them a form names.
Answer = HttpResponse | None


@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """For every user, about themselves only."""
    if request.method == "POST":
        act = ACTS.get(request.POST.get("act", ""))
        if act is None:
            raise Http404(gettext("Unknown action: %(action)s.") % {"action": request.POST.get("act", "")})
        return act(request)
    if request.GET.get("open") == MENTION and (link := latest_mention(request.user)[1]):
        mark_read(request.user)
        return HttpResponseRedirect(link)
    return _shown(request)


def _shown(
    request: HttpRequest, *, form: FollowForm | None = None, settings: Any = None, address: AddressForm | None = None
) -> HttpResponse:
    person: Any = request.user
    preference = preference_of(person)
    follows = list(Follow.objects.filter(person=person.pk).order_by("kind", "subject", "id"))
    subjects = subjects_of(person, follows)
    sent: list[Any] = latest_messages(person)
    for one in sent:
        is_cancelled = one.state == MessageState.CANCELLED
        one.badge = badge(gettext("Not emailed"), "calm") if is_cancelled else state_badge(one)
    mark_read(person)
    may_open = not is_restricted(person)
    context = {
        "title": gettext("My notifications"),
        "preference": preference,
        "follows": [
            (row, its := subjects[row.pk], None if its.problem else how_form(row, its.name)) for row in follows
        ],
        "form": form or _empty_form(request),
        "settings": settings or PreferenceForm(instance=preference),
        "sent": sent,
        "is_reached": _is_reached(person, preference),
        "no_server": _no_server(preference),
        "address": address or (AddressForm() if _may_edit_address(person) else None),
        "may_add_channel": may_open and person.has_perm("monitoring.add_channel"),
    }
    return TemplateResponse(request, "monitoring/follows/page.html", {**admin.site.each_context(request), **context})


def _is_reached(person: Any, preference: NotificationPreference) -> bool:
    return bool(person.email or preference.channel)


def _no_server(preference: NotificationPreference) -> str:
    """Why the emails that a user is sent do not leave this machine."""
    channel = channel_for(preference)
    return no_server_text() if channel and without_server([channel]) else ""


def _may_edit_address(person: Any) -> bool:
    """Who may edit users needs nobody's confirmation for an address; an address lets in and widens what is sent."""
    return not person.email and not is_restricted(person) and person.has_perm("accounts.change_user")


def _empty_form(request: HttpRequest) -> FollowForm:
    """With what a link from another page names."""
    what = request.GET.get("follow", "")
    asked = _asked(request.user, what) if what else None
    return FollowForm(request.user, initial={"what": what} if asked else {}, asked=asked)


def _asked(person: Any, what: str) -> tuple[str, str] | None:
    kind, _, subject = what.partition(":")
    try:
        return what, subject_of(person, kind, subject).name
    except ValidationError:
        return None


# Acts


def _follow(request: HttpRequest) -> HttpResponse:
    """By the form, or by a button on another page, which names no severity and no frequency."""
    defaults = {"min_severity": str(Severity.HIGH.value), "frequency": Frequency.AT_ONCE.value}
    what = request.POST.get("what", "")
    data = {**defaults, **request.POST.dict()}
    form = FollowForm(request.user, data, asked=(what, what))
    if not form.is_valid():
        return _shown(request, form=form)
    values = {"min_severity": form.cleaned_data["min_severity"], "frequency": form.cleaned_data["frequency"]}
    try:
        row, subject = follow(person=request.user, kind=form.kind, subject=form.subject, **values)
    except ValidationError as error:
        form.add_error("what", error)
        return _shown(request, form=form)
    preference = preference_of(request.user)
    if not _is_reached(request.user, preference):
        messages.warning(request, _not_reached_text(request.user, subject))
        return _back(request)
    words = gettext("You follow %(subject)s: severity %(severity)s or higher, %(frequency)s.")
    messages.success(
        request,
        words
        % {
            "subject": subject.name,
            "severity": Severity(row.min_severity).label,
            "frequency": str(Frequency(row.frequency).label).lower(),
        },
    )
    if why := _no_server(preference):
        messages.warning(request, why)
    return _back(request)


def _not_reached_text(person: Any, subject: Subject) -> SafeString:
    label = gettext("Add an email address") if _may_edit_address(person) else gettext("My notifications")
    link = format_html('<a href="{}">{}</a>', reverse(PAGE), label)
    words = gettext("You follow “%(subject)s”. No message reaches you yet.") % {"subject": subject.name}
    return format_html("{} {}", words, link)


def _unfollow(request: HttpRequest) -> HttpResponse:
    subject = unfollow(person=request.user, key=key_of(request.POST.get("key", "")))
    words = gettext("You no longer follow “%(subject)s”.") % {"subject": subject.name} if subject else ""
    messages.success(request, words or gettext("You had already unfollowed this item."))
    return _back(request)


def _add_address(request: HttpRequest) -> HttpResponse:
    person: Any = request.user
    if not _may_edit_address(person):
        raise PermissionDenied
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _shown(request, address=form)
    email = form.cleaned_data["email"]
    # An address that was entered meanwhile stays.
    if get_user_model().objects.filter(pk=person.pk, email="").update(email=email):
        words = gettext("Email address of %(person)s added") % {"person": person.get_username()}
        after = {"email": email}
        record(
            actor=actor_of(request),
            action="user.changed",
            thing=person,
            summary=words,
            before={"email": ""},
            after=after,
        )
    messages.success(request, gettext("Your email address is saved."))
    return _back(request)


def _save(request: HttpRequest) -> HttpResponse:
    preference = stored_preference_of(request.user)
    form = PreferenceForm(request.POST, instance=preference)
    if not form.is_valid():
        return _shown(request, settings=form)
    if form.changed_data:
        form.instance.save(update_fields=form.changed_data)
        _note(request, gettext("%(person)s changed their notification settings"), form)
    messages.success(request, gettext("Saved."))
    return _back(request)


def _note(request: HttpRequest, words: str, form: PreferenceForm) -> None:
    before = {name: str(form.initial.get(name)) for name in form.changed_data}
    after = {name: str(form.cleaned_data[name]) for name in form.changed_data}
    summary = words % {"person": request.user.get_username()}
    record(
        actor=actor_of(request),
        action="edit notifications",
        thing=form.instance,
        summary=summary,
        before=before,
        after=after,
    )


def _pause(request: HttpRequest) -> HttpResponse:
    pause(request.user, gettext("You paused your notifications."))
    messages.success(
        request, gettext("Notifications paused. Changes that are reported until you resume are not sent to you.")
    )
    return _back(request)


def _resume(request: HttpRequest) -> HttpResponse:
    resume(request.user)
    messages.success(request, gettext("Notifications resumed. You are notified of changes from now on."))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponseRedirect:
    """To the page with the button."""
    there = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(there, {request.get_host()}, request.is_secure())
    return HttpResponseRedirect(there if there and is_ours else reverse(PAGE))


ACTS: Mapping[str, Callable[[HttpRequest], HttpResponse]] = {
    "follow": _follow,
    "unfollow": _unfollow,
    "address": _add_address,
    "save": _save,
    "pause": _pause,
    "resume": _resume,
}
