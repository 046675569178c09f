"""Clean-up of what is kept for a while only: expired sessions, and the login history."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.utils import timezone

SIGN_INS_KEPT = timedelta(days=90)


def forget_old_sign_ins() -> int:
    """Expired sessions, attempts that no longer lock, logins after 90 days; how many of the last."""
    now = timezone.now()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).delete()
    return int(AccessLog.objects.filter(attempt_time__lt=now - SIGN_INS_KEPT).delete()[0])
