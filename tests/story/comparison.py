"""Where the application and the model differ, aspect by aspect.

The model gives one answer for each reading of the rules. The application has to give one of them: the first that it
equals. Where answers differ among themselves, the aspect is undecided for that company, and the readings say why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from difflib import unified_diff
from itertools import chain, groupby

from tests.story.application import Found
from tests.story.facts import Answer, Token, answers, rarer_answers
from tests.story.model import StoredDelivery
from tests.story.values import overlap
from tests.story.worlds import FULL_PRODUCT

ORDER, LISTED, STATE, LIVE, OBSERVED = "order", "listed", "state", "live", "observed"
COMPARED = (LISTED, LIVE, OBSERVED, ORDER, STATE)
Ordered = Sequence[tuple[datetime, Token]]


def differs(aspect: str, found: Found, answer: Answer) -> bool:
    if aspect == STATE:
        return found.state != answer.state
    if aspect == LIVE:
        return Counter(token for _, token in found.listed) != Counter(token for _, token in answer.order)
    if aspect in (ORDER, LISTED):
        order = found.order if aspect == ORDER else found.listed
        expected = [entry for entry in answer.order if aspect == LISTED or not is_difference(entry[1])]
        return normal(order, answer.chained) != normal(expected, answer.chained)
    return any(
        not answer.observed[token] <= found.observed.get(token, frozenset()) <= answer.perhaps[token]
        for _, token in answer.order
    )


def judge(found: Found, deliveries: Sequence[StoredDelivery], company: str) -> tuple[list[str], dict[str, set[str]]]:
    """What equals no answer, beside the first answer; and the aspects that are undecided, with the readings."""
    given = answers(deliveries, company, FULL_PRODUCT)
    wrong: list[str] = []
    undecided: dict[str, set[str]] = {}
    for aspect in COMPARED:
        if codes := {name for answer in given[1:] if unequal(aspect, given[0], answer) for name in answer.reading}:
            undecided[aspect] = codes
        rarer = rarer_answers(deliveries, company, FULL_PRODUCT)
        fitting = (answer for answer in chain(given, rarer) if not differs(aspect, found, answer))
        if (match := next(fitting, None)) is None:
            wrong.append(f"{aspect}\n{describe(aspect, found, given[0])}")
        elif len(match.reading) > 1:
            undecided.setdefault(aspect, set()).add("+".join(sorted(match.reading)))
    return wrong, undecided


def same(aspect: str, one: Found, other: Found) -> bool:
    """Between two orders of arrival; differences of one SEED may stand in any order."""
    if aspect == LIVE:
        return Counter(one.listed) == Counter(other.listed)
    if aspect in (ORDER, LISTED):
        return normal(getattr(one, aspect), ()) == normal(getattr(other, aspect), ())
    return bool(getattr(one, aspect) == getattr(other, aspect))


def describe(aspect: str, found: Found, answer: Answer) -> str:
    """Side by side, a line for each value or event, as `diff` writes it."""
    if aspect == STATE:
        lines = [[f"{path}: {value}" for path, value in sorted(one.state.items())] for one in (answer, found)]
    elif aspect == OBSERVED:
        lines = [[f"{token}: {sorted(who)}" for token, who in sorted(one.observed.items())] for one in (answer, found)]
    else:
        story = found.order if aspect == ORDER else found.listed
        expected = [entry for entry in answer.order if aspect != ORDER or not is_difference(entry[1])]
        lines = [[" ".join(token) for token in normal(order, answer.chained)] for order in (expected, story)]
    before, after = lines
    return "\n".join(unified_diff(before, after, "model", "application", lineterm="", n=99))


def is_difference(token: Token) -> bool:
    return bool(token[0] == "element" and token[-1])


def unequal(aspect: str, one: Answer, other: Answer) -> bool:
    """Between two answers of the model; what may be observed is compared as what is."""
    story = [entry for entry in other.order if not is_difference(entry[1])]
    return differs(aspect, Found(story, other.order, other.state, other.observed), one)


def normal(order: Ordered, chained: Iterable[datetime]) -> list[Token]:
    """One form for orders that differ only where the rules leave it open.

    That is: among the differences of one SEED; and where `previous` and not the key orders changes of a moment, among
    changes of paths that do not overlap.
    """
    return list(_normal(order, frozenset(chained)))


def _normal(order: Ordered, chained: frozenset[datetime]) -> Iterator[Token]:
    for moment, group in groupby(order, lambda entry: entry[0]):
        left = [token for _, token in group]
        while left:
            free = (n for n, token in enumerate(left) if all(_swap(one, token, moment in chained) for one in left[:n]))
            yield left.pop(min(free, key=lambda n: left[n]))


def _swap(one: Token, other: Token, is_chained: bool) -> bool:
    """Whether the two, side by side, may change places."""
    if one == other:
        return True
    if is_chained and bool(one[2]) != bool(other[2]):
        return "baseline" not in (one[0], other[0])
    if not one[2] or not other[2] or overlap(tuple(one[2].split(".")), tuple(other[2].split("."))):
        return False
    return is_chained or bool(one[-1] and one[-1] == other[-1])
