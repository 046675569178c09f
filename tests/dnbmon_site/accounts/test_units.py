"""The page of business units, and who has access to what since there are any."""

import pytest
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry, BusinessUnit
from core.visibility import scope_of
from dnbmon_site.accounts.models import ApiKey, User
from dnbmon_site.accounts.units import set_unit, without_access
from monitoring.models import Channel
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db
LIST = reverse("admin:core_businessunit_changelist")
ADD = reverse("admin:core_businessunit_add")


@pytest.fixture
def administrator(client: Client) -> User:
    user = a_person(username="zoe", role="Administrator")
    client.force_login(user)
    return user


def test_the_first_unit_leaves_whoever_is_in_none_without_access(client: Client, administrator: User) -> None:
    bob, eve = a_person(username="bob"), a_person(username="eve")
    key, _ = ApiKey.issue(name="ERP")
    answer = client.post(ADD, {"name": "Credit", "registrations": [one().pk], "people": [bob.pk]}, follow=True)
    assert "2 users or API keys belong to no business unit and see nothing" in text_of(answer)
    for row in (administrator, bob, eve, key):
        row.refresh_from_db()
    assert scope_of(administrator).sees_all
    assert scope_of(bob).registrations == {one().pk}
    assert without_access() == ([eve], [key])
    assert AuditEntry.objects.filter(what="businessunit", actor="zoe").exists()


def test_those_who_see_nothing_are_given_access_one_by_one_or_all(client: Client, administrator: User) -> None:
    bob, eve = a_person(username="bob"), a_person(username="eve")
    a_unit("Credit", one())
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    assert "bob" in text_of(client.get(LIST))
    give = reverse("admin:core_businessunit_give")
    client.post(give, {"only": str(bob.pk)})
    assert without_access()[0] == [eve]
    client.post(give)
    assert without_access() == ([], [])
    assert AuditEntry.objects.filter(action="unit.all").count() == 2


def test_who_leaves_a_unit_sees_nothing(client: Client, administrator: User) -> None:
    bob = a_person(username="bob")
    unit = a_unit("Credit", one(), people=[bob])
    set_unit(unit, registrations=[one()], people=[], keys=[])
    bob.refresh_from_db()
    assert not scope_of(bob).sees_all and not scope_of(bob).registrations


def test_when_the_last_unit_goes_everyone_sees_everything(client: Client, administrator: User) -> None:
    bob = a_person(username="bob")
    unit, other = a_unit("Credit", one(), people=[bob]), a_unit("Buying", two())
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    for row, sees_all in ((other, False), (unit, True)):
        client.post(reverse("admin:core_businessunit_delete", args=[row.pk]), {"post": "yes"})
        bob.refresh_from_db()
        assert bob.sees_all is sees_all
    assert not BusinessUnit.objects.exists()


def test_a_unit_to_which_a_channel_belongs_stays(client: Client, administrator: User) -> None:
    unit = a_unit("Credit", one())
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    Channel.objects.create(name="Credit team", unit=unit)
    client.post(reverse("admin:core_businessunit_delete", args=[unit.pk]), {"post": "yes"})
    assert BusinessUnit.objects.exists()


def test_a_unit_without_registrations_says_so(client: Client, administrator: User) -> None:
    answer = client.post(ADD, {"name": "Empty"}, follow=True)
    assert "This business unit has no registrations: its users see nothing new." in text_of(answer)


@pytest.mark.parametrize("name", ["!!!", "Credit", "credit"])
def test_names_are_told_apart(name: str, client: Client, administrator: User) -> None:
    a_unit("Credit", one())
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    client.post(ADD, {"name": name})
    assert BusinessUnit.objects.count() == 1


def test_an_administrator_of_a_unit_does_not_reach_the_page(client: Client, administrator: User) -> None:
    a_unit("Credit", one(), people=[administrator])
    assert client.get(LIST).status_code == 403
    assert client.post(ADD, {"name": "Mine"}).status_code == 403
