"""The one place that builds a D&B client: a contract's credentials, token and throttle, shared through rows."""

from __future__ import annotations

import hashlib
import json
import re
import time
from datetime import datetime, timedelta
from typing import Literal, cast

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from core.db import database_now, insert_new
from core.encryption import SecretLost, decrypted, encrypted
from direct_plus.client import DirectPlus
from direct_plus.errors import DirectPlusError
from direct_plus.session import BUDGET, Session, error_of
from direct_plus.token_store import Credentials, MemoryTokenStore, Token, TokenStore
from portfolio.models import AccessToken, Contract, RateLimitSlot

# A renewal is one call and its time limit; who was killed in it is out of the way after this.
RENEWAL = timedelta(seconds=60)
# With 200 ms between slots, 6 calls fell into some second; with 210 ms never more than 5.
SPACING = 1.05
REAL_HOST = "dnb.com"
PURPOSE = "direct-plus-token"
# An address that every reader reads alike: no user, no backslash, nothing that ends the host for one of them only.
PLAIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?(/[a-z0-9._~/-]*)?", re.ASCII | re.IGNORECASE)


class NotConfigured(Exception):
    """A setting is missing; the message names it."""


def client_for(contract: Contract) -> DirectPlus:
    """A client that shares token and throttle with every other process of this installation."""
    return DirectPlus(session_for(contract, SharedTokens(contract)), subject_path=subject_path(contract))


def session_for(contract: Contract, tokens: TokenStore) -> Session:
    check_address(contract)
    return Session(
        base_url=base_url(contract),
        credentials=lambda: credentials(contract),
        tokens=tokens,
        throttle=SharedThrottle(contract),
        timeout=settings.DNB_TIMEOUT,
        token_version=int(setting(contract, "TOKEN_VERSION", "2")),
    )


def refusal_of_key(contract: Contract) -> DirectPlusError | None:
    """What D&B says against the key as it is set now: an older one's token may still be good for a day."""
    tokens = MemoryTokenStore()
    answer = session_for(contract, tokens).ensure_token()
    if (token := tokens.get()) and not contract._state.adding:
        SharedTokens(contract).put(token)
    return error_of(answer) if answer else None


def setting(contract: Contract, name: str, default: str = "") -> str:
    """A setting of this contract, read anew each time: a mounted secret may have been rotated."""
    return cast(str, settings.ENV.str(f"{contract.prefix}_{name}", default=default))


def longest_call() -> timedelta:
    """How long a call may last in all, its repetitions included."""
    return timedelta(seconds=settings.DNB_TIMEOUT + BUDGET)


def subject_path(contract: Contract) -> Literal["subjects", "duns"]:
    """One of two path families (docs/develop/direct_plus.md#subjects)."""
    return "duns" if setting(contract, "SUBJECT_PATH", "subjects") == "duns" else "subjects"


def base_url(contract: Contract) -> str:
    return contract.base_url or setting(contract, "BASE_URL", "https://plus.dnb.com")


def check_address(contract: Contract) -> None:
    """Raises NotConfigured where the contract's row leads where the account may not be shown."""
    if contract.base_url and not may_see_account(contract.base_url):
        raise NotConfigured(
            gettext(
                "%(address)s is not an address of D&B. Remove it from the contract and set %(prefix)s_BASE_URL in "
                "the environment instead."
            )
            % {"address": contract.base_url, "prefix": contract.prefix}
        )


def may_see_account(address: str) -> bool:
    """Whoever answers there is given D&B's key and secret: in a row it is D&B alone; the settings may say otherwise."""
    return settings.DEVELOPMENT or (PLAIN.fullmatch(address) is not None and is_at_dnb(address))


def is_at_dnb(address: str) -> bool:
    """By the host that would be connected to: the client reads addresses with the same reader."""
    try:
        host = parse_url(address).host or ""
    except LocationParseError:
        return False
    return host == REAL_HOST or host.endswith("." + REAL_HOST)


def is_real(contract: Contract) -> bool:
    """Whether this contract talks to D&B itself and not to a sandbox."""
    return is_at_dnb(base_url(contract))


