"""The OpenAPI description: valid, complete, and what the answers are really like."""

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.html import escape
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from dnbmon_site.accounts.models import User
from dnbmon_site.api_problem_schemas import PROBLEM_SCHEMA
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, a_transfer, an_update
from tests.builders.operations import addresses, operations
from tests.builders.pages import text_of
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
PATHS = [
    "companies/",
    "companies/{duns}/",
    "companies/{duns}/changes/",
    "companies/{duns}/profile/",
    "notifications/",
    "changes/",
]


def validator(schema: Any, path: str, status: int) -> Draft202012Validator:
    responses = schema["paths"][f"/api/v1/{path}"]["get"]["responses"]
    (content,) = responses[str(status)]["content"].values()
    return Draft202012Validator({**content["schema"], "components": schema["components"]})


def test_it_is_valid_and_leaves_no_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_every_address_is_described(schema: Any) -> None:
    described = {f"{method.upper()} {path}" for path, methods in schema["paths"].items() for method in methods}
    assert described >= {operation.replace(" ", " /api/v1/", 1) for operation in operations()}
    for methods in schema["paths"].values():
        for operation in methods.values():
            assert operation["summary"] and operation["description"]
            assert {"400", "401", "403", "default"} <= set(operation["responses"])
            assert all(parameter.get("description") for parameter in operation.get("parameters", []))


def test_every_list_goes_on_by_the_same_parameter(schema: Any) -> None:
    lists = {
        path: names
        for path, methods in schema["paths"].items()
        if "limit" in (names := {parameter["name"] for parameter in methods.get("get", {}).get("parameters", [])})
    }
    assert len(lists) >= 9
    assert [path for path, names in lists.items() if "after" not in names or "cursor" in names] == []


@pytest.mark.parametrize("path", addresses("GET"))
def test_the_examples_are_what_they_exemplify(schema: Any, path: str) -> None:
    content = schema["paths"][f"/api/v1/{path}"]["get"]["responses"]["200"]["content"]["application/json"]
    assert content["examples"]
    for example in content["examples"].values():
        validator(schema, path, 200).validate(example["value"])


@pytest.mark.parametrize("path", PATHS)
def test_answers_are_as_described(program: Program, schema: Any, path: str) -> None:
    full = a_registration("FULL", full_product=True)
    delivered(a_seed(delivered=stamp(days=1)), a_transfer(), registration=full)
    delivered(a_seed(delivered=stamp(days=2), numberOfEmployees=[{"value": 5}]), registration=full)
    delivered(an_update(*[an_element(f"organization.e{n}", None, v) for n, v in enumerate([1, "a", [], {}, True])]))
    answer = program.read(path.format(duns=DUNS))
    validator(schema, path, 200).validate(answer)
    known = schema["components"]["schemas"]
    name = validator(schema, path, 200).schema["$ref"].rpartition("/")[2]
    assert set(answer) == set(known[name]["properties"]), "nothing is left undescribed"


def test_problems_are_as_described(program: Program, stranger: Program, schema: Any) -> None:
    validator(schema, "changes/", 400).validate(program.get("changes/", limit=0, kind="x").json())
    validator(schema, "changes/", 401).validate(stranger.get("changes/").json())
    validator(schema, "companies/{duns}/", 404).validate(program.get("companies/1/").json())


def test_it_says_where_the_api_is(schema: Any) -> None:
    assert schema["servers"] == [{"url": "http://testserver"}]
    assert all(path.startswith("/api/v1/") for path in schema["paths"])


def test_it_says_which_scope_each_operation_takes(schema: Any) -> None:
    def needed(path: str, method: str) -> list[Any]:
        return [way["key"] for way in schema["paths"][f"/api/v1/{path}"][method]["security"] if "key" in way]

    assert needed("registrations/{reference}/pull/", "post") == [["pull"]]
    assert needed("registrations/{reference}/subjects/", "get") == [["read"]]
    assert needed("imports/{id}/confirm/", "post") == [], "no key will do"


