"""What the processes of these tests do, each in a process of its own; arguments and result are JSON."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from direct_plus.candidates import CompanyQuery
from direct_plus.errors import DirectPlusError
from direct_plus.sandbox.control.client import SandboxControl
from monitoring import claims, jobs
from monitoring.deliveries import lease
from monitoring.ingest.circuit_breaker import resume_ingest
from monitoring.models import Delivery, DeliveryState, Notification, Publication, ReplayPass
from monitoring.pull import puller
from monitoring.pull.puller import Outcome
from monitoring.replay.passes import recovery_is_due
from portfolio import dnb_client
from portfolio.call_budgets.calls import BudgetUsedUp, counted_call
from portfolio.dnb_client import SharedThrottle, client_for
from portfolio.models import AccessToken, CallKind, Contract, Registration
from tests.acceptance import judging, points, restoring, telling
from tests.builders.calls import a_budget
from tests.builders.contracts import a_contract
from tests.builders.registrations import a_registration

PAUSE = 0.03
UNDECIDED = (DeliveryState.CALLED, DeliveryState.RECEIVED, DeliveryState.INGESTED, DeliveryState.IN_DOUBT)


def set_up(reference: str, settle: float = 1.5, overlap: float = 5, **fields: Any) -> None:
    contract = a_contract(recovery_delay=timedelta(seconds=settle), overlap=timedelta(seconds=overlap))
    a_registration(reference, contract=contract, **fields)


def pull(
    reference: str,
    *,
    point: str | None = None,
    passes: int = 1,
    number: int = 9,
    unannounced: bool = False,
    unchecked: bool = False,
    patience: float | None = None,
    until: float = 240,
) -> dict[str, Any]:
    """What the worker's jobs do for one registration, again and again, until nothing waits and nothing is in doubt."""
    if point:
        points.arm(point, passes, number)
    if unannounced:
        puller.announce = _not_announced
    if unchecked:
        Registration.objects.filter(reference=reference).update(checked_on=None)
    if patience is not None:
        settings.DATABASES["default"]["OPTIONS"]["init_command"] = f"PRAGMA busy_timeout={round(patience * 1000)}"
    registration = Registration.objects.select_related("contract").get(reference=reference)
    return _until_settled(registration, time.monotonic() + until)


def _until_settled(registration: Registration, deadline: float) -> dict[str, Any]:
    """Once the queue was empty only what is in doubt is seen to: each further pull might bring another doubt."""
    outcomes: Counter[str] = Counter()
    while time.monotonic() < deadline:
        step = _recover if outcomes[Outcome.DRAINED] else _pull
        outcomes[_at_the_boundary(step, registration)] += 1
        if outcomes[Outcome.DRAINED] and is_settled(registration):
            return {"settled": True, "outcomes": outcomes}
        time.sleep(PAUSE)
    return {"settled": False, "outcomes": outcomes, "left": _left(registration)}


def _pull(registration: Registration) -> str:
    return str(puller.pull(registration, keep=jobs.ingest_now).outcome)


def _recover(registration: Registration) -> str:
    return f"repaired {jobs.recover_due()}"


def _at_the_boundary(step: Callable[[Registration], str], registration: Registration) -> str:
    """Trouble ends a round and not the process; and what a killed process left is read."""
    try:
        outcome = step(registration)
        jobs.ingest_received()
        jobs.publish_read()
        _resume(registration)
    except Exception as trouble:  # noqa: BLE001
        # The process has rounds to go: the one who started it counts by name what ended this one.
        return type(trouble).__name__
    return outcome


def _resume(registration: Registration) -> None:
    """A person has looked at what could not be read."""
    registration.refresh_from_db()
    if registration.ingest_stopped_reason:
        resume_ingest(registration)


def is_settled(registration: Registration) -> bool:
    registration.refresh_from_db()
    undecided = Delivery.objects.filter(registration=registration, state__in=UNDECIDED)
    return not (undecided.exists() or recovery_is_due(registration))


def _left(registration: Registration) -> list[list[str]]:
    undecided = Delivery.objects.filter(registration=registration, state__in=UNDECIDED)
    passes = ReplayPass.objects.filter(registration=registration).exclude(state="ended")
    return [[row.state, row.error] for row in undecided] + [[row.state, row.mark] for row in passes]


def _not_announced(registration: Registration, fence: int, turn: int, *, requested_by: str = "") -> Delivery:
    """The `asked` row is made and not committed."""
    assert registration.dnb_time is not None
    return Delivery(
        registration=registration,
        source="pull",
        state=DeliveryState.CALLED,
        fence=fence,
        turn=turn,
        stands_for=turn,
        page_size=registration.current_page_size,
        called_at=timezone.now(),
        replay_from=registration.dnb_time - registration.contract.overlap,
    )


def judge(url: str, reference: str) -> dict[str, Any]:
    """Compare the database with the sandbox's ledger and with what always holds; numbers, or what is wrong."""
    try:
        return judging.verdict(SandboxControl(url), reference)
    except AssertionError as wrong:
        return {"wrong": str(wrong)}


