"""A profile is what the SEEDs and changes say, in the order of their times, whatever the order of arrival."""

import json
import random
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from direct_plus.exact_json import parse_json
from monitoring.elements.json_paths import differences, set_value, value_at
from monitoring.history.checkpoints import profile
from monitoring.history.state import Event, apply_events
from monitoring.models import Change, Delivery, Kind, Notification, Publication
from portfolio.models import Company
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import MOMENT, stamp

pytestmark = pytest.mark.django_db


def name_change(previous: Any, current: Any, **later: float) -> dict[str, Any]:
    return an_update(an_element(previous=previous, current=current, timestamp=stamp(**later)))


def name_now(**options: Any) -> Any:
    return profile(DUNS, **options).value("organization.primaryName")


def test_a_seed_is_the_beginning() -> None:
    delivered(a_seed(telephone=[{"telephoneNumber": "1"}]))
    assert profile(DUNS).document["telephone"] == [{"telephoneNumber": "1"}]


def test_changes_apply_in_the_order_of_their_times_though_they_arrive_in_another() -> None:
    delivered(name_change("B", "C", days=20), name_change("A", "B", days=10))
    delivered(a_seed(primaryName="A"))
    assert name_now() == "C"


def test_as_of_shows_the_company_as_it_was() -> None:
    delivered(a_seed(primaryName="A"), name_change("A", "B", days=10), name_change("B", "C", days=20))
    assert name_now(as_of=MOMENT + timedelta(days=5)) == "A"
    assert name_now(as_of=MOMENT + timedelta(days=15)) == "B"
    assert name_now(as_of=MOMENT - timedelta(days=1)) is None


def test_a_seed_replaces_its_members_and_drops_those_it_no_longer_carries() -> None:
    delivered(a_seed(fax="1", address={"city": "Leeds", "zip": "1"}, delivered=stamp(days=1)))
    delivered(a_seed(address={"city": "York"}, delivered=stamp(days=2)))
    document = profile(DUNS).document
    assert ("fax" in document, document["address"]) == (False, {"city": "York"})


def test_members_of_another_registrations_seed_stay() -> None:
    delivered(a_seed(fax="1", delivered=stamp(days=1)), registration=a_registration("ONE"))
    delivered(a_seed(web="w", delivered=stamp(days=2)), registration=a_registration("TWO"))
    delivered(a_seed(web="x", delivered=stamp(days=3)), registration=a_registration("TWO"))
    assert (profile(DUNS).document["fax"], profile(DUNS).document["web"]) == ("1", "x")


def test_a_change_shortly_before_a_seed_counts_after_it_when_the_seed_does_not_show_it() -> None:
    delivered(name_change("Acme Ltd", "NEWER", days=1), a_seed(primaryName="Acme Ltd", delivered=stamp(days=3)))
    assert name_now() == "NEWER"


def test_a_chain_of_changes_shortly_before_a_seed_counts_after_it() -> None:
    delivered(
        name_change("A", "B", days=1), name_change("B", "C", days=2), a_seed(primaryName="A", delivered=stamp(days=3))
    )
    assert name_now() == "C"


def test_a_change_shortly_before_a_seed_counts_after_it_when_the_seed_removes_what_it_sets() -> None:
    leeds, york = ({"addressLocality": {"name": name}} for name in ("Leeds", "York"))
    delivered(a_seed(primaryAddress=leeds, delivered=stamp(days=1)))
    delivered(an_update(an_element("organization.primaryAddress", None, york, stamp(days=2))))
    delivered(a_seed(delivered=stamp(days=3)))
    assert (profile(DUNS).document["primaryAddress"], Company.objects.get().city) == (york, "York")


def test_a_change_that_the_seed_shows_is_not_applied_again() -> None:
    delivered(name_change("A", "B", days=1), a_seed(primaryName="B", delivered=stamp(days=3)))
    assert name_now() == "B"


def test_a_change_long_before_a_seed_is_overruled_by_it() -> None:
    delivered(name_change("A", "B", days=1), a_seed(primaryName="A", delivered=stamp(days=9)))
    assert name_now() == "A"


def test_drift_is_seen_when_reading() -> None:
    delivered(a_seed(primaryName="A"), name_change("SOMETHING ELSE", "B", days=10))
    mismatches = profile(DUNS).mismatches
    assert list(mismatches) == [Change.objects.get(kind="element").pk]


def test_what_was_never_known_before_cannot_differ() -> None:
    delivered(name_change("NEVER SEEN", "B", days=1), name_change("NEVER SEEN EITHER", "C", days=2))
    mismatches = profile(DUNS).mismatches
    assert [(one.value, one.since) for one in mismatches.values()] == [("B", MOMENT + timedelta(days=1))]


