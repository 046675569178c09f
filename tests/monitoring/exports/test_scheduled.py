"""Files written at a time of day: complete when the marker is there, nothing left out, nothing outside the folder."""

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook
from rest_framework.exceptions import ValidationError as BadFilter

from core.lists.saved_filters import save_filter
from core.models import SavedFilter
from dnbmon_site.accounts.models import User
from monitoring.exports import scheduled
from monitoring.exports.scheduled import feed_parameters, next_time, plan, write_due, write_now
from monitoring.models import Change, Publication, ScheduledExport
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.programs import Program
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
OTHER = "000483782"


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.EXPORT_FOLDER = tmp_path / "exports"
    return tmp_path / "exports"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 3, 2, 5, 0, tzinfo=UTC), tick=True) as moving:
        yield moving


def an_export(**columns: Any) -> ScheduledExport:
    export = ScheduledExport(**{"name": "changes", "at": time(6), **columns})
    plan(export)
    export.save(force_insert=True)
    return export


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def written(export: ScheduledExport, folder: Path) -> Path:
    assert write_now(export), export.error
    return folder / export.folder / export.file_name


def test_it_is_written_at_its_time_and_then_every_day(folder: Path, clock: time_machine.Traveller) -> None:
    export = an_export()
    assert write_due() == 0
    clock.shift(timedelta(hours=1, minutes=1))
    assert write_due() == 1
    assert write_due() == 0
    export.refresh_from_db()
    assert export.due_at == datetime(2026, 3, 3, 6, tzinfo=UTC)
    clock.shift(timedelta(days=1))
    assert write_due() == 1
    assert len(files(folder)) == 4


@pytest.mark.parametrize(
    ("zone", "after", "expected"),
    [
        ("UTC", "2026-03-02T05:59:00+00:00", "2026-03-02T06:00:00+00:00"),
        ("UTC", "2026-03-02T06:00:00+00:00", "2026-03-03T06:00:00+00:00"),
        ("Europe/Berlin", "2026-03-02T04:59:00+00:00", "2026-03-02T05:00:00+00:00"),
        ("Europe/Berlin", "2026-03-28T12:00:00+00:00", "2026-03-29T04:00:00+00:00"),
        ("Pacific/Auckland", "2026-03-02T12:00:00+00:00", "2026-03-02T17:00:00+00:00"),
    ],
)
def test_times_are_those_of_the_zone(zone: str, after: str, expected: str) -> None:
    assert next_time(time(6), zone, datetime.fromisoformat(after)) == datetime.fromisoformat(expected)


def test_the_changes_since_the_last_file(folder: Path) -> None:
    delivered(a_notice("EXIT"))
    export = an_export(format="jsonl")
    delivered(a_seed(), an_update())
    first = [json.loads(line) for line in written(export, folder).read_text().splitlines()]
    assert sorted(one["kind"] for one in first) == ["baseline", "element"]
    delivered(a_notice("DELETE", delivered=stamp(days=3)))
    second = [json.loads(line) for line in written(export, folder).read_text().splitlines()]
    assert [one["kind"] for one in second] == ["deleted"]
    assert written(export, folder).read_text() == ""
    assert export.rows == 0


def test_lines_are_as_in_the_api(folder: Path, program: Program) -> None:
    export = an_export(format="jsonl")
    delivered(an_update(an_element("organization.yearlyRevenue", None, 3.5)))
    (line,) = written(export, folder).read_text().splitlines()
    (item,) = program.follow().items
    assert json.loads(line) == item


def test_filters_are_those_of_the_api(folder: Path) -> None:
    export = an_export(format="jsonl", filters="kind=deleted&severity=high")
    delivered(an_update(), a_notice("DELETE", delivered=stamp(days=3)))
    assert len(written(export, folder).read_text().splitlines()) == 1
    with pytest.raises(BadFilter):
        feed_parameters(ScheduledExport(filters="sevrity=high"))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_all_companies_for_spreadsheets(folder: Path, form: str) -> None:
    export = an_export(name="all", content="companies", format=form, filters="country=GB")
    delivered(a_seed(OTHER, primaryName="=1+1"), a_seed(DUNS), a_seed("123456789", countryISOAlpha2Code="DE"))
    path = written(export, folder)
    if form == "csv":
        rows: list[list[Any]] = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    else:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert len(rows) == 3
    assert {row[0] for row in rows[1:]} == {OTHER, DUNS}, "with their zeros"
    assert not any(str(cell).startswith("=") for row in rows for cell in row)
    assert export.rows == 2


def test_the_marker_is_written_last_and_says_what_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = an_export()
    delivered(an_update())

    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(scheduled, "_mark_done", killed)
        with pytest.raises(KeyboardInterrupt):
            write_now(export)
    assert not any(name.endswith(".done") for name in files(folder))
    export.refresh_from_db()
    path = written(export, folder)
    told = json.loads(path.with_name(f"{path.name}.done").read_text())
    assert told["rows"] == 1
    assert told["bytes"] == path.stat().st_size
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert told["file"] == path.name


