"""Bodies and times that nobody means are refused as what they are: 400, never 500."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from core.api.bodies import Body
from dnbmon_site.accounts.models import User

pytestmark = pytest.mark.django_db
DEEP = "[" * 50_000
BODIES = (
    DEEP,
    '{"a":' * 50_000,
    "9" * 10_000,
    "1e999",
    "\ud800".encode("utf-8", "surrogatepass"),
    b"\xff",
    '"x"',
    "null",
)
TIMES = ("0001-01-01", "9999-12-31", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "99999-01-01", "x")
WORDS = {"{duns}": "804735132", "{reference}": "ACME", "{key}": "00000000-0000-0000-0000-000000000000"}


@pytest.fixture
def person(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann", "ann@example.com", "secret words"))
    client.raise_request_exception = False
    return client


def operations(*methods: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    for path, by_method in schema["paths"].items():
        for method in by_method.keys() & set(methods):
            shown = path
            for word in ("duns", "reference", "id", "key"):
                shown = shown.replace(f"{{{word}}}", WORDS.get(f"{{{word}}}", WORDS["{key}"]))
            yield shown, method, by_method[method]


def test_bodies_that_are_no_request_are_refused(person: Client) -> None:
    broken = [
        (method, path, str(body)[:20], answer.status_code)
        for path, method, _ in operations("post", "put", "patch", "delete")
        for body in BODIES
        if (answer := person.generic(method, path, body, content_type="application/json")).status_code >= 500
    ]
    assert broken == []


def test_times_out_of_reach_are_answered(person: Client) -> None:
    broken = [
        (path, parameter["name"], time)
        for path, _, operation in operations("get")
        for parameter in operation.get("parameters", [])
        for time in TIMES
        if parameter["in"] == "query" and person.get(f"{path}?{parameter['name']}={time}").status_code >= 500
    ]
    assert broken == []


def test_a_field_that_nobody_reads_is_refused(person: Client) -> None:
    """It would silently have no effect."""
    described = [operation.get("requestBody") for _, _, operation in operations("post", "put", "patch", "delete")]
    named = set(re.findall(r"schemas/(\w+)", json.dumps(described)))
    kinds = {kind.__name__.removesuffix("Serializer") for kind in kinds_of(Body)}
    assert named and named - kinds == set(), "requests are read by Body"
    sent = {"references": [{"duns": "804735132", "system": "crm", "id": "1", "a_word": 1}]}
    refused = person.put("/api/v1/references/", json.dumps(sent), content_type="application/json").json()
    known = "Unknown field; the known ones are duns, system, id."
    assert refused["errors"] == [{"parameter": "references[0].a_word", "detail": known}]


def kinds_of(base: type[Body]) -> Iterator[type[Body]]:
    for kind in base.__subclasses__():
        yield from (kind, *kinds_of(kind))
