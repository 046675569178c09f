"""The pages of data fetches: the calls before they are made, how it goes, what differs, and the decision."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from direct_plus.sandbox.control.client import SandboxControl
from monitoring.history.checkpoints import profile
from monitoring.models import DataFetch, FetchState
from portfolio.models import CallKind, Registration
from tests.builders.calls import a_budget
from tests.builders.companies import a_company, duns_numbers
from tests.builders.data_fetches import a_fetch, a_gap_fetch, monitored, run, with_gap
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import REFERENCE
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
A, B = duns_numbers(2)
REQUEST = "admin:monitoring_datafetch_request"


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(a_person(role="Portfolio manager"))
    return client


def page_of(fetch: DataFetch, *more: str) -> str:
    return reverse("admin:monitoring_datafetch_change", args=[fetch.pk])


def hidden(html: str) -> dict[str, Any]:
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html)
    found: dict[str, Any] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found


def test_the_calls_are_shown_and_confirmed(
    manager: Client, registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A)
    shown = manager.get(reverse(REQUEST), {"company": A})
    assert "This action makes 1 Data Blocks call; 500 of 500 are left" in text_of(shown)
    answer = manager.post(reverse(REQUEST), {**hidden(shown.content.decode()), "confirmed": "yes"})
    fetch = DataFetch.objects.get()
    assert answer["Location"] == page_of(fetch)
    run(fetch)
    page = text_of(manager.get(page_of(fetch)))
    assert "Waiting for a decision" in page and "Accept 1 company" in page


def test_another_number_of_calls_is_shown_again(manager: Client, registration: Registration) -> None:
    monitored(registration, A)
    answer = manager.post(reverse(REQUEST), {"company": A, "calls_data_blocks": "2", "confirmed": "yes"})
    assert "number of calls has changed" in text_of(answer)
    a_budget(registration.contract, CallKind.DATA_BLOCKS, 0)
    assert "administrator can raise the limit" in text_of(manager.get(reverse(REQUEST), {"company": A}))
    assert not DataFetch.objects.exists()


def test_why_nothing_can_be_fetched(manager: Client, registration: Registration) -> None:
    assert "Add them to a registration first" in text_of(manager.get(reverse(REQUEST), {"company": A}))
    assert manager.get(reverse(REQUEST), {"gap": "gossip"}).status_code == 404


def test_companies_selected_in_the_list(manager: Client, registration: Registration) -> None:
    monitored(registration, A, B)
    form = {"action": "fetch_selected", "_selected_action": [A, B]}
    shown = manager.post(reverse("admin:portfolio_company_changelist"), form)
    assert "This action makes 2 Data Blocks calls" in text_of(shown)
    assert sorted(hidden(shown.content.decode())["company"]) == [A, B]


def test_what_differs_is_shown_before_it_is_accepted(
    manager: Client, registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A)
    delivered(a_seed(A, telephone="1", delivered=stamp(days=-20)), registration=registration)
    control.add_companies(REFERENCE, [{"duns": A, "primaryName": "Fetched Ltd", "countryISOAlpha2Code": "GB"}])
    fetch = run(a_fetch(A))
    page = text_of(manager.get(reverse("admin:monitoring_datafetch_company", args=[fetch.pk, A])))
    assert "Acme Ltd → Fetched Ltd" in page and "Accept" in page
    answer = manager.post(reverse("admin:monitoring_datafetch_do", args=[fetch.pk, "accept"]), {"company": A})
    assert answer.status_code == 302
    assert profile(A).value("organization.primaryName") == "Fetched Ltd"
    page = text_of(manager.get(reverse("admin:monitoring_datafetch_company", args=[fetch.pk, A])))
    assert "Acme Ltd → Fetched Ltd" in page and "bob" in page


def test_a_difference_that_d_and_b_has_reported_since_is_one_no_more(
    manager: Client, registration: Registration, control: SandboxControl
) -> None:
    """The list counts what differed when it was fetched; a pull at the same time may bring it too."""
    monitored(registration, A)
    delivered(a_seed(A, delivered=stamp(days=-20)), registration=registration)
    control.add_companies(REFERENCE, [{"duns": A, "primaryName": "Fetched Ltd", "countryISOAlpha2Code": "GB"}])
    fetch = run(a_fetch(A))
    told = an_element("organization.primaryName", previous="Acme Ltd", current="Fetched Ltd", timestamp=stamp(days=-1))
    delivered(an_update(told, duns=A, delivered=stamp()), registration=registration)
    page = text_of(manager.get(reverse("admin:monitoring_datafetch_company", args=[fetch.pk, A])))
    assert "no differences any more" in page and "D&B has reported" in page


def test_all_are_discarded(manager: Client, registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A, B)
    fetch = run(a_fetch(A, B))
    shown = hidden(manager.get(page_of(fetch)).content.decode())
    address = reverse("admin:monitoring_datafetch_do", args=[fetch.pk, "discard"])
    for other in ({}, {"number": "1"}):
        assert "It is now 2 companies" in text_of(manager.post(address, other, follow=True))
    manager.post(address, {"number": shown["number"][0]})
    fetch.refresh_from_db()
    assert (fetch.state, fetch.found) == (FetchState.DONE, "Discarded: 2.")


def test_what_failed_is_discarded(manager: Client, registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A)
    control.mark(A, "invalid")
    fetch = run(a_fetch(A))
    assert "Discard 1 company that failed" in text_of(manager.get(page_of(fetch)))
    company = reverse("admin:monitoring_datafetch_company", args=[fetch.pk, A])
    assert "Discard" in text_of(manager.get(company))
    manager.post(reverse("admin:monitoring_datafetch_do", args=[fetch.pk, "give-up"]), {"number": "1"})
    fetch.refresh_from_db()
    assert (fetch.state, fetch.found) == (FetchState.DONE, "Discarded: 1.")


def test_a_form_that_is_sent_twice_is_one_fetch(manager: Client, registration: Registration) -> None:
    monitored(registration, A)
    form = {**hidden(manager.get(reverse(REQUEST), {"company": A}).content.decode()), "confirmed": "yes"}
    first, second = (manager.post(reverse(REQUEST), form) for _ in range(2))
    assert first["Location"] == second["Location"] == page_of(DataFetch.objects.get())


def test_who_closes_a_gap_that_is_being_closed_is_led_there(manager: Client, registration: Registration) -> None:
    monitored(registration, A)
    with_gap(registration)
    fetch = a_gap_fetch(registration)
    shown = manager.get(reverse(REQUEST), {"gap": str(registration.pk)})
    assert "is being closed already" in text_of(shown) and page_of(fetch) in shown.content.decode()


def test_a_stopped_fetch_shows_the_calls_that_are_left(manager: Client, registration: Registration) -> None:
    monitored(registration, A)
    fetch = a_fetch(A)
    manager.post(reverse("admin:monitoring_datafetch_do", args=[fetch.pk, "stop"]))
    shown = manager.get(page_of(fetch))
    assert "This action makes 1 Data Blocks call" in text_of(shown)
    manager.post(reverse("admin:monitoring_datafetch_do", args=[fetch.pk, "resume"]), {"calls_data_blocks": "3"})
    fetch.refresh_from_db()
    assert fetch.state == FetchState.STOPPED
    manager.post(reverse("admin:monitoring_datafetch_do", args=[fetch.pk, "resume"]), {"calls_data_blocks": "1"})
    fetch.refresh_from_db()
    assert fetch.state == FetchState.RUNNING


def test_a_gap_is_closed_from_the_registrations_page(
    client: Client, registration: Registration, control: SandboxControl
) -> None:
    client.force_login(a_person(role="Operator"))
    monitored(registration, A)
    with_gap(registration)
    page = client.get(reverse("admin:portfolio_registration_change", args=[registration.pk])).content.decode()
    address = f"{reverse(REQUEST)}?gap={registration.pk}"
    assert address in page
    shown = text_of(client.get(address))
    assert "This action makes 1 Refresh Check call" in shown and "This action makes 1 Data Blocks call" in shown
    assert "No changes at D&B: 1." in text_of(client.get(page_of(run(a_gap_fetch(registration)))))


def test_a_company_without_a_baseline_says_so_and_offers_it(
    manager: Client, registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A)
    company = reverse("admin:portfolio_company_change", args=[A])
    assert "Fetch the baseline" in text_of(manager.get(company))
    fetch = run(a_fetch(A))
    manager.post(reverse("admin:monitoring_datafetch_do", args=[fetch.pk, "accept"]), {"number": "1"})
    page = text_of(manager.get(company))
    assert "Fetch the baseline" not in page and "Refresh from D&B" in page
    a_company(B, "Elsewhere Ltd")
    page = text_of(manager.get(reverse("admin:portfolio_company_change", args=[B])))
    assert "Refresh from D&B" not in page, "it is monitored nowhere"


def test_who_only_looks_sees_no_buttons(client: Client, registration: Registration, control: SandboxControl) -> None:
    client.force_login(a_person(role="Viewer"))
    monitored(registration, A)
    fetch = run(a_fetch(A))
    page = text_of(client.get(page_of(fetch)))
    assert "Waiting for a decision" in page and "Accept" not in page
    assert "Refresh from D&B" not in text_of(client.get(reverse("admin:portfolio_company_change", args=[A])))
    assert client.get(reverse(REQUEST), {"company": A}).status_code == 403
