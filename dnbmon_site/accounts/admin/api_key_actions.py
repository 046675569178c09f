"""Rotating and revoking API keys: what ends when, asked before it happens and recorded with both keys' prefixes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of
from core.admin.base import Secret, shown_once
from core.admin.row_actions import Outcome, confirmation
from core.audit import record
from core.text import ago as ago_text
from core.text import moment_text
from dnbmon_site.accounts.models import ApiKey, User, masked

WHAT_A_ROTATION_DOES = _(
    "You get a new key. The present key becomes the old key and stays valid for 7 days, so that the system can change"
    " to the new one without interruption. If the key was published, do not wait: enter the new key in the system, then"
    " choose “End the old key now” on the key's page."
)


def rotate_key(request: HttpRequest, key: ApiKey) -> Outcome:
    back = page_of(key)
    return asked_to_rotate(request, [key], back=back) or keys_shown(request, [rotated(request, key)], back=back)


def asked_to_rotate(request: HttpRequest, keys: Sequence[ApiKey], *, back: str) -> HttpResponse | None:
    title = ngettext("Rotate API key", "Rotate API keys", len(keys))
    button = ngettext("Rotate key", "Rotate keys", len(keys))
    rows = [line for key in keys for line in (_with_last_use(key), *_ends_early(key))]
    return confirmation(request, title=title, warning=WHAT_A_ROTATION_DOES, button=button, back=back, rows=rows)


def rotated(request: HttpRequest, key: ApiKey) -> Secret:
    plain = key.rotate(by=person(request))
    words = gettext("API key %(name)s replaced %(old)s, which is valid until %(until)s UTC")
    _record(request, key, "rotated", words)
    return Secret(key.name, plain)


def end_old_key(request: HttpRequest, key: ApiKey) -> Outcome:
    old = old_key_text(key)
    if not old:
        return gettext("The old key has already ended.")
    warning = gettext("Systems that still use the old key lose access to the API immediately. You cannot undo this.")
    title, button = gettext("End the old key"), gettext("End the old key now")
    asked = confirmation(request, title=title, warning=warning, button=button, back=page_of(key), rows=[old])
    if asked:
        return asked
    key.end_old_key()
    _record(request, key, "old_ended", gettext("Old API key %(old)s of %(name)s ended"))
    return gettext("The old key has ended. The present key stays valid.")


def revoke_key(request: HttpRequest, key: ApiKey) -> Outcome:
    asked = asked_to_revoke(request, [key], back=page_of(key))
    if asked:
        return asked
    revoked(request, key)
    return gettext("The API key was revoked.")


def asked_to_revoke(request: HttpRequest, keys: Sequence[ApiKey], *, back: str) -> HttpResponse | None:
    count = len(keys)
    warning = ngettext(
        "Systems that use this key lose access to the API immediately. You cannot undo this.",
        "Systems that use these keys lose access to the API immediately. You cannot undo this.",
        count,
    )
    if any(key.has_old_key for key in keys):
        warning += " " + gettext(
            "This also ends old keys that a rotation left valid. To end only an old key, cancel and choose “End the old"
            " key now” on the key's page."
        )
    rows = [line for key in keys for line in (_with_last_use(key), old_key_text(key)) if line]
    title, button = ngettext("Revoke API key", "Revoke API keys", count), ngettext("Revoke key", "Revoke keys", count)
    return confirmation(request, title=title, warning=warning, button=button, back=back, rows=rows)


def revoked(request: HttpRequest, key: ApiKey) -> None:
    had_old_key = key.has_old_key
    key.revoke()
    words = gettext("API key %(name)s revoked, with the old key %(old)s")
    _record(request, key, "revoked", words if had_old_key else gettext("API key %(name)s revoked"))


def keys_shown(request: HttpRequest, issued: list[Secret], *, back: str = "") -> HttpResponse:
    note = gettext("Send it with each request in the header “Authorization: Bearer dnbmon_…”.")
    lead = ngettext("This is the API key.", "These are the API keys.", len(issued))
    back = back or reverse("admin:accounts_apikey_changelist")
    return shown_once(request, issued, title=gettext("New API key"), lead=lead, note=note, back=back)


def old_key_text(key: ApiKey) -> str:
    """The key from before the rotation, as long as it opens."""
    if not key.has_old_key or not key.old_until:
        return ""
    words = gettext("Old key %(old)s, valid until %(until)s")
    return words % {"old": masked(key.old_prefix), "until": moment_text(key.old_until)}


def person(request: HttpRequest) -> User:
    return User.objects.get(username=request.user.get_username())


def page_of(key: ApiKey) -> str:
    return reverse("admin:accounts_apikey_change", args=[key.pk])


def _ends_early(key: ApiKey) -> Iterable[str]:
    """There is one old key at a time."""
    if old := old_key_text(key):
        yield gettext("%(old)s: ends immediately, because of the new rotation") % {"old": old}


def _with_last_use(key: ApiKey) -> str:
    used = ago_text(key.last_used_at) if key.last_used_at else gettext("Never")
    return gettext("%(name)s, last used: %(used)s") % {"name": key, "used": used}


def _record(request: HttpRequest, key: ApiKey, verb: str, words: str) -> None:
    until = f"{key.old_until.astimezone(UTC):%Y-%m-%d %H:%M}" if key.old_until else ""
    summary = words % {"name": key, "old": masked(key.old_prefix), "until": until}
    record(actor=actor_of(request), action=f"apikey.{verb}", thing=key, summary=summary)
