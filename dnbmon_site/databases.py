"""One DATABASE_URL → Django's DATABASES, for each engine the program runs on."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
DEFAULT_URL = "sqlite:///var/dnbmon.sqlite3"
DEFAULT_NAME = "dnbmon"
MONGODB = "dnbmon_site.mongodb.backend"

Config = dict[str, Any]

logger = logging.getLogger(__name__)


def databases(url: str | Mapping[str, Any]) -> dict[str, Config]:
    """`url` may also be DATABASES itself, as a mapping or JSON text, in djongo's form."""
    if isinstance(url, Mapping):
        return {"default": from_djongo(url)}
    if url.lstrip().startswith("{"):
        return {"default": from_djongo(json.loads(url))}
    parts = urlsplit(url)
    reader = READERS.get(parts.scheme)
    if reader is None:
        raise ImproperlyConfigured(unknown_scheme(parts.scheme))
    return {"default": reader(parts)}


def unknown_scheme(scheme: str) -> str:
    known = ", ".join(f"{name}://" for name in READERS)
    return f"DATABASE_URL begins with “{scheme}://”, which is not supported. Use one of these: {known}."


def sqlite(parts: SplitResult) -> Config:
    if parts.netloc:
        raise ImproperlyConfigured("DATABASE_URL for SQLite has three slashes before a path: sqlite:///var/x.sqlite3")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / unquote(parts.path)[1:],
        # IMMEDIATE takes the write lock at the start: a transaction that reads first and writes later would
        # otherwise fail at once when another process writes, without waiting for the timeout.
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000",
        },
    }


# A process that was stopped inside a transaction keeps its locks; others must not wait for it for ever.
FROZEN_LET_GO = "-c idle_in_transaction_session_timeout=60000"


def postgres(parts: SplitResult) -> Config:
    options: Config = {"connect_timeout": 10, "application_name": "dnbmon", "options": FROZEN_LET_GO}
    options |= dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database_name(parts),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A socket's directory has no place in a URL's host: ?host=/run/postgresql names it.
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def mongodb(parts: SplitResult) -> Config:
    return mongodb_config(parts.geturl(), database_name(parts))


def mongodb_config(host: str, name: str, **options: Any) -> Config:
    return {
        "ENGINE": MONGODB,
        "HOST": host,
        "NAME": name,
        # Forced, whatever the URL says: an answer of D&B exists once, so a write counts only when most of the
        # replica set has it in its journal; and a compare-and-swap must read what was written last.
        "OPTIONS": options | {"w": "majority", "journal": True, "readPreference": "primary"},
    }


def djongo(parts: SplitResult) -> Config:
    say_who_serves_djongo()
    scheme = "mongodb+srv" if parts.scheme.endswith("+srv") else "mongodb"
    return mongodb(parts._replace(scheme=scheme))


def from_djongo(config: Mapping[str, Any]) -> Config:
    """djongo's own form: {"ENGINE": "djongo", "NAME": …, "CLIENT": {"host": …, "username": …}}."""
    config = config.get("default", config)
    if config.get("ENGINE") != "djongo":
        raise ImproperlyConfigured("DATABASE_URL as a mapping is read in djongo's form only: ENGINE must be “djongo”.")
    say_who_serves_djongo()
    client = dict(config.get("CLIENT", {}))
    host = client.pop("host", None) or "mongodb://localhost:27017"
    if "://" not in host:
        host = f"mongodb://{host}:{client.pop('port', 27017)}"
    return mongodb_config(host, config.get("NAME") or database_name(urlsplit(host)), **client)


def say_who_serves_djongo() -> None:
    logger.warning(
        "djongo does not run on Django 5.2; django-mongodb-backend serves this database (docs/operate/engines.md)."
    )


def database_name(parts: SplitResult) -> str:
    return unquote(parts.path.strip("/")) or DEFAULT_NAME


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{quote(str(path))}"


def is_mongodb(config: Mapping[str, Any]) -> bool:
    return bool(config["ENGINE"] == MONGODB)


READERS = {
    "sqlite": sqlite,
    "mongodb": mongodb,
    "mongodb+srv": mongodb,
    "postgres": postgres,
    "postgresql": postgres,
    "djongo": djongo,
    "djongo+srv": djongo,
}
