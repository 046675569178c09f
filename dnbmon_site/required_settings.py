"""Settings that real data needs."""

from django.conf import settings

NEEDED = {
    "DNB_API_KEY": "API key of your D&B Direct+ account",
    "DNB_API_SECRET": "API secret of your D&B Direct+ account",
}


def missing_settings() -> list[str]:
    return [f"{name}: {meaning}" for name, meaning in NEEDED.items() if not getattr(settings, name)]
