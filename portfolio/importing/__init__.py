"""A file of D-U-N-S numbers → rows with verdicts → what a person confirms → what is wanted (design §5).

Anyone may call these: pages, the API, commands. Writes take keywords; a call that changes nothing says why by an error:

    BadFile                 the file cannot be read
    Refused                 the import is in another state, or was changed at the same moment
        NotAllowed          the right is missing, or it has to be a second person
        WrongNumber         the number confirmed is not the number of companies; it holds the right ones
"""

from portfolio.importing.applying import apply_import, approve_undo, carry_out_undo, keep_import, undo_import
from portfolio.importing.confirming import (
    approve_import,
    cancel_import,
    confirm_import,
    is_undecided,
    make_plan,
)
from portfolio.importing.files import check_kind
from portfolio.importing.planning import plan_removal
from portfolio.importing.reading import choose_sheet, create_import, decide_zeros, judged_without_keeping, read_import
from portfolio.importing.states import IN_WORK, NotAllowed, Refused, WrongNumber, counts_of, sheets_of
from portfolio.importing.tables import BadFile
from portfolio.importing.verdicts import VerdictRow, verdict_rows
from portfolio.importing.working import idle_imports, is_in_work, work_on

__all__ = [
    "IN_WORK",
    "BadFile",
    "NotAllowed",
    "Refused",
    "VerdictRow",
    "WrongNumber",
    "apply_import",
    "approve_import",
    "approve_undo",
    "cancel_import",
    "carry_out_undo",
    "check_kind",
    "choose_sheet",
    "confirm_import",
    "counts_of",
    "create_import",
    "decide_zeros",
    "idle_imports",
    "is_in_work",
    "is_undecided",
    "make_plan",
    "plan_removal",
    "judged_without_keeping",
    "keep_import",
    "read_import",
    "sheets_of",
    "undo_import",
    "verdict_rows",
    "work_on",
]
