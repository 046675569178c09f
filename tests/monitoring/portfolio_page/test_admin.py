"""The page of the portfolio's risk, its files and its lists, as people with different permissions see them."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from core.models import AuditEntry, SavedFilter
from core.text import day_text
from monitoring.figures.projection import project
from monitoring.portfolio_page import list_data, list_file, worlds
from monitoring.portfolio_page.filters import OF_PAGE, Filters
from monitoring.portfolio_page.links import list_of_classes
from portfolio.exposure.rates import set_rate
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.deliveries import delivered
from tests.builders.exposures import exposure
from tests.builders.notifications import a_seed
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.portfolios import EARLIER, LATER, REGISTRATIONS
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db
PAGE, MOVEMENT, LIST = "/portfolio/risk/", "/portfolio/risk/movement/", "/portfolio/risk/companies/"
DAYS = {"day": LATER.isoformat(), "since": EARLIER.isoformat()}
TREND = "/portfolio/risk/trend/"
UNCOUNTED, THIRD = "/portfolio/risk/uncounted/", "012345678"
LIST_FILE, LIST_SHEET = "/portfolio/risk/companies.csv", "/portfolio/risk/companies.xlsx"
FILES = ("/portfolio/risk/risk.pdf", "/portfolio/risk/risk.xlsx")


def signed_in(*rights: str) -> Client:
    client = Client()
    client.force_login(a_person(*rights))
    return client


@pytest.mark.parametrize("path", [PAGE, MOVEMENT, LIST, LIST_FILE, LIST_SHEET, TREND, UNCOUNTED, *FILES])
def test_it_takes_the_permission_to_view_companies(path: str) -> None:
    assert signed_in("view_alert").get(path).status_code == 403


@pytest.mark.parametrize("path", [PAGE, MOVEMENT, LIST, *FILES])
def test_amounts_take_a_permission_of_their_own(portfolio: Any, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    portfolio(0)
    monkeypatch.setattr(worlds, "exposures_on", None)
    answer = signed_in("view_company").get(path, {**DAYS, "sort": "exposure"})
    assert answer.status_code == 200
    assert b"EUR" not in answer.content


def test_the_page_shows_amounts_and_those_without_a_rate(portfolio: Any) -> None:
    portfolio(0)
    page = text_of(signed_in("view_company", "view_exposure").get(PAGE, DAYS))
    assert "EUR" in page
    assert "Expected loss" in page
    assert "SEK 90 (2 companies)" in page


@pytest.mark.parametrize("path", [PAGE, MOVEMENT])
def test_every_link_of_a_matrix_opens_a_list_of_its_number(portfolio: Any, path: str) -> None:
    portfolio(1)
    client = signed_in("view_company", "view_exposure")
    page = client.get(path, DAYS).content.decode()
    cells = re.findall(rf'<a href="({LIST}[^"]*)" aria-label="[^"]*?: (\d+) compan', page)
    assert len(cells) > 20
    for link, number in cells:
        noun = "company" if number == "1" else "companies"
        assert f"<strong>{number} {noun}</strong>" in client.get(unescape(link)).content.decode()


# Each filter by what there is today looks up its companies, and movement reads two days.
MOST_QUERIES = 12
FILTERED = "tag=key&owner=ann&saved={saved}&registration={registration}"
ADDRESSES = ("", f"movement/?{FILTERED}", f"companies/?direction=same&{FILTERED}", f"?day={LATER}&{FILTERED}")


@pytest.mark.parametrize("sees_all", [True, False])
def test_each_page_of_a_portfolio_with_all_there_is_takes_few_queries(
    sees_all: bool, django_assert_max_num_queries: AtMost
) -> None:
    """With the session, the user, the permissions and the menu; with money in another currency, a group whose top is
    elsewhere, and an industry without a description."""
    registration = a_registration("ACME_SUPPLIERS", adopted=True)
    person = a_person("view_company", "view_exposure", "view_alert", "view_change", "view_registration")
    if not sees_all:
        a_unit("Purchasing", registration, people=[person])
    values = {"listing": "portfolio.company", "query": "monitored=yes", "created_at": "2026-01-01T00:00Z"}
    saved = SavedFilter.objects.create(name="Now", owner=person.username, **values)
    linkage = {"globalUltimate": {"duns": "900000000", "primaryName": "Far Holding AG"}}
    delivered(a_seed(DUNS, corporateLinkage=linkage, industryCodes=[{"code": "2011", "typeDnBCode": 399}]))
    project([DUNS])
    a_subject(DUNS, registration, monitored_since=EARLIER, tags="key, north", owner="ann")
    set_rate(currency="USD", day=EARLIER, rate=Decimal("0.9"), set_by="ann")
    exposure("D-U-N-S;Amount;Currency", f"{DUNS};100;USD", as_of=EARLIER)
    client = Client()
    client.force_login(person)
    for one in ADDRESSES:
        address = PAGE + one.format(saved=saved.pk, registration=registration.pk)
        # What the days are read from is made once, and then kept.
        for _ in range(2):
            client.get(address)
        with django_assert_max_num_queries(MOST_QUERIES):
            assert client.get(address).status_code == 200
    assert all(words in text_of(client.get(PAGE)) for words in ("Far Holding AG", "EUR 90"))


def test_a_day_without_exposure_has_no_columns_of_amounts(portfolio: Any) -> None:
    """Nor a tile without a number, nor bars of nothing."""
    portfolio(0).exposed.clear()
    page = signed_in("view_company", "view_exposure").get(PAGE, DAYS)
    assert "No exposure to these companies on this day." in text_of(page)
    assert "Exposure (EUR)" not in text_of(page) and "How it is calculated" not in text_of(page)
    none = signed_in_again("view_company").get(PAGE, {**DAYS, "country": "zz"}).context["classes"]
    assert {cell.width for _, cells in none for cell in cells} == {"0"}
    assert "width: 0" not in page.content.decode()


def test_an_empty_portfolio_says_what_will_appear() -> None:
    assert "Companies appear here from the first day" in text_of(signed_in("view_company").get(PAGE))


def test_the_pdf_has_the_numbers_of_the_page(portfolio: Any) -> None:
    world = portfolio(0)
    answer = signed_in("view_company", "view_exposure").get(FILES[0], DAYS)
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert f"{len(world.later.rows)}\ncompanies" in text
    assert "Expected loss" in text
    # Extracted text has a space or a line's end between words.
    words, page = " ".join(text.split()), signed_in_again("view_company", "view_exposure").get(PAGE, DAYS).context
    duns, name, amount, share, _ = page["largest"]["rows"][0]
    assert f"Ten largest companies Share of the ten largest: {page['largest']['share']}" in words
    assert f"{name} {amount} {share}" in words
    high = [cell.high for one in page["concentrations"] for cell in one["rows"] if cell.high and cell.high.amount]
    assert len(high) > 10 and all(f"{one.companies} ({one.share}) {one.number}" in words for one in high)


def test_the_largest_companies_are_named_to_readers_of_money(portfolio: Any) -> None:
    world = portfolio(0)
    held = {f"{duns:09d}" for duns in world.later.rows["duns"].tolist()}
    exposed = {f"{duns:09d}": cents for duns, cents in world.exposed.items()}
    largest = sorted(held & exposed.keys(), key=lambda duns: (-exposed[duns], duns))[:10]
    a_company(largest[0], "Åkesson Ltd")
    page = signed_in("view_company", "view_exposure").get(PAGE, DAYS)
    assert [row[0] for row in page.context["largest"]["rows"]] == largest
    assert f'/company/{largest[0]}/change/?as_of={LATER}">Åkesson Ltd</a>' in page.content.decode()
    assert "Ten largest companies" not in text_of(signed_in_again("view_company").get(PAGE, DAYS))


def test_a_good_class_beside_an_unknown_one_is_grey_in_the_matrix(portfolio: Any) -> None:
    portfolio(0)
    matrix = signed_in("view_company").get(PAGE, DAYS).context["matrix"]
    by_failure, by_delinquency = matrix[-1][1], [row[-1] for _, row in matrix]
    for cells in (by_failure, by_delinquency):
        assert [cell.tone for cell in cells] == ["calm", "calm", "warn", "bad", "bad", "calm"]
    assert matrix[0][1][0].tone == "good"


def test_the_spreadsheet_has_numbers(portfolio: Any) -> None:
    world = portfolio(0)
    answer = signed_in("view_company", "view_exposure").get(FILES[1], DAYS)
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    rows: list[list[Any]] = book.get_sheet_by_name("Failure and delinquency").to_python()
    assert rows[0] == ["Failure score class", "Delinquency score class", "Companies", "Exposure (EUR)"]
    assert sum(row[2] for row in rows[1:]) == len(world.later.rows)
    summary = book.get_sheet_by_name("Summary").to_python()
    headings = next(row for row in summary if row[0] == "Figure")
    assert headings[1:] == ["Companies", "Exposure (EUR)", "Expected loss within a year (EUR)"]
    (rated,) = (row for row in summary if row[0] == "With a known default rate")
    assert 0 < float(str(rated[3])) < float(str(rated[2]))
    largest = book.get_sheet_by_name("Ten largest companies").to_python()
    held = sorted((world.exposed.get(duns, 0) for duns in world.later.rows["duns"].tolist()), reverse=True)
    assert [round(float(str(row[2])) * 100) for row in largest[1:]] == held[:10]


# Lists


def test_a_list_leads_to_the_company_on_that_day(portfolio: Any) -> None:
    world = portfolio(0)
    duns = f"{world.later.rows['duns'][0]:09d}"
    a_company(duns, "Åkesson Ltd")
    page = signed_in("view_company").get(LIST, {**DAYS, "sort": "duns"}).content.decode()
    assert f'href="/portfolio/company/{duns}/change/?as_of={LATER}">Åkesson Ltd</a>' in page


def test_a_list_is_ordered_by_risk_with_the_unknown_last(portfolio: Any) -> None:
    portfolio(0)
    page = signed_in("view_company").get(LIST, {**DAYS, "delinquency_class": "unknown"}).content.decode()
    classes = re.findall(r"(\d|Unknown)</span></td><td[^>]*><span[^>]*>Unknown", page)
    known = [found for found in classes if found != "Unknown"]
    assert classes == sorted(known, reverse=True) + ["Unknown"] * (len(classes) - len(known))
    assert len(set(known)) > 1 and classes[-1] == "Unknown"


def test_a_list_of_movement_names_both_classes(portfolio: Any) -> None:
    portfolio(0)
    answer = signed_in("view_company", "view_exposure").get(LIST, {**DAYS, "direction": "gone"})
    page = text_of(answer)
    assert "Movement: No longer in the portfolio" in page
    assert "Not in the portfolio" in page
    # On a phone, each company is a card, whose values carry the headings of the columns.
    headings = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', answer.text)
    first = answer.text.split('<th scope="row">')[1]
    assert re.findall(r'data-label="([^"]*)"', first) == headings[1:] and "Before" in headings
    assert 'class="dm-table dm-stack' in answer.text


def test_a_long_list_has_pages(portfolio: Any) -> None:
    world = portfolio(0)
    client, seen = signed_in("view_company"), set()
    for number in (1, 2):
        page = client.get(LIST, {**DAYS, "p": str(number)}).content.decode()
        seen |= set(re.findall(r"<td[^>]*>(\d{9})</td>", page))
    assert seen == {f"{duns:09d}" for duns in world.later.rows["duns"].tolist()}


def rows_of_file(client: Client, **asked: str) -> list[dict[str, str]]:
    answer: Any = client.get(LIST_FILE, {**DAYS, **asked})
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"), newline="")))


def test_a_list_is_downloaded_whole(portfolio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the page, with unknown figures left empty, and named in the audit log."""
    world = portfolio(0)
    monkeypatch.setattr(list_file, "AT_ONCE", 7)
    client = signed_in("view_company", "view_exposure")
    link = re.search(rf'href="({LIST_FILE}[^"]*)"', client.get(LIST, {**DAYS, "sort": "duns"}).content.decode())
    assert link and "sort=duns" in link[1]
    rows = rows_of_file(client, sort="duns")
    later = world.later.rows
    assert [row["D-U-N-S"] for row in rows] == [f"{duns:09d}" for duns in later["duns"].tolist()]
    classes = ["" if number == 255 else str(number) for number in later["failure_class"].tolist()]
    assert [row["Failure score class"] for row in rows] == classes
    exposed = {f"{duns:09d}": cents for duns, cents in world.exposed.items()}
    assert all(row["Exposure (EUR)"] == (str(exposed[row["D-U-N-S"]] / 100) if row["D-U-N-S"] in exposed else "")
               for row in rows)  # fmt: skip
    assert AuditEntry.objects.get(action="export").summary == (
        f"{len(rows)} companies exported as CSV, filtered by Day: {day_text(LATER)}"
    )