def test_strangers_see_neither_the_description_nor_its_page(program: Program) -> None:
    page = Client().get("/api/docs/")
    assert (page.status_code, page["Location"]) == (302, "/login/?next=/api/docs/")
    assert Client().get("/api/docs/?script=").status_code == 302
    assert Client().get("/api/schema/").status_code == 401
    nobody = Client()
    nobody.force_login(User.objects.create_user("bob"))
    assert [nobody.get(path).status_code for path in ("/api/docs/", "/api/schema/")] == [403, 403]
    for known in (program, Program.with_key(scopes="alerts"), a_signed_in_person()):
        for path in ("/api/docs/", "/api/schema/"):
            assert known.client.get(path, headers=known.headers).status_code == 200


def test_nobody_on_the_way_keeps_an_answer(program: Program, stranger: Program) -> None:
    person = a_signed_in_person("portfolio.view_company")
    for one in (program, stranger, person):
        for path in ("v1/companies/", "v1/companies/1/", "v1/nothing/", "schema/", "docs/", "docs/problems/"):
            assert one.client.get(f"/api/{path}", headers=one.headers)["Cache-Control"] == "no-store", path


def test_the_pages_need_no_internet(db: None) -> None:
    page = a_signed_in_person().client.get("/api/docs/").content.decode()
    loaded = re.findall(r"<(?:script|link|img|source|iframe)[^>]*(?:src|href)=\"([^\"]*)", page)
    assert len(loaded) > 5 and [one for one in loaded if not one.startswith("/")] == []


def test_the_page_documents_each_operation_with_its_fields(schema: Any) -> None:
    page = a_signed_in_person().client.get("/api/docs/").content.decode()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert f'data-method="{method.upper()}" data-path="{path}"' in page
            assert escape(operation["summary"]) in page
    for name in {name for one in schema["components"]["schemas"].values() for name in one.get("properties", ())}:
        assert f"<code>{name}</code>" in page or name in PROBLEM_SCHEMA["properties"], name
    required = re.findall(r"<code>(\w+)</code> <small>required", page)
    assert {"subjects", "confirm_calls", "exposures"} <= set(required), "fields of bodies"


def test_the_page_begins_with_what_a_first_call_needs(db: None) -> None:
    client = a_signed_in_person().client
    page = client.get("/api/docs/")
    text = text_of(page)
    assert 'curl -H "Authorization: Bearer dnbmon_…" "http://testserver/api/v1/companies/?limit=1"' in text
    assert "RateLimit-Remaining" in text and b"/help/integrate/webhooks.md" in page.content


PAYING = {
    *("request_subjects", "confirm_import", "search_company", "find_import_candidates"),
    *("request_data_fetch", "resume_data_fetch", "fetch_reference_data"),
    *("request_family_trees", "resume_family_tree"),
}


def test_a_trial_that_may_cost_says_so_and_a_look_up_does_not(db: None) -> None:
    client = a_signed_in_person().client
    page = client.get("/api/docs/").content.decode()
    parts = {part.partition('"')[0]: part for part in page.split('class="dm-api" id="')[1:]}
    assert {key for key, part in parts.items() if "may be billed" in part} == PAYING
    assert "takes effect immediately" not in parts["lookup"]


def test_a_reference_that_is_not_there_is_among_the_errors(schema: Any) -> None:
    assert "404" in schema["paths"]["/api/v1/references/"]["delete"]["responses"]
    assert "404" not in schema["paths"]["/api/v1/references/"]["get"]["responses"]


def test_a_program_gets_the_description_itself(program: Program) -> None:
    answer = program.client.get("/api/docs/", headers=program.headers)
    assert "openapi" in answer["Content-Type"] and "/api/v1/changes/" in answer.content.decode()


def test_each_group_of_operations_is_described(schema: Any) -> None:
    used = {tag for methods in schema["paths"].values() for one in methods.values() for tag in one["tags"]}
    assert {tag["name"] for tag in schema["tags"]} == used


def test_subjects_are_what_pages_call_monitored_companies(schema: Any) -> None:
    (description,) = [tag["description"] for tag in schema["tags"] if tag["name"] == "subjects"]
    assert "Pages call subjects “Monitored companies”" in description
