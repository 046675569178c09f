"""The list of monitored companies: each company in each of its registrations."""

import pytest
from django.test import Client

from dnbmon_site.accounts.models import User
from portfolio.models import Company, Subject
from tests.builders.companies import DUNS
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.registrations import a_registration
from tests.builders.subjects import request_monitoring

pytestmark = pytest.mark.django_db


def test_the_list_says_that_it_counts_entries(admin: Client) -> None:
    contract = a_contract()
    for reference in ("FIRST", "SECOND"):
        request_monitoring(a_registration(reference, contract=contract), [DUNS])
    text = text_of(admin.get("/portfolio/subject/"))
    assert Company.objects.count() == 1
    assert "2 entries" in text and "Each entry is one company in one registration." in text
    assert "1 entry" in text_of(admin.get(f"/portfolio/subject/?registration={a_registration('FIRST').pk}"))


@pytest.mark.parametrize(
    ("owner", "warning"),
    [
        ("J. Miller", "“J. Miller” is not an active user or an email address"),
        ("left", "“left” is not an active user or an email address"),
        ("bob", "“bob” has no email address"),
        ("carl", ""),
        ("carl@example.com", ""),
        ("someone@example.org", ""),
        ("", ""),
    ],
)
def test_an_owner_whom_alerts_do_not_reach_is_kept_with_a_warning(admin: Client, owner: str, warning: str) -> None:
    User.objects.create_user("left", "left@example.com", is_active=False)
    User.objects.create_user("bob")
    User.objects.create_user("carl", "carl@example.com")
    request_monitoring(a_registration(contract=a_contract()), [DUNS])
    page = f"/portfolio/subject/{Subject.objects.get().pk}/change/"
    text = text_of(admin.post(page, {"customer_reference": "7", "tags": "", "owner": owner}, follow=True))
    assert Subject.objects.get().owner == owner
    assert warning in text if warning else "alerts for the owner" not in text
