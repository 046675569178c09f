"""The settings without which nothing is pulled from D&B."""

from django.conf import settings

NEEDED = {
    "DNB_API_KEY": "the key of your D&B Direct+ account",
    "DNB_API_SECRET": "the secret that belongs to it",
}


def missing_settings() -> list[str]:
    return [f"{name}: {meaning}" for name, meaning in NEEDED.items() if not getattr(settings, name)]
