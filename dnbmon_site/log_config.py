"""Log lines: JSON in production, for people to read elsewhere."""

import sys
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
# Local variables stay out of tracebacks: they may hold a token, and showing them takes long.
TRACEBACKS = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
# In a file, codes of colors would be noise.
FOR_PEOPLE = structlog.dev.ConsoleRenderer(
    colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
)


def logging_config(*, as_json: bool, level: str) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": formatter(as_json=as_json)},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # At debug level these print whole requests, and with them the token.
            "urllib3": {"level": "INFO"},
            "requests": {"level": "INFO"},
            "pymongo": {"level": "INFO"},
            # It repeats what a request's own line says, with the whole path: a link for a new password, it may be.
            "django.request": {"level": "CRITICAL"},
            # Four lines for each login, with names and addresses blotted out; the list of sign-ins has them.
            "axes": {"level": "WARNING"},
            # Django gives this one its own format, and django-q adds a handler where it finds none.
            "django.server": {"handlers": ["console"], "level": level, "propagate": False},
            "django-q": {"handlers": ["console"], "level": level, "propagate": False},
            "gunicorn.error": {"handlers": ["console"], "level": level, "propagate": False},
        },
    }


def formatter(*, as_json: bool) -> dict[str, Any]:
    last: Processor = structlog.processors.JSONRenderer() if as_json else FOR_PEOPLE
    errors: list[Processor] = [TRACEBACKS] if as_json else []
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *errors, last],
        "foreign_pre_chain": SHARED,
    }


def configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
