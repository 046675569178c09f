"""A messy list on its way to what is wanted, in a real browser, at a desk and on a phone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dnbmon_site.accounts.models import User
from portfolio.imports.resume import work_on
from portfolio.imports.row_files import XLSX
from portfolio.models import ImportState, Subject, SubjectImport
from tests.builders.browser_pages import complaints_of, log_in, see
from tests.builders.contracts import a_contract
from tests.builders.registrations import a_registration
from tests.builders.workbooks import two_sheets

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MESSY = Path(__file__).resolve().parents[2] / "examples" / "suppliers_messy.xlsx"


def the_import() -> SubjectImport:
    return SubjectImport.objects.select_related("registration__contract").order_by("-id")[0]


def open_form(page: Page, live_server: Any) -> list[str]:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    a_registration(adopted=True)
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/subjectimport/")
    page.get_by_role("link", name="Add companies").first.click()
    return heard


def test_a_messy_list_from_upload_to_wanted(page: Page, live_server: Any) -> None:
    a_contract(cap=10_000)
    heard = open_form(page, live_server)
    see(page, "import-upload")
    page.set_input_files("#id_file", MESSY)
    page.get_by_role("button", name="Check list").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    see(page, "import-reading")
    page.evaluate("window.stayed = true")
    work_on(the_import())
    expect(page.locator("[aria-label=Decision]")).to_contain_text(
        "numbers with only eight digits: is a leading zero missing?"
    )
    assert page.evaluate("window.stayed") is True
    see(page, "import-decision")
    page.get_by_role("button", name="Add leading zero").click()
    expect(page.locator(".dm-import")).to_contain_text("Waiting to be checked")
    work_on(the_import())
    expect(page.locator("[aria-label=Confirmation]")).to_contain_text("new billable")
    see(page, "import-validations")
    page.locator(".dm-validation", has_text="Not a D-U-N-S number").click()
    expect(page.locator(".dm-rows")).to_contain_text("characters other than the digits")
    see(page, "import-invalid")
    import_ = the_import()
    page.get_by_label("enter the number of new billable").fill(str(import_.new_billable))
    page.get_by_role("button", name="Confirm import").click()
    expect(page.locator(".dm-badges")).to_contain_text("Being applied")
    see(page, "import-applying")
    work_on(the_import())
    expect(page.locator(".dm-badges")).to_contain_text("Applied")
    see(page, "import-applied")
    assert Subject.objects.filter(requested=True).count() == import_.new_billable
    page.goto(f"{live_server.url}/portfolio/subjectimport/")
    expect(page.locator("#result_list")).to_contain_text("suppliers_messy.xlsx")
    see(page, "imports")
    assert heard == []


def test_a_pdf_and_a_second_person(page: Page, live_server: Any) -> None:
    a_contract(cap=1)
    heard = open_form(page, live_server)
    page.set_input_files("#id_file", {"name": "list.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"})
    page.get_by_role("button", name="Check list").click()
    expect(page.get_by_role("alert")).to_contain_text("The file is a PDF.")
    see(page, "import-refused")
    page.fill("#id_text", "80-473-5132\n150483782")
    page.get_by_role("button", name="Check list").click()
    work_on(the_import())
    page.get_by_label("enter the number of new billable").fill("2")
    see(page, "import-second-person")
    page.get_by_role("button", name="Confirm import").click()
    expect(page.locator("[aria-label=Approval]")).to_contain_text("another user must approve it")
    see(page, "import-approval")
    assert the_import().state == ImportState.AWAITING_APPROVAL
    assert heard == []


def test_each_sheet_of_a_workbook_has_its_button_below_its_name(page: Page, live_server: Any) -> None:
    heard = open_form(page, live_server)
    page.set_input_files("#id_file", {"name": "two.xlsx", "mimeType": XLSX, "buffer": two_sheets()})
    page.get_by_role("button", name="Check list").click()
    work_on(the_import())
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    name, button = page.get_by_text("France", exact=True), page.get_by_role("button", name="Use this sheet")
    see(page, "import-sheets")
    above, below = name.bounding_box(), button.bounding_box()
    assert above and below and above["y"] < below["y"]
    button.click()
    expect(page.locator(".dm-import")).to_contain_text("Waiting to be checked")
    assert heard == []
