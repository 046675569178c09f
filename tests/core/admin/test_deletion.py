"""What is asked before rows are deleted, and why rows in use stay, on the page of one and for several."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import CASCADE, Model
from django.db.models.deletion import get_candidate_relations_to_delete
from django.test import Client, RequestFactory
from django.urls import reverse

from core.admin.base import KeyedAdmin
from core.models import BusinessUnit
from dnbmon_site.accounts.models import User
from monitoring.models import AlertRule, Channel, FileServer, ScheduledExport
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import one
from tests.builders.times import MOMENT
from tests.builders.units import a_unit

LIST = reverse("admin:core_businessunit_changelist")


@pytest.fixture
def administrator(client: Client) -> User:
    user = a_person(username="zoe", role="Administrator")
    client.force_login(user)
    return user


def delete_page(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_delete", args=[row.pk])


def cascaded(model: Any, known: set[Any]) -> set[Any]:
    """The models of which rows are deleted with rows of this one."""
    relations: Any = get_candidate_relations_to_delete(model._meta)
    for relation in relations:
        if relation.on_delete is CASCADE and relation.related_model not in known:
            known.add(relation.related_model)
            cascaded(relation.related_model, known)
    return known


def may_be_deleted(page: Any) -> bool:
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True)
    return isinstance(page, KeyedAdmin) and page.has_delete_permission(request)


def test_each_page_that_deletes_names_all_that_goes_with_a_row_and_what_stays() -> None:
    pages = {model: page for model, page in admin.site._registry.items() if may_be_deleted(page)}
    assert BusinessUnit in pages and len(pages) > 10
    unnamed = {
        f"{model.__name__}: {other._meta.label_lower}"
        for model, page in pages.items()
        for other in cascaded(model, set())
        if not other._meta.auto_created and other._meta.label_lower not in page.deleted_with  # type: ignore[attr-defined]
    }
    assert unnamed == set()
    assert [model.__name__ for model, page in pages.items() if not page.kept_text] == []  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_a_unit_in_use_names_its_users_with_links_and_the_next_step(client: Client, administrator: User) -> None:
    unit, other = a_unit("Credit", one()), a_unit("Buying")
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    channel = Channel.objects.create(name="Credit team", unit=unit)
    rule = AlertRule.objects.create(name="Insolvency", unit=other)
    page = client.get(delete_page(unit))
    assert "“Credit” cannot be deleted because it is used by: Channel: Credit team Open each entry" in text_of(page)
    assert reverse("admin:monitoring_channel_change", args=[channel.pk]) in page.text
    selected = {"action": "delete_selected", "_selected_action": [unit.pk, other.pk]}
    page = client.post(LIST, {**selected, "post": "yes"})
    words = "Alert rule: Insolvency (uses Buying) Channel: Credit team (uses Credit)"
    assert words in text_of(page) and "select only rows that are not in use" in text_of(page)
    assert reverse("admin:monitoring_alertrule_change", args=[rule.pk]) in page.text
    assert BusinessUnit.objects.count() == 2


@pytest.mark.django_db
def test_several_units_go_at_once(client: Client, administrator: User) -> None:
    keys = [a_unit(name).pk for name in ("Buying", "Credit")]
    User.objects.filter(pk=administrator.pk).update(sees_all=True)
    selected = {"action": "delete_selected", "_selected_action": keys}
    asked = text_of(client.post(LIST, selected))
    assert "Delete business units?" in asked and "Business units: Buying" in asked and "Are you sure" not in asked
    client.post(LIST, {**selected, "post": "yes"})
    assert not BusinessUnit.objects.exists()


@pytest.mark.django_db
def test_a_user_is_named_with_all_that_goes_and_nothing_of_the_database(client: Client, administrator: User) -> None:
    bob = a_person(username="bob", role="Viewer")
    User.objects.filter(pk=bob.pk).update(first_name="Berta", last_name="Beck")
    Channel.objects.create(name="Phone", person=bob)
    client.force_login(bob)
    client.get("/")
    client.force_login(administrator)
    text = text_of(client.get(delete_page(bob)))
    assert "Delete “Berta Beck (bob)”?" in text
    assert "Assignment of roles: Viewer" in text and "Channels of the user: Phone" in text
    assert " object (" not in text and "User-user" not in text and "log entr" not in text.lower()


@pytest.mark.django_db
def test_a_row_that_the_reader_may_not_see_is_not_named(client: Client) -> None:
    server = FileServer.objects.create(name="SAP", host="h", user_name="u", created_at=MOMENT)
    ScheduledExport.objects.create(name="Secret plan", server=server, at=time(8), due_at=MOMENT)
    rights = ("delete_fileserver", "view_fileserver")
    client.force_login(a_person(*rights))
    text = text_of(client.get(delete_page(server)))
    assert "used by: Scheduled export: Not visible to you" in text and "Secret plan" not in text
