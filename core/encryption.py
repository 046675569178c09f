"""Secrets of other systems, kept encrypted with the program's own key."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.translation import gettext


class SecretLost(Exception):
    """It was encrypted with another SECRET_KEY."""


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
