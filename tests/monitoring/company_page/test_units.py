"""The list and the page of companies for users of a business unit."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory

from dnbmon_site.accounts.models import User
from monitoring.company_page.view_data import company_page
from monitoring.decisions.admin.company import set_tiers_page
from monitoring.family_tree.admin.request_page import may_fetch_trees, request_page
from monitoring.models import Review
from portfolio.companies import search
from portfolio.companies.external_references import Named, name_companies
from portfolio.models import Company, Tier
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.subjects import a_subject
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db
LIST, PAGE = "/portfolio/company/", f"/portfolio/company/{DUNS}/change/"
SINCE, LEFT = date(2026, 1, 1), date(2026, 3, 1)
ACTIONS = ("Set tier…", "Fetch upward chains…", "Refresh from D&B…", "Stop monitoring…")


@pytest.fixture
def manager(client: Client) -> User:
    user = a_person(role="Portfolio manager")
    client.force_login(user)
    return user


@pytest.fixture
def restricted(manager: User) -> User:
    """Of a unit that holds one company."""
    a_company(tier=Tier.CRITICAL, next_review_on=date(2026, 7, 1))
    a_subject(DUNS, one(), monitored_since=SINCE)
    a_unit("Credit", one(), people=[manager])
    manager.refresh_from_db()
    return manager


def asked_by(user: User, **data: Any) -> Any:
    request = RequestFactory().post("/", data)
    request.user = user
    return request


def test_a_manager_has_every_action(client: Client, manager: User) -> None:
    a_company()
    shown = text_of(client.get(LIST))
    assert [name for name in ACTIONS if name not in shown] == []


def test_what_is_paid_for_or_shared_by_all_units_is_not_for_users_of_one(client: Client, restricted: User) -> None:
    answer = client.get(LIST)
    assert "Acme Ltd" in text_of(answer)
    assert [name for name in ACTIONS if name in text_of(answer)] == []
    assert not may_fetch_trees(asked_by(restricted))
    assert not client.get(f"{PAGE}?tab=ownership").context["may_fetch_tree"]
    with pytest.raises(PermissionDenied):
        request_page(asked_by(restricted), [DUNS])
    with pytest.raises(PermissionDenied):
        set_tiers_page(asked_by(restricted), Company.objects.all())


def test_they_review_companies_and_do_not_set_the_tier(client: Client, restricted: User) -> None:
    restricted.user_permissions.add(*a_person("decide_company", "change_tier", username="ann").user_permissions.all())
    assert client.post(f"/portfolio/company/{DUNS}/do/tier/", {"tier": "normal"}).status_code == 403
    assert client.post(f"/portfolio/company/{DUNS}/do/review/", {"note": "Looked."}).status_code == 302
    assert (Company.objects.get().tier, Review.objects.get().note) == (Tier.CRITICAL, "Looked.")
    shown = text_of(client.get(PAGE))
    assert "Tier Critical" in shown and "Save tier" not in shown and "Complete review" in shown


def test_a_search_is_one_among_what_they_see(client: Client, restricted: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 3)
    for number in range(9):
        a_company(f"{number:09}", f"Acme {number}")
    answer = client.get(f"{LIST}?q=acme")
    assert [row.duns for row in answer.context["cl"].result_list] == [DUNS]
    assert "some are left out" not in text_of(answer)
    assert "Acme Ltd" in text_of(client.get("/search/", {"s": "acme"}))


def test_of_one_that_left_nothing_later_is_shown() -> None:
    credit = seen_by(a_unit("Credit", one()))
    a_subject(DUNS, one(), monitored_since=SINCE, monitored_until=LEFT)
    a_subject(OTHER, one(), monitored_since=SINCE)
    a_subject(DUNS, two(), monitored_since=SINCE)
    Company.objects.filter(pk=OTHER).update(merged_into=DUNS)
    name_companies([Named(DUNS, "crm", "V-2")], requested_by="eve")
    company = Company.objects.get(pk=DUNS)
    now = company_page(company)
    assert [one.company.duns for one in now["around"].before] == [OTHER] and len(now["references"]) == 1
    then = company_page(company, scope=credit, left_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert then["around"].before == [] and then["references"] == []