def test_a_document_says_nothing_of_members_that_it_lacks() -> None:
    delivered(a_seed(delivered=stamp()), an_update(an_element("organization.fax", "1", "2", stamp(days=9))))
    assert not profile(DUNS).mismatches


def test_after_a_snapshot_only_what_it_knows_can_differ() -> None:
    """It was made where no whole document had come: the address is known by its town only."""
    town = Event(uuid.uuid4(), MOMENT, (MOMENT, 0), "baseline", uuid.uuid4(), {"address": {"town": "York"}}, {})
    later = MOMENT + timedelta(days=1)
    changes = [
        Event(
            uuid.uuid4(),
            later,
            (later, 1, at),
            Kind.ELEMENT,
            town.registration,
            None,
            None,
            f"organization.{path}",
            "X",
        )
        for at, path in enumerate(("address.town", "address.street"))
    ]
    assert list(apply_events([town, *changes]).mismatches) == [changes[0].id]


def test_a_path_into_an_array_is_said_to_be_unplaced() -> None:
    delivered(a_seed(telephone=[{"number": "1"}]))
    delivered(an_update(an_element("organization.telephone.number", "1", "2", stamp(days=9))))
    result = profile(DUNS)
    assert (result.document["telephone"], len(result.unplaced)) == ([{"number": "1"}], 1)


def test_a_leaf_and_a_container_may_both_be_changed() -> None:
    document: dict[str, Any] = {"a": {"b": 1}}
    set_value(document, "organization.a.b", 2)
    set_value(document, "organization.a.c.d", 3)
    assert document == {"a": {"b": 2, "c": {"d": 3}}}
    set_value(document, "organization.a", {"e": 4})
    assert value_at(document, "organization.a.e") == 4
    set_value(document, "organization.a", None)
    assert document == {}


def test_differences_go_down_to_leaves_and_take_arrays_whole() -> None:
    found = differences({"a": {"b": 1, "c": 2}, "l": [1]}, {"a": {"b": 1, "c": 3}, "l": [1, 2], "n": None})
    assert found == [("organization.a.c", 2, 3), ("organization.l", [1], [1, 2])]


def test_company_rows_follow_history() -> None:
    delivered(
        a_seed(
            primaryName="Ärger & Söhne GmbH",
            countryISOAlpha2Code="DE",
            primaryAddress={"addressLocality": {"name": "Köln"}},
            dunsControlStatus={"operatingStatus": {"dnbCode": 9074, "description": "Active"}},
        )
    )
    row = Company.objects.get(pk=DUNS)
    assert (row.name, row.country, row.city, row.operating_status) == ("Ärger & Söhne GmbH", "DE", "Köln", "Active")
    delivered(
        an_update(
            an_element(
                "organization.dunsControlStatus.operatingStatus.description", "Active", "Out of business", stamp(days=9)
            )
        )
    )
    row.refresh_from_db()
    assert row.operating_status == "Out of business"
    delivered(a_notice("DELETE", delivered=stamp(days=20)))
    row.refresh_from_db()
    assert row.operating_status == "Deleted at D&B"
    delivered(a_notice("UNDELETE", delivered=stamp(days=21)))
    row.refresh_from_db()
    assert row.operating_status == "Out of business"


def test_full_product_seeds_become_changes_of_elements() -> None:
    registration = a_registration("FULL", full_product=True)
    for day, name in enumerate(("A", "B", "C"), start=1):
        delivered(a_seed(primaryName=name, delivered=stamp(days=day)), registration=registration)
    changes = Change.objects.filter(kind="element").order_by("changed_at")
    assert [(change.previous, change.current) for change in changes] == [('"A"', '"B"'), ('"B"', '"C"')]
    assert not any(change.superseded for change in changes)


def test_a_late_seed_adds_its_comparisons_and_supersedes_the_old() -> None:
    registration = a_registration("FULL", full_product=True)
    for day, name in ((1, "A"), (3, "C")):
        delivered(a_seed(primaryName=name, delivered=stamp(days=day)), registration=registration)
    late = delivered(a_seed(primaryName="B", delivered=stamp(days=2)), registration=registration)
    valid = Change.objects.filter(kind="element", superseded=False).order_by("changed_at")
    assert [(change.previous, change.current) for change in valid] == [('"A"', '"B"'), ('"B"', '"C"')]
    assert {change.delivery_id for change in valid} == {late.pk}, "so that readers of the feed see both"
    assert Change.objects.get(superseded=True).current == '"C"'
    assert Publication.objects.get(delivery=late).change_count == 3


