"""A sync under way: whether it may go on, and what it has done so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.audit import record
from core.leases import Hold
from core.models import Lease
from core.text import counted
from direct_plus.client import DirectPlus
from direct_plus.errors import DirectPlusError
from portfolio.models import Registration, SyncRun, SyncState

RECORDED = 10_000


class Stopped(Exception):
    """Paused, cancelled or out of time: what was sent is noted, the rest waits."""


@dataclass(slots=True)
class Work:
    """A sync under way."""

    registration: Registration
    client: DirectPlus
    run: SyncRun
    hold: Hold[Lease]
    until: datetime | None = None
    report: Callable[[str], None] = lambda text: None
    trouble: DirectPlusError | None = None
    troubles: int = 0
    done: dict[str, list[str]] = field(default_factory=dict)

    def go_on(self, *, seconds: float = 0) -> None:
        """May one more call be made? Raises Stopped or HoldLost."""
        self.hold.renew(seconds=seconds)
        self.run.refresh_from_db()
        if self.run.state != SyncState.RUNNING or (self.until and timezone.now() >= self.until):
            raise Stopped
        self.report(
            gettext("%(registration)s: %(sent)s sent, %(calls)s calls")
            % {"registration": self.registration, "sent": counted(self.run.sent), "calls": counted(self.run.calls)}
        )

    def note(self, action: str, numbers: Sequence[str]) -> None:
        """For the audit: what was sent or asked."""
        noted = self.done.setdefault(action, [])
        noted += numbers[: RECORDED - len(noted)]

    def write_down(self, actor: str) -> None:
        for action, numbers in self.done.items():
            shown = ", ".join(numbers[:10]) + (" …" if len(numbers) > 10 else "")
            summary = gettext("%(what)s for %(registration)s: %(shown)s") % {
                "what": SUMMARIES[action],
                "registration": self.registration,
                "shown": shown,
            }
            record(actor=actor, action=action, thing=self.registration, summary=summary, after={"duns": numbers})


SUMMARIES = {
    "send_add": _("Additions sent to D&B"),
    "send_remove": _("Removals sent to D&B"),
    "check": _("Pending numbers checked at D&B"),
}
