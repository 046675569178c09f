"""The dossier as a page, a PDF and in the API."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from core.models import AuditEntry
from core.text import day_text
from monitoring.alerts.actions import assign, close
from monitoring.dossier import pdf as paper
from monitoring.dossier import view_data
from monitoring.models import Delivery
from portfolio.companies.notes import add_note
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, a_company
from tests.builders.decisions import a_decision, a_draft
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.programs import Program
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
PAGE, PDF = f"/portfolio/company/{DUNS}/dossier/", f"/portfolio/company/{DUNS}/dossier.pdf"
DAYS: dict[str, Any] = {"since": "2026-01-01", "until": "2026-02-01"}
SHA = "ab" * 32


def a_world(changes: int = 1) -> None:
    numbers = [an_element(STATUS, number, number + 1, stamp(hours=number)) for number in range(changes)]
    delivered(a_seed(delivered=stamp()), *(an_update(one, delivered=stamp(days=1)) for one in numbers))
    noise = an_element("organization.dnbAssessment.failureScore.scoreDate", "2026-01-01", "2026-01-02", stamp(hours=1))
    delivered(an_update(noise, delivered=stamp(days=1)))
    Delivery.objects.update(sha256=SHA)


def pdf_text(answer: Any) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)


def test_the_page_shows_lines_figures_and_sources(admin: Client) -> None:
    a_world()
    page = admin.get(PAGE, DAYS)
    text = text_of(page)
    assert "Acme Ltd" in text and "1 minor line" in text and "Reported in ACME_LOD_01 through a pull from D&B" in text
    assert "Before" not in text and "The company at the end of the period" in text, "nothing was known before"
    assert "The PDF combines minor lines by day." in text
    lines, _, appendix = page.content.decode().partition('aria-label="Sources"')
    assert SHA in appendix and SHA[:12] not in lines
    assert f"/portfolio/company/{DUNS}/dossier/" in admin.get(f"/portfolio/company/{DUNS}/change/").content.decode()


def test_it_begins_with_what_happened_and_what_was_decided(admin: Client) -> None:
    earlier = an_element("organization.dnbAssessment.standardRating.rating", "4A2", "4A4", stamp(minutes=30))
    change = an_update(earlier, an_element(STATUS, ACTIVE, OUT, stamp(hours=1)), delivered=stamp())
    delivered(a_seed(delivered=stamp()), change)
    alert = an_alert()
    assign([alert.pk], to=a_person(username="bob"), by="ann")
    close([alert.pk], by="bob", reason="acted", text="Called them.")
    a_decision(a_draft("stop", "Insolvent."))
    days = {**DAYS, "until": timezone.localdate().isoformat()}
    first_page = PdfReader(io.BytesIO(admin.get(PDF, days).content)).pages[0].extract_text()
    for text in (text_of(admin.get(PAGE, days)), first_page):
        brief = " ".join(text.split()).partition("The company before and after")[0]
        assert "Operating status Active → Out of business" in brief and "What was decided" in brief
        assert brief.find("Active → Out") < brief.find("4A2 → 4A4"), "the most severe comes first"
        assert "No message was sent about the alert." in brief
        assert "No user has acknowledged the alert." in brief
        assert "1 comment (first by bob, " in brief and "1 assignment (first by ann, " in brief, brief
        assert "Stop" in brief


def test_a_long_dossier_has_pages_and_a_whole_pdf(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_data, "A_PAGE", 3)
    a_world(5)
    first, last = text_of(admin.get(PAGE, DAYS)), text_of(admin.get(PAGE, {**DAYS, "page": 3}))
    assert "This page shows lines 1 to 3" in first and "Later lines" in first and "Earlier lines" not in first
    assert "Earlier lines" in last and "Later lines" not in last
    whole = pdf_text(admin.get(PDF, DAYS))
    assert "How to read this dossier" in whole and "Created by ann: " in whole
    assert all(f"{number} → {number + 1}" in whole for number in range(5))


def test_the_pdf_names_hashes_and_times_in_the_readers_zone_and_utc(admin: Client) -> None:
    a_world()
    with timezone.override("Asia/Tokyo"):
        text = pdf_text(admin.get(PDF, DAYS))
    timeline, _, appendix = text.partition("Appendix: sources")
    assert SHA in appendix.replace("\n", "").replace(" ", "") and "SHA-256" not in timeline and "UTC" in text
    assert "Minor lines (1)" in text


def test_the_pdf_says_when_it_is_not_whole(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "MOST_LINES", 2)
    a_world(5)
    assert "Only the first 2 of" in " ".join(pdf_text(admin.get(PDF, DAYS)).split())


def test_a_note_that_is_longer_than_a_page_is_printed_whole(admin: Client) -> None:
    text = " ".join(f"word{number}" for number in range(900))
    add_note(company=a_company(DUNS), text=f"{text[:3000]} 漢字{'漢' * 900}", by="ann")
    whole = "".join(pdf_text(admin.get(PDF)).split()).replace("\0", "")
    assert "word350" in whole and whole.count("漢") > 900


def test_each_reading_is_in_the_audit_log_and_not_in_the_dossier(admin: Client, program: Program) -> None:
    a_world()
    admin.get(PAGE, DAYS)
    admin.get(PDF, DAYS)
    program.read(f"companies/{DUNS}/dossier/", **DAYS)
    rows = AuditEntry.objects.filter(what="company", key=DUNS, action="dossier.read").order_by("id")
    assert [(row.actor, row.summary.rpartition(" (")[2]) for row in rows][:2] == [("ann", "page)"), ("ann", "PDF)")]
    assert len(rows) == 3 and rows[2].actor.startswith("data warehouse")
    assert "read (page)" not in text_of(admin.get(PAGE))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"since": "soon"}, "Enter dates such as 2026-03-31"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "The first day is after the last day"),
        ({}, ""),
    ],
)
def test_days_that_cannot_be_are_reported(admin: Client, query: dict[str, str], words: str) -> None:
    a_company(DUNS)
    page = admin.get(PAGE, query)
    assert page.status_code == 200 and words in text_of(page)
    assert ('role="alert"' in page.content.decode()) == bool(words)
    file = admin.get(PDF, query)
    assert (file.status_code == 302 and words in text_of(admin.get(file["Location"]))) if words else file.content


def test_the_pdf_is_of_the_days_in_the_fields(admin: Client) -> None:
    a_company(DUNS)
    html = admin.get(PAGE, DAYS).content.decode()
    form = html.split('aria-label="Period"')[1].split("</form>")[0]
    assert 'name="since"' in form and f'formaction="{PDF}"' in form and f'href="{PDF}' not in html
    today = timezone.localdate()
    first = today - timedelta(days=29)
    assert f'href="?since={first}&amp;until={today}">Last 30 days: {day_text(first)} to {day_text(today)}' in html


@pytest.mark.parametrize("duns", ["000000001", "nonsense", "٣٤٥"])
def test_unknown_companies_have_none(admin: Client, duns: str) -> None:
    assert admin.get(f"/portfolio/company/{duns}/dossier/").status_code == 404
    assert admin.get(f"/portfolio/company/{duns}/dossier.pdf").status_code == 404


def test_who_may_not_see_companies_sees_no_dossier(client: Client) -> None:
    a_company(DUNS)
    client.force_login(a_person("view_alert"))
    assert client.get(PAGE).status_code == client.get(PDF).status_code == 403


def test_the_page_says_what_the_reader_may_not_see(client: Client) -> None:
    a_company(DUNS)
    client.force_login(a_person("view_company", "view_change"))
    assert "Not included, because you lack the permissions: Alerts, Messages" in text_of(client.get(PAGE))


# The API


def test_the_api_has_the_lines_of_the_page_page_by_page(db: None) -> None:
    a_world(5)
    program = Program.with_key(scopes="read,alerts,read:exposure")
    whole = program.read(f"companies/{DUNS}/dossier/", **DAYS)
    assert whole["count"] == len(whole["lines"]) == 7 and whole["next"] is None
    found: list[Any] = []
    after: dict[str, str] = {}
    for _ in range(10):
        page = program.read(f"companies/{DUNS}/dossier/", **DAYS, limit=2, **after)
        found += page["lines"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == whole["lines"]
    assert whole["left_out"] == ["edits", "decisions"]


def test_the_api_refuses_days_and_cursors_that_cannot_be(program: Program) -> None:
    a_company(DUNS)
    path = f"companies/{DUNS}/dossier/"
    for wrong in ({"since": "2026-02-01", "until": "2026-01-01"}, {"since": "soon"}, {"after": "x"}, {"day": "1"}):
        assert program.get(path, **wrong).status_code == 400
    assert program.get("companies/000000001/dossier/").status_code == 404
