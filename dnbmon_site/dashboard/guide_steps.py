"""A step of the guided start: what it is called, how it stands, and what its button does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.utils.translation import gettext


class StepState(StrEnum):
    DONE = "done"
    NEXT = "next"
    WAITING = "waiting"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Button:
    """Leads to a page, or acts where `is_act`; missing for a reader without the right."""

    words: str
    link: str
    is_act: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the guided start; one whose `state` is waiting becomes the next when those before it are done."""

    title: str
    text: str
    state: StepState
    button: Button | None = None

    @property
    def is_done(self) -> bool:
        return self.state == StepState.DONE

    @property
    def word(self) -> str:
        return {
            StepState.DONE: gettext("Done"),
            StepState.NEXT: gettext("Next step"),
            StepState.WAITING: gettext("To do") if self.button else gettext("Waiting"),
            StepState.PROBLEM: gettext("Problem"),
        }[self.state]

    @property
    def tone(self) -> str:
        return {"done": "good", "next": "info", "waiting": "calm", "problem": "bad"}[self.state]


def with_next(steps: Sequence[Step]) -> list[Step]:
    """The first that is open is the next, unless a problem comes before it."""
    found = list(steps)
    for place, step in enumerate(found):
        if step.state == StepState.WAITING:
            found[place] = replace(step, state=StepState.NEXT)
        if not step.is_done:
            break
    return found
