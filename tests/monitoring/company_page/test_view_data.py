"""The page of a company: what it is, what it was on a day, who owns it, where it is watched, what people say of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from core.models import AuditEntry
from monitoring.models import Change, Notification
from portfolio.companies.external_references import Named, name_companies
from portfolio.companies.notes import add_note, describe_company
from portfolio.models import Company, CompanyNote, Subject
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT, stamp

pytestmark = pytest.mark.django_db
PAGE = f"/portfolio/company/{DUNS}/change/"
FAILURE = "organization.dnbAssessment.failureScore.nationalPercentile"
LINKAGE = {
    "parent": {"duns": OTHER, "primaryName": "Holding AG"},
    "globalUltimate": {"duns": "999888777", "primaryName": "Far Inc."},
}
DAY = f"?as_of={MOMENT:%Y-%m-%d}"


def a_story() -> None:
    """Baseline, then a score that falls, an end of business, and a merger into it."""
    document: dict[str, Any] = {
        "primaryAddress": {"addressLocality": {"name": "Leeds"}},
        "corporateLinkage": LINKAGE,
        "dnbAssessment": {"failureScore": {"nationalPercentile": 80}},
        "dunsControlStatus": {"operatingStatus": ACTIVE},
    }
    delivered(
        a_seed(delivered=stamp(), **document),
        a_seed(OTHER, delivered=stamp(), primaryName="Holding AG"),
    )
    delivered(an_update(an_element(FAILURE, 80, 55, stamp(days=3)), an_element(STATUS, ACTIVE, OUT, stamp(days=4))))
    delivered(a_transfer(OTHER, to=DUNS, delivered=stamp(days=6)))


def test_headline_facts_status_owners_and_scores(admin: Client) -> None:
    a_story()
    page = admin.get(PAGE)
    text = text_of(page)
    assert f"Out of business Acme Ltd {DUNS} · Leeds, United Kingdom" in text
    assert (
        "Parent Holding AG 150483782" in text and f'href="/portfolio/company/{OTHER}/change/"' in page.content.decode()
    )
    assert "Global ultimate Far Inc. 999888777, not among your companies" in text
    assert "Failure score: national percentile 55" in text
    assert "Lowest 55 (10 Jan 2026), highest 80 (7 Jan 2026). Higher is better. Worse than 80 on 7 Jan 2026." in text
    assert "80 → 55 (worse) High" in text
    assert "It continues Holding AG" in text


def test_everything_in_few_queries(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    a_story()
    company = a_subject(customer_reference="V-1").company
    name_companies([Named(DUNS, "crm", "42")], requested_by="ann")
    describe_company(company=company, tags="steel, gold", owner="Bob", by="ann")
    add_note(company=company, text="Prepay only.", by="ann")
    with django_assert_max_num_queries(12):
        text = text_of(admin.get(PAGE))
    for said in ("crm 42", "steel gold", "Owner Bob", "Prepay only.", "your reference V-1", "ACME_LOD_01 Monitored"):
        assert said in text
    with django_assert_max_num_queries(12):
        assert admin.get(PAGE + DAY).status_code == 200


def test_as_of_a_day_marks_what_differs_today(admin: Client) -> None:
    a_story()
    text = text_of(admin.get(PAGE + DAY))
    assert "Active Acme Ltd" in text and "Status today: Out of business" in text
    assert "as it was at the end of 7 January 2026. 2 things differ from today" in text
    assert "National percentile (failure score) 80 → 55" in text and "Operating status Active → Out of business" in text
    assert "Operating status Active Today: Out of business" in text
    assert "It continues" not in text and "10 January 2026" not in text


def test_as_of_a_day_before_anything_was_known(admin: Client) -> None:
    a_story()
    page = admin.get(f"{PAGE}?as_of=2025-12-31")
    assert "it was first heard of on 7 January 2026" in text_of(page)
    assert "?as_of=2026-01-07" in page.content.decode()


@pytest.mark.parametrize("query", ["as_of=rubbish&before=rubbish", "as_of=2999-01-01", "as_of="])
def test_what_is_no_day_of_the_past_shows_today(admin: Client, query: str) -> None:
    a_story()
    text = text_of(admin.get(f"{PAGE}?{query}"))
    assert "as it was at the end" not in text and "Out of business" in text


def test_pages_of_the_timeline_follow_and_keep_the_day(admin: Client) -> None:
    delivered(a_seed(delivered=stamp()))
    names = [
        an_element(previous=f"N{number}", current=f"N{number + 1}", timestamp=stamp(minutes=number))
        for number in range(70)
    ]
    delivered(an_update(*names))
    first = admin.get(PAGE + DAY)
    page = first.context["page"]
    assert page.older and f"as_of={MOMENT:%Y-%m-%d}" in first.content.decode()
    second = admin.get(f"{PAGE}{DAY}&before={page.older}")
    assert sum(len(day.lines) + len(day.small) for day in second.context["page"].days) == 11
    assert "To the newest" in text_of(second)


def test_a_merged_company_leads_to_the_one_that_remains(admin: Client) -> None:
    a_story()
    page = admin.get(f"/portfolio/company/{OTHER}/change/")
    assert "It goes on as Acme Ltd (merged on 13 Jan 2026)" in text_of(page)
    assert f'href="{PAGE}"' in page.content.decode()
    assert Company.objects.get(pk=OTHER).merged_into == DUNS
    delivered(a_notice("UNDELETE", OTHER, delivered=stamp(days=8)))
    assert Company.objects.get(pk=OTHER).merged_into == ""
    assert "It continues" not in text_of(admin.get(PAGE))


def test_a_review_is_told_until_it_is_over(admin: Client) -> None:
    delivered(a_seed(delivered=stamp()), a_notice("UNDER_REVIEW", delivered=stamp(days=2)))
    assert "Under review at D&B since 9 Jan 2026" in text_of(admin.get(PAGE))
    delivered(a_notice("REVIEWED", delivered=stamp(days=5)))
    assert "Under review at D&B since" not in text_of(admin.get(PAGE))


def test_drift_is_explained_with_the_gap(admin: Client) -> None:
    row = a_registration(gap_from=MOMENT + timedelta(days=1), gap_until=MOMENT + timedelta(days=2))
    news = a_seed(delivered=stamp()), an_update(an_element(previous="NEVER SEEN LTD", timestamp=stamp(days=5)))
    delivered(*news, registration=row)
    text = text_of(admin.get(PAGE))
    assert "D&B's value before is not what was known here" in text and "Acme Ltd → NEVER SEEN LTD" in text
    assert "ACME_LOD_01 has a gap from 8 Jan 2026 to 9 Jan 2026" in text


def test_the_raw_notification_is_one_click_away(admin: Client) -> None:
    a_story()
    key = Change.objects.get(element=FAILURE).notification_id
    address = f"/monitoring/notification/{key}/change/"
    assert f'href="{address}#raw"' in admin.get(PAGE).content.decode()
    assert Notification.objects.filter(pk=key).exists() and 'id="raw"' in admin.get(address).content.decode()


def test_a_company_that_was_only_heard_of(admin: Client) -> None:
    delivered(an_update())
    Subject.objects.all().delete()
    text = text_of(admin.get(PAGE))
    assert "ACME_LOD_01 Heard of since 7 Jan 2026" in text
    assert "Tags and an owner can be given once it is in a registration." in text


# What people say


def do(client: Client, action: str, **form: Any) -> str:
    answer = client.post(f"/portfolio/company/{DUNS}/do/{action}/", form, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    return text_of(answer)


def test_a_note_is_written_shown_and_audited(admin: Client) -> None:
    delivered(a_seed())
    assert "<b>bold</b>" in do(admin, "note", text="  <b>bold</b> words ")
    note = CompanyNote.objects.get()
    assert (note.text, note.by) == ("<b>bold</b> words", "ann")
    assert AuditEntry.objects.get(action="add note").actor == "ann"
    assert "Nothing was written." in do(admin, "note", text=" ")


def test_ones_own_note_can_be_taken_away_and_stays_in_the_audit(client: Client) -> None:
    delivered(a_seed())
    company = Company.objects.get()
    client.force_login(a_person(role="Analyst"))
    mine, other = (add_note(company=company, text=f"by {name}", by=name) for name in ("bob", "ann"))
    assert mine and other
    page = client.get(PAGE).content.decode()
    assert str(mine.pk) in page and str(other.pk) not in page
    assert client.post(f"/portfolio/company/{DUNS}/do/remove-note/", {"key": str(other.pk)}).status_code == 403
    do(client, "remove-note", key=str(mine.pk))
    assert "was not there any more" in do(client, "remove-note", key=str(mine.pk))
    assert list(CompanyNote.objects.values_list("by", flat=True)) == ["ann"]
    assert "by bob" in AuditEntry.objects.get(action="remove note").before


def test_tags_and_owner_hold_in_every_list_and_are_audited(admin: Client) -> None:
    delivered(a_seed())
    a_subject(registration=a_registration("ONE"), tags="old", owner="Al")
    a_subject(registration=a_registration("TWO"))
    do(admin, "describe", tags="steel, , gold ,steel", owner=" Ruth ")
    rows = Subject.objects.filter(company=DUNS).values_list("tags", "owner")
    assert set(rows) == {("steel, gold", "Ruth")}
    entries = AuditEntry.objects.filter(action="edit subject")
    assert entries.count() == len(rows) and any("Al" in entry.before for entry in entries)
    assert "Nothing was changed." in do(admin, "describe", tags="steel, gold", owner="Ruth")


def test_who_only_looks_is_offered_no_forms(client: Client) -> None:
    delivered(a_seed())
    client.force_login(a_person(role="Viewer"))
    page = client.get(PAGE).content.decode()
    assert 'name="text"' not in page and 'name="tags"' not in page
    assert client.post(f"/portfolio/company/{DUNS}/do/note/", {"text": "x"}).status_code == 403


def test_what_nobody_knows_is_not_done(admin: Client) -> None:
    delivered(a_seed())
    assert admin.post(f"/portfolio/company/{DUNS}/do/nonsense/").status_code == 404
    assert admin.post(f"/portfolio/company/{DUNS}/do/remove-note/", {"key": "x"}).status_code == 404
    assert admin.post("/portfolio/company/999999999/do/note/", {"text": "x"}).status_code == 404
