"""What happens in the demo world, and when: mostly noise, as in real traffic, and stories in between."""

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from direct_plus.sandbox.http.dates import DAY
from direct_plus.sandbox.state.event_catalog import NOISE

QUIET = ("telephone_change", "website_change", "employees_change", "financials_change", "industry_change")
SCORES = ("score_rise", "score_fall", "delinquency_rise", "delinquency_fall", "rating_worse", "rating_better")
MIDDLE = (*SCORES, "payments_change", "address_change", "principal_change", "name_change")
HISTORY_DAYS = 90
HISTORY_EVENTS = 800
# Of them, so many are about scores, and somewhat more are good than bad: a portfolio moves in both directions.
HISTORY_SCORES = 130
USUAL_SCORES = (*SCORES, "score_rise", "delinquency_rise")
# a SEED tells the present; near it no value may change to and fro, or the order of the two could not be told
CALM_DAYS = 5


# How the world is to fill an event: a deep fall, or a company found among those of the same sector.
STEEP, OWNER, RETAINED = {"steep": True}, {"owner": True}, {"retained": True}


class Event(NamedTuple):
    """Something that happens to the company with this index."""

    at: int
    kind: str
    company: int
    details: dict[str, Any]
    luck: int


# Owners and retained companies are taken from those of the same sector. A company goes under after its scores fell.
STORIES: tuple[tuple[int, float, str, dict[str, Any]], ...] = (
    # company, days before now, kind, details: a supplier that goes under in plain sight …
    (7, 64, "score_fall", STEEP), (7, 43, "score_fall", STEEP), (7, 22, "score_fall", STEEP),
    (7, 20, "rating_worse", {}), (7, 12, "bankruptcy", {}), (7, 3, "out_of_business", {}),
    # … and what else there is
    (31, 55, "ownership_change", OWNER), (31, 50, "principal_change", {}), (31, 41, "name_change", {}),
    (44, 66, "score_fall", STEEP), (44, 58, "score_fall", STEEP), (44, 47, "delinquency_fall", {}),
    (44, 40, "suspension_of_payments", {}), (44, 33, "high_risk", {}),
    (58, 36, "under_review", {}), (58, 35, "address_change", {}), (58, 28, "reviewed", {}),
    (70, 30, "transfer", RETAINED),
    # One list only: weeks later, two lists would tell each its own deletion and restoration, one after the other.
    (73, 26, "delete", {}), (88, 25, "delete", {}), (88, 18, "undelete", {}),
    (91, 17, "fire", {}), (96, 15, "lawsuit", {}),
    (103, 52, "score_fall", STEEP), (103, 38, "score_fall", STEEP), (103, 25, "score_fall", STEEP),
    (103, 14, "liquidation", {}),
    (110, 10, "ownership_change", OWNER), (4, 8, "exclusion", {}),
    (125, 27, "score_fall", STEEP), (125, 15, "delinquency_fall", {}), (125, 6, "deteriorating", {}),
    (132, 44, "score_fall", STEEP), (132, 29, "score_fall", STEEP), (132, 11, "score_fall", STEEP),
    (132, 10, "rating_worse", {}), (132, 2, "insolvency", {}),
    (139, 1, "ownership_change", OWNER),
    (146, 48, "score_fall", STEEP), (146, 31, "score_fall", STEEP), (146, 13, "score_fall", STEEP),
    (146, 12, "rating_worse", {}), (146, 0.5, "bankruptcy", {}),
)  # fmt: skip
# Of places that no story needs: those that joined a list, and left all of them, since history began.
JOINERS, JOINED_DAYS = (9, 21, 38, 63, 99, 118, 141, 144), 41
LEAVERS = ((12, 33), (84, 19))
ACTORS = {company for company, _days, _kind, _details in STORIES}


def history(seed: int, now: int, companies: int) -> list[Event]:
    """Three months, in order; most of it noise."""
    random = Random(f"history {seed}")
    others = [company for company in range(companies) if company not in ACTORS and company not in dict(LEAVERS)]
    left = ((company, days, "removed", {}) for company, days in LEAVERS)
    events = [
        Event(now - round(days * DAY), kind, company, details, number)
        for number, (company, days, kind, details) in enumerate((*STORIES, *left))
    ]
    for number in range(HISTORY_EVENTS - len(events)):
        at = now - round(random.uniform(CALM_DAYS, HISTORY_DAYS) * DAY)
        kind = random.choice(USUAL_SCORES) if number < HISTORY_SCORES else _ordinary(random, 0.75)
        events.append(Event(at, kind, random.choice(others), {}, random.getrandbits(30)))
    return sorted([*events, *_last_days(random, now, others)], key=lambda event: event.at)


def _last_days(random: Random, now: int, others: list[int]) -> Iterator[Event]:
    """One change a company at most."""
    for company in random.sample(others, 30):
        kind = random.choice(("score_date", "score_date", "assessment_date", *QUIET))
        yield Event(now - round(random.uniform(0.1, CALM_DAYS - 1) * DAY), kind, company, {}, random.getrandbits(30))


def _ordinary(random: Random, noise: float) -> str:
    if random.random() < noise:
        return random.choice(NOISE)
    return random.choice(QUIET if random.random() < 0.6 else MIDDLE)


BLOCK = 40
FALLS = (6, 15, 24)
TURN = 33
TURNS = ("bankruptcy", "ownership_change", "out_of_business", "transfer", "suspension_of_payments", "recovery")
# These befall the company whose score has fallen three times in the block.
AFTER_FALLS = ("bankruptcy", "out_of_business", "suspension_of_payments")
PARTNERS = {"ownership_change": OWNER, "transfer": RETAINED}
SET = {10: "telephone_change", 19: "address_change", 28: "name_change"}


class Living(NamedTuple):
    """Those that still trade, and among them those with a score, and those with a company near enough to merge into."""

    all: list[int]
    scored: list[int]
    merging: list[int]


def live(seed: int, step: int, at: int, living: Living) -> Event:
    """The event of a step: in every block of forty a score that falls three times, one turn of fate, much noise."""
    random = Random(f"live {seed} {step}")
    block, place = divmod(step, BLOCK)
    if place in FALLS:
        return Event(at, "score_fall", _falling(seed, block, living.scored), STEEP, step)
    if place == TURN:
        return _turn(random, seed, block, at, living, step)
    return Event(at, SET.get(place) or _ordinary(random, 0.8), random.choice(living.all), {}, step)


def _falling(seed: int, block: int, scored: list[int]) -> int:
    """The company of a block whose score falls: the same one, whoever else is gone in the meantime."""
    return min(scored, key=lambda company: Random(f"fall {seed} {block} {company}").random())


def _turn(random: Random, seed: int, block: int, at: int, living: Living, step: int) -> Event:
    kind = TURNS[block % len(TURNS)]
    if kind in AFTER_FALLS:
        return Event(at, kind, _falling(seed, block, living.scored), {}, step)
    company = random.choice(living.merging if kind == "transfer" else living.all)
    return Event(at, kind, company, PARTNERS.get(kind, {}), step)
