"""Calls with a token, at D&B's pace, within a time limit, and repeated only where that is harmless.

`Session.send` makes a call once, whatever comes of it. `Session.call` repeats what `REPEATABLE` lets it repeat.
"""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from requests.structures import CaseInsensitiveDict
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_base, wait_exponential_jitter

from direct_plus.errors import (
    DirectPlusError,
    ServerTrouble,
    TimedOut,
    TokenExpired,
    Told,
    TooManyCalls,
    Unreachable,
    error_for,
    read_failure,
)
from direct_plus.exact_json import parse_json
from direct_plus.rate_limit import Throttle
from direct_plus.token_store import CLAIM_LASTS, Credentials, Token, TokenStore
from direct_plus.transport import Answer, Request, Transport

__all__ = ["REPEATABLE", "Answer", "Credentials", "Kind", "Session", "error_of"]

ATTEMPTS = 4
BUDGET = 60.0  # seconds for all attempts of one call, the waits between them included


class Kind(StrEnum):
    PULL = "pull"
    REPLAY = "replay"
    READ = "read"
    PAID = "paid"
    SUBJECT = "subject"
    BATCH = "batch"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class Repeat:
    renewed: bool  # once more with a new token, after D&B said that the old one had ended
    refused: bool  # again after a refusal for too many calls, which did nothing
    in_doubt: bool  # again after a timeout, a broken connection or a 5xx, where D&B may have acted


# A pull takes notifications off D&B's queue and is announced in a row before it is made, so nothing repeats it here.
# A replay only reads, but whoever pages through it sees to its failures. An addition in doubt is billed when it is
# sent again after it was meant to be undone, so only a caller who knows what is wanted repeats it. A paid call in doubt
# may be billed, and would be billed again.
REPEATABLE: dict[Kind, Repeat] = {
    Kind.PULL: Repeat(renewed=False, refused=False, in_doubt=False),
    Kind.REPLAY: Repeat(renewed=True, refused=False, in_doubt=False),
    Kind.READ: Repeat(renewed=True, refused=True, in_doubt=True),
    Kind.PAID: Repeat(renewed=True, refused=True, in_doubt=False),
    Kind.SUBJECT: Repeat(renewed=True, refused=True, in_doubt=False),
    Kind.BATCH: Repeat(renewed=True, refused=True, in_doubt=False),
    Kind.SWITCH: Repeat(renewed=True, refused=True, in_doubt=False),
}


