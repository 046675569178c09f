"""What D&B's codes about a D-U-N-S number mean, and what a person can do. Codes decide, never texts.

docs/develop/direct_plus.md#subjects says why.
"""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portfolio.models import Subject, SubjectState

MEANINGS = {
    "10001": (
        _("D&B does not know this D-U-N-S number."),
        _("Check it for typing errors, then import the correct number. Otherwise withdraw the request."),
    ),
    "40105": (
        _("D&B does not know this D-U-N-S number."),
        _("Check it for typing errors, then import the correct number. Otherwise withdraw the request."),
    ),
    "10200": (
        _("D&B does not know this D-U-N-S number."),
        _("Check it for typing errors, then import the correct number. Otherwise withdraw the request."),
    ),
    "40001": (
        _("D&B does not know this D-U-N-S number."),
        _("Check it for typing errors, then import the correct number. Otherwise withdraw the request."),
    ),
    "10003": (
        _("D&B reports that the D-U-N-S number is not valid."),
        _("A spreadsheet may have dropped a leading zero. Import the correct number, or withdraw the request."),
    ),
    "40002": (
        _("D&B has deleted the company."),
        _("D&B sends no more changes for this company. Withdraw the request."),
    ),
    "40003": (
        _("The company was merged into another company."),
        _("Accept the proposal to monitor the other company instead, or withdraw the request."),
    ),
}
OTHERWISE = _("Ask D&B what this code means. Send the number again once the problem is resolved.")


def explain(row: Subject) -> tuple[str, str]:
    """What is the matter with a refused number, and what to do; empty where nothing is."""
    if row.state == SubjectState.MONITORED and row.code in MEANINGS:
        words = gettext("D&B did not remove the company. %(meaning)s") % {"meaning": MEANINGS[row.code][0]}
        return words, gettext("Choose “Stop monitoring” again, or request the company.")
    if row.state != SubjectState.REFUSED:
        return "", ""
    meaning, advice = MEANINGS.get(row.code, (_in_its_words(row), OTHERWISE))
    if row.replacement:
        words = gettext("%(meaning)s The company continues as %(replacement)s.")
        return words % {"meaning": meaning, "replacement": row.replacement}, str(advice)
    return str(meaning), str(advice)


def _in_its_words(row: Subject) -> str:
    words = gettext("D&B refused the number with code %(code)s: %(message)s")
    return words % {"code": row.code, "message": row.message or gettext("no message")}
