"""What each service is sent is in that service's own words, which no name of ours may change."""

from typing import Any

import pytest

from monitoring.outbox.chat_services import chat_of
from monitoring.outbox.message import Entry, Message
from tests.builders.channels import a_channel

CARD = {
    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
    "type": "AdaptiveCard",
    "version": "1.4",
    "body": [
        {"type": "TextBlock", "text": "Title", "weight": "Bolder", "wrap": True},
        {"type": "TextBlock", "text": "One\n\nTwo", "wrap": True},
    ],
}
BODIES: dict[str, dict[str, Any]] = {
    "https://hooks.slack.com/services/T0/B0/x": {"text": "*Title*\nOne\nTwo"},
    "https://x.webhook.office.com/webhookb2/1": {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": CARD}],
    },
    "https://chat.googleapis.com/v1/spaces/a/messages?key=b": {"text": "Title\nOne\nTwo"},
    "discord://12345/abc": {"content": "Title\nOne\nTwo", "allowed_mentions": {"parse": []}},
    "tgram://123:abc/456/": {"chat_id": "456", "text": "Title\nOne\nTwo"},
}


@pytest.mark.parametrize("address", BODIES)
def test_the_body_is_the_services_own(address: str) -> None:
    chat = chat_of(address)
    assert chat is not None and chat.body("Title", "One\nTwo") == BODIES[address]


@pytest.mark.django_db
def test_a_chat_does_not_repeat_its_title() -> None:
    fact = "Acme Ltd, 804735132: operating status Active → Out of business"
    message = Message(f"[Critical] {fact}", entries=[Entry(fact, "Critical", when="1 Dec 2026, 09:00")])
    channel = a_channel(address="https://chat.googleapis.com/v1/spaces/S/messages?key=k&token=t")
    assert message.chat_text(channel) == "* 1 Dec 2026, 09:00\n"
    assert message.text(channel).count(fact) == 2
    other = Message("[Critical] 2 alerts", entries=[Entry(fact, "Critical")])
    assert other.chat_text(channel) == f"* Critical: {fact}\n"