class Session:
    """The calls of one D&B key."""

    def __init__(
        self,
        base_url: str,
        credentials: Callable[[], Credentials],
        tokens: TokenStore,
        throttle: Throttle,
        timeout: float = 30,
        token_version: int = 2,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.dnb_time: datetime | None = None
        self.timeout = timeout
        self._transport = Transport(base_url)
        self._credentials = credentials
        self._tokens = tokens
        self._throttle = throttle
        self._token_version = token_version
        self._sleep = sleep
        self._used: Token | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        files: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Make the call once. Never raises for HTTP or the network, follows no redirect, repeats nothing.

        Without a token the call is not made; the answer is then the refusal of the token, with `sent` False.
        """
        token = self._usable_token()
        if isinstance(token, Answer):
            return token
        self._used = token
        authorization = f"Bearer {token.value}"
        request = Request(method, self._url(path), authorization, params=params, json=json, files=files)
        return self._exchange(request, timeout or self.timeout)

    def call(self, kind: Kind, method: str, path: str, **how: Any) -> Answer:
        """Make the call, and again as far as `REPEATABLE` lets a call of its kind be repeated."""
        return Retrying(
            retry=retry_if_result(lambda answer: _may_help(REPEATABLE[kind], answer)),
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(BUDGET),
            wait=_Patience(),
            sleep=self._sleep,
            retry_error_callback=_last_answer,
        )(self._send_renewing, REPEATABLE[kind], method, path, **how)

    def ensure_token(self) -> Answer | None:
        """See that a token is at hand, so that the next call is only itself; what refused it otherwise."""
        token = self._usable_token()
        return token if isinstance(token, Answer) else None

    def renew_token(self) -> bool:
        """Get another token than the one last used, after D&B refused that. Credentials are read again."""
        self.forget_token()
        return self.ensure_token() is None

    def forget_token(self) -> None:
        if self._used is not None:
            self._tokens.forget(self._used)
            self._used = None

    def close(self) -> None:
        self._transport.close()

    def _send_renewing(self, repeat: Repeat, method: str, path: str, **how: Any) -> Answer:
        answer = self.send(method, path, **how)
        if repeat.renewed and answer.sent and isinstance(error_of(answer), TokenExpired):
            self.forget_token()
            return self.send(method, path, **how)
        return answer

    def _usable_token(self) -> Token | Answer:
        token = self._tokens.get()
        if token is not None and not token.is_due():
            return token
        if self._tokens.begin_renewal():
            return self._renew()
        return token if token is not None and token.is_valid() else self._await_token()

    def _await_token(self) -> Token | Answer:
        """Another process is getting one."""
        started_at = datetime.now(UTC)
        until = time.monotonic() + CLAIM_LASTS
        while time.monotonic() < until:
            self._sleep(0.2)
            token = self._tokens.get()
            if token is not None and token.is_valid():
                return token
            if self._tokens.begin_renewal():
                return self._renew()
        return _never_sent(started_at, "no access token: another process did not finish requesting it")

    def _renew(self) -> Token | Answer:
        # Another may have finished between our look and our claim.
        token = self._tokens.get()
        if token is None or token.is_due():
            return self._fetch_token()
        self._tokens.end_renewal()
        return token

    def _fetch_token(self) -> Token | Answer:
        token: Token | Answer | None = None
        try:
            answer = self._exchange(self._token_request(self._credentials()), self.timeout)
            token = _token_in(answer) or _as_refusal(answer)
        finally:
            if not isinstance(token, Token):
                self._tokens.end_renewal()
        if isinstance(token, Token):
            self._tokens.put(token)
        return token

    def _token_request(self, credentials: Credentials) -> Request:
        """Contract section 1."""
        pair = f"{credentials.key}:{credentials.secret}".encode()
        authorization = f"Basic {base64.b64encode(pair).decode()}"
        grant = {"grant_type": "client_credentials"}
        url = self._url(f"/v{self._token_version}/token")
        if self._token_version == 2:
            return Request("POST", url, authorization, json=grant)
        return Request("POST", url, authorization, headers={"Cache-Control": "no-cache"}, data=grant)

    def _exchange(self, request: Request, timeout: float) -> Answer:
        self._throttle.wait()
        answer = self._transport.exchange(request, timeout)
        self.dnb_time = answer.dnb_time or self.dnb_time
        return answer

    def _url(self, path: str) -> str:
        return f"{self._transport.base_url}/{path.lstrip('/')}"


def error_of(answer: Answer) -> DirectPlusError | None:
    """The branch of the tree that an answer belongs to; None for a whole 2xx that holds no error either."""
    if answer.failure is not None:
        return _unreachable(answer, answer.failure)
    succeeded = 200 <= answer.status < 300
    # Whether a success veils an error is asked only where it may: a page of notifications can be large.
    if succeeded and b'"errorCode"' not in answer.body:
        return None
    told = read_failure(answer.status, answer.headers, answer.body, answer.dnb_time)
    return None if succeeded and told.code is None else error_for(told)


def _unreachable(answer: Answer, failure: str) -> Unreachable:
    branch = TimedOut if answer.timed_out else Unreachable
    message = f"no complete response from Direct+: {failure}"
    return branch(Told(answer.status or None, None, message, (), None, answer.dnb_time, answer.headers, answer.body))


class _Patience(wait_base):
    """As long as D&B asks for, else exponentially longer with jitter."""

    def __init__(self) -> None:
        self._otherwise = wait_exponential_jitter(initial=1, max=20)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = error_of(_last_answer(retry_state))
        asked = error.retry_after if isinstance(error, TooManyCalls) else None
        return self._otherwise(retry_state) if asked is None else asked


def _may_help(repeat: Repeat, answer: Answer) -> bool:
    error = error_of(answer)
    if isinstance(error, TooManyCalls):
        return repeat.refused
    return repeat.in_doubt and isinstance(error, ServerTrouble | Unreachable)


def _last_answer(state: RetryCallState) -> Answer:
    assert state.outcome is not None
    answer = state.outcome.result()
    assert isinstance(answer, Answer)
    return answer


def _token_in(answer: Answer) -> Token | None:
    if answer.failure is not None or answer.status != 200:
        return None
    try:
        document = parse_json(answer.body)
        value = document["access_token"]
        seconds = int(document.get("expiresIn") or document.get("expires_in") or 3600)
    except (ValueError, ArithmeticError, TypeError, KeyError, AttributeError):
        return None
    if not (isinstance(value, str) and value.isascii() and value.isprintable() and value and " " not in value):
        return None
    now = datetime.now(UTC)
    return Token(value, now + timedelta(seconds=max(0, min(seconds, 86_400 * 30))), now)


def _as_refusal(answer: Answer) -> Answer:
    """A token answer in the place of the call that needed it; a body that may hold a token goes no further."""
    if answer.failure is not None:
        return replace(answer, body=b"", sent=False, failure=f"no access token: {answer.failure}")
    if answer.status == 200:
        return replace(answer, body=b"", sent=False, failure="no access token: the response contains none")
    return replace(answer, sent=False)


def _never_sent(started_at: datetime, failure: str) -> Answer:
    return Answer(0, CaseInsensitiveDict(), b"", failure, None, started_at, datetime.now(UTC), sent=False)
