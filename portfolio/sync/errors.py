"""What can stop a sync: whose fault an error is, what it left undone, and what people should be told."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext

from direct_plus.client import DirectPlus
from direct_plus.errors import (
    BadRequest,
    ContractDates,
    DirectPlusError,
    Gone,
    NotAuthorised,
    NotFound,
    QuotaUsedUp,
    TooManyCalls,
    Transferred,
    UnknownPath,
)
from portfolio.dnb_client import NotConfigured

# The call itself is wrong, not the number in it.
WHOLE_CALL = frozenset({"00003", "00008", "00010", "10002", "00005"})
# D&B has refused the whole call: nothing was added or removed. After anything else that is not known.
DID_NOTHING = (NotAuthorised, TooManyCalls, QuotaUsedUp, BadRequest, NotFound)


def is_about_the_number(error: DirectPlusError) -> bool:
    """D&B refuses this number with a code of its own; the next one may be fine."""
    if isinstance(error, UnknownPath | ContractDates) or error.code in WHOLE_CALL or error.code is None:
        return False
    return isinstance(error, BadRequest | NotFound | Gone | Transferred)


def forget_refused_token(client: DirectPlus, error: Exception) -> None:
    """The next attempt asks for a new token, with the credentials as they are then."""
    if isinstance(error, NotAuthorised):
        client.session.forget_token()


def explain_error(error: Exception) -> tuple[str, datetime, bool]:
    """What stopped the sync, when it goes on by itself, and whether people have to hear of it."""
    now = timezone.now()
    if isinstance(error, QuotaUsedUp):
        return (
            gettext("D&B's quota of calls is used up. The sync resumes automatically after the reset. %(error)s")
            % {"error": error},
            next_midnight(),
            True,
        )
    if isinstance(error, NotAuthorised | NotConfigured):
        return (
            gettext(
                "D&B does not accept the API key. Ask an administrator to check it in the environment settings. "
                "%(error)s"
            )
            % {"error": error},
            now + timedelta(minutes=10),
            True,
        )
    if isinstance(error, UnknownPath):
        told = gettext(
            "D&B does not know this call. Check the registration and the setting DNB_SUBJECT_PATH (subjects or duns)."
        )
        return f"{told} {error}", now + timedelta(minutes=30), True
    if isinstance(error, TooManyCalls):
        wait = timedelta(seconds=error.retry_after or 60)
        return (
            gettext("D&B is limiting the number of calls. The sync resumes automatically. %(error)s")
            % {"error": error},
            now + wait,
            False,
        )
    if isinstance(error, BadRequest | NotFound):
        return gettext("D&B rejected the call. %(error)s") % {"error": error}, now + timedelta(minutes=30), True
    told = gettext("D&B's response was not clear. The pending changes are in doubt and will be checked automatically.")
    return f"{told} {error}", now + timedelta(minutes=1), False


def next_midnight() -> datetime:
    """When D&B's daily quota begins anew."""
    tomorrow = timezone.now() + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=1, second=0, microsecond=0)
