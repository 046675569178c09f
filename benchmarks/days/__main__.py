"""72 hours of D&B's clock in some 45 minutes, with random faults, on the real program; then what came of it.

    python -m benchmarks.days [--hours 72] [--minutes 45] [--seed 1]

Web, worker and sandbox run as processes on 127.0.0.1, in a temporary folder. Meanwhile pages are visited and the feed
is followed. At the end: what is stored against the sandbox's ledger, the availability and the incidents that the
program shows against what was done to it, and memory and open files of every process. The program's own clock is the
machine's, so availability is compared in real minutes; D&B's clock runs some hundred times as fast.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.days.memory import Watch
from benchmarks.days.program import Program, Visitor
from benchmarks.days.troubles import plan
from benchmarks.days.world import World, say

SETTLE_MINUTES = 2
SETTLED_WITHIN = 900.0


def main() -> int:
    options = arguments()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="days-") as name:
        program = Program(Path(name), options.port)
        try:
            return run(program, chance, options)
        finally:
            program.end()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=72, help="of D&B's clock (72)")
    parser.add_argument("--minutes", type=float, default=45, help="in so many real minutes (45)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", metavar="WORDS", help="only what has one of these in its name is done")
    parser.add_argument("--port", type=int, default=8241, help="of the web server; the sandbox takes the next one")
    return parser.parse_args()


def run(program: Program, chance: random.Random, options: argparse.Namespace) -> int:
    program.start_sandbox()
    start_django(program)
    world = World(program, chance, options.hours, options.minutes * 60)
    world.fill()
    program.start()
    settle_sooner()
    visitor = Visitor(program.url, program.access, world.companies, random.Random(options.seed))
    watch = Watch(program.up.pid)
    watch.start()
    visitor.start()
    say("everything runs")
    world.play(plan(chance, options.minutes, options.only))
    program.control.clear_faults()
    say("no more faults")
    ended = time.time()
    settled = wait_until_settled(program)
    wait_for_the_days(ended)
    visitor.stop()
    watch.stop()
    # It needs Django, which runs by now.
    from benchmarks.days.verdict import judge

    return int(judge(program, world, visitor, watch, program.control.calls(), settled=settled))


def start_django(program: Program) -> None:
    """For this process too, which reads the rows at the end."""
    os.environ.update(program.env, DJANGO_SETTINGS_MODULE="dnbmon_site.settings")
    program.manage("migrate", "--verbosity=0")
    import django

    django.setup()


def settle_sooner() -> None:
    """As on the contract's page: late answers come within two minutes here, so no doubt waits for longer."""

    from portfolio.models import Contract

    Contract.objects.update(recovery_delay=timedelta(minutes=SETTLE_MINUTES))


def wait_until_settled(program: Program) -> bool:
    """Whether everything is read and nothing is in doubt."""
    from monitoring.models import Delivery
    from portfolio.models import Registration
    from tests.acceptance.judging import OVER

    deadline = time.monotonic() + SETTLED_WITHIN
    pulled_since = program.control.clock()
    while time.monotonic() < deadline:
        time.sleep(5)
        late = Registration.objects.filter(last_pulled_at__lt=pulled_since).exists()
        if not late and not Delivery.objects.exclude(state__in=OVER).exists():
            return True
    return False


def wait_for_the_days(ended: float) -> None:
    """Days are made of minutes every tenth minute; the page shows them from then on."""
    shown_from = ended - ended % 600 + 600 + 75
    time.sleep(max(0.0, shown_from - time.time()))


if __name__ == "__main__":
    sys.exit(main())
