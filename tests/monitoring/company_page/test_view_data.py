"""The page of a company: what it is, what it was on a day, who owns it, where it is watched, what people say of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from core.text import ago, moment_text
from monitoring.company_page import view_data
from monitoring.consumers.proposals import read_publications
from monitoring.history import state
from monitoring.models import Alert, Change, Kind, Notification
from portfolio.companies.external_references import Named, name_companies
from portfolio.companies.notes import add_note, describe_company
from portfolio.models import Company, CompanyNote, Proposal, Subject, SubjectState
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT, soon, stamp

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
    # Received today, it happened before.
    Company.objects.filter(pk=DUNS).update(changed_at=timezone.now())
    page = admin.get(PAGE)
    text = text_of(page)
    assert f"Out of business Acme Ltd D-U-N-S {DUNS} · Leeds, United Kingdom · last change" in text
    assert f"last change {ago(timezone.now())}" not in text and f"last update {ago(timezone.now())}" in text
    assert (
        "Parent Holding AG 150483782" in text and f'href="/portfolio/company/{OTHER}/change/"' in page.content.decode()
    )
    assert "Global ultimate Far Inc. 999888777, not monitored" in text
    assert "Failure score: national percentile 55 Moderate risk" in text
    assert "Lowest 55 (10 Jan 2026), highest 80 (7 Jan 2026). Higher is better. Worse than 80 on 7 Jan 2026." in text
    assert "80 → 55 (worse) High" in text
    assert "Holding AG was merged into this company" in text
    assert "1 risk signal Out of business" in text


@pytest.mark.parametrize(
    ("query", "tab"),
    [("", "overview"), ("?tab=data", "data"), ("?tab=nonsense", "overview"), ("?before=x", "timeline")],
)
def test_each_part_has_an_address(admin: Client, query: str, tab: str) -> None:
    a_story()
    page = admin.get(PAGE + query)
    assert [one.key for one in page.context["tabs"] if one.is_current] == [tab]
    assert page.content.decode().count("dm-panel dm-current") == 1


def test_parts_keep_the_day(admin: Client) -> None:
    a_story()
    page = admin.get(f"{PAGE}{DAY}&tab=ownership").content.decode()
    assert f"?tab=data&amp;as_of={MOMENT:%Y-%m-%d}" in page and 'name="tab" value="ownership"' in page


def test_open_alerts_come_first_and_without_the_name(admin: Client) -> None:
    a_story()
    an_alert(title=f"Acme Ltd, {DUNS}, Leeds: operating status Active → Out of business")
    an_alert(title="done", state="closed")
    page = admin.get(PAGE)
    text = text_of(page)
    assert "Open alerts (1)" in text and "Operating status Active → Out of business New · Out of business" in text
    assert text.index("risk signal") < text.index("Open alerts (1)") < text.index("Scores and ratings")
    assert "Open alerts" not in text_of(admin.get(PAGE + DAY))


def test_a_snoozed_alert_is_shown_as_such_until_it_returns(admin: Client) -> None:
    a_story()
    alert = an_alert(snoozed_until=timezone.now() + timedelta(days=3))
    text = text_of(admin.get(PAGE))
    assert alert.snoozed_until and f"Snoozed until {moment_text(alert.snoozed_until)}" in text
    Alert.objects.update(snoozed_until=timezone.now() - timedelta(days=1))
    text = text_of(admin.get(PAGE))
    assert "Snoozed until" not in text and "New" in text


def test_amounts_are_short_and_names_are_not_repeated(admin: Client) -> None:
    revenue = [{"yearlyRevenue": [{"value": 62812345.12, "currency": "USD"}]}]
    itself = {role: {"duns": DUNS, "primaryName": "Acme Ltd"} for role in ("domesticUltimate", "globalUltimate")}
    delivered(a_seed(delivered=stamp(), registeredName="Acme Ltd", financials=revenue, corporateLinkage=itself))
    page = admin.get(PAGE)
    assert '<span title="62,812,345.12 USD">62.8 M USD</span>' in page.content.decode()
    assert [one.label for one in page.context["summaries"]] == ["Yearly revenue"]
    assert "Domestic ultimate, global ultimate This company itself" in text_of(page)


def test_an_owner_is_shown_once_with_all_its_roles(admin: Client) -> None:
    owner = {"duns": OTHER, "primaryName": "Holding AG"}
    linkage = {"parent": owner, "domesticUltimate": owner, "globalUltimate": owner}
    delivered(a_seed(delivered=stamp(), corporateLinkage=linkage))
    assert "Parent, domestic ultimate, global ultimate Holding AG" in text_of(admin.get(PAGE))


def test_everything_in_few_queries(admin: Client, django_assert_max_num_queries: AtMost) -> None:
    a_story()
    company = a_subject(customer_reference="V-1").company
    name_companies([Named(DUNS, "crm", "42")], requested_by="ann")
    describe_company(company=company, tags="steel, gold", owner="Bob", by="ann")
    add_note(company=company, text="Prepay only.", by="ann")
    # Four of them for the decision that holds, the last review, whom a note can mention, whether the reader follows it.
    with django_assert_max_num_queries(22):
        text = text_of(admin.get(PAGE))
    for said in ("crm 42", "steel gold", "Owner Bob", "Prepay only.", "your reference V-1", "ACME_LOD_01 Monitored"):
        assert said in text
    with django_assert_max_num_queries(19):
        assert admin.get(PAGE + DAY).status_code == 200


def test_as_of_a_day_marks_what_differs_today(admin: Client) -> None:
    a_story()
    text = text_of(admin.get(PAGE + DAY))
    assert "On this day, D&B reported no adverse status, no open legal events and no score class with high risk" in text
    assert "Operating status: Active Acme Ltd" in text and "Status today: Out of business" in text
    assert "as it was at the end of 7 January 2026. 2 values differ from today." in text
    assert "National percentile (failure score) 80 → 55" in text and "Operating status Active → Out of business" in text
    assert "Operating status Active Today: Out of business" in text
    assert "was merged into this company" not in text and "10 January 2026" not in text


def test_as_of_a_day_before_anything_was_known(admin: Client) -> None:
    a_story()
    page = admin.get(f"{PAGE}?as_of=2025-12-31")
    assert "The first notification about this company is from 7 January 2026" in text_of(page)
    assert "?as_of=2026-01-07" in page.content.decode()


@pytest.mark.parametrize("query", ["as_of=rubbish&before=rubbish", "as_of=2999-01-01", "as_of="])
def test_what_is_no_day_of_the_past_shows_today(admin: Client, query: str) -> None:
    a_story()
    text = text_of(admin.get(f"{PAGE}?{query}"))
    assert "as it was at the end" not in text and "Out of business" in text


def test_pages_of_the_timeline_follow_and_keep_the_day(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (state, view_data):
        monkeypatch.setattr(module, "MOST_MISMATCHES", 61)
    delivered(a_seed(delivered=stamp()))
    names = [
        an_element(previous=f"M{number}", current=f"N{number + 1}", timestamp=stamp(minutes=number))
        for number in range(70)
    ]
    delivered(an_update(*names))
    first = admin.get(PAGE + DAY)
    page = first.context["page"]
    assert page.older and f"as_of={MOMENT:%Y-%m-%d}" in first.content.decode()
    second = admin.get(f"{PAGE}{DAY}&before={page.older}")
    lines = [line for day in second.context["page"].days for line in (*day.lines, *day.small)]
    assert len(lines) == 11
    # Of many mismatches, the first page knows the latest. The first change is of the same moment as the baseline.
    mismatches = [line.mismatch is not None for line in lines if line.change.kind == Kind.ELEMENT]
    assert mismatches == [True] * 9 + [False]
    assert "Latest changes" in text_of(second)


def test_a_deleted_company_leads_to_its_proposal(admin: Client) -> None:
    a_subject()
    delivered(a_notice("DELETE", delivered=stamp(days=1)))
    assert "Review the proposal" not in text_of(admin.get(PAGE))
    read_publications(soon())
    page = admin.get(PAGE)
    assert f"under the number {DUNS}. Review the proposal: remove the company" in text_of(page)
    assert f"/portfolio/proposal/{Proposal.objects.get().pk}/change/" in page.content.decode()


def test_a_merged_company_leads_to_the_one_that_remains(admin: Client) -> None:
    a_story()
    page = admin.get(f"/portfolio/company/{OTHER}/change/")
    assert "Merged into Acme Ltd on 13 Jan 2026." in text_of(page)
    assert f"D&B sends no further changes under the number {OTHER}." in text_of(page)
    assert "no further changes" not in text_of(admin.get(f"/portfolio/company/{OTHER}/change/{DAY}"))
    assert f'href="{PAGE}"' in page.content.decode()
    assert Company.objects.get(pk=OTHER).merged_into == DUNS
    delivered(a_notice("UNDELETE", OTHER, delivered=stamp(days=8)))
    assert Company.objects.get(pk=OTHER).merged_into == ""
    assert "no further changes" not in text_of(admin.get(f"/portfolio/company/{OTHER}/change/"))
    assert "was merged into this company" not in text_of(admin.get(PAGE))


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
    assert "D&B's previous value differs from the value stored here" in text and "Acme Ltd → NEVER SEEN LTD" in text
    assert "ACME_LOD_01 has a data gap from 8 Jan 2026 to 9 Jan 2026" in text


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
    assert "ACME_LOD_01 Not on this list Notifications received since 7 Jan 2026" in text
    assert "You can add tags and an owner once the company is on a registration's list." in text


def test_a_request_withdrawn_before_it_was_sent_leaves_no_line(admin: Client) -> None:
    a_subject()
    a_subject(registration=a_registration("KEY_ACCOUNTS"), requested=False, state=SubjectState.UNKNOWN)
    text = text_of(admin.get(PAGE))
    assert "ACME_LOD_01 Monitored" in text and "KEY_ACCOUNTS" not in text


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
    assert "The note was empty." in do(admin, "note", text=" ")


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
    assert "The note was already removed." in do(client, "remove-note", key=str(mine.pk))
    assert list(CompanyNote.objects.values_list("by", flat=True)) == ["ann"]
    assert "by bob" in AuditEntry.objects.get(action="remove note").before


def test_tags_and_owner_hold_in_every_list_and_are_audited(admin: Client) -> None:
    delivered(a_seed())
    a_subject(registration=a_registration("ONE"), tags="old", owner="Al")
    a_subject(registration=a_registration("TWO"))
    assert "“Ruth” is not an active user" in do(admin, "describe", tags="steel, , gold ,steel", owner=" Ruth ")
    rows = Subject.objects.filter(company=DUNS).values_list("tags", "owner")
    assert set(rows) == {("steel, gold", "Ruth")}
    entries = AuditEntry.objects.filter(action="edit subject")
    assert entries.count() == len(rows) and any("Al" in entry.before for entry in entries)
    assert "No changes to save." in do(admin, "describe", tags="steel, gold", owner="Ruth")


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


def test_the_monitored_companies_of_the_group_are_listed(admin: Client) -> None:
    """The company at the top is monitored too, another of its group is not."""
    third, fourth = "012345678", "987654321"
    for duns in (DUNS, third, fourth):
        delivered(a_seed(duns, primaryName=f"Company {duns}", corporateLinkage=LINKAGE))
    assert Company.objects.get(pk=DUNS).global_ultimate == "999888777"
    a_subject(third)
    a_subject("999888777")
    a_subject(OTHER)
    page = admin.get(f"{PAGE}?tab=ownership")
    assert [one.duns for one in page.context["group"].companies] == [third, "999888777"]
    text = text_of(page)
    assert "Monitored companies of the group" in text and "Monitored here" in text
    assert "No other company of this group" in text_of(admin.get(f"/portfolio/company/{OTHER}/change/?tab=ownership"))
