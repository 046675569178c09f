"""What `benchmarks.days` does to the program, and how many minutes each of it should cost: told from what was done and
from D&B's side of the calls, never from the program's own rows."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.days.program import KEY, SECRET, Program

# As docs/operate/operations.md and docs/operate/troubleshooting.md say it.
AWAY_IS_CRITICAL_AFTER = 600.0
# A look comes once a minute, and what is started again needs a moment until its first one.
EARLIER, LATER = 1.5, 2.0
LOST_IN_STARTING = 0.75
GIVE_UP = 300.0
# What it left behind shows in the minutes after its end.
AFTERMATH = 240.0

# What goes wrong at D&B all the time, and costs no minute.
PETTY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("server_error", {"on": "any"}),
    ("server_error", {"status": 500, "code": "00002", "shape": "fault", "dequeue": True}),
    ("too_many", {"on": "any", "retry_after": 1}),
    ("redirect", {}),
    ("gateway_html", {"on": "notifications"}),
    ("delay", {"on": "any", "seconds": 1.0}),
    ("late_dequeue", {"seconds": 1.0, "hold": 20.0}),
    ("serve_again", {"count": 3}),
    ("reorder", {"on": "notifications"}),
    ("one_stamp", {}),
    ("equal_stamps", {}),
    ("garbage", {"on": "notifications"}),
    ("drop", {"on": "notifications", "reset": True}),
    ("tear", {"on": "any"}),
    ("tear_unsized", {"on": "notifications"}),
    ("drip", {"on": "any", "seconds": 1.0, "pieces": 5}),
)

Calls = list[dict[str, Any]]


@dataclass
class Trouble:
    """One of them: how it begins and ends, which incident it should open, and what it should cost."""

    name: str
    minutes: float
    begin: Callable[[Program], None]
    end: Callable[[Program], None]
    expected: Callable[[Trouble, Calls], float]
    matters: tuple[str, ...]
    # Over before its time, where the program mends itself.
    is_over: Callable[[Program, Trouble], bool] = lambda program, trouble: False
    # While it lasts nothing can be asked of the sandbox.
    takes_dnb: bool = False
    begun: float = 0.0
    ended: float = 0.0

    @property
    def until(self) -> float:
        return self.ended + AFTERMATH


def nothing(program: Program) -> None:
    """It mends itself."""


def plan(chance: random.Random, minutes: float, only: str = "") -> list[tuple[float, Trouble]]:
    """What fits, each with its beginning in seconds. First what ends processes: memory needs long lives."""
    first, then = (
        [worker_stands(), cluster_is_wedged(), worker_is_killed()],
        [
            *(dnb_is_away(chance), dnb_is_gone(chance), key_ends(chance)),
        ],
    )
    chance.shuffle(first)
    chance.shuffle(then)
    words = only.split(",")
    chosen = [trouble for trouble in (*first, *then) if any(word in trouble.name for word in words)]
    return list(_laid_out(chosen, chance, minutes * 60))


def _laid_out(troubles: list[Trouble], chance: random.Random, seconds: float) -> Iterator[tuple[float, Trouble]]:
    at = 120.0
    for trouble in troubles:
        if at + trouble.minutes * 60 <= seconds:
            yield at, trouble
            at += trouble.minutes * 60 + chance.uniform(75, 120)


# Processes


def worker_stands() -> Trouble:
    """Watchdog and jobs stand still, as on a machine that hangs; they go on afterwards."""
    stopped: set[int] = set()

    def begin(program: Program) -> None:
        stopped.update(program.worker())
        program.signal(stopped, signal.SIGSTOP)

    return Trouble(
        name="worker stands still (SIGSTOP)",
        minutes=5.5,
        begin=begin,
        end=lambda program: program.signal(stopped, signal.SIGCONT),
        expected=lambda trouble, calls: (trouble.ended - trouble.begun) / 60 + LOST_IN_STARTING,
        # The watchdog tells it as soon as it goes on, so it is not told as a silence too.
        matters=("jobs",),
    )


def cluster_is_wedged() -> Trouble:
    """The jobs stand still under their watchdog, who has to see it."""
    wedged: set[int] = set()

    def begin(program: Program) -> None:
        wedged.update(program.cluster())
        program.signal(wedged, signal.SIGSTOP)

    return Trouble(
        name="jobs are wedged (SIGSTOP)",
        minutes=GIVE_UP / 60,
        begin=begin,
        end=lambda program: program.signal(wedged, signal.SIGCONT),
        is_over=lambda program, trouble: bool(program.cluster() - wedged),
        expected=lambda trouble, calls: (trouble.ended - trouble.begun) / 60 + LOST_IN_STARTING,
        matters=("jobs",),
    )


def worker_is_killed() -> Trouble:
    killed: set[int] = set()

    def begin(program: Program) -> None:
        killed.update(program.worker())
        program.signal(killed, signal.SIGKILL)

    return Trouble(
        name="worker is killed (SIGKILL)",
        minutes=0.5,
        begin=begin,
        end=nothing,
        expected=lambda trouble, calls: 0.0,
        matters=(),
    )


# D&B


def dnb_is_away(chance: random.Random) -> Trouble:
    """Long enough to be critical."""
    return Trouble(
        name="D&B answers 503 to everything",
        minutes=chance.uniform(13, 15),
        begin=lambda program: _only(program, "server_error", on="any"),
        end=lambda program: program.control.clear_faults(),
        expected=_critical_while_away,
        matters=("dnb:default",),
    )


def _only(program: Program, fault: str, **how: Any) -> None:
    program.control.clear_faults()
    program.control.set_fault(fault, **how)


def _critical_while_away(trouble: Trouble, calls: Calls) -> float:
    """From ten minutes after the first question that D&B did not answer to the first one that it answered."""
    questions = [call for call in calls if call["kind"] == "entitlements" and call["received_wall"] >= trouble.begun]
    failed = next((call["received_wall"] for call in questions if call["status"] != 200), trouble.ended)
    well = next((call["received_wall"] for call in questions if _is_well(call, trouble)), trouble.ended)
    return max(0.0, well - failed - AWAY_IS_CRITICAL_AFTER) / 60


def _is_well(call: dict[str, Any], trouble: Trouble) -> bool:
    return bool(call["received_wall"] >= trouble.ended and call["status"] == 200 and call["complete"])


def dnb_is_gone(chance: random.Random) -> Trouble:
    """Killed and started again, too soon to be critical."""
    return Trouble(
        name="D&B is gone (its process killed)",
        minutes=chance.uniform(3, 4),
        begin=lambda program: program.kill_sandbox(),
        end=lambda program: program.start_sandbox(),
        expected=lambda trouble, calls: 0.0,
        matters=(),
        takes_dnb=True,
    )


def key_ends(chance: random.Random) -> Trouble:
    def begin(program: Program) -> None:
        program.control.clear_faults()
        program.control.set_credentials("another-key", "another-secret")
        program.control.expire_tokens()

    return Trouble(
        name="D&B refuses the key",
        minutes=chance.uniform(3, 4),
        begin=begin,
        end=lambda program: program.control.set_credentials(KEY, SECRET),
        expected=_critical_while_refused,
        matters=("dnb:default", "stopped:"),
    )


def _critical_while_refused(trouble: Trouble, calls: Calls) -> float:
    """From the first token that D&B refused to the last of the registrations to be answered again."""
    since = [call for call in calls if call["received_wall"] >= trouble.begun]
    refused = next((call["received_wall"] for call in since if call["status"] == 401), trouble.ended)
    first: dict[str, float] = {}
    for call in since:
        if call["kind"] == "details" and _is_well(call, trouble):
            first.setdefault(call["reference"], call["received_wall"])
    return max(0.0, max(first.values(), default=trouble.ended) - refused) / 60


def go_wrong_a_little(program: Program, chance: random.Random) -> None:
    """A few petty faults, drawn anew."""
    program.control.clear_faults()
    for name, how in chance.sample(PETTY, 4):
        program.control.set_fault(name, probability=chance.choice((0.05, 0.15, 0.3)), **how)
