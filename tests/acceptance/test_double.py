"""A second D&B, written from the contract's text alone, and a company's story as it gave it out.

The sandbox and the program come from the same hands, so a misreading would be in both and no test would see it. This
double shares nothing with the sandbox, and what it gave out, in that order, is what the program must tell. It plays
the hardest reading of what the contract leaves open: one `deliveryTimeStamp` for a whole answer, no order but the
answer's own, an exclusive or an inclusive start of a replay, an answer that is lost after it was dequeued.
"""

from __future__ import annotations

import base64
import functools
import itertools
import json
import operator
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from monitoring.history.checkpoints import profile
from monitoring.jobs import ingest_now
from monitoring.models import Change, Delivery, DeliveryState
from monitoring.pull.puller import Outcome, pull
from monitoring.story_order import OLDEST_FIRST
from portfolio.models import Registration, RegistrationState
from portfolio.registrations.discover import discover_registrations
from tests.builders.contracts import a_contract
from tests.builders.notifications import a_seed

pytestmark = pytest.mark.django_db(transaction=True)

Document = dict[str, Any]
Reply = tuple[int, Document]

REFERENCE, KEY, SECRET, TOKEN = "DOUBLE_01", "a-key", "a-secret", "a-token"
ROOT = f"/v1/monitoring/registrations/{REFERENCE}"
COMPANIES = [f"0100000{number:02}" for number in range(12)]
FEW = COMPANIES[:3]
SCORES = [70, 60, 50, 40, 55, 54, 30]
SCORE = "organization.dnbAssessment.failureScore.nationalPercentile"
FULL = 100


class Double:
    """D&B for one registration: a queue, what was given out, and the ledger that a story is judged by."""

    def __init__(self, *, inclusive: bool) -> None:
        self.inclusive = inclusive
        self.lose: set[int] = set()
        self.queue: list[Document] = []
        self.served: list[Document] = []
        self.answers: list[int] = []
        self.replays: list[int] = []
        self.ledger: dict[str, list[Document]] = defaultdict(list)
        self.now = datetime.now(UTC)
        self.lock = Lock()

    def stamp(self) -> str:
        """Now, in milliseconds, and strictly later than every stamp before."""
        self.now = max(datetime.now(UTC), self.now + timedelta(milliseconds=1))
        self.now = self.now.replace(microsecond=self.now.microsecond // 1000 * 1000)
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def head(self) -> Document:
        return {"transactionID": "rrt-0abc", "transactionTimestamp": self.stamp(), "inLanguage": "en-US"}

    def answer(self, **members: Any) -> Reply:
        return 200, {"transactionDetail": self.head(), "inquiryDetail": {"reference": REFERENCE}, **members}

    def error(self, status: int, code: str) -> Reply:
        return status, {"transactionDetail": self.head(), "error": {"errorCode": code, "errorMessage": "Told in code"}}

    def details(self) -> Reply:
        registration = {"reference": REFERENCE, "deliveryTrigger": "API_PULL", "notificationType": "FULL_PRODUCT"}
        return self.answer(
            messages={"state": "CURRENT", "notificationsSuppressed": False, "registration": registration}
        )

    def pulled(self, query: dict[str, str]) -> Reply | None:
        """Dequeue when the answer starts; None is an answer that was lost on the way."""
        limit = int(query.get("maxNotifications", "1"))
        if not 1 <= limit <= FULL:
            return self.error(400, "10002")
        if not self.queue:
            return self.error(404, "10001")
        items, self.queue = self.queue[:limit], self.queue[limit:]
        reply = self.answer(notifications=self.give_out(items))
        return None if len(self.answers) in self.lose else reply

    def give_out(self, items: list[Document]) -> list[Document]:
        moment = self.stamp()
        given = [{**item, "deliveryTimeStamp": moment} for item in items]
        self.served += given
        self.answers.append(len(given))
        for item in given:
            self.ledger[item["organization"]["duns"]].append(item["organization"])
        return given

    def replayed(self, query: dict[str, str]) -> Reply:
        """What was given out after the start, also by a lost answer, with the stamps that it had."""
        start, limit = moment_of(query["replayStartTimestamp"]), int(query.get("maxNotifications", "1"))
        lies_after = operator.ge if self.inclusive else operator.gt
        found = [item for item in self.served if lies_after(moment_of(item["deliveryTimeStamp"]), start)]
        self.replays.append(len(found[:limit]))
        return self.answer(notifications=found[:limit]) if found else self.error(404, "10001")

    def get(self, path: str, query: dict[str, str]) -> Reply | None:
        if path == f"{ROOT}/notifications":
            return self.pulled(query)
        if path == f"{ROOT}/notifications/replay":
            return self.replayed(query)
        if path == ROOT:
            return self.details()
        if path == ROOT.rpartition("/")[0]:
            return self.answer(messages={"references": [REFERENCE]})
        return self.error(404, "00037")


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Handler(BaseHTTPRequestHandler):
    double: Double

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        basic = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        with self.double.lock:
            if self.path != "/v2/token":
                self.reply(self.double.error(404, "00037"))
            elif self.headers["Authorization"] == basic and json.loads(body) == {"grant_type": "client_credentials"}:
                self.reply((200, {"access_token": TOKEN, "expiresIn": 86400}))
            else:
                self.reply(self.double.error(401, "00041"))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        with self.double.lock:
            if self.headers["Authorization"] == f"Bearer {TOKEN}":
                self.reply(self.double.get(parts.path, query))
            else:
                self.reply(self.double.error(401, "00041"))

    def reply(self, reply: Reply | None) -> None:
        """Without a reply the connection ends here, and not one byte was sent."""
        if reply is None:
            return
        content = json.dumps(reply[1]).encode()
        self.send_response(reply[0])
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Double]:
    """With a parameter: whether a replay's start is inclusive."""
    double = Double(inclusive=getattr(request, "param", False))
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"double": double})) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        told = {"BASE_URL": address, "API_KEY": KEY, "API_SECRET": SECRET, "PULL": "on", "CALLS_PER_SECOND": "1000"}
        for name, value in told.items():
            monkeypatch.setenv(f"DNB_{name}", value)
        yield double
        server.shutdown()