def fingerprint(contract: Contract) -> str:
    """Of the key, the secret and the address: which were tested. Nothing where they are not set."""
    try:
        found = credentials(contract)
    except NotConfigured:
        return ""
    parts = json.dumps([base_url(contract), found.key, found.secret])
    return salted_hmac("dnb-key", parts, algorithm="sha256").hexdigest()


def credentials(contract: Contract) -> Credentials:
    check_address(contract)
    key, secret = setting(contract, "API_KEY"), setting(contract, "API_SECRET")
    for name, value in (("API_KEY", key), ("API_SECRET", secret)):
        if not value:
            raise NotConfigured(
                gettext("%(prefix)s_%(name)s is not set. Add D&B's credentials to the environment (.env).")
                % {"prefix": contract.prefix, "name": name}
            )
    return Credentials(key, secret)


class SharedTokens:
    """D&B's token in a row: encrypted, renewed by one process at a time."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    def _row(self) -> AccessToken:
        found = AccessToken.objects.filter(pk=self.contract.pk).first()
        if found:
            return found
        insert_new(AccessToken, [AccessToken(contract=self.contract)])
        return AccessToken.objects.get(pk=self.contract.pk)

    def get(self) -> Token | None:
        row = self._row()
        if not row.encrypted or row.expires_at is None:
            return None
        try:
            value = decrypted(row.encrypted, PURPOSE)
        except SecretLost:
            return None  # SECRET_KEY was changed: the next call fetches a new token
        return Token(value, row.expires_at)

    def begin_renewal(self) -> bool:
        """Claim the renewal; the claim ends by itself, so that a killed process leaves nothing behind."""
        self._row()
        now = database_now()
        free = Q(renewal_until__isnull=True) | Q(renewal_until__lt=now)
        claimed = AccessToken.objects.filter(free, pk=self.contract.pk)
        return bool(claimed.update(renewal_until=now + RENEWAL))

    def end_renewal(self) -> None:
        AccessToken.objects.filter(pk=self.contract.pk).update(renewal_until=None)

    def put(self, token: Token) -> None:
        self._row()
        AccessToken.objects.filter(pk=self.contract.pk).update(
            encrypted=encrypted(token.value, PURPOSE),
            expires_at=token.expires_at,
            renewal_until=None,
            version=F("version") + 1,
        )

    def forget(self, token: Token) -> None:
        """Drop this token, unless somebody has renewed it meanwhile."""
        row = self._row()
        current = self.get()
        if current and current.value == token.value:
            AccessToken.objects.filter(pk=row.pk, version=row.version).update(encrypted="", expires_at=None)


class SharedThrottle:
    """Slots for calls, one row for all processes: the row holds the next free one (GCRA)."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        # The limit is the consumer key's: contracts that share a key share the slots.
        self.key = hashlib.sha256(setting(contract, "API_KEY").encode()).hexdigest()

    @property
    def spacing(self) -> int:
        """Milliseconds between two calls, read for each, so that another pace holds at once, in a long sync too."""
        rows = Contract.objects.filter(pk=self._contract.pk).values_list("calls_per_second", flat=True)
        rate = setting(self._contract, "CALLS_PER_SECOND") or rows.first() or self._contract.calls_per_second
        return max(1, round(1000 / float(rate) * SPACING))

    def wait(self) -> None:
        """Sleep until the next free slot, which nobody else gets."""
        _, due = self._take()
        time.sleep(max(0.0, due - time.monotonic()))

    def _take(self) -> tuple[int, float]:
        """The slot by the database's clock, and the same moment by this process's own: taking it may last a while."""
        spacing = self.spacing
        while True:
            row = RateLimitSlot.objects.filter(pk=self.key).values_list("next_slot", Now()).first()
            if row is None:
                insert_new(RateLimitSlot, [RateLimitSlot(key=self.key)])
                continue
            free, now, read_at = row[0], _milliseconds(row[1]), time.monotonic()
            slot = max(free, now)
            if RateLimitSlot.objects.filter(pk=self.key, next_slot=free).update(next_slot=slot + spacing):
                return slot, read_at + (slot - now) / 1000


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
