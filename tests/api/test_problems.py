"""Every error is a problem document (RFC 9457), whoever finds it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings
from rest_framework.exceptions import Throttled

from monitoring import api, feed
from tests.api.programs import Program
from tests.builders import an_update, delivered

pytestmark = pytest.mark.django_db


def assert_is_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["title"] and document["detail"]
    assert re.fullmatch(r"/api/docs/problems/#[a-z-]+", document["type"])
    return document


@pytest.mark.parametrize(
    "path", ["", "v1/", "v1/nothing/", "v2/changes/", "v1/companies/1/2/3/", "docs/x", "v1/chan%00ges/"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_an_unknown_address(path: str, method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert_is_problem(getattr(client, method)(f"/api/{path}"), 404)


def test_a_missing_slash_is_added(program: Program) -> None:
    answer = program.get("changes", limit=1)
    assert answer.status_code == 301
    assert answer["Location"] == "/api/v1/changes/?limit=1"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_method_that_an_address_does_not_take(a_program: Callable[..., Program], method: str) -> None:
    program = a_program(scopes="read,write")
    answer = getattr(program.client, method)("/api/v1/changes/", headers=program.headers)
    assert_is_problem(answer, 405)
    assert "GET" in answer["Allow"]


def test_writing_takes_another_scope(program: Program) -> None:
    assert_is_problem(program.client.post("/api/v1/changes/", headers=program.headers), 403)


def test_a_format_that_is_not_had(program: Program) -> None:
    answer = program.client.get("/api/v1/changes/", headers={**program.headers, "Accept": "text/html"})
    assert_is_problem(answer, 406)
    assert_is_problem(program.get("changes/", format="xml"), 400)


def test_the_schema_answers_problems_too() -> None:
    assert_is_problem(Client().post("/api/schema/"), 405)


def test_too_many_requests(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled(self: Any, request: Any) -> None:
        raise Throttled(wait=7)

    monkeypatch.setattr(api.ChangeFeed, "check_throttles", throttled)
    answer = program.get("changes/")
    assert_is_problem(answer, 429)
    assert answer["Retry-After"] == "7"


def test_each_wrong_parameter_is_named(program: Program) -> None:
    document = assert_is_problem(program.get("changes/", limit="x", country="DEU", kind="a,element,b"), 400)
    assert [error["parameter"] for error in document["errors"]] == ["limit", "kind", "kind", "country"]
    assert all(error["detail"] for error in document["errors"])
    unknown = assert_is_problem(program.get("changes/", contry="DE"), 400)
    assert unknown["errors"][0]["parameter"] == "contry"
    assert "country" in unknown["errors"][0]["detail"]


def test_what_breaks_is_a_problem_and_is_not_shown(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(feed, "read", broken)
    program.client.raise_request_exception = False
    answer = program.get("changes/")
    assert_is_problem(answer, 500)
    assert b"inside" not in answer.content


@override_settings(ALLOWED_HOSTS=["here.example.com"])
def test_what_is_refused_before_a_view_is_reached() -> None:
    assert_is_problem(Client().get("/api/v1/changes/", headers={"Host": "elsewhere.example.com"}), 400)


def test_the_types_lead_to_a_page_that_explains_them(program: Program) -> None:
    page = Client().get("/api/docs/problems/")
    assert page.status_code == 200
    anchors = set(re.findall(r'id="([a-z-]+)"', page.content.decode()))
    delivered(an_update())
    for answer in [program.get("changes/", limit=0), program.get("companies/1/"), Client().get("/api/v1/changes/")]:
        assert answer.json()["type"].partition("#")[2] in anchors
