"""What D&B's codes about a D-U-N-S number mean, and what a person can do (contract §4). Codes decide, never texts."""

from __future__ import annotations

from portfolio.models import Subject, SubjectState

MEANINGS = {
    "10001": (
        "D&B knows no such D-U-N-S number.",
        "Look for slips in it, correct it and import it again, or stop wanting it.",
    ),
    "40105": ("D&B knows no such D-U-N-S number.", "Look for slips in it, or stop wanting it."),
    "10200": ("The D-U-N-S number is not known at D&B.", "Look for slips in it, or stop wanting it."),
    "40001": ("The D-U-N-S number is not known at D&B.", "Look for slips in it, or stop wanting it."),
    "10003": (
        "D&B takes it for no valid D-U-N-S number.",
        "A spreadsheet may have eaten a leading zero: correct it and import it again, or stop wanting it.",
    ),
    "40002": ("The company is deleted at D&B.", "Nothing more will come about it: stop wanting it."),
    "40003": (
        "The company was merged into another one.",
        "Accept the proposal to watch the other one instead, or stop wanting it.",
    ),
}
OTHERWISE = "Ask D&B what it means; when it is put right, send it again."


def explain(row: Subject) -> tuple[str, str]:
    """What is the matter with a refused number, and what to do; empty where nothing is."""
    if row.state == SubjectState.MONITORED and row.code in MEANINGS:
        return f"D&B did not take it out. {MEANINGS[row.code][0]}", "Try again with “Stop monitoring”, or want it."
    if row.state != SubjectState.REFUSED:
        return "", ""
    said = f"D&B refuses it with code {row.code}: {row.message or 'without words'}"
    meaning, advice = MEANINGS.get(row.code, (said, OTHERWISE))
    return (f"{meaning} It goes on as {row.replacement}." if row.replacement else meaning), advice
