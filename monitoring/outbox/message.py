"""What is said in mails and chats: subject, plain text and HTML from the same few lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.template.loader import render_to_string

from monitoring.models import Channel
from monitoring.outbox.addresses import address_of, mail_addresses, unsubscribe_link

MOST_LINES = 20
LONGEST_SUBJECT = 160


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a message."""

    text: str
    severity: str = ""
    tone: str = "calm"
    url: str = ""
    when: str = ""
    note: str = ""


@dataclass(slots=True)
class Message:
    """Something to be said to a channel."""

    subject: str
    lead: str = ""
    entries: list[Entry] = field(default_factory=list)
    more: int = 0
    why: str = ""
    url: str = ""
    url_words: str = ""

    def text(self, channel: Channel) -> str:
        return render_to_string("monitoring/outbox/message.txt", self._context(channel)).strip() + "\n"

    def chat_text(self, channel: Channel) -> str:
        """Below the subject, which chats show as the title: what it states is not repeated."""
        context = {**self._context(channel), "is_chat": True}
        return render_to_string("monitoring/outbox/message.txt", context).strip() + "\n"

    def html(self, channel: Channel) -> str:
        return render_to_string("monitoring/outbox/message.html", self._context(channel))

    def _context(self, channel: Channel) -> dict[str, object]:
        unsubscribe = unsubscribe_link(channel) if mail_addresses(address_of(channel)) else ""
        return {"message": self, "channel": channel, "unsubscribe": unsubscribe}
