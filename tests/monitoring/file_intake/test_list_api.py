"""D&B's list in the API: what confirming it does, and confirmed by a person."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from core.actors import Actor
from core.models import AuditEntry
from monitoring.file_intake.arrivals import upload_file
from monitoring.file_intake.intake import import_now
from monitoring.jobs import import_delivered_files
from monitoring.models import DeliveredFile, FileSource
from portfolio.models import Registration, Subject, SubjectState
from tests.builders.delivered_files import a_file
from tests.builders.people import an_actor
from tests.builders.programs import Program
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
A, B = "100000000", "100000001"


def test_a_list_is_confirmed_by_a_person_with_the_number_that_was_shown(
    registration: Registration, admin: Client, folder: Path, tmp_path: Path
) -> None:
    a_subject(B, registration, checked_at=timezone.now() - timedelta(days=400))
    path = a_file(tmp_path, A, kind="DunsExport")
    upload_file(
        name=path.name,
        content=path.read_bytes(),
        source=FileSource.API,
        requested_by=an_actor("erp"),
        may_change_lists=True,
    )
    row = DeliveredFile.objects.get()
    key, ann = Program.with_key(scopes="read, write:files, write:portfolio"), Program(admin)
    assert key.read(f"files/{row.pk}/confirm/") == {"gone": None, "companies": []}
    import_now(row, requested_by=Actor("ann", row.pk))
    import_delivered_files()
    shown = key.read(f"files/{row.pk}/confirm/")
    assert shown["gone"] == 1 and B in shown["companies"][0]
    assert key.read(f"files/{row.pk}/")["remark"].startswith("Companies were only added")
    assert key.post(f"files/{row.pk}/confirm/", {"gone": 1}).status_code == 403
    assert ann.post(f"files/{row.pk}/confirm/", {"gone": 2}).status_code == 409
    assert "1 no longer at D&B" in ann.post(f"files/{row.pk}/confirm/", {"gone": 1}).json()["result"]
    assert Subject.objects.get(company=B).state == SubjectState.REMOVED
    assert ann.post(f"files/{row.pk}/confirm/", {"gone": 0}).status_code == 409
    assert AuditEntry.objects.filter(action="import list", actor="ann").exists()
