"""What is asked before a list is adopted that may be incomplete."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext

from core.admin.row_actions import confirmation
from core.text import counted
from portfolio.models import Registration, SubjectState
from portfolio.sync.diff import of


def ask_before_incomplete(request: HttpRequest, registration: Registration, back: str) -> HttpResponse | None:
    """Where D&B's complete list was not received but some companies are known; None once confirmed."""
    if registration.is_list_complete or "empty" in request.POST:
        return None
    known = of(registration).filter(state=SubjectState.MONITORED).count()
    if not known:
        return None
    title = gettext("Adopt an incomplete list of %(registration)s?") % {"registration": registration.reference}
    warning = gettext(
        "We recommend that you ask D&B support for the export file and upload it first. You can also adopt this list "
        "now and upload the file later."
    )
    button = ngettext("Adopt %(count)s company", "Adopt %(count)s companies", known) % {"count": counted(known)}
    return confirmation(request, title=title, warning=warning, button=button, back=back, rows=_consequences(known))


def _consequences(known: int) -> Iterator[str]:
    yield gettext("D&B's complete list has not been received.")
    yield ngettext(
        "%(count)s company on D&B's list is known, from notifications and checks. D&B may monitor and bill more.",
        "%(count)s companies on D&B's list are known, from notifications and checks. D&B may monitor and bill more.",
        known,
    ) % {"count": counted(known)}
    yield gettext(
        "Until the complete list is received, the number of billed companies is shown as “at least”, and the number of "
        "new billable companies as “up to”."
    )
    yield gettext("Companies that become known later are shown as differences.")
    yield gettext("Nothing is sent to D&B and nothing new is billed.")