def test_two_processes_write_one_file(folder: Path) -> None:
    export = an_export()
    stale = ScheduledExport.objects.get(pk=export.pk)
    assert write_now(export)
    assert not write_now(stale)
    assert len(files(folder)) == 2


def test_what_fails_says_why_and_is_tried_again(
    folder: Path, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = an_export()
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")
    assert not write_now(export)
    assert export.error == f"The file could not be written to {folder}: File exists." and export.failed_at
    assert export.due_at < timezone.now() + timedelta(minutes=16)
    folder.unlink()
    clock.shift(timedelta(minutes=16))
    assert write_due() == 1
    export.refresh_from_db()
    assert not export.error and not export.failed_at


def test_a_failed_export_shows_its_reason_and_when_it_is_tried_again(admin_client: Client, folder: Path) -> None:
    export = an_export()
    page = f"/monitoring/scheduledexport/{export.pk}/"
    ScheduledExport.objects.update(error="no server answers.", failed_at=timezone.now())
    for shown in (f"{page}change/", "/monitoring/scheduledexport/"):
        assert "no server answers. " in text_of(admin_client.get(shown)), shown
    assert "Next attempt: " in text_of(admin_client.get(f"{page}change/"))
    folder.write_text("a file where the folder should be")
    said = text_of(admin_client.post(f"{page}do/run/", follow=True))
    assert f"changes: The file could not be written to {folder}: File exists." in said and ".." not in said
    folder.unlink()
    said = text_of(admin_client.post(f"{page}do/run/", follow=True))
    assert ".csv: 0 rows." in said and "Next attempt" not in said


def test_exports_are_listed_by_their_next_file_and_disabled_ones_last(admin_client: Client, folder: Path) -> None:
    now = timezone.now()
    for name, is_active, due in (("A off", False, 0), ("B late", True, 2), ("C soon", True, 1)):
        export = an_export(name=name, is_active=is_active)
        ScheduledExport.objects.filter(pk=export.pk).update(due_at=now + timedelta(hours=due))
    text = text_of(admin_client.get("/monitoring/scheduledexport/"))
    assert text.index("C soon") < text.index("B late") < text.index("A off")


def test_the_page_shows_what_the_file_contains_and_where_it_goes(admin_client: Client, folder: Path) -> None:
    page = text_of(admin_client.get("/monitoring/scheduledexport/add/"))
    assert "Columns: D-U-N-S, Name, Changed at D&B, Severity" in page and "Columns: D-U-N-S, Name, City" in page
    assert "separated by commas" in page and "The first file begins with the creation of the export" in page
    assert f"files are written on this machine to {folder} or" in page
    export = an_export(folder="erp", content="companies")
    page = text_of(admin_client.get(f"/monitoring/scheduledexport/{export.pk}/change/"))
    assert page.startswith(" changes | ") or "changes | D&B Monitoring" in page, "the page keeps its title"
    assert str(folder / "erp") in page and "Run export now" in page and "Changed at D&B" not in page
    assert "Every day at 06:00, UTC" in text_of(admin_client.get("/monitoring/scheduledexport/"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"filters": "severty=high"}, "severty: Unknown parameter; the known ones are kind, severity, "),
        ({"filters": "country=DE,XXX"}, "country: "),
        ({"filters": "limit=5"}, "limit: Unknown parameter"),
        ({"name": "daily changes"}, "Use only letters A–Z, digits, hyphens and underscores, without spaces"),
    ],
)
def test_a_mistake_in_the_form_is_said_in_words(
    admin_client: Client, folder: Path, fields: dict[str, str], words: str
) -> None:
    form = {"name": "all", "format": "csv", "at": "06:00", "zone": "UTC", "content": "changes", **fields}
    page = text_of(admin_client.post("/monitoring/scheduledexport/add/", form))
    assert words in page
    assert not any(code in page for code in ("ErrorDetail", "slug", "{'", "[{", "{0:"))


@pytest.mark.parametrize("place", ["../elsewhere", "/etc", "a/../../b", "a\0b"])
def test_nothing_is_written_outside_the_folder(folder: Path, place: str) -> None:
    with pytest.raises((ValidationError, ValueError)):
        an_export(folder=place)


def test_a_folder_below(folder: Path) -> None:
    export = an_export(folder="erp/in")
    assert written(export, folder).parent == folder / "erp" / "in"


def test_after_a_restored_backup_it_goes_on(folder: Path) -> None:
    export = an_export(format="jsonl")
    delivered(an_update())
    written(export, folder)
    Publication.objects.all().delete()
    assert not write_now(export)
    assert "backup" in export.error
    delivered(a_notice("EXIT"))
    assert len(written(export, folder).read_text().splitlines()) == 1


def test_a_saved_filter_says_what_and_in_which_columns(folder: Path) -> None:
    User.objects.create_superuser("ann")
    saved = save_filter(
        listing="monitoring.change", name="Gone", query="kind=deleted", columns="duns,kind", shared=True, by="ann"
    )
    export = an_export(format="csv", saved_filter=saved)
    delivered(a_seed(), at=stamp())
    delivered(a_notice("DELETE"), at=stamp())
    lines = written(export, folder).read_text("utf-8-sig").splitlines()
    assert lines == ["D-U-N-S,Change type", f"{DUNS},Deleted at D&B"]
    assert written(export, folder).read_text("utf-8-sig").splitlines() == ["D-U-N-S,Change type"]


