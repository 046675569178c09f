"""The button “Follow” on the pages of what can be followed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core.admin.saved_filters import LINKS
from core.models import SavedFilter
from monitoring.follows.admin.forms import HowForm
from monitoring.follows.follow import followed
from monitoring.follows.subjects import LISTS, may_see_changes
from monitoring.models import FollowKind


def follow_button(request: HttpRequest, kind: FollowKind, subject: str) -> dict[str, Any]:
    """For `monitoring/follows/button.html`; nothing for those who may not see changes."""
    if not may_see_changes(request.user):
        return {}
    row = followed(request.user, kind, subject)
    form = None if row else HowForm(auto_id="id_follow_%s")
    return {"what": f"{kind}:{subject}", "row": row, "form": form, "back": request.get_full_path()}


def follow_link(row: SavedFilter) -> SafeString | str:
    """In the list of saved filters, for lists whose rows belong to companies."""
    if row.listing not in LISTS:
        return ""
    address = f"{reverse('my_notifications')}?follow=filter:{row.pk}"
    return format_html('<a class="dm-company" href="{}">{}</a>', address, gettext("Follow"))


LINKS.append(follow_link)
