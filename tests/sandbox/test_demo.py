"""The demo world: believable, consistent, the same for the same seed, and alive."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

import pytest

from direct_plus.delivered_files import read_lines
from direct_plus.sandbox.demo import companies, exposure
from direct_plus.sandbox.demo import world as demo_world
from direct_plus.sandbox.demo.events import ACTORS, JOINERS, LEAVERS
from direct_plus.sandbox.demo.figures import percentile_of
from direct_plus.sandbox.demo.tables import COUNTRIES, PARENTS, TRADES
from direct_plus.sandbox.demo.world import CUSTOMERS, FULL, SUPPLIERS
from direct_plus.sandbox.http.dates import moment, read_stamp
from direct_plus.sandbox.run import Sandbox, start_sandbox
from direct_plus.sandbox.state import companies as documents
from direct_plus.sandbox.state.document_changes import ABSENT, look
from direct_plus.sandbox.state.world import World
from tests.servers.sandbox_client import Client

Notices = dict[str, list[dict[str, Any]]]
CALM = timedelta(days=5)


@pytest.fixture(scope="module")
def demo_sandbox() -> Iterator[Sandbox]:
    """With a long breath: nothing new while these tests look."""
    with start_sandbox(demo=True, every=10_000, switches={"calls_per_second": 0}) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def waiting(demo_sandbox: Sandbox) -> Notices:
    found: Notices = defaultdict(list)
    for entry in demo_sandbox.control.ledger():
        found[entry["reference"]].append(json.loads(entry["raw"]))
    return found


def elements(items: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in items:
        for element in item.get("elements", []):
            yield item["organization"]["duns"], element


def test_a_hundred_and_fifty_companies_of_ten_countries() -> None:
    documents = companies.build(1, "2026-01-01")
    assert len({document["duns"] for document in documents}) == len(documents) == 150
    assert len({document["countryISOAlpha2Code"] for document in documents}) == 10
    assert sum(document["duns"].startswith("0") for document in documents) > 8
    assert len({document["primaryName"] for document in documents}) == 150
    assert sum("parent" in document["corporateLinkage"] for document in documents) > 20
    assert all(document["websiteAddress"][0]["domainName"].endswith(".example") for document in documents)


def test_the_same_seed_makes_the_same_companies() -> None:
    assert companies.build(1, "2026-01-01") == companies.build(1, "2026-01-01")
    assert companies.build(1, "2026-01-01") != companies.build(2, "2026-01-01")


def test_the_same_seed_makes_the_same_history() -> None:
    worlds = [World(), World()]
    for world in worlds:
        demo_world.fill(world)
        for _ in range(90):
            demo_world.step(world)
    told = [[tell(row["raw"]) for row in world.store.rows("SELECT raw FROM notice ORDER BY seq")] for world in worlds]
    assert told[0] == told[1]


def tell(raw: bytes) -> tuple[str, str, list[str]]:
    item = json.loads(raw)
    paths = [element["element"] for element in item.get("elements", [])]
    return item["type"], item["organization"]["duns"], paths


def test_registrations_are_as_a_customer_has_them(demo_sandbox: Sandbox) -> None:
    client = Client(demo_sandbox)
    assert client.get("/v1/monitoring/registrations").json()["messages"]["references"] == [SUPPLIERS, CUSTOMERS, FULL]
    kinds = [
        client.get(f"/v1/monitoring/registrations/{name}").json()["messages"]["registration"]["notificationType"]
        for name in (SUPPLIERS, CUSTOMERS, FULL)
    ]
    assert kinds == ["UPDATE", "UPDATE", "FULL_PRODUCT"]
    members = [set(demo_sandbox.control.subjects(name)) for name in (SUPPLIERS, CUSTOMERS, FULL)]
    assert len(members[0] | members[1] | members[2]) == 150 - len(LEAVERS)
    assert members[0] & members[1]


def test_every_company_is_seeded_and_changes_come_after(waiting: Notices, demo_sandbox: Sandbox) -> None:
    for reference in (SUPPLIERS, CUSTOMERS):
        members = demo_sandbox.control.subjects(reference)
        first = waiting[reference][: len(members)]
        assert [item["organization"]["duns"] for item in first if item["type"] == "SEED"] == members
    assert {item["type"] for item in waiting[FULL]} >= {"SEED"}
    assert not any(item["type"] == "UPDATE" for item in waiting[FULL])


def test_history_goes_back_three_months_and_none_of_it_is_lost(waiting: Notices, demo_sandbox: Sandbox) -> None:
    stamps = [read_stamp(element["timestamp"]) or 0 for items in waiting.values() for _duns, element in elements(items)]
    now = demo_sandbox.control.clock()
    assert now - timedelta(days=91) < moment(min(stamps)) < now - timedelta(days=85)
    assert max(map(moment, stamps)) < now
    weeks = Counter((now - moment(stamp)).days // 7 for stamp in stamps)
    assert len(weeks) == 13
    assert all(entry["lost_at"] is None for entry in demo_sandbox.control.ledger())


@pytest.mark.parametrize("reference", [SUPPLIERS, CUSTOMERS])
def test_previous_is_what_the_company_was_and_the_last_is_what_it_is(
    waiting: Notices, demo_sandbox: Sandbox, reference: str
) -> None:
    known: dict[tuple[str, str], Any] = {}
    assert any(len({one["timestamp"] for one in item.get("elements", [])}) > 1 for item in waiting[reference])
    for duns, element in sorted(elements(waiting[reference]), key=lambda pair: pair[1]["timestamp"]):
        place = duns, element["element"]
        if place in known:
            assert element.get("previous", ABSENT) == known[place]
        known[place] = element["current"]
    for (duns, path), value in known.items():
        assert look(demo_sandbox.control.company(duns), path) == value


def test_a_seed_tells_the_present(waiting: Notices, demo_sandbox: Sandbox) -> None:
    last = {item["organization"]["duns"]: item["organization"] for item in waiting[FULL] if item["type"] == "SEED"}
    last |= {
        item["organization"]["duns"]: item["organization"] for item in waiting[SUPPLIERS] if item["type"] == "SEED"
    }
    changed = [duns for duns, organization in last.items() if organization != demo_sandbox.control.company(duns)]
    assert changed == []


def test_near_the_seed_no_value_goes_to_and_fro(waiting: Notices, demo_sandbox: Sandbox) -> None:
    """A reader orders a SEED and the changes of its last days by their values."""
    since = demo_sandbox.control.clock() - CALM
    seen: Counter[tuple[str, str]] = Counter()
    for duns, element in elements(waiting[SUPPLIERS]):
        if moment(read_stamp(element["timestamp"]) or 0) > since:
            seen[duns, element["element"]] += 1
    assert seen
    assert max(seen.values()) == 1


def test_most_of_it_is_noise_and_some_of_it_is_not(waiting: Notices) -> None:
    items = waiting[SUPPLIERS] + waiting[CUSTOMERS]
    counts = Counter(element["element"] for _duns, element in elements(items))
    noisy = ("Date", "MembersCount", "branchesCount")
    noise = sum(count for path, count in counts.items() if path.endswith(noisy))
    assert noise > 0.5 * sum(counts.values())
    assert {item["type"] for item in items} == {
        "SEED", "UPDATE", "TRANSFER", "DELETE", "UNDELETE", "UNDER_REVIEW", "REVIEWED", "REMOVED",
    }  # fmt: skip
    for path in ("legalEvents.hasOpenBankruptcy", "dunsControlStatus.operatingStatus", "telephone", "primaryName",
                 "corporateLinkage.globalUltimate", "primaryAddress.streetAddress", "isHighRiskBusiness"):  # fmt: skip
        assert counts[f"organization.{path}"] > 0


def test_one_supplier_goes_under_in_plain_sight(waiting: Notices) -> None:
    by_company: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for duns, element in elements(waiting[SUPPLIERS]):
        by_company[duns].append(element)
    fallen = next(found for found in by_company.values() if any("hasOpenBankruptcy" in one["element"] for one in found))
    scores = [one for one in fallen if one["element"].endswith("failureScore.nationalPercentile")]
    assert len(scores) >= 3
    assert all(one["current"] < one["previous"] for one in scores[:3])
    assert fallen[-1]["current"] == {"description": "Out of business", "dnbCode": 403}


def test_owners_and_retained_companies_are_of_this_world(waiting: Notices) -> None:
    seeds = [item["organization"] for items in waiting.values() for item in items if item["type"] == "SEED"]
    known = {one["duns"] for one in seeds} | {one["corporateLinkage"]["globalUltimate"]["duns"] for one in seeds}
    for items in waiting.values():
        for _duns, element in elements(items):
            if element["element"].endswith("globalUltimate"):
                assert element["current"]["duns"] in known
        for item in items:
            if item["type"] == "TRANSFER":
                assert item["organization"]["dunsControlStatus"]["dunsTransfers"][0]["retainedDUNS"] in known


def test_in_every_forty_steps_one_score_falls_three_times_and_something_grave_happens() -> None:
    world = World()
    demo_world.fill(world)
    first = world.store.number("SELECT max(seq) FROM notice")
    for _ in range(40 * 6):
        demo_world.step(world)
    raws = world.store.rows("SELECT raw FROM notice WHERE seq > ? AND reference <> ?", first, FULL)
    items = [json.loads(row["raw"]) for row in raws]
    falls = Counter(duns for duns, one in elements(items) if one["element"].endswith("failureScore.nationalPercentile"))
    assert sum(count >= 3 for count in falls.values()) >= 4
    paths = {element["element"].removeprefix("organization.") for _duns, element in elements(items)}
    assert {"legalEvents.hasOpenBankruptcy", "corporateLinkage.globalUltimate", "dunsControlStatus.operatingStatus",
            "legalEvents.hasOpenSuspensionOfPayments", "telephone", "primaryName"} <= paths  # fmt: skip
    assert "TRANSFER" in {item["type"] for item in items}


def test_it_lives_on_and_takes_up_again_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "demo.sqlite3"
    with start_sandbox(state=state, demo=True, every=0.02) as first:
        before = grown(first, 0)
    with start_sandbox(state=state, demo=True, every=0.02) as second:
        assert len(second.control.subjects(SUPPLIERS)) == 85 - len(LEAVERS)
        again = grown(second, before)
    assert before < again < before + 1_000


def grown(sandbox: Sandbox, at_least: int) -> int:
    """How many notifications there are once something new has come."""
    start = max(at_least, len(sandbox.control.ledger()))
    until = monotonic() + 5
    while (count := len(sandbox.control.ledger())) <= start and monotonic() < until:
        sleep(0.02)
    return count


def test_a_reset_ends_the_demo() -> None:
    with start_sandbox(demo=True, every=0.01) as sandbox:
        sandbox.control.reset()
        sleep(0.1)
        assert sandbox.control.ledger() == []


# A reader believes it


@pytest.fixture(scope="module")
def lived() -> World:
    """The history and twelve turns of fate after it."""
    world = World()
    demo_world.fill(world)
    for _ in range(40 * 12):
        demo_world.step(world)
    return world


def sector_of(duns: str, numbers: list[str]) -> str:
    code, stem = companies.PLACES[numbers.index(duns)]
    return TRADES[COUNTRIES[code].companies[stem]].sector


def sent(world: World) -> list[dict[str, Any]]:
    rows = world.store.rows("SELECT raw FROM notice WHERE reference <> ? ORDER BY seq", FULL)
    return [json.loads(row["raw"]) for row in rows]


def test_companies_merge_into_others_of_their_country_and_sector(lived: World) -> None:
    numbers = lived.store.recall("demo")["numbers"]
    found = {
        (item["organization"]["duns"], item["organization"]["dunsControlStatus"]["dunsTransfers"][0]["retainedDUNS"])
        for item in sent(lived)
        if item["type"] == "TRANSFER"
    }
    assert len(found) > 1
    for gone, retained in found:
        assert companies.PLACES[numbers.index(gone)][0] == companies.PLACES[numbers.index(retained)][0]
        assert sector_of(gone, numbers) == sector_of(retained, numbers)


def test_owners_are_of_the_sector_of_what_they_own(lived: World) -> None:
    numbers = lived.store.recall("demo")["numbers"]
    for duns in numbers:
        linkage = documents.document(lived, duns)["corporateLinkage"]
        owner = linkage.get("parent", linkage["globalUltimate"])["duns"]
        if owner in numbers:
            assert sector_of(owner, numbers) == sector_of(duns, numbers)


def test_who_goes_under_has_fallen_before(lived: World) -> None:
    falls: Counter[str] = Counter()
    failed = 0
    for duns, element in sorted(elements(sent(lived)), key=lambda pair: pair[1]["timestamp"]):
        path, current = element["element"], element["current"]
        if path.endswith("failureScore.nationalPercentile") and current < element.get("previous", 0):
            falls[duns] += 1
        if path.endswith(("hasOpenBankruptcy", "hasOpenInsolvency", "hasOpenLiquidation")) and current is True:
            failed += 1
            assert falls[duns] >= 2, duns
    assert failed >= 5


def test_an_address_is_in_a_city_of_the_country_and_where_the_name_says() -> None:
    for (code, stem), document in zip(companies.PLACES, companies.build(1, "2026-01-01"), strict=True):
        address, country = document["primaryAddress"], COUNTRIES[code]
        place = [address["addressLocality"]["name"], address["addressRegion"]["name"], address["postalCode"]]
        assert tuple(place) in country.places
        assert country.homes.get(stem, place[0]) == place[0]


def test_each_company_is_led_by_its_own_person_and_a_change_brings_another() -> None:
    found = companies.build(1, "2026-01-01")
    leaders = [(one["countryISOAlpha2Code"], one["mostSeniorPrincipal"]["fullName"]) for one in found]
    assert len(set(leaders)) == len(found)
    for place, document in enumerate(found):
        change = companies.local_changes("principal_change", place, document, Random(place))
        assert change["organization.mostSeniorPrincipal"] != document["mostSeniorPrincipal"]


def test_a_renamed_company_keeps_its_legal_form_and_its_trade() -> None:
    for place, document in enumerate(companies.build(1, "2026-01-01")):
        form = COUNTRIES[companies.PLACES[place][0]].form[0]
        for _ in range(4):
            name = companies.local_changes("name_change", place, document, Random(1))["organization.primaryName"]
            assert name != document["primaryName"] and name.endswith(form)
            document["primaryName"] = name


# It looks like a portfolio


def assessed(path: str) -> list[Any]:
    found = companies.build(demo_world.SEED, "2026-01-01", ACTORS)
    return [look(one, f"organization.dnbAssessment.{path}") for one in found]


def test_scores_lie_in_every_class_and_some_companies_have_none() -> None:
    for score in ("failureScore", "delinquencyScore"):
        classes = Counter(assessed(f"{score}.classScore"))
        assert all(classes[number] >= 4 for number in range(1, 6)), classes
        assert 3 <= classes[ABSENT] <= 30
    assert len(set(assessed("standardRating.rating"))) > 10
    limits = assessed("creditLimitRecommendation.maximumRecommendedLimit")
    assert {"EUR", "USD", "GBP"} <= {limit["currency"] for limit in limits if limit is not ABSENT}


def test_figures_follow_from_each_other() -> None:
    for one in companies.build(demo_world.SEED, "2026-01-01", ACTORS):
        score = one["dnbAssessment"].get("failureScore")
        if score:
            starts = (91, 71, 31, 11, 1)
            assert starts[score["classScore"] - 1] <= score["nationalPercentile"]
            assert one["isHighRiskBusiness"] == (score["classScore"] == 5)
        else:
            assert "creditLimitRecommendation" not in one["dnbAssessment"]


def test_companies_are_of_every_size() -> None:
    found = [one["numberOfEmployees"][0]["value"] for one in companies.build(demo_world.SEED, "2026-01-01", ACTORS)]
    bands = Counter("micro" if n < 10 else "small" if n < 50 else "medium" if n < 250 else "large" for n in found)
    assert all(bands[band] >= 10 for band in ("micro", "small", "medium", "large")), bands


def test_groups_have_two_to_six_members_here_and_parents_consolidate() -> None:
    found = companies.build(demo_world.SEED, "2026-01-01", ACTORS)
    by_name = {stem: one for (_, stem), one in zip(companies.PLACES, found, strict=True)}
    groups = Counter(one["corporateLinkage"]["globalUltimate"]["duns"] for one in found)
    sizes = [size for size in groups.values() if size > 1]
    assert len(sizes) == 16 and min(sizes) >= 2 and max(sizes) <= 6
    for name, parent in PARENTS.items():
        linkage = by_name[name]["corporateLinkage"]
        if parent in by_name:
            assert linkage["parent"]["duns"] == by_name[parent]["duns"]
            assert by_name[parent]["numberOfEmployees"][0]["value"] > by_name[name]["numberOfEmployees"][0]["value"]
        home = by_name.get(parent, {}).get("countryISOAlpha2Code")
        if home != by_name[name]["countryISOAlpha2Code"] and parent in by_name:
            assert linkage["domesticUltimate"]["duns"] == by_name[name]["duns"]


def test_scores_move_in_both_directions(waiting: Notices) -> None:
    moved: Counter[bool] = Counter()
    for items in waiting.values():
        for _duns, element in elements(items):
            if element["element"].endswith("classScore") and "previous" in element:
                moved[element["current"] < element["previous"]] += 1
    assert min(moved[True], moved[False]) > 10


def test_stories_begin_well() -> None:
    found = companies.build(demo_world.SEED, "2026-01-01", ACTORS)
    for place in ACTORS:
        assert (percentile_of(found[place], "failureScore") or 0) > 50
        assert not any(found[place]["legalEvents"].values())


def test_seed_files_hold_the_companies_as_they_joined(demo_sandbox: Sandbox) -> None:
    paths = [Path(path) for path in demo_sandbox.control.files() if "_SEEDFILE_" in path and path.endswith(".zip")]
    numbers = demo_sandbox.world.store.recall("demo")["numbers"]
    held = [[json.loads(line)["organization"]["duns"] for line in read_lines(path)] for path in paths]
    assert len(paths) == 4
    assert {duns for found in held for duns in found} == set(numbers)
    assert {numbers[place] for place in JOINERS} == {duns for found in held if len(found) < 10 for duns in found}


@pytest.mark.parametrize("reference", [SUPPLIERS, CUSTOMERS])
def test_seed_files_and_the_ledger_lead_to_the_present(demo_sandbox: Sandbox, waiting: Notices, reference: str) -> None:
    """Also of companies whose document came by file alone."""
    shown = ("primaryName", "countryISOAlpha2Code")
    given = [json.loads(line)["organization"] for _, line in demo_sandbox.control.seed_lines(reference)]
    known = {document["duns"]: {name: document[name] for name in shown} for document in given}
    for duns, element in sorted(elements(waiting[reference]), key=lambda one: str(one[1]["timestamp"])):
        if (name := element["element"].removeprefix("organization.")) in shown:
            known[duns][name] = element["current"]
    present = {duns: documents.document(demo_sandbox.world, duns) for duns in known}
    assert known == {duns: {name: document[name] for name in shown} for duns, document in present.items()}
    assert known.keys() >= set(demo_sandbox.control.subjects(reference))


def test_exposure_is_a_file_of_three_books_and_currencies_without_a_row_twice() -> None:
    day = date(2026, 3, 17)
    rows = exposure.amounts(demo_world.SEED, day)
    assert rows == exposure.amounts(demo_world.SEED, day)
    assert {row.book for row in rows} == {"Receivables", "Orders", "Guarantees"}
    assert {row.currency for row in rows} == {"EUR", "USD", "GBP"}
    assert {row.as_of for row in rows} == {date(2026, 1, 31), date(2026, 2, 28)}
    assert len({(row.duns, row.book, row.as_of) for row in rows}) == len(rows) > 250
    assert all(row.amount > 0 for row in rows)
    lines = exposure.exposure_file(demo_world.SEED, day).decode().splitlines()
    assert len(lines) == len(rows) + 1 and lines[0] == "D-U-N-S number,Amount,Currency,Book,As of"
