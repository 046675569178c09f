"""Reports: the numbers of page, PDF and XLSX are those of the rows, counted plainly."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any

import pytest
import time_machine
from django.test import Client
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from core.cached_counts import update_counts
from core.models import AuditEntry
from core.text import day_text
from dnbmon_site.accounts.models import User
from dnbmon_site.accounts.roles import MANAGER, VIEWER
from monitoring.models import Alert, AlertKind, Change, Decision, Kind, Notification, ReportSchedule
from monitoring.reports.compute import Report, make_report
from monitoring.reports.contract_section import contract_sentences
from monitoring.reports.coverage import made
from monitoring.reports.pdf import report_pdf
from monitoring.reports.periods import last_complete, period_of, read_period
from monitoring.reports.sentences import entries_note, speeds, summary, worth
from monitoring.reports.xlsx import report_xlsx
from monitoring.stats.latency import cut, delay_text
from portfolio.models import Company, Registration, Subject
from tests.builders.contracts import a_contract
from tests.builders.decisions import a_decision, a_draft, a_limit
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.reports import NAMES, START, WEEK, a_world

pytestmark = pytest.mark.django_db
LATER = START + timedelta(days=10)


@pytest.fixture
def world() -> None:
    a_world()


def the_report(*references: str) -> Report:
    chosen = list(Registration.objects.filter(reference__in=references).values_list("pk", flat=True))
    with time_machine.travel(LATER, tick=False):
        return make_report(WEEK, chosen)


# Plain recomputations


def is_in(moment: datetime) -> bool:
    start, end = WEEK.moments
    return start <= moment < end


def changes(*references: str) -> list[Change]:
    rows = Change.objects.filter(superseded=False).select_related("registration", "delivery__publication")
    rows = rows.exclude(kind=Kind.BASELINE)
    return [row for row in rows if not references or row.registration.reference in references]


def nearest(values: list[int], percent: int) -> int | None:
    return sorted(values)[ceil(len(values) * percent / 100) - 1] if values else None


def delays(since: str, *references: str) -> list[int]:
    found = []
    for row in changes(*references):
        published = row.delivery.publication.published_at
        if row.severity and is_in(published):
            found.append(cut(published - getattr(row, since)))
    return found


def told(report: Report) -> list[str]:
    with time_machine.travel(LATER, tick=False):
        return summary(report)


# Numbers


@pytest.mark.parametrize("references", [(), ("SECOND",)])
def test_its_numbers_are_those_of_the_rows(world: None, references: tuple[str, ...]) -> None:
    report = the_report(*references)
    compare_changes(report, *references)
    for delay, since in ((report.recorded, "changed_at"), (report.handed, "delivered_at")):
        values = delays(since, *references)
        assert delay.count == len(values) > 5
        assert (delay.median, delay.most) == (nearest(values, 50), nearest(values, 95))


def compare_changes(report: Report, *references: str) -> None:
    rows = [row for row in changes(*references) if is_in(row.changed_at)]
    told = [row for row in rows if row.severity]
    assert report.counts.total == len(told) > 5
    assert report.counts.noise == len(rows) - len(told)
    assert report.counts.by_severity == Counter(row.severity for row in told)
    by_day = {day: counts for day, counts in report.counts.by_day.items() if counts}
    assert {(day, severity): n for day, counts in by_day.items() for severity, n in counts.items()} == Counter(
        (row.changed_at.astimezone(UTC).date(), row.severity) for row in told
    )
    assert report.counts.by_registration == Counter(row.registration_id for row in told)
    assert sum(count for _, count in report.counts.what) == len(told)
    critical = {row.pk for row in rows if row.severity == 4}
    assert {event.change for event in report.events} == critical
    assert report.counts.critical_count == len(critical) > 1
    start = WEEK.before().moments[0]
    before = [row for row in changes(*references) if start <= row.changed_at < WEEK.moments[0] and row.severity]
    assert report.counts.before == len(before)


def test_acknowledging_counts_from_the_change_and_from_the_alert(world: None) -> None:
    handled = the_report().handled
    rows = [row for row in Alert.objects.filter(kind=AlertKind.CHANGE, is_late=False) if is_in(row.raised_at)]
    seen = [(row, row.acknowledged_at or row.closed_at) for row in rows]
    people = [(row, at) for row, at in seen if at and row.closed_by != "the program"]
    assert handled.taken_back == sum(row.closed_by == "the program" for row in rows) > 0
    assert handled.raised == len(rows) > 5
    assert handled.acknowledged == len(people) > 2
    since_change = [int((at - row.happened_at).total_seconds()) for row, at in people]
    since_raised = [int((at - row.raised_at).total_seconds()) for row, at in people]
    assert handled.since_change.median == nearest(since_change, 50)
    assert handled.since_change.most == nearest(since_change, 95)
    assert handled.since_raised.most == nearest(since_raised, 95)


def test_all_alerts_are_counted_where_only_the_last_are_measured(world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    every = the_report().handled
    monkeypatch.setattr("monitoring.reports.alert_section.MOST_MEASURED", 2)
    handled = the_report().handled
    assert (handled.raised, handled.acknowledged) == (every.raised, every.acknowledged)
    assert (handled.since_change.count, every.since_change.count) == (2, every.acknowledged)


def test_all_that_wait_are_counted_where_only_the_longest_are_shown(
    world: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.reports.alert_section.WAITING_SHOWN", 1)
    report = the_report()
    assert report.waiting_count == Alert.objects.filter(state="new").count() > len(report.waiting) == 1


def test_the_most_severe_waits_first_and_what_the_portfolio_holds_is_told(world: None) -> None:
    report = the_report()
    new = list(Alert.objects.filter(state="new").order_by("-severity", "raised_at", "id").values_list("pk", flat=True))
    assert [one.alert for one in report.waiting] == new[:10]
    assert report.waiting_count == len(new)
    assert (report.listed, Subject.objects.count()) == (4, 5), "one company is in both registrations"
    (state,) = report.contracts
    assert (state.billed, state.anniversary) == (4, date(2026, 6, 1))
    assert the_report("FIRST").listed == 2
    assert the_report("FIRST").contracts[0].billed == 4, "the contract is over all of its registrations"


def test_a_company_without_news_and_a_program_without_registrations_make_reports(client: Client) -> None:
    assert "There are no registrations yet." in told(the_report())
    assert "There are no registrations yet, so no changes have been received." in told(the_report())
    a_registration()
    assert "No alerts were raised in this week." in told(the_report())
    assert report_pdf(the_report()).startswith(b"%PDF")
    assert report_xlsx(the_report()).startswith(b"PK")


def test_the_summary_can_be_read_by_a_person(world: None) -> None:
    report = the_report()
    text = " ".join(told(report))
    assert f"D&B reported {report.counts.total} relevant changes" in text
    assert f"{report.counts.critical_count} were critical: " in text
    assert f"median {delay_text(report.recorded.median)}, 95th percentile" in text
    assert "4 companies billed of 10 contracted in this contract year; the next year begins on 1 June 2026" in text


def test_critical_changes_are_named_as_examples_where_they_are_not_all(world: None) -> None:
    report = the_report()
    report.counts.critical[:] = [("Bankruptcy", 1)]
    assert f"{report.counts.critical_count} were critical, among them bankruptcy (1)." in " ".join(told(report))


def test_what_is_counted_now_has_the_day_of_the_report(world: None) -> None:
    report = the_report()
    day = f"As of {day_text(report.made_at.date())}"
    text, held = " ".join(told(report)), len(report.held)
    assert f"{day}, D&B monitors 4 companies in {held} registrations." in text
    note = "Companies in several registrations are counted once in each: 5 entries, 4 companies."
    assert (entries_note(report), entries_note(the_report("FIRST"))) == (note, "")
    sheets = cells(report_xlsx(report))
    assert sheets["Registrations"][-1][0] == f"{day}. {note}"
    assert sheets["Open alerts"][-1][0] == f"{day}."
    assert words_of(report_pdf(report)).count(day) >= 4
    report.counts.by_registration[report.held[0].registration.pk] += report.counts.total
    assert entries_note(report) == f"{note} A change that several registrations reported is counted in each of them."


def test_a_period_that_begins_before_the_first_data_names_its_day(world: None) -> None:
    start, _end = WEEK.moments
    assert "received since" not in made(replace(the_report(), received_since=start))
    report = replace(the_report(), received_since=start + timedelta(days=2))
    assert "Notifications have been received since" in made(report)
    assert "Notifications have been received since" in words_of(report_pdf(report))


# Files


def words_of(pdf: bytes) -> str:
    pages = (page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    # pypdf reads Chinese characters with a NUL before each; pdftotext does not.
    return " ".join(" ".join(pages).replace("\0", "").split())


def test_the_pdf_holds_the_numbers_and_the_names_of_the_world(world: None) -> None:
    """What no font has is a question mark."""
    report = the_report()
    report.held[0].registration.reference = "𐌰🎉 שלום ไทย"
    text = words_of(report_pdf(report))
    for sentence in told(report):
        assert sentence in text
    assert "?? " in text
    for line in worth(report):
        assert f"{line.what} {line.value} {line.meaning}" in text
    for way in speeds(report):
        assert f"{way.median} {way.most} {way.of}" in text
    assert {duns for duns in NAMES if duns in text} == {event.duns for event in report.events}
    shown = {event.company for event in report.events}
    assert shown and [name for name in shown if name not in text] == [], text


def cells(workbook: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_the_spreadsheet_holds_the_numbers_and_every_zero(world: None) -> None:
    report = the_report()
    sheets = cells(report_xlsx(report))
    listed = {row[0]: row[1] for row in sheets["Summary"] if row[0]}
    assert listed["Changes"] == report.counts.total
    assert listed["Critical changes"] == report.counts.critical_count
    ways = {row[0]: row[1:4] for row in sheets["Summary"]}
    assert [ways[one.way] for one in speeds(report)] == [[one.median, one.most, one.of] for one in speeds(report)]
    assert sheets["By day"][-1][1:] == [
        *(report.counts.by_severity[severity] for severity in (4, 3, 2, 1)),
        report.counts.total,
    ]
    assert [row[1] for row in sheets["Critical changes"][1:]] == [event.duns for event in report.events]
    assert any(event.duns.startswith("0") for event in report.events)
    assert not any(str(cell).startswith("=") for sheet in sheets.values() for row in sheet for cell in row)


def test_a_contract_is_named_where_there_are_several(world: None) -> None:
    (sentence,) = contract_sentences(the_report("FIRST"))
    assert sentence.startswith("Contract: ") and "contracted in this contract year" in sentence
    a_registration("THIRD", contract=a_contract(name="Subsidiary"))
    assert [text.partition(":")[0] for text in contract_sentences(the_report())][1:] == ["Contract “Subsidiary”"]


def test_decisions_and_exceeded_limits_are_for_readers_who_may_see_them(world: None, client: Client) -> None:
    a_decision(a_limit(1_000), duns="804735132")
    a_decision(duns="012345678")
    Decision.objects.update(decided_at=START + timedelta(days=3))
    a_decision(a_draft("stop"), duns="012345678", seen=1)
    with time_machine.travel(LATER, tick=False):
        Company.objects.filter(pk="804735132").update(exposure=200_000)
        update_counts("over_limit")
        assert shown_to(client, a_person("view_reportschedule", username="vic")) == (False, False)
        decides = a_person("view_reportschedule", "view_decision", username="dee")
        assert shown_to(client, decides) == (True, False)
        every = a_person("view_reportschedule", "view_decision", "view_exposure", username="eve")
        assert shown_to(client, every) == (True, True)
        report = make_report(WEEK, reader=every)
        paper = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(report_pdf(report))).pages)
        for text in (" ".join(paper.split()), str(cells(report_xlsx(report))["Decisions"])):
            assert "Limit EUR 1,000" in text and "exceeds the limit of its" in text and "Stop" not in text
        section = make_report(WEEK, [Registration.objects.get(reference="SECOND").pk], reader=every).decisions
        assert section and {one.duns for one in section.decided} == held_in("SECOND") & {"804735132", "012345678"}


def held_in(reference: str) -> set[str]:
    rows = Subject.objects.filter(registration__reference=reference, monitored_since__isnull=False)
    return set(rows.values_list("company", flat=True))


def shown_to(client: Client, reader: User) -> tuple[bool, bool]:
    """Whether the page has the decisions, and the company above its limit."""
    client.force_login(reader)
    text = text_of(client.get("/monitoring/reportschedule/report/?period=2026-W10"))
    return "Limit EUR 1,000" in text, "1 company exceeds the limit of its decision: =Acme" in text


# Pages


def test_the_page_shows_it_with_few_queries(world: None, admin: Client, django_assert_max_num_queries: AtMost) -> None:
    report = the_report("FIRST")
    key = Registration.objects.get(reference="FIRST").pk
    # Figures of two days are read for the section about risk.
    with django_assert_max_num_queries(26), time_machine.travel(LATER, tick=False):
        text = text_of(admin.get(f"/monitoring/reportschedule/report/?period=2026-W10&registration={key}"))
    for sentence in told(report):
        assert sentence.replace("&", "&amp;").replace("'", "&#x27;") in text or sentence in text
    for one in speeds(report):
        assert f"{one.median} {one.most}" in text


def test_what_the_address_says_wrong_is_as_if_it_said_nothing(world: None, admin: Client) -> None:
    with time_machine.travel(LATER):
        page = admin.get("/monitoring/reportschedule/report/?period=2026-W99&registration=x&registration=" + "0" * 32)
        assert "Report for week 10 of 2026" in text_of(page)


@pytest.mark.parametrize(("ending", "begins"), [("pdf", b"%PDF"), ("xlsx", b"PK")])
def test_files_are_downloads_of_the_same_report(admin: Client, ending: str, begins: bytes) -> None:
    answer = admin.get(f"/monitoring/reportschedule/report.{ending}?period=2026-03")
    assert answer.content.startswith(begins)
    assert answer["Content-Disposition"] == f'attachment; filename="dnb-report-2026-03.{ending}"'


def test_a_manager_makes_a_schedule_and_a_viewer_only_reads(client: Client) -> None:
    key = a_registration().pk
    client.force_login(a_person(role=MANAGER, username="mia"))
    board = User.objects.create_user("board", "board@example.com")
    form = {"name": "Board", "period": "month", "hour": 7, "zone": "Europe/Berlin", "active": "on"}
    answer = client.post("/monitoring/reportschedule/add/", {**form, "people": [str(board.pk)], "chosen": [str(key)]})
    assert answer.status_code == 302, text_of(answer)
    schedule = ReportSchedule.objects.get()
    assert schedule.next_at is not None
    assert schedule.next_at.astimezone(UTC).day in (1, 30, 31)
    assert AuditEntry.objects.get(action="add report schedule").actor == "mia"
    page = f"/monitoring/reportschedule/{schedule.pk}/change/"
    assert client.post(page, {**form, "name": "Board, all", "people": [str(board.pk)]}).status_code == 302
    assert AuditEntry.objects.filter(action="change report schedule").count() == 1
    button = f'name="_selected_action" value="{schedule.pk}"><button class="dm-button" name="action" value="send">'
    assert button in client.get(page).text and button not in client.get("/monitoring/reportschedule/add/").text
    answer = client.post(
        "/monitoring/reportschedule/", {"action": "send", "_selected_action": str(schedule.pk)}, follow=True
    )
    assert "queued for 1 recipient" in text_of(answer)
    client.force_login(a_person(role=VIEWER, username="vic"))
    assert client.get("/monitoring/reportschedule/report/").status_code == 200
    assert client.post(page, {**form, "people": [str(board.pk)]}).status_code == 403
    client.force_login(User.objects.get(username="mia"))
    assert client.post(f"/monitoring/reportschedule/{schedule.pk}/delete/", {"post": "yes"}).status_code == 302
    assert AuditEntry.objects.filter(action="delete report schedule").count() == 1


def test_a_schedule_that_nobody_can_receive_says_why_and_where_to_add_an_address(admin: Client) -> None:
    User.objects.update(email="")
    page = admin.get("/monitoring/reportschedule/add/")
    text = text_of(page)
    assert text.index("No user has an email address") < text.index("Frequency"), "above the form"
    assert text.index("To send it to someone else, invite them") < text.index("No users with an email address yet.")
    assert '<a href="/accounts/user/">Users</a>' in page.content.decode()
    User.objects.create_user("board", "board@example.com")
    assert "No user has an email address" not in text_of(admin.get("/monitoring/reportschedule/add/"))


# Periods


def test_weeks_and_months_have_names_that_lead_back_to_them() -> None:
    for kind in ("week", "month"):
        for day in (date(2026, 1, 1), date(2026, 12, 31), date(2024, 2, 29), date(2027, 1, 3)):
            period = period_of(kind, day)
            assert read_period(period.name) == period
            assert period.start <= day < period.end
            assert period.before().end == period.start and period.after().start == period.end
    assert [read_period(text) for text in ("", "2026-13", "2026-W54", "x", "0000-01")] == [None] * 5


def test_the_last_complete_one_is_over() -> None:
    assert last_complete("week", datetime(2026, 3, 9, tzinfo=UTC)).name == "2026-W10"
    assert last_complete("week", datetime(2026, 3, 8, 23, 59, tzinfo=UTC)).name == "2026-W09"
    assert last_complete("month", datetime(2026, 3, 1, tzinfo=UTC)).title == "February 2026"


def test_notifications_are_counted_by_the_day_of_their_stamp(world: None) -> None:
    moments = Notification.objects.values_list("delivered_at", flat=True)
    assert the_report().counts.notifications == sum(is_in(moment) for moment in moments if moment)
