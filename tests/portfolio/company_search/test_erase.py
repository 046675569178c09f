"""What is erased is not found by a search either."""

from typing import Any

import pytest

from dnbmon_site.operations.erase import company
from dnbmon_site.operations.erase.registration import forget, plan
from portfolio.imports.upload import create_import
from portfolio.models import CompanySearch, Registration, RegistrationState, SubjectImport
from tests.builders.company_searches import a_search
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
GIVEN: dict[str, Any] = {"file_name": "", "mode": "add", "source": "upload", "requested_by": "ann"}
ELSE = '[["101202303","Other Ltd"]]'


def an_import(registration: Registration) -> SubjectImport:
    return create_import(registration=registration, content=b"Name,Country\nAcme,US\n", **GIVEN)


@pytest.mark.parametrize("how", [{}, {"candidates": ELSE, "chosen": "804735132"}])
def test_an_erased_company_is_no_candidate(how: dict[str, str]) -> None:
    contract = a_registration().contract
    a_search(contract, **how)
    kept = a_search(contract, candidates=ELSE)
    company.forget("804735132", by="ann")
    assert list(CompanySearch.objects.all()) == [kept]


def test_an_erased_registration_takes_the_searches_of_its_imports_along() -> None:
    gone, other = a_registration("GONE", state=RegistrationState.PAUSED), a_registration("OTHER")
    a_search(gone.contract, subject_import=an_import(gone))
    kept = {a_search(other.contract, subject_import=an_import(other)), a_search(other.contract)}
    assert plan(gone).counts["company searches"] == 1
    forget(gone, by="ann")
    assert set(CompanySearch.objects.all()) == kept
