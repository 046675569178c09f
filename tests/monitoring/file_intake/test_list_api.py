"""D&B's list in the API: what confirming it does, and confirmed by a person."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from core.actors import Actor
from core.models import AuditEntry
from monitoring.file_intake.intake import import_now
from monitoring.jobs import import_delivered_files
from monitoring.models import DeliveredFile
from portfolio.models import Registration, Subject, SubjectState
from tests.builders.delivered_files import a_file
from tests.builders.programs import Program
from tests.builders.subjects import a_subject
from tests.monitoring.file_intake.test_admin import A, upload

pytestmark = pytest.mark.django_db
B = "100000001"


def test_a_list_is_confirmed_by_a_person_with_the_number_that_was_shown(
    registration: Registration, admin: Client, folder: Path, tmp_path: Path
) -> None:
    a_subject(B, registration, checked_at=timezone.now() - timedelta(days=400))
    upload(admin, a_file(tmp_path, A, kind="DunsExport"))
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
