"""Kill pullers with SIGKILL a thousand times while the sandbox plays every fault, and count what is lost or doubled.

    nice python -m benchmarks.kills --kills 1000

Works on a fresh SQLite file; DATABASE_URL names another empty database, which is then migrated and filled.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# The builders of notifications stand beside models; this process itself touches no database.
os.environ.update(DJANGO_SETTINGS_MODULE="dnbmon_site.settings", ENV_FILE=os.devnull)
os.environ.setdefault("SECRET_KEY", "for-tests-only-" * 5)

import django  # noqa: E402

django.setup()

from direct_plus.sandbox.run import Sandbox, start_sandbox  # noqa: E402
from tests.acceptance.points import POINTS  # noqa: E402
from tests.acceptance.processes import nursery  # noqa: E402
from tests.acceptance.stream import Stream  # noqa: E402
from tests.acceptance.world import House, credentials, kill_at  # noqa: E402

AT_RANDOM = "at a random moment"
# A process that does not come past its point ends by itself, at the latest after this.
LONGEST = 10.0


@dataclass
class Lane:
    """One registration, whose pullers are killed one after the other."""

    house: House
    choose: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)

    def kill(self, times: int) -> None:
        while self.killed.total() < times:
            place = self.choose.choice([*POINTS, *[AT_RANDOM] * (len(POINTS) // 3)])
            ended = self.killed if self._strike(place) else self.survived
            ended[place] += 1

    def _strike(self, place: str) -> bool:
        if place != AT_RANDOM:
            return kill_at(self.house, place, self.choose, until=LONGEST)
        self.house.emit(self.choose.randint(12, 25))
        child = self.house.start("pull", until=LONGEST)
        time.sleep(self.choose.uniform(0.02, 1))
        child.send(signal.SIGKILL)
        return child.was_killed()


def main() -> int:
    options = arguments()
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kills-")))
        env = environment(folder)
        sandbox = stack.enter_context(start_sandbox(switches={"calls_per_second": 0}))
        lanes = [stack.enter_context(lane(number, sandbox, env, folder, options)) for number in range(options.lanes)]
        sandbox.control.every_fault(seed=options.seed, probability=options.probability)
        share = -(-options.kills // options.lanes)
        with ThreadPoolExecutor(options.lanes) as pool:
            list(pool.map(lambda one: one.kill(share), lanes))
        verdicts = settled(sandbox, lanes)
        show(sandbox, lanes, verdicts, time.monotonic() - begun)
    return any("wrong" in verdict for verdict in verdicts)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--lanes", type=int, default=3, help="registrations pulled and killed at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--probability", type=float, default=0.02, help="of each of the sandbox's faults, a call")
    return parser.parse_args()


def environment(folder: Path) -> dict[str, str]:
    env = {"DATABASE_URL": f"sqlite:///{folder}/kills.sqlite3", "LOG_LEVEL": "CRITICAL", **os.environ}
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"]
    subprocess.run(command, env=env, cwd=ROOT, check=True)
    return env


@contextmanager
def lane(
    number: int, sandbox: Sandbox, env: dict[str, str], folder: Path, options: argparse.Namespace
) -> Iterator[Lane]:
    own = folder / str(number)
    own.mkdir()
    with nursery(env | credentials(sandbox.url, 1000), own, timeout=0.8, margin=0.1) as started:
        reference = f"{'ABCDEFGH'[number]}_ACME_LOD_01"
        house = House(sandbox.control, started, reference, Stream(number * 1_000_000))
        house.set_up()
        yield Lane(house, random.Random(options.seed * 100 + number))


def settled(sandbox: Sandbox, lanes: list[Lane]) -> list[dict[str, Any]]:
    """No more faults; all is pulled and recovered, late dequeues too, and compared."""
    sandbox.control.clear_faults()
    for _ in range(2):
        for one in lanes:
            one.house.pull(until=120)
        sandbox.control.wait_idle()
    return [one.house.judge() for one in lanes]


def show(sandbox: Sandbox, lanes: list[Lane], verdicts: list[dict[str, Any]], seconds: float) -> None:
    killed = sum((one.killed for one in lanes), Counter[str]())
    survived = sum((one.survived for one in lanes), Counter[str]())
    for place, times in sorted(killed.items(), key=lambda pair: -pair[1]):
        row(place, times)
    for place, times in survived.items():
        row(f"ended before: {place}", times)
    print()
    row("killed", killed.total())
    row("distinct points", len(killed - Counter({AT_RANDOM: killed.total()})))
    row("ended before they came to their point", survived.total())
    row("calls at the sandbox", len(sandbox.control.calls()))
    row("answers sent and never stored", sum(len(one.house.lost_on_the_way()) for one in lanes))
    for name in ("notifications", "recovered", "replay_passes", "unreadable"):
        row(name.replace("_", " "), sum(verdict.get(name, 0) for verdict in verdicts))
    row("publications, without a hole", max(verdict.get("publications", 0) for verdict in verdicts))
    row("lost, doubled or stuck", [verdict["wrong"] for verdict in verdicts if "wrong" in verdict] or 0)
    row("seconds", f"{seconds:.0f}")


def row(name: str, value: object) -> None:
    shown = f"{value:>10,}" if isinstance(value, int) else f"{value!s:>10}"
    print(f"{name:45}{shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
