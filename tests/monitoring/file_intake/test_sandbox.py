"""The sandbox's files in the watched folder, in each form that D&B may give them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from monitoring.models import DeliveredFile, FileState, Notification
from portfolio.models import Registration
from tests.builders.registrations import REFERENCE

pytestmark = pytest.mark.django_db
Take = Callable[[], int]
A, B = "100000000", "100000001"


@pytest.mark.parametrize("case", ["new", "old"])
@pytest.mark.parametrize("seed_header", ["SEEDFILE_HEADER", "SEED_HEADER"])
def test_every_form_of_a_header_is_understood(
    registration: Registration, control: SandboxControl, folder: Path, take: Take, case: str, seed_header: str
) -> None:
    control.switch("header_case", case)
    control.switch("seed_header", seed_header)
    control.add_companies(REFERENCE, [A, B])
    for kind in ("SEEDFILE", "NOTIFICATION"):
        control.deliver(REFERENCE, kind, per_file=1, folder=str(folder))
    assert take() == 6
    assert set(DeliveredFile.objects.values_list("state", "remark")) == {(FileState.IMPORTED, "")}
    assert set(Notification.objects.values_list("company_id", flat=True)) == {A, B}


def test_sets_without_headers_wait(
    registration: Registration, control: SandboxControl, folder: Path, take: Take
) -> None:
    control.switch("headers", False)
    control.add_companies(REFERENCE, [A])
    control.deliver(REFERENCE, "SEEDFILE", folder=str(folder))
    assert take() == 0
    assert DeliveredFile.objects.get().state == FileState.WAITING
