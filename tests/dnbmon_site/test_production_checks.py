"""Production starts with nothing unsafe, and names each thing and no value."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from dnbmon_site.production_checks import refuse_unsafe

SAFE: dict[str, Any] = {
    "debug": False,
    "demo": False,
    "secret_key": "0123456789-abcdefghijklmnopqrstuvwxyz-0123456789-abc",
    "allowed_hosts": ["monitoring.example.com"],
    "site_url": "",
    "database_url": "postgres://dnbmon:Hidden-1@db.example.com/dnbmon",
    "email_url": "smtp+tls://dnbmon:Hidden-2@mail.example.com:587",
    "dnb_base_url": "https://plus.dnb.com",
    "redis_url": "redis://:Hidden-3@redis.example.com:6379/0",
    "redirects": True,
    "hsts_seconds": 300,
    "behind_proxy": False,
}
UNSAFE: list[tuple[dict[str, Any], str]] = [
    ({"debug": True}, "DEBUG exposes"),
    ({"demo": True}, "DNB_DEMO fills"),
    ({"secret_key": ""}, "SECRET_KEY must be a secret"),
    ({"secret_key": "x" * 60}, "SECRET_KEY must be a secret"),
    ({"secret_key": "0123456789abcdef"}, "SECRET_KEY must be a secret"),
    ({"allowed_hosts": []}, "ALLOWED_HOSTS must name"),
    ({"allowed_hosts": ["*"]}, "ALLOWED_HOSTS must not"),
    ({"allowed_hosts": [".example.com"]}, "SITE_URL must be set"),
    ({"site_url": "http://monitoring.example.com"}, "SITE_URL must start"),
    ({"site_url": "https:///monitoring"}, "SITE_URL must start"),
    ({"database_url": ""}, "DATABASE_URL must be set"),
    ({"database_url": "sqlite:///var/demo/db.sqlite3"}, "DATABASE_URL names the demo's"),
    ({"email_url": ""}, "EMAIL_URL must be set"),
    ({"email_url": "consolemail://"}, "EMAIL_URL writes emails"),
    ({"email_url": "smtp://dnbmon:Hidden-2@mail.example.com"}, "EMAIL_URL sends its password"),
    ({"dnb_base_url": "http://plus.dnb.com"}, "DNB_BASE_URL must start"),
    ({"dnb_base_url": "https://127.0.0.1:8100"}, "DNB_BASE_URL names this machine"),
    ({"redis_url": "redis://redis.example.com:6379/0"}, "REDIS_URL has no password"),
    ({"redirects": False}, "SECURE_SSL_REDIRECT is off"),
    ({"hsts_seconds": 0}, "SECURE_HSTS_SECONDS is 0"),
]


def refused(**fields: Any) -> str:
    with pytest.raises(ImproperlyConfigured) as told:
        refuse_unsafe(**{**SAFE, **fields})
    return str(told.value)


def test_what_is_safe_starts() -> None:
    refuse_unsafe(**SAFE)


@pytest.mark.parametrize(("fields", "words"), UNSAFE, ids=[words for _, words in UNSAFE])
def test_each_unsafe_setting_is_named_alone(fields: dict[str, Any], words: str) -> None:
    said = refused(**fields)
    assert said.count("\n- ") == 1 and f"- {words}" in said


def test_no_value_is_told() -> None:
    said = refused(**{name: value for fields, _ in UNSAFE for name, value in fields.items()})
    assert "Hidden" not in said and "mail.example.com" not in said


@pytest.mark.parametrize(
    "fields",
    [
        {"allowed_hosts": [".example.com"], "site_url": "https://monitoring.example.com"},
        {"redis_url": "redis://localhost:6379/0"},
        {"redis_url": "unix:///run/redis.sock"},
        {"redis_url": ""},
        {"email_url": "smtp://localhost:25"},
        {"email_url": "dummymail://"},
        {"redirects": False, "behind_proxy": True},
        {"database_url": "sqlite:////data/dnbmon.sqlite3"},
    ],
    ids=str,
)
def test_what_stays_on_this_machine_or_behind_a_proxy_is_fine(fields: dict[str, Any]) -> None:
    refuse_unsafe(**{**SAFE, **fields})
