"""Pulling from a sandbox over real HTTP: whatever goes wrong, contents equal the ledger and the reason is visible."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.blobs import load_bytes
from direct_plus.client import DirectPlus
from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox
from monitoring.deliveries.lease import leased
from monitoring.models import Change, DeadLetter, Delivery, DeliveryState, Notification, PassState, ReplayPass, Source
from monitoring.pull.puller import Outcome, PullResult, announce
from monitoring.story_order import next_turn
from portfolio.models import Registration, RegistrationState
from tests.builders.deliveries import pull_now
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp
from tests.ledger import assert_equals_ledger
from tests.servers.sandbox import emit


def some(count: int, start: int = 0) -> list[dict[str, Any]]:
    """As many different updates."""
    return [
        an_update(
            an_element(current=f"NAME {number}", timestamp=stamp(seconds=number)), duns=f"{100_000_000 + number % 20}"
        )
        for number in range(start, start + count)
    ]


def pull_until_drained(registration: Registration, times: int = 12) -> PullResult:
    for _ in range(times):
        result = pull_now(registration)
        if result.outcome == Outcome.DRAINED:
            break
    return result


def states() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("state", flat=True))


def test_pulls_until_the_queue_is_empty(registration: Registration, control: SandboxControl) -> None:
    emit(control, some(230))
    result = pull_now(registration)
    assert (result.outcome, result.pages, result.notifications) == (Outcome.DRAINED, 3, 230)
    assert states() == [DeliveryState.PUBLISHED] * 3
    assert assert_equals_ledger(control, registration.reference) == 230


def test_an_empty_queue_leaves_no_row_and_is_noted(registration: Registration, control: SandboxControl) -> None:
    assert pull_now(registration).outcome == Outcome.DRAINED
    registration.refresh_from_db()
    assert registration.last_pulled_at is not None
    assert registration.next_pull_at and registration.next_pull_at > timezone.now()
    assert states() == []


@pytest.mark.parametrize("reading", ["404", "empty_list", "no_list"])
def test_every_reading_of_an_empty_queue(registration: Registration, control: SandboxControl, reading: str) -> None:
    control.switch("empty_pull", reading)
    emit(control, some(3))
    assert pull_now(registration).outcome == Outcome.DRAINED
    assert assert_equals_ledger(control, registration.reference) == 3
    assert states() == [DeliveryState.PUBLISHED]


@pytest.mark.parametrize("code", ["10001", "40401", None])
def test_an_empty_queue_with_any_code(registration: Registration, control: SandboxControl, code: str | None) -> None:
    control.switch("empty_code", code)
    assert pull_now(registration).outcome == Outcome.DRAINED


@pytest.mark.parametrize("dequeue", ["end", "late"])
def test_nothing_is_missing_whenever_d_and_b_takes_it_off_its_queue(
    registration: Registration, control: SandboxControl, dequeue: str
) -> None:
    """After a call that was given up, it may still be there, or be gone some time later."""
    control.switch("dequeue", dequeue)
    control.switch("late_seconds", 0)
    emit(control, some(5))
    control.set_fault("tear", on="pull", times=1)
    assert pull_until_drained(registration).outcome == Outcome.DRAINED
    assert assert_equals_ledger(control, registration.reference) == 5


LOSING: dict[str, tuple[str, dict[str, Any]]] = {
    "dropped after dequeuing": ("drop", {}),
    "reset after dequeuing": ("drop", {"reset": True}),
    "torn with a length": ("tear", {"at": 0.5}),
    "torn without a length": ("tear_unsized", {"at": 0.5}),
    "torn near the end": ("tear_unsized", {"at": 0.98}),
    "5xx after dequeuing": ("server_error", {"dequeue": True}),
    "gateway page with 502": ("server_error", {"status": 502, "shape": "html", "dequeue": True}),
    "fault shape": ("server_error", {"status": 500, "shape": "fault", "dequeue": True}),
    "empty 500": ("server_error", {"status": 500, "shape": "empty", "dequeue": True}),
    "gateway page with 200": ("gateway_html", {"dequeue": True}),
    "redirect after dequeuing": ("redirect", {"dequeue": True}),
    "junk in the body": ("garbage", {"at": 0.3}),
    "a NUL in the body": ("nul", {"at": 0.3}),
}


@pytest.mark.every_engine
@pytest.mark.parametrize("case", LOSING)
def test_what_was_taken_and_lost_comes_back_by_replay(
    registration: Registration, control: SandboxControl, case: str
) -> None:
    name, params = LOSING[case]
    emit(control, some(25))
    control.set_fault(name, times=1, on="pull", **params)
    result = pull_until_drained(registration)
    assert result.outcome == Outcome.DRAINED
    assert assert_equals_ledger(control, registration.reference) == 25
    faulty = Delivery.objects.filter(state=DeliveryState.RECOVERED)
    if case not in ("junk in the body", "a NUL in the body"):
        assert faulty.count() == 1
        assert faulty.get().error, "the reason is visible"
        assert ReplayPass.objects.get().state == PassState.ENDED


@pytest.mark.parametrize("case", LOSING)
def test_loses_nothing_when_the_first_page_of_many_is_lost(
    registration: Registration, control: SandboxControl, case: str
) -> None:
    name, params = LOSING[case]
    emit(control, some(120))
    control.set_fault(name, times=2, on="pull", **params)
    assert pull_until_drained(registration).outcome == Outcome.DRAINED
    assert assert_equals_ledger(control, registration.reference) == 120


@pytest.mark.parametrize("status", [301, 302, 307])
def test_follows_no_redirect(registration: Registration, control: SandboxControl, status: int) -> None:
    control.set_fault("redirect", times=1, on="pull", status=status)
    emit(control, some(2))
    pull_until_drained(registration)
    assert assert_equals_ledger(control, registration.reference) == 2


REFUSALS: dict[str, tuple[str, dict[str, Any], str]] = {
    "too many calls": ("too_many", {}, RegistrationState.ACTIVE),
    "too many calls, with a time": ("too_many", {"retry_after": 7}, RegistrationState.ACTIVE),
    "quota used up": ("quota", {}, RegistrationState.ACTIVE),
    "not authorised": ("not_authorised", {}, RegistrationState.STOPPED),
    "contract dates": ("http_error", {"status": 400, "code": "00005"}, RegistrationState.STOPPED),
    "forbidden": ("http_error", {"status": 403, "code": None, "shape": "fault"}, RegistrationState.ACTIVE),
    "unknown path": ("http_error", {"status": 404, "code": "00037"}, RegistrationState.STOPPED),
    "404 of a gateway": ("http_error", {"status": 404, "code": None, "shape": "html"}, RegistrationState.ACTIVE),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_takes_nothing_and_says_why(registration: Registration, control: SandboxControl, case: str) -> None:
    name, params, state = REFUSALS[case]
    emit(control, some(3))
    control.set_fault(name, times=1, on="pull", **params)
    assert pull_now(registration).outcome == Outcome.REFUSED
    registration.refresh_from_db()
    assert (registration.state, bool(registration.last_error)) == (state, True)
    assert states() == [DeliveryState.REFUSED]
    assert Delivery.objects.get().error
    pull_until_drained(registration)
    assert assert_equals_ledger(control, registration.reference) == 3


@pytest.mark.parametrize("fault", ["tear_unsized", "http_error"])
def test_a_404_without_dnbs_code_stops_it_only_when_it_comes_three_times_in_a_row(
    registration: Registration, control: SandboxControl, fault: str
) -> None:
    """It may be a gateway's, or the end of an empty queue's answer may be lost."""
    more = {"status": 404, "code": None, "shape": "html"} if fault == "http_error" else {"at": 0.3}
    seen = []
    for times in (2, 3):
        control.set_fault(fault, times=times, on="pull", **more)
        seen += [state_after_a_pull(registration) for _ in range(times)]
        pull_now(registration)
    assert seen == [RegistrationState.ACTIVE] * 4 + [RegistrationState.STOPPED]


def test_other_failures_do_not_count_towards_it(registration: Registration, control: SandboxControl) -> None:
    control.set_fault("server_error", times=4, on="notifications")
    assert [state_after_a_pull(registration) for _ in range(2)] == [RegistrationState.ACTIVE] * 2
    control.clear_faults()
    control.set_fault("http_error", times=1, on="pull", status=404, code=None, shape="html")
    assert state_after_a_pull(registration) == RegistrationState.ACTIVE


def state_after_a_pull(registration: Registration) -> str:
    pull_now(registration)
    registration.refresh_from_db()
    return registration.state


def test_waits_as_long_as_retry_after_says(registration: Registration, control: SandboxControl) -> None:
    control.set_fault("too_many", times=1, on="pull", retry_after=120)
    before = timezone.now()
    pull_now(registration)
    registration.refresh_from_db()
    assert registration.next_pull_at is not None
    assert timedelta(seconds=119) < registration.next_pull_at - before < timedelta(seconds=130)


def test_a_used_up_quota_waits_until_midnight_utc(registration: Registration, control: SandboxControl) -> None:
    control.set_fault("quota", times=1, on="pull")
    pull_now(registration)
    registration.refresh_from_db()
    assert registration.next_pull_at is not None
    assert (registration.next_pull_at.hour, registration.next_pull_at.minute) == (0, 0)
    assert ("quota" in registration.last_error, registration.quota_used_up) == (True, True)
    pull_now(registration)
    registration.refresh_from_db()
    assert (registration.last_error, registration.quota_used_up) == ("", False)


def test_renews_an_expired_token_once_and_asks_again(registration: Registration, control: SandboxControl) -> None:
    emit(control, some(2))
    pull_now(registration)
    emit(control, some(2, start=2))
    control.expire_tokens()
    assert pull_now(registration).outcome == Outcome.DRAINED
    assert assert_equals_ledger(control, registration.reference) == 4
    assert states().count(DeliveryState.REFUSED) == 1


def test_wrong_credentials_stop_it_with_a_sentence(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DNB_API_SECRET", "wrong")
    result = pull_now(registration)
    assert result.outcome == Outcome.REFUSED
    registration.refresh_from_db()
    assert registration.state == RegistrationState.STOPPED
    assert "401" in registration.stopped_reason or "00041" in registration.stopped_reason


def test_missing_credentials_are_named_and_nothing_is_asked(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DNB_API_SECRET", "")
    result = pull_now(registration)
    assert (result.outcome, "DNB_API_SECRET" in result.reason) == (Outcome.NOT_ASKED, True)
    assert control.calls() == []


def test_a_sandbox_that_is_down_puts_nothing_in_doubt(registration: Registration, sandbox: Sandbox) -> None:
    pull_now(registration)
    sandbox.stop()
    result = pull_now(registration)
    assert result.outcome == Outcome.FAILED
    assert states() == []
    registration.refresh_from_db()
    assert registration.last_error
    assert registration.next_pull_at and registration.next_pull_at > timezone.now()


def test_asks_for_fewer_after_trouble_and_grows_back(registration: Registration, control: SandboxControl) -> None:
    emit(control, some(30))
    control.set_fault("server_error", times=3, on="pull")
    pull_now(registration)
    sizes = [call["params"]["maxNotifications"] for call in control.calls() if call["kind"] == "pull"]
    assert sizes[:4] == ["100", "50", "25", "12"]
    registration.refresh_from_db()
    emit(control, some(30, start=30))
    pull_until_drained(registration)
    registration.refresh_from_db()
    assert registration.current_page_size > 12
    assert assert_equals_ledger(control, registration.reference) == 60


@pytest.mark.parametrize("size", [1, 10, 100])
@pytest.mark.parametrize("start", ["inclusive", "exclusive"])
@pytest.mark.parametrize("stamps", ["answer", "item", 150])
def test_replays_whatever_the_stamps(
    registration: Registration, control: SandboxControl, size: int, start: str, stamps: str | int
) -> None:
    control.switch("replay_start", start)
    control.switch("stamps", stamps)
    Registration.objects.filter(pk=registration.pk).update(page_size=size, current_page_size=size)
    count = 160 if stamps == 150 and size > 1 else {1: 12, 10: 35, 100: 160}[size]
    emit(control, some(count))
    control.set_fault("drop", on="pull", after=1, times=2)
    assert pull_until_drained(registration).outcome == Outcome.DRAINED
    if (size, stamps) == (100, 150):
        registration.refresh_from_db()
        assert registration.replay_mark, "more than a page in one millisecond is said, not hidden"
    else:
        assert assert_equals_ledger(control, registration.reference) == count


@pytest.mark.parametrize("stamps", ["absent", "absent_on_pull", "some"])
def test_copes_with_items_without_a_stamp(registration: Registration, control: SandboxControl, stamps: str) -> None:
    control.switch("item_stamp", stamps)
    emit(control, some(12))
    control.set_fault("tear", on="pull", times=1)
    assert pull_until_drained(registration).outcome == Outcome.DRAINED
    assert Notification.objects.count() == 12


@pytest.mark.parametrize("end", ["404", "empty_list", "no_list"])
def test_every_reading_of_the_end_of_a_replay(registration: Registration, control: SandboxControl, end: str) -> None:
    control.switch("replay_end", end)
    emit(control, some(5))
    control.set_fault("drop", on="pull", times=1)
    pull_until_drained(registration)
    assert assert_equals_ledger(control, registration.reference) == 5
    assert ReplayPass.objects.get().state == PassState.ENDED


@pytest.mark.parametrize("fault", ["duplicate", "serve_again", "reorder", "one_stamp", "equal_stamps"])
def test_what_comes_twice_or_in_disorder_is_kept_once(
    registration: Registration, control: SandboxControl, fault: str
) -> None:
    Registration.objects.filter(pk=registration.pk).update(page_size=10, current_page_size=10)
    control.set_fault(fault, on="notifications")
    emit(control, some(35))
    pull_until_drained(registration)
    assert assert_equals_ledger(control, registration.reference) == 35


def test_finds_what_was_dequeued_after_the_client_gave_up(
    registration: Registration, control: SandboxControl, settings: Any
) -> None:
    settings.DNB_TIMEOUT = 1
    contract = registration.contract
    contract.recovery_delay = timedelta(seconds=2)
    contract.save()
    emit(control, some(8))
    control.set_fault("late_dequeue", times=1, seconds=1.0, hold=30)
    pull_now(registration)
    assert DeliveryState.IN_DOUBT in states(), "a replay at once proves nothing: D&B may take the items later"
    control.wait_idle()
    time.sleep(2)
    assert pull_until_drained(registration).outcome == Outcome.DRAINED
    assert DeliveryState.RECOVERED in states()
    assert assert_equals_ledger(control, registration.reference) == 8


def test_goes_on_pulling_while_replay_is_refused_for_ever(registration: Registration, control: SandboxControl) -> None:
    emit(control, some(5))
    control.set_fault("replay_refused")
    control.set_fault("tear", times=1, on="pull")
    assert pull_now(registration).outcome == Outcome.FAILED
    emit(control, some(7, start=5))
    assert pull_now(registration).outcome == Outcome.DRAINED
    assert Notification.objects.count() == 7
    doubt = Delivery.objects.get(state=DeliveryState.IN_DOUBT)
    assert doubt.error and ReplayPass.objects.get().mark
    control.clear_faults()
    pull_until_drained(registration)
    assert assert_equals_ledger(control, registration.reference) == 12


def test_keeps_what_came_of_a_torn_answer(registration: Registration, control: SandboxControl) -> None:
    emit(control, some(5))
    control.set_fault("tear", times=1, on="pull", at=0.5)
    pull_now(registration)
    torn = Delivery.objects.get(state=DeliveryState.RECOVERED)
    assert torn.byte_count and torn.sha256


DEEP = '{"type": "SEED", "organization": {"duns": "804735132", "x": ' + "[" * 2000 + "]" * 2000 + "}}"

AWKWARD: dict[str, str | bytes | dict[str, Any]] = {
    "no organization": '{"type": "UPDATE", "elements": []}',
    "not an object": "[1, 2]",
    "a number": "17",
    "no D-U-N-S": '{"type": "UPDATE", "organization": {}, "elements": []}',
    "eight digits": a_notice(duns="12345678"),
    "elements no list": '{"type": "UPDATE", "organization": {"duns": "804735132"}, "elements": 3}',
    "bad UTF-8": b'{"type": "UPDATE", "organization": {"duns": "804735132"}, "elements": [{"element": "\xff\xfe"}]}',
    "nested 2,000 deep": '{"type": "SEED", "organization": {"duns": "804735132", "x": '
    + "[" * 2000
    + "]" * 2000
    + "}}",
    "a literal NUL": b'{"type": "SEED", "organization": {"duns": "804735132", "primaryName": "A\0B"}}',
}


@pytest.mark.parametrize("case", AWKWARD)
def test_an_unreadable_item_is_kept_and_the_others_go_on(
    registration: Registration, control: SandboxControl, case: str
) -> None:
    emit(control, [*some(3), AWKWARD[case], *some(3, start=3)])
    assert pull_until_drained(registration).outcome == Outcome.DRAINED
    assert Notification.objects.count() == 6
    letter = DeadLetter.objects.get()
    assert letter.reason
    assert (letter.position, letter.delivery.unreadable_count) == (3, 1)


def test_a_lone_surrogate_and_an_unknown_type_are_read(registration: Registration, control: SandboxControl) -> None:
    surrogate = (
        '{"type": "UPDATE", "organization": {"duns": "804735132"}, "elements": [{"element": "organization.primaryName",'
        ' "previous": null, "current": "A\\ud800B", "timestamp": "2026-01-07T01:23:13Z"}]}'
    )
    emit(control, [surrogate, a_notice("SOMETHING_NEW"), a_transfer()])
    assert pull_until_drained(registration).outcome == Outcome.DRAINED
    assert DeadLetter.objects.count() == 0
    assert Change.objects.get(kind="element").current == '"A\\ud800B"'
    assert Change.objects.get(kind="unknown").notification.type == "SOMETHING_NEW"


def test_a_10_mb_seed_comes_through(registration: Registration, control: SandboxControl) -> None:
    emit(control, [a_seed(description="x" * 10_000_000)])
    assert pull_until_drained(registration).outcome == Outcome.DRAINED
    assert len(Notification.objects.get().organization) > 10_000_000


VALUES = [
    "3.0251016094E8",
    "null",
    "1E400",
    "0.10",
    "-0",
    "123456789012345678901234567890",
    '[[1, [2, {"a": null}]], []]',
    '{"b": 1, "a": {"ä": "\\u00e4"}}',
    '"😀 \\ud83d\\ude00 \\u0000"',
    '"\u202eabc\u0301"',
    "true",
]


@pytest.mark.parametrize("value", VALUES)
def test_values_come_out_as_they_went_in(registration: Registration, control: SandboxControl, value: str) -> None:
    element = (
        f'{{"element": "organization.x", "previous": {value}, "current": {value}, "timestamp": "2026-01-07T01:23:13Z"}}'
    )
    emit(
        control,
        [f'{{"type": "UPDATE", "organization": {{"duns": "804735132"}}, "elements": [{element}]}}'],
    )
    pull_until_drained(registration)
    change = Change.objects.get()
    assert (change.previous, change.current) == (value, value)


def test_delete_undelete_delete_in_one_answer_are_three(registration: Registration, control: SandboxControl) -> None:
    emit(control, [a_notice("DELETE"), a_notice("UNDELETE"), a_notice("DELETE")])
    control.set_fault("tear", times=1, on="pull")
    pull_until_drained(registration)
    assert assert_equals_ledger(control, registration.reference) == 3
    assert Notification.objects.filter(type="DELETE").count() == 2


def test_an_unknown_reference_is_noticed_though_it_answers_404(contract: Any, control: SandboxControl) -> None:
    control.switch("unknown_reference", "as_empty")
    gone = a_registration("NO_SUCH", contract=contract, dnb_time=timezone.now())
    assert pull_now(gone).outcome == Outcome.REFUSED
    gone.refresh_from_db()
    assert gone.state == RegistrationState.STOPPED
    assert "does not know" in gone.stopped_reason
    assert gone.last_pulled_at is None


def test_no_pull_before_d_and_bs_time_is_known(registration: Registration, control: SandboxControl) -> None:
    pull_now(registration)
    kinds = [call["kind"] for call in control.calls()]
    assert kinds.index("details") < kinds.index("pull")


def test_announces_before_it_asks(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = DirectPlus.pull

    def pull(self: DirectPlus, reference: str, *, limit: int) -> Any:
        seen.extend(states())
        return real(self, reference, limit=limit)

    monkeypatch.setattr(DirectPlus, "pull", pull)
    pull_now(registration)
    assert seen == [DeliveryState.CALLED]


def test_a_second_puller_is_turned_away(registration: Registration, control: SandboxControl) -> None:
    with leased(registration.pk):
        assert pull_now(registration).outcome == Outcome.BUSY
    assert pull_now(registration).outcome == Outcome.DRAINED


def test_an_answer_is_stored_though_the_lease_is_lost(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit(control, some(4))
    real = DirectPlus.pull

    def pull(self: DirectPlus, reference: str, *, limit: int) -> Any:
        answer = real(self, reference, limit=limit)
        Registration.objects.filter(pk=registration.pk).update(fence=99)
        return answer

    monkeypatch.setattr(DirectPlus, "pull", pull)
    assert pull_now(registration).outcome == Outcome.BUSY
    assert states() == [DeliveryState.RECEIVED]


def test_a_row_left_by_a_dead_puller_is_in_doubt_and_repaired(
    registration: Registration, control: SandboxControl
) -> None:
    pull_now(registration)
    registration.refresh_from_db()
    announce(registration, registration.fence, next_turn(registration))
    pull_now(registration)
    assert states() == [DeliveryState.RECOVERED]


def test_pages_of_a_replay_stand_for_the_first_call_in_doubt_and_keep_bytes_that_are_needed(
    registration: Registration, control: SandboxControl
) -> None:
    """A page that shows what is known needs none, one that brings what was lost does."""
    emit(control, some(3))
    pull_now(registration)
    registration.refresh_from_db()
    doubts = [announce(registration, registration.fence, next_turn(registration)) for _ in range(2)]
    pull_now(registration)
    emit(control, some(2, start=3))
    control.set_fault("drop", times=1, on="pull")
    pull_until_drained(registration)
    lost = Delivery.objects.filter(source=Source.PULL).order_by("turn").last()
    assert lost and lost.turn > doubts[0].turn
    pages = Delivery.objects.filter(source=Source.REPLAY).order_by("turn")
    found = {(page.stands_for, page.new_count, load_bytes(page.pk) != b"") for page in pages}
    assert found == {(doubts[0].turn, 0, False), (lost.turn, 2, True), (lost.turn, 0, False)}
