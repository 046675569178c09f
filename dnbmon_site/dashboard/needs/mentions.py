"""Comments and notes that mention the reader: nobody needs an email address to learn of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from core.text import counted
from dnbmon_site.dashboard.needs.need import Need
from monitoring.follows.sent import latest_mention


def mention_needs(person: Any) -> Iterator[Need]:
    if count := person.unread_mentions:
        title = ngettext("%(count)s comment mentions you", "%(count)s comments mention you", count)
        text = gettext("A colleague addressed you in a comment on an alert or in a note on a company.")
        link, act = reverse("my_notifications") + "#messages", gettext("View messages")
        words, page = latest_mention(person) if count == 1 else ("", "")
        if page:
            text, link, act = words, reverse("my_notifications") + "?open=mention", gettext("View comment")
        yield Need("info", title % {"count": counted(count)}, text, link, act)
