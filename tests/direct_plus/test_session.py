"""Which call is repeated and which is not, how a token is got and renewed, and that secrets stay secret."""

import base64
import json
import logging
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from direct_plus import token_store
from direct_plus.errors import NotAuthorised, TimedOut, TokenExpired, Unreachable
from direct_plus.rate_limit import LocalThrottle, Throttle
from direct_plus.session import REPEATABLE, Kind, Session, error_of
from direct_plus.token_store import Credentials, MemoryTokenStore, Token
from tests.builders.direct_plus_answers import an_error
from tests.servers.scripted_servers import Script, Server, answering, dripping, resetting, sending, serving, silent

KEY, SECRET, BEARER = "the-public-key", "the-very-secret", "bearer-0123456789"


class NoThrottle:
    def __init__(self) -> None:
        self.waits = 0

    def wait(self) -> None:
        self.waits += 1


def a_token(value: str = BEARER, seconds: float = 86_400) -> Token:
    return Token(value, datetime.now(UTC) + timedelta(seconds=seconds))


def granting(value: str = BEARER, seconds: Any = 86_400, name: str = "expiresIn") -> Script:
    return answering(json.dumps({"access_token": value, name: seconds}).encode())


def refusing(code: str, status: str = "401 No", *headers: str) -> Script:
    return answering(json.dumps(an_error(code)).encode(), status, headers)


EXPIRED = refusing("00040")
FINE = answering(b'{"fine": true}')


@contextmanager
def a_session(
    *scripts: Script, token: Token | None = None, logged_in: bool = True, **options: Any
) -> Iterator[tuple[Session, Server]]:
    store = options.pop("tokens", None) or MemoryTokenStore()
    if logged_in:
        store.put(token or a_token())
    options = {"throttle": NoThrottle(), "timeout": 2, "sleep": lambda seconds: None, **options}
    with serving(*scripts) as server:
        credentials = options.pop("credentials", lambda: Credentials(KEY, SECRET))
        yield Session(server.url, credentials, store, **options), server


def calls(server: Server) -> list[str]:
    return [request.split(b" HTTP")[0].decode() for request in server.requests]


class TestSending:
    def test_a_call_carries_the_token(self) -> None:
        with a_session(FINE) as (session, server):
            answer = session.send("GET", "/v1/x", params={"a": "1 2"})
            assert (answer.status, answer.sent) == (200, True)
            assert calls(server) == ["GET /v1/x?a=1+2"]
            assert f"Authorization: Bearer {BEARER}\r\n".encode() in server.requests[0]

    def test_bodies_go_as_json_or_as_parts(self) -> None:
        with a_session(FINE) as (session, server):
            session.send("POST", "/v1/x", json={"customerReference": "ü"})
            session.send("PATCH", "/v1/x", files={"addSubjectIDs": ("a.txt", b"804735132\n", "text/plain")})
            assert json.loads(server.requests[0].split(b"\r\n\r\n")[1]) == {"customerReference": "ü"}
            assert b'name="addSubjectIDs"; filename="a.txt"' in server.requests[1]

    @pytest.mark.parametrize(
        "script",
        [EXPIRED, refusing("00046", "429 Slow", "Retry-After: 0"), refusing("00034", "500 Oops"), sending(b"")],
    )
    def test_send_never_repeats_and_never_raises(self, script: Script) -> None:
        with a_session(script) as (session, server):
            session.send("GET", "/v1/x")
            assert len(server.requests) == 1

    def test_every_call_takes_a_slot_that_of_the_token_too(self) -> None:
        throttle = NoThrottle()
        with a_session(granting(), FINE, throttle=throttle, logged_in=False) as (session, _):
            session.send("GET", "/v1/x")
            session.send("GET", "/v1/x")
        assert throttle.waits == 3

    def test_a_limit_of_its_own_holds_for_one_call(self) -> None:
        with a_session(silent(1), timeout=30) as (session, _):
            assert session.send("GET", "/v1/x", timeout=0.2).failure == "timed out after 0.2 s"

    def test_the_last_time_heard_from_dnb_is_known_after_any_answer(self) -> None:
        stamped = answering(json.dumps(an_error("00034")).encode(), "500 Oops")
        with a_session(answering(b"", "502 Bad", ("Date: Thu, 01 Jan 2026 00:00:00 GMT",)), stamped, sending(b"")) as (
            session,
            _,
        ):
            assert session.dnb_time is None
            session.send("GET", "/v1/x")
            assert session.dnb_time == datetime(2026, 1, 1, tzinfo=UTC)
            for _ in range(2):
                session.send("GET", "/v1/x")
                assert session.dnb_time == datetime(2026, 1, 8, 11, 6, 47, 941000, UTC)


