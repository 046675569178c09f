"""Where settings come from: the environment, mounted secrets (`X_FILE`), and `.env` in development."""

# mypy: allow-subclassing-any

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from environ import FileAwareEnv
from environ.fileaware_mapping import FileAwareMapping


class Env(FileAwareEnv):
    # Not cached: a secret that was replaced in its file is seen without a restart.
    ENVIRON = FileAwareMapping(cache=False)


def read_environment(base_dir: Path) -> Env:
    """ENV_FILE names another file than `.env`; what the environment says already stays."""
    env = Env()
    path = Path(os.environ.get("ENV_FILE", base_dir / ".env"))
    if path.is_file():
        env.read_env(str(path))
    return env


def kept_secret(path: Path) -> str:
    """A secret made once and kept where only its owner reads it, so that sessions survive a restart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secret := secrets.token_urlsafe(64))
    return secret


def is_one_host(host: str) -> bool:
    """Whether an entry of ALLOWED_HOSTS names one host; `.example.com` stands for all below it, `*` for any."""
    return not host.startswith((".", "*"))


def trusted_origins(allowed_hosts: Sequence[str], site_url: str) -> list[str]:
    """Where forms may come from beside the host that was asked for. Never from whatever lies below a domain: somebody
    else may have a page there."""
    origins = [f"https://{host}" for host in allowed_hosts if is_one_host(host)]
    site = urlsplit(site_url)
    return list(dict.fromkeys([*origins, *([f"{site.scheme}://{site.netloc}"] if site.netloc else [])]))
