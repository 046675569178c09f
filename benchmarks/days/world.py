"""What happens at D&B in `benchmarks.days`: its clock, its companies, and what goes wrong."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from benchmarks.days.program import Program
from benchmarks.days.troubles import Trouble, go_wrong_a_little
from direct_plus.sandbox.demo import companies as demo_companies
from direct_plus.sandbox.state.event_catalog import HAPPENINGS

STEP = 15.0
# Until the program has heard D&B's clock for the first time, which here is days off its own.
CALM = 75.0
REFERENCES = ("DAYS_LOD_1", "DAYS_LOD_2", "DAYS_FULL_3")
# Told of a company once each: two of them under one stamp could not be told apart, by nobody.
ONCE = ("seed", "transfer", "delete", "undelete", "under_review", "reviewed")
KINDS = sorted(HAPPENINGS)


@dataclass
class World:
    """D&B, and the hours that are played there in so many seconds."""

    program: Program
    chance: random.Random
    hours: float
    seconds: float
    begun: float = 0.0
    moved: float = 0.0
    happened: int = 0
    companies: list[str] = field(default_factory=list)
    once: dict[str, list[str]] = field(default_factory=dict)
    trouble: Trouble | None = None
    over: list[Trouble] = field(default_factory=list)

    def fill(self) -> None:
        documents = demo_companies.build(self.chance.randrange(1_000_000), "2026-01-05")
        control = self.program.control
        control.move_clock(self.seconds - self.hours * 3600)
        share = len(documents) // len(REFERENCES)
        for number, reference in enumerate(REFERENCES):
            full = {"notificationType": "FULL_PRODUCT"} if "FULL" in reference else {}
            control.add_registration(reference, **full)
            self.know(control.add_companies(reference, documents[number * share : (number + 1) * share]))

    def know(self, numbers: list[str]) -> None:
        self.companies += numbers
        for kind in ONCE:
            known = self.once.setdefault(kind, [])
            known += numbers
            self.chance.shuffle(known)

    def play(self, planned: list[tuple[float, Trouble]]) -> None:
        """Step by step until the time is over and the last trouble has ended."""
        self.begun = time.monotonic()
        while self.elapsed < self.seconds or self.trouble:
            self.go_on(planned)
            if not (self.trouble and self.trouble.takes_dnb):
                self.live()
            time.sleep(STEP - self.elapsed % STEP)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.begun

    def go_on(self, planned: list[tuple[float, Trouble]]) -> None:
        """Begin and end what is due."""
        now = self.trouble
        if now and (now.is_over(self.program, now) or time.time() >= now.begun + now.minutes * 60):
            now.ended = time.time()
            now.end(self.program)
            say(f"over: {now.name}")
            self.over.append(now)
            self.trouble = None
        if not self.trouble and planned and self.elapsed >= planned[0][0]:
            self.trouble = planned.pop(0)[1]
            self.trouble.begun = time.time()
            self.trouble.begin(self.program)
            say(f"begun: {self.trouble.name}")

    def live(self) -> None:
        """D&B's clock goes on by as much as is due, and things happen."""
        due = self.elapsed * (self.hours * 3600 / self.seconds - 1)
        self.program.control.move_clock(due - self.moved)
        self.moved = due
        if not self.trouble and self.elapsed > CALM:
            go_wrong_a_little(self.program, self.chance)
        for _ in range(self.chance.randint(3, 25)):
            self.happen()
        if self.chance.random() < 0.2:
            reference = self.chance.choice(REFERENCES)
            self.know(self.program.control.add_companies(reference, count=self.chance.randint(1, 4)))

    def happen(self) -> None:
        kind = self.chance.choice(ONCE) if self.chance.random() < 0.1 else ""
        if kind and self.once[kind]:
            self.happened += len(self.program.control.happen(kind, self.once[kind].pop()))
            return
        kind = self.chance.choice(KINDS)
        self.happened += len(self.program.control.happen(kind, self.chance.choice(self.companies)))


def say(words: str) -> None:
    print(time.strftime("%H:%M:%S"), words, flush=True)
