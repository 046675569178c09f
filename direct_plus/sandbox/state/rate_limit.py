"""Five calls a second a key, counted in real time over any second."""

from collections import defaultdict, deque
from threading import Lock
from time import monotonic


class Limiter:
    def __init__(self) -> None:
        self._lock = Lock()
        self._admitted: dict[str, deque[float]] = defaultdict(deque)

    def admits(self, consumer: str, calls: float) -> bool:
        """Whether one more call of this key fits; a refused call does not count."""
        if calls <= 0:
            return True
        now = monotonic()
        with self._lock:
            admitted = self._admitted[consumer]
            while admitted and admitted[0] <= now - 1:
                admitted.popleft()
            if len(admitted) >= calls:
                return False
            admitted.append(now)
            return True
