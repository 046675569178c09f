"""The pages of exposure: for those who may see money, and to change it for those who may."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from monitoring.alerts.actions import close, reopen
from monitoring.models import Alert, AlertRule
from portfolio.exposure.rates import set_rate, set_reporting_currency
from portfolio.exposure.refresh import refresh_columns
from portfolio.exposure.totals import stakes_of
from portfolio.exposure.upload import read_exposure
from portfolio.models import ExchangeRate, ExposureImport, ExposureSettings, ImportState
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.exposures import DAY, exposure
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.rules import rule_form

pytestmark = pytest.mark.django_db
LIST, RATES = "/portfolio/exposureimport/", "/portfolio/exchangerate/"


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(a_person(role=role, username=role))
    return client


@pytest.fixture
def manager() -> Client:
    return signed_in("Portfolio manager")


@pytest.fixture
def analyst() -> Client:
    return signed_in("Analyst")


@pytest.fixture
def viewer() -> Client:
    return signed_in("Viewer")


def uploaded(client: Client, content: str, **more: Any) -> ExposureImport:
    form = {"mode": "replace", "book": "Receivables", "currency": "EUR", "as_of": "2026-03-31", **more}
    answer = client.post(f"{LIST}upload/", {**form, "file": SimpleUploadedFile("a.csv", content.encode())})
    assert answer.status_code == 302, text_of(answer)
    row = ExposureImport.objects.order_by("-id")[0]
    read_exposure(row)
    return row


def do(client: Client, row: ExposureImport, action: str, **data: Any) -> str:
    return text_of(client.post(f"{LIST}{row.pk}/do/{action}/", data, follow=True))


def test_a_file_is_checked_applied_and_undone(manager: Client) -> None:
    row = uploaded(manager, f"DUNS;Amount\n{DUNS};1.234,50\n{OTHER};oops\n")
    answer = manager.get(f"{LIST}{row.pk}/change/")
    page = text_of(answer)
    assert "Kind of amount As of Companies Amount" in page and 'class="dm-table dm-amounts"' in answer.text
    assert "EUR 1,235" in page and "EUR 1,234.50" in page
    assert "“oops” is not an amount" in page
    assert "Not applied because of errors: 1 row" in page
    assert "Applied." in do(manager, row, "apply")
    assert "EUR 1,235 at stake with 1 company" in text_of(manager.get(f"{LIST}overview/"))
    assert "Undone." in do(manager, row, "undo")
    assert "No exposure yet" in text_of(manager.get(f"{LIST}overview/"))


def test_nothing_is_replaced_unless_that_is_chosen(manager: Client) -> None:
    page = manager.get(f"{LIST}upload/").text
    assert re.findall(r'value="(\w+)" checked', page) == ["add"]


def test_replacing_a_book_names_who_loses_an_amount(manager: Client) -> None:
    a_company(OTHER, name="Litware Inc")
    do(manager, uploaded(manager, f"DUNS;Amount\n{DUNS};5\n{OTHER};6\n"), "apply")
    row = uploaded(manager, f"DUNS;Amount\n{DUNS};7\n")
    page = text_of(manager.get(f"{LIST}{row.pk}/change/"))
    assert "1 company with “Receivables” is not in the file" in page and ": Litware Inc" in page
    for more in ({"mode": "add"}, {"book": "Orders"}):
        row = uploaded(manager, f"DUNS;Amount\n{DUNS};7\n", **more)
        assert "is not in the file" not in text_of(manager.get(f"{LIST}{row.pk}/change/"))


def test_a_row_shows_its_company_by_name_and_all_that_is_wrong(manager: Client) -> None:
    a_company(DUNS, name="Gorman Manufacturing")
    row = uploaded(manager, f"DUNS;Amount;Currency;As of\n{DUNS};oops;XXQ;yesterday\n")
    page = text_of(manager.get(f"{LIST}{row.pk}/change/"))
    assert f"{DUNS} Gorman Manufacturing" in page
    assert all(words in page for words in ("“oops” is not an amount", "“XXQ” is not a currency", "yesterday"))


def test_a_mistyped_rate_is_named(manager: Client) -> None:
    exposure("DUNS;Amount;Currency", f"{DUNS};9999999999999;USD", f"{OTHER};5;SEK")
    set_rate(currency="USD", day=DAY, rate=Decimal(8_999_999), set_by="ann")
    page = text_of(manager.get(f"{LIST}overview/"))
    assert "Some amounts in USD are not included because they are too large in EUR. Check the exchange rate." in page
    assert "Some amounts in SEK" not in page


def test_amounts_with_two_readings_are_asked_about(manager: Client) -> None:
    row = uploaded(manager, f"DUNS;Amount\n{DUNS};1.234\n")
    assert "two readings" in text_of(manager.get(f"{LIST}{row.pk}/change/"))
    do(manager, row, "mark", mark=",")
    read_exposure(ExposureImport.objects.get())
    assert "EUR 1,234" in text_of(manager.get(f"{LIST}{row.pk}/change/"))


def test_the_rows_of_one_kind_are_a_file(manager: Client) -> None:
    row = uploaded(manager, f"DUNS;Amount\n{DUNS};5\n{OTHER};=1+1\n")
    answer = manager.get(f"{LIST}{row.pk}/rows.csv?validation=amount")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert OTHER in text
    assert DUNS not in text
    assert "'=1+1" in text
    # What was not read is not 0.
    assert "0.00" not in text


@pytest.mark.parametrize("wrong", [{"as_of": "3/4/2026"}, {"currency": "XXQ"}, {"book": ""}])
def test_a_form_with_a_mistake_says_which(manager: Client, wrong: dict[str, str]) -> None:
    form = {"mode": "add", "book": "b", "currency": "EUR", "as_of": "2026-03-31", "text": "DUNS;Amount", **wrong}
    answer = manager.post(f"{LIST}upload/", form)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert not ExposureImport.objects.exists()


def test_who_may_only_see_changes_nothing(manager: Client, analyst: Client) -> None:
    row = uploaded(manager, f"DUNS;Amount\n{DUNS};5\n")
    assert analyst.get(f"{LIST}{row.pk}/change/").status_code == 200
    assert analyst.get(f"{LIST}upload/").status_code == 403
    assert analyst.post(f"{LIST}{row.pk}/do/apply/").status_code == 403
    assert analyst.post(f"{RATES}set/", {"rates": "USD 2026-01-01 1"}).status_code == 403
    assert ExposureImport.objects.get().state == ImportState.READ


def test_others_see_no_money_anywhere(viewer: Client) -> None:
    a_company(DUNS)
    exposure(f"{DUNS};77123")
    refresh_columns()
    now = timezone.now()
    Alert.objects.create(
        id="0" * 31 + "1", company_id=DUNS, severity=4, title="t", reason="r", exposure=7_712_300, sequence=1,
        happened_at=now, raised_at=now, rate_window=now,
    )  # fmt: skip
    for address in (LIST, f"{LIST}overview/", RATES):
        assert viewer.get(address).status_code == 403
    for address in ("/", "/monitoring/alert/?state=all", f"/portfolio/company/{DUNS}/change/"):
        answer = viewer.get(address)
        assert answer.status_code == 200
        assert "77,123" not in answer.content.decode()


def test_alerts_show_and_sort_by_the_money_at_stake(analyst: Client) -> None:
    now = timezone.now()
    for number, (duns, cents) in enumerate(((DUNS, 100_000), (OTHER, 900_000))):
        a_company(duns, f"Firm {number}")
        Alert.objects.create(
            id=f"{number:032x}", company_id=duns, severity=4 - number, title="t", reason="r", exposure=cents,
            happened_at=now, raised_at=now, rate_window=now, sequence=1,
        )  # fmt: skip
    page = text_of(analyst.get("/monitoring/alert/"))
    assert page.index("1,000") < page.index("9,000")
    page = text_of(analyst.get("/monitoring/alert/?o=-4"))
    assert page.index("9,000") < page.index("1,000")
    assert "EUR 9,000" in text_of(analyst.get(f"/monitoring/alert/{Alert.objects.get(company=OTHER).pk}/change/"))


def test_alerts_show_no_amount_in_a_currency_of_before(analyst: Client) -> None:
    a_company(DUNS)
    exposure(f"{DUNS};1500")
    refresh_columns()
    alert = an_alert(1, company_id=DUNS, exposure=150_000)
    close([alert.pk], by="ann")
    set_reporting_currency(currency="EUR", set_by="ann")
    assert "1,500" in text_of(analyst.get("/monitoring/alert/?state=closed"))
    set_reporting_currency(currency="USD", set_by="ann")
    set_rate(currency="EUR", day=date(2026, 1, 1), rate=Decimal(2), set_by="ann")
    refresh_columns()
    assert "1,500" not in text_of(analyst.get("/monitoring/alert/?state=closed"))
    reopen([alert.pk], by="ann")
    assert "3,000" in text_of(analyst.get("/monitoring/alert/"))


def test_a_company_shows_its_books(analyst: Client) -> None:
    a_company(DUNS)
    exposure("DUNS;Amount;Currency", f"{DUNS};1500;USD", book="orders")
    refresh_columns()
    page = text_of(analyst.get(f"/portfolio/company/{DUNS}/change/"))
    assert "Orders USD 1,500" in page


def test_an_amount_is_entered_on_the_page_of_a_company(manager: Client, analyst: Client) -> None:
    a_company(DUNS, name="Acme")
    exposure(f"{DUNS};900", book="Deposits")
    company, form = f"/portfolio/company/{DUNS}/change/", f"{LIST}amount/{DUNS}/"
    assert form in manager.get(company).text and form not in analyst.get(company).text
    page = manager.get(form).text
    assert all(f'<option value="{kind}">' in page for kind in ("Receivables", "Orders", "Guarantees", "Deposits"))
    amount = {"book": "Receivables", "amount": "250000.50", "currency": "EUR", "as_of": "2026-03-31"}
    page = text_of(manager.post(form, amount, follow=True))
    assert "Saved: Receivables, EUR 250,000.50" in page
    assert "Deposits EUR 900" in page and "Receivables EUR 250,001" in page, "before lists show it"
    page = text_of(manager.post(form, {**amount, "amount": "-1", "as_of": "3/4/2026"}))
    assert "Amount: " in page and "As of: “3/4/2026” is not a clear day" in page
    assert "Entered by Portfolio manager" in text_of(manager.get(LIST))
    assert manager.get(f"{LIST}amount/{OTHER}/").status_code == 404


def test_one_amount_is_removed_from_today_on(manager: Client) -> None:
    a_company(DUNS, name="Acme")
    exposure(f"{DUNS};900", book="Deposits")
    exposure(f"{DUNS};500", book="Orders")
    form = f"{LIST}amount/{DUNS}/"
    assert 'name="remove" value="Deposits"' in manager.get(form).text
    page = text_of(manager.post(form, {"remove": "Deposits"}, follow=True))
    assert "Removed: Deposits." in page and "Deposits EUR" not in page and "Orders EUR 500" in page
    assert [stake.cents for stake in stakes_of(DUNS, DAY)] == [90000, 50000], "earlier days keep it"
    assert AuditEntry.objects.filter(action="exposure.remove").exists()


def test_rates_are_kept_all_or_none(manager: Client) -> None:
    page = text_of(manager.post(f"{RATES}set/", {"rates": "USD 2026-01-31 0,92\nCHF 2026-01-31"}, follow=True))
    assert "Line 2" in page
    assert not ExchangeRate.objects.exists()
    for refused in ("EUR 2026-01-31 1", "CHF 2026-01-31 0", "CHF 2026-01-31 9000000"):
        manager.post(f"{RATES}set/", {"rates": f"USD 2026-01-31 0.92\n{refused}"})
        assert not ExchangeRate.objects.exists(), refused
    manager.post(f"{RATES}set/", {"rates": "USD 2026-01-31 0,92\nCHF;31.01.2026;1.05"})
    assert "0.92 EUR" in text_of(manager.get(RATES))
    manager.post(f"{RATES}currency/", {"currency": "CHF"})
    row = ExposureSettings.objects.get()
    assert (row.reporting_currency, row.rates_currency) == ("CHF", "EUR")
    key = str(ExchangeRate.objects.get(currency="USD").pk)
    manager.post(RATES, {"action": "delete_selected", "_selected_action": key, "post": "yes"})
    assert [rate.currency for rate in ExchangeRate.objects.all()] == ["CHF"]


def test_rules_with_a_limit_are_for_those_who_see_money(admin: Client) -> None:
    rule = AlertRule.objects.create(name="Big ones", min_exposure=50_000)
    plain = AlertRule.objects.create(name="All of them")
    assert "min_exposure" in admin.get(f"/monitoring/alertrule/{rule.pk}/change/").content.decode()
    client = Client()
    client.force_login(a_person("view_alertrule", "change_alertrule", "delete_alertrule", "view_alert", username="eve"))
    assert "min_exposure" not in client.get(f"/monitoring/alertrule/{plain.pk}/change/").content.decode()
    for page, missing in (("change", 302), ("try", 404), ("delete", 302)):
        assert client.get(f"/monitoring/alertrule/{plain.pk}/{page}/").status_code == 200
        assert client.get(f"/monitoring/alertrule/{rule.pk}/{page}/").status_code == missing
    for address in ("/monitoring/alertrule/", "/monitoring/alert/"):
        page = client.get(address).content.decode()
        assert "All of them" in page
        assert "Big ones" not in page


def test_the_audit_log_leaves_the_limit_of_a_rule_out(admin: Client) -> None:
    admin.post("/monitoring/alertrule/add/", rule_form(min_exposure="77123"))
    assert AlertRule.objects.filter(min_exposure=77_123).exists()
    entry = AuditEntry.objects.get(action="rule.made")
    assert "name" in entry.after
    assert "77123" not in entry.after
