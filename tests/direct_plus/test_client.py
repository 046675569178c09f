"""Each endpoint: what is asked, and what is made of the answers."""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st
from responses import matchers

from direct_plus import client, errors
from direct_plus.candidates import CompanyQuery
from direct_plus.client import DirectPlus
from direct_plus.duns import InvalidDuns, LostLeadingZero
from direct_plus.results import Outcome
from direct_plus.session import Session, error_of
from direct_plus.token_store import Credentials, MemoryTokenStore, Token
from direct_plus.transport import Answer
from tests.builders.direct_plus_answers import DETAIL, DUNS, an_error, information

BASE = "https://plus.example"
REGISTRATIONS = f"{BASE}/v1/monitoring/registrations"
ACME = f"{REGISTRATIONS}/ACME_LOD_01"
HEARD = datetime(2026, 1, 8, 11, 6, 47, 941000, UTC)
REGISTRATION = {
    "transactionDetail": DETAIL,
    "inquiryDetail": {"reference": "ACME_LOD_01"},
    "messages": {
        "notificationsSuppressed": False,
        "state": "CURRENT",
        "registration": {
            "reference": "ACME_LOD_01",
            "destination": {"type": "STP"},
            "productId": "cmptcs",
            "versionId": "v1",
            "email": "a@example.com, b@example.com,",
            "seedData": True,
            "fileTransferProfile": "acmeprofile",
            "description": "Acme suppliers",
            "createdDate": "2026-01-05 07:52:18",
            "lastUpdatedDate": "2026-01-05T08:05:54Z",
            "thresholds": [],
            "orderReason": "6332",
            "deliveryTrigger": "API_PULL",
            "deliveryFrequency": "DAILY",
            "notificationType": "UPDATE",
        },
    },
}


class NoThrottle:
    def wait(self) -> None: ...


@pytest.fixture
def remote() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def direct_plus() -> DirectPlus:
    return a_client()


def a_client(subject_path: client.SubjectPath = "subjects") -> DirectPlus:
    store = MemoryTokenStore()
    store.put(Token("t", datetime.now(UTC) + timedelta(days=1)))
    session = Session(BASE, lambda: Credentials("k", "s"), store, NoThrottle(), timeout=5, sleep=lambda seconds: None)
    return DirectPlus(session, subject_path)


def asked(remote: responses.RequestsMock) -> list[str]:
    return [f"{call.request.method} {(call.request.url or '').removeprefix(BASE)}" for call in remote.calls]


