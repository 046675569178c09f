"""Secrets of webhooks are made here, and sign as Standard Webhooks has it."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime

from standardwebhooks import Webhook


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(message: str, at: datetime, body: str, keys: list[str]) -> dict[str, str]:
    """The three headers of the specification; a signature with each key, so that receivers can change over."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message, at, body) for key in keys),
    }
