"""The page of business units, and who has access to what since there are any."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db.models import Model, QuerySet
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry, BusinessUnit
from core.visibility import scope_of
from dnbmon_site.accounts import units
from dnbmon_site.accounts.admin import units as page
from dnbmon_site.accounts.models import ApiKey, UnitKey, UnitMember, User
from dnbmon_site.accounts.units import give_all, set_unit, without_access
from monitoring.models import Channel
from portfolio.companies.notes import add_note
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, a_company
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_seed
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db
LIST = reverse("admin:core_businessunit_changelist")
ADD = reverse("admin:core_businessunit_add")
MEMBERS = ("registrations", "people", "keys")


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
    for path in ("add/", f"{bob.pk}/change/"):
        assert "Users of a business unit view data" in text_of(client.get(f"/accounts/user/{path}"))
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
    address = reverse("admin:core_businessunit_delete", args=[unit.pk])
    asked = text_of(client.get(address))
    assert "Credit team" in asked and "would then see all registrations" not in asked
    client.post(address, {"post": "yes"})
    assert BusinessUnit.objects.exists()


def test_a_unit_without_registrations_says_so(client: Client, administrator: User) -> None:
    answer = client.post(ADD, {"name": "Empty"}, follow=True)
    assert "This business unit has no registrations: its users see no new data." in text_of(answer)


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


def meanwhile(monkeypatch: pytest.MonkeyPatch, model: type[Model], happens: Callable[[], Any]) -> None:
    """Just before rows of this model are given access."""
    update = QuerySet.update

    def updated(rows: Any, **values: Any) -> int:
        if rows.model is model and values == {"sees_all": True}:
            happens()
        return update(rows, **values)

    monkeypatch.setattr(QuerySet, "update", updated)


def sees_all(row: Any) -> bool:
    row.refresh_from_db()
    return bool(row.sees_all)


def test_who_is_in_a_unit_is_not_given_everything() -> None:
    bob, eve, (key, _) = a_person(username="bob"), a_person(username="eve"), ApiKey.issue(name="ERP")
    a_unit("Credit", one(), people=[bob])
    give_all([bob, eve, key])
    assert [sees_all(row) for row in (bob, eve, key)] == [False, True, True]


def test_who_is_put_into_a_unit_at_the_same_time_is_not_given_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    bob = a_person(username="bob")
    unit = a_unit("Credit", one())
    meanwhile(monkeypatch, User, lambda: UnitMember.objects.create(unit=unit, user=bob))
    give_all([bob])
    assert not sees_all(bob)


def test_who_is_given_everything_while_put_into_a_unit_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    bob, (key, _) = a_person(username="bob"), ApiKey.issue(name="ERP")
    unit = a_unit("Credit", one(), people=[bob])
    User.objects.filter(pk=bob.pk).update(sees_all=True)
    set_unit(unit, registrations=[one()], people=[bob], keys=[])
    assert not sees_all(bob), "also who was in it before"
    original = units._set

    def interrupted(*given: Any) -> None:
        original(*given)
        User.objects.update(sees_all=True)
        ApiKey.objects.update(sees_all=True)

    monkeypatch.setattr(units, "_set", interrupted)
    set_unit(unit, registrations=[one()], people=[bob], keys=[key])
    assert not sees_all(bob) and not sees_all(key)


def test_access_is_limited_before_the_first_unit_is_there_and_after(
    client: Client, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(page, "restrict_all", lambda *, but: seen.append(BusinessUnit.objects.exists()))
    client.post(ADD, {"name": "Credit"})
    client.post(ADD, {"name": "Buying"})
    assert seen == [False, True]


def test_who_has_no_access_while_there_is_no_unit_is_listed_and_given_it(client: Client, administrator: User) -> None:
    """As after a first unit that could not be saved."""
    bob = a_person(username="bob")
    User.objects.filter(pk=bob.pk).update(sees_all=False)
    assert "Users and API keys that see nothing" in text_of(client.get(LIST))
    client.post(reverse("admin:core_businessunit_give"))
    assert sees_all(bob)


def test_a_unit_that_is_added_while_the_last_goes_limits_access(
    client: Client, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = a_person(username="bob")
    last = a_unit("Credit", one())
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    meanwhile(monkeypatch, ApiKey, lambda: BusinessUnit.objects.create(slug="new", name="New"))
    answer = client.post(reverse("admin:core_businessunit_delete", args=[last.pk]), {"post": "yes"}, follow=True)
    assert not sees_all(bob) and sees_all(administrator)
    assert "all users see all registrations again" not in text_of(answer)


def test_who_cannot_be_added_now_stays_when_the_page_is_saved(client: Client, administrator: User) -> None:
    gone, root, eve = (a_person(username=name) for name in ("gone", "root", "eve"))
    key, _ = ApiKey.issue(name="ERP")
    unit = a_unit("Credit", one(), people=[gone, root], keys=[key])
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    User.objects.filter(pk__in=[gone.pk, eve.pk]).update(is_active=False)
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    key.revoke()
    address = reverse("admin:core_businessunit_change", args=[unit.pk])
    form = client.get(address).context["adminform"].form
    assert {row.username for row in form.fields["people"].queryset} == {"gone", "root"}
    client.post(address, {"name": "Credit", **{name: form.fields[name].initial for name in MEMBERS}})
    assert set(UnitMember.objects.values_list("user_id", flat=True)) == {gone.pk, root.pk}
    assert UnitKey.objects.get().key == key


@pytest.mark.parametrize("left", ["alert", "note"])
def test_a_unit_does_not_inherit_what_a_deleted_one_left(client: Client, administrator: User, left: str) -> None:
    unit = a_unit("Credit", one())
    if left == "alert":
        an_alert(unit=unit.pk)
    else:
        add_note(company=a_company(), text="Pays late.", by="bob", scope=seen_by(unit))
    unit.delete()
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    assert "Alerts or notes of a deleted business unit" in text_of(client.post(ADD, {"name": "Credit"}))
    client.post(ADD, {"name": "Credit risk"})
    assert BusinessUnit.objects.get().pk == "credit-risk"


def test_the_form_of_the_first_unit_says_who_will_see_nothing(client: Client, administrator: User) -> None:
    a_person(username="bob")
    User.objects.filter(pk=a_person(username="gone").pk).update(is_active=False)
    words = "Once you save it, 1 user and 0 API keys see nothing until they are given access."
    assert words in text_of(client.get(ADD))
    a_person(username="eve")
    ApiKey.issue(name="ERP")
    assert "Once you save it, 2 users and 1 API key see nothing" in text_of(client.get(ADD))
    a_unit("Credit", one())
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    assert "Once you save it" not in text_of(client.get(ADD))


def test_the_question_before_a_unit_goes_names_its_members(client: Client, administrator: User) -> None:
    bob, (key, _) = a_person(username="bob"), ApiKey.issue(name="ERP")
    User.objects.filter(pk=bob.pk).update(first_name="Berta", last_name="Beck")
    unit = a_unit("Credit", one(), people=[bob], keys=[key])
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    text = text_of(client.get(reverse("admin:core_businessunit_delete", args=[unit.pk])))
    assert "Berta Beck" in text and "ERP" in text and one().reference in text and " object (" not in text
    assert "All users and API keys would then see all registrations" in text
    a_unit("Buying", two())
    assert "would then see" not in text_of(client.get(reverse("admin:core_businessunit_delete", args=[unit.pk])))


def test_the_audit_log_names_what_a_new_unit_contains(client: Client, administrator: User) -> None:
    bob = a_person(username="bob")
    client.post(ADD, {"name": "Credit", "registrations": [one().pk], "people": [bob.pk]})
    entry = AuditEntry.objects.get(action="businessunit.added")
    assert one().reference in entry.after and "bob" in entry.after


def test_the_audit_log_names_what_a_deleted_unit_contained(client: Client, administrator: User) -> None:
    bob, (key, _) = a_person(username="bob"), ApiKey.issue(name="ERP")
    unit = a_unit("Credit", one(), people=[bob], keys=[key])
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    client.post(reverse("admin:core_businessunit_delete", args=[unit.pk]), {"post": "yes"})
    entry = AuditEntry.objects.get(action="businessunit.deleted")
    text = text_of(client.get(f"/core/auditentry/{entry.pk}/change/"))
    assert "API keys ERP (" in text and f"Users bob – Registrations {one().reference} –" in text


def test_no_link_of_a_company_or_the_report_is_refused_to_a_user_of_a_unit(client: Client) -> None:
    bob = a_person(username="bob", role="Portfolio manager")
    a_unit("Credit", one(), people=[bob])
    delivered(a_seed(DUNS), registration=one())
    a_subject(DUNS, one(), monitored_since=MOMENT.date())
    client.force_login(bob)
    for address in (f"/portfolio/company/{DUNS}/change/", reverse("admin:monitoring_reportschedule_report")):
        answer = client.get(address)
        assert one().reference in text_of(answer)
        links = {unescape(link) for link in re.findall(r'href="(/[^"#]*)"', answer.text) if "/static/" not in link}
        assert links
        refused = {link for link in links if client.get(link).status_code == 403}
        assert refused == set()
