"""Audit actions in readable words: every key that the code writes has a name, and unknown ones stay readable."""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from core.admin import audit
from core.admin.audit_actions import LABELS, action_label, object_label
from core.audit import record, stored_name
from core.models import AuditEntry
from dnbmon_site.accounts.roles import VIEWER
from monitoring.models import Element, ScheduledExport
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.support import PROGRAM

LIST = "/core/auditentry/"


def written_keys() -> Iterator[str]:
    """Keys that stand as they are in a call that writes an entry."""
    for path in (path for folder in PROGRAM for path in (Path(settings.BASE_DIR) / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("record", "note_act"):
                values = [word.value for word in node.keywords if word.arg == "action"]
                yield from (str(one.value) for one in values if isinstance(one, ast.Constant))


def test_every_key_that_is_written_has_a_name_of_its_own() -> None:
    keys = set(written_keys())
    assert len(keys) > 20
    verbs = ("add ", "edit ", "change ", "delete ")
    assert [key for key in sorted(keys) if key not in LABELS and not key.startswith(verbs)] == []


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("registration.pull-now", "Pull started"),
        ("send_add", "Additions sent to D&B"),
        ("edit contract", "Contract changed"),
        ("delete Scheduled task", "Schedule deleted"),
        ("add some thing", "Some thing created"),
        ("something.new_here", "Something new here"),
    ],
)
def test_a_key_is_shown_in_words(key: str, label: str) -> None:
    assert action_label(key) == label


def test_objects_are_named_as_on_their_pages() -> None:
    assert (object_label("subjectimport"), object_label("contract")) == ("Import", "Contract")
    assert object_label("tierrule") == "Tier rule"


def test_stored_keys_do_not_follow_what_pages_call_a_model() -> None:
    assert (stored_name(Element()), stored_name(ScheduledExport())) == ("element", "scheduled export")


@pytest.mark.django_db
def test_list_filter_page_and_export_use_the_name_and_the_filter_the_key(client: Client) -> None:
    client.force_login(a_person(role=VIEWER))
    row = record(actor="ann", action="registration.pull-now", thing=a_contract(), summary="Pulled")
    page = client.get(LIST)
    assert "Pull started" in text_of(page) and "registration.pull-now" not in text_of(page)
    assert "registration.pull-now" in page.content.decode(), "the filter goes by the key"
    assert len(client.get(f"{LIST}?action=registration.pull-now").context["cl"].result_list) == 1
    assert "Pull started" in text_of(client.get(f"{LIST}{row.pk}/change/"))
    answer = client.post(f"{LIST}export/?action=registration.pull-now", {"format": "json", "all_columns": "yes"})
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    (line,) = json.loads(body)
    assert (line["action"], line["action_key"]) == ("Pull started", "registration.pull-now")
    assert (line["what"], line["object_key"], line["changes"]) == ("Contract", "contract", "")


@pytest.mark.django_db
def test_a_spreadsheet_of_the_log_has_the_words_of_the_page_beside_what_is_stored(admin: Client) -> None:
    """And no cell that a spreadsheet would calculate, whatever a user is called."""
    before, after = {"cap": 100, "duns": ["804735132"]}, {"cap": None, "duns": ["=1+1"]}
    record(actor="=ann", action="edit contract", thing=a_contract(), summary="+1", before=before, after=after)
    answer = admin.post(f"{LIST}export/", {"format": "csv"})
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    lines = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    (line,) = (one for one in lines if one["Action key"] == "edit contract")
    assert (line["Action"], line["Action key"], line["Object key"]) == ("Contract changed", "edit contract", "contract")
    assert (line["User"], line["Description"]) == ("'=ann", "'+1")
    names = "addition limit for one user: 100 → –", "D-U-N-S numbers: 804735132 → =1+1"
    assert line["Changes"] == "; ".join(names) and '"cap": 100' in line["Before, as stored"]
    assert line["Before"] == "addition limit for one user: 100; D-U-N-S numbers: 804735132"


@pytest.mark.django_db
def test_the_filter_offers_every_action_and_finds_all_that_read_the_same(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "RECENT", 2)
    client.force_login(a_person(role=VIEWER))
    for action in ("import list", "export", "pull", "registration.pull-now"):
        record(actor="ann", action=action, thing=a_contract(), summary=action)
    choices = {
        label: value
        for value, label in audit.recent_filter("action", "action", action_label, LABELS)(
            client.get(LIST).wsgi_request, {}, AuditEntry, None
        ).lookup_choices
    }
    assert choices.keys() >= {"D&B's list imported", "Export", "Pull started"}
    found = client.get(f"{LIST}?action=export").context["cl"].result_list
    assert [row.action for row in found] == ["export"]
    assert len(client.get(f"{LIST}?action={choices['Pull started']}").context["cl"].result_list) == 2
