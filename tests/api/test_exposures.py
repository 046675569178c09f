"""Amounts at stake in the API: a scope of their own, all or none, page by page."""

import json
from datetime import date
from typing import Any

import pytest

from core.models import AuditEntry
from dnbmon_site.accounts.models import ApiKey
from portfolio.companies.external_references import Named, name_companies
from portfolio.exposure import entries, ledger
from portfolio.exposure.admin.page_context import overview_of
from portfolio.exposure.currencies import CODES
from portfolio.models import ExposureImport
from tests.builders.companies import DUNS, OTHER, duns_numbers
from tests.builders.exposures import DAY, exposure
from tests.builders.programs import Program
from tests.builders.registrations import one
from tests.builders.subjects import a_subject
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db
SCOPES = "read:exposure, write:exposure"


@pytest.fixture
def erp() -> Program:
    return Program.with_key(scopes=SCOPES)


def an_entry(duns: str = DUNS, amount: str = "10.00", **more: Any) -> dict[str, Any]:
    return {"duns": duns, "book": "receivables", "amount": amount, "currency": "EUR", "as_of": str(DAY), **more}


def set_to(created: int, changed: int, unchanged: int, **more: Any) -> dict[str, Any]:
    counts = {"created": created, "changed": changed, "unchanged": unchanged}
    return {"kept": created + changed + unchanged, **counts, "replaced": [], **more}


def amounts(program: Program, **parameters: Any) -> dict[tuple[str, str], str]:
    return {(one["duns"], one["book"]): one["amount"] for one in program.walk("exposures/", **parameters)}


def test_what_is_set_counts_and_the_same_again_changes_nothing(erp: Program) -> None:
    body = {"exposures": [an_entry(), an_entry(OTHER, "0.05", book="Own book")]}
    for new, counts in ((["Own book", "receivables"], (2, 0, 0)), ([], (0, 0, 2))):
        assert erp.put("exposures/", body).json() == set_to(*counts, new_books=new)
    found = erp.read("exposures/")
    assert found["reporting_currency"] == "EUR"
    assert [(one["duns"], one["amount"], one["as_of"], one["converted"]) for one in found["results"]] == [
        (OTHER, "0.05", str(DAY), "0.05"),
        (DUNS, "10.00", str(DAY), "10.00"),
    ]
    assert ExposureImport.objects.count() == 1
    said = list(AuditEntry.objects.filter(action="exposure.set").values_list("after", flat=True))
    assert [json.loads(text) for text in said] == [
        {"companies": 2, "books": ["Own book", "receivables"], "days": [str(DAY)]}
    ] * 2


def test_the_answer_states_what_was_replaced_to_those_who_may_read_it(erp: Program) -> None:
    exposure(f"{DUNS};5", f"{OTHER};7", book="Receivables", as_of=date(2026, 1, 31))
    body = {"exposures": [an_entry(amount="99.00"), an_entry(), an_entry(OTHER, "7.00"), an_entry(book="orders")]}
    before = {"duns": DUNS, "book": "Receivables", "amount": "5.00", "currency": "EUR", "as_of": "2026-01-31"}
    assert erp.put("exposures/", body).json() == set_to(1, 1, 1, replaced=[before], new_books=["orders"])
    hidden = {"created": None, "changed": None, "unchanged": None, "replaced": None}
    writer = Program.with_key(scopes="write:exposure")
    assert writer.put("exposures/", body).json() == {"kept": 3, **hidden, "new_books": []}


