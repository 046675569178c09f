"""A list of 300,000 companies, killed with SIGKILL while it is imported and while it is sent; the ledger judges.

    python -m benchmarks.portfolio_kills [--count 300000] [--kills 5]

Works on a fresh SQLite file; DATABASE_URL names another empty database, which is then migrated and filled.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

REFERENCE = "BENCH_LOD_01"
NEVER = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", nargs="?", choices=("work", "sync"), help="what a process that is killed does")
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--kills", type=int, default=5, help="while importing, and as many while sending")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
    if options.step:
        start_django()
        {"work": work, "sync": send}[options.step]()
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dnbmon-bench-")))
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        from direct_plus.sandbox.run import start_sandbox

        switches = {"calls_per_second": 0, "batch_delay_seconds": 0}
        sandbox = stack.enter_context(start_sandbox(state=folder / "sandbox.sqlite3", switches=switches))
        os.environ |= {"DNB_BASE_URL": sandbox.url, "DNB_API_KEY": "sandbox-key", "DNB_API_SECRET": "sandbox-secret"}
        start_django()
        judge(sandbox.control, options.count, options.kills, random.Random(options.count))


def start_django() -> None:
    import django

    django.setup()


def the_import() -> Any:
    from portfolio.models import SubjectImport

    return SubjectImport.objects.select_related("registration__contract").get()


def work() -> None:
    from portfolio.imports.resume import work_on

    work_on(the_import())


def send() -> None:
    from portfolio.models import Registration
    from portfolio.sync.run import sync

    sync(Registration.objects.select_related("contract").get())


def judge(control: Any, count: int, kills: int, chance: random.Random) -> None:
    from django.core.management import call_command

    from portfolio.models import Registration, Subject
    from portfolio.sync.diff import Verb, unanswered, unsent

    call_command("migrate", verbosity=0)
    control.add_registration(REFERENCE)
    numbers = prepare(count)
    killed = [kill("work", chance.uniform(2, 6)) for _ in range(kills)]
    work()
    confirm(count)
    killed += [kill("work", chance.uniform(3, 9)) for _ in range(kills)]
    work()
    requested = Subject.objects.filter(requested=True).count()
    killed += [kill("sync", chance.uniform(2, 8)) for _ in range(kills)]
    registration = Registration.objects.get()
    while unsent(registration, Verb.ADD).exists() or unanswered(registration, Verb.ADD).exists():
        free_the_hold()
        send()
    control.wait_idle()
    seeds = Counter(entry["raw"].partition('"duns":')[2][:12].strip(' "')[:9] for entry in control.ledger())
    print(f"killed {sum(killed)} of {len(killed)} processes; {requested:,} wanted of {count:,} confirmed")
    print(f"at D&B: {len(control.subjects(REFERENCE)):,}; added more than once: {sum(n > 1 for n in seeds.values()):,}")
    assert control.subjects(REFERENCE) == numbers and set(seeds) == set(numbers) and set(seeds.values()) == {1}


def prepare(count: int) -> list[str]:
    """A file with everything to confirm, and rows that nobody can."""
    from portfolio.imports.upload import create_import
    from portfolio.models import Contract, Registration

    contract, _ = Contract.objects.get_or_create(name="default")
    Contract.objects.update(cap=count)
    registration = Registration.objects.create(
        id=Registration.key("default", REFERENCE), contract=contract, reference=REFERENCE, adopted=True
    )
    numbers = [f"{100_000_000 + number}" for number in range(count)]
    bad = [f"{number:07d}" for number in range(NEVER)]
    content = "\n".join(["DUNS", *numbers, *bad]).encode()
    create_import(
        registration=registration,
        content=content,
        file_name="list.csv",
        mode="add",
        source="upload",
        requested_by="bench",
    )
    return numbers


def confirm(count: int) -> None:
    from portfolio.imports.confirm import confirm_import
    from tests.builders.people import an_actor

    confirm_import(import_=the_import(), number=count, confirmed_by=an_actor("bench"), may_confirm=True)


def kill(step: str, after: float) -> bool:
    """Start a process and kill it then; whether it was still at work."""
    free_the_hold()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.portfolio_kills", step])
    time.sleep(after)
    process.kill()
    return process.wait() < 0


def free_the_hold() -> None:
    """As if the minutes had passed after which a killed process no longer holds the sync."""
    from core.leases import NOBODYS
    from core.models import Lease

    Lease.objects.update(**NOBODYS)


if __name__ == "__main__":
    main()
