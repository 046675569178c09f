"""Companies found by name: what is asked, and what any shape of answer gives."""

from typing import Any

import pytest

from direct_plus.candidates import CompanyQuery, candidates

DUNS = "804735132"


def found(*sent: Any, member: str = "matchCandidates") -> list[Any]:
    return list(candidates({member: list(sent)}, member))


def graded(**quality: Any) -> Any:
    (one,) = found({"organization": {"duns": DUNS}, "matchQualityInformation": quality})
    return one


def test_only_what_is_known_is_asked() -> None:
    query = CompanyQuery("Acme", "US", city="Springfield", registration_number="HRB 1", telephone="555")
    assert query.params() == {
        "name": "Acme",
        "countryISOAlpha2Code": "US",
        "addressLocality": "Springfield",
        "registrationNumber": "HRB 1",
        "telephoneNumber": "555",
    }


@pytest.mark.parametrize("document", [{}, {"matchCandidates": None}, {"matchCandidates": {}}, {"matchCandidates": []}])
def test_an_answer_without_a_list_names_no_company(document: Any) -> None:
    assert list(candidates(document)) == []


def test_what_names_no_company_is_passed_by_and_one_that_comes_twice_is_one() -> None:
    listed = found(
        {"organization": {"duns": DUNS}}, 5, {}, {"organization": {"duns": "12"}}, {"organization": {"duns": DUNS}}
    )
    assert [one.duns for one in listed] == [DUNS]


def test_letters_and_components_say_the_same() -> None:
    components = [
        {"componentType": "Name", "componentRating": "A"},
        {"componentType": {"description": "City"}, "componentRating": "F"},
        {"componentType": 5, "componentRating": "A"},
        {"componentType": "SIC", "componentRating": "?"},
    ]
    assert graded(matchGradeComponents=components, matchGrade="B").grades == {"Name": "A", "City": "F"}
    letters = graded(matchGrade="AZZFZZBZ").grades
    assert (letters["Name"], letters["City"], letters["Phone"]) == ("A", "F", "B")
    assert graded(matchGrade=7, matchGradeComponents={}).grades == {}


@pytest.mark.parametrize(("sent", "expected"), [(9, 9), (None, None), ("9", None), (True, None)])
def test_a_confidence_is_a_whole_number_or_unknown(sent: Any, expected: int | None) -> None:
    assert graded(confidenceCode=sent).confidence == expected


def test_what_typeahead_finds_has_no_confidence() -> None:
    organization: dict[str, Any] = {"duns": DUNS, "primaryName": "ACME", "countryISOAlpha2Code": "US"}
    organization["dunsControlStatus"] = {"operatingStatus": {"description": "Out of business"}}
    (one,) = found({"organization": organization}, member="searchCandidates")
    assert (one.name, one.country, one.confidence, one.status) == ("ACME", "US", None, "Out of business")
