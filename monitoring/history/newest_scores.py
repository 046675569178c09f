"""Scores by their dates: an older one never replaces a newer one, and parts of two are never mixed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from monitoring.elements.json_paths import ROOT, copied, names_below_root

ASSESSMENT, SCORE_DATE = "dnbAssessment", "scoreDate"


@lru_cache(maxsize=20_000)
def score_of(path: str) -> str:
    """The score that has this part; empty where the path leads to none, or to a whole one."""
    names = names_below_root(path)
    return names[1] if names[:1] == [ASSESSMENT] and len(names) > 2 else ""


@lru_cache(maxsize=20_000)
def is_score_date(path: str) -> bool:
    """Of the score itself, not of something within it."""
    return bool(score_of(path)) and names_below_root(path)[2:] == [SCORE_DATE]


def score_around(path: str) -> str:
    """The path of the score that has this part; of what is no part of one, its own."""
    score = score_of(path)
    return f"{ROOT}.{ASSESSMENT}.{score}" if score else path


def with_newest_scores(known: Any, new: Any) -> Any:
    """An assessment in which no score is older than the one it replaces: registrations report at their own pace."""
    if not isinstance(known, dict) or not isinstance(new, dict):
        return copied(new)
    older = {name: known[name] for name, score in new.items() if name in known and is_older_score(score, known[name])}
    return copied(new | older)


def is_older_score(score: Any, known: Any) -> bool:
    new, old = (str(value.get(SCORE_DATE) or "") if isinstance(value, dict) else "" for value in (score, known))
    return bool(new) and new < old


def merged(known: Any, new: Any) -> Any:
    """Both, where they are objects; parts of a score are never mixed with those of another date."""
    are_objects = isinstance(known, dict) and isinstance(new, dict) and new
    if not are_objects or known.get(SCORE_DATE) != new.get(SCORE_DATE):
        return new
    return known | {name: merged(known.get(name), value) for name, value in new.items()}
