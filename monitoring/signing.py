"""Secrets of other systems, kept encrypted. Those of webhooks are made here, and sign as Standard Webhooks has it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.translation import gettext
from standardwebhooks import Webhook


class SecretLost(Exception):
    """It was encrypted with another SECRET_KEY."""


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@cache
def _cipher(secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"webhook-secret" + secret_key.encode()).digest()))


def encrypted(secret: str) -> str:
    return _cipher(settings.SECRET_KEY).encrypt(secret.encode()).decode()


def decrypted(text: str) -> str:
    try:
        return _cipher(settings.SECRET_KEY).decrypt(text.encode()).decode()
    except InvalidToken as error:
        raise SecretLost(gettext("The secret cannot be read: SECRET_KEY was changed. Rotate it.")) from error


def signed_headers(message: str, at: datetime, body: str, keys: list[str]) -> dict[str, str]:
    """The three headers of the specification; a signature with each key, so that receivers can change over."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message, at, body) for key in keys),
    }
