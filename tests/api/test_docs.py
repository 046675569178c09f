"""What the docs and the description say an error looks like is what the API answers."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from dnbmon_site.accounts.models import ApiKey
from dnbmon_site.accounts.rate_limit import spend
from dnbmon_site.api.problems import KINDS
from tests.builders.operations import NOWHERE, operations
from tests.builders.programs import Program
from tests.builders.registrations import a_registration
from tests.support import ROOT

pytestmark = pytest.mark.django_db
REQUEST = re.compile(r"```\n(GET|POST|PUT|DELETE) /api/v1/(\S+)\n```\n+(?:[^`|#]+\n+)?```json\n(.*?)```", re.DOTALL)
PROBLEM = re.compile(r"```json\n[^`]*/api/docs/problems/")
ROW = re.compile(r"^\| (\d{3}) \| ([^|]+) \|", re.MULTILINE)
PAGE_FOR_USERS = re.compile(r" The page is http\S+")
PAGES = [*sorted((ROOT / "docs").glob("**/*.md")), ROOT / "README.md"]


def shown() -> Iterator[tuple[str, str, Any]]:
    for page in PAGES:
        for method, path, answer in REQUEST.findall(page.read_text()):
            if "/api/docs/problems/" in answer:
                yield method, path, json.loads(answer)


@pytest.mark.parametrize(("method", "path", "answer"), shown())
def test_errors_in_the_docs_are_the_answers(
    a_program: Callable[..., Program], method: str, path: str, answer: Any
) -> None:
    a_registration()
    assert a_program(scopes="read, alerts").send(method, path).json() == answer


def test_each_error_in_the_docs_is_compared() -> None:
    assert sum(len(PROBLEM.findall(page.read_text())) for page in PAGES) == len(list(shown())) >= 2


def test_the_table_of_errors_is_that_of_the_program() -> None:
    table = ROW.findall((ROOT / "docs" / "integrate" / "api.md").read_text())
    assert table == [(str(kind.status), kind.title) for kind in KINDS]


def example(described: Any, operation: str, status: int) -> Any:
    method, path = operation.split(" ")
    response = described["paths"][f"/api/v1/{path}"][method.lower()]["responses"][str(status)]
    return response["content"]["application/problem+json"]["example"]


BODIES: dict[str, Any] = {
    "POST registrations/{reference}/subjects/": {"subjects": [{"duns": "1"}]},
    "POST imports/{id}/confirm/": {"number": 0},
    "POST registrations/{reference}/adoption/": {"companies": 0},
    "POST files/{id}/confirm/": {"gone": 0},
    "POST data-fetches/{id}/resume/": {"confirm_calls": {}},
    "POST family-trees/{id}/resume/": {"confirm_calls": {}},
}
PARAMETERS = {"DELETE registrations/{reference}/subjects/": {"duns": "804735132"}}
ADDRESSED = [operation for operation in operations() if "{" in operation]


@pytest.mark.parametrize("operation", operations())
def test_who_may_not_is_answered_as_described(
    a_program: Callable[..., Program],
    stranger: Program,
    schema: Any,
    operation: str,
) -> None:
    method, path = operation.split(" ")
    takes_read = {"key": ["read"]} in schema["paths"][f"/api/v1/{path}"][method.lower()]["security"]
    program = a_program(scopes="alerts" if takes_read else "read")
    assert stranger.send(method, path.format(**NOWHERE)).json() == example(schema, operation, 401)
    refused = program.send(method, path.format(**NOWHERE)).json()
    refused["detail"] = PAGE_FOR_USERS.sub("", refused["detail"])
    assert refused == example(schema, operation, 403)


@pytest.mark.parametrize("operation", ADDRESSED)
def test_what_is_not_there_is_answered_as_described(
    a_program: Callable[..., Program],
    admin_client: Client,
    schema: Any,
    operation: str,
) -> None:
    method, path = operation.split(" ")
    answer = Program(admin_client).send(
        method, path.format(**NOWHERE), BODIES.get(operation), **PARAMETERS.get(operation, {})
    )
    assert answer.json() == example(schema, operation, 404)


LOOKUP, LIST = "POST companies/lookup/", "GET companies/"


def test_other_errors_are_answered_as_described(program: Program, schema: Any) -> None:
    ask, address = program.client.generic, "/api/v1/companies/lookup/"
    odd = {**program.headers, "Accept": "text/html"}
    answers = {
        (LIST, 400): program.get("companies/", limit=1001),
        (LIST, 405): program.send("PATCH", "companies/"),
        (LIST, 406): program.client.get("/api/v1/companies/", headers=odd),
        (LOOKUP, 400): ask("POST", address, "x", content_type="application/json", headers=program.headers),
        (LOOKUP, 413): ask(
            "POST", address, "x" * 26 * 1024**2, content_type="application/json", headers=program.headers
        ),
        (LOOKUP, 415): ask("POST", address, "x", content_type="text/plain", headers=program.headers),
    }
    for (operation, status), answer in answers.items():
        assert (answer.status_code, answer.json()) == (status, example(schema, operation, status))


def test_conflicts_and_haste_are_answered_as_described(a_program: Callable[..., Program], schema: Any) -> None:
    a_registration()
    program = a_program(scopes="pull", calls_per_minute=600)
    program.post("registrations/ACME_LOD_01/pull/", word="a")
    conflict = program.post("registrations/ACME_LOD_01/pull/", word="a", contract="default")
    pull = "POST registrations/{reference}/pull/"
    assert conflict.json() == example(schema, pull, 409)
    key = ApiKey.objects.get(calls_per_minute=600, scopes="pull")
    with time_machine.travel(time.time(), tick=False):
        while not getattr(spend(key), "wait", 1):
            pass
        assert program.get("event-types/").json() == example(schema, pull, 429)
