"""What users of business units may open, and that it shows nothing of other units."""

import uuid
from contextlib import suppress
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from dnbmon_site.accounts.models import User
from dnbmon_site.http.unit_pages import OF_MODELS, PAGES
from monitoring.models import Alert, Change, Notification
from monitoring.stats.daily_counts import roll_up
from portfolio.companies.notes import add_note
from portfolio.models import Company, SubjectImport
from tests.builders.alerts import raised
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import STATUS
from tests.builders.family_trees import a_tree
from tests.builders.notifications import a_seed, news
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.rules import a_rule
from tests.builders.subjects import a_subject
from tests.builders.times import now_stamp
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db
OURS, THEIRS = "Ourname Ltd", "Zyxplanted Ltd"


@pytest.fixture
def bob(client: Client) -> User:
    """Of the unit Credit, with the rights of an administrator; a company each is there of its unit and of another."""
    user = a_person(username="bob", role="Administrator")
    a_rule(elements=STATUS)
    for duns, name, registration in ((DUNS, OURS, one()), (OTHER, THEIRS, two())):
        a_subject(duns, registration, monitored_since=now_stamp()[:10], tags=f"tag-{name[:4]}", owner=f"own-{name[:4]}")
        delivered(a_seed(duns, delivered=now_stamp(days=-2), primaryName=name), registration=registration)
        delivered(news(duns=duns), registration=registration)
        add_note(company=Company.objects.get(pk=duns), text=f"note {name}", by="ann")
    raised()
    roll_up()
    a_unit("Credit", one(), people=[user])
    a_unit("Buying", two())
    client.force_login(user)
    return user


def the_page(name: str, row: Any) -> str:
    return reverse(f"admin:{name}_change", args=[row.pk])


PAGES_OF = {"portfolio_company": Company, "monitoring_change": Change, "monitoring_notification": Notification}
PAGES_OF |= {"monitoring_alert": Alert}


@pytest.mark.parametrize("name", [name for name, pages in OF_MODELS.items() if "changelist" in pages])
def test_lists_show_nothing_of_other_units(name: str, client: Client, bob: User) -> None:
    for query in ("", f"?q={OTHER}", "?q=zyx", "?severity=all", "?state=all"):
        answer = client.get(reverse(f"admin:{name}_changelist") + query)
        if answer.status_code == 200:
            assert "Zyx" not in answer.content.decode().replace("q=zyx", "")
            assert f"/{OTHER}/" not in answer.content.decode()


@pytest.mark.parametrize("name", PAGES_OF)
def test_ones_own_pages_open_and_those_of_others_answer_as_unknown_ones(name: str, client: Client, bob: User) -> None:
    seen = []
    for row in PAGES_OF[name]._default_manager.all():
        company = getattr(row, "company_id", row.pk)
        answer = client.get(the_page(name, row))
        seen.append(company)
        assert answer.status_code == (200 if company == DUNS else 404), (name, company)
        assert "Zyx" not in text_of(answer)
    assert {DUNS, OTHER} <= set(seen)


def test_unknown_and_invisible_answer_alike(client: Client, bob: User) -> None:
    invisible = client.get(reverse("admin:portfolio_company_change", args=[OTHER]))
    unknown = client.get(reverse("admin:portfolio_company_change", args=["999999999"]))
    assert text_of(invisible).replace(OTHER, "999999999") == text_of(unknown)
    alert, key = Alert.objects.get(company=OTHER), uuid.uuid4()
    answers = [client.get(reverse("admin:monitoring_alert_change", args=[one])) for one in (alert.pk, key)]
    assert text_of(answers[0]).replace(str(alert.pk), str(key)) == text_of(answers[1])


def test_acts_on_others_rows_are_refused_alike(client: Client, bob: User) -> None:
    alert = Alert.objects.get(company=OTHER)
    for key in (alert.pk, uuid.uuid4()):
        assert client.post(reverse("admin:monitoring_alert_do", args=[key, "acknowledge"])).status_code == 404
    posted = {"action": "acknowledge_selected", "_selected_action": [str(alert.pk)]}
    client.post(reverse("admin:monitoring_alert_changelist"), posted)
    alert.refresh_from_db()
    assert alert.state == "new"


def test_the_overview_counts_and_names_the_units_own(client: Client, bob: User) -> None:
    answer = client.get(reverse("admin:index"))
    text = text_of(answer)
    assert OURS in text and "Zyx" not in answer.content.decode()
    assert "1 critical change" in text and "1 company monitored" in text


