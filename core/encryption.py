"""Secrets that have to be read again, kept encrypted with the program's own key: a key of its own for each purpose."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.translation import gettext

# Secrets of other systems: of webhooks and of file servers. The name is part of the key, so it may not change.
OF_OTHER_SYSTEMS = "webhook-secret"


class SecretLost(Exception):
    """It was encrypted with another SECRET_KEY."""


@cache
def _cipher(purpose: str, secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(purpose.encode() + secret_key.encode()).digest()))


def encrypted(secret: str, purpose: str = OF_OTHER_SYSTEMS) -> str:
    return _cipher(purpose, settings.SECRET_KEY).encrypt(secret.encode()).decode()


def decrypted(text: str, purpose: str = OF_OTHER_SYSTEMS) -> str:
    """Raises SecretLost."""
    try:
        return _cipher(purpose, settings.SECRET_KEY).decrypt(text.encode()).decode()
    except InvalidToken as error:
        raise SecretLost(
            gettext("The secret cannot be decrypted because SECRET_KEY was changed. Enter a new secret.")
        ) from error
