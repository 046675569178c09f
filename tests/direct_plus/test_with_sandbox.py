"""The client against the sandbox over real HTTP: both keep the same contract."""

import json
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from direct_plus import delivered_files, errors
from direct_plus.candidates import CompanyQuery
from direct_plus.client import DirectPlus, SubjectPath
from direct_plus.payloads import parse_stamp, read_item, split_answer
from direct_plus.rate_limit import LocalThrottle
from direct_plus.results import Outcome
from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox, start_sandbox
from direct_plus.session import Session, error_of
from direct_plus.token_store import Credentials, MemoryTokenStore
from direct_plus.transport import Answer

REFERENCE = "ACME_LOD_01"
DUNS, OTHER = "804735132", "150483782"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    control = running.control
    control.reset()
    control.set_credentials("sandbox-key", "sandbox-secret")
    control.switch("calls_per_second", 0)
    control.add_registration(REFERENCE)
    return running


@pytest.fixture
def control(sandbox: Sandbox) -> SandboxControl:
    return sandbox.control


@pytest.fixture
def direct_plus(sandbox: Sandbox) -> DirectPlus:
    return a_client(sandbox)


def a_client(
    sandbox: Sandbox,
    *,
    secret: str = "sandbox-secret",
    version: int = 2,
    path: SubjectPath = "subjects",
    timeout: float = 5,
) -> DirectPlus:
    credentials = Credentials("sandbox-key", secret)
    session = Session(sandbox.url, lambda: credentials, MemoryTokenStore(), LocalThrottle(1000), timeout, version)
    return DirectPlus(session, path)


def numbers_in(answer: Answer) -> list[str]:
    split = split_answer(answer.body)
    assert split is not None
    return [read_item(item).duns for item in split.items]


@pytest.mark.parametrize("version", [2, 3])
def test_both_token_versions(version: int, sandbox: Sandbox) -> None:
    assert a_client(sandbox, version=version).registrations() == [REFERENCE]
    with pytest.raises(errors.NotAuthorised):
        a_client(sandbox, version=version, secret="wrong").registrations()


def test_an_expired_token_is_renewed(control: SandboxControl, direct_plus: DirectPlus) -> None:
    direct_plus.registrations()
    control.move_clock(90_000)
    assert direct_plus.registrations() == [REFERENCE]
    control.move_clock(90_000)
    assert isinstance(error_of(direct_plus.pull(REFERENCE, limit=1)), errors.TokenExpired)
    assert direct_plus.session.renew_token()
    assert direct_plus.pull(REFERENCE, limit=1).status == 404


def test_details_and_switches(direct_plus: DirectPlus) -> None:
    detail = direct_plus.registration(REFERENCE)
    assert (detail.reference, detail.notification_type, detail.suppressed) == (REFERENCE, "UPDATE", False)
    direct_plus.suppress(REFERENCE)
    assert direct_plus.registration(REFERENCE).suppressed
    direct_plus.activate(REFERENCE)
    assert not direct_plus.registration(REFERENCE).suppressed
    with pytest.raises(errors.NotFound):
        direct_plus.registration("NOBODY")


def test_what_is_pulled_is_replayed_and_then_both_end(control: SandboxControl, direct_plus: DirectPlus) -> None:
    control.add_companies(REFERENCE, [DUNS, OTHER])
    begun = direct_plus.session.dnb_time or control.clock()
    pulled = [direct_plus.pull(REFERENCE, limit=1) for _ in range(2)]
    assert sorted(number for answer in pulled for number in numbers_in(answer)) == [OTHER, DUNS]
    end = direct_plus.pull(REFERENCE, limit=1)
    assert end.status == 404 and isinstance(error_of(end), errors.NotFound)
    replayed = direct_plus.replay(REFERENCE, since=begun - timedelta(seconds=1), limit=100)
    assert numbers_in(replayed) == [number for answer in pulled for number in numbers_in(answer)]
    split = split_answer(replayed.body)
    assert split is not None and parse_stamp(split.transaction_timestamp) == replayed.dnb_time
    last = parse_stamp(read_item(split.items[-1]).delivery_stamp)
    assert last is not None
    past_the_end = last + timedelta(milliseconds=1)
    assert direct_plus.replay(REFERENCE, since=past_the_end, limit=100).status == 404


