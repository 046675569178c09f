"""A PostgreSQL for one test session: a cluster in a temporary directory, gone when standard input ends.

With --durable, for benchmarks, what is committed is on the disk.

PostgreSQL refuses to run as root, so as root (in containers) it runs as another user.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

FAST = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
DURABLE = "--durable"
HOMES = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin")


def programs() -> Path | None:
    """The directory of `initdb` and `postgres`; the newest, where there are several."""
    found = [path for home in HOMES for path in Path("/").glob(home.lstrip("/")) if (path / "initdb").exists()]
    in_path = shutil.which("postgres")
    beside = [Path(in_path).resolve().parent] if in_path else []
    return max(found, key=version, default=None) or next(iter(beside), None)


def version(path: Path) -> int:
    digits = "".join(filter(str.isdigit, path.parent.name))
    return int(digits or 0)


def unprivileged() -> dict[str, Any]:
    """Popen's arguments for running as somebody else, when we are root."""
    if os.geteuid() != 0:
        return {}
    who = next(entry for name in ("postgres", "nobody") if (entry := entry_of(name)))
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def entry_of(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def make_cluster(bin_dir: Path, data: Path, run_as: dict[str, Any]) -> None:
    """Sorted as people sort where that can be had, so that nothing passes only because tests sort by bytes."""
    common = [str(bin_dir / "initdb"), "-D", str(data), "-U", "dnbmon", "--auth=trust", "--no-sync", "-E", "UTF8"]
    for locale in (["--locale-provider=icu", "--icu-locale=en", "--locale=C.UTF-8"], ["--locale=C"]):
        made = subprocess.run([*common, *locale], cwd="/", capture_output=True, text=True, **run_as)
        if made.returncode == 0:
            return
    sys.exit(f"initdb failed:\n{made.stderr}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(bin_dir: Path, home: Path, port: int, options: Sequence[str] = FAST) -> Iterator[None]:
    run_as = unprivileged()
    if run_as:
        os.chown(home, run_as["user"], run_as["group"])
    make_cluster(bin_dir, home / "data", run_as)
    # The socket stays out of the way: its path may be too long for the system in a deep temporary directory.
    places = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-p", str(port)]
    command = [str(bin_dir / "postgres"), "-D", str(home / "data"), *places, *options]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen[bytes](command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, **run_as)
    try:
        make_database(server, port, home / "log")
        yield
    finally:
        # Nothing is worth keeping: SIGQUIT is PostgreSQL's "stop at once".
        server.send_signal(signal.SIGQUIT)
        server.wait(timeout=20)


def make_database(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with psycopg.connect(f"postgres://dnbmon@127.0.0.1:{port}/postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE dnbmon")
                return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise SystemExit(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


def main() -> None:
    # Leaves through the `with` blocks, so that nothing stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    bin_dir = programs()
    if bin_dir is None:
        sys.exit("PostgreSQL's programs (initdb, postgres) were not found.")
    with tempfile.TemporaryDirectory(prefix="dnbmon-postgres-", ignore_cleanup_errors=True) as home:
        port = free_port()
        with running(bin_dir, Path(home), port, () if DURABLE in sys.argv else FAST):
            print(f"postgres://dnbmon@127.0.0.1:{port}/dnbmon", flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main()
