"""Scores, ratings and limits as a credit bureau derives them: of each company at first, and when they move."""

from random import Random
from typing import Any

from direct_plus.sandbox.state.companies import Document
from direct_plus.sandbox.state.document_changes import ABSENT, look
from direct_plus.sandbox.state.event_catalog import class_of

ASSESSMENT = "organization.dnbAssessment."
FAILURE, DELINQUENCY = "failureScore", "delinquencyScore"
RISKS = ("Low risk", "Low to moderate risk", "Moderate risk", "Moderate to high risk", "High risk")
# Companies of each class in a hundred that fail, or that pay very late, within a year.
INCIDENCES = {FAILURE: (0.03, 0.09, 0.24, 0.84, 4.7), DELINQUENCY: (1.1, 2.5, 5.8, 9.4, 20.3)}
# The recommended limit shrinks with the class.
LIMIT_FACTORS = (1.5, 1.2, 1.0, 0.5, 0.1)
# Financial strength by net worth in US dollars, then the condition from 1 to 4: "3A2".
STRENGTHS = (("5A", 50_000_000), ("4A", 10_000_000), ("3A", 1_000_000), ("2A", 750_000), ("1A", 500_000),
             ("BA", 300_000), ("BB", 200_000), ("CB", 125_000), ("CC", 75_000), ("DC", 0))  # fmt: skip
WEAKEST = 4
# From here a score can still fall.
LOWEST = 4
# How likely a company has none of them: a young or a very small one often has not.
NO_SCORE, NO_DELINQUENCY, NO_RATING, NO_PAYMENTS = 0.07, 0.1, 0.08, 0.35
SUED, DETERIORATING = 0.05, 0.3
# By how much a percentile moves, at least and at most.
MOVES = {
    "score_fall": (FAILURE, -18, -6),
    "score_rise": (FAILURE, 3, 9),
    "delinquency_fall": (DELINQUENCY, -15, -5),
    "delinquency_rise": (DELINQUENCY, 3, 9),
}
RATING_STEPS = {"rating_worse": 1, "rating_better": -1}
KINDS = (*MOVES, *RATING_STEPS, "payments_change")


def add_figures(document: Document, rate: int, random: Random, day: str, *, is_sound: bool) -> None:
    """What D&B thinks of a company; a sound one has all of it and nothing against it."""
    failure, delinquency = _percentiles(random, is_sound=is_sound)
    revenue = document["financials"][0]["yearlyRevenue"][0]
    dollars = revenue["value"] / rate
    document["dnbAssessment"] = assessment = {
        FAILURE: _score(FAILURE, failure, day),
        DELINQUENCY: _score(DELINQUENCY, delinquency, day),
        "standardRating": {"rating": _rating(dollars * random.uniform(0.1, 0.4), failure), "scoreDate": day},
        "creditLimitRecommendation": {
            "maximumRecommendedLimit": _limit(dollars * random.uniform(0.006, 0.02) * rate, failure, revenue),
            "assessmentDate": day,
        },
    }
    _add_payments(document, random, delinquency)
    chances = [random.random() for _ in range(5)]
    if not is_sound:
        _leave_out(document, assessment, chances)
        _add_warnings(document, random, failure)


def _percentiles(random: Random, *, is_sound: bool) -> tuple[int, int]:
    """Who is likely to fail often pays late, too."""
    failure = random.gauss(57, 29)
    delinquency = 0.55 * failure + 0.45 * random.gauss(60, 54)
    return _within(max(failure, 58) if is_sound else failure), _within(delinquency)


def _within(percentile: float) -> int:
    return max(LOWEST, min(100, round(percentile)))


def _add_payments(document: Document, random: Random, delinquency: int) -> None:
    if random.random() >= NO_PAYMENTS:
        index = max(20, min(95, round(40 + delinquency * 0.45 + random.gauss(0, 6))))
        document["businessTrading"] = [{"summary": [{"paydexScore": index}]}]


def _leave_out(document: Document, assessment: Document, chances: list[float]) -> None:
    """Without a failure score there is no limit and no rating either."""
    if chances[0] < NO_SCORE:
        for name in (FAILURE, "standardRating", "creditLimitRecommendation"):
            del assessment[name]
    if chances[1] < NO_DELINQUENCY:
        del assessment[DELINQUENCY]
    if chances[2] < NO_RATING:
        assessment.pop("standardRating", None)