def test_a_list_is_downloaded_as_a_spreadsheet_while_it_is_short(
    portfolio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the cells of the CSV file; numbers are numbers, and D-U-N-S numbers texts."""
    portfolio(0)
    client = signed_in("view_company", "view_exposure")
    asked = {**DAYS, "direction": "worse"}
    link = re.search(rf'href="({LIST_SHEET}[^"]*)"', client.get(LIST, asked).content.decode())
    assert link
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(unescape(link[1])).content))
    headings, *rows = book.get_sheet_by_name("Companies").to_python()
    expected = rows_of_file(client, direction="worse")
    assert rows and headings == list(expected[0])
    assert [row[0] for row in rows] == [row["D-U-N-S"] for row in expected]
    amounts = [row[headings.index("Exposure (EUR)")] for row in rows]
    assert amounts == [float(row["Exposure (EUR)"]) if row["Exposure (EUR)"] else "" for row in expected]
    days = f"Day: {day_text(LATER)}; Compared with: {day_text(EARLIER)}"
    assert AuditEntry.objects.filter(
        summary=f"{len(rows)} companies exported as XLSX, filtered by {days}; Movement: Higher risk"
    ).exists()
    monkeypatch.setattr(list_data, "MOST_IN_A_SHEET", 1)
    monkeypatch.setattr(list_file, "MOST_IN_A_SHEET", 1)
    assert LIST_SHEET not in client.get(LIST, asked).content.decode()
    assert client.get(LIST_SHEET, asked).status_code == 404


def test_the_file_of_a_movement_has_both_classes_and_no_amounts_without_the_permission(portfolio: Any) -> None:
    portfolio(0)
    rows = rows_of_file(signed_in("view_company"), direction="gone")
    assert rows and {row["After"] for row in rows} == {"Not in the portfolio"}
    assert "Exposure (EUR)" not in rows[0]


def test_odd_values_in_the_address_break_nothing(portfolio: Any) -> None:
    portfolio(0)
    odd = {"day": "yesterday", "since": "2999-01-01", "score": "x", "registration": "x", "saved": "\0", "p": "-7",
           "was": "9", "direction": "up", "rest": "x", "failure_class": "x", "global_ultimate": "x", "sort": "x",
           "flag": "x", "exposure": "x"}  # fmt: skip
    client = signed_in("view_company")
    assert client.get(PAGE, odd).status_code == 200
    assert "No companies" in text_of(client.get(LIST, odd))


def test_of_many_values_few_are_looked_up() -> None:
    many = "&".join(f"tag={number}&owner={number}&country={number}" for number in range(300))
    values = Filters.read(QueryDict(many), OF_PAGE).values
    assert (values["tag"], values["owner"]) == (("0",), ("0",))
    assert len(values["country"]) == 200


# Today's tags, owners and saved filters


@pytest.fixture
def tagged(portfolio: Any) -> list[str]:
    """Three companies of the later day."""
    numbers = [f"{duns:09d}" for duns in portfolio(0).later.rows["duns"][:3].tolist()]
    registration = a_registration()
    for duns, tags, owner in zip(numbers, ("key, Nordic", "key account", "key"), ("ann", "ben", "ann"), strict=True):
        a_subject(duns, registration, tags=tags, owner=owner)
    return numbers


def listed(client: Client, **filters: str) -> list[str]:
    page = client.get(LIST, {**DAYS, "sort": "duns", **filters}).content.decode()
    return re.findall(r"<td[^>]*>(\d{9})</td>", page)


def test_a_tag_is_one_of_a_companys_tags_not_a_part_of_one(tagged: list[str]) -> None:
    assert listed(signed_in("view_company"), tag="key") == [tagged[0], tagged[2]]


def test_an_owner_is_the_companys_owner(tagged: list[str]) -> None:
    client = signed_in("view_company")
    assert listed(client, owner="ben") == [tagged[1]]
    assert listed(client, owner="ann", tag="Nordic") == [tagged[0]]
    assert listed(client, owner="nobody") == []


def test_a_units_people_filter_by_what_their_own_registrations_hold(tagged: list[str]) -> None:
    """Not by tags and owners that another unit gave the same companies."""
    ours = a_registration("OURS", id=REGISTRATIONS[0])
    a_subject(tagged[1], ours, tags="key", owner="ben")
    bob = a_person("view_company")
    a_unit("Ours", ours, people=[bob])
    client = Client()
    client.force_login(bob)
    assert listed(client, tag="key account") == listed(client, owner="ann") == []
    assert listed(client, owner="ben") == [tagged[1]]


def test_a_saved_filter_of_the_companies_filters_the_portfolio(tagged: list[str]) -> None:
    a_company(tagged[1], "Zulu", country="DE")
    values = {"listing": "portfolio.company", "query": "country=DE", "created_at": "2026-01-01T00:00Z"}
    own = SavedFilter.objects.create(name="German", owner="bob", **values)
    other = SavedFilter.objects.create(name="Private", owner="eve", **values)
    client = signed_in("view_company")
    assert listed(client, saved=str(own.pk)) == [tagged[1]]
    assert listed(client, saved=str(own.pk), tag="key account", owner="ben") == [tagged[1]]
    assert listed(client, saved=str(own.pk), tag="key", owner="ann") == []
    assert "German" in text_of(client.get(PAGE, DAYS))
    # Another user's private filter is none.
    assert "Private" not in text_of(client.get(LIST, {**DAYS, "saved": str(other.pk)}))


def test_a_saved_filter_by_exposure_is_for_those_who_see_money(tagged: list[str]) -> None:
    values = {"listing": "portfolio.company", "query": "exposure=known", "created_at": "2026-01-01T00:00Z"}
    row = SavedFilter.objects.create(name="At stake", owner="eve", shared=True, **values)
    client = signed_in("view_company")
    for path in (PAGE, "/portfolio/company/"):
        assert "At stake" not in text_of(client.get(path))
    assert client.get(LIST, {**DAYS, "saved": str(row.pk)}).status_code == 200
    client.logout()
    client.force_login(a_person("view_company", "view_exposure", username="ann"))
    for path in (PAGE, "/portfolio/company/"):
        assert "At stake" in text_of(client.get(path))


# What is beside the numbers


def test_a_group_has_a_name_that_leads_to_its_page_and_a_number_that_leads_to_its_companies(portfolio: Any) -> None:
    portfolio(0)
    page = signed_in("view_company").get(PAGE, DAYS)
    groups = next(one for one in page.context["concentrations"] if one["title"] == "Corporate group")
    first = groups["rows"][0]
    duns = first.page.split("/")[-2]
    assert first.page == f"/portfolio/group/{duns}/"
    a_company(duns, "Steel Holding")
    html = signed_in_again("view_company").get(PAGE, DAYS).content.decode()
    assert f'<a href="{first.page}">Steel Holding</a>' in html
    assert f'aria-label="Steel Holding: {first.companies} compan' in html


def signed_in_again(*rights: str) -> Client:
    client = Client()
    client.force_login(a_person(*rights, username="ann"))
    return client


def test_a_group_outside_the_portfolio_has_the_name_that_a_company_reports(portfolio: Any) -> None:
    world = portfolio(0)
    page = signed_in("view_company").get(PAGE, DAYS)
    groups = next(one for one in page.context["concentrations"] if one["title"] == "Corporate group")
    top = groups["rows"][0].page.split("/")[-2]
    # One of the day's companies reports it; made up as they are, none of them has a row.
    rows = world.later.rows
    duns = f"{rows['duns'][(rows['global_ultimate'] == int(top)).argmax()]:09d}"
    delivered(a_seed(duns, corporateLinkage={"globalUltimate": {"duns": top, "primaryName": "Far Holding AG"}}))
    assert "Far Holding AG" in text_of(signed_in_again("view_company").get(PAGE, DAYS))


def test_shares_and_amounts_have_headings(portfolio: Any) -> None:
    portfolio(0)
    with_money = text_of(signed_in("view_company", "view_exposure").get(PAGE, DAYS))
    assert "Exposure (EUR) Companies Share of companies" in with_money
    assert "Exposure (EUR) Companies Share of exposure" in with_money
    without = text_of(signed_in_again("view_company").get(PAGE, DAYS))
    assert "Share of companies" in without and "Share of exposure" not in without


def test_high_failure_risk_has_its_share_and_leads_to_scores_and_the_largest_exposure(portfolio: Any) -> None:
    portfolio(0)
    client = signed_in("view_company", "view_exposure")
    page = client.get(PAGE, DAYS)
    (high,) = [cell for cell, _ in page.context["tiles"] if cell.label == "High failure risk"]
    assert re.fullmatch(r"EUR [\d,]+ \(\d+\.\d %\)", high.amount)
    a_company(DUNS, "Small", failure_class=4, failure_percentile=11, exposure=100)
    a_company(OTHER, "Large", failure_class=5, failure_percentile=3, exposure=900_00)
    a_company("101202303", "None at all", failure_class=5)
    query = urlencode(list_of_classes(with_money=True))
    found = client.get(f"/portfolio/company/?failure_class=4&failure_class=5&{query}")
    assert [row.name for row in found.context["cl"].result_list] == ["Large", "Small", "None at all"]
    assert {"failure_percentile", "exposure"} <= {column.name for column in found.context["cl"].chosen}


def test_exposure_outside_the_portfolio_is_named_beside_the_whole(portfolio: Any) -> None:
    world = portfolio(0)
    held = set(world.later.rows["duns"].tolist())
    left = [cents for duns, cents in world.exposed.items() if duns not in held]
    amount = f"{(sum(left) + 50) // 100:,}"
    words = f"Not included: EUR {amount} of exposure with {len(left)} companies outside the portfolio"
    client = signed_in("view_company", "view_exposure")
    assert words in text_of(client.get(PAGE, DAYS))
    assert "Not included: EUR" not in text_of(client.get(PAGE, {**DAYS, "country": "AE"}))


def test_the_trend_has_the_numbers_of_both_days(portfolio: Any) -> None:
    world = portfolio(0)
    client = signed_in("view_company", "view_exposure")
    link = re.search(r'data-later="([^"]+)"', client.get(PAGE, DAYS).content.decode())
    assert link
    trend = client.get(unescape(link[1]))
    directions = client.get(MOVEMENT, DAYS).context["comparison"].movement.directions
    text = text_of(trend)
    assert f"{directions['worse'].companies} companies moved to a higher risk class" in text
    assert f"{directions['better'].companies} to a lower one" in text
    before, after = (expected_loss(world, snapshot) for snapshot in (world.earlier, world.later))
    assert f"from EUR {before:,} to EUR {after:,}" in text
    percent = round(100 * (after - before) / before)
    assert f"{'rose' if percent > 0 else 'fell'} by {abs(percent)} %" in text


def test_companies_that_are_not_counted_are_those_of_the_list_it_leads_to() -> None:
    client = signed_in("view_company")
    a_subject(DUNS, monitored_since=date(2026, 1, 1))
    assert "All companies in the list of companies are counted." in text_of(client.get(UNCOUNTED))
    for duns in (OTHER, THIRD):
        a_company(duns)
    assert f'data-later="{UNCOUNTED}"' in client.get(PAGE).content.decode()
    assert f'data-later="{UNCOUNTED}"' not in client.get(PAGE, DAYS).content.decode()
    answer = client.get(UNCOUNTED)
    assert "2 companies in the list of companies are not counted" in text_of(answer)
    link = re.search(r'href="([^"]+)"', answer.content.decode())
    assert link and {row.duns for row in client.get(link[1]).context["cl"].result_list} == {OTHER, THIRD}


@pytest.mark.parametrize("day", ["earlier", "later"])
def test_the_trend_compares_no_loss_with_a_day_without_ratings(portfolio: Any, day: str) -> None:
    world = portfolio(0)
    getattr(world, day).rows["failure_incidence"] = 0xFFFF
    text = text_of(signed_in("view_company", "view_exposure").get(TREND, DAYS))
    assert "moved to a higher risk class" in text and "Expected loss" not in text


def expected_loss(world: Any, snapshot: Any) -> int:
    rows = zip(snapshot.rows["duns"].tolist(), snapshot.rows["failure_incidence"].tolist(), strict=True)
    cents = sum(Fraction(world.exposed.get(duns, 0) * rate, 10_000) for duns, rate in rows if rate != 0xFFFF)
    return (round(cents) + 50) // 100


def test_the_trend_without_the_right_to_see_money_has_none(portfolio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    portfolio(0)
    monkeypatch.setattr(worlds, "exposures_on", None)
    assert "loss" not in text_of(signed_in("view_company").get(TREND, DAYS))
    assert Client().get(TREND).status_code == 302
