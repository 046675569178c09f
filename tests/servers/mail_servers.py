"""A real SMTP server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from django.test import override_settings

from tests.support import free_port

SMTP = "django.core.mail.backends.smtp.EmailBackend"


class Mailbox:
    """Keeps what is delivered; answers otherwise while `refusal` is set."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[list[str]] = []
        self.refusal = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusal:
            return self.refusal
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.envelopes.append(envelope.rcpt_tos)
        return "250 OK"

    def header(self, name: str, number: int = 0) -> str:
        """Long ones come folded."""
        return str(self.mails[number][name]).strip()

    def part(self, kind: str, number: int = -1) -> str:
        body = self.mails[number].get_body((kind,))
        return str(body.get_content()) if body else ""


@contextmanager
def a_mail_server() -> Iterator[Mailbox]:
    """The program's own mail goes there, as EMAIL_URL would have it."""
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    mailbox.port = port  # type: ignore[attr-defined]
    try:
        with override_settings(EMAIL_BACKEND=SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port):
            yield mailbox
    finally:
        controller.stop()
