"""Cursors as callers of the API get them: those who see a part are not shown how much is published in all."""

from __future__ import annotations

from core.encryption import SecretLost, decrypted, encrypted
from core.visibility import Scope
from monitoring.feed.feed import START_AGAIN, Cursor

PURPOSE = "feed-cursor"
GONE = f"The changes after this cursor are no longer available. {START_AGAIN}"


def shown(cursor: Cursor, scope: Scope) -> str:
    return str(cursor) if scope.sees_all else encrypted(str(cursor), PURPOSE)


def taken(text: str, scope: Scope) -> Cursor:
    """Raises ValueError for what was not given out to this caller."""
    if scope.sees_all:
        return Cursor.read(text)
    try:
        return Cursor.read(decrypted(text, PURPOSE))
    except SecretLost as error:
        raise ValueError("not as it was given") from error
