"""Every error is a problem document (RFC 9457), whoever finds it."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings

from core.api.scopes import SCOPES
from dnbmon_site.api.problems import problem
from monitoring.feed import feed
from tests.builders.deliveries import delivered
from tests.builders.notifications import an_update
from tests.builders.operations import operations
from tests.builders.pages import text_of
from tests.builders.programs import Program
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
PULL = "registrations/ACME_LOD_01/pull/"


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


@pytest.mark.parametrize("operation", operations())
def test_an_address_without_its_last_slash_is_the_same_address(
    a_program: Callable[..., Program], operation: str
) -> None:
    program = a_program(scopes=",".join(SCOPES))
    method, path = operation.split(" ")
    path = path.format(duns="804735132", reference="ACME_LOD_01", id="019b95d1-5000-7c55-9d0a-2a4f4b0c9a11")
    a_registration()
    with_slash, without = program.send(method, path), program.send(method, path.rstrip("/"))
    assert without.status_code == with_slash.status_code
    assert without.headers.get("Content-Type") == with_slash.headers.get("Content-Type")


def test_a_write_without_its_last_slash_is_done_once(a_program: Callable[..., Program]) -> None:
    program = a_program(scopes="pull")
    a_registration()
    answers = [program.post(path, word="a") for path in ("registrations/ACME_LOD_01/pull", PULL)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[1]["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_method_that_an_address_does_not_take(a_program: Callable[..., Program], method: str) -> None:
    program = a_program(scopes="read")
    answer = getattr(program.client, method)("/api/v1/changes/", headers=program.headers)
    assert_is_problem(answer, 405)
    assert "GET" in answer["Allow"]


def test_a_format_that_is_not_had(program: Program) -> None:
    answer = program.client.get("/api/v1/changes/", headers={**program.headers, "Accept": "text/html"})
    assert_is_problem(answer, 406)
    assert "Send the header Accept: application/json" in answer.json()["detail"]
    assert_is_problem(program.get("changes/", format="xml"), 400)


def test_the_schema_answers_problems_too(program: Program) -> None:
    assert_is_problem(Client().get("/api/schema/"), 401)
    assert_is_problem(program.client.post("/api/schema/", headers=program.headers), 405)


def test_a_body_that_is_too_large(program: Program, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1024**2
    document = assert_is_problem(program.post("companies/lookup/", {"duns": ["8" * 1024**2]}), 413)
    assert document["detail"] == "The request is larger than 1 MB. Send smaller requests."


def test_each_wrong_parameter_is_named(program: Program) -> None:
    document = assert_is_problem(program.get("changes/", limit="x", country="DEU", kind="a,element,b"), 400)
    assert [error["parameter"] for error in document["errors"]] == ["limit", "kind", "kind", "country"]
    assert all(error["detail"] for error in document["errors"])
    unknown = assert_is_problem(program.get("changes/", contry="DE"), 400)
    assert unknown["errors"][0]["parameter"] == "contry"
    assert "country" in unknown["errors"][0]["detail"]


def test_an_address_without_parameters_says_so(program: Program) -> None:
    document = assert_is_problem(program.get("event-types/", limit="1"), 400)
    detail = "Unknown parameter; this endpoint has no parameters."
    assert document["errors"] == [{"parameter": "limit", "detail": detail}]


def test_errors_read_as_the_documentation_shows_them(a_program: Callable[..., Program]) -> None:
    a_registration()
    answer = a_program(scopes="read").post(PULL)
    assert "This API key needs the scope “pull”. Its scopes are: read." in answer.content.decode()


def test_half_a_surrogate_in_an_error_is_still_json() -> None:
    answer = problem(400, "“\ud800”")
    assert json.loads(answer.content)["detail"] == "“\ud800”"


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
    assert "<code>Authorization: Bearer dnbmon_…</code>" in page.content.decode() and "`" not in text_of(page)
    anchors = set(re.findall(r'id="([a-z-]+)"', page.content.decode()))
    delivered(an_update())
    for answer in [program.get("changes/", limit=0), program.get("companies/1/"), Client().get("/api/v1/changes/")]:
        assert answer.json()["type"].partition("#")[2] in anchors
