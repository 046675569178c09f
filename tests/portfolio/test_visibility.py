from datetime import date

import pytest

from core.visibility import visible_to
from portfolio.companies.notes import add_note, describe_company, notes_of
from portfolio.models import Company, Registration, Subject
from portfolio.visibility import left_on
from tests.builders.companies import DUNS, OTHER
from tests.builders.registrations import one, two
from tests.builders.subjects import a_subject
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db
SINCE, LEFT = date(2026, 1, 1), date(2026, 3, 1)


def test_companies_are_those_that_a_registration_of_the_unit_holds() -> None:
    credit = a_unit("Credit", one())
    a_subject(DUNS, one(), monitored_since=SINCE)
    a_subject(OTHER, two(), monitored_since=SINCE)
    assert [row.duns for row in visible_to(seen_by(credit), Company.objects.all())] == [DUNS]


def test_one_that_left_is_not_among_them_and_the_day_is_known() -> None:
    credit = seen_by(a_unit("Credit", one()))
    a_subject(DUNS, one(), monitored_since=SINCE, monitored_until=LEFT)
    a_subject(DUNS, two(), monitored_since=SINCE)
    assert not visible_to(credit, Company.objects.all()).exists()
    assert (left_on(credit, DUNS), left_on(credit, OTHER)) == (LEFT, None)


def test_one_that_is_only_requested_is_not_seen_yet() -> None:
    credit = seen_by(a_unit("Credit", one()))
    a_subject(DUNS, one(), state="pending_add")
    assert not visible_to(credit, Company.objects.all()).exists()


def test_registrations_and_their_entries_are_the_units() -> None:
    credit = seen_by(a_unit("Credit", one()))
    for registration in (one(), two()):
        a_subject(DUNS, registration, monitored_since=SINCE)
    assert list(visible_to(credit, Registration.objects.all())) == [one()]
    assert [row.registration_id for row in visible_to(credit, Subject.objects.all())] == [one().pk]


def test_notes_of_a_unit_are_for_that_unit_and_those_of_others_for_all() -> None:
    credit, buying = seen_by(a_unit("Credit", one())), seen_by(a_unit("Buying", two()))
    for registration in (one(), two()):
        a_subject(DUNS, registration, monitored_since=SINCE)
    company = Company.objects.get(pk=DUNS)
    add_note(company=company, text="ours", by="bob", scope=credit)
    add_note(company=company, text="everyone's", by="ann")
    assert [note.text for note in notes_of(DUNS, credit)] == ["everyone's", "ours"]
    assert [note.text for note in notes_of(DUNS, buying)] == ["everyone's"]
    assert len(notes_of(DUNS)) == 2


def test_tags_are_written_into_the_units_entries_only() -> None:
    credit = seen_by(a_unit("Credit", one()))
    for registration in (one(), two()):
        a_subject(DUNS, registration, monitored_since=SINCE)
    describe_company(company=Company.objects.get(pk=DUNS), tags="steel", owner="", by="bob", scope=credit)
    assert dict(Subject.objects.values_list("registration__reference", "tags")) == {"ONE": "steel", "TWO": ""}
