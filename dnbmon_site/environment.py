"""Where settings come from: the environment, mounted secrets (`X_FILE`), and `.env` in development."""

# mypy: allow-subclassing-any

import io
import os
import pwd
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import FileAwareEnv
from environ.fileaware_mapping import FileAwareMapping

# What a file of settings may hold beside comments and empty lines.
SETTING = re.compile(r"(?:export )?\w+=.*")
IN_ADDRESSES = "Encode special characters in a password: “#” as %23, “/” as %2F."


class SecretFiles(FileAwareMapping):
    def __getitem__(self, key: str) -> str:
        # A value that begins with “$” would otherwise be taken for the name of another; Env takes the “\\” off again.
        return self.written(key).replace("$", r"\$")

    def written(self, key: str) -> str:
        path = self.env.get(f"{key}_FILE")
        if not path:
            return str(self.env[key])
        with named(f"{key}_FILE", path):
            # An editor ends the line; no secret does.
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n")


class Env(FileAwareEnv):
    # Not cached: a secret that was replaced in its file is seen without a restart.
    ENVIRON = SecretFiles(cache=False)

    def __init__(self) -> None:
        super().__init__()
        self.escape_proxy = True

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        with readable(var):
            return super().get_value(var, *args, **kwargs)


@contextmanager
def readable(setting: str) -> Iterator[None]:
    """A value of the wrong form stops the start with a sentence, which does not show it: it may hold a password."""
    try:
        yield
    except ValueError:
        hint = IN_ADDRESSES if setting.endswith("_URL") else "See docs/operate/configuration.md for permitted values."
        raise ImproperlyConfigured(f"{setting} has an invalid value. {hint}") from None


@contextmanager
def named(setting: str, path: Path | str) -> Iterator[None]:
    """What cannot be read or made stops the start with a sentence: which setting, which file, who, why."""
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise ImproperlyConfigured(f"{setting}: {path} cannot be used by the user “{user()}” ({reason}).") from error


def user() -> str:
    """Who runs this, by name where it has one."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def read_environment(base_dir: Path) -> Env:
    """ENV_FILE names another file than `.env`; what the environment says already stays."""
    env = Env()
    path = Path(os.environ.get("ENV_FILE", base_dir / ".env"))
    if "ENV_FILE" in os.environ or path.exists():
        with named("ENV_FILE", path):
            lines = [line.rstrip() for line in path.read_text(encoding="utf-8").splitlines()]
        refuse_unreadable(path, lines)
        env.read_env(io.StringIO("\n".join(lines)))
    return env


def refuse_unreadable(path: Path, lines: Sequence[str]) -> None:
    """A line that is passed over in silence is a setting that somebody believes to be made."""
    for number, line in enumerate(lines, start=1):
        if line and not line.startswith("#") and not SETTING.fullmatch(line):
            raise ImproperlyConfigured(f"{path}, line {number}: write NAME=value, or a comment that starts with #.")


def kept_secret(path: Path) -> str:
    """A secret made once and kept where only its owner reads it, so that sessions survive a restart."""
    with named("SECRET_KEY", path):
        return secret_in(path)


def secret_in(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secret := secrets.token_urlsafe(64))
    return secret


def with_absolute_folder(config: dict[str, Any], address: str) -> dict[str, Any]:
    """`filemail:///folder` names a folder from the root, as in any address of a file; environ drops the first slash."""
    if not address.startswith("filemail:"):
        return config
    parts = urlsplit(address)
    if parts.netloc or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            "EMAIL_URL: write filemail:/// and the absolute path of a folder, such as filemail:///var/mail/dnbmon."
        )
    return {**config, "EMAIL_FILE_PATH": f"/{unquote(parts.path).lstrip('/')}"}


def is_one_host(host: str) -> bool:
    """Whether an entry of ALLOWED_HOSTS names one host; `.example.com` stands for all below it, `*` for any."""
    return not host.startswith((".", "*"))


def trusted_origins(allowed_hosts: Sequence[str], site_url: str) -> list[str]:
    """Where forms may come from beside the host that was asked for. Never from whatever lies below a domain: somebody
    else may have a page there."""
    origins = [f"https://{host}" for host in allowed_hosts if is_one_host(host)]
    site = urlsplit(site_url)
    return list(dict.fromkeys([*origins, *([f"{site.scheme}://{site.netloc}"] if site.netloc else [])]))
