"""Lists show what a fold of the whole history gives, and a new event is applied without reading the past."""

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dnbmon_site.operations.erase.company import forget
from monitoring import jobs
from monitoring.elements.registry import SeverityTable
from monitoring.history import company_projection, seed_diff
from monitoring.history.company_projection import columns_from, columns_of, project
from monitoring.history.state import apply_events, events_of
from monitoring.history.summary import SUMMARY, advanced, folded, restored, stored
from monitoring.models import Change, Delivery, Notification, Severity, Source
from monitoring.pipeline import ingest as pipeline_ingest
from monitoring.pipeline.ingest import ingest
from monitoring.rebuild.rebuild import rebuild
from monitoring.retention.compaction import Cut, condense
from portfolio.models import Company
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import MOMENT, stamp
from tests.engines import engine
from tests.story.application import read, registrations
from tests.story.worlds import World

pytestmark = pytest.mark.django_db
CASES = 3 if engine() == "mongodb" else 12
ADDRESSES: list[Any] = [
    None,
    {"addressLocality": {"name": "Leeds"}, "addressCountry": {"isoAlpha2Code": "GB"}, "street": "1"},
    {"addressLocality": {"name": "Köln"}},
    {"addressCountry": {"isoAlpha2Code": "FR"}},
    [],
]
VALUES: dict[str, list[Any]] = {
    "organization.primaryName": ["A", "B", "C", None, {"x": 1}],
    "organization.countryISOAlpha2Code": ["GB", "DE", None],
    "organization.primaryAddress": ADDRESSES,
    "organization.primaryAddress.addressLocality": [{"name": "York"}, None, "York"],
    "organization.primaryAddress.addressLocality.name": ["Leeds", "Paris", None],
    "organization.primaryAddress.street": ["1", "2"],
    "organization.dunsControlStatus.operatingStatus": [{"description": "Active", "dnbCode": 1}, "Active", None],
    "organization.dunsControlStatus.operatingStatus.description": ["Active", "Out of business"],
    "organization.corporateLinkage": [{"globalUltimate": {"duns": "150483782"}, "parent": 1}, None],
    "organization.corporateLinkage.globalUltimate.duns": ["150483782", "804735132", None],
    "organization.telephone": ["1", "2"],
    "organization": [{"primaryName": "W"}, {"primaryName": "V", "primaryAddress": ADDRESSES[1]}],
}


def a_stream(chance: random.Random, length: int) -> list[dict[str, Any]]:
    """Of two companies, some at equal times, some with days in between."""
    hours, stream = 0, []
    for _ in range(length):
        hours += chance.choice([0, 1, 9, 200])
        duns, at = chance.choice([DUNS, OTHER]), stamp(hours=hours)
        path = chance.choice(list(VALUES))
        before, after = chance.choice(VALUES[path]), chance.choice(VALUES[path])
        stream.append(
            chance.choice(
                [
                    a_document(chance, duns, at),
                    an_update(an_element(path, before, after, at), duns=duns, delivered=at),
                    an_update(an_element(path, before, after, at), duns=duns, delivered=at),
                    a_notice(chance.choice(["DELETE", "UNDELETE", "UNDER_REVIEW", "EXIT"]), duns, delivered=at),
                    a_transfer(duns, delivered=at),
                ]
            )
        )
    return stream


def a_document(chance: random.Random, duns: str, at: str) -> dict[str, Any]:
    members = {
        name: chance.choice(VALUES[f"organization.{name}"])
        for name in ("primaryName", "primaryAddress", "corporateLinkage", "telephone")
        if chance.random() < 0.6
    }
    return a_seed(duns, delivered=at, **members)


def assert_as_folded() -> None:
    for row in Company.objects.all():
        events = events_of([row.pk], paths=SUMMARY).get(row.pk, [])
        expected = columns_from(folded(events)) | {"changed_at": newest_change(row.pk) or row.changed_at}
        assert {name: getattr(row, name) for name in expected} == expected
        assert columns_of(apply_events(events)).items() <= expected.items()


def newest_change(duns: str) -> datetime | None:
    """Of changes that are not noise, and documents."""
    changes = Change.objects.filter(company=duns, severity__gt=Severity.NOISE).values_list("changed_at", flat=True)
    seeds = Notification.objects.filter(company=duns, type="SEED").values_list("delivered_at", flat=True)
    return max((moment for moment in (*changes, *seeds) if moment), default=None)


