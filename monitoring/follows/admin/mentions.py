"""After comments or a note were saved: users whom they mention are notified, and their author reads who is not."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest

from monitoring.follows.mentions import Text, comments_since, not_notified_text, notify_of_texts
from monitoring.jobs import have_it_sent


def notify_of(request: HttpRequest, texts: Sequence[Text]) -> None:
    """One text, however many alerts it was written on."""
    if not texts or "@" not in texts[0].text:
        return
    if warning := not_notified_text(texts):
        messages.warning(request, warning)
    if notify_of_texts(texts):
        have_it_sent()


def notify_of_comments(request: HttpRequest, alerts: Sequence[uuid.UUID], text: str, since: datetime) -> None:
    """After an act that wrote a sentence of the user on each of these alerts."""
    if "@" in text:
        notify_of(request, comments_since(alerts, request.user.get_username(), since))