def a_stream(seed: int, length: int) -> list[dict[str, Any]]:
    """Notifications of three companies in the order in which they happened, each delivered at its own time."""
    chance = random.Random(seed)
    stream = []
    for step in range(length):
        duns, later = f"10000000{chance.randint(1, 3)}", stamp(hours=9 * step)
        path = chance.choice(["organization.primaryName", "organization.a.b", "organization.a", "organization.list"])
        value = chance.choice(["A", "B", None, {"b": "C"}, [1, 2], 3])
        made = chance.choice(
            [
                a_seed(duns, delivered=later, a={"b": chance.choice("XYZ")}),
                an_update(an_element(path, chance.choice(["A", None]), value, later), duns=duns, delivered=later),
                an_update(an_element(path, "A", value, later), duns=duns, delivered=later),
                a_notice(chance.choice(["DELETE", "UNDELETE", "UNDER_REVIEW"]), duns, delivered=later),
                a_transfer(duns, delivered=later),
            ]
        )
        stream.append(made)
    return stream


def everything() -> dict[str, Any]:
    return {
        "profiles": {duns: profile(duns).document for duns in Company.objects.values_list("pk", flat=True)},
        "companies": list(
            Company.objects.order_by("pk").values("pk", "name", "country", "operating_status", "changed_at")
        ),
        "notifications": sorted(Notification.objects.values_list("pk", flat=True)),
        "changes": sorted(Change.objects.values_list("pk", "superseded")),
    }


def forget_everything() -> None:
    for model in (Publication, Change, Notification, Delivery, Company):
        model.objects.all().delete()


def play(*streams: list[dict[str, Any]], size: int) -> dict[str, Any]:
    """Identical notices in one answer are as many, so what is repeated comes in answers of its own."""
    forget_everything()
    registration = a_registration(full_product=True)
    for stream in streams:
        for start in range(0, len(stream), size):
            delivered(*stream[start : start + size], registration=registration)
    return everything()


@given(seed=st.integers(0, 10_000), shuffle=st.randoms(use_true_random=False), size=st.integers(3, 18))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_any_duplication_give_the_same(seed: int, shuffle: random.Random, size: int) -> None:
    stream = a_stream(seed, 18)
    straight = play(stream, size=18)
    again = play(shuffle.sample(stream, 9), shuffle.sample(stream, 18), shuffle.sample(stream, 4), size=size)
    assert straight["profiles"] == again["profiles"]
    assert straight["companies"] == again["companies"]
    assert straight["notifications"] == again["notifications"]
    valid = {key for key, superseded in straight["changes"] if not superseded}
    assert {key for key, superseded in again["changes"] if not superseded} == valid


def test_the_same_stream_again_changes_no_row() -> None:
    stream = a_stream(7, 20)
    play(stream, size=7)
    before, versions = everything(), dict(Company.objects.values_list("pk", "version"))
    rows = {model: list(model.objects.order_by("pk").values()) for model in (Notification, Change, Company)}
    registration = a_registration(full_product=True)
    again = delivered(*stream, registration=registration)
    assert (again.new_count, everything() == before) == (0, True)
    assert dict(Company.objects.values_list("pk", "version")) == versions
    assert all(list(model.objects.order_by("pk").values()) == kept for model, kept in rows.items())


def test_a_profile_keeps_numbers_exactly() -> None:
    delivered(json.dumps(a_seed()).replace('"Acme Ltd"', '"Acme Ltd", "sales": 3.0251016094E8'))
    assert str(parse_json("3.0251016094E8")) == str(profile(DUNS).document["sales"])


def failure_score(percentile: int, date: str) -> dict[str, Any]:
    return {"failureScore": {"nationalPercentile": percentile, "scoreDate": date}}


def test_a_score_of_an_older_date_never_replaces_a_newer_one() -> None:
    """A weekly registration sends the score of last week after a daily one has sent that of today."""
    delivered(a_seed(dnbAssessment=failure_score(60, "2026-01-07"), delivered=stamp(hours=1)))
    weekly = a_registration("WEEKLY")
    late = failure_score(70, "2026-01-02")
    delivered(a_seed(dnbAssessment=late | {"tradeStyle": 1}, delivered=stamp(hours=2)), registration=weekly)
    assert profile(DUNS).value("organization.dnbAssessment") == failure_score(60, "2026-01-07") | {"tradeStyle": 1}
    path = "organization.dnbAssessment.failureScore"
    delivered(an_update(an_element(path, None, late["failureScore"], stamp(hours=3))), registration=weekly)
    assert profile(DUNS).value(f"{path}.nationalPercentile") == 60
    newer = failure_score(50, "2026-01-08")["failureScore"]
    delivered(an_update(an_element(path, None, newer, stamp(hours=4))), registration=weekly)
    assert profile(DUNS).value(f"{path}.nationalPercentile") == 50


SCORE = "organization.dnbAssessment.failureScore"


def scored(previous: Any, current: Any, path: str = SCORE, **later: float) -> dict[str, Any]:
    return an_update(an_element(path, previous, current, stamp(**later)))


