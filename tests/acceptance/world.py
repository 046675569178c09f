"""A sandbox and the processes that pull from it, as one thing to steer."""

import random
from dataclasses import dataclass, field
from typing import Any

from direct_plus.sandbox.control.client import SandboxControl
from tests.acceptance.points import IN_REPLAY
from tests.acceptance.processes import Child, Nursery
from tests.acceptance.stream import Stream

REFERENCE = "ACME_LOD_01"
PAGE = 10


def credentials(url: str, calls: float) -> dict[str, str]:
    return {
        "DNB_BASE_URL": url,
        "DNB_API_KEY": "sandbox-key",
        "DNB_API_SECRET": "sandbox-secret",
        "DNB_CALLS_PER_SECOND": str(calls),
        "LOG_LEVEL": "CRITICAL",
    }


@dataclass
class House:
    control: SandboxControl
    nursery: Nursery
    reference: str = REFERENCE
    stream: Stream = field(default_factory=Stream)

    def set_up(self, page_size: int = PAGE, **fields: Any) -> None:
        self.control.add_registration(self.reference)
        self.nursery.do("set_up", reference=self.reference, page_size=page_size, current_page_size=page_size, **fields)

    def emit(self, count: int) -> None:
        self.control.emit(self.reference, self.stream.take(count))

    def start(self, deed: str, **arguments: Any) -> Child:
        return self.nursery.start(deed, reference=self.reference, **arguments)

    def do(self, deed: str, **arguments: Any) -> Any:
        return self.start(deed, **arguments).answer()

    def pull(self, **arguments: Any) -> dict[str, Any]:
        """Until nothing waits and nothing is in doubt."""
        result: dict[str, Any] = self.do("pull", **arguments)
        assert result["settled"], result
        return result

    def settle(self) -> dict[str, Any]:
        """Late dequeues have happened and are pulled or repaired; then compared: the numbers."""
        self.control.clear_faults()
        self.pull()
        self.control.wait_idle()
        self.pull()
        verdict = self.judge()
        assert "wrong" not in verdict, verdict["wrong"]
        return verdict

    def judge(self) -> dict[str, Any]:
        verdict: dict[str, Any] = self.nursery.do("judge", url=self.control.base_url, reference=self.reference)
        return verdict

    def lost_on_the_way(self) -> list[dict[str, Any]]:
        """Calls whose items the sandbox has taken off its queue and sent, and whose bytes were never stored."""
        stored = set(self.do("transactions"))
        return [call for call in self._whole_pulls() if transaction_id(call["number"]) not in stored]

    def _whole_pulls(self) -> list[dict[str, Any]]:
        calls = self.control.calls()
        return [
            call
            for call in calls
            if (call["kind"], call["status"]) == ("pull", 200)
            and call["reference"] == self.reference
            and call["complete"]
            and call["dequeued"]
        ]


def transaction_id(call: int) -> str:
    """As the sandbox writes it into the envelope."""
    return f"rrt-{call:016x}-b-eu-1-2-{call % 97}"


def kill_at(house: House, point: str, choose: random.Random, **how: Any) -> bool:
    """Whether the process died there; it may have ended before."""
    lead_past(house, point, choose)
    return house.start("pull", point=point, unchecked="details" in point, **how).was_killed()


def lead_past(house: House, point: str, choose: random.Random) -> None:
    """See that the next process comes past the point."""
    house.emit(choose.randint(12, 25))
    if "token" in point:
        house.control.expire_tokens()
    if "unreadable" in point:
        house.control.emit(house.reference, [house.stream.unreadable()])
    if point in IN_REPLAY:
        house.control.set_fault("drop", times=1, on="pull", reference=house.reference)
