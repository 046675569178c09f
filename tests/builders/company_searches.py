"""Companies that D&B knows and finds by name, imports that name some, and what was found for them."""

from collections.abc import Sequence
from typing import Any

from direct_plus.sandbox.control.client import SandboxControl
from portfolio.company_search.bulk import start_searches
from portfolio.company_search.work import work_on_searches
from portfolio.imports.upload import create_import, read_import
from portfolio.models import CallKind, CompanySearch, Contract, Registration, SearchState, SubjectImport
from tests.builders.companies import duns_numbers
from tests.builders.times import soon

ELSEWHERE = "ELSEWHERE"
NAMES = ("Nordwind Logistik GmbH", "Alpenrose Feinkost AG", "Hafen Spedition KG")


def known_at_dnb(control: SandboxControl, names: Sequence[str] = NAMES) -> dict[str, str]:
    """D&B knows these companies, in a list of another customer; their numbers by name."""
    control.add_registration(ELSEWHERE)
    numbers = dict(zip(names, duns_numbers(len(names)), strict=True))
    documents = [{"duns": duns, "primaryName": name, "countryISOAlpha2Code": "DE"} for name, duns in numbers.items()]
    control.add_companies(ELSEWHERE, documents, seed=False)
    return numbers


def an_import_of_names(registration: Registration, names: Sequence[str] = NAMES, **how: Any) -> SubjectImport:
    lines = ["Name,Country,Customer reference", *(f"{name},DE,S-{place}" for place, name in enumerate(names, 1))]
    made = {"file_name": "names.csv", "mode": "add", "source": "upload", "requested_by": "ann"}
    import_ = create_import(registration=registration, content="\n".join(lines).encode(), **{**made, **how})
    read_import(import_)
    return import_


def searched(import_: SubjectImport, calls: int = len(NAMES)) -> list[CompanySearch]:
    """Its searches, made."""
    start_searches(import_=import_, confirmed={CallKind.MATCH: calls}, requested_by="ann")
    work_on_searches(import_.pk, until=soon())
    return list(CompanySearch.objects.select_related("contract").order_by("line"))


def a_search(contract: Contract, **fields: Any) -> CompanySearch:
    """With two candidates to decide on, unless it is said otherwise."""
    found = '[["804735132","Acme Inc","US","1 Main St, Springfield",9],["150483782","Acme Ltd","US","",6]]'
    usual = {"name": "Acme", "country": "US", "state": SearchState.FOUND, "candidates": found, "requested_by": "ann"}
    return CompanySearch.objects.create(contract=contract, **{"requested_at": soon(), **usual, **fields})
