"""What is asked before a registration is pulled for the first time."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.row_actions import confirmation
from monitoring.pull.admin.actions import is_first_start
from portfolio.models import Registration, RegistrationState

WHAT_START_DOES = _(
    "Pulling a notification removes it from D&B's queue. This cannot be undone. Only one installation may pull a "
    "registration: stop every other system that pulls it first."
)


def ask_before_first_pull(
    request: HttpRequest, rows: Sequence[Registration], button: str, back: str
) -> HttpResponse | None:
    """What was pulled cannot be given back to D&B's queue, so the first pull asks; None once confirmed."""
    first = [row for row in rows if is_first_start(row) and row.state != RegistrationState.ACTIVE]
    if not first:
        return None
    title = gettext("Pull %(names)s for the first time?") % {"names": ", ".join(row.reference for row in first)}
    return confirmation(request, title=title, warning=WHAT_START_DOES, button=button, back=back)