class TestRepeating:
    def times(self, kind: Kind, *scripts: Script, **options: Any) -> int:
        with a_session(*scripts, **options) as (session, server):
            session.call(kind, "GET", "/v1/x")
            time.sleep(0.02)
            return sum(1 for call in calls(server) if "token" not in call)

    def test_every_kind_of_call_has_its_line(self) -> None:
        assert set(REPEATABLE) == set(Kind)

    @pytest.mark.parametrize(
        "script",
        [
            EXPIRED, refusing("00045", "429 Slow", "Retry-After: 0"), refusing("00034", "500 Oops"), sending(b""),
            resetting(), answering(b"{", length=9), answering(b"", "503 Busy"),
        ],
    )  # fmt: skip
    def test_a_pull_is_made_once_whatever_happens(self, script: Script) -> None:
        assert self.times(Kind.PULL, script) == 1

    @pytest.mark.parametrize("script", [silent(1), dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 100)])
    def test_a_pull_that_times_out_is_made_once(self, script: Script) -> None:
        assert self.times(Kind.PULL, script, timeout=0.2) == 1

    def test_a_replay_is_repeated_for_a_new_token_only(self) -> None:
        assert self.times(Kind.REPLAY, EXPIRED, granting("new"), FINE) == 2
        assert self.times(Kind.REPLAY, refusing("00046", "429 Slow")) == 1
        assert self.times(Kind.REPLAY, refusing("00034", "500 Oops")) == 1

    @pytest.mark.parametrize("kind", [Kind.SUBJECT, Kind.BATCH, Kind.SWITCH, Kind.PAID])
    def test_what_changes_something_is_repeated_only_where_it_did_not_happen(self, kind: Kind) -> None:
        assert self.times(kind, EXPIRED, granting("new"), FINE) == 2
        assert self.times(kind, refusing("00046", "429 Slow"), FINE) == 2
        assert self.times(kind, refusing("00034", "500 Oops")) == 1
        assert self.times(kind, sending(b"")) == 1

    def test_a_reading_call_is_repeated_until_it_works(self) -> None:
        trouble = [refusing("00034", "500 Oops"), sending(b""), refusing("00045", "429 Slow")]
        assert self.times(Kind.READ, *trouble, FINE) == 4

    def test_a_reading_call_gives_up_after_a_few_attempts(self) -> None:
        assert self.times(Kind.READ, refusing("00034", "500 Oops")) == 4

    @pytest.mark.parametrize("code", ["00041", "00004", "00014", "00044", "00012"])
    def test_a_missing_right_is_never_asked_for_again(self, code: str) -> None:
        assert self.times(Kind.READ, refusing(code)) == 1

    @pytest.mark.parametrize(("code", "status"), [("00050", "429 No"), ("10002", "400 No"), ("10001", "404 No")])
    def test_a_final_answer_is_final(self, code: str, status: str) -> None:
        assert self.times(Kind.READ, refusing(code, status)) == 1

    def test_waits_grow_and_differ(self) -> None:
        waits: list[float] = []
        assert self.times(Kind.READ, refusing("00034", "500 Oops"), sleep=waits.append) == 4
        assert 1 <= waits[0] <= 2 <= waits[1] <= 3 < waits[2] <= 5
        assert len({wait % 1 for wait in waits}) == 3

    def test_the_wait_that_dnb_asks_for_is_kept(self) -> None:
        waits: list[float] = []
        scripts = refusing("00046", "429 Slow", "Retry-After: 7"), FINE
        assert self.times(Kind.READ, *scripts, sleep=waits.append) == 2
        assert waits == [7]

    def test_a_wait_beyond_the_budget_is_left_to_the_caller(self) -> None:
        waits: list[float] = []
        assert self.times(Kind.READ, refusing("00046", "429 Slow", "Retry-After: 3600"), sleep=waits.append) == 1
        assert waits == []


