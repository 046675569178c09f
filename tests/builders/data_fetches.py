"""Data fetches: what the contract includes, and a fetch of companies that is requested and run."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.data_fetch.plan import plan_companies, plan_gap
from monitoring.data_fetch.request import request_fetch
from monitoring.data_fetch.run import run_fetch
from monitoring.models import DataFetch, FetchedCompany
from portfolio.models import Contract, Entitlements, Registration, SubjectState
from tests.builders.people import an_actor
from tests.builders.subjects import a_subject

BLOCKS = "companyinfo_L2_v1", "financialstrengthinsight_L2_v1"
PRODUCT = '{"messages": {"registration": {"productId": "cmptcs", "versionId": "v1"}}}'


def entitled(contract: Contract) -> None:
    answer = json.dumps({"entitlements": {"dataBlocks": BLOCKS}})
    Entitlements.objects.update_or_create(contract=contract, defaults={"answer": answer})


def monitored(registration: Registration, *numbers: str) -> None:
    entitled(registration.contract)
    for duns in numbers:
        a_subject(duns, registration, requested=True, state=SubjectState.MONITORED)


def with_gap(registration: Registration) -> None:
    now = timezone.now().replace(microsecond=0)
    registration.gap_from, registration.gap_until = now - timedelta(days=9), now - timedelta(days=5)
    registration.gap_reason, registration.detail = "Not pulled for 9 days.", PRODUCT
    registration.save()


def a_fetch(*numbers: str) -> DataFetch:
    plan = plan_companies(numbers)
    return request_fetch(plan, plan.calls, by=an_actor("ann"))


def a_gap_fetch(registration: Registration) -> DataFetch:
    plan = plan_gap(registration)
    return request_fetch(plan, plan.calls, by=an_actor("ann"))


def run(fetch: DataFetch) -> DataFetch:
    assert run_fetch(fetch, until=timezone.now() + timedelta(minutes=1))
    fetch.refresh_from_db()
    return fetch


def item(fetch: DataFetch, duns: str) -> Any:
    return FetchedCompany.objects.get(pk=FetchedCompany.key(fetch.pk, duns))
