"""Files that somebody names: imported at once, where they are, by the function that all ways share."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from direct_plus.sandbox.control.client import SandboxControl
from monitoring.consumers.membership import gather_all
from monitoring.file_intake import parts
from monitoring.models import (
    Change,
    DeadLetter,
    DeliveredFile,
    Delivery,
    DeliveryState,
    FileState,
    Notification,
    Source,
)
from portfolio.models import Company, Registration, Subject, SubjectState
from tests.builders.delivered_files import a_file, a_header, updates
from tests.builders.notifications import a_notice, a_seed
from tests.builders.registrations import REFERENCE

pytestmark = pytest.mark.django_db
A, B = "100000000", "100000001"


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command("import_files", *arguments, stdout=out)
    return out.getvalue()


def rows() -> tuple[int, int, int]:
    return Notification.objects.count(), Change.objects.count(), Delivery.objects.count()


def test_notifications_come_from_a_file(registration: Registration, tmp_path: Path) -> None:
    told = run(a_file(tmp_path, *updates(3), a_notice("DELETE", A)))
    assert "4 records, 4 new. No header arrived" in told
    delivery = Delivery.objects.get()
    assert (delivery.source, delivery.state) == (Source.FILE, DeliveryState.PUBLISHED)
    assert Change.objects.count() == 4
    # A line that bears no time takes the file's.
    stamped = Notification.objects.get(type="DELETE").delivered_at
    assert stamped is not None and stamped.isoformat() == "2026-01-08T11:06:47+00:00"


def test_a_seed_file_names_no_type(registration: Registration, tmp_path: Path) -> None:
    run(a_file(tmp_path, {"organization": a_seed(A, primaryName="Acme Ltd")["organization"]}, kind="SEEDFILE"))
    assert Notification.objects.get().type == "SEED"
    assert Company.objects.get(pk=A).name == "Acme Ltd"
    gather_all()
    assert Subject.objects.get().state == SubjectState.MONITORED
    assert DeliveredFile.objects.get().counts_by_type == {"SEED": 1}


def test_a_file_again_changes_nothing_and_says_so(registration: Registration, tmp_path: Path) -> None:
    path = a_file(tmp_path, *updates(5), a_notice("ENTER", A), a_notice("ENTER", A))
    run(path)
    before = rows()
    assert "was imported before. It arrived 1 more time, and nothing was changed" in run(path)
    assert rows() == before == (7, 7, 1)
    assert path.exists()


def test_a_file_of_which_nothing_is_noted_any_more_changes_nothing(registration: Registration, tmp_path: Path) -> None:
    path = a_file(tmp_path, *updates(5))
    run(path)
    before = rows()
    DeliveredFile.objects.all().delete()
    run(path)
    assert rows() == before


def test_a_file_is_cut_at_whole_lines(
    registration: Registration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_SIZE", 1000)
    run(a_file(tmp_path, *updates(40)))
    assert Notification.objects.count() == 40
    keys = list(Delivery.objects.order_by("id").values_list("id", flat=True))
    assert len(keys) == DeliveredFile.objects.get().parts > 5
    assert A in Notification.objects.filter(delivery=keys[0]).values_list("company_id", flat=True)


def test_short_lines_are_cut_by_their_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_LINES", 3)
    assert [len(part) for part in parts.cut(a_file(tmp_path, *map(str, range(7))))] == [3, 3, 1]


def test_equal_lines_stay_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many equal notices there are is part of what they are known by."""
    monkeypatch.setattr(parts, "PART_SIZE", 60)
    path = a_file(tmp_path, *[a_notice("ENTER", A)] * 5, a_notice("ENTER", B))
    assert [len(part) for part in parts.cut(path)] == [5, 1]


def test_a_line_without_end_of_repeats_does_not_fill_the_memory(
    registration: Registration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_LINES", 10)
    with pytest.raises(CommandError, match="repeats one line 20 times"):
        run(a_file(tmp_path, *[a_notice("ENTER", A)] * 30))
    assert rows() == (0, 0, 0)


def test_an_unreadable_line_holds_up_no_other(registration: Registration, tmp_path: Path) -> None:
    lines = (b"[1, 2]", b"{no json", b'{"type": "UPDATE", "organization": {"duns": "\xff\xfe"}}', b"null", b"7")
    told = run(a_file(tmp_path, *updates(2), *lines))
    assert "7 records, 2 new, 5 not parsed" in told
    assert (Notification.objects.count(), DeadLetter.objects.count()) == (2, 5)


def test_other_files_are_refused(registration: Registration, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="OTHER is not known here"):
        run(a_file(tmp_path, *updates(1), reference="OTHER"))
    assert not Delivery.objects.exists()


def test_a_folder_of_all_kinds(registration: Registration, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, [A, B])
    for kind in ("SEEDFILE", "NOTIFICATION", "DunsExport"):
        control.deliver(REFERENCE, kind, per_file=1)
    text = run(control.out_folder())
    assert "1 record, 1 new" in text
    assert "2 companies at D&B, 2 of them not previously known" in text
    assert set(Notification.objects.values_list("company_id", flat=True)) == {A, B}
    assert not DeliveredFile.objects.exclude(state=FileState.IMPORTED).exists()
    remarks = dict(DeliveredFile.objects.exclude(remark="").values_list("kind", "remark"))
    assert set(remarks) == {"export"}, "everything else was checked against a header"
    assert "first list of the registration" in remarks["export"]
    assert "nothing was changed" in run(control.out_folder())
    assert Subject.objects.filter(state=SubjectState.MONITORED).count() == 2


def test_a_file_that_is_not_what_its_header_names(registration: Registration, tmp_path: Path) -> None:
    path, good = a_file(tmp_path, *updates(1)), a_file(tmp_path, *updates(2), number=2)
    a_header([path, good])
    a_file(tmp_path, *updates(3))
    with pytest.raises(CommandError, match="does not match the hash"):
        run(tmp_path)
    assert Notification.objects.count() == 2


def test_what_cannot_be_read_is_a_sentence(registration: Registration, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="does not exist"):
        run(tmp_path / "nothing.zip")
    with pytest.raises(CommandError, match="No file from D&B"):
        run(tmp_path)
    odd = tmp_path / "list.csv"
    odd.write_text("x")
    with pytest.raises(CommandError, match="does not have the name"):
        run(odd)
    broken = tmp_path / f"{REFERENCE}_20260108110649_NOTIFICATION_1.zip"
    broken.write_bytes(b"PK no zip")
    with pytest.raises(CommandError, match="is not a complete zip"):
        run(broken)