class TestToken:
    def test_version_two(self) -> None:
        with a_session(granting(), FINE, logged_in=False) as (session, server):
            assert session.send("GET", "/v1/x").status == 200
            assert calls(server) == ["POST /v2/token", "GET /v1/x"]
            request = server.requests[0]
        assert base64.b64encode(f"{KEY}:{SECRET}".encode()) in request
        assert b"Content-Type: application/json\r\n" in request
        assert json.loads(request.split(b"\r\n\r\n")[1]) == {"grant_type": "client_credentials"}

    def test_version_three(self) -> None:
        scripts = granting(name="expires_in"), FINE
        with a_session(*scripts, logged_in=False, token_version=3) as (session, server):
            assert session.send("GET", "/v1/x").status == 200
            assert calls(server)[0] == "POST /v3/token"
            request = server.requests[0]
        assert b"Content-Type: application/x-www-form-urlencoded\r\n" in request
        assert b"Cache-Control: no-cache\r\n" in request
        assert request.endswith(b"\r\n\r\ngrant_type=client_credentials")

    def test_one_token_serves_many_calls(self) -> None:
        with a_session(granting(), FINE, logged_in=False) as (session, server):
            for _ in range(3):
                session.send("GET", "/v1/x")
            assert calls(server).count("POST /v2/token") == 1

    def test_how_long_it_lives_is_taken_from_the_answer(self) -> None:
        store = MemoryTokenStore()
        with a_session(granting(seconds=600), FINE, logged_in=False, tokens=store) as (session, _):
            session.send("GET", "/v1/x")
        token = store.get()
        assert token is not None
        assert abs((token.expires_at - datetime.now(UTC)).total_seconds() - 600) < 5

    def test_it_is_renewed_before_it_ends(self) -> None:
        with a_session(granting("new"), FINE, token=a_token("old", 200)) as (session, server):
            session.send("GET", "/v1/x")
            assert b"Bearer new\r\n" in server.requests[1]

    def test_while_another_renews_it_the_old_one_is_used(self) -> None:
        store = MemoryTokenStore()
        assert store.begin_renewal()
        store._token = a_token("old", 200)
        with a_session(FINE, logged_in=False, tokens=store) as (session, server):
            session.send("GET", "/v1/x")
            assert b"Bearer old\r\n" in server.requests[0]

    def test_without_one_the_renewal_of_another_is_awaited(self) -> None:
        store = MemoryTokenStore()
        assert store.begin_renewal()
        asleep: list[float] = []

        def sleep(seconds: float) -> None:
            asleep.append(seconds)
            if len(asleep) == 3:
                store.put(a_token("theirs"))

        with a_session(FINE, logged_in=False, tokens=store, sleep=sleep) as (session, server):
            session.send("GET", "/v1/x")
            assert len(server.requests) == 1
            assert b"Bearer theirs\r\n" in server.requests[0]

    def test_a_renewal_that_was_left_behind_is_taken_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(token_store, "CLAIM_LASTS", 0.1)
        store = MemoryTokenStore()
        assert store.begin_renewal()
        with a_session(granting("mine"), FINE, logged_in=False, tokens=store, sleep=time.sleep) as (session, server):
            assert session.send("GET", "/v1/x").status == 200
            assert b"Bearer mine\r\n" in server.requests[1]

    def test_a_renewal_that_never_ends_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("direct_plus.session.CLAIM_LASTS", 0.05)
        store = MemoryTokenStore()
        assert store.begin_renewal()
        with a_session(FINE, logged_in=False, tokens=store, sleep=time.sleep) as (session, server):
            answer = session.send("GET", "/v1/x")
            assert server.requests == []
        assert (answer.status, answer.sent) == (0, False)
        assert answer.failure == "no access token: another process did not finish requesting it"

    def test_a_token_that_came_between_look_and_claim_is_used(self) -> None:
        class Late(MemoryTokenStore):
            def begin_renewal(self) -> bool:
                self.put(a_token("theirs"))
                return super().begin_renewal()

        store = Late()
        with a_session(FINE, logged_in=False, tokens=store) as (session, server):
            session.send("GET", "/v1/x")
            assert b"Bearer theirs\r\n" in server.requests[0]
        assert store._claimed_until == 0

    def test_many_threads_get_one_token(self) -> None:
        with a_session(granting(), FINE, logged_in=False, sleep=time.sleep) as (session, server):
            threads = [threading.Thread(target=session.send, args=("GET", "/v1/x")) for _ in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert calls(server).count("POST /v2/token") == 1
            assert calls(server).count("GET /v1/x") == 5

    @pytest.mark.parametrize(
        ("body", "version"),
        [(an_error("00041", "Wrong key."), 2), ({"error": "invalid_request", "error_description": "Wrong key."}, 3)],
    )
    def test_wrong_credentials_are_told_and_the_call_is_not_made(self, body: dict[str, Any], version: int) -> None:
        refusal = answering(json.dumps(body).encode(), "401 No")
        with a_session(refusal, logged_in=False, token_version=version) as (session, server):
            answer = session.call(Kind.READ, "GET", "/v1/x")
            assert calls(server) == [f"POST /v{version}/token"]
        error = error_of(answer)
        assert (answer.status, answer.sent) == (401, False)
        assert isinstance(error, NotAuthorised)
        assert error.message == "Wrong key."

    def test_an_unreachable_token_is_told_and_the_call_is_known_not_to_be_made(self) -> None:
        with a_session(sending(b""), logged_in=False) as (session, server):
            answer = session.call(Kind.PULL, "GET", "/v1/x")
            assert calls(server) == ["POST /v2/token"]
        assert answer.failure == "no access token: connection closed before a response arrived"
        assert (answer.sent, type(error_of(answer))) == (False, Unreachable)

    @pytest.mark.parametrize(
        "body",
        [b"", b"[]", b"{}", b'{"access_token": 5}', b'{"access_token": ""}', b'{"access_token": "a b"}',
         b'{"access_token": "a\\r\\nX: y"}', b'{"access_token": "a", "expiresIn": "soon"}', b"<html>"],
    )  # fmt: skip
    def test_an_answer_without_a_usable_token_is_told(self, body: bytes) -> None:
        with a_session(answering(body), logged_in=False) as (session, server):
            answer = session.send("GET", "/v1/x")
            assert len(server.requests) == 1
        assert (answer.failure, answer.body, answer.sent) == ("no access token: the response contains none", b"", False)

    def test_after_a_failed_renewal_the_next_one_may_try_at_once(self) -> None:
        with a_session(refusing("00034", "500 Oops"), granting(), FINE, logged_in=False) as (session, _):
            assert session.send("GET", "/v1/x").status == 500
            assert session.send("GET", "/v1/x").status == 200

    def test_credentials_are_read_again_for_each_token(self) -> None:
        secrets = iter(["old", "new"])
        scripts = refusing("00041"), granting(), FINE
        with a_session(*scripts, logged_in=False, credentials=lambda: Credentials("k", next(secrets))) as (
            session,
            server,
        ):
            assert not session.renew_token()
            assert session.renew_token()
            assert base64.b64encode(b"k:new") in server.requests[1]

    def test_credentials_that_cannot_be_read_leave_no_claim_behind(self) -> None:
        store = MemoryTokenStore()

        def unreadable() -> Credentials:
            raise OSError("no such file")

        with a_session(FINE, logged_in=False, tokens=store, credentials=unreadable) as (session, _):
            with pytest.raises(OSError, match="no such file"):
                session.send("GET", "/v1/x")
            assert store.begin_renewal()

    def test_a_refused_pull_leaves_the_renewal_to_the_puller(self) -> None:
        with a_session(EXPIRED, granting("new"), FINE, token=a_token("old")) as (session, server):
            assert isinstance(error_of(session.call(Kind.PULL, "GET", "/v1/pull")), TokenExpired)
            assert len(server.requests) == 1
            assert session.renew_token()
            assert session.call(Kind.PULL, "GET", "/v1/pull").status == 200
            assert calls(server) == ["GET /v1/pull", "POST /v2/token", "GET /v1/pull"]

    def test_a_token_that_stays_refused_is_renewed_once_a_call(self) -> None:
        with a_session(EXPIRED, granting("new"), EXPIRED) as (session, server):
            assert isinstance(error_of(session.call(Kind.READ, "GET", "/v1/x")), TokenExpired)
            assert calls(server) == ["GET /v1/x", "POST /v2/token", "GET /v1/x"]

    def test_a_newer_token_of_another_process_is_not_forgotten(self) -> None:
        store = MemoryTokenStore()
        with a_session(EXPIRED, FINE, token=a_token("old"), tokens=store) as (session, server):
            session.send("GET", "/v1/x")
            store.put(a_token("theirs"))
            assert session.renew_token()
            assert session.send("GET", "/v1/x").status == 200
            assert b"Bearer theirs\r\n" in server.requests[1]

    def test_a_token_can_be_got_ahead_of_the_call(self) -> None:
        with a_session(granting(), logged_in=False) as (session, server):
            assert session.ensure_token() is None
            assert session.ensure_token() is None
            assert calls(server) == ["POST /v2/token"]

    def test_a_token_call_is_held_to_the_time_limit(self) -> None:
        with a_session(silent(1), logged_in=False, timeout=0.2) as (session, _):
            answer = session.send("GET", "/v1/x")
        assert isinstance(error_of(answer), TimedOut)
        assert answer.failure == "no access token: timed out after 0.2 s"


class TestTokenStore:
    def test_one_renewal_at_a_time(self) -> None:
        store = MemoryTokenStore()
        assert [store.begin_renewal(), store.begin_renewal()] == [True, False]
        store.put(a_token())
        assert store.begin_renewal()
        store.end_renewal()
        assert store.begin_renewal()

    @pytest.mark.parametrize(
        ("lives", "left", "due"), [(86_400, 299, True), (86_400, 301, False), (60, 10, False), (60, 5, True)]
    )
    def test_a_token_is_due_a_little_before_its_end(self, lives: int, left: int, due: bool) -> None:
        now = datetime.now(UTC)
        token = Token("t", now + timedelta(seconds=left), now + timedelta(seconds=left - lives))
        assert (token.is_due(), token.is_valid()) == (due, True)

    def test_a_token_without_a_beginning_is_due_five_minutes_before_its_end(self) -> None:
        assert [a_token(seconds=299).is_due(), a_token(seconds=302).is_due()] == [True, False]


class TestThrottle:
    def test_slots_lie_a_little_further_apart_than_the_limit(self) -> None:
        waits: list[float] = []
        throttle: Throttle = LocalThrottle(5, sleep=waits.append)
        for _ in range(4):
            throttle.wait()
        assert waits == pytest.approx([0.21, 0.42, 0.63], abs=0.02)

    def test_after_a_rest_nobody_waits(self) -> None:
        waits: list[float] = []
        throttle = LocalThrottle(1000, sleep=waits.append)
        throttle.wait()
        time.sleep(0.01)
        throttle.wait()
        assert waits == []

    def test_over_threads_no_window_holds_more_than_the_limit(self) -> None:
        throttle = LocalThrottle(50)
        gone: list[float] = []

        def call() -> None:
            for _ in range(10):
                throttle.wait()
                gone.append(time.monotonic())

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        gone.sort()
        assert gone[-1] - gone[0] >= 39 * 0.021 - 0.02


class TestSecrets:
    def play(self, *scripts: Script, **options: Any) -> list[object]:
        with a_session(*scripts, logged_in=False, **options) as (session, _):
            answer = session.call(Kind.READ, "GET", "/v1/x")
            answers = [answer, session.ensure_token()]
            seen: list[object] = [session, *answers, vars(session), *map(error_of, filter(None, answers))]
            return seen

    def secrets(self) -> list[str]:
        return [SECRET, BEARER, base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()]

    @pytest.mark.parametrize(
        "scripts",
        [
            (granting(), FINE),
            (granting(), EXPIRED, granting(), refusing("00034", "500 Oops")),
            (refusing("00041"),),
            (answering(json.dumps({"access_token": BEARER, "expiresIn": "soon"}).encode()),),
            (answering(json.dumps({"access_token": f"{BEARER}\r\nX: y"}).encode()),),
            (answering(json.dumps({"access_token": BEARER}).encode(), length=500),),
            (granting(), sending(b"")),
            (granting(), resetting()),
            (granting(), answering(b"", "302 Found", ("Location: http://127.0.0.1:1/",))),
        ],
    )
    def test_they_reach_no_log_and_no_representation(
        self, scripts: tuple[Script, ...], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("", "urllib3", "requests", "http.client", "direct_plus", "tenacity"):
            caplog.set_level(logging.DEBUG, logger=name)
        seen = self.play(*scripts)
        printed = "".join(capfd.readouterr())
        shown = caplog.text + printed + "".join(f"{item!r} {item!s}" for item in seen)
        assert "urllib3" in caplog.text
        assert [secret for secret in self.secrets() if secret in shown] == []

    def test_they_are_in_no_traceback_of_a_failure(self) -> None:
        def failing() -> Credentials:
            raise PermissionError("cannot read the secret's file")

        with pytest.raises(PermissionError) as caught:
            self.play(FINE, credentials=failing)
        shown = "".join(traceback.format_exception(caught.value))
        assert [secret for secret in self.secrets() if secret in shown] == []

    def test_a_token_or_credentials_show_nothing_of_themselves(self) -> None:
        shown = f"{a_token()!r} {Credentials(KEY, SECRET)!r} {a_token()} {Credentials(KEY, SECRET)}"
        assert BEARER not in shown and SECRET not in shown and KEY not in shown

    def test_an_error_keeps_no_token(self) -> None:
        store = MemoryTokenStore()
        partial = answering(json.dumps({"access_token": BEARER}).encode(), length=500)
        with a_session(partial, logged_in=False, tokens=store) as (session, _):
            error = error_of(session.send("GET", "/v1/x"))
        assert error is not None and error.body == b""