@pytest.mark.parametrize("filtered", [False, True])
def test_a_file_says_what_became_of_a_change(folder: Path, filtered: bool) -> None:
    """Also where a saved filter's list shows only what holds."""
    User.objects.create_superuser("ann")
    saved = save_filter(
        listing="monitoring.change",
        name="Names",
        query="severity=all&kind=element",
        columns="current,verb,replaced_by",
        shared=True,
        by="ann",
    )
    full, update = a_registration("FULL", full_product=True), a_registration("UPDATES")
    delivered(a_seed(primaryName="A", delivered=stamp(days=1)), registration=full)
    export = an_export(format="csv", **({"saved_filter": saved} if filtered else {"filters": "kind=element"}))
    delivered(a_seed(primaryName="B", delivered=stamp(days=3)), registration=full)
    name = an_element("organization.primaryName", "A", "B", stamp(days=2))
    delivered(an_update(name, delivered=stamp(days=2)), registration=update)
    update_ = str(Change.objects.get(element=name["element"], derived_from="").pk)
    rows = list(csv.DictReader(written(export, folder).read_text("utf-8-sig").splitlines()))
    assert sorted((row["Status"], row["Replaced by"]) for row in rows) == [
        ("Replaced", update_),
        ("Reported", ""),
        ("Reported", update_),
    ]


def test_companies_of_a_saved_filter(folder: Path) -> None:
    person = User.objects.create_superuser("ann")
    delivered(a_seed(), a_seed(OTHER), at=stamp())
    saved = save_filter(
        listing="portfolio.company", name="One", query=f"q={OTHER}", columns="duns", shared=True, by="ann"
    )
    export = an_export(name="one", content="companies", saved_filter=saved)
    assert written(export, folder).read_text("utf-8-sig").split() == ["D-U-N-S", OTHER]
    person.delete()
    assert not write_now(export)
    assert "no longer exists" in export.error


def test_the_form_takes_a_shared_filter_of_the_same_list(admin_client: Client, folder: Path) -> None:
    saved = save_filter(listing="portfolio.company", name="All", query="", columns="", shared=True, by="ann")
    own = save_filter(listing="portfolio.company", name="Own", query="", columns="", shared=False, by="bob")
    form = {"name": "all", "format": "csv", "at": "06:00", "zone": "UTC", "content": "companies"}
    add = "/monitoring/scheduledexport/add/"
    assert "Companies: All" in admin_client.get(add).content.decode()
    wrong = admin_client.post(add, {**form, "content": "changes", "saved_filter": saved.pk})
    assert "Choose one that matches the content" in wrong.content.decode()
    both = admin_client.post(add, {**form, "filters": "country=DE", "saved_filter": saved.pk})
    assert "not both" in both.content.decode()
    assert admin_client.post(add, {**form, "saved_filter": own.pk}).status_code == 200
    assert admin_client.post(add, {**form, "saved_filter": saved.pk}).status_code == 302
    admin_client.post(f"/core/savedfilter/{saved.pk}/delete/", {"post": "yes"})
    assert SavedFilter.objects.filter(pk=saved.pk).exists()


def test_exposure_stands_in_a_file_only_where_the_filter_names_it(folder: Path) -> None:
    User.objects.create_superuser("ann")
    heads: list[list[str]] = []
    for columns in ("", "duns,exposure"):
        saved = save_filter(
            listing="portfolio.company", name=f"With {columns}", query="", columns=columns, shared=True, by="ann"
        )
        export = an_export(name=f"file{len(heads)}", content="companies", saved_filter=saved)
        heads.append(written(export, folder).read_text("utf-8-sig").split("\n")[0].split(","))
    assert "D-U-N-S" in heads[0]
    assert "Exposure" not in heads[0]
    assert [head.strip() for head in heads[1]] == ["D-U-N-S", "Exposure"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"query": "exposure=known", "columns": ""}, "cannot be filtered by “exposure”"),
        ({"query": "", "columns": "duns,exposure"}, "permission to view these columns of the filter: Exposure."),
    ],
)
def test_who_may_not_see_exposure_schedules_no_files_with_it(
    client: Client, folder: Path, values: dict[str, str], words: str
) -> None:
    saved = save_filter(listing="portfolio.company", name="All", shared=True, by="ann", **values)
    form = {"name": "all", "format": "csv", "at": "06:00", "zone": "UTC", "content": "companies"}
    rights = ("view_scheduledexport", "add_scheduledexport", "view_company")
    client.force_login(a_person(*rights))
    answer = client.post("/monitoring/scheduledexport/add/", {**form, "saved_filter": saved.pk})
    assert words in text_of(answer)
    client.force_login(a_person(*rights, "view_exposure", username="eve"))
    assert client.post("/monitoring/scheduledexport/add/", {**form, "saved_filter": saved.pk}).status_code == 302
