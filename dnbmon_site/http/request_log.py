"""A line for each request in the log: who, what, how it ended; never what could let somebody in."""

# mypy: allow-subclassing-any

from __future__ import annotations

import structlog
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django_structlog.middlewares import RequestMiddleware

from dnbmon_site.accounts.lockout import address_of

# Parts of paths that are as good as a password.
SECRETS = ("token", "uidb64")


class RequestLog(RequestMiddleware):
    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        structlog.contextvars.bind_contextvars(ip=address_of(request))

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Without what follows the `?`: codes of the sign-in service, and what people searched for."""
        return f"{request.method} {loggable(request.path)}"


def loggable(path: str) -> str:
    try:
        kwargs = resolve(path).kwargs
    except Resolver404:
        return path
    for name in SECRETS:
        if name in kwargs:
            path = path.replace(str(kwargs[name]), "…")
    return path
