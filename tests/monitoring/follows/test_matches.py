"""What users follow: each kind takes what belongs to it, from its severity on, and only from then on."""

from typing import Any

import pytest
from django.utils import timezone

from core.models import SavedFilter
from monitoring.follows import matches
from monitoring.follows.follow import follow
from monitoring.models import AlertRule, Follow, FollowKind, Frequency, PersonalEvent, Severity
from portfolio.models import SubjectState
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.follows import a_follow, a_follower, followed, personal_messages, prefers
from tests.builders.notifications import a_seed, a_transfer, news
from tests.builders.people import a_person
from tests.builders.queries import rows_read
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import now_stamp

pytestmark = pytest.mark.django_db
TOP = "100000001"


def a_saved_filter(listing: str = "portfolio.company", query: str = "country=GB", **fields: Any) -> SavedFilter:
    values = {"name": "British", "owner": "bob", "created_at": timezone.now(), **fields}
    return SavedFilter.objects.create(listing=listing, query=query, **values)


def reached() -> set[tuple[str, str]]:
    """Who was notified about which company."""
    followed()
    return set(PersonalEvent.objects.values_list("person__username", "company"))


def two_companies() -> None:
    delivered(
        a_seed(DUNS, delivered=now_stamp(days=-2), corporateLinkage={"globalUltimate": {"duns": TOP}}),
        a_seed(OTHER, delivered=now_stamp(days=-2), countryISOAlpha2Code="CH"),
    )


def both_change() -> None:
    delivered(news(), news(duns=OTHER))


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (FollowKind.COMPANY, DUNS),
        (FollowKind.COUNTRY, "GB"),
        (FollowKind.TAG, "key supplier"),
        (FollowKind.GROUP, TOP),
    ],
)
def test_each_kind_takes_its_companies_and_no_others(kind: str, subject: str) -> None:
    two_companies()
    a_subject(DUNS, tags="Key supplier, Leeds")
    a_subject(OTHER, tags="Supplier")
    a_follow(a_follower(), kind, subject)
    both_change()
    assert reached() == {("bob", DUNS)}


def test_a_registration_takes_what_it_reports_also_after_another_one() -> None:
    one, two = a_registration("ONE"), a_registration("TWO")
    a_follow(a_follower("bob"), FollowKind.REGISTRATION, str(one.pk))
    a_follow(a_follower("eve"), FollowKind.REGISTRATION, str(two.pk))
    change = news()
    delivered(change, registration=one)
    assert reached() == {("bob", DUNS)}
    delivered(change, registration=two)
    assert reached() == {("bob", DUNS), ("eve", DUNS)}


@pytest.mark.parametrize(
    ("listing", "query"),
    [
        ("portfolio.company", "country=GB"),
        ("portfolio.subject", "state=monitored"),
    ],
)
def test_a_saved_filter_takes_what_its_list_shows(listing: str, query: str) -> None:
    two_companies()
    a_subject(DUNS)
    a_subject(OTHER, state=SubjectState.REFUSED)
    row = a_saved_filter(listing, query)
    a_follow(a_follower(), FollowKind.FILTER, str(row.pk))
    both_change()
    assert reached() == {("bob", DUNS)}


def test_a_saved_filter_of_changes_takes_single_changes() -> None:
    two_companies()
    row = a_saved_filter("monitoring.change", f"severity={Severity.CRITICAL.value}")
    a_follow(a_follower(), FollowKind.FILTER, str(row.pk), min_severity=Severity.NOISE)
    delivered(news(), news("organization.telephone", [], ["1"]))
    followed()
    assert PersonalEvent.objects.count() == 1


@pytest.mark.parametrize("trouble", ["deleted", "not shared", "does not parse"])
def test_a_filter_that_no_longer_works_takes_nothing_and_stops_no_other(trouble: str) -> None:
    two_companies()
    row = a_saved_filter()
    if trouble == "deleted":
        row.delete()
        row.pk = "0" * 32
    if trouble == "not shared":
        SavedFilter.objects.update(owner="eve")
    if trouble == "does not parse":
        SavedFilter.objects.update(query="country=GB&shoe_size=44")
    a_follow(a_follower("bob"), FollowKind.FILTER, str(row.pk))
    a_follow(a_follower("eve"))
    both_change()
    assert reached() == {("eve", DUNS)}


