"""Made-up requests for every address: no answer breaks, and each is what the description says."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from portfolio.companies.external_references import Named, name_companies
from portfolio.subjects.requests import SubjectEntry, request_subjects
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.programs import Program
from tests.builders.registrations import a_registration
from tests.engines import engine

pytestmark = [pytest.mark.django_db, pytest.mark.every_engine]
IS_FIRST = engine() == "sqlite"
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
SETTINGS = settings(
    max_examples=10 if IS_FIRST else 2,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
described: Any = SchemaGenerator
schema = schemathesis.openapi.from_dict(described().get_schema(public=True))
schema.app = get_wsgi_application()


@pytest.fixture(autouse=True)
def the_test_keeps_its_connection() -> Iterator[None]:
    """As Django's own test client does it: a request closes what it has used when it is over."""
    handled = (signals.request_started, signals.request_finished)
    for signal in handled:
        signal.disconnect(close_old_connections)
    yield
    for signal in handled:
        signal.connect(close_old_connections)


@pytest.fixture
def headers(db: None) -> dict[str, str]:
    """Of a key that may do everything, where there is a little of everything."""
    registration = a_registration()
    delivered(a_seed(), an_update(), a_notice("EXIT"), registration=registration)
    request_subjects(registration=registration, entries=[SubjectEntry(DUNS)], requested_by="ann")
    name_companies([Named(DUNS, "crm", "1")], requested_by="ann")
    an_alert()
    program = Program.with_key(scopes="read,write:portfolio,write:references,pull,alerts", budget=5, calls_per_minute=0)
    return program.headers


@schema.parametrize()
@settings(SETTINGS)
def test_answers_are_as_described(case: Any, headers: dict[str, str]) -> None:
    case.call_and_validate(headers=headers, checks=CHECKS)


def test_one_answer_after_another(headers: dict[str, str]) -> None:
    """What one answer names is asked for in the next: found lists, then their entries, then what is done with them."""

    class Machine(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: Any, **kwargs: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    Machine.run(settings=settings(SETTINGS, max_examples=15 if IS_FIRST else 2, stateful_step_count=5))
