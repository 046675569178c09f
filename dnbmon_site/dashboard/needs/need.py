"""A task of “Needs attention” on the Overview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext

URGENCY = ("info", "bad", "warn", "calm")


class Item(NamedTuple):
    """An alert in words, its page, when it was raised, and the money at stake where the reader may see it."""

    words: str
    link: str
    at: datetime
    amount: str


@dataclass(frozen=True, slots=True)
class Need:
    """A task: one sentence, and a button with the verb and its object."""

    tone: str
    title: str
    text: str
    link: str = ""
    act: str = ""
    # Some of what it is about; and the other order in which they can stand, as words and link.
    items: Sequence[Item] = ()
    other_order: tuple[str, str] | None = None
    # How they are sorted, for those who cannot choose.
    order: str = ""
    # The button does it, where otherwise it leads to the page where it is done.
    is_post: bool = False
    # The word for it that health uses, where health reports it too.
    severity: str = ""

    @property
    def urgency(self) -> str:
        words = {"info": gettext("Yours"), "bad": gettext("Urgent"), "warn": gettext("Soon"), "calm": gettext("Info")}
        return self.severity or words[self.tone]