def _add_warnings(document: Document, random: Random, failure: int) -> None:
    if random.random() < SUED:
        document["legalEvents"] |= {"hasSuits": True, "hasOpenSuits": True}
    if class_of(failure) == len(RISKS):
        document["isHighRiskBusiness"] = True
    elif class_of(failure) == len(RISKS) - 1:
        document["isDeterioratingBusiness"] = random.random() < DETERIORATING


def _score(name: str, percentile: int, day: str) -> Document:
    place = class_of(percentile) - 1
    return {
        "nationalPercentile": percentile,
        "classScore": place + 1,
        "classScoreDescription": RISKS[place],
        "incidenceOfDefault": INCIDENCES[name][place],
        "scoreDate": day,
    }


def _rating(net_worth: float, failure: int) -> str:
    strength = next(text for text, least in STRENGTHS if net_worth >= least)
    return f"{strength}{min(WEAKEST, class_of(failure))}"


def _limit(amount: float, failure: int, revenue: Document) -> Document:
    return {"value": _rounded(amount * LIMIT_FACTORS[class_of(failure) - 1]), "currency": revenue["currency"]}


def _rounded(amount: float) -> int:
    """To two digits, as limits are."""
    return int(float(f"{amount:.1e}"))


# When they move


def figure_changes(kind: str, document: Document, random: Random, day: str, *, is_steep: bool = False) -> Document:
    """What one of `KINDS` changes; nothing where there is no such figure."""
    if is_steep:
        return _steep_fall(document, day)
    if kind in MOVES:
        return _move(document, *MOVES[kind], random, day)
    if kind in RATING_STEPS:
        return _step(document, RATING_STEPS[kind], day)
    return _pays_otherwise(document, random)


def _steep_fall(document: Document, day: str) -> Document:
    """A failure score that loses about four tenths: three of these leave little."""
    before = percentile_of(document, FAILURE)
    return {} if before is None else _moved(document, FAILURE, max(1, min(before - 1, round(before * 0.6))), day)


def percentile_of(document: Document, score: str) -> int | None:
    before = look(document, f"{ASSESSMENT}{score}.nationalPercentile")
    return None if before is ABSENT else int(before)


def _move(document: Document, score: str, least: int, most: int, random: Random, day: str) -> Document:
    """A company without a score gets its first one, in the middle."""
    before = percentile_of(document, score)
    moved = random.randint(least, most)
    return _moved(document, score, _within((50 if before is None else before) + moved), day)


def _moved(document: Document, score: str, percentile: int, day: str) -> Document:
    changes = {f"{ASSESSMENT}{score}.{name}": value for name, value in _score(score, percentile, day).items()}
    return changes | (_limit_after(document, percentile, day) if score == FAILURE else {})


def _limit_after(document: Document, percentile: int, day: str) -> Document:
    """A limit follows the class."""
    path = f"{ASSESSMENT}creditLimitRecommendation."
    limit, before = look(document, f"{path}maximumRecommendedLimit"), percentile_of(document, FAILURE)
    if limit is ABSENT or before is None or class_of(before) == class_of(percentile):
        return {}
    was, now = (LIMIT_FACTORS[class_of(one) - 1] for one in (before, percentile))
    value = {**limit, "value": _rounded(limit["value"] / was * now)}
    return {f"{path}maximumRecommendedLimit": value, f"{path}assessmentDate": day}


def _step(document: Document, step: int, day: str) -> Document:
    """A rating one worse or better: first the condition, then the financial strength."""
    rating = look(document, f"{ASSESSMENT}standardRating.rating")
    if rating is ABSENT:
        return {}
    strengths = [text for text, _least in STRENGTHS]
    place, condition = strengths.index(rating[:-1]), int(rating[-1]) + step
    if not 1 <= condition <= WEAKEST:
        place, condition = max(0, min(len(strengths) - 1, place + step)), condition - step
    path = f"{ASSESSMENT}standardRating."
    return {f"{path}rating": f"{strengths[place]}{condition}", f"{path}scoreDate": day}


def _pays_otherwise(document: Document, random: Random) -> Document:
    before: Any = look(document, "organization.businessTrading")
    if before is ABSENT:
        return {}
    index = max(20, min(95, before[0]["summary"][0]["paydexScore"] + random.choice((-7, -4, -2, 2, 3, 5))))
    return {"organization.businessTrading": [{"summary": [{"paydexScore": index}]}]}
