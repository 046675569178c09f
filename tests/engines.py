"""The suite's engine: `TEST_ENGINE=sqlite|mongodb|postgres pytest` starts what it needs before Django is set up.

Loaded by `-p tests.engines`. With xdist the first process starts one server and the workers find it in the environment;
MongoDB's stand-in fills a core by itself, so there each worker has its own.
"""

import atexit
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from tests.databases import Databases, for_url
from tests.servers.postgres import programs
from tests.tree import watch_over_session

ENGINES = ("sqlite", "mongodb", "postgres")
# Real servers, for those who have them.
GIVEN = {"mongodb": "MONGODB_TEST_URL", "postgres": "POSTGRES_TEST_URL"}
LAUNCHERS = {"mongodb": "tests.servers.secantus", "postgres": "tests.servers.postgres"}
# What a developer's shell may hold and no test may see.
SETTINGS = ("ENVIRONMENT", "DEBUG", "SECRET_KEY", "REDIS_URL", "ALLOWED_HOSTS", "EMAIL_URL", "HEARTBEAT_URL")
ROOT = Path(__file__).resolve().parent.parent
SHARED = "TEST_SHARED_DIR"
# What a whole run writes at most, twice over.
ROOM = 4 * 1024**3
# A test with one of these, or with pytest-django's mark, works on the engine's database.
DATABASE_FIXTURES = {"db", "transactional_db", "database_url_for_processes", "production"}
# What people and programs see of the work, and how the program starts: the same on every engine, since
# `dnbmon_site/accounts/test_roles.py` opens each page on every one, `dnbmon_site/test_lists.py` asks each list all that
# can be asked, `api/test_query_counts.py` each address, `api/test_everything.py` all that can be asked of each, and
# `dnbmon_site/operations/test_processes.py` starts it.
SURFACES = (
    "*/admin/*",
    "*/test_admin*",
    "*/test_*page*",
    "*/test_view*",
    "api/*",
    "attacks/*",
    "benchmarks/*",
    "browser/*",
    "commands/*",
    "core/exports/test_files*",
    "deploy/*",
    "examples/*",
    "dnbmon_site/accounts/test_access*",
    "dnbmon_site/accounts/test_oidc*",
    "dnbmon_site/dashboard/*",
    "dnbmon_site/http/*",
    "dnbmon_site/operations/test_doctor*",
    "dnbmon_site/operations/test_up*",
    "dnbmon_site/test_*",
    "dnbmon_site/worker/test_worker*",
)
NAMED = re.compile(r"`([\w/]+\.py::test_\w+)`")

started: list[subprocess.Popen[str]] = []


def engine() -> str:
    name = os.environ.get("TEST_ENGINE") or "sqlite"
    if name not in ENGINES:
        raise pytest.UsageError(f"TEST_ENGINE is “{name}”; it may be {', '.join(ENGINES)}.")
    return name


def what_is_missing(name: str) -> str | None:
    """Why this engine cannot be tested here, or None."""
    if os.environ.get(GIVEN.get(name, ""), ""):
        return None
    if name == "mongodb" and importlib.util.find_spec("secantus") is None:
        return "SecantusDB is not installed and MONGODB_TEST_URL is not set"
    if name == "postgres" and programs() is None:
        return "PostgreSQL's programs were not found and POSTGRES_TEST_URL is not set"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    watch_over_session()
    # Told to end, it cleans up as after a Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if SHARED in os.environ:
        start_own_server()
        return
    clean_environment()
    os.environ[SHARED] = tempfile.mkdtemp(prefix="dnbmon-tests-", dir=in_memory())
    # PostgreSQL runs as somebody else where we are root, in a folder below.
    os.chmod(os.environ[SHARED], 0o711)
    # Databases, servers and folders of tests lie there too, and go with it.
    os.environ["TMPDIR"], tempfile.tempdir = os.environ[SHARED], None
    # Not a hook of pytest's: those are left out when it cannot even begin.
    atexit.register(clean_up)
    os.environ["DATABASE_URL"] = database_url(engine())


def in_memory() -> str | None:
    """A disk keeps each commit waiting, and tests commit by the ten thousand; what they write is gone with them."""
    memory = Path("/dev/shm")
    has_room = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return str(memory) if has_room else None


