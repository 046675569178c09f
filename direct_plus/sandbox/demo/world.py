"""The demo world: companies with three months behind them, and something new every few seconds."""

import json
from collections.abc import Iterable
from random import Random
from threading import Thread
from typing import Any

from direct_plus.sandbox.demo import companies as demo_companies
from direct_plus.sandbox.demo import prospects, subsidiaries
from direct_plus.sandbox.demo.events import ACTORS, HISTORY_DAYS, JOINED_DAYS, JOINERS, Event, Living, history, live
from direct_plus.sandbox.demo.figures import KINDS, figure_changes
from direct_plus.sandbox.demo.groups import named
from direct_plus.sandbox.http.dates import DAY, blank_stamp, moment, stamp
from direct_plus.sandbox.http.responses import dump
from direct_plus.sandbox.state import (
    companies,
    delivered_files,
    document_changes,
    events,
    membership,
    notification_payloads,
    notification_queue,
    registrations,
)
from direct_plus.sandbox.state.world import World

# Until D&B's contract ends.
CONTRACT_DAYS = 75
SEED = 20260105
SUPPLIERS, CUSTOMERS, FULL = "ACME_SUPPLIERS", "ACME_CUSTOMERS", "ACME_KEY_ACCOUNTS"
# The places that each list holds.
LISTS = {SUPPLIERS: range(85), CUSTOMERS: range(70, 150), FULL: range(5, 150, 12)}
# seconds between the elements of one notification in the history: D&B gathers changes before it tells them
APART = 95
PARENT, DOMESTIC, ULTIMATE = (
    f"organization.corporateLinkage.{role}" for role in ("parent", "domesticUltimate", "globalUltimate")
)
RECOVERED = {"organization.legalEvents.hasOpenBankruptcy": False, "organization.legalEvents.hasOpenInsolvency": False}


def start_demo(world: World, every: float) -> Thread:
    """Fill an empty world; the thread that lets it live on is the caller's to start."""
    if world.store.recall("demo") is None:
        fill(world)
    return Thread(target=_live_on, args=(world, every), daemon=True)


def fill(world: World, seed: int = SEED) -> None:
    now = world.clock.now()
    day = moment(now - HISTORY_DAYS * DAY).strftime("%Y-%m-%d")
    documents = demo_companies.build(seed, day, ACTORS)
    numbers = [document["duns"] for document in documents]
    with world.store.transaction():
        world.store.remember("demo", {"seed": seed, "numbers": numbers, "step": 0})
        world.switches.set("unknown_duns", "some")
        # On a busy machine calls arrive closer together than they were sent, and a refused pull waits for minutes.
        world.switches.set("calls_per_second", 0)
        world.switches.set("contract_end", moment(now + CONTRACT_DAYS * DAY).strftime("%Y-%m-%d"))
        _keep(world, [*documents, *prospects.build(seed, day), *subsidiaries.build(documents, seed, day)], now)
        _registrations(world, now)
        _live_through(world, numbers, history(seed, now, len(numbers)), now)
        _seeds_first(world)


def _keep(world: World, documents: list[companies.Document], now: int) -> None:
    for document in documents:
        companies.keep(world, document)
    world.store.run("UPDATE company SET changed_at = ?", now - HISTORY_DAYS * DAY)


def _registrations(world: World, now: int) -> None:
    """Two lists that overlap, and a few key accounts of which every change comes as a whole document."""
    created: dict[str, Any] = {
        "createdDate": blank_stamp(now - (HISTORY_DAYS + 6) * DAY),
        "fileTransferProfile": "acmeprofile",
    }
    customers: dict[str, Any] = {"description": "Acme customers", "email": "credit@acme.example,sales@acme.example"}
    registrations.add(world, SUPPLIERS, description="Acme suppliers", email="purchasing@acme.example", **created)
    registrations.add(world, CUSTOMERS, **customers, **created)
    registrations.add(world, FULL, description="Acme key accounts", notificationType="FULL_PRODUCT", **created)


def _live_through(world: World, numbers: list[str], events: list[Event], now: int) -> None:
    """What happened since the lists began, and halfway some companies that joined them."""
    began, joined = now - (HISTORY_DAYS + 3) * DAY, now - JOINED_DAYS * DAY
    _join(world, numbers, [place for place in range(len(numbers)) if place not in JOINERS], began)
    for event in (one for one in events if one.at < joined):
        _play(world, numbers, event, apart=APART)
    _join(world, numbers, JOINERS, joined)
    for event in (one for one in events if one.at >= joined):
        _play(world, numbers, event, apart=APART)


