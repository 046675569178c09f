"""Invitations: a new user is sent a link, which works once, to choose a password. No one else ever knows it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext

from core.audit import record
from core.outbound.mail_server import has_mail_server
from core.urls import link
from dnbmon_site.accounts.models import User
from dnbmon_site.version import NAME

logger = logging.getLogger(__name__)
DAY = 86400


@dataclass(frozen=True, slots=True)
class Invitation:
    """What was done about an invitation; a link where it could not be sent, to pass on by other means."""

    address: str
    link: str = ""
    is_refused: bool = False

    @property
    def is_sent(self) -> bool:
        return not self.link


def valid_days() -> int:
    return int(settings.PASSWORD_RESET_TIMEOUT) // DAY


def may_be_invited(user: User) -> bool:
    return user.is_active and bool(user.email) and user.last_login is None


def invitation_link(user: User) -> str:
    """To choose a password with; to the login page where passwords are not used."""
    if not settings.LOCAL_LOGIN:
        return link("admin:login")
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return link("password_reset_confirm", key, default_token_generator.make_token(user))


def invite(user: User, *, by: str) -> Invitation:
    address, summary = user.email, gettext("%(user)s invited") % {"user": user}
    record(actor=by, action="user.invited", thing=user, summary=summary)
    user.invited_at = timezone.now()
    User.objects.filter(pk=user.pk).update(invited_at=user.invited_at)
    where = invitation_link(user)
    if not has_mail_server():
        return Invitation(address, where)
    try:
        _email(user, where).send()
    except OSError:
        # Whatever is wrong with a mail server: unreachable, refusing the login, or refusing the address.
        logger.exception("an invitation could not be sent")
        return Invitation(address, where, is_refused=True)
    return Invitation(address)


def _email(user: User, where: str) -> EmailMessage:
    context = {"user": user, "link": where, "days": valid_days(), "site": NAME, "chooses": settings.LOCAL_LOGIN}
    subject = gettext("You have been invited to %(site)s") % {"site": NAME}
    body = render_to_string("dnbmon_site/accounts/invitation_email.txt", context)
    return EmailMessage(subject, body, to=[user.email])
