"""The page of delivered files, their upload, and the same by the API."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from core.actors import Actor
from core.models import AuditEntry, Blob
from monitoring.file_intake.intake import import_now
from monitoring.jobs import import_delivered_files
from monitoring.models import DeliveredFile, Delivery, FileState, Notification
from portfolio.models import Registration, Subject, SubjectState
from tests.builders.delivered_files import a_file, a_header, updates
from tests.builders.pages import text_of
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
LIST = "/monitoring/deliveredfile/"
A = "100000000"


def upload(client: Client, *paths: Path) -> Any:
    files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in paths]
    return client.post(f"{LIST}upload/", {"files": files}, follow=True)


def test_files_are_uploaded_together_and_imported(
    registration: Registration, admin: Client, folder: Path, tmp_path: Path
) -> None:
    path = a_file(tmp_path, *updates(3))
    answer = upload(admin, path, a_header([path]))
    assert f"{path.name} was uploaded and waits to be imported" in text_of(answer)
    assert import_delivered_files() == 2
    assert Notification.objects.count() == 3
    assert not Blob.objects.exclude(owner__in=Delivery.objects.values("pk")).exists()
    page = text_of(admin.get(f"{LIST}{DeliveredFile.objects.get(name=path.name).pk}/change/"))
    assert "3 records, 3 new" in page and "UPDATE 3" in page and "no changes are made" in page
    assert "was imported before. No changes were made" in text_of(upload(admin, path))
    assert AuditEntry.objects.filter(action="delivered file.upload", actor="ann").count() == 3
    assert "Import without waiting" not in page


def test_a_file_that_waits_may_be_imported_by_somebody(
    registration: Registration, admin: Client, folder: Path, tmp_path: Path
) -> None:
    upload(admin, a_file(tmp_path, *updates(1)))
    import_delivered_files()
    row = DeliveredFile.objects.get()
    page = admin.get(f"{LIST}{row.pk}/change/")
    assert "The file waits for its header until" in text_of(page) and "Import without waiting" in text_of(page)
    admin.post(f"{LIST}{row.pk}/do/import-now/")
    assert import_delivered_files() == 1
    assert "Imported, not checked" in text_of(admin.get(LIST))
    assert "not waiting any longer" in text_of(admin.post(f"{LIST}{row.pk}/do/import-now/", follow=True))


def test_what_cannot_be_uploaded_says_why(
    registration: Registration, admin: Client, folder: Path, tmp_path: Path, settings: Any
) -> None:
    assert "Choose a file first" in text_of(admin.post(f"{LIST}upload/"))
    odd = tmp_path / "list.csv"
    odd.write_text("x")
    assert "not the name of a file from D&B" in text_of(upload(admin, odd))
    settings.IMPORT_LIMIT_MB = 0
    assert "larger than 0 MB" in text_of(upload(admin, a_file(tmp_path, *updates(1))))
    assert DeliveredFile.objects.count() == 1


def test_lists_take_the_right_to_change_what_is_monitored(
    registration: Registration, folder: Path, tmp_path: Path
) -> None:
    person = a_signed_in_person("monitoring.add_deliveredfile", "monitoring.view_deliveredfile")
    answer = upload(person.client, a_file(tmp_path, A, kind="DunsExport"))
    assert "no permission to change monitored companies" in text_of(answer)
    assert not DeliveredFile.objects.exists()


def test_a_list_that_somebody_brings_is_reported_by_that_person(
    registration: Registration, admin: Client, folder: Path, tmp_path: Path
) -> None:
    upload(admin, a_file(tmp_path, A, kind="DunsExport"))
    row = DeliveredFile.objects.get()
    admin.post(f"{LIST}{row.pk}/do/import-now/")
    assert import_delivered_files() == 1
    assert Subject.objects.get().reported_by == row.requester_id


def test_a_list_is_complete_when_somebody_who_may_says_so(
    registration: Registration, admin: Client, folder: Path, tmp_path: Path
) -> None:
    a_subject("100000001", registration, checked_at=timezone.now() - timedelta(days=400))
    upload(admin, a_file(tmp_path, A, kind="DunsExport"))
    row = DeliveredFile.objects.get()
    import_now(row, requested_by=Actor("ann", row.pk))
    import_delivered_files()
    page, act = f"{LIST}{row.pk}/change/", f"{LIST}{row.pk}/do/confirm-list/"
    may = ("monitoring.view_deliveredfile", "monitoring.change_deliveredfile")
    reader = a_signed_in_person(*may, name="bob").client
    assert "Confirm complete list</button>" not in reader.get(page).content.decode()
    assert reader.post(act, {"gone": "1", "confirmed": "yes"}).status_code == 403
    assert "Confirm complete list</button>" in admin.get(page).content.decode()
    asked = text_of(admin.post(act, {"gone": "1"}))
    assert "1 company that D&B monitored before is not on this list" in asked and "100000001" in asked
    assert "has changed since" in text_of(admin.post(act, {"gone": "2", "confirmed": "yes"}, follow=True))
    assert "1 no longer at D&B" in text_of(admin.post(act, {"gone": "1", "confirmed": "yes"}, follow=True))
    assert Subject.objects.get(company="100000001").state == SubjectState.REMOVED


# The API


def send(program: Program, path: Path, name: str = "") -> Any:
    address = f"/api/v1/files/?name={name or path.name}"
    return program.client.post(
        address, path.read_bytes(), content_type="application/octet-stream", headers=program.headers
    )


@pytest.fixture
def erp() -> Program:
    return Program.with_key(scopes="read,write:files")


def test_the_api_uploads_and_lists(registration: Registration, erp: Program, folder: Path, tmp_path: Path) -> None:
    path = a_file(tmp_path, *updates(2))
    answer = send(erp, path)
    assert (answer.status_code, answer.json()["state"]) == (200, "waiting")
    send(erp, a_header([path]))
    import_delivered_files()
    found = erp.walk("files/", limit=1)
    assert [(one["name"], one["state"], one["records"]) for one in found if one["kind"] == "notification"] == [
        (path.name, "imported", 2)
    ]
    assert len(found) == 2
    assert send(erp, path).json()["id"] == answer.json()["id"]
    assert [one["repeats"] for one in erp.walk("files/", state="imported") if one["id"] == answer.json()["id"]] == [1]
    assert erp.walk("files/", state="refused") == []


@pytest.mark.parametrize("name", ["", "../x.zip", "a\\b.zip", "x" * 300])
def test_a_name_is_a_name(erp: Program, tmp_path: Path, name: str) -> None:
    path = a_file(tmp_path, *updates(1))
    answer = erp.client.post(
        "/api/v1/files/",
        path.read_bytes(),
        content_type="application/zip",
        headers=erp.headers,
        QUERY_STRING=f"name={name}",
    )
    assert answer.status_code == 400
    assert not DeliveredFile.objects.exists()


def test_a_body_has_a_limit(erp: Program, tmp_path: Path, settings: Any) -> None:
    settings.IMPORT_LIMIT_MB = 0
    answer = send(erp, a_file(tmp_path, *updates(1)))
    assert answer.status_code == 400 and "larger than 0 MB" in answer.content.decode()


def test_a_refused_file_says_why(erp: Program, tmp_path: Path) -> None:
    answer = send(erp, a_file(tmp_path, *updates(1)))
    assert (answer.json()["state"], "is not known here" in answer.json()["reason"]) == (FileState.REFUSED, True)