def _join(world: World, numbers: list[str], places: Iterable[int], at: int) -> None:
    """Into each list that holds these places; what D&B knew of them then lies in a seed file of that day."""
    for reference, listed in LISTS.items():
        joining = [numbers[place] for place in places if place in listed]
        membership.join(world, reference, joining, seed=False)
        lines = (dump({"organization": companies.document(world, duns)}) for duns in joining)
        if joining and reference != FULL:
            delivered_files.seed_files(world, reference, lines, per_file=len(joining), at=at)


def _seeds_first(world: World) -> None:
    """A SEED is dated by its delivery, so it tells the present; what led there comes after it in the queue. Whole
    documents of weeks ago would all be dated today, as if their differences had happened now."""
    waiting = world.store.rows("SELECT reference, raw FROM notice ORDER BY seq")
    world.store.empty(["notice"])
    for reference in (SUPPLIERS, CUSTOMERS, FULL):
        notification_payloads.seed(world, reference, membership.members(world, reference))
    for row in waiting:
        if json.loads(row["raw"])["type"] != "SEED":
            notification_queue.emit(world, row["reference"], [row["raw"]])


def _play(world: World, numbers: list[str], event: Event, *, apart: float = 0) -> list[int]:
    duns, at = numbers[event.company], stamp(event.at)
    document = companies.document(world, duns)
    if event.kind == "recovery":
        known = {path: value for path, value in RECOVERED.items() if document_changes.look(document, path) is True}
        return events.happen(world, "change", duns, at=at, changes=known)
    if event.kind in KINDS:
        changes = figure_changes(event.kind, document, Random(event.luck), at[:10], is_steep="steep" in event.details)
        return events.happen(world, "change", duns, at=at, apart=apart, changes=changes)
    details = _details(world, numbers, event)
    return events.happen(world, event.kind, duns, at=at, seed=event.luck, apart=apart, **details)


def _details(world: World, numbers: list[str], event: Event) -> dict[str, Any]:
    """Owners and retained companies are companies of this world that are near enough to the other one."""
    document = companies.document(world, numbers[event.company])
    changes = demo_companies.local_changes(event.kind, event.company, document, Random(event.luck))
    details: dict[str, Any] = {"changes": changes}
    if "retained" in event.details:
        retained = _partner(world, numbers, document, demo_companies.neighbours(event.company))
        details["retained"] = retained["duns"]
    if "owner" in event.details:
        owner = _partner(world, numbers, document, demo_companies.related(event.company))
        changes |= _owned_by(owner, document)
    return details


def _owned_by(owner: companies.Document, document: companies.Document) -> companies.Document:
    linkage, country = owner["corporateLinkage"], "countryISOAlpha2Code"
    home = linkage["domesticUltimate"] if owner[country] == document[country] else named(document)
    return {PARENT: named(owner), DOMESTIC: home, ULTIMATE: linkage["globalUltimate"]}


def _partner(world: World, numbers: list[str], document: companies.Document, places: list[int]) -> companies.Document:
    """The nearest that trades, is larger and is not in the same family; where all are smaller, the largest."""
    trading = set(_living(world, numbers))
    family = document["corporateLinkage"]["globalUltimate"]["duns"]
    found = [companies.document(world, numbers[place]) for place in places if place in trading]
    others = [one for one in found if one["corporateLinkage"]["globalUltimate"]["duns"] != family] or found
    larger = (one for one in others if _size(one) > _size(document))
    return next(larger, None) or max(others, key=_size)


def _size(document: companies.Document) -> int:
    return int(document["numberOfEmployees"][0]["value"])


def step(world: World) -> list[int]:
    """The next thing that happens; how far the demo has come is kept."""
    with world.store.transaction():
        state = world.store.recall("demo")
        if state is None:
            return []
        world.store.remember("demo", {**state, "step": state["step"] + 1})
        numbers, now = state["numbers"], world.clock.now()
        return _play(world, numbers, live(state["seed"], state["step"], now, _who_lives(world, numbers)))


def _who_lives(world: World, numbers: list[str]) -> Living:
    living = set(_living(world, numbers))
    scored = _living(world, numbers, " AND json_extract(document, '$.dnbAssessment.failureScore') IS NOT NULL")
    merging = [place for place in living if not living.isdisjoint(demo_companies.neighbours(place))]
    return Living(sorted(living), scored, sorted(merging))


def _living(world: World, numbers: list[str], also: str = "") -> list[int]:
    """Those in a list that still trade; when few are left, all take part again."""
    rows = world.store.rows(
        "SELECT duns FROM company WHERE mark = '' AND in_review = 0 AND duns IN (SELECT duns FROM subject)"
        f" AND json_extract(document, '$.dunsControlStatus.operatingStatus.dnbCode') = 9074{also}"
    )
    trading = {row["duns"] for row in rows}
    living = [index for index, duns in enumerate(numbers) if duns in trading]
    return living if len(living) > 20 else list(range(len(numbers)))


def _live_on(world: World, every: float) -> None:
    while not world.stopping.wait(every):
        step(world)
