"""The pages of a registration's list: adopting, syncing, drift, holding back; who may what."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from direct_plus.sandbox.control.client import SandboxControl
from dnbmon_site.accounts.models import User
from portfolio.jobs import check_lists, sync_now
from portfolio.models import Company, MembershipCheck, Registration, RegistrationState, Subject, SubjectState
from portfolio.registrations.suppress import is_suppressed
from portfolio.sync import progress
from portfolio.sync.run import sync
from tests.builders.companies import duns_numbers
from tests.builders.pages import text_of
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.subjects import request_monitoring, states, subject
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
A, B, C = duns_numbers(3)
BASE = "/portfolio/syncrun/"


@pytest.fixture
def viewer(client: Client) -> Client:
    person = User.objects.create_user("bob", "bob@example.com", "secret words", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(person)
    return client


def there(registration: Registration, *duns: str, **fields: Any) -> None:
    for one in duns:
        Company.objects.get_or_create(duns=one)
        key = Subject.key(registration.pk, one)
        fields = {"state": SubjectState.MONITORED, "checked_at": timezone.now(), **fields}
        Subject.objects.create(id=key, registration=registration, company_id=one, **fields)


def post(client: Client, path: str, **data: Any) -> str:
    return text_of(client.post(f"{BASE}{path}", data, follow=True))


def fields_of(page: Any) -> dict[str, str]:
    """What the preview of a list posts back."""
    hidden = dict(re.findall('type="hidden" name="(name|dnb_time|gone)" value="([^"]*)"', page.text))
    return {**hidden, "numbers": re.findall('name="numbers" hidden>([^<]*)<', page.text)[0]}


def confirm(client: Client, page: Any, registration: Registration, extent: str) -> str:
    return post(client, f"adopt/{registration.pk}/list/", **fields_of(page), extent=extent)


def test_a_list_is_adopted_by_hand(admin: Client, registration: Registration, control: SandboxControl) -> None:
    control.add_companies(registration.reference, [A, B], seed=False)
    page = text_of(admin.get(f"{BASE}adopt/{registration.pk}/"))
    assert "Not adopted" in page and "up to" in page
    (path,) = control.deliver(registration.reference, "DunsExport")
    upload = SimpleUploadedFile(Path(path).name, Path(path).read_bytes())
    shown = admin.post(f"{BASE}adopt/{registration.pk}/", {"file": upload})
    assert "Is the list complete" in text_of(shown) and not Subject.objects.exists()
    assert "2 companies at D&B" in confirm(admin, shown, registration, "complete")
    text = post(admin, f"adopt/{registration.pk}/take/")
    assert "2 companies now requested" in text and "matches your requested companies" in text
    assert subject(registration, A).requested_by == "ann"
    assert calls_of(control) == []


def test_an_unknown_list_is_not_adopted_as_an_empty_one(admin: Client, registration: Registration) -> None:
    Registration.objects.update(last_pulled_at=timezone.now())
    page = text_of(admin.get(f"{BASE}adopt/{registration.pk}/"))
    assert "No company that D&B monitors here is known yet" in page and "not received yet" in page
    assert "nothing was adopted" in post(admin, f"adopt/{registration.pk}/take/")
    registration.refresh_from_db()
    assert not registration.adopted
    assert "0 companies now requested" in post(admin, f"adopt/{registration.pk}/take/", empty="yes")


def test_a_list_known_from_notifications_may_be_incomplete(admin: Client, registration: Registration) -> None:
    there(registration, A)
    page = text_of(admin.get(f"{BASE}adopt/{registration.pk}/"))
    assert "This list may be incomplete" in page and "Adopt this company" in page and "New registration" not in page


def test_an_incomplete_list_is_adopted_after_a_question_that_names_what_is_missing(
    admin: Client, registration: Registration
) -> None:
    there(registration, A)
    question = admin.post(f"{BASE}adopt/{registration.pk}/take/?from=guide")
    text = text_of(question)
    assert "complete list has not been received" in text and "“at least”" in text
    assert "1 company on D&B's list is known" in text
    assert f'href="{BASE}adopt/{registration.pk}/?from=guide"' in question.text, "Cancel leads back"
    registration.refresh_from_db()
    assert not registration.adopted
    assert "1 company now requested" in post(admin, f"adopt/{registration.pk}/take/", confirmed="yes")


def test_an_empty_list_is_offered_once_the_first_pull_has_found_nothing(admin: Client) -> None:
    active = a_registration("NEW_LOD_01", state=RegistrationState.PAUSED, last_pulled_at=None)
    page = text_of(admin.get(f"{BASE}adopt/{active.pk}/"))
    assert "paused and was never pulled" in page and "Activate it first" in page and "empty list" not in page
    Registration.objects.filter(pk=active.pk).update(state=RegistrationState.ACTIVE)
    page = text_of(admin.get(f"{BASE}adopt/{active.pk}/"))
    assert "The first pull has not run yet. It starts within a minute" in page and "Adopt an empty list" not in page
    Registration.objects.filter(pk=active.pk).update(last_pulled_at=timezone.now())
    page = text_of(admin.get(f"{BASE}adopt/{active.pk}/"))
    assert "there is nothing to adopt yet" in page and "Adopt an empty list" in page


def test_an_empty_list_from_dnb_is_adopted_with_a_warning(admin: Client, registration: Registration) -> None:
    upload = SimpleUploadedFile("list.txt", b"DUNS\n")
    shown = admin.post(f"{BASE}adopt/{registration.pk}/", {"file": upload})
    assert "0 companies at D&B" in confirm(admin, shown, registration, "complete")
    page = text_of(admin.get(f"{BASE}adopt/{registration.pk}/"))
    assert "D&B's list is empty" in page and "Adopt an empty list" in page and "not received yet" not in page
    assert "0 companies now requested" in post(admin, f"adopt/{registration.pk}/take/")


def test_a_list_shows_first_what_it_would_do(admin: Client, registration: Registration) -> None:
    there(registration, A, B, checked_at=timezone.now() - timedelta(days=1))
    Company.objects.filter(pk=B).update(name="Litware Inc")
    upload = SimpleUploadedFile("list.txt", f"{A}\n{C}\n1234567\n".encode())
    page = admin.post(f"{BASE}adopt/{registration.pk}/", {"file": upload})
    text = text_of(page)
    assert "3 lines read, with 2 companies" in text and "1 New" in text and "1 Already known" in text
    assert "not D-U-N-S numbers: 1234567" in text and f"Litware Inc ({B})" in text
    assert states(registration) == {A: "monitored", B: "monitored"}, "nothing is changed yet"
    assert "Upload the file again" in confirm(admin, page, registration, "")
    assert states(registration) == {A: "monitored", B: "monitored"}


def test_a_part_of_a_list_only_adds(admin: Client, registration: Registration) -> None:
    there(registration, A, checked_at=timezone.now() - timedelta(days=1))
    page = admin.post(f"{BASE}adopt/{registration.pk}/", {"file": SimpleUploadedFile("list.txt", C.encode())})
    assert "1 company at D&B" in confirm(admin, page, registration, "part")
    assert states(registration) == {A: "monitored", C: "monitored"}
    registration.refresh_from_db()
    assert registration.list_received_at is None, "D&B may monitor more"


def test_a_complete_list_marks_who_is_not_on_it(admin: Client, registration: Registration) -> None:
    there(registration, A, checked_at=timezone.now() - timedelta(days=1))
    page = admin.post(f"{BASE}drift/{registration.pk}/", {"file": SimpleUploadedFile("list.txt", C.encode())})
    there(registration, B, checked_at=timezone.now() - timedelta(days=1))
    assert "has changed since you uploaded" in confirm(admin, page, registration, "complete")
    assert states(registration) == {A: "monitored", B: "monitored"}, "two would go by now, not the one that was shown"
    again = admin.post(f"{BASE}drift/{registration.pk}/", {"file": SimpleUploadedFile("list.txt", C.encode())})
    assert "2 no longer at D&B" in confirm(admin, again, registration, "complete")
    assert states(registration) == {A: "removed", B: "removed", C: "monitored"}


def test_one_part_of_an_export_is_never_complete(admin: Client, registration: Registration) -> None:
    there(registration, A, checked_at=timezone.now() - timedelta(days=1))
    name = f"{registration.reference}_20990105080000_DunsExport_2.txt"
    page = admin.post(f"{BASE}adopt/{registration.pk}/", {"file": SimpleUploadedFile(name, C.encode())})
    assert "one part of an export" in text_of(page) and 'value="complete"' not in page.text
    confirm(admin, page, registration, "complete")
    assert states(registration) == {A: "monitored", C: "monitored"}


def test_adopting_from_the_guide_leads_back_to_it(admin: Client, registration: Registration) -> None:
    there(registration, A)
    page = f"{BASE}adopt/{registration.pk}/"
    assert "Back to the guide" in text_of(admin.get(f"{page}?from=guide"))
    assert "Back to the guide" not in text_of(admin.get(page))
    uploaded = admin.post(f"{page}?from=guide", {"file": SimpleUploadedFile("list.txt", f"{A}\n".encode())})
    assert f'href="{page}?from=guide"' in uploaded.text, "Cancel leads back"
    applied = admin.post(f"{page}list/?to=adopt&from=guide", {**fields_of(uploaded), "extent": "complete"})
    assert applied["Location"] == f"{page}?from=guide"
    assert f'action="{page}take/?from=guide"' in admin.get(f"{page}?from=guide&part=live").text
    assert admin.post(f"{page}take/?from=guide")["Location"] == "/"


def test_a_pasted_list_shows_the_time_first(admin: Client, registration: Registration, control: SandboxControl) -> None:
    control.add_companies(registration.reference, [A], seed=False)
    page = post(admin, f"adopt/{registration.pk}/", numbers=f"{A}\n{B}\n1234567")
    assert "less than a minute" in page and "1234567" in page
    assert not MembershipCheck.objects.exists()
    post(admin, f"adopt/{registration.pk}/", numbers=f"{A},{B}", confirmed="yes")
    check_lists()
    page = text_of(admin.get(f"{BASE}adopt/{registration.pk}/?part=live"))
    assert "2 of 2 numbers checked, 1 at D&B" in page


def test_the_drift_page_shows_both_ways_with_their_cost(admin: Client, adopted: Registration) -> None:
    there(adopted, A)
    there(adopted, B, requested=True, state=SubjectState.REMOVED)
    there(adopted, C, requested=True, state=SubjectState.REFUSED, code="40003", replacement="999999999")
    page = text_of(admin.get(f"{BASE}drift/{adopted.pk}/"))
    assert "Sending them again adds 1 new company" in page
    assert "Requesting it costs nothing" in page
    assert "merged into another company. The company continues as 999999999." in page
    assert "1 company requested. Nothing was sent or billed" in post(admin, f"drift/{adopted.pk}/request/", duns=[A])
    assert "1 company will be sent to D&B again" in post(admin, f"drift/{adopted.pk}/send-again/", all="missing")
    assert "Request for 1 company withdrawn" in post(admin, f"drift/{adopted.pk}/withdraw/", duns=[C])
    assert "Select companies first" in post(admin, f"drift/{adopted.pk}/stop/")
    assert subject(adopted, B).state == SubjectState.UNKNOWN
    # What has no companies any more has no card either.
    assert not re.search('id="(missing|refused|extra)"', admin.get(f"{BASE}drift/{adopted.pk}/").content.decode())


def test_the_drift_page_takes_few_queries(
    admin: Client, adopted: Registration, django_assert_max_num_queries: AtMost
) -> None:
    a_registration("ACME_LOD_02", contract=adopted.contract, adopted=True)
    there(adopted, A)
    there(adopted, B, requested=True, state=SubjectState.REMOVED)
    there(adopted, C, requested=True, state=SubjectState.REFUSED, code="40003")
    with django_assert_max_num_queries(12):
        page = text_of(admin.get(f"{BASE}drift/{adopted.pk}/"))
    assert "Sending them again adds 1 new company" in page


def syncs_asked_for() -> int:
    return [row.task["func"] for row in OrmQ.objects.all()].count("portfolio.jobs.sync_now")


def test_a_sync_is_started_watched_paused_and_cancelled(
    admin: Client, adopted: Registration, control: SandboxControl
) -> None:
    request_monitoring(adopted, [A, B])
    assert "Sync started" in post(admin, f"start/{adopted.pk}/")
    assert syncs_asked_for() == 1
    run = sync(adopted, until=timezone.now())
    assert run is not None
    page = text_of(admin.get(f"{BASE}{run.pk}/change/?part=live"))
    assert "0 of 2 sent" in page and "Cancel unsent changes (2)" in page
    assert "Paused" in post(admin, f"{run.pk}/do/pause/")
    assert "Sync resumed" in post(admin, f"{run.pk}/do/resume/")
    assert sync_now(str(adopted.pk), "ann").startswith("Ended: 2 sent, 2 accepted")
    assert "already changed: its state is “Ended”" in post(admin, f"{run.pk}/do/cancel/")
    assert "Done: 2 accepted" in text_of(admin.get(f"{BASE}{run.pk}/change/"))
    assert "ACME_LOD_01" in text_of(admin.get(BASE))


def test_a_refusal_is_explained_with_what_to_do(admin: Client, adopted: Registration, control: SandboxControl) -> None:
    control.mark(A, "invalid")
    request_monitoring(adopted, [A])
    run = sync(adopted)
    assert run is not None
    page = text_of(admin.get(f"{BASE}{run.pk}/change/"))
    assert "D-U-N-S number is not valid" in page and "leading zero" in page


def test_nothing_starts_before_adopting(admin: Client, registration: Registration) -> None:
    assert "not adopted" in post(admin, f"start/{registration.pk}/")
    assert syncs_asked_for() == 0


def test_holding_back_explains_itself(admin: Client, adopted: Registration, control: SandboxControl) -> None:
    page = text_of(admin.get(f"{BASE}suppress/{adopted.pk}/"))
    assert "no alerts are raised" in page
    for answer in ("202", "204", "200"):
        control.switch("suppress_answer", answer)
        for act in ("activate", "suppress"):
            assert "D&B confirmed the change" in post(admin, f"suppress/{adopted.pk}/", **{act: "yes"}), answer
            adopted.refresh_from_db()
            assert is_suppressed(adopted) is (act == "suppress"), answer
    control.set_fault("server_error", on="activate")
    assert "refused the change" in post(admin, f"suppress/{adopted.pk}/", activate="yes")


def test_a_file_that_is_too_large_is_not_taken(admin: Client, adopted: Registration, settings: Any) -> None:
    settings.IMPORT_LIMIT_MB = 0
    for page in ("adopt", "drift"):
        file = SimpleUploadedFile("ACME_LOD_01_20260105080000_DunsExport_1.txt", b"804735132\n")
        assert "The file is larger than 0 MB" in post(admin, f"{page}/{adopted.pk}/", file=file)


def test_a_zip_holds_no_more_than_may_be_uploaded_without_one(
    admin: Client, adopted: Registration, settings: Any
) -> None:
    settings.IMPORT_LIMIT_MB = 1
    for lines, said in ((100_001, "The file is larger than 1 MB"), (100_000, "100,000 lines read, with 1 company")):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("ACME_LOD_01_20260105080000_DunsExport_1.txt", b"804735132\n" * lines)
        file = SimpleUploadedFile("ACME_LOD_01_20260105080000_DunsExport_1.zip", packed.getvalue())
        assert said in post(admin, f"adopt/{adopted.pk}/", file=file)


def test_a_wrong_file_is_a_sentence(admin: Client, adopted: Registration) -> None:
    upload = SimpleUploadedFile("OTHER_20260105080000_DunsExport_1.zip", b"no zip")
    assert "belongs to OTHER" in post(admin, f"drift/{adopted.pk}/", file=upload)
    upload = SimpleUploadedFile("ACME_LOD_01_20260105080000_DunsExport_1.zip", b"no zip")
    assert "is not a complete zip" in post(admin, f"drift/{adopted.pk}/", file=upload)
    assert "Choose a file" in post(admin, f"drift/{adopted.pk}/")


@pytest.mark.parametrize(
    "path",
    [
        lambda key: f"drift/{key}/request/",
        lambda key: f"start/{key}/",
        lambda key: f"adopt/{key}/",
        lambda key: f"adopt/{key}/take/",
        lambda key: f"suppress/{key}/",
        lambda key: f"drift/{key}/",
    ],
)
def test_who_may_only_look_changes_nothing(viewer: Client, adopted: Registration, path: Callable[[Any], str]) -> None:
    assert viewer.post(BASE + path(adopted.pk)).status_code == 403
    page = text_of(viewer.get(f"{BASE}drift/{adopted.pk}/"))
    assert "Sync now" not in page and "Read the file" not in page


def test_pages_of_large_lists_ask_few_questions(
    admin: Client, adopted: Registration, django_assert_max_num_queries: Any
) -> None:
    there(adopted, *duns_numbers(60))
    request_monitoring(adopted, duns_numbers(60, first=300_000_000))
    with django_assert_max_num_queries(36):
        page = text_of(admin.get(f"{BASE}drift/{adopted.pk}/"))
    assert "Showing 50 of 60." in page
    assert progress.open_run(adopted) is None