def test_search_finds_the_units_own(client: Client, bob: User) -> None:
    assert OURS in text_of(client.get("/search/?s=ourname"))
    assert "Zyx" not in text_of(client.get("/search/?s=zyxplanted"))


def test_every_other_page_is_refused(client: Client, bob: User) -> None:
    names = {
        f"admin:{name}" for name in get_resolver().namespace_dict["admin"][1].reverse_dict if isinstance(name, str)
    }
    opened = 0
    for name in sorted(names - PAGES):
        with suppress(NoReverseMatch):
            assert client.get(reverse(name)).status_code == 403, name
            opened += 1
    assert opened > 50


def test_the_menu_names_no_page_that_is_refused(client: Client, bob: User) -> None:
    text = text_of(client.get(reverse("admin:index")))
    assert "Companies" in text
    for title in ("Monitored companies", "Ingestion log", "Audit log", "Channels"):
        assert title not in text


def test_registrations_are_read_and_not_run(client: Client, bob: User) -> None:
    page = reverse("admin:portfolio_registration_change", args=[one().pk])
    for path in (page, reverse("admin:portfolio_registration_changelist")):
        shown = text_of(client.get(path))
        assert one().reference in shown and two().reference not in shown
        assert [word for word in ("Save", "Pull now", "Pause", "Find registrations") if word in shown] == []
    assert client.get(page.replace(str(one().pk), str(two().pk))).status_code == 302, "as for a key that no one has"
    assert client.post(page, {"cadence": "daily"}).status_code == 403
    assert client.post(reverse("admin:portfolio_registration_do", args=[one().pk, "pull-now"])).status_code == 403


def test_imports_go_into_own_registrations(client: Client, bob: User) -> None:
    upload, given = reverse("admin:portfolio_subjectimport_upload"), {"mode": "add", "text": OTHER}
    assert two().reference not in text_of(client.get(upload))
    refused = client.post(upload, {**given, "registration": str(two().pk)})
    assert refused.status_code == 200 and "Registration: Select a valid choice" in text_of(refused)
    page = client.post(upload, {**given, "registration": str(one().pk)}).headers["Location"]
    assert SubjectImport.objects.get().registration == one()
    assert client.get(page).status_code == 200 and client.post(page.replace("change", "do/find")).status_code == 403
    SubjectImport.objects.update(registration=two())
    assert client.get(page).status_code == client.post(page.replace("change", "do/confirm")).status_code == 404


def test_a_family_tree_opens_from_an_own_company_and_names_own_registrations(client: Client, bob: User) -> None:
    a_tree(one().contract, {OTHER: "", DUNS: OTHER}, duns=OTHER, top=OTHER)
    ours, theirs = (reverse("family_tree", args=[duns]) for duns in (DUNS, OTHER))
    shown = client.get(ours)
    assert f"Company {OTHER}" in text_of(shown), "D&B's tree is whole"
    assert f"Monitored in {one().reference}" in text_of(shown) and two().reference not in text_of(shown)
    assert f"/portfolio/company/{OTHER}/" not in shown.content.decode() and "Zyx" not in text_of(shown)
    assert client.get(theirs).status_code == client.post(f"{theirs}add/", {"member": OTHER}).status_code == 404
    client.post(f"{ours}add/", {"member": OTHER, "registration": str(two().pk)})
    assert not SubjectImport.objects.exists()
    client.post(f"{ours}add/", {"member": OTHER, "registration": str(one().pk)})
    assert SubjectImport.objects.get().registration == one()


def test_who_belongs_to_no_unit_sees_nothing_and_is_told_why(client: Client, bob: User) -> None:
    client.force_login(a_person(username="eve", role="Viewer"))
    text = text_of(client.get(reverse("admin:index")))
    assert "Your business units have no registrations" in text
    assert OURS not in text_of(client.get(reverse("admin:portfolio_company_changelist")))


def test_a_company_that_left_shows_what_was_known_then(client: Client, bob: User) -> None:
    a_subject(DUNS, one(), monitored_since="2026-01-01", monitored_until=now_stamp(days=-1)[:10])
    a_subject(DUNS, two(), monitored_since="2026-01-01")
    delivered(news("organization.telephone", [], ["+44 later"], duns=DUNS), registration=two())
    text = text_of(client.get(reverse("admin:portfolio_company_change", args=[DUNS])))
    assert "have not monitored this company since" in text
    assert "+44 later" not in text