def call(reference: str, *, seconds: float) -> dict[str, Any]:
    """Ask for the registration's details as fast as it is allowed; also, which slots that took."""
    slots: list[int] = []
    take = SharedThrottle._take

    def noted(throttle: SharedThrottle) -> tuple[int, float]:
        slots.append((taken := take(throttle))[0])
        return taken

    SharedThrottle._take = noted  # type: ignore[assignment]
    registration = Registration.objects.select_related("contract").get(reference=reference)
    client = client_for(registration.contract)
    until = time.monotonic() + seconds
    calls = 0
    refused: list[str] = []
    while time.monotonic() < until:
        try:
            client.registration(reference)
        except DirectPlusError as error:
            refused.append(str(error))
        calls += 1
    return {"calls": calls, "refused": refused, "slots": slots}


def find(reference: str, *, times: int) -> dict[str, Any]:
    """Look for a company so often, as far as the budget allows; what came of each."""
    contract = Registration.objects.select_related("contract").get(reference=reference).contract
    client, outcomes = client_for(contract), Counter[str]()
    for _ in range(times):
        try:
            with counted_call(contract, CallKind.MATCH, about="Acme", requested_by="ann"):
                client.match(CompanyQuery("Acme", "US"))
            outcomes["made"] += 1
        except BudgetUsedUp:
            outcomes["refused"] += 1
        except DirectPlusError:
            outcomes["failed"] += 1
    return outcomes


def set_budget(reference: str, *, calls: int) -> None:
    a_budget(Registration.objects.select_related("contract").get(reference=reference).contract, CallKind.MATCH, calls)


def get_token(*, renewal: float) -> dict[str, Any]:
    """Make sure of a token with a renewal claim of so many seconds; how long it took."""
    dnb_client.RENEWAL = timedelta(seconds=renewal)
    begun = time.monotonic()
    refused = client_for(Contract.objects.get()).session.ensure_token()
    row = AccessToken.objects.get()
    return {
        "seconds": time.monotonic() - begun,
        "got": refused is None,
        "stored": bool(row.encrypted),
        "claimed": row.renewal_until is not None,
    }


def registration(reference: str) -> dict[str, Any]:
    row = Registration.objects.get(reference=reference)
    names = ("dnb_time", "last_pulled_at", "gap_from", "gap_until", "lease_until")
    times = {name: moment.isoformat() if (moment := getattr(row, name)) else None for name in names}
    return {**times, "gap_reason": row.gap_reason, "last_error": row.last_error, "state": row.state, "fence": row.fence}


def add_call_in_doubt(reference: str, *, days: float) -> None:
    """A call of so many days ago that nobody has repaired."""
    row = Registration.objects.get(reference=reference)
    assert row.dnb_time is not None
    then = row.dnb_time - timedelta(days=days)
    Delivery.objects.create(
        registration=row, source="pull", state=DeliveryState.IN_DOUBT, called_at=then, ended_at=then, replay_from=then
    )


def transactions(reference: str) -> list[str]:
    """D&B's numbers of the pulls whose answers are stored."""
    pulls = Delivery.objects.filter(registration__reference=reference, source="pull").exclude(transaction_id="")
    return list(pulls.values_list("transaction_id", flat=True))


def rows() -> dict[str, int]:
    return {"notifications": Notification.objects.count(), "publications": Publication.objects.count()}


def hold_the_lock(url: str, reference: str, *, seconds: float) -> None:
    """Another program writes for so long; it begins while a pull of the registration is under way."""
    control = SandboxControl(url)
    while not control.live_clients(reference):
        time.sleep(0.005)
    connection = sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None, timeout=10)
    connection.execute("BEGIN IMMEDIATE")
    time.sleep(seconds)
    connection.execute("COMMIT")
    connection.close()


def shorten(*, timeout: float, margin: float) -> None:
    """Of every process here: a call's limit, and how long a dead process keeps others from its lease and its claim."""
    settings.DNB_TIMEOUT = timeout
    lease.MARGIN = timedelta(seconds=margin)
    dnb_client.RENEWAL = timedelta(seconds=timeout + margin)
    # Half as long as a lease's margin: where nobody is killed, readers must not take a slow delivery from one another.
    claims.LASTS = timedelta(seconds=margin / 2)


DEEDS: dict[str, Callable[..., Any]] = {
    deed.__name__: deed
    for deed in (
        *(
            set_up,
            pull,
            judge,
            call,
            find,
            set_budget,
            get_token,
            registration,
            add_call_in_doubt,
            transactions,
            rows,
            hold_the_lock,
        ),
        *restoring.DEEDS,
        *telling.DEEDS,
    )
}


def preload() -> None:
    """What each process would otherwise import for itself."""
    from django.db.migrations.loader import MigrationLoader

    with suppress(Exception):
        MigrationLoader(None)
