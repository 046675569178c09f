"""After a comment or a note was saved: users whom it mentions are notified, and its author reads who is not."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

from monitoring.follows.mentions import Text, not_notified_text, notify_mentioned
from monitoring.jobs import have_it_sent


def notify_of(request: HttpRequest, text: Text) -> None:
    if "@" not in text.text:
        return
    if warning := not_notified_text(text):
        messages.warning(request, warning)
    if notify_mentioned():
        have_it_sent()
