"""`python -m dnbmon_site.required_settings`: which settings must be made before the program can work on real data."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NEEDED = {
    "DNB_API_KEY": "API key of your D&B Direct+ account",
    "DNB_API_SECRET": "API secret of your D&B Direct+ account",
}


def missing_settings() -> list[str]:
    return [f"{name}: {meaning}" for name, meaning in NEEDED.items() if not getattr(settings, name)]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
    try:
        missing = missing_settings()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    if missing:
        where = "Add them to the file .env (see .env.example). To start a demo without them, run `make run`."
        sys.exit("\n".join(["These settings are missing:", *(f"- {line}" for line in missing), where]))


if __name__ == "__main__":
    main()