def scored(duns: str, value: int) -> Document:
    return a_seed(duns, dnbAssessment={"failureScore": {"nationalPercentile": value}})


def every_score(companies: Sequence[str] = COMPANIES) -> list[Document]:
    """Each company's next document after all companies' one before."""
    return [scored(duns, value) for value in SCORES for duns in companies]


def the_registration(page_size: int = FULL) -> Registration:
    contract = a_contract(recovery_delay=timedelta(0))
    assert discover_registrations(contract).new == [REFERENCE]
    Registration.objects.update(state=RegistrationState.ACTIVE, page_size=page_size, current_page_size=page_size)
    return Registration.objects.select_related("contract").get(reference=REFERENCE)


def pull_until_sure(registration: Registration) -> None:
    for _ in range(10):
        result = pull(registration, keep=ingest_now)
        if result.outcome == Outcome.DRAINED and not Delivery.objects.filter(state=DeliveryState.IN_DOUBT).exists():
            return
    raise AssertionError(f"still in doubt: {result}")


def story(duns: str, element: str) -> list[tuple[Any, Any]]:
    rows = Change.objects.filter(company=duns, kind="element", superseded=False).order_by(*OLDEST_FIRST)
    assert {row.element for row in rows} <= {element}
    return [(json.loads(row.previous or "null"), json.loads(row.current or "null")) for row in rows]


def steps(values: list[Any]) -> list[tuple[Any, Any]]:
    return [(one, two) for one, two in itertools.pairwise(values) if one != two]


def agree(double: Double, element: str) -> None:
    """The program tells of each company what the double gave out of it, and nothing else."""
    path = element.split(".")[1:]
    given = {
        duns: [functools.reduce(operator.getitem, path, item) for item in items]
        for duns, items in double.ledger.items()
    }
    assert {duns: story(duns, element) for duns in given} == {duns: steps(values) for duns, values in given.items()}
    assert {duns: profile(duns).document for duns in given} == {
        duns: items[-1] for duns, items in double.ledger.items()
    }


def test_seven_scores_of_twelve_companies_in_one_answer(double: Double) -> None:
    double.queue = every_score()
    assert pull(the_registration(), keep=ingest_now).outcome == Outcome.DRAINED
    assert double.answers == [84]
    assert {duns: story(duns, SCORE) for duns in COMPANIES} == dict.fromkeys(COMPANIES, steps(SCORES))
    agree(double, SCORE)


def test_a_name_that_returns_in_one_answer(double: Double) -> None:
    double.queue = [a_seed(COMPANIES[0], primaryName=name) for name in "ABA"]
    assert pull(the_registration(), keep=ingest_now).outcome == Outcome.DRAINED
    assert double.answers == [3]
    assert story(COMPANIES[0], "organization.primaryName") == [("A", "B"), ("B", "A")]
    agree(double, "organization.primaryName")


@pytest.mark.parametrize("page_size", [1, 2, 3, 7])
def test_pages_of_any_size_tell_the_same(double: Double, page_size: int) -> None:
    double.queue = every_score(FEW)
    assert pull(the_registration(page_size), keep=ingest_now).outcome == Outcome.DRAINED
    assert max(double.answers) == page_size and sum(double.answers) == 21
    agree(double, SCORE)


@pytest.mark.parametrize("double", [False, True], indirect=True, ids=["exclusive", "inclusive"])
@pytest.mark.parametrize(("page_size", "lose"), [(FULL, {1}), (12, {2}), (3, {1, 2, 5})])
def test_what_was_lost_on_the_way_and_replayed_tells_the_same(double: Double, page_size: int, lose: set[int]) -> None:
    double.queue, double.lose = every_score(FEW), lose
    pull_until_sure(the_registration(page_size))
    assert double.replays and sum(double.answers) == 21
    agree(double, SCORE)


@pytest.mark.parametrize("double", [False, True], indirect=True, ids=["exclusive", "inclusive"])
def test_a_replay_whose_page_ends_within_an_answer_tells_the_same(double: Double) -> None:
    """A page of 100 ends among the second answer's 60, which have one stamp: the next start must not pass the rest."""
    double.queue, double.lose = every_score() + every_score(), {2}
    pull_until_sure(the_registration(60))
    assert double.answers[:2] == [60, 60] and sum(double.answers) == 168
    assert double.replays[0] % 60, "the page ended within an answer"
    agree(double, SCORE)


@pytest.mark.parametrize("double", [False, True], indirect=True, ids=["exclusive", "inclusive"])
@pytest.mark.parametrize(("page_size", "lose"), [(FULL, {1}), (1, {2}), (2, {1}), (2, {2})])
def test_names_that_return_are_told_after_a_loss_too(double: Double, page_size: int, lose: set[int]) -> None:
    double.queue, double.lose = [a_seed(COMPANIES[0], primaryName=name) for name in "ABABA"], lose
    pull_until_sure(the_registration(page_size))
    agree(double, "organization.primaryName")
