"""`python -m tests.everywhere [pytest's arguments]`: the suite on every engine that can be had here."""

import os
import subprocess
import sys

from tests.engines import ENGINES, ROOT, what_is_missing
from tests.tree import watch_over_session

NONE_SELECTED = 5


def outcome(engine: str, arguments: list[str]) -> str:
    """What uses no database is tested with the first engine only."""
    is_first = engine == ENGINES[0]
    if reason := what_is_missing(engine):
        return f"skipped: {reason}"
    print(f"\n=== {engine}", flush=True)
    code = run(engine, [*([] if is_first else ["--database-only"]), *arguments])
    if code == NONE_SELECTED and not is_first:
        return "passed: none of these tests uses a database"
    return "passed" if code == 0 else f"failed (pytest said {code})"


def run(engine: str, arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "TEST_ENGINE": engine}).returncode


def is_fine(said: str) -> bool:
    """A machine of one's own may lack an engine; on CI that would hide what broke."""
    return said.startswith("passed") or (said.startswith("skipped") and not os.environ.get("CI"))


def main() -> int:
    watch_over_session()
    outcomes = {engine: outcome(engine, sys.argv[1:]) for engine in ENGINES}
    print("\n" + "\n".join(f"{engine:9}{said}" for engine, said in outcomes.items()))
    return 0 if all(map(is_fine, outcomes.values())) else 1


if __name__ == "__main__":
    sys.exit(main())
