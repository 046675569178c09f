"""Filters that people save above a list, and the columns that they choose."""

import csv
import io
import re
from typing import Any

import pytest
from django.contrib.admin import site as admin_site
from django.test import Client

from core.exports.files import parts_of, work_on
from core.lists.saved_filters import filters_in, kept_for, save_columns, save_filter
from core.models import AuditEntry, Export, ExportFormat, ExportState, SavedFilter
from dnbmon_site.accounts import roles
from dnbmon_site.accounts.models import User
from portfolio.models import Company
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS
from tests.builders.deliveries import some_news
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.queries import AtMost
from tests.builders.rules import a_rule

pytestmark = pytest.mark.django_db
COMPANIES = "/portfolio/company/"
LISTS = (COMPANIES, "/monitoring/change/", "/monitoring/notification/", "/monitoring/alert/", "/portfolio/subject/")


@pytest.fixture
def ann(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann"))
    return client


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(a_person(role=roles.VIEWER))
    return client


def save(client: Client, path: str = COMPANIES, **asked: Any) -> Any:
    return client.post(f"{path}save/", {"name": "Britain", "query": "country=GB&p=3", **asked}, follow=True)


def test_a_filter_is_saved_and_found_above_the_list(ann: Client) -> None:
    answer = save(ann)
    assert answer.redirect_chain == [(f"{COMPANIES}?country=GB", 302)]
    row = SavedFilter.objects.get()
    assert (row.listing, row.name, row.query, row.shared) == ("portfolio.company", "Britain", "country=GB", False)
    page = ann.get(f"{COMPANIES}?country=GB").content.decode()
    assert 'href="/portfolio/company/?country=GB" aria-current="true">Britain' in page
    entry = AuditEntry.objects.get(action="save filter")
    assert entry.actor == "ann" and "of Companies saved" in entry.summary
    page = text_of(ann.get(f"/core/auditentry/{entry.pk}/change/"))
    assert "country: United Kingdom" in page and "country=GB" not in page and "portfolio.company" not in page


def test_the_same_name_is_the_same_filter(ann: Client) -> None:
    save(ann)
    save(ann, query="country=DE", columns="name,country")
    row = SavedFilter.objects.get()
    assert row.address == "country=DE&columns=name,country"


def test_equal_filters_are_equal_however_they_are_written() -> None:
    assert filters_in("b=2&a=1&p=4&c=&columns=name") == filters_in("a=1&b=2") == "a=1&b=2"


def test_others_see_what_is_shared_and_nothing_else(ann: Client) -> None:
    save(ann, name="Mine")
    save(ann, name="Ours", shared="yes")
    assert [row.name for row in kept_for("bob", "portfolio.company").filters] == ["Ours"]
    assert [row.name for row in kept_for("ann", "portfolio.company").filters] == ["Mine", "Ours"]
    ann.force_login(a_person(role=roles.VIEWER))
    page = text_of(ann.get(COMPANIES))
    assert "Ours by ann" in page and "Mine" not in page
    page = text_of(ann.get("/core/savedfilter/"))
    assert "Ours" in page and "Mine" not in page


def test_sharing_needs_a_right(viewer: Client) -> None:
    assert save(viewer).status_code == 200
    assert save(viewer, shared="yes").status_code == 403
    row = SavedFilter.objects.get()
    page = viewer.get(f"/core/savedfilter/{row.pk}/change/")
    assert page.status_code == 200 and 'name="shared"' not in page.content.decode()


def test_it_is_renamed_shared_and_deleted(ann: Client) -> None:
    save(ann, name="Old")
    save(ann, name="Other")
    row = SavedFilter.objects.get(name="Old")
    change = f"/core/savedfilter/{row.pk}/change/"
    assert "already has a filter with that name" in text_of(ann.post(change, {"name": "Other"}))
    assert ann.post(change, {"name": "New", "shared": "on"}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.shared) == ("New", True)
    assert ann.post(f"/core/savedfilter/{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert [one.name for one in SavedFilter.objects.all()] == ["Other"]
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"change filter", "delete filter"}


def test_nobody_changes_what_another_person_saved(viewer: Client) -> None:
    row = save_filter(listing="portfolio.company", name="Hers", query="", columns="", shared=True, by="ann")
    assert viewer.post(f"/core/savedfilter/{row.pk}/change/", {"name": "Mine"}).status_code == 403
    assert viewer.post(f"/core/savedfilter/{row.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.every_engine
@pytest.mark.parametrize("path", LISTS)
def test_every_list_opens_with_filters_and_columns_in_few_queries(
    ann: Client, path: str, django_assert_max_num_queries: AtMost
) -> None:
    some_news()
    a_rule()
    for number in range(3):
        save(ann, path, name=f"Number {number}", query="")
    names = {"/monitoring/alert/": "title,state"}.get(path, "duns,name")
    for query in ("", f"?columns={names}"):
        with django_assert_max_num_queries(12):
            page = text_of(ann.get(f"{path}{query}"))
        assert "Number 2" in page and "Columns" in page


@pytest.mark.parametrize("path", LISTS[1:3])
def test_a_feed_becomes_a_table_of_the_chosen_columns(ann: Client, path: str) -> None:
    some_news()
    page = ann.get(f"{path}?columns=name,registration").content.decode()
    assert 'id="result_list"' in page and "dm-feed" not in page
    assert "Acme Ltd" in page and "ACME_LOD_01" in page
    assert "dm-feed" in ann.get(path).content.decode()


@pytest.mark.parametrize("path", LISTS)
def test_the_usual_columns_are_ticked_until_others_are_chosen(ann: Client, path: str) -> None:
    some_news()
    a_rule()
    usual = ticked_in(ann.get(path))
    model_admin: Any = next(one for one in admin_site._registry.values() if f"/{one.opts.model_name}/" in path)
    assert len(usual) >= 4 and usual == set(model_admin.usual_columns)
    chosen = {"title"} if "title" in usual else {"name"}
    assert ticked_in(ann.get(f"{path}?columns={chosen.copy().pop()}")) == chosen


def ticked_in(answer: Any) -> set[str]:
    return set(re.findall(r'name="column" value="(\w+)" checked', answer.content.decode()))


def test_columns_stand_in_the_order_of_the_address(ann: Client) -> None:
    some_news()
    head = head_of(ann.get(f"{COMPANIES}?columns=country,nothing,name"))
    assert head.index("Country") < head.index("Name") and "Last update" not in head


def test_chosen_columns_are_drawn_as_the_list_draws_them(ann: Client) -> None:
    an_alert(title="Out of business: Acme Ltd")
    path = "/monitoring/alert/"
    usual = [name for name, _heading, is_chosen in ann.get(path).context["cl"].above["columns"] if is_chosen]
    rows = rows_of(ann.get(path))
    assert rows == rows_of(ann.get(f"{path}?columns={','.join(usual)}")) and "dm-badge" in rows
    more = ann.get(f"{path}?columns={','.join(usual)},country")
    assert head_of(more).index("Assignee") < head_of(more).index("Country")
    assert rows_of(more).count("dm-badge") == rows.count("dm-badge")
    alone = rows_of(ann.get(f"{path}?columns=name,severity"))
    assert "dm-badge" in alone and DUNS not in alone, "no number where only the name was chosen"


def rows_of(answer: Any) -> str:
    page = str(answer.content.decode())
    return re.sub(r"\?[^\"]*_changelist_filters[^\"]*", "", page[page.index("<tbody") : page.index("</table>")])


def test_amounts_in_chosen_columns_are_grouped_and_years_are_not(ann: Client) -> None:
    Company.objects.create(duns=DUNS, name="Acme Ltd", exposure=157410800, start_year=1998, failure_incidence=940)
    rows = rows_of(ann.get("/portfolio/company/?columns=name,exposure,start_year,failure_incidence"))
    assert all(text in rows for text in ("1,574,108<", "1998", "9.40"))


def test_columns_are_chosen_once_or_for_always(ann: Client) -> None:
    some_news()
    once = ann.post(f"{COMPANIES}columns/", {"column": ["name", "city"], "query": "country=GB"})
    assert once["Location"] == f"{COMPANIES}?country=GB&columns=name,city"
    always = ann.post(f"{COMPANIES}columns/", {"column": ["name", "city"], "query": "country=GB", "keep": "yes"})
    assert always["Location"] == f"{COMPANIES}?country=GB"
    assert "Last update" not in head_of(ann.get(COMPANIES))
    assert "Last update" in head_of(ann.get(f"{COMPANIES}?columns="))
    ann.post(f"{COMPANIES}columns/", {"usual": "yes", "column": ["name"]})
    assert "Last update" in head_of(ann.get(COMPANIES)) and not SavedFilter.objects.exists()


def head_of(answer: Any) -> str:
    page = str(answer.content.decode())
    return page[page.index("<thead") : page.index("</thead")]


def test_chosen_columns_are_what_is_exported(ann: Client) -> None:
    some_news()
    assert columns_in(ann.post(f"{COMPANIES}export/?columns=name,duns", {"format": "csv"})) == ["Name", "D-U-N-S"]
    save_columns(listing="portfolio.company", columns="city", by="ann")
    assert columns_in(ann.post(f"{COMPANIES}export/", {"format": "csv"})) == ["City"]
    assert len(columns_in(ann.post(f"{COMPANIES}export/", {"format": "csv", "all_columns": "yes"}))) > 20
    assert "Columns: City" in text_of(ann.get(f"{COMPANIES}export/"))


def columns_in(answer: Any) -> list[str]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return next(csv.reader(io.StringIO(text)))


def test_a_job_writes_them_too(ann: Client) -> None:
    some_news()
    row = Export.objects.create(
        listing="portfolio.company",
        query="columns=name,duns",
        format=ExportFormat.CSV,
        state=ExportState.WAITING,
        file_name="companies.csv",
        requested_by="ann",
        requested_at="2026-01-01T00:00:00Z",
    )
    assert work_on(row.pk)
    row.refresh_from_db()
    assert b"".join(parts_of(row)).decode("utf-8-sig").splitlines()[0] == "Name,D-U-N-S"


def test_companies_are_sorted_by_columns_with_an_index_only(ann: Client) -> None:
    some_news()
    assert ann.get(f"{COMPANIES}?columns=name,city&o=1").status_code == 200
    head = head_of(ann.get(f"{COMPANIES}?columns=name,city"))
    assert head.count("o=") > 0 and "o=2" not in head