@pytest.mark.parametrize("path", ["subjects", "duns"])
def test_subjects_one_by_one(path: SubjectPath, sandbox: Sandbox) -> None:
    direct_plus = a_client(sandbox, path=path)
    assert direct_plus.check_subject(REFERENCE, DUNS).outcome is Outcome.ABSENT
    assert direct_plus.add_subject(REFERENCE, DUNS, "C-1").outcome is Outcome.DONE
    assert direct_plus.add_subject(REFERENCE, DUNS).outcome is Outcome.ALREADY
    assert direct_plus.check_subject(REFERENCE, DUNS).present
    assert direct_plus.remove_subject(REFERENCE, DUNS).outcome is Outcome.DONE
    assert direct_plus.remove_subject(REFERENCE, DUNS).outcome is Outcome.ABSENT


@pytest.mark.parametrize("reading", ["error", "information"])
def test_already_and_absent_are_understood_in_both_readings(reading: str, sandbox: Sandbox) -> None:
    sandbox.control.switch("already_listed", reading)
    direct_plus = a_client(sandbox)
    direct_plus.add_subject(REFERENCE, DUNS)
    assert direct_plus.add_subject(REFERENCE, DUNS).outcome is Outcome.ALREADY
    assert direct_plus.remove_subject(REFERENCE, OTHER).outcome is Outcome.ABSENT


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("invalid", Outcome.INVALID),
        ("deleted", Outcome.DELETED),
        ("transferred", Outcome.TRANSFERRED),
        ("unknown", Outcome.UNKNOWN),
    ],
)
def test_refused_numbers(kind: str, outcome: Outcome, control: SandboxControl, direct_plus: DirectPlus) -> None:
    control.mark(DUNS, kind, retained=OTHER)
    answer = direct_plus.add_subject(REFERENCE, DUNS)
    assert answer.outcome is outcome
    assert answer.replacement == (OTHER if kind == "transferred" else None)


@pytest.mark.parametrize("path", ["subjects", "duns"])
def test_subjects_in_batches(path: SubjectPath, sandbox: Sandbox) -> None:
    direct_plus, control = a_client(sandbox, path=path), sandbox.control
    assert direct_plus.add_subjects(REFERENCE, [DUNS, OTHER]).outcome is Outcome.PENDING
    control.move_clock(10)
    control.tick()
    assert sorted(control.subjects(REFERENCE)) == [OTHER, DUNS]
    direct_plus.remove_subjects(REFERENCE, [OTHER])
    control.move_clock(10)
    control.tick()
    assert control.subjects(REFERENCE) == [DUNS]


def test_files_that_are_exported_and_delivered(control: SandboxControl, direct_plus: DirectPlus) -> None:
    control.add_companies(REFERENCE, [DUNS, OTHER])
    direct_plus.export_subjects(REFERENCE)
    control.move_clock(10)
    control.tick()
    delivered = {delivered_files.parse_file_name(name): Path(name) for name in [
        *control.deliver(REFERENCE, "SEEDFILE"), *control.deliver(REFERENCE, "NOTIFICATION"), *control.files(),
    ]}  # fmt: skip
    found = {name.kind: path for name, path in delivered.items() if name and name.reference == REFERENCE}
    assert sorted(delivered_files.read_export(found[delivered_files.FileKind.EXPORT])) == [OTHER, DUNS]
    seeds = [
        read_item(line, default_type="SEED")
        for line in delivered_files.read_lines(found[delivered_files.FileKind.SEED])
    ]
    assert sorted(seed.duns for seed in seeds) == [OTHER, DUNS]
    header = delivered_files.read_header(found[delivered_files.FileKind.SEED_HEADER].read_bytes())
    assert (header.reference, header.total) == (REFERENCE, 2)
    assert delivered_files.sha256_of(found[delivered_files.FileKind.SEED]) in {file.sha256 for file in header.files}


