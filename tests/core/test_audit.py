"""The audit: everybody reads it, nobody writes it."""

from typing import Any

import pytest
from django.test import Client

from core.audit import record
from core.models import AuditEntry
from dnbmon_site.accounts.roles import ROLES
from tests.builders.companies import a_company
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
LIST = "/core/auditentry/"


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(a_person(role="Viewer"))
    return client


def some_acts() -> AuditEntry:
    registration = a_registration()
    record(actor="ann", action="request", thing=registration, summary="3 companies wanted", after={"duns": ["1", "2"]})
    record(actor="plan", action="withdraw", thing=registration, summary="1 company no longer wanted")
    before, after = {"requested": False, "cap": 1, "note": None}, {"requested": True, "cap": 2}
    return record(
        actor="eve", action="edit contract", thing=a_contract(), summary="Cap raised", before=before, after=after
    )


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reads_it(client: Client, role: str, django_assert_max_num_queries: Any) -> None:
    some_acts()
    client.force_login(a_person(role=role))
    with django_assert_max_num_queries(12):
        text = text_of(client.get(LIST))
    assert "3 companies wanted" in text and "Cap raised" in text


def test_before_and_after_stand_side_by_side(viewer: Client) -> None:
    row = some_acts()
    page = viewer.get(f"{LIST}{row.pk}/change/")
    assert "Requested no yes" in text_of(page) and "Addition limit for one user 1 2" in text_of(page)
    assert "/portfolio/contract/default/change/" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("actor=ann", 1),
        ("actor=nobody", 0),
        ("action=withdraw", 1),
        ("what=registration", 2),
        ("what=registration&actor=plan", 1),
        ("day_from=2001-01-01", 3),
        ("day_to=2001-01-01", 0),
    ],
)
def test_it_is_filtered(viewer: Client, query: str, count: int) -> None:
    some_acts()
    assert len(viewer.get(f"{LIST}?{query}").context["cl"].result_list) == count


def test_one_company_is_shown_by_name_and_number(viewer: Client, django_assert_max_num_queries: Any) -> None:
    acme = a_company("804735132", name="Acme Ltd")
    row = record(actor="ann", action="withdraw", thing=a_registration(), summary="1 company: 804735132")
    record(actor="ann", action="review.done", thing=acme, summary="Acme Ltd reviewed")
    record(actor="ann", action="tier.set", thing=acme, summary="Acme Ltd (804735132): tier set")
    with django_assert_max_num_queries(13):
        text = text_of(viewer.get(LIST))
    assert "1 company: Acme Ltd (804735132)" in text and "Acme Ltd (804735132) reviewed" in text
    assert "Acme Ltd (804735132): tier set" in text and "Acme Ltd (Acme" not in text
    assert "1 company: Acme Ltd (804735132)" in text_of(viewer.get(f"{LIST}{row.pk}/change/"))


def test_long_lists_of_numbers_are_cut_for_reading(viewer: Client) -> None:
    row = record(actor="x", action="y", thing=a_contract(), summary="z", after={"duns": list(map(str, range(1000)))})
    assert "299 … and 700 more" in text_of(viewer.get(f"{LIST}{row.pk}/change/"))


@pytest.mark.parametrize("path", ["add/", "{key}/delete/"])
def test_nobody_writes_it_not_even_who_may_everything(client: Client, path: str) -> None:
    person = a_person()
    person.is_superuser = True
    person.save()
    client.force_login(person)
    row = some_acts()
    assert client.post(LIST + path.format(key=row.pk), {"post": "yes"}).status_code == 403
    client.post(f"{LIST}{row.pk}/change/", {"actor": "nobody"})
    assert AuditEntry.objects.filter(actor="eve").exists() and AuditEntry.objects.count() == 3
