"""Whether a profile is the whole of what a company was at a time, and what is said where it is not."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext

from monitoring.history.checkpoints import known_at
from monitoring.history.known import Known


def what_is_missing(duns: str, as_of: datetime | None, known: Known) -> str:
    """Empty for a whole profile."""
    if known.state.carried:
        return ""
    begins = known.begins or known_at(duns, None)[0].begins
    if begins is None:
        return gettext("D&B has not sent data about this company yet.")
    if as_of is not None and begins > as_of:
        words = gettext("No data is available for this time. Data about this company is available from %(day)s.")
        return words % {"day": f"{begins:%Y-%m-%d}"}
    words = gettext(
        "D&B had not sent the full data of this company by this time. The profile contains only what changed since"
        " %(day)s."
    )
    return words % {"day": f"{begins:%Y-%m-%d}"}