def test_beside_monitoring(control: SandboxControl, direct_plus: DirectPlus) -> None:
    control.add_companies(REFERENCE, [{"duns": DUNS, "primaryName": "Acme GmbH", "countryISOAlpha2Code": "DE"}])
    assert direct_plus.entitlements()
    long_ago = date(2000, 1, 1)
    assert direct_plus.refresh_check(DUNS, product_id="p", version_id="v", reference_date=long_ago) in (True, False)
    answer = direct_plus.data_blocks(DUNS, block_ids=["companyinfo_L2_v1"])
    assert json.loads(answer.body)["organization"]["duns"] == DUNS
    (found,) = direct_plus.match(CompanyQuery("acme gmbh", "DE"))
    assert (found.duns, found.name, found.confidence) == (DUNS, "Acme GmbH", 10)
    assert direct_plus.match(CompanyQuery("zzz", "DE")) == []


def test_too_many_calls_are_told_apart_and_waited_out(sandbox: Sandbox) -> None:
    sandbox.control.switch("calls_per_second", 5)
    answers: list[Answer] = []
    hasty = a_client(sandbox)
    hasty.session.ensure_token()
    threads = [
        threading.Thread(target=lambda: answers.append(hasty.session.send("GET", "/v1/entitlements"))) for _ in range(9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(isinstance(error_of(answer), errors.TooManyCalls) for answer in answers)
    assert hasty.registrations() == [REFERENCE]


@pytest.mark.parametrize(
    ("fault", "params", "branch"),
    [
        ("drop", {}, errors.Unreachable),
        ("drop", {"reset": True}, errors.Unreachable),
        ("tear", {}, errors.Unreachable),
        ("tear", {"reset": True}, errors.Unreachable),
        ("drip", {}, errors.TimedOut),
        ("delay", {"seconds": 2}, errors.TimedOut),
        ("server_error", {"shape": "html"}, errors.ServerTrouble),
        ("server_error", {"code": None, "shape": "empty"}, errors.ServerTrouble),
        ("http_error", {"shape": "fault"}, errors.ServerTrouble),
        ("too_many", {"retry_after": 3}, errors.TooManyCalls),
        ("quota", {}, errors.QuotaUsedUp),
        ("expired_token", {}, errors.TokenExpired),
        ("not_authorised", {}, errors.NotAuthorised),
        ("redirect", {}, errors.Unreadable),
    ],
)
def test_each_fault_of_a_pull_is_one_answer_in_its_branch(
    fault: str, params: dict[str, object], branch: type[errors.DirectPlusError], sandbox: Sandbox
) -> None:
    sandbox.control.add_companies(REFERENCE, count=5)
    sandbox.control.set_fault(fault, times=1, **params)
    direct_plus = a_client(sandbox, timeout=0.5)
    direct_plus.session.ensure_token()
    error = error_of(direct_plus.pull(REFERENCE, limit=100))
    assert type(error) is branch
    if isinstance(error, errors.TooManyCalls):
        assert error.retry_after == 3


@pytest.mark.parametrize("fault", ["tear_unsized", "gateway_html"])
def test_what_looks_whole_to_http_and_is_not_cannot_be_split(fault: str, sandbox: Sandbox) -> None:
    sandbox.control.add_companies(REFERENCE, count=5)
    sandbox.control.set_fault(fault, times=1)
    answer = a_client(sandbox).pull(REFERENCE, limit=100)
    assert (answer.status, answer.failure) == (200, None)
    assert answer.body
    assert split_answer(answer.body) is None
