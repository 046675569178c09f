"""What people should know about the portfolio, said once; the alerts send it as they send their own."""

from __future__ import annotations

import uuid

from django.utils import timezone

from core.db import clean_text, insert_new
from core.models import Notice

NOTICE_KEYS = uuid.UUID("a3f1f4d8-3a83-5c5e-9a3d-0f5d3b1c7e42")


def notify(*, kind: str, subject: str, text: str, url: str = "", key: str) -> Notice | None:
    """Tell people, once for each key; None when it was told before."""
    notice = Notice(
        id=uuid.uuid5(NOTICE_KEYS, f"{kind}\n{key}"),
        kind=kind,
        subject=clean_text(subject, 200),
        text=clean_text(text, 4000),
        url=url,
        created_at=timezone.now(),
    )
    return notice if insert_new(Notice, [notice]) else None