class TestRegistrations:
    def test_names_are_listed(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        remote.get(REGISTRATIONS, json={"transactionDetail": DETAIL, "messages": {"references": ["A", "B", 5]}})
        assert direct_plus.registrations() == ["A", "B"]
        assert direct_plus.session.dnb_time == HEARD

    @pytest.mark.parametrize("messages", [{}, {"references": None}, {"references": []}])
    def test_there_may_be_none(
        self, messages: dict[str, Any], remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.get(REGISTRATIONS, json={"messages": messages})
        assert direct_plus.registrations() == []

    @pytest.mark.parametrize(
        "body", ["", "<html>", "[]", "{}", '{"messages": []}', '{"messages": {"references": "A"}}']
    )
    def test_an_answer_of_another_shape_is_not_taken_for_none(
        self, body: str, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.get(REGISTRATIONS, body=body)
        with pytest.raises(errors.Unreadable):
            direct_plus.registrations()

    def test_details_are_typed_and_kept_whole(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        text = json.dumps(REGISTRATION, indent=1)
        remote.get(ACME, body=text)
        detail = direct_plus.registration("ACME_LOD_01")
        assert (detail.reference, detail.state, detail.suppressed) == ("ACME_LOD_01", "CURRENT", False)
        assert (detail.notification_type, detail.delivery_trigger, detail.delivery_frequency) == (
            "UPDATE", "API_PULL", "DAILY",
        )  # fmt: skip
        assert (detail.destination_type, detail.product_id, detail.version_id) == ("STP", "cmptcs", "v1")
        assert detail.emails == ("a@example.com", "b@example.com")
        assert detail.created_at == datetime(2026, 1, 5, 7, 52, 18, tzinfo=UTC)
        assert detail.updated_at == datetime(2026, 1, 5, 8, 5, 54, tzinfo=UTC)
        assert (detail.seed_data, detail.order_reason, detail.description) == (True, "6332", "Acme suppliers")
        assert (detail.raw, detail.raw_text, detail.dnb_time) == (REGISTRATION, text, HEARD)

    @pytest.mark.parametrize("registration", [None, [], {}, {"email": 5, "destination": "STP", "createdDate": 1}])
    def test_details_that_say_little_are_read(
        self, registration: Any, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.get(ACME, json={"messages": {"registration": registration}})
        detail = direct_plus.registration("ACME_LOD_01")
        assert (detail.reference, detail.state, detail.emails, detail.created_at) == ("ACME_LOD_01", None, (), None)

    def test_an_unknown_registration_is_not_found(
        self, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.get(ACME, status=404, json=an_error("21100", "No such registration."))
        with pytest.raises(errors.NotFound, match="No such registration"):
            direct_plus.registration("ACME_LOD_01")

    def test_switches(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        remote.delete(f"{ACME}/suppress", body="")
        remote.post(f"{ACME}/suppress", json=information("21120"))
        remote.get(f"{REGISTRATIONS}/export/ACME_LOD_01/subjects", status=202, json=information("21130"))
        assert direct_plus.activate("ACME_LOD_01") == {}
        assert direct_plus.suppress("ACME_LOD_01") == information("21120")
        assert direct_plus.export_subjects("ACME_LOD_01") == information("21130")

    def test_the_older_path_exports_too(self, remote: responses.RequestsMock) -> None:
        remote.get(f"{REGISTRATIONS}/export/ACME_LOD_01/duns", status=202, json={})
        a_client("duns").export_subjects("ACME_LOD_01")

    def test_names_are_quoted_into_the_path(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        remote.get(f"{REGISTRATIONS}/A%2FB%20%3Fc", json=REGISTRATION)
        direct_plus.registration("A/B ?c")
        assert asked(remote) == ["GET /v1/monitoring/registrations/A%2FB%20%3Fc"]

    @pytest.mark.parametrize("reference", ["", " ", ".", ".."])
    def test_a_name_that_leads_elsewhere_is_refused(self, reference: str, direct_plus: DirectPlus) -> None:
        for call in (direct_plus.registration, direct_plus.activate, lambda name: direct_plus.pull(name, limit=1)):
            with pytest.raises(ValueError, match="is not a reference"):
                call(reference)


class TestNotifications:
    def test_a_pull_hands_over_the_answer(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        remote.get(f"{ACME}/notifications", body=b'{"notifications": [1.50]}')
        answer = direct_plus.pull("ACME_LOD_01", limit=100)
        assert (answer.status, answer.body, answer.failure) == (200, b'{"notifications": [1.50]}', None)
        assert asked(remote) == ["GET /v1/monitoring/registrations/ACME_LOD_01/notifications?maxNotifications=100"]

    @pytest.mark.parametrize("status", [204, 301, 400, 401, 404, 429, 500, 503])
    def test_neither_pull_nor_replay_raises_or_repeats(
        self, status: int, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.add(responses.GET, f"{ACME}/notifications", status=status)
        remote.add(responses.GET, f"{ACME}/notifications/replay", status=status)
        assert direct_plus.pull("ACME_LOD_01", limit=1).status == status
        assert direct_plus.replay("ACME_LOD_01", since=HEARD, limit=1).status == status
        assert len(remote.calls) == 2

    def test_a_broken_connection_is_an_answer_too(
        self, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.get(f"{ACME}/notifications", body=requests.ConnectionError("broken"))
        answer = direct_plus.pull("ACME_LOD_01", limit=1)
        assert (answer.status, answer.failure, answer.sent) == (0, "the connection failed", True)
        assert len(remote.calls) == 1

    @pytest.mark.parametrize(
        ("since", "sent"),
        [
            (datetime(2026, 1, 5, 8, tzinfo=UTC), "2026-01-05T08:00:00.000Z"),
            (datetime(2026, 1, 5, 8, 0, 0, 73999, UTC), "2026-01-05T08:00:00.073Z"),
            (datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=1))), "2026-01-05T08:00:00.000Z"),
        ],
    )
    def test_a_replay_names_its_start_in_utc(
        self, since: datetime, sent: str, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        params = {"replayStartTimestamp": sent, "maxNotifications": "7"}
        remote.get(f"{ACME}/notifications/replay", match=[matchers.query_param_matcher(params)], json={})
        assert direct_plus.replay("ACME_LOD_01", since=since, limit=7).status == 200

    def test_a_start_without_a_zone_is_refused(self, direct_plus: DirectPlus) -> None:
        with pytest.raises(ValueError, match="needs a time zone"):
            direct_plus.replay("ACME_LOD_01", since=datetime(2026, 1, 5), limit=1)

    @pytest.mark.parametrize("limit", [-1, 0, 101])
    def test_page_sizes_beyond_the_contract_are_refused(self, limit: int, direct_plus: DirectPlus) -> None:
        with pytest.raises(ValueError, match="1 to 100"):
            direct_plus.pull("ACME_LOD_01", limit=limit)
        with pytest.raises(ValueError, match="1 to 100"):
            direct_plus.replay("ACME_LOD_01", since=HEARD, limit=limit)


class TestOneSubject:
    @pytest.mark.parametrize("path", ["subjects", "duns"])
    def test_both_path_families(self, path: client.SubjectPath, remote: responses.RequestsMock) -> None:
        direct_plus = a_client(path)
        url = f"{ACME}/{path}/{DUNS}"
        remote.post(url, json=information("21113", "Added."))
        remote.delete(url, json=information("21114"))
        remote.get(url, json=information("21110"))
        added = direct_plus.add_subject("ACME_LOD_01", "80-473-5132")
        assert (added.duns, added.outcome, added.code, added.message) == (DUNS, Outcome.DONE, "21113", "Added.")
        assert added.dnb_time == HEARD
        assert direct_plus.remove_subject("ACME_LOD_01", DUNS).outcome is Outcome.DONE
        checked = direct_plus.check_subject("ACME_LOD_01", DUNS)
        assert (checked.outcome, checked.present) == (Outcome.PRESENT, True)

    def test_an_own_reference_goes_along(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        sent = [matchers.json_params_matcher({"customerReference": "C-1"})]
        remote.post(f"{ACME}/subjects/{DUNS}", match=sent, json=information("21113"))
        assert direct_plus.add_subject("ACME_LOD_01", DUNS, "C-1").outcome is Outcome.DONE

    @pytest.mark.parametrize(
        ("code", "adding", "removing", "checking"),
        [
            ("21012", Outcome.ALREADY, Outcome.ALREADY, Outcome.ALREADY),
            ("21005", Outcome.ABSENT, Outcome.ABSENT, Outcome.ABSENT),
            ("10001", Outcome.UNKNOWN, Outcome.ABSENT, Outcome.ABSENT),
            ("10003", Outcome.INVALID, Outcome.INVALID, Outcome.INVALID),
            ("40002", Outcome.DELETED, Outcome.DELETED, Outcome.DELETED),
            ("40003", Outcome.TRANSFERRED, Outcome.TRANSFERRED, Outcome.TRANSFERRED),
            ("10200", Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.UNKNOWN),
            ("40001", Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.UNKNOWN),
        ],
    )
    @pytest.mark.parametrize("status", [200, 400, 404])
    def test_verdicts_are_told_by_the_code_alone(
        self, code: str, adding: Outcome, removing: Outcome, checking: Outcome, status: int,
        remote: responses.RequestsMock, direct_plus: DirectPlus,
    ) -> None:  # fmt: skip
        for method in (responses.POST, responses.DELETE, responses.GET):
            remote.add(method, f"{ACME}/subjects/{DUNS}", status=status, json=an_error(code, "whatever"))
        calls = (direct_plus.add_subject, direct_plus.remove_subject, direct_plus.check_subject)
        assert [call("ACME_LOD_01", DUNS).outcome for call in calls] == [adding, removing, checking]
        assert direct_plus.check_subject("ACME_LOD_01", DUNS).code == code

    def test_a_transferred_company_comes_with_its_replacement(
        self, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        details = [{"parameter": "duns", "description": "150483782"}]
        remote.post(f"{ACME}/subjects/{DUNS}", status=400, json=an_error("40003", errorDetails=details))
        assert direct_plus.add_subject("ACME_LOD_01", DUNS).replacement == "150483782"

    @pytest.mark.parametrize("body", [b"", b'{"information": {"code": "99999"}}', b'{"information": []}', b"{}"])
    def test_a_success_that_says_nothing_known_is_unclear(
        self, body: bytes, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.post(f"{ACME}/subjects/{DUNS}", body=body)
        answer = direct_plus.add_subject("ACME_LOD_01", DUNS)
        assert (answer.outcome, answer.present) == (Outcome.UNCLEAR, False)

    def test_the_information_may_stand_deeper(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        remote.post(f"{ACME}/subjects/{DUNS}", json={"messages": {"information": {"code": 21113}}})
        assert direct_plus.add_subject("ACME_LOD_01", DUNS).outcome is Outcome.DONE

    @pytest.mark.parametrize(
        ("status", "body", "branch"),
        [
            (404, an_error("00037"), errors.UnknownPath),
            (404, an_error("21100"), errors.NotFound),
            (400, an_error("00005"), errors.ContractDates),
            (401, an_error("00044"), errors.NotAuthorised),
            (429, an_error("00050"), errors.QuotaUsedUp),
            (500, an_error("00034"), errors.ServerTrouble),
        ],
    )
    def test_a_failed_call_is_no_verdict(
        self, status: int, body: dict[str, Any], branch: type[Exception],
        remote: responses.RequestsMock, direct_plus: DirectPlus,
    ) -> None:  # fmt: skip
        remote.post(f"{ACME}/subjects/{DUNS}", status=status, json=body)
        with pytest.raises(branch):
            direct_plus.add_subject("ACME_LOD_01", DUNS)
        assert len(remote.calls) == 1

    def test_html_with_a_good_status_is_no_verdict(
        self, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.post(f"{ACME}/subjects/{DUNS}", body="<html>")
        with pytest.raises(errors.Unreadable):
            direct_plus.add_subject("ACME_LOD_01", DUNS)

    def test_what_is_no_number_is_never_sent(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        for call in (direct_plus.add_subject, direct_plus.remove_subject, direct_plus.check_subject):
            with pytest.raises(LostLeadingZero):
                call("ACME_LOD_01", "04735132")
            with pytest.raises(InvalidDuns):
                call("ACME_LOD_01", "")
        assert not remote.calls


class TestManySubjects:
    @pytest.mark.parametrize(
        ("path", "verb", "address", "part"),
        [
            ("subjects", "add", "subjects", "addSubjectIDs"),
            ("subjects", "remove", "subjects", "removeSubjectIDs"),
            ("duns", "add", "duns/add", "duns"),
            ("duns", "remove", "duns/remove", "duns"),
        ],
    )
    def test_a_list_goes_as_a_file_without_header(
        self, path: client.SubjectPath, verb: str, address: str, part: str, remote: responses.RequestsMock
    ) -> None:
        remote.patch(f"{ACME}/{address}", status=202, json=information("21108", "Pending."))
        call = getattr(a_client(path), f"{verb}_subjects")
        answer = call("ACME_LOD_01", iter([DUNS, "15-048-3782"]))
        assert (answer.count, answer.outcome, answer.code) == (2, Outcome.PENDING, "21108")
        assert (answer.transaction_id, answer.dnb_time) == ("rrt-1", HEARD)
        body = remote.calls[0].request.body
        assert isinstance(body, bytes)
        assert f'name="{part}"; filename="subjects.txt"'.encode() in body
        assert b"\r\n\r\n804735132\n150483782\n\r\n--" in body

    @pytest.mark.parametrize("status", [500, 503])
    def test_a_batch_in_doubt_is_not_sent_again(
        self, status: int, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.patch(f"{ACME}/subjects", status=status)
        with pytest.raises(errors.ServerTrouble):
            direct_plus.add_subjects("ACME_LOD_01", [DUNS])
        assert len(remote.calls) == 1

    def test_an_empty_acceptance_is_unclear(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        remote.patch(f"{ACME}/subjects", status=202)
        assert direct_plus.add_subjects("ACME_LOD_01", [DUNS]).outcome is Outcome.UNCLEAR

    def test_one_bad_number_stops_the_whole_list(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        with pytest.raises(InvalidDuns):
            direct_plus.add_subjects("ACME_LOD_01", [DUNS, "4735132"])
        assert not remote.calls

    def test_lists_of_no_or_too_many_numbers_are_refused(
        self, direct_plus: DirectPlus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "LARGEST_BATCH", 2)
        for numbers in ([], [DUNS] * 3):
            with pytest.raises(ValueError, match="a batch can contain 1 to 2 numbers"):
                direct_plus.add_subjects("ACME_LOD_01", numbers)

    @given(
        st.sampled_from(["subjects", "duns"]),
        st.sampled_from(
            ["add_subject", "remove_subject", "check_subject", "add_subjects", "remove_subjects", "activate"]
        ),
        st.text(min_size=1, max_size=20),
        st.from_regex(r"[0-9]{9}", fullmatch=True),
    )
    def test_nothing_ever_deletes_a_whole_list(
        self, path: client.SubjectPath, name: str, reference: str, duns: str
    ) -> None:
        direct_plus = a_client(path)
        made: list[tuple[str, str]] = []

        def record(kind: object, method: str, path: str, **how: object) -> Answer:
            made.append((method, path))
            raise errors.Unreachable(errors.Told(None, None, "", (), None, None, {}, b""))

        direct_plus.session.call = record  # type: ignore[method-assign]
        arguments: dict[str, list[Any]] = {"activate": [], "add_subjects": [[duns]], "remove_subjects": [[duns]]}
        with pytest.raises((errors.Unreachable, ValueError, UnicodeEncodeError)):
            getattr(direct_plus, name)(reference, *arguments.get(name, [duns]))
        assert all(method != "DELETE" or not address.endswith(("/subjects", "/duns")) for method, address in made)
        assert all(address.count("/") <= 7 for _, address in made)


class TestBesideMonitoring:
    def test_entitlements(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        remote.get(f"{BASE}/v1/entitlements", json={"dataBlocks": ["companyinfo_L2_v1"]})
        assert direct_plus.entitlements() == {"dataBlocks": ["companyinfo_L2_v1"]}

    @pytest.mark.parametrize(
        ("body", "changed"),
        [({"hasRefreshedData": True}, True), ({"organization": {"hasRefreshedData": False}}, False)],
    )
    def test_refresh_check(
        self, body: dict[str, Any], changed: bool, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        params = {"productId": "cmptcs", "versionId": "v1", "referenceDate": "2026-01-05"}
        remote.get(
            f"{BASE}/v1/data/refreshCheck/{DUNS}", match=[matchers.query_param_matcher(params)], json=body
        )  # fmt: skip
        day = date(2026, 1, 5)
        assert direct_plus.refresh_check(DUNS, product_id="cmptcs", version_id="v1", reference_date=day) is changed

    def test_a_refresh_check_that_does_not_say_is_unreadable(
        self, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.get(f"{BASE}/v1/data/refreshCheck/{DUNS}", json={"hasRefreshedData": "yes"})
        with pytest.raises(errors.Unreadable):
            direct_plus.refresh_check(DUNS, product_id="p", version_id="v", reference_date=date(2026, 1, 5))

    def test_data_blocks(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        params = {"blockIDs": "companyinfo_L2_v1,hierarchyconnections_L1_v1", "orderReason": "6332"}
        matched = [matchers.query_param_matcher(params)]
        remote.get(f"{BASE}/v1/data/duns/{DUNS}", match=matched, json={"organization": {"duns": DUNS}})
        blocks = ["companyinfo_L2_v1", "hierarchyconnections_L1_v1"]
        answer = direct_plus.data_blocks(DUNS, block_ids=blocks, order_reason="6332")
        assert json.loads(answer.body) == {"organization": {"duns": DUNS}}

    def test_data_of_a_transferred_company_names_the_other(
        self, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        location = {"Location": f"{BASE}/v1/data/duns/150483782?blockIDs=x"}
        remote.get(f"{BASE}/v1/data/duns/{DUNS}", status=301, headers=location)
        error = error_of(direct_plus.data_blocks(DUNS, block_ids=["x"]))
        assert isinstance(error, errors.Transferred)
        assert error.replacement == "150483782"
        assert len(remote.calls) == 1

    def test_data_of_a_deleted_company_is_gone(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        remote.get(f"{BASE}/v1/data/duns/{DUNS}", status=410)
        assert isinstance(error_of(direct_plus.data_blocks(DUNS, block_ids=["x"])), errors.Gone)

    def test_what_may_cost_is_not_repeated_when_it_had_no_answer(
        self, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.get(f"{BASE}/v1/data/duns/{DUNS}", status=503)
        remote.get(f"{BASE}/v1/data/refreshCheck/{DUNS}", status=503)
        assert isinstance(error_of(direct_plus.data_blocks(DUNS, block_ids=["x"])), errors.ServerTrouble)
        with pytest.raises(errors.ServerTrouble):
            direct_plus.refresh_check(DUNS, product_id="p", version_id="v", reference_date=date(2026, 1, 5))
        assert len(remote.calls) == 2

    def test_match_lists_candidates(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        address = {
            "streetAddress": {"line1": "1 Main St"},
            "postalCode": "12345",
            "addressLocality": {"name": "Springfield"},
            "addressRegion": {"abbreviatedName": "IL"},
            "addressCountry": {"isoAlpha2Code": "US"},
        }
        organization = {"duns": DUNS, "primaryName": "ACME", "primaryAddress": address}
        full = {"organization": organization, "matchQualityInformation": {"confidenceCode": 9}}
        bare = {"organization": {"duns": "150483782"}}
        params = {"name": "acme", "countryISOAlpha2Code": "US", "addressLocality": "Springfield"}
        params["candidateMaximumQuantity"] = "5"
        matched = [matchers.query_param_matcher(params)]
        listed = {"matchCandidates": [full, {}, 5, {"organization": None}, bare]}
        remote.get(f"{BASE}/v1/match/cleanseMatch", match=matched, json=listed)
        first, second = direct_plus.match(CompanyQuery("acme", "US", city="Springfield"), limit=5)
        assert (first.duns, first.name, first.country, first.confidence) == (DUNS, "ACME", "US", 9)
        assert (first.address, first.raw) == ("1 Main St, 12345, Springfield, IL", full)
        assert (second.duns, second.name, second.country, second.address, second.confidence) == (
            "150483782", "", None, "", None,
        )  # fmt: skip

    def test_no_match_is_an_empty_list(self, remote: responses.RequestsMock, direct_plus: DirectPlus) -> None:
        remote.get(f"{BASE}/v1/match/cleanseMatch", status=404, json=an_error("20505"))
        assert direct_plus.match(CompanyQuery("acme", "US")) == []

    def test_a_wrong_path_is_not_taken_for_no_match(
        self, remote: responses.RequestsMock, direct_plus: DirectPlus
    ) -> None:
        remote.get(f"{BASE}/v1/match/cleanseMatch", status=404, json=an_error("00037"))
        with pytest.raises(errors.UnknownPath):
            direct_plus.match(CompanyQuery("acme", "US"))


RAISING: dict[str, Callable[[DirectPlus], object]] = {
    "registrations": lambda direct_plus: direct_plus.registrations(),
    "registration": lambda direct_plus: direct_plus.registration("R"),
    "activate": lambda direct_plus: direct_plus.activate("R"),
    "suppress": lambda direct_plus: direct_plus.suppress("R"),
    "export_subjects": lambda direct_plus: direct_plus.export_subjects("R"),
    "add_subject": lambda direct_plus: direct_plus.add_subject("R", DUNS),
    "remove_subject": lambda direct_plus: direct_plus.remove_subject("R", DUNS),
    "check_subject": lambda direct_plus: direct_plus.check_subject("R", DUNS),
    "add_subjects": lambda direct_plus: direct_plus.add_subjects("R", [DUNS]),
    "remove_subjects": lambda direct_plus: direct_plus.remove_subjects("R", [DUNS]),
    "entitlements": lambda direct_plus: direct_plus.entitlements(),
    "refresh_check": lambda direct_plus: direct_plus.refresh_check(
        DUNS, product_id="p", version_id="v", reference_date=date(2026, 1, 5)
    ),
    "reference_categories": lambda direct_plus: direct_plus.reference_categories(),
    "reference_codes": lambda direct_plus: direct_plus.reference_codes("c", language="en-US"),
    "typeahead": lambda direct_plus: direct_plus.typeahead("n"),
    "match": lambda direct_plus: direct_plus.match(CompanyQuery("n", "US")),
}
TROUBLES: list[tuple[int, bytes | Exception]] = [
    (200, b"<html>"),
    (200, b"[1]"),
    (200, b'{"x": "\xff"}'),
    (302, b""),
    (400, b"{"),
    (401, b""),
    (403, b'{"fault": {"faultstring": "Invalid key"}}'),
    (429, b""),
    (500, b"null"),
    (503, b"<html>"),
    (200, requests.ConnectionError("broken")),
    (200, requests.ReadTimeout("slow")),
    (200, requests.exceptions.ChunkedEncodingError("torn")),
]


def test_every_method_that_raises_is_tried() -> None:
    public = {name for name, _ in inspect.getmembers(DirectPlus, inspect.isfunction) if not name.startswith("_")}
    assert public == {*RAISING, "pull", "replay", "data_blocks", "upward_tree", "family_tree"}


@pytest.mark.parametrize("name", RAISING)
@pytest.mark.parametrize(("status", "body"), TROUBLES)
def test_methods_raise_from_the_tree_only(name: str, status: int, body: bytes | Exception) -> None:
    with responses.RequestsMock() as remote:
        for method in (responses.GET, responses.POST, responses.PATCH, responses.DELETE):
            remote.add(method, re.compile(".*"), status=status, body=body)
        remote.assert_all_requests_are_fired = False
        with pytest.raises(errors.DirectPlusError) as caught:
            RAISING[name](a_client())
    assert str(caught.value)
