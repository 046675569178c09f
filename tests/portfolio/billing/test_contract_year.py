"""The contract year: what is billed, what is coming, what renews; removals planned for a day; reminders, once."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from core.cached_counts import update_counts
from core.models import AuditEntry, Notice
from core.notices import notify
from portfolio.billing.contract_year import (
    Year,
    cancel_removal,
    contract_year,
    next_anniversary,
    remind,
    remove_planned,
)
from portfolio.imports.planned_removals import Planned, plan_removal
from portfolio.jobs import look_after_years
from portfolio.models import Contract, Subject, SubjectImport, SubjectState
from tests.builders.companies import DUNS
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.people import a_person, an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
OTHER, THIRD, FOURTH = "150483782", "012345678", "987654321"
TODAY = date(2026, 1, 7)
ANNIVERSARY = date(2020, 3, 1)
PAGE = "/portfolio/contract/year/"
SUBJECTS = "/portfolio/subject/"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(datetime(2026, 1, 7, 12, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def one_person_may_remove_all() -> None:
    """The lists here are so short that each removal is a large part."""
    a_contract(removal_share=100)


def year(**fields: Any) -> Year:
    fields.setdefault("anniversary", ANNIVERSARY)
    return contract_year(a_contract(**fields))


def numbers(found: Year) -> tuple[int, int, int, int]:
    return found.billed, found.coming, found.forecast, found.renewing


@pytest.mark.parametrize(
    ("anniversary", "expected"),
    [
        (None, None),
        (date(2020, 3, 1), date(2026, 3, 1)),
        (date(2020, 1, 7), date(2027, 1, 7)),
        (date(2020, 1, 8), date(2026, 1, 8)),
        (date(2024, 2, 29), date(2026, 2, 28)),
    ],
)
def test_the_next_anniversary(anniversary: date | None, expected: date | None) -> None:
    assert next_anniversary(Contract(anniversary=anniversary), TODAY) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (1, 0, 1, 1)),
        ({"requested": False}, (1, 0, 1, 1)),
        ({"requested": False, "state": "pending_remove"}, (1, 0, 1, 0)),
        ({"state": "unknown"}, (0, 1, 1, 1)),
        ({"state": "pending_add"}, (0, 1, 1, 1)),
        ({"state": "refused"}, (0, 0, 0, 0)),
        ({"requested": False, "state": "removed", "monitored_until": date(2025, 3, 1)}, (1, 0, 1, 0)),
        ({"requested": False, "state": "removed", "monitored_until": date(2025, 2, 28)}, (0, 0, 0, 0)),
        ({"requested": False, "state": "removed"}, (0, 0, 0, 0)),
        ({"remove_on": date(2026, 2, 28)}, (1, 0, 1, 0)),
        ({"remove_on": date(2026, 3, 1)}, (1, 0, 1, 1)),
        ({"remove_on": date(2026, 2, 1), "state": "unknown"}, (0, 1, 1, 0)),
    ],
)
@pytest.mark.parametrize("others", [[], ["OTHER_01"]])
def test_what_each_company_counts_for(fields: dict[str, Any], expected: tuple[int, ...], others: list[str]) -> None:
    a_subject(**fields)
    for reference in others:
        a_registration(reference)
    assert numbers(year()) == expected


def test_a_company_in_two_registrations_is_billed_once() -> None:
    a_subject()
    a_subject(registration=a_registration("OTHER_01", adopted=True), state=SubjectState.UNKNOWN)
    elsewhere = a_registration("ELSEWHERE", contract=a_contract(name="other"))
    a_subject(OTHER, elsewhere)
    assert numbers(year()) == (1, 0, 1, 1)


def test_without_an_anniversary_all_that_was_ever_watched_counts() -> None:
    a_subject(requested=False, state=SubjectState.REMOVED, monitored_until=date(2001, 1, 1))
    assert year(anniversary=None).billed == 1


# Planned removals


@pytest.mark.usefixtures("one_person_may_remove_all")
def test_a_planned_removal_sends_and_saves_nothing_before_its_day() -> None:
    row = a_subject()
    assert plan_removal(subjects=[row], day=date(2026, 2, 20), by=an_actor("ann")).count == 1
    assert remove_planned() == 0 and Subject.objects.get().requested
    with time_machine.travel(datetime(2026, 2, 20, 1, tzinfo=UTC)):
        assert look_after_years() == 1 and look_after_years() == 0
    row.refresh_from_db()
    assert not row.requested and row.remove_on is None
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert actions == {"plan removal", "withdraw"}


@pytest.mark.usefixtures("one_person_may_remove_all")
def test_a_plan_can_be_called_off() -> None:
    row = a_subject()
    plan_removal(subjects=[row], day=date(2026, 2, 20), by=an_actor("ann"))
    row.refresh_from_db()
    assert cancel_removal(subjects=[row], by="ann") == 1
    assert Subject.objects.get().remove_on is None
    assert cancel_removal(subjects=[row], by="ann") == 0


def test_what_nobody_wants_is_not_planned() -> None:
    assert plan_removal(subjects=[a_subject(requested=False)], day=date(2026, 2, 20), by=an_actor("ann")) == Planned()


# Reminders


@pytest.mark.parametrize(("day", "count"), [(61, 0), (60, 1), (45, 1), (30, 1), (8, 1), (7, 1), (1, 1)])
def test_reminders_60_30_and_7_days_before(day: int, count: int) -> None:
    a_contract(anniversary=TODAY + timedelta(days=day))
    assert remind() == count
    assert remind() == 0 and Notice.objects.count() == count


def test_each_reminder_comes_once_a_year() -> None:
    a_contract(anniversary=date(2020, 3, 8), contracted_number=0)
    a_subject()
    for days in range(0, 425):
        with time_machine.travel(datetime(2026, 1, 7, tzinfo=UTC) + timedelta(days=days)):
            remind()
    assert Notice.objects.count() == 6
    text = Notice.objects.order_by("created_at")[0].text
    assert "1 company will renew" in text and "1 more than contracted" in text


def test_a_notice_is_told_once_a_key() -> None:
    assert notify(kind="x", subject="s", text="t", key="1")
    assert notify(kind="x", subject="s", text="t", key="1") is None
    assert notify(kind="y", subject="s", text="t", key="1")


# Pages


def test_the_page_says_it_in_words(manager: Client, django_assert_max_num_queries: Any) -> None:
    a_contract(anniversary=ANNIVERSARY, contracted_number=1)
    a_subject()
    a_subject(OTHER, state=SubjectState.UNKNOWN)
    a_subject(THIRD, remove_on=date(2026, 2, 20))
    a_subject(FOURTH, remove_on=date(2026, 3, 2))
    update_counts("held")
    with django_assert_max_num_queries(12):
        text = text_of(manager.get(PAGE))
    for words in (
        "from 1 March 2025 to 28 February 2026: 53 days left",
        "3 Companies billed so far",
        "1 New billable companies pending",
        "4 Forecast",
        "3 Renewing on 1 March",
        "1 contracted: 3 over",
        "after the anniversary: they renew first",
        "2 more than contracted will renew",
    ):
        assert words in text, words


def test_without_adoption_numbers_are_at_least_or_up_to(manager: Client) -> None:
    a_contract(anniversary=ANNIVERSARY, contracted_number=10)
    a_subject(registration=a_registration(adopted=False), state=SubjectState.UNKNOWN)
    text = text_of(manager.get(PAGE))
    assert "at least 0 Companies billed so far" in text and "1 or fewer New billable companies pending" in text
    assert "ACME_LOD_01 is not adopted yet" in text and "10 contracted: at most 9 left" in text


def test_companies_that_renew_unrequested_are_one_click_away(manager: Client) -> None:
    a_contract(anniversary=ANNIVERSARY)
    a_subject(requested=False)
    page = manager.get(PAGE).content.decode()
    (address,) = re.findall(r'href="([^"]+requested=no[^"]+)"', page)
    assert len(manager.get(address.replace("&amp;", "&")).context["cl"].result_list) == 1


def test_without_an_anniversary_it_says_what_to_do(manager: Client) -> None:
    a_registration()
    assert "Ask an administrator to set it" in text_of(manager.get(PAGE))
    manager.force_login(a_person(role="Administrator", username="eve"))
    assert "Set contract anniversary" in text_of(manager.get(PAGE))


def test_removal_is_planned_for_ticked_companies(manager: Client) -> None:
    a_contract(anniversary=ANNIVERSARY, removal_share=100)
    key = str(a_subject().pk)
    asked = manager.post(SUBJECTS, {"action": "plan_selected", "_selected_action": [key]})
    assert 'value="2026-02-26"' in asked.content.decode() and "begins on 1 March 2026" in text_of(asked)
    late = manager.post(f"{SUBJECTS}plan/", {"key": key, "day": "2026-01-07"})
    assert "Choose a date in the future" in text_of(late)
    told = manager.post(f"{SUBJECTS}plan/", {"key": key, "day": "2026-02-26"}, follow=True)
    assert "1 company will be removed on 26 February 2026" in text_of(told)
    assert "Until 26 February 2026" in text_of(told)
    manager.post(SUBJECTS, {"action": "cancel_selected", "_selected_action": [key]})
    assert Subject.objects.get().remove_on is None


def test_only_with_the_right(client: Client) -> None:
    key = str(a_subject().pk)
    client.force_login(a_person(role="Viewer"))
    assert client.post(f"{SUBJECTS}plan/", {"key": key, "day": "2026-02-26"}).status_code == 403
    client.post(SUBJECTS, {"action": "plan_selected", "_selected_action": [key]})
    assert Subject.objects.get().remove_on is None


# What is told about a company


def test_what_is_told_about_a_company_is_edited_and_written_down(manager: Client) -> None:
    row = a_subject(customer_reference="K-1")
    page = f"{SUBJECTS}{row.pk}/change/"
    assert DUNS in text_of(manager.get(page))
    manager.post(page, {"customer_reference": "K-2", "tags": "steel", "owner": ""})
    row.refresh_from_db()
    assert (row.customer_reference, row.tags) == ("K-2", "steel")
    entry = AuditEntry.objects.get(action="edit subject")
    assert '"K-1"' in entry.before and '"K-2"' in entry.after


def test_subjects_are_listed_with_few_queries(manager: Client, django_assert_max_num_queries: Any) -> None:
    a_subject(state=SubjectState.REFUSED, code="40003", replacement=OTHER)
    update_counts("held")
    with django_assert_max_num_queries(12):
        text = text_of(manager.get(SUBJECTS))
    assert "The company continues as 150483782. Accept the proposal" in text


def test_ticked_companies_are_removed_where_they_were_ticked_only(manager: Client) -> None:
    key = str(a_subject().pk)
    elsewhere = a_subject(registration=a_registration("OTHER_01", adopted=True))
    form = {"action": "stop_selected", "_selected_action": [key]}
    asked = text_of(manager.post(SUBJECTS, form))
    assert (
        "ACME_LOD_01 To remove 1 company" in asked and "Other registrations still monitor 1 company of these" in asked
    )
    assert not SubjectImport.objects.exists()
    answer = manager.post(SUBJECTS, {**form, "stop": "yes"})
    made = SubjectImport.objects.get()
    assert answer["Location"] == f"/portfolio/subjectimport/{made.pk}/change/"
    assert (made.mode, made.registration_id) == ("remove", a_registration().pk)
    assert Subject.objects.get(pk=elsewhere.pk).requested and Subject.objects.get(pk=key).requested


# Where a company renews although it is removed


def two_entries(**second: Any) -> tuple[Subject, Subject]:
    contract = a_contract(anniversary=ANNIVERSARY, removal_share=100)
    first = a_subject(registration=a_registration("FIRST_01", contract=contract, adopted=True))
    return first, a_subject(registration=a_registration("OTHER_01", contract=contract, adopted=True), **second)


def test_a_removal_names_where_the_company_still_renews(manager: Client) -> None:
    first, second = two_entries()
    asked = manager.post(SUBJECTS, {"action": "plan_selected", "_selected_action": [str(first.pk)]})
    assert "renews in OTHER_01" in text_of(asked) and "Select those entries too" in text_of(asked)
    also = manager.post(f"{SUBJECTS}plan/", {"key": str(first.pk), "also": "yes", "day": "2026-02-26"})
    assert str(second.pk) in also.text and "renews in" not in text_of(also)
    assert not Subject.objects.filter(remove_on__isnull=False).exists()
    told = manager.post(f"{SUBJECTS}plan/", {"key": str(first.pk), "day": "2026-02-26"}, follow=True)
    assert "Still renewing, because other registrations keep them: 1 company, in OTHER_01." in text_of(told)


def test_an_entry_that_ends_before_the_anniversary_keeps_no_company(manager: Client) -> None:
    first, _ = two_entries(remove_on=date(2026, 2, 1))
    asked = manager.post(SUBJECTS, {"action": "plan_selected", "_selected_action": [str(first.pk)]})
    assert "renews in" not in text_of(asked)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({}, "Removing them there saves nothing"),
        ({"requested": False}, "No other registration requests them"),
    ],
)
def test_what_removing_unrequested_companies_saves(manager: Client, second: dict[str, Any], words: str) -> None:
    row, _ = two_entries(**second)
    Subject.objects.filter(pk=row.pk).update(requested=False)
    update_counts("held")
    assert words in text_of(manager.get(PAGE))


def test_numbers_are_minimums_until_d_and_bs_complete_list_is_received(manager: Client) -> None:
    row = a_subject(registration=a_registration(adopted=True, list_received_at=None)).registration
    update_counts("held")
    text = text_of(manager.get(PAGE))
    assert "at least 1 Companies billed so far" in text and "complete list has not been received" in text
    a_registration(adopted=True)
    assert "at least 1 Companies billed" not in text_of(manager.get(PAGE)) and row.adopted