def percentile() -> Any:
    return profile(DUNS).value(f"{SCORE}.nationalPercentile")


def test_a_score_that_is_corrected_on_its_day_or_has_no_date_replaces_the_one_before() -> None:
    delivered(a_seed(dnbAssessment=failure_score(60, "2026-01-07"), delivered=stamp(hours=1)))
    delivered(scored(None, {"nationalPercentile": 55, "scoreDate": "2026-01-07"}, hours=2))
    assert percentile() == 55
    delivered(scored(None, {"nationalPercentile": 40}, hours=3))
    assert percentile() == 40


def test_of_all_scores_together_none_is_older_than_what_is_known() -> None:
    delivered(a_seed(dnbAssessment=failure_score(60, "2026-01-07"), delivered=stamp(hours=1)))
    together = failure_score(70, "2026-01-02") | {"tradeStyle": 1}
    delivered(scored(None, together, "organization.dnbAssessment", hours=2))
    assert profile(DUNS).value("organization.dnbAssessment") == failure_score(60, "2026-01-07") | {"tradeStyle": 1}


def a_part_of_each(percentile: Any, date: Any, *, hours: float, name: str = "failureScore") -> dict[str, Any]:
    path = f"organization.dnbAssessment.{name}"
    at = stamp(hours=hours)
    return an_update(
        an_element(f"{path}.nationalPercentile", None, percentile, at),
        an_element(f"{path}.scoreDate", None, date, at),
    )


@pytest.mark.parametrize("name", ["failureScore", "delinquencyScore", "standardRating"])
def test_parts_of_an_older_score_replace_none_of_a_newer_one(name: str) -> None:
    known = {"nationalPercentile": 60, "scoreDate": "2026-01-07"}
    delivered(a_seed(dnbAssessment={name: known}, delivered=stamp(hours=1)))
    delivered(a_part_of_each(70, "2026-01-02", hours=2, name=name))
    assert profile(DUNS).value(f"organization.dnbAssessment.{name}") == known
    delivered(a_part_of_each(50, "2026-01-08", hours=3, name=name))
    newer = {"nationalPercentile": 50, "scoreDate": "2026-01-08"}
    assert profile(DUNS).value(f"organization.dnbAssessment.{name}") == newer


def test_a_part_that_comes_without_a_date_replaces_the_one_before() -> None:
    delivered(a_seed(dnbAssessment=failure_score(60, "2026-01-07"), delivered=stamp(hours=1)))
    delivered(scored(60, 55, f"{SCORE}.nationalPercentile", hours=2))
    assert percentile() == 55


def test_a_part_has_the_latest_date_that_any_registration_reports_of_its_moment() -> None:
    """In whatever order they report, and though one leaves the date out."""
    delivered(a_seed(dnbAssessment=failure_score(60, "2026-01-07"), delivered=stamp(hours=1)))
    delivered(scored(None, 70, f"{SCORE}.nationalPercentile", hours=2))
    assert percentile() == 70
    delivered(a_part_of_each(70, "2026-01-02", hours=2), registration=a_registration("WEEKLY"))
    assert percentile() == 60
    delivered(a_part_of_each(70, "2026-01-09", hours=2), registration=a_registration("DAILY"))
    assert percentile() == 70


def test_a_date_within_a_score_is_not_the_scores_date() -> None:
    delivered(a_seed(dnbAssessment=failure_score(30, "2026-03-01"), delivered=stamp()))
    within = an_element(f"{SCORE}.override.scoreDate", None, "2026-01-01", stamp(hours=1))
    delivered(an_update(an_element(f"{SCORE}.nationalPercentile", 30, 40, stamp(hours=1)), within))
    assert percentile() == 40


def test_parts_of_an_older_score_do_not_come_back_after_a_document_that_does_not_show_them() -> None:
    for hours in (1, 3):
        delivered(a_seed(dnbAssessment=failure_score(60, "2026-01-07"), delivered=stamp(hours=hours)))
    older = an_update(
        an_element(f"{SCORE}.nationalPercentile", 60, 70, stamp(hours=2)),
        an_element(f"{SCORE}.scoreDate", "2026-01-07", "2026-01-02", stamp(hours=2)),
    )
    delivered(older)
    assert profile(DUNS).value(SCORE) == failure_score(60, "2026-01-07")["failureScore"]


def test_an_older_score_does_not_come_back_after_a_document_that_does_not_show_it() -> None:
    newer, older = (failure_score(*one)["failureScore"] for one in ((60, "2026-01-07"), (70, "2026-01-02")))
    for hours in (1, 3):
        delivered(a_seed(dnbAssessment={"failureScore": newer}, delivered=stamp(hours=hours)))
    delivered(scored(newer, older, hours=2))
    assert percentile() == 60
