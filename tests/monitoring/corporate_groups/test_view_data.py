"""The page of a corporate group."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.company_page.owner_names import names_of
from monitoring.corporate_groups import view_data
from monitoring.models import Severity
from portfolio.models import Company
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS
from tests.builders.notifications import a_seed, news
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
TOP, THIRD = "900000000", "012345678"
ADDRESS = f"/portfolio/group/{TOP}/"


def a_member(duns: str, name: str, **columns: Any) -> Company:
    row = a_company(duns, name, **{"global_ultimate": TOP, "parent": TOP, **columns})
    a_subject(duns)
    return row


def test_it_shows_the_tree_with_figures(admin: Client) -> None:
    a_member(DUNS, "Steel Ltd", failure_class=4, failure_percentile=22, rating="3A4", country="GB")
    a_member(OTHER, "Wire GmbH", parent=DUNS, limit_amount=250_000, limit_currency="EUR", country="DE")
    a_company(THIRD, "Gone SAS", global_ultimate=TOP, parent=DUNS)
    page = admin.get(ADDRESS)
    group = page.context["group"]
    assert [(row.name, row.indent, row.is_monitored) for row in group.rows] == [
        (TOP, 0, False), ("Steel Ltd", 1, True), ("Gone SAS", 2, False), ("Wire GmbH", 2, True),
    ]  # fmt: skip
    assert (len(group.monitored), group.countries, group.high_failure_risk) == (2, 2, 1)
    text = text_of(page)
    assert all(words in text for words in ("Steel Ltd", "3A4", "EUR 250,000", "Germany", "not monitored"))


def test_it_has_the_open_alerts_of_its_members_the_most_severe_first(admin: Client) -> None:
    a_member(DUNS, "Steel Ltd", failure_class=4, failure_percentile=22)
    a_member(OTHER, "Wire GmbH")
    an_alert(title="Steel Ltd moved", severity=Severity.HIGH)
    an_alert(1, company_id=OTHER, title="Wire GmbH closed down", severity=Severity.CRITICAL)
    an_alert(2, title="done", state="closed")
    an_alert(3, company_id=THIRD, title="of another group")
    text = text_of(admin.get(ADDRESS))
    assert "Open alerts (2) Critical Wire GmbH closed down" in text and "High Steel Ltd moved" in text
    assert "Class 4 percentile 22" in text and "of another group" not in text
    admin.force_login(a_person("view_company"))
    assert "Open alerts" not in text_of(admin.get(ADDRESS))


def test_an_owner_that_is_not_here_has_the_name_that_its_companies_report(admin: Client) -> None:
    linkage = {role: {"duns": TOP, "primaryName": "Far Holding AG"} for role in ("parent", "globalUltimate")}
    delivered(a_seed(DUNS, corporateLinkage=linkage))
    Company.objects.filter(pk=DUNS).update(global_ultimate=TOP, parent=TOP)
    assert names_of([TOP, OTHER], Company.objects.all()) == {TOP: "Far Holding AG"}
    assert admin.get(ADDRESS).context["title"] == "Far Holding AG"


def test_the_address_of_a_member_leads_to_its_group(admin: Client) -> None:
    a_member(DUNS, "Steel Ltd")
    assert admin.get(f"/portfolio/group/{DUNS}/").headers["Location"] == ADDRESS


def test_companies_that_name_each_other_have_a_page_each(admin: Client) -> None:
    a_member(DUNS, "Steel Ltd", global_ultimate=OTHER)
    a_member(OTHER, "Wire GmbH", global_ultimate=DUNS)
    assert [admin.get(f"/portfolio/group/{duns}/").status_code for duns in (DUNS, OTHER)] == [200, 200]


# PostgreSQL takes no NUL.
@pytest.mark.parametrize("duns", ["123456789", "nonsense", "%00", "1234567%0089", "１２３４５６７８９"])
def test_a_group_without_companies_here_is_not_found(admin: Client, duns: str) -> None:
    assert admin.get(f"/portfolio/group/{duns}/").status_code == 404


def test_who_may_not_see_companies_may_not_see_groups(client: Client) -> None:
    a_member(DUNS, "Steel Ltd")
    client.force_login(a_person())
    assert client.get(ADDRESS).status_code == 403


def test_a_large_group_costs_as_few_queries_as_a_small_one(
    admin: Client, django_assert_max_num_queries: AtMost
) -> None:
    for number in range(40):
        a_member(f"{100_000_000 + number}", f"Company {number}", last_critical_at=timezone.now())
    with django_assert_max_num_queries(14):
        assert admin.get(ADDRESS).status_code == 200


def test_the_numbers_count_all_companies_of_a_group_whose_tree_is_cut(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_data, "MOST", 2)
    for place, duns in enumerate((DUNS, OTHER, THIRD), 1):
        a_member(duns, "Steel Ltd", country="GB", failure_class=4, exposure=10_000 * place)
    group = admin.get(ADDRESS).context["group"]
    assert (group.has_more, sum(row.company is not None for row in group.rows)) == (True, 2)
    assert (len(group.monitored), group.high_failure_risk, group.exposure) == (3, 3, 60_000)


def test_critical_changes_of_the_group_are_named(admin: Client) -> None:
    delivered(a_seed(DUNS), news(STATUS, ACTIVE, OUT))
    a_member(DUNS, "Acme Ltd", last_critical_at=timezone.now())
    a_member(OTHER, "Wire GmbH")
    assert "Acme Ltd : operating status Active → Out of business" in text_of(admin.get(ADDRESS)).replace(
        "Ltd:", "Ltd :"
    )


def test_a_company_page_names_the_critical_changes_of_its_sister(admin: Client) -> None:
    delivered(a_seed(DUNS), news(STATUS, ACTIVE, OUT))
    a_member(DUNS, "Acme Ltd", last_critical_at=timezone.now())
    delivered(a_seed(OTHER, dunsControlStatus={"operatingStatus": ACTIVE}))
    a_member(OTHER, "Wire GmbH")
    sister = text_of(admin.get(f"/portfolio/company/{OTHER}/change/"))
    assert "No risk signals of its own; critical change at 1 other company of the group" in sister
    assert "Critical changes in the group" in sister and "2 of your companies belong to this company's group." in sister
    assert "Critical changes in the group" not in text_of(admin.get(f"/portfolio/company/{DUNS}/change/"))
