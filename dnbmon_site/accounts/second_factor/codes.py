"""Codes of authenticator apps and recovery codes: set up, check, replace, turn off. Each code opens once.

What says "once" is a compare-and-swap: on the time step of the last code, and on a recovery code's own row.
"""

from __future__ import annotations

import base64
import secrets
import time
from hashlib import sha256

import pyotp
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.encryption import SecretLost, decrypted, encrypted
from dnbmon_site.accounts.models import RecoveryCode, SecondFactor, User
from dnbmon_site.accounts.second_factor.requirement import note_state

PURPOSE = "second-factor"
ISSUER = "D&B Monitoring"
STEP_SECONDS = 30
# A phone's clock may be half a minute off, either way.
STEPS_OFF = (0, -1, 1)
RECOVERY_CODES, RECOVERY_BYTES = 10, 10


def new_secret() -> str:
    return pyotp.random_base32()


def enrolment_uri(user: User, secret: str) -> str:
    """What the QR code says to the app."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.get_username(), issuer_name=ISSUER)


def set_up(user: User, secret: str, code: str) -> list[str] | None:
    """Turn it on with the app's first code; the recovery codes, or None where the code is not the app's."""
    step = _matching_step(secret, code, after=0)
    if step is None:
        return None
    try:
        with transaction.atomic():
            SecondFactor.objects.create(user=user, secret=encrypted(secret, PURPOSE), used_step=step)
    except IntegrityError:
        # Another tab was quicker, and its secret is the one that counts.
        return None
    note_state(user)
    record(
        actor=user.username,
        action="person.second_factor_on",
        thing=user,
        summary=gettext("Two-step verification turned on for %(user)s") % {"user": user},
    )
    return new_recovery_codes(user)


def check(user: User, code: str) -> bool:
    """Whether this opens: the app's code, or a recovery code. It does not open again."""
    plain = "".join(code.split()).replace("-", "").lower()
    return _check_app(user, plain) if plain.isdecimal() else _use_recovery_code(user, plain)


def _check_app(user: User, code: str) -> bool:
    factor = SecondFactor.objects.filter(user=user).first()
    if factor is None:
        return False
    try:
        step = _matching_step(decrypted(factor.secret, PURPOSE), code, after=factor.used_step)
    except SecretLost:
        return False
    if step is None:
        return False
    return SecondFactor.objects.filter(pk=factor.pk, used_step__lt=step).update(used_step=step) == 1


def _matching_step(secret: str, code: str, *, after: int) -> int | None:
    totp, now = pyotp.TOTP(secret), int(time.time()) // STEP_SECONDS
    steps = (now + off for off in STEPS_OFF)
    return next((step for step in steps if step > after and _is_same(totp.generate_otp(step), code)), None)


def _is_same(expected: str, code: str) -> bool:
    return secrets.compare_digest(expected.encode(), code.encode())


def _use_recovery_code(user: User, plain: str) -> bool:
    unused = RecoveryCode.objects.filter(user=user, hashed=_hashed(plain), used_at=None)
    if unused.update(used_at=timezone.now()) != 1:
        return False
    record(
        actor=user.username,
        action="person.recovery_code_used",
        thing=user,
        summary=gettext("%(user)s used a recovery code. %(left)s left.")
        % {"user": user, "left": recovery_codes_left(user)},
    )
    return True


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def new_recovery_codes(user: User) -> list[str]:
    """In place of those of before; to be shown once."""
    plain = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, hashed=_hashed(code)) for code in plain)
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in plain]


def _hashed(plain: str) -> str:
    """Plain SHA-256 will do: 80 random bits cannot be guessed."""
    return sha256(plain.encode()).hexdigest()


def turn_off(user: User, *, by: str) -> None:
    """By the user, or by an administrator for somebody who has lost the app and the codes."""
    SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    note_state(user)
    record(
        actor=by,
        action="person.second_factor_off",
        thing=user,
        summary=gettext("Two-step verification turned off for %(user)s") % {"user": user},
    )
