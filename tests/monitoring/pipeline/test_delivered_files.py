"""Delivered files: cut into deliveries, read like an answer, the same a second time and after a break."""

import json
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from direct_plus.sandbox.control.client import SandboxControl
from monitoring.consumers.membership import gather_all
from monitoring.models import Change, DeadLetter, Delivery, DeliveryState, Notification, Source
from monitoring.pipeline import delivered_files
from monitoring.pipeline.delivered_files import NotForUs, cut, import_file
from portfolio.models import Company, Registration, Subject, SubjectState
from tests.builders.deliveries import as_json
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import REFERENCE

pytestmark = pytest.mark.django_db
A, B = "100000000", "100000001"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*items: Any, kind: str = "NOTIFICATION", number: int = 1, reference: str = REFERENCE) -> Path:
        base = f"{reference}_20260108110647_{kind}_{number}"
        lines = [item if isinstance(item, bytes) else as_json(_unstamped(item)) for item in items]
        path = tmp_path / f"{base}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{base}.txt", b"\n".join(lines) + b"\n")
        return path

    return write


def _unstamped(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "deliveryTimeStamp"}


def updates(count: int) -> list[Any]:
    return [an_update(an_element(current=f"Name {n}"), duns=f"{100_000_000 + n}") for n in range(count)]


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command("import_files", *arguments, stdout=out)
    return out.getvalue()


def test_notifications_come_from_a_file(registration: Registration, write: Write) -> None:
    result = import_file(registration, write(*updates(3), a_notice("DELETE", A)))
    assert (result.parts, result.notifications, result.new, result.unreadable) == (1, 4, 4, 0)
    delivery = Delivery.objects.get()
    assert (delivery.source, delivery.state) == (Source.FILE, DeliveryState.PUBLISHED)
    assert Change.objects.count() == 4
    # A line that bears no time takes the file's.
    stamped = Notification.objects.get(type="DELETE").delivered_at
    assert stamped is not None and stamped.isoformat() == "2026-01-08T11:06:47+00:00"


def test_a_seed_file_names_no_type(registration: Registration, write: Write) -> None:
    seed = {"organization": a_seed(A, primaryName="Acme Ltd")["organization"]}
    import_file(registration, write(seed, kind="SEEDFILE"))
    assert Notification.objects.get().type == "SEED"
    assert Company.objects.get(pk=A).name == "Acme Ltd"
    gather_all()
    assert Subject.objects.get().state == SubjectState.MONITORED


def test_a_file_again_changes_nothing(registration: Registration, write: Write) -> None:
    path = write(*updates(5), a_notice("ENTER", A), a_notice("ENTER", A))
    import_file(registration, path)
    before = (Notification.objects.count(), Change.objects.count(), Delivery.objects.count())
    again = import_file(registration, path)
    assert (again.parts, again.known, again.new) == (1, 1, 0)
    assert "7 notifications, 0 new, 1 part (1 imported before)" in run(str(path))
    assert (Notification.objects.count(), Change.objects.count(), Delivery.objects.count()) == before == (7, 7, 1)


def test_a_file_is_cut_at_whole_lines(
    registration: Registration, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(*updates(40))
    monkeypatch.setattr(delivered_files, "cut", lambda path: cut(path, 1000))
    result = import_file(registration, path)
    assert result.parts > 5 and result.new == 40
    keys = list(Delivery.objects.order_by("id").values_list("id", flat=True))
    first = Notification.objects.filter(delivery=keys[0]).values_list("company_id", flat=True)
    assert A in set(first)


def test_equal_lines_stay_together(write: Write) -> None:
    """How many equal notices there are is part of what they are known by."""
    path = write(*[a_notice("ENTER", A)] * 5, a_notice("ENTER", B))
    assert [len(part) for part in cut(path, 60)] == [5, 1]


def test_what_was_broken_off_goes_on(registration: Registration, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(*updates(40))
    monkeypatch.setattr(delivered_files, "cut", lambda path: cut(path, 1000))

    def stop_after_two(so_far: Any) -> None:
        if so_far.parts == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(registration, path, report=stop_after_two)
    assert Delivery.objects.count() == 2
    result = import_file(registration, path)
    assert (result.known, result.new) == (2, 32)
    assert Notification.objects.count() == 40


def test_stored_and_not_read_is_read_next_time(
    registration: Registration, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(*updates(2))
    with monkeypatch.context() as patch:
        patch.setattr(delivered_files, "ingest", lambda delivery: 0)
        import_file(registration, path)
    assert Delivery.objects.get().state == DeliveryState.RECEIVED
    assert import_file(registration, path).new == 2


def test_an_unreadable_line_holds_up_no_other(registration: Registration, write: Write) -> None:
    result = import_file(registration, write(*updates(2), b"[1, 2]", b"{no json"))
    assert (result.new, result.unreadable) == (2, 2)
    assert DeadLetter.objects.count() == 2


def test_other_files_are_refused(registration: Registration, write: Write) -> None:
    for path in (write(kind="Exceptions"), write(reference="OTHER")):
        with pytest.raises(NotForUs):
            import_file(registration, path)


def test_a_folder_of_all_kinds(registration: Registration, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, [A, B])
    for kind in ("SEEDFILE", "NOTIFICATION", "DunsExport"):
        control.deliver(REFERENCE, kind, per_file=1)
    text = run(control.out_folder())
    assert "1 notification, 1 new, 1 part" in text
    assert "2 companies at D&B, 2 of them not previously known" in text
    assert set(Notification.objects.values_list("company_id", flat=True)) == {A, B}
    assert "(1 imported before)" in run(control.out_folder())
    assert Subject.objects.filter(state=SubjectState.MONITORED).count() == 2


def test_a_file_that_is_not_what_its_header_names(registration: Registration, write: Write, tmp_path: Path) -> None:
    path = write(*updates(1))
    header = {"fileHeader": {"reference": REFERENCE, "files": [{"name": path.name, "hash": "0" * 64}]}}
    (tmp_path / f"{REFERENCE}_20260108110648_NOTIFICATION_HEADER.json").write_text(json.dumps(header))
    good = write(*updates(2), number=2)
    with pytest.raises(CommandError, match="does not match the hash"):
        run(tmp_path)
    assert Notification.objects.count() == 2 and good.exists()


def test_what_cannot_be_read_is_a_sentence(registration: Registration, tmp_path: Path, write: Write) -> None:
    with pytest.raises(CommandError, match="does not exist"):
        run(tmp_path / "nothing.zip")
    with pytest.raises(CommandError, match="No file from D&B"):
        run(tmp_path)
    odd = tmp_path / "list.csv"
    odd.write_text("x")
    with pytest.raises(CommandError, match="does not have the name"):
        run(odd)
    with pytest.raises(CommandError, match="OTHER"):
        run(write(*updates(1), reference="OTHER"))
    broken = tmp_path / f"{REFERENCE}_20260108110649_NOTIFICATION_1.zip"
    broken.write_bytes(b"PK no zip")
    with pytest.raises(CommandError, match="is not a complete zip"):
        run(broken)