def stopped(*arguments: Any, **options: Any) -> Any:
    raise RuntimeError("killed")


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The companies of which all events are read."""
    found: list[str] = []

    def noted(duns: Any, **options: Any) -> Any:
        found.extend(duns)
        return events_of(duns, **options)

    monkeypatch.setattr(company_projection, "events_of", noted)
    return found


@pytest.mark.parametrize("case", range(CASES))
def test_after_each_delivery_companies_show_what_a_fold_gives(case: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(case)
    stream = a_stream(chance, 24)
    if case % 3:
        stream = sorted(stream, key=lambda item: (chance.random() * case, item["deliveryTimeStamp"]))
    rows = [a_registration("WHOLE", full_product=True), a_registration("ONE"), a_registration("TWO")]
    start = 0
    while start < len(stream):
        end = start + chance.randint(1, 5)
        source = chance.choice([Source.PULL, Source.PULL, Source.FILE])
        seen = chance.sample(stream[:end], min(2, end)) if chance.random() < 0.3 else []
        delivery = a_delivery(*seen, *stream[start:end], registration=chance.choice(rows), source=source)
        if chance.random() < 0.2:
            with monkeypatch.context() as patched, pytest.raises(RuntimeError):
                patched.setattr(pipeline_ingest, "_bring_companies_up_to_date", stopped)
                ingest(delivery)
            Delivery.objects.filter(pk=delivery.pk).update(claimed_until=None)
            ingest(a_delivery(*a_stream(chance, 2), registration=chance.choice(rows)))
        ingest(delivery)
        assert_as_folded()
        start = end


@pytest.mark.parametrize("seed", range(CASES))
def test_in_any_world_companies_show_what_a_fold_gives(seed: int) -> None:
    world, made = World(seed), registrations()
    for number, arrivals in enumerate(world.arrivals(2)):
        read(arrivals, {name: f"{number + 1}{at:08}" for at, name in enumerate(world.companies)}, made)
    assert_as_folded()


# What is not read


def test_new_events_are_applied_without_those_of_the_past(folds: list[str]) -> None:
    delivered(a_seed(primaryName="A", primaryAddress=ADDRESSES[1]))
    folds.clear()
    delivered(an_update(an_element(previous="A", current="B", timestamp=stamp(days=10))))
    delivered(a_notice("DELETE", delivered=stamp(days=20)), a_notice("UNDELETE", delivered=stamp(days=21)))
    delivered(a_seed(primaryName="C", delivered=stamp(days=30)))
    delivered(a_transfer(delivered=stamp(days=40)), at=stamp(days=40))
    row = Company.objects.get()
    assert (row.name, row.city, row.merged_into) == ("C", "", "150483782")
    assert folds == []
    assert_as_folded()


def test_an_event_takes_as_many_queries_after_a_long_past_as_after_a_short_one() -> None:
    delivered(an_update(duns="100000000"), a_seed("100000000"))
    counts = []
    for past in (2, 30):
        duns = f"1000000{past:02}"
        for day in range(past):
            delivered(a_seed(duns, primaryName=f"{day}", delivered=stamp(days=day)))
        change = an_update(an_element(timestamp=stamp(days=90)), duns=duns, delivered=stamp(days=90))
        with CaptureQueriesContext(connection) as queries:
            ingest(a_delivery(change))
            ingest(a_delivery(a_seed(duns, primaryName="Z", delivered=stamp(days=99))))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_company_that_a_change_renames_is_written_once_with_its_time() -> None:
    delivered(a_seed(primaryName="A"))
    before = Company.objects.get().version
    delivered(an_update(an_element(previous="A", current="B", timestamp=stamp(days=10))))
    assert Company.objects.values_list("version", "changed_at").get() == (before + 1, MOMENT + timedelta(days=10))


# What asks for a fold


@pytest.mark.parametrize(
    "late",
    [
        an_update(an_element("organization", None, {"primaryName": "LATE"}, stamp(days=5)), delivered=stamp(days=30)),
        a_seed(primaryName="LATE", delivered=stamp(days=5)),
    ],
)
def test_what_comes_late_is_folded(folds: list[str], late: dict[str, Any]) -> None:
    delivered(a_seed(primaryName="A"), an_update(an_element(previous="A", current="B", timestamp=stamp(days=10))))
    folds.clear()
    delivered(late)
    assert folds == [DUNS]
    assert Company.objects.get().name == "B"
    assert_as_folded()


@pytest.mark.parametrize(
    "late",
    [
        an_update(an_element(previous=None, current="LATE", timestamp=stamp(days=5)), delivered=stamp(days=30)),
        a_notice("DELETE", delivered=stamp(days=5)),
    ],
)
def test_what_something_later_hides_needs_no_fold(folds: list[str], late: dict[str, Any]) -> None:
    """By a later change of the same, by a later status, and by a document from more than four days later."""
    delivered(a_seed(primaryName="A"), an_update(an_element(previous="A", current="B", timestamp=stamp(days=10))))
    delivered(a_notice("UNDELETE", delivered=stamp(days=11)))
    folds.clear()
    delivered(late)
    delivered(a_seed(primaryName="C", delivered=stamp(days=20)))
    delivered(late | {"deliveryTimeStamp": stamp(days=9)})
    assert (folds, Company.objects.get().name) == ([], "C")
    assert_as_folded()


@pytest.mark.parametrize(
    ("name", "day", "is_folded"),
    [("countryISOAlpha2Code", 1, False), ("countryISOAlpha2Code", 10, True), ("primaryAddress.street", 1, True)],
)
def test_a_document_hides_earlier_changes_of_what_it_carries(
    folds: list[str], name: str, day: int, is_folded: bool
) -> None:
    """Not those of the four days before it, which it may lack."""
    delivered(a_seed(primaryName="A", delivered=stamp(days=0)), a_seed(primaryName="A", delivered=stamp(days=12)))
    folds.clear()
    delivered(an_update(an_element(f"organization.{name}", None, "X", stamp(days=day))))
    assert folds == ([DUNS] if is_folded else [])
    assert_as_folded()


def test_a_document_shortly_after_a_change_takes_it_up_without_a_fold(folds: list[str]) -> None:
    delivered(a_seed(primaryName="A"), an_update(an_element(previous="A", current="B", timestamp=stamp(days=10))))
    folds.clear()
    delivered(a_seed(primaryName="A", delivered=stamp(days=12)))
    assert (folds, Company.objects.get().name) == ([], "B")
    delivered(
        an_update(an_element(previous="B", current="C", timestamp=stamp(days=13)), delivered=stamp(days=13)),
        a_seed(primaryName="B", delivered=stamp(days=14)),
    )
    assert (folds, Company.objects.get().name) == ([], "C")
    assert_as_folded()


@pytest.mark.parametrize("text", ["", '{"format":0}'])
def test_a_company_without_a_known_projection_is_folded_once(folds: list[str], text: str) -> None:
    delivered(a_seed(primaryName="A", primaryAddress=ADDRESSES[1]))
    Company.objects.update(projection=text, city="")
    folds.clear()
    for day in (10, 20):
        delivered(an_update(an_element(current=f"{day}", timestamp=stamp(days=day))))
    assert folds == [DUNS]
    assert Company.objects.values_list("name", "city").get() == ("20", "Leeds")
    assert_as_folded()


def test_a_reading_that_was_interrupted_is_folded(folds: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(a_seed(primaryName="A"))
    delivery = a_delivery(an_update(an_element(previous="A", current="B", timestamp=stamp(days=10))))
    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(pipeline_ingest, "_bring_companies_up_to_date", stopped)
        ingest(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(claimed_until=None)
    delivered(an_update(an_element(previous="B", current="C", timestamp=stamp(days=20))))
    folds.clear()
    ingest(delivery)
    assert (folds, Company.objects.get().name) == ([DUNS], "C")
    assert_as_folded()


def test_who_wrote_the_company_meanwhile_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(a_seed(primaryName="A", primaryAddress=ADDRESSES[1]))
    path = "organization.primaryAddress.addressLocality.name"
    first = a_delivery(an_update(an_element(previous="A", current="B", timestamp=stamp(days=10))))
    later = an_element("organization.telephone", "1", "2", stamp(days=30))
    waiting = [a_delivery(an_update(an_element(path, "Leeds", "York", stamp(days=9)), later))]

    def interrupted(*arguments: Any) -> Any:
        found = advanced(*arguments)
        if waiting:
            ingest(waiting.pop())
        return found

    monkeypatch.setattr(company_projection, "advanced", interrupted)
    ingest(first)
    assert Company.objects.values_list("name", "city").get() == ("B", "York")
    assert_as_folded()


# What makes it anew


def test_what_comes_late_for_a_time_before_a_snapshot_changes_nothing() -> None:
    row = a_registration()
    delivered(a_seed(primaryName="A"), registration=row)
    at = MOMENT + timedelta(days=100)
    snapshot = Delivery.objects.create(registration=row, source=Source.SNAPSHOT, state="published")
    assert condense(DUNS, Cut(at, {row.pk: row}, {row.pk: snapshot}))
    assert_as_folded()
    delivered(an_update(an_element(previous="A", current="B", timestamp=stamp(days=50))), registration=row)
    assert Company.objects.get().name == "A"
    assert_as_folded()


def test_a_rebuild_and_the_nightly_verification_mend_it() -> None:
    delivered(a_seed(primaryName="A"), a_seed(OTHER, fax="1"))
    right = list(Company.objects.order_by("pk").values_list("projection", flat=True))
    wrong = Company.objects.get(pk=DUNS).projection.replace('"A"', '"X"')
    assert wrong not in right
    Company.objects.update(projection=wrong)
    assert "2 companies verified, 2 corrected" in jobs.verify_stored_data()
    assert list(Company.objects.order_by("pk").values_list("projection", flat=True)) == right
    Company.objects.update(projection=wrong)
    rebuild()
    assert list(Company.objects.order_by("pk").values_list("projection", flat=True)) == right


def test_a_company_of_an_earlier_version_is_no_error_for_the_verification() -> None:
    delivered(a_seed())
    Company.objects.update(projection="")
    assert "0 corrected" in jobs.verify_stored_data()


def test_a_company_that_is_erased_stays_in_no_others_projection() -> None:
    delivered(a_seed(), a_seed(OTHER), a_transfer(OTHER, to=DUNS, delivered=stamp(days=3)))
    forget(DUNS, by="ann", now=True)
    assert DUNS not in Company.objects.get(pk=OTHER).projection


def test_a_company_without_history_has_none() -> None:
    Company.objects.create(duns=DUNS)
    project({}, {DUNS}, bump={DUNS})
    assert Company.objects.get().projection == ""


def test_it_is_small_and_read_as_it_was_written() -> None:
    delivered(json.dumps(a_seed(primaryName="\ud800Ä", primaryAddress=ADDRESSES[1], telephone=["1"] * 999)))
    delivered(a_transfer(delivered=stamp(days=3)))
    text = Company.objects.get().projection
    assert stored(restored(text)) == text
    assert len(text) < 1000


# Documents are compared with their neighbors only


def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    pairs = seed_diff._pairs

    def noted(chain: Sequence[Notification]) -> Any:
        found.append(len(chain))
        return pairs(chain)

    monkeypatch.setattr(seed_diff, "_pairs", noted)
    return found


def test_a_new_document_is_compared_without_a_look_at_all_before(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = a_registration("WHOLE", full_product=True)
    found = looked_at(monkeypatch)
    days = [*range(1, 13), *range(14, 31)]
    for day in days:
        delivered(a_seed(primaryName=f"{day}", delivered=stamp(days=day)), registration=whole)
    assert max(found) == 2
    delivered(a_seed(primaryName="1", delivered=stamp(days=0)), registration=whole)
    delivered(a_seed(primaryName="13", delivered=stamp(days=13)), registration=whole)
    assert found[-2:] == [2, 3]
    compared = Change.objects.exclude(derived_from="").filter(superseded=False).order_by("changed_at")
    assert [(row.previous, row.current) for row in compared] == [(f'"{day}"', f'"{day + 1}"') for day in range(1, 30)]


def test_equal_stamps_that_the_newest_cut_are_read_whole() -> None:
    whole = a_registration("WHOLE", full_product=True)
    names = [f"{number}" for number in range(30)]
    for name in names:
        delivered(a_seed(primaryName=name, delivered=stamp(days=1)), registration=whole)
    count = Change.objects.exclude(derived_from="").filter(superseded=False).count()
    assert count == len(names) - 1
    assert seed_diff.compare_company(Delivery.objects.latest("pk"), DUNS, SeverityTable()) == []


def test_answers_do_not_hide_the_document_of_the_last_file() -> None:
    whole = a_registration("WHOLE", full_product=True)
    ingest(a_delivery(a_seed(primaryName="F1", delivered=stamp(days=0)), registration=whole, source=Source.FILE))
    for day in range(1, 31):
        delivered(a_seed(primaryName="P", fax=day, delivered=stamp(days=day)), registration=whole)
    ingest(a_delivery(a_seed(primaryName="F2", delivered=stamp(days=40)), registration=whole, source=Source.FILE))
    last = Notification.objects.latest("delivered_at")
    compared = Change.objects.filter(notification=last, element="organization.primaryName")
    assert list(compared.values_list("previous", "current")) == [('"F1"', '"F2"')]
