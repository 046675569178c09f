"""What D&B's codes about a D-U-N-S number mean, and what a person can do. Codes decide, never texts.

docs/develop/direct_plus.md#subjects says why.
"""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portfolio.models import Subject, SubjectState

MEANINGS = {
    "10001": (
        _("D&B knows no such D-U-N-S number."),
        _("Look for slips in it, correct it and import it again, or stop wanting it."),
    ),
    "40105": (_("D&B knows no such D-U-N-S number."), _("Look for slips in it, or stop wanting it.")),
    "10200": (_("The D-U-N-S number is not known at D&B."), _("Look for slips in it, or stop wanting it.")),
    "40001": (_("The D-U-N-S number is not known at D&B."), _("Look for slips in it, or stop wanting it.")),
    "10003": (
        _("D&B takes it for no valid D-U-N-S number."),
        _("A spreadsheet may have eaten a leading zero: correct it and import it again, or stop wanting it."),
    ),
    "40002": (_("The company is deleted at D&B."), _("Nothing more will come about it: stop wanting it.")),
    "40003": (
        _("The company was merged into another one."),
        _("Accept the proposal to watch the other one instead, or stop wanting it."),
    ),
}
OTHERWISE = _("Ask D&B what it means; when it is put right, send it again.")


def explain(row: Subject) -> tuple[str, str]:
    """What is the matter with a refused number, and what to do; empty where nothing is."""
    if row.state == SubjectState.MONITORED and row.code in MEANINGS:
        words = gettext("D&B did not take it out. %(meaning)s") % {"meaning": MEANINGS[row.code][0]}
        return words, gettext("Try again with “Stop monitoring”, or want it.")
    if row.state != SubjectState.REFUSED:
        return "", ""
    meaning, advice = MEANINGS.get(row.code, (_in_its_words(row), OTHERWISE))
    if row.replacement:
        words = gettext("%(meaning)s It goes on as %(replacement)s.")
        return words % {"meaning": meaning, "replacement": row.replacement}, str(advice)
    return str(meaning), str(advice)


def _in_its_words(row: Subject) -> str:
    words = gettext("D&B refuses it with code %(code)s: %(message)s")
    return words % {"code": row.code, "message": row.message or gettext("without words")}
