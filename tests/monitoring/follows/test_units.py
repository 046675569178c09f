"""Users of a business unit are told what their registrations report, and nothing that only others know."""

from typing import Any

import pytest
from django.core import mail

from core.models import SavedFilter
from core.visibility import scope_of
from dnbmon_site.accounts.models import User
from monitoring.follows import matches
from monitoring.follows.mentions import not_notified_text, notify_mentioned
from monitoring.follows.sent import latest_messages
from monitoring.models import AlertRule, Follow, FollowKind, PersonalEvent
from monitoring.outbox.queue import send_due_messages
from portfolio.companies.notes import add_note
from portfolio.models import Company, CompanyNote, Subject
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.follows import a_follow, a_follower, followed, personal_messages
from tests.builders.notifications import a_seed, a_transfer, news
from tests.builders.registrations import one, two
from tests.builders.subjects import a_subject
from tests.builders.times import now_stamp, soon
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob() -> User:
    return a_follower("bob")


@pytest.fixture
def eve() -> User:
    return a_follower("eve")


@pytest.fixture(autouse=True)
def units(bob: User, eve: User) -> None:
    """Bob's unit sees the first registration, Eve's the second."""
    AlertRule.objects.update(active=False)
    for registration in (one(), two()):
        delivered(a_seed(DUNS, delivered=now_stamp(days=-2)), registration=registration)
        a_subject(DUNS, registration=registration, monitored_since=now_stamp(days=-3)[:10])
    a_unit("Credit", one(), people=[bob])
    a_unit("Buying", two(), people=[eve])


def again(person: User) -> User:
    """As the next request reads it."""
    return User.objects.get(pk=person.pk)


def reached() -> set[str]:
    followed()
    return set(PersonalEvent.objects.values_list("person__username", flat=True))


def a_note(text: str, by: User) -> CompanyNote:
    company = Company.objects.get(pk=DUNS)
    found = add_note(company=company, text=text, by=by.get_username(), scope=scope_of(again(by)))
    assert found
    return found


def test_a_note_of_another_unit_notifies_nobody_who_may_not_read_it(bob: User, eve: User) -> None:
    found = a_note("@eve secret", bob)
    assert "@eve may not view this" in not_notified_text([found])
    assert notify_mentioned() == 0
    a_note("@eve hello", eve)
    a_note("@bob hello", eve)
    assert notify_mentioned() == 0


def test_a_note_that_a_user_may_no_longer_read_is_not_sent_and_not_shown(bob: User, eve: User) -> None:
    found = a_note("@eve secret", eve)
    CompanyNote.objects.filter(pk=found.pk).update(by="ann")
    assert notify_mentioned() == 1
    assert "secret" in latest_messages(again(eve))[0].text
    CompanyNote.objects.filter(pk=found.pk).update(units=" credit ")
    assert "secret" not in latest_messages(again(eve))[0].text
    send_due_messages(soon(), at_once=1)
    assert mail.outbox == []


@pytest.mark.parametrize("kind", [FollowKind.COMPANY, FollowKind.FILTER])
def test_what_their_registration_reports_later_is_new_to_them(kind: str, eve: User) -> None:
    values = {"listing": "portfolio.company", "query": "country=GB", "created_at": soon()}
    row = SavedFilter.objects.create(name="British", owner="eve", **values)
    a_follow(eve, kind, DUNS if kind == FollowKind.COMPANY else str(row.pk))
    change = news()
    delivered(change, registration=one())
    assert reached() == set()
    delivered(change, registration=two())
    assert reached() == {"eve"}


def describes(registration: Any, **fields: Any) -> None:
    Subject.objects.filter(registration=registration).update(**fields)


def test_only_tags_and_owners_of_their_registrations_count(bob: User, eve: User) -> None:
    describes(one(), tags="key", owner="eve")
    describes(two(), tags="other")
    for person in (bob, eve):
        a_follow(person, FollowKind.TAG, "key")
    change = news()
    delivered(change, registration=one())
    delivered(change, registration=two())
    assert reached() == {"bob"}


def test_another_reason_counts_where_the_tag_does_not(eve: User) -> None:
    describes(one(), tags="key")
    a_follow(eve, FollowKind.TAG, "key")
    a_follow(eve, frequency="daily")
    delivered(news(), registration=two())
    assert reached() == {"eve"}
    assert PersonalEvent.objects.get().because == f"company:{DUNS}"
    assert len(personal_messages()) == 1


def test_a_follow_moves_only_for_who_sees_the_merger_and_the_company_that_remains(bob: User, eve: User) -> None:
    delivered(a_seed(OTHER, delivered=now_stamp(days=-2)), registration=one())
    a_subject(OTHER, registration=one(), monitored_since=now_stamp(days=-3)[:10])
    ann = a_follower("ann", sees_all=True)
    for person in (ann, bob, eve):
        a_follow(person)
    delivered(a_transfer(DUNS, to=OTHER, delivered=now_stamp()), registration=two())
    followed()
    follows = dict(Follow.objects.values_list("person__username", "subject"))
    # Eve's unit sees the merger only, Bob's the company only.
    assert follows == {"ann": OTHER, "bob": DUNS, "eve": DUNS}


def test_what_users_see_is_asked_once_for_all_who_see_the_same(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[User] = []
    ask = matches.visible_changes

    def noted(person: User, keys: Any) -> Any:
        asked.append(person)
        return ask(person, keys)

    monkeypatch.setattr(matches, "visible_changes", noted)
    for number in range(3):
        a_follow(a_follower(f"p{number}", sees_all=True))
    a_follow(bob)
    delivered(news(), registration=one())
    assert reached() == {"p0", "p1", "p2", "bob"}
    assert len(asked) == 2
