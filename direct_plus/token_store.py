"""The bearer token: one serves every process for a day, so it is kept where all find it (contract section 1)."""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

# A process that was killed while it renewed must not keep the others waiting for longer.
CLAIM_LASTS = 60.0
EARLY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Credentials:
    key: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)
    expires_at: datetime
    issued_at: datetime | None = None  # a store may drop it; it only serves tokens that live for minutes

    def is_valid(self) -> bool:
        return datetime.now(UTC) < self.expires_at

    def is_due(self) -> bool:
        """Time to renew it, while it still works."""
        early = min(EARLY, (self.expires_at - self.issued_at) / 10) if self.issued_at else EARLY
        return datetime.now(UTC) >= self.expires_at - early


class TokenStore(Protocol):
    """Shared by all that use the same key; each method is atomic over all processes."""

    def get(self) -> Token | None: ...

    def begin_renewal(self) -> bool:
        """Whether the caller may renew now. `put` and `end_renewal` end the claim; else it ends by itself."""
        ...

    def end_renewal(self) -> None:
        """The claim ends without a new token."""
        ...

    def put(self, token: Token) -> None: ...

    def forget(self, token: Token) -> None:
        """D&B refused this token. If another is stored by now, that one stays."""
        ...


class MemoryTokenStore:
    """For one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._claimed_until = 0.0

    def get(self) -> Token | None:
        return self._token

    def begin_renewal(self) -> bool:
        with self._lock:
            if time.monotonic() < self._claimed_until:
                return False
            self._claimed_until = time.monotonic() + CLAIM_LASTS
            return True

    def end_renewal(self) -> None:
        self._claimed_until = 0.0

    def put(self, token: Token) -> None:
        with self._lock:
            self._token = token
            self._claimed_until = 0.0

    def forget(self, token: Token) -> None:
        with self._lock:
            if self._token is not None and self._token.value == token.value:
                self._token = None