def start_own_server() -> None:
    """In a folder below the first process's, which takes it away with its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and engine() == "mongodb" and not os.environ.get(GIVEN["mongodb"], ""):
        os.environ[SHARED] = str(Path(os.environ[SHARED], worker))
        Path(os.environ[SHARED]).mkdir()
        os.environ["DATABASE_URL"] = database_url("mongodb")


def clean_environment() -> None:
    for name in list(os.environ):
        if name in SETTINGS or name.startswith("DNB_"):
            del os.environ[name]
    # A process that keeps no compiled modules compiles them all at each start, and tests start hundreds of processes.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.environ["ENV_FILE"] = os.devnull
    os.environ["SECRET_KEY"] = "for-tests-only-" * 5


def database_url(name: str) -> str:
    if name == "sqlite":
        return f"sqlite:///{os.environ[SHARED]}/dnbmon.sqlite3"
    if reason := what_is_missing(name):
        raise pytest.UsageError(f"TEST_ENGINE={name} cannot run: {reason}.")
    return os.environ.get(GIVEN[name], "") or launched(LAUNCHERS[name])


def launched(module: str, *arguments: str) -> str:
    """Start a server that ends with our end of its standard input, however this process ends."""
    server = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A Ctrl-C in the terminal is for pytest, which then stops the server in its own time.
        start_new_session=True,
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    if not url:
        raise pytest.UsageError(f"{module} did not start; its words are above.")
    started.append(server)
    return url


def pytest_addoption(parser: pytest.Parser) -> None:
    about = "leave out tests that are the same on every engine: those that use no database, and those of SURFACES"
    parser.addoption("--database-only", action="store_true", help=about)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("database_only"):
        return
    depending = list(without_further_parameters(item for item in items if depends_on_engine(item)))
    config.hook.pytest_deselected(items=[item for item in items if item not in set(depending)])
    items[:] = depending


def depends_on_engine(item: pytest.Item) -> bool:
    """A mark decides, the nearest first; then what the test uses, and where it lies."""
    if mark := marked(item):
        return mark == "every_engine"
    uses_database = item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ()))
    return bool(uses_database) and (not is_surface(item.path) or is_invariant(item))


def marked(item: pytest.Item) -> str | None:
    return next((mark.name for mark in item.iter_markers() if mark.name in ("every_engine", "one_engine")), None)


def without_further_parameters(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Of a test with many, the first: what the others try is the program's logic, which SQLite has tried."""
    seen: set[tuple[object, ...]] = set()
    for item in items:
        function = (item.path, item.parent, getattr(item, "originalname", item.name))
        if function not in seen or marked(item) or is_invariant(item):
            yield item
        seen.add(function)


def is_surface(path: Path) -> bool:
    return any(fnmatch(str(path.relative_to(ROOT / "tests")), pattern) for pattern in SURFACES)


def is_invariant(item: pytest.Item) -> bool:
    name = f"{item.path.relative_to(ROOT / 'tests')}::{getattr(item, 'originalname', item.name)}"
    return name in invariants()


@cache
def invariants() -> set[str]:
    """The tests that the document of what always holds names."""
    return set(NAMED.findall((ROOT / "docs" / "develop" / "invariants.md").read_text()))


def pytest_report_header() -> str:
    return f"engine: {engine()} ({os.environ['DATABASE_URL'].split('@')[-1]})"


def clean_up() -> None:
    with_databases().drop_template()
    for server in started:
        stop(server)
    shutil.rmtree(os.environ.pop(SHARED), ignore_errors=True)


def stop(server: subprocess.Popen[str]) -> None:
    assert server.stdin is not None
    server.stdin.close()
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()


def with_databases() -> Databases:
    return for_url(os.environ.get("DATABASE_URL", "sqlite:"), Path(os.environ[SHARED]))


@pytest.fixture
def database_url_for_processes() -> Iterator[str]:
    """A fresh, migrated database of the engine under test, for programs started as processes of their own."""
    databases = with_databases()
    name = f"dnbmon_{uuid.uuid4().hex[:12]}"
    yield databases.fresh(name)
    databases.drop(name)


@pytest.fixture
def process_env(database_url_for_processes: str) -> dict[str, str]:
    """The environment for such a process."""
    return {**os.environ, "DATABASE_URL": database_url_for_processes, "PYTHONUNBUFFERED": "1"}