def test_each_day_is_compared_with_what_counted_on_it(erp: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replaced book ends the amounts that it does not name, and a removed amount counts no longer."""
    monkeypatch.setattr(ledger, "MOST_READ", 1)
    exposure(f"{DUNS};5", f"{OTHER};6", as_of=date(2026, 1, 31))
    exposure(f"{OTHER};7", as_of=date(2026, 2, 28))
    erp.delete("exposures/", company=OTHER, book="receivables", as_of="2026-03-31")
    days = [f"2026-{month:02}-15" for month in (1, 2, 3, 4)]
    body = {"exposures": [an_entry(duns, "9.00", as_of=day) for duns in (DUNS, OTHER) for day in days]}
    answer = erp.put("exposures/", body).json()
    assert (answer["created"], answer["changed"], answer["unchanged"]) == (5, 3, 0)
    before = [(one["duns"], one["amount"], one["as_of"]) for one in answer["replaced"]]
    january, february = "2026-01-31", "2026-02-28"
    assert before == [(DUNS, "5.00", january), (OTHER, "6.00", january), (OTHER, "7.00", february)]


def test_amounts_are_found_by_the_reference_of_another_system(erp: Program) -> None:
    exposure(f"{DUNS};5", f"{OTHER};7")
    name_companies([Named(OTHER, "crm", "4711")], requested_by="ann")
    assert amounts(erp, reference="crm:4711") == {(OTHER, "receivables"): "7.00"}
    assert amounts(erp, reference="4711", company=DUNS) == amounts(erp, reference="unknown") == {}


def test_a_mistyped_book_is_new_and_another_spelling_is_not(erp: Program) -> None:
    exposure(f"{DUNS};5", book="Receivables")
    for book, new in (("orders", ["orders"]), ("Recievables", ["Recievables"]), ("RECEIVABLES", []), ("Orders", [])):
        assert erp.put("exposures/", {"exposures": [an_entry(book=book)]}).json()["new_books"] == new
    assert {book for _, book in amounts(erp)} == {"Receivables", "orders", "Recievables"}


def test_a_book_without_amounts_is_in_no_list(erp: Program) -> None:
    erp.put("exposures/", {"exposures": [an_entry(), an_entry(book="Recievables")]})
    key = {"company": DUNS, "book": "Recievables", "as_of": str(DAY)}
    assert [erp.delete("exposures/", **key).status_code for _ in range(2)] == [204, 204]
    words = "The book “w2x” does not exist. The books are: receivables."
    answers = [erp.delete("exposures/", company=DUNS, book="w2x"), erp.get("exposures/", book="w2x")]
    assert [(one.status_code, one.json()["detail"]) for one in answers] == [(404, words)] * 2
    assert erp.read("exposures/", book="recievables")["results"] == []
    assert [line[0] for line in overview_of(may_change=False)["books"]] == ["Receivables"]


def test_the_audit_log_names_the_one_company_and_no_amount(erp: Program) -> None:
    erp.put("exposures/", {"exposures": [an_entry(amount="77123.00")]})
    erp.delete("exposures/", company=DUNS, book="receivables", as_of=str(DAY))
    kept, gone = AuditEntry.objects.order_by("at")
    assert kept.summary == f"{DUNS}: exposure in receivables set"
    assert gone.summary == f"{DUNS}: exposure in receivables removed from {DAY} on"
    assert [json.loads(text)["companies"] for text in (gone.before, gone.after)] == [1, 0]
    assert not any("77123" in text for text in (kept.summary, kept.after))


@pytest.mark.parametrize(
    "wrong",
    [
        {"duns": "12"},
        {"amount": "-1"},
        {"amount": "1.234"},
        {"amount": "1.234,56"},
        {"currency": "XXQ"},
        {"as_of": "2999-01-01"},
        {"as_of": "3/4/2026"},
        {"book": ""},
        {"duns": None, "reference": "nobody"},
        {"asof": str(DAY)},
    ],
)
def test_one_wrong_entry_and_nothing_is_kept(erp: Program, wrong: dict[str, Any]) -> None:
    entry = {name: value for name, value in an_entry(**wrong).items() if value is not None}
    answer = erp.put("exposures/", {"exposures": [an_entry(OTHER), entry]})
    assert answer.status_code == 400
    assert "exposures[1]" in answer.content.decode()
    assert ("code (ISO 4217), such as EUR" in answer.content.decode()) == ("currency" in wrong)
    assert ("such as 1234.56" in answer.content.decode()) == (wrong.get("amount") == "1.234,56")
    assert amounts(erp) == {}


def test_a_removed_amount_stays_for_the_days_before(erp: Program) -> None:
    exposure(f"{DUNS};5", as_of=date(2026, 1, 31))
    assert erp.delete("exposures/", company=DUNS, book="Receivables", as_of="2026-02-28").status_code == 204
    writer = Program.with_key(scopes="write:exposure")
    answers = [writer.delete("exposures/", company=duns, book="Receivables") for duns in (DUNS, OTHER)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert amounts(erp) == {}
    unknown = writer.delete("exposures/", company=DUNS, book="Receivable")
    assert unknown.status_code == 404
    assert unknown.json()["detail"] == "The book “Receivable” does not exist. No book has amounts at present."
    assert amounts(erp, day="2026-02-27") == {(DUNS, "receivables"): "5.00"}


def test_amounts_that_others_change_at_the_same_time_are_a_conflict(
    erp: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    exposure(f"{DUNS};5")
    monkeypatch.setattr(entries, "TRIES", 0)
    assert erp.put("exposures/", {"exposures": [an_entry()]}).status_code == 409
    assert erp.delete("exposures/", company=DUNS, book="receivables").status_code == 409


def test_pages_hold_each_amount_once(erp: Program) -> None:
    numbers = duns_numbers(25)
    exposure(*(f"{duns};1" for duns in numbers))
    exposure(*(f"{duns};2" for duns in numbers[::2]), book="orders")
    found = [(one["duns"], one["book"]) for one in erp.walk("exposures/", limit=4)]
    assert found == sorted(found)
    assert len(set(found)) == len(found) == 25 + 13
    assert len(amounts(erp, book="ORDERS", limit=5)) == 13
    assert set(amounts(erp, company=numbers[0])) == {(numbers[0], "orders"), (numbers[0], "receivables")}


def test_other_keys_see_no_money() -> None:
    exposure(f"{DUNS};5")
    other = Program.with_key(scopes="read, write:portfolio")
    assert other.get("exposures/").status_code == 403
    assert Program.with_key(scopes="read:exposure").put("exposures/", {"exposures": [an_entry()]}).status_code == 403


def test_every_currency_has_three_letters() -> None:
    assert all(len(code) == 3 and code.isupper() for code in CODES)


def test_a_key_of_a_business_unit_reads_amounts_and_sets_none(erp: Program) -> None:
    """Several units may hold a company: what one of them sets would count for all."""
    exposure(f"{DUNS};1000")
    a_subject(DUNS, one(), monitored_since=DAY)
    a_unit("Credit", one(), keys=[ApiKey.objects.get()])
    before = amounts(erp)
    assert list(before) == [(DUNS, "receivables")]
    assert erp.read("exposures/", book="orders")["results"] == [], "the names of books are not all its own"
    refused = erp.put("exposures/", {"exposures": [an_entry(amount="0.00")]})
    gone = erp.delete("exposures/", company=DUNS, book="receivables")
    assert (refused.status_code, gone.status_code) == (403, 403)
    assert amounts(erp) == before