def test_lower_severities_stay_away() -> None:
    two_companies()
    a_follow(a_follower("bob"), min_severity=Severity.CRITICAL)
    a_follow(a_follower("eve"), min_severity=Severity.LOW)
    delivered(news("organization.telephone", [], ["1"]), news())
    followed()
    severities = {row.person.username: row for row in PersonalEvent.objects.select_related("person")}
    assert PersonalEvent.objects.filter(person__username="bob").count() == 1
    assert set(severities) == {"bob", "eve"}


def test_who_begins_to_follow_hears_of_what_is_published_from_then_on() -> None:
    two_companies()
    delivered(news())
    person = a_follower()
    follow(person=person, kind=FollowKind.COMPANY, subject=DUNS)
    assert reached() == set()
    delivered(news(hours=1))
    assert reached() == {("bob", DUNS)}


def test_what_is_old_when_it_arrives_is_sent_to_nobody() -> None:
    two_companies()
    a_follow(a_follower())
    delivered(news(days=-8))
    assert reached() == set()


def test_owners_follow_their_companies_unless_they_switched_it_off() -> None:
    AlertRule.objects.update(active=False)
    two_companies()
    a_subject(DUNS, owner="bob")
    a_subject(OTHER, owner="eve@example.com")
    a_follower("bob"), a_follower("eve")
    prefers(a_follower("dan"))
    both_change()
    assert reached() == {("bob", DUNS), ("eve", OTHER)}
    for row in PersonalEvent.objects.select_related("person"):
        prefers(row.person, own_companies=False)
    delivered(news(hours=1), news(duns=OTHER, hours=1))
    followed()
    assert PersonalEvent.objects.count() == 2


def test_who_lost_the_right_or_was_deactivated_gets_nothing() -> None:
    two_companies()
    gone, barred = a_follower("bob", is_active=False), a_person(username="eve")
    a_follow(gone)
    a_follow(barred)
    a_follow(a_follower("dan"))
    both_change()
    assert reached() == {("dan", DUNS)}


def test_who_has_no_address_gets_nothing_and_no_message_fails() -> None:
    two_companies()
    a_follow(a_follower(email=""))
    both_change()
    assert reached() == set() and personal_messages() == []


def test_a_follow_moves_with_a_merger_which_is_the_last_it_is_notified_of() -> None:
    two_companies()
    person = a_follower()
    a_follow(person, subject=OTHER, min_severity=Severity.MEDIUM, frequency=Frequency.DAILY)
    delivered(a_transfer(OTHER, to=DUNS, delivered=now_stamp()))
    assert reached() == {("bob", OTHER)}
    row = Follow.objects.get()
    assert (row.subject, row.min_severity, row.frequency) == (DUNS, Severity.MEDIUM, Frequency.DAILY)


def test_who_follows_both_keeps_the_follow_of_the_company_that_remains() -> None:
    two_companies()
    person = a_follower()
    a_follow(person, subject=OTHER)
    kept = a_follow(person, subject=DUNS, min_severity=Severity.CRITICAL)
    delivered(a_transfer(OTHER, to=DUNS, delivered=now_stamp()))
    followed()
    assert list(Follow.objects.values_list("pk", "min_severity")) == [(kept.pk, Severity.CRITICAL)]


def test_the_number_of_follows_asks_nothing_more() -> None:
    two_companies()
    people = [a_follower(f"p{number}") for number in range(3)]
    a_follow(people[0])
    both_change()
    with rows_read() as few:
        followed()
    for person in people:
        for number in range(40):
            a_follow(person, FollowKind.TAG, f"tag {number}")
            a_follow(person, subject=f"1000000{number:02d}")
    delivered(news(hours=1), news(duns=OTHER, hours=1))
    with rows_read() as many:
        followed()
    assert many.statements <= few.statements + 2


def test_the_index_finds_follows_by_what_they_are_about() -> None:
    person = a_follower()
    a_follow(person)
    a_follow(person, FollowKind.COUNTRY, "GB", min_severity=Severity.LOW)
    index = matches.Index.read()
    assert [row.kind for row in index.about([("country", "GB"), ("tag", "x")])] == ["country"]
    assert index.least == Severity.LOW
