"""The whole way of a notification against the sandbox, a crash included; ends by comparing D&B's ledger with the rows.

    .venv/bin/python examples/monitoring_process_flow_demo.py [--step]

Takes some fifteen seconds, needs no credentials, keeps nothing. With --step it explains each step first and waits for
the Enter key. docs/MONITORING_PROCESS_GUIDE.md says more.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WAITS = "FLOW_DEMO_WAITS"
REFERENCE = "ACME_LOD_01"
ACME, GLOBEX, INITECH = "804735132", "150483782", "012345678"
BANKRUPT = {"organization.legalEvents.hasOpenBankruptcy": True}
STEPS = {
    "A token, once for all processes": """D&B answers only with a token, which is valid for a day. It is fetched once
        and kept encrypted in the database, where all processes find it.""",
    "Registrations are found, not made": """D&B sets up a registration on request. The program asks which there are;
        each arrives paused, because pulling takes notifications off D&B's queue for good.""",
    "Companies are requested, and D&B is made to agree": """Adopting takes D&B's list over without sending anything.
        Then three companies are requested, and what differs is sent to D&B. Adding a company costs money.""",
    "Pull: announced, asked, stored, read, published": """Each call is written down before it is made. The answer is
        stored byte for byte before anything looks inside, then read into notifications and changes.""",
    "A crash: the answer is on its way when the process is killed": """Three things happen to the companies. A pull
        takes them off D&B's queue, and the process is killed before it can store the answer.""",
    "The next pull finds the row, and asks for a replay": """The row that announced the call is still there, so its
        notifications are in doubt. D&B replays what was pulled in the last 14 days.""",
    "Read everything that is stored once more: nothing changes": """All rows are derived from the stored answers, and
        their keys are made from content. Reading twice adds nothing.""",
    "Alerts, from what was published": "Rules look at published changes in their order.",
    "D&B's ledger against the database": """The sandbox wrote down everything it gave out. Each item must be stored
        exactly once.""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="The way of a notification, against a D&B on this machine.")
    parser.add_argument("--step", action="store_true", help="explain each step and wait for the Enter key")
    os.environ[WAITS] = "yes" if parser.parse_args().step else ""
    sys.path.insert(0, str(ROOT))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dnbmon-flow-")))
        from direct_plus.sandbox.run import start_sandbox

        # Without D&B's limit of calls per second: on a busy machine, calls that were made apart can arrive together.
        switches = {"calls_per_second": 0}
        sandbox = stack.enter_context(start_sandbox(state=folder / "sandbox.sqlite3", switches=switches))
        os.environ |= environment(folder, sandbox.url)
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        walk(sandbox.control)


def environment(folder: Path, url: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "dnbmon_site.settings",
        "ENV_FILE": os.devnull,
        "ENVIRONMENT": "development",
        "DATABASE_URL": f"sqlite:///{folder}/flow.sqlite3",
        "LOG_LEVEL": "CRITICAL",
        "DNB_BASE_URL": url,
        "DNB_API_KEY": "sandbox-key",
        "DNB_API_SECRET": "sandbox-secret",
        "DNB_PULL": "yes",
    }


def walk(control: Any) -> None:
    get_a_token()
    registration = find_the_registration(control)
    request_companies(control, registration)
    pull_the_first_time()
    crash_in_the_middle(control)
    recover()
    read_again()
    look_at_alerts()
    compare(control)


def step(number: int) -> None:
    title, explanation = list(STEPS.items())[number - 1]
    print(f"\n{number}. {title}", flush=True)
    if os.environ[WAITS]:
        print(textwrap.indent(textwrap.fill(" ".join(explanation.split()), 90), "   "))
        wait_for_enter()


def wait_for_enter() -> None:
    try:
        input("   [Enter] ")
    except EOFError:
        # Nobody is there to press it (Ctrl-D, or no terminal): it goes on by itself.
        print()


def manage(*command: str) -> str:
    from django.core.management import call_command

    printed = StringIO()
    call_command(*command, stdout=printed)
    return printed.getvalue().strip()


def say(text: str) -> None:
    print(f"   {text}")


def get_a_token() -> None:
    from portfolio.dnb_client import client_for
    from portfolio.models import AccessToken, Contract

    step(1)
    contract, _ = Contract.objects.get_or_create(name="default", defaults={"recovery_delay": timedelta(seconds=2)})
    client_for(contract).registrations()
    row = AccessToken.objects.get()
    say(f"valid until {row.expires_at:%H:%M} UTC tomorrow, kept encrypted ({row.encrypted[:12]}…)")


def find_the_registration(control: Any) -> Any:
    from portfolio.models import Registration

    step(2)
    control.add_registration(REFERENCE, description="Acme suppliers")
    manage("sync_registrations")
    registration = Registration.objects.select_related("contract").get()
    say(f"{registration.reference}: {registration.get_state_display().lower()} until a person starts it")
    return registration


def request_companies(control: Any, registration: Any) -> None:
    from portfolio.registrations.adopt import adopt_as_requested
    from portfolio.subjects.requests import SubjectEntry, request_subjects
    from portfolio.sync.run import sync

    step(3)
    adopt_as_requested(registration, by="demo", is_empty=True)
    request_subjects(
        registration=registration, entries=[SubjectEntry(duns) for duns in (ACME, GLOBEX, INITECH)], requested_by="demo"
    )
    run = sync(registration, requested_by="demo")
    assert run is not None
    say(f"sent {run.sent}, accepted {run.accepted}; at D&B: {', '.join(control.subjects(REFERENCE))}")


def pull_the_first_time() -> None:
    step(4)
    say(manage("pull", REFERENCE))
    say(told())


def crash_in_the_middle(control: Any) -> None:
    from core.leases import NOBODYS
    from monitoring.models import Delivery
    from portfolio.models import Registration

    step(5)
    control.happen("change", ACME, changes=BANKRUPT)
    control.happen("change", GLOBEX, changes={"organization.primaryName": "Globex International Ltd"})
    control.happen("delete", INITECH)
    control.set_fault("delay", seconds=20, on="pull", times=1)
    process = subprocess.Popen([sys.executable, str(ROOT / "manage.py"), "pull", REFERENCE], stdout=subprocess.DEVNULL)
    while not control.live_clients(REFERENCE):
        time.sleep(0.05)
    process.kill()
    process.wait()
    control.clear_faults()
    asked = Delivery.objects.get(state="called")
    say(f"killed; D&B has taken 3 notifications off its queue, and the row of the call is still here: {asked.state}")
    # As if the minute had passed for which a dead process holds the registration.
    Registration.objects.update(**NOBODYS)


def recover() -> None:
    from django.core.management import CommandError

    from monitoring.models import Delivery

    step(6)
    while Delivery.objects.filter(state__in=["called", "in_doubt"]).exists():
        try:
            say(manage("pull", REFERENCE))
        except CommandError as error:
            say(str(error))
            time.sleep(2)
    say(f"{Delivery.objects.filter(state='recovered').count()} doubt repaired; {told()}")


def read_again() -> None:
    step(7)
    before = told()
    say(manage("ingest", "--rebuild"))
    assert told() == before
    say(told())


def look_at_alerts() -> None:
    from monitoring.jobs import alert_published
    from monitoring.models import Alert

    step(8)
    alert_published()
    for alert in Alert.objects.order_by("id"):
        say(f"{alert.get_severity_display()}: {alert.title}")


def told() -> str:
    from monitoring.models import Change, Notification, Publication

    rows = (Notification.objects.count(), Change.objects.count(), Publication.objects.count())
    return "{} notifications, {} changes, {} publications".format(*rows)


def compare(control: Any) -> None:
    """By content, never by our ids."""
    step(9)
    given, kept = given_out(control), stored()
    say(f"given out by D&B: {given.total()}   stored: {kept.total()}")
    say(f"missing: {(given - kept).total()}   doubled or invented: {(kept - given).total()}")
    if given != kept:
        sys.exit("The ledger and the database differ.")
    say("ledger = database")


def given_out(control: Any) -> Counter[Any]:
    from direct_plus.exact_json import parse_json
    from direct_plus.payloads import parse_stamp

    found: Counter[Any] = Counter()
    for entry in control.ledger(REFERENCE):
        if entry["dequeued_at"]:
            item: Any = parse_json(entry["raw"].encode())
            facts = ((one["element"], parse_stamp(one["timestamp"])) for one in item.get("elements", ()))
            found[(item["type"], item["organization"]["duns"], frozenset(facts))] += 1
    return found


def stored() -> Counter[Any]:
    from monitoring.models import Change, Notification

    facts: dict[Any, set[Any]] = {}
    for change in Change.objects.filter(kind="element"):
        facts.setdefault(change.notification_id, set()).add((change.element, change.changed_at))
    rows = Notification.objects.all()
    return Counter((row.type, row.company_id, frozenset(facts.get(row.pk, ()))) for row in rows)


if __name__ == "__main__":
    main()
