"""Where settings come from: the environment, mounted secrets (`X_FILE`), and `.env` in development."""

# mypy: allow-subclassing-any

import os
import secrets
from pathlib import Path

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


def origin(host: str) -> str:
    """A host people use, in the form CSRF_TRUSTED_ORIGINS takes; `.example.com` stands for all below it."""
    return f"https://*{host}" if host.startswith(".") else f"https://{host}"
