"""Whole documents of a FULL_PRODUCT registration, edited at random: their differences are the edits."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

from core.json_text import dump_json
from monitoring.elements.json_paths import comparable, set_value, stored_value, value_at
from monitoring.models import AlertItem, Change, Delivery, Kind, Severity, Source
from monitoring.pipeline.ingest import ingest
from portfolio.models import Registration
from tests.builders.alerts import raised
from tests.builders.companies import DUNS
from tests.builders.deliveries import a_delivery
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.times import now_stamp, stamp
from tests.engines import engine

pytestmark = pytest.mark.django_db
CASES = 4 if engine() == "mongodb" else 30
numbers = count(300_000_000)
Document = dict[str, Any]

REGISTERED = {
    number: {"registrationNumber": number, "typeDnBCode": 1, "location": "Leeds"} for number in ("111", "222", "333")
}
# Places that hold no other one, each with values that differ for a reader, None for absent.
SCALARS: dict[str, list[Any]] = {
    "primaryName": ["Acme", "Acme Ltd", "Ärger & Söhne"],
    "dunsControlStatus.operatingStatus.description": ["Active", "Out of business"],
    "dnbAssessment.failureScore.nationalPercentile": [1, 50, None],
    "dnbAssessment.failureScore.scoreDate": ["2026-01-01", "2026-02-01"],
    "legalEvents.hasOpenBankruptcy": [True, False, None],
    "corporateLinkage.parent": [{"duns": "150483782", "primaryName": "Parent"}, None],
}
ARRAYS: dict[str, list[Any]] = {
    "registrationNumbers": [*REGISTERED.values(), {**REGISTERED["111"], "location": "York"}],
    "telephone": [{"telephoneNumber": "1"}, {"telephoneNumber": "2"}, {"telephoneNumber": "2", "isUnreachable": True}],
    "dunsControlStatus.operatingSubStatus": ["a", "b", {"c": None}],
}
PLACES = {**SCALARS, **ARRAYS}


def values_at(path: str) -> some.SearchStrategy[Any]:
    if path in SCALARS:
        return some.sampled_from(SCALARS[path])
    return some.lists(some.sampled_from(ARRAYS[path]), max_size=4)


EDITS = some.dictionaries(some.sampled_from(sorted(PLACES)), some.none(), max_size=5).flatmap(
    lambda chosen: some.fixed_dictionaries({path: values_at(path) for path in chosen})
)
FIRST = some.fixed_dictionaries({path: values_at(path) for path in PLACES})


def edited(document: Document, edits: dict[str, Any]) -> Document:
    made = deepcopy(document)
    for path, value in edits.items():
        set_value(made, path, value)
    return made


def expected(stages: Sequence[dict[str, Any]]) -> Counter[tuple[str, str, str]]:
    """From the edits alone: what stands at a place after each, where a reader sees another value."""
    found: Counter[tuple[str, str, str]] = Counter()
    for before, after in pairwise(stages):
        for path in PLACES:
            told = comparable(before[path]), comparable(after[path])
            found[f"organization.{path}", *told] += told[0] != told[1]
    return +found


def differences_of(duns: str) -> Counter[tuple[str, str, str]]:
    rows = Change.objects.filter(company=duns, kind=Kind.ELEMENT, superseded=False).exclude(derived_from="")
    return Counter(
        (row.element, comparable(stored_value(row.previous)), comparable(stored_value(row.current))) for row in rows
    )


def stages_of(first: dict[str, Any], edits: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    stages = [first]
    for edit in edits:
        stages.append({**stages[-1], **edit})
    return stages


def documents_of(stages: Sequence[dict[str, Any]]) -> list[Document]:
    # Containers are there always, as D&B's are: what comes and goes is what stands in them.
    empty: Document = {"dunsControlStatus": {"isDelisted": False}, "legalEvents": {"hasSuits": False}}
    empty |= {"dnbAssessment": {"failureScore": {"classScore": 3}}, "corporateLinkage": {"branchesCount": 1}}
    return [edited({**deepcopy(empty), "countryISOAlpha2Code": "GB"}, stage) for stage in stages]


def cut(items: Sequence[Any], cuts: set[int]) -> list[list[Any]]:
    places = [0, *sorted(place for place in cuts if 0 < place < len(items)), len(items)]
    return [list(items[start:end]) for start, end in pairwise(places)]


def read(answers: Sequence[Sequence[Any]], order: Sequence[int], registration: Registration) -> None:
    """Stored in the order in which they were pulled, read in any."""
    deliveries = [a_delivery(*items, registration=registration) for items in answers]
    for position in order:
        ingest(Delivery.objects.get(pk=deliveries[position].pk))


@given(
    first=FIRST,
    edits=some.lists(EDITS, min_size=1, max_size=5),
    cuts=some.sets(some.integers(1, 5)),
    shuffle=some.randoms(use_true_random=False),
    apart=some.sampled_from(["one stamp", "a stamp each"]),
)
@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_differences_are_the_edits_in_any_cut_and_order_of_answers(
    db: None, first: dict[str, Any], edits: list[dict[str, Any]], cuts: set[int], shuffle: Any, apart: str
) -> None:
    stages, duns = stages_of(first, edits), f"{next(numbers)}"
    documents = documents_of(stages)
    # Known limit: one stamp over several answers, and a document that returns in a later one.
    assume(len(set(map(dump_json, documents))) == len(documents))
    minutes = [0 if apart == "one stamp" else number for number in range(len(documents))]
    seeds = [
        {**a_seed(duns, delivered=stamp(minutes=minute)), "organization": {"duns": duns, **document}}
        for minute, document in zip(minutes, documents, strict=True)
    ]
    answers = cut(seeds, cuts)
    order = list(range(len(answers)))
    shuffle.shuffle(order)
    read(answers, order, a_registration("FULL", full_product=True))
    assert differences_of(duns) == expected(stages)


@given(first=FIRST, edits=some.lists(EDITS, min_size=2, max_size=4), late=some.integers(0, 3))
@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_document_that_comes_late_makes_two_differences_of_one(
    db: None, first: dict[str, Any], edits: list[dict[str, Any]], late: int
) -> None:
    """All but one are read, then that one: the differences are those of all, and before those of the others."""
    stages, duns = stages_of(first, edits), f"{next(numbers)}"
    seeds = [
        {**a_seed(duns, delivered=stamp(hours=number)), "organization": {"duns": duns, **document}}
        for number, document in enumerate(documents_of(stages))
    ]
    late %= len(seeds)
    others = [stage for number, stage in enumerate(stages) if number != late]
    registration = a_registration("FULL", full_product=True)
    for number, seed in enumerate(seeds):
        if number != late:
            read([[seed]], [0], registration)
    assert differences_of(duns) == expected(others)
    read([[seeds[late]]], [0], registration)
    assert differences_of(duns) == expected(stages)


def test_dates_of_scores_are_noise_wherever_they_stand() -> None:
    registration = a_registration("FULL", full_product=True)
    scores = [{"typeDnBCode": 1, "classScore": 3}, {"typeDnBCode": 2, "classScore": 2}]
    for day in (1, 2):
        date = f"2026-01-0{day}"
        dated = [{**score, "scoreDate": date} for score in scores[:1]]
        assessment = {"failureScore": {"classScore": 1, "scoreDate": date}, "assessmentDate": date, "scores": dated}
        read([[a_seed(delivered=stamp(days=day), dnbAssessment=assessment)]], [0], registration)
    rows = Change.objects.filter(kind=Kind.ELEMENT)
    assert {row.element.rpartition(".")[2] for row in rows} == {"scoreDate", "assessmentDate", "scores"}
    assert {row.severity for row in rows} == {Severity.NOISE}


# One registration by pull and by file, another by UPDATEs

NAME, PHONES, STATUS = "organization.primaryName", "organization.telephone", "organization.legalEvents.hasOpenSuits"


def the_story() -> list[Document]:
    phones = [{"telephoneNumber": "1"}, {"telephoneNumber": "2"}]
    first: Document = {"primaryName": "A", "telephone": phones[:1], "legalEvents": {"hasOpenSuits": False}}
    second = {**first, "primaryName": "B", "telephone": phones}
    return [first, second, {**second, "telephone": phones[1:], "legalEvents": {"hasOpenSuits": True}}]


FACTS = [(NAME, '"B"'), (PHONES, '[{"telephoneNumber":"1"},{"telephoneNumber":"2"}]')]
FACTS += [(PHONES, '[{"telephoneNumber":"2"}]'), (STATUS, "true")]


def its_deliveries(full: Registration, updates: Registration) -> list[Delivery]:
    """The story by the pulls of a registration, by its files, and by the UPDATEs of another one."""
    first, second, third = the_story()
    made = []
    for number, document in enumerate((first, second, third)):
        seed = a_seed(delivered=now_stamp(hours=10 * number - 40), **document)
        line = {"type": "SEED", "organization": seed["organization"]}
        made.append(a_delivery(seed, registration=full))
        at = now_stamp(hours=10 * number - 37)
        made.append(a_delivery(line, registration=full, source=Source.FILE, at=at))
    for before, after, hours in ((first, second, -32), (second, third, -21)):
        at = now_stamp(hours=hours)
        elements = [
            an_element(path, value_at(before, path), value_at(after, path), at)
            for path in (NAME, PHONES, STATUS)
            if value_at(before, path) != value_at(after, path)
        ]
        made.append(a_delivery(an_update(*elements, delivered=at), registration=updates))
    return made


ORDERS = [
    (0, 1, 2, 3, 4, 5, 6, 7),
    (7, 6, 5, 4, 3, 2, 1, 0),
    (0, 2, 4, 1, 3, 5, 6, 7),
    (1, 3, 5, 6, 7, 0, 2, 4),
    (6, 7, 0, 1, 4, 5, 2, 3),
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("is_read_between", [True, False])
def test_pulled_delivered_as_files_and_compared_a_fact_is_one_and_its_alert_too(
    order: tuple[int, ...], is_read_between: bool
) -> None:
    a_rule("Anything", elements="organization.**")
    full, updates = a_registration("FULL", full_product=True), a_registration("UPDATES")
    deliveries = its_deliveries(full, updates)
    for position in order:
        ingest(Delivery.objects.get(pk=deliveries[position].pk))
        if is_read_between:
            raised()
    raised()
    live = Change.objects.filter(company=DUNS, kind=Kind.ELEMENT, superseded=False)
    assert sorted((row.element, dump_json(stored_value(row.current))) for row in live) == sorted(FACTS)
    assert not any(row.derived_from for row in live), "the UPDATE is the fact, the differences are replaced by it"
    alerted = list(AlertItem.objects.values_list("change", flat=True))
    assert len(alerted) == len(set(alerted)) and set(alerted) == {row.pk for row in live}
    raised()
    assert AlertItem.objects.count() == len(FACTS)
