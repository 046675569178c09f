"""The demo: made-up companies and a sandbox of D&B, kept apart from your own data."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from direct_plus.sandbox.state.world import KEY, SECRET
from dnbmon_site.accounts.first_user import Access
from dnbmon_site.databases import sqlite_url
from dnbmon_site.environment import kept_secret
from dnbmon_site.operations.processes.ports import is_everywhere
from dnbmon_site.operations.processes.tree import Failed

# What the demo takes from nobody: it may not see, and so cannot touch, the settings of your own data.
OWN_SETTINGS = (
    *("ENVIRONMENT", "DEBUG", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"),
    *("PRIVATE_HOSTS", "WEBHOOKS_TO_PRIVATE_ADDRESSES", "MAIL_DOMAINS"),
    *("BACKUP_FOLDER", "BACKUP_KEEP", "BACKUP_ELSEWHERE", "EXPORT_FOLDER", "FILE_INTAKE_FOLDER"),
    "RECORDS_KEEP_DAYS",
    *("EMAIL_URL", "DEFAULT_FROM_EMAIL", "SITE_URL", "HEARTBEAT_URL", "SECURE_SSL_REDIRECT", "BEHIND_PROXY", "WORKERS"),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """Made-up companies and a sandbox of D&B, with everything in one folder."""

    folder: Path
    host: str
    sandbox_port: int

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def access_file(self) -> Path:
        return self.folder / "access.json"

    def env(self, base: Mapping[str, str]) -> dict[str, str]:
        hosts = "*" if is_everywhere(self.host) else f"localhost,127.0.0.1,[::1],{self.host}"
        return {
            **{name: value for name, value in base.items() if not is_own_setting(name)},
            "ENV_FILE": os.devnull,
            "LOG_LEVEL": base.get("LOG_LEVEL", "WARNING"),
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": kept_secret(self.folder / "secret_key"),
            "DATABASE_URL": sqlite_url(self.folder / "db.sqlite3"),
            "ALLOWED_HOSTS": hosts,
            "FILE_INTAKE_FOLDER": str(self.folder / "incoming"),
            "DNB_DEMO": "yes",
            "DNB_PULL": "yes",
            "DNB_BASE_URL": self.sandbox_url,
            "DNB_API_KEY": KEY,
            "DNB_API_SECRET": SECRET,
            # The sandbox is done with a list in seconds, and nobody watches a sync for half an hour.
            "DNB_DOUBT_AFTER_MINUTES": "1",
            **self._mail(base),
        }

    @staticmethod
    def _mail(base: Mapping[str, str]) -> dict[str, str]:
        """Mail is shown, not sent, unless a server is named for the demo alone."""
        return {"EMAIL_URL": base["DEMO_EMAIL_URL"]} if base.get("DEMO_EMAIL_URL") else {}

    def remember(self, access: Access) -> None:
        """Kept in the clear, as it opens made-up data only; readable by its owner all the same."""
        descriptor = os.open(self.access_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(access), file)

    def remembered(self) -> Access | None:
        try:
            return Access(**json.loads(self.access_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None


def is_own_setting(name: str) -> bool:
    return name.startswith("DNB_") or name.removesuffix("_FILE") in OWN_SETTINGS


@contextmanager
def only_one(folder: Path) -> Iterator[int]:
    """Two demos on one folder would take each other's notifications."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Failed(
                f"The demo in {folder} is already running. Stop it first: press Ctrl-C in its window."
            ) from error
        yield file.fileno()
