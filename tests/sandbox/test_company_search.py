"""Contract, section 6: companies found by name, in every reading of what is open."""

from typing import Any

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from tests.servers.sandbox_client import REFERENCE, Client, code

MATCH, TYPEAHEAD = "/v1/match/cleanseMatch", "/v1/search/typeahead"
DUNS = "012345678"
ADDRESS = {"streetAddress": {"line1": "Hafenstr. 1"}, "addressLocality": {"name": "Hamburg"}, "postalCode": "20457"}
GERMAN: dict[str, Any] = {
    "duns": DUNS,
    "primaryName": "Nordwind Logistik GmbH",
    "countryISOAlpha2Code": "DE",
    "primaryAddress": ADDRESS,
    "registrationNumbers": [{"registrationNumber": "HRB 1234", "typeDescription": "Handelsregister"}],
}
ASKED = {"name": "nordwind logistik gmbh", "countryISOAlpha2Code": "DE"}


@pytest.fixture(autouse=True)
def companies(control: SandboxControl) -> None:
    similar = {**GERMAN, "duns": "000000001", "primaryName": "Nordwind Logistic AG", "registrationNumbers": []}
    control.add_companies(REFERENCE, [GERMAN, similar, {**GERMAN, "duns": "000000002", "countryISOAlpha2Code": "FR"}])


def match(client: Client, **more: str) -> list[Any]:
    found: list[Any] = client.get(MATCH, **{**ASKED, **more}).json()["matchCandidates"]
    return found


def confidence(candidate: Any) -> Any:
    return candidate["organization"]["duns"], candidate["matchQualityInformation"]["confidenceCode"]


def test_finds_by_likeness(client: Client) -> None:
    first, second = map(confidence, match(client))
    assert first == (DUNS, 10)
    assert second[0] == "000000001"
    assert 5 <= second[1] < 10


def test_an_address_that_differs_makes_it_less_likely_and_a_registration_number_settles_it(client: Client) -> None:
    assert confidence(match(client, addressLocality="Zwickau")[0]) == (DUNS, 9)
    settled = match(client, name="Nordwind Hamburg", registrationNumber="HRB 1234")
    assert confidence(settled[0]) == (DUNS, 10)


def test_no_more_candidates_than_asked_for(client: Client) -> None:
    assert len(match(client, candidateMaximumQuantity="1")) == 1


def test_finds_nothing_or_is_asked_too_little(client: Client, control: SandboxControl) -> None:
    answer = client.get(MATCH, **{**ASKED, "name": "zzz"})
    assert (answer.status_code, code(answer)) == (404, "20505")
    assert code(client.get(MATCH, name="zzz")) == "10002"
    control.switch("match_country", "optional")
    assert client.get(MATCH, name="nordwind logistik gmbh").status_code == 200
    assert code(client.get(MATCH, countryISOAlpha2Code="DE")) == "10002"


@pytest.mark.parametrize(("reading", "expected"), [("empty_list", []), ("no_list", None)])
@pytest.mark.parametrize("path", [MATCH, TYPEAHEAD])
def test_nothing_found_may_be_a_success(
    client: Client, control: SandboxControl, path: str, reading: str, expected: Any
) -> None:
    control.switch("match_empty", reading)
    answer = client.get(path, name="zzz", searchTerm="zzz", countryISOAlpha2Code="DE")
    assert answer.status_code == 200
    assert answer.json().get("matchCandidates", answer.json().get("searchCandidates")) == expected


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        ("both", {"confidenceCode", "matchGrade", "matchGradeComponents", "matchGradeComponentsCount"}),
        ("letters", {"confidenceCode", "matchGrade"}),
        ("components", {"confidenceCode", "matchGradeComponents", "matchGradeComponentsCount"}),
        ("absent", {"confidenceCode"}),
    ],
)
def test_grades_come_in_every_reading(
    client: Client, control: SandboxControl, reading: str, expected: set[str]
) -> None:
    control.switch("match_grades", reading)
    assert set(match(client)[0]["matchQualityInformation"]) == expected


def test_grades_say_what_is_the_same(client: Client) -> None:
    quality = match(client, addressLocality="Hamburg", postalCode="99999")[0]["matchQualityInformation"]
    assert quality["matchGrade"] == "AZZAZZZFZZZ"
    assert {"componentType": "City", "componentRating": "A"} in quality["matchGradeComponents"]


def test_the_address_may_be_absent(client: Client, control: SandboxControl) -> None:
    assert match(client)[0]["organization"]["primaryAddress"] == ADDRESS
    control.switch("match_address", "absent")
    assert "primaryAddress" not in match(client)[0]["organization"]


def test_typeahead_finds_by_the_beginning(client: Client, control: SandboxControl) -> None:
    found = client.get(TYPEAHEAD, searchTerm="nordwind logis", countryISOAlpha2Code="DE").json()["searchCandidates"]
    assert [one["organization"]["duns"] for one in found] == ["000000001", DUNS]
    assert code(client.get(TYPEAHEAD)) == "10002"
    control.switch("typeahead", False)
    assert client.get(TYPEAHEAD, searchTerm="nordwind").status_code == 401
