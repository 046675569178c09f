"""Finding companies by name (contract, section 6): Match with its confidence and grades, and typeahead."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.state import companies
from direct_plus.sandbox.state.companies import Document
from direct_plus.sandbox.state.world import World

WEAKEST, MOST = 5, 10
SHOWN = ("duns", "dunsControlStatus", "primaryName", "primaryAddress", "telephone", "registrationNumbers")
# What is compared, in the order of the letters of a match grade.
COMPONENTS: dict[str, tuple[str, tuple[str | int, ...]]] = {
    "Name": ("name", ("primaryName",)),
    "Street Name": ("streetAddressLine1", ("primaryAddress", "streetAddress", "line1")),
    "City": ("addressLocality", ("primaryAddress", "addressLocality", "name")),
    "Phone": ("telephoneNumber", ("telephone", 0, "telephoneNumber")),
    "Postal Code": ("postalCode", ("primaryAddress", "postalCode")),
}
SAME, SIMILAR, DIFFERENT, UNKNOWN = "A", "B", "F", "Z"
LETTERS = 11
PLACES = {"Name": 0, "Street Name": 2, "City": 3, "Phone": 6, "Postal Code": 7}


def cleanse_match(world: World, call: Call) -> Answer:
    needed = ("name", "countryISOAlpha2Code") if world.switches["match_country"] == "needed" else ("name",)
    _demand(call, *needed)
    most = min(int(call.query.get("candidateMaximumQuantity", MOST)), MOST)
    rated = [(_confidence(call.query, one), one) for one in _known(world, call.query)]
    best = sorted((pair for pair in rated if pair[0] >= WEAKEST), key=lambda pair: (-pair[0], pair[1]["duns"]))[:most]
    found = [_candidate(world, place, code, one, call.query) for place, (code, one) in enumerate(best, 1)]
    return _answer(world, call, "matchCandidates", found, candidatesMatchedQuantity=len(found))


def typeahead(world: World, call: Call) -> Answer:
    """By the beginning of a name; no candidate has a confidence."""
    if not world.switches["typeahead"]:
        raise call.refusal(401, "00012")
    _demand(call, "searchTerm")
    term = call.query["searchTerm"].casefold()
    most = int(call.query.get("candidateMaximumQuantity", MOST))
    known = [one for one in _known(world, call.query) if str(one.get("primaryName", "")).casefold().startswith(term)]
    known.sort(key=lambda one: (one["primaryName"], one["duns"]))
    found = [
        {"displaySequence": place, "organization": _shown(world, one)} for place, one in enumerate(known[:most], 1)
    ]
    return _answer(world, call, "searchCandidates", found, candidatesReturnedQuantity=len(found))


def _demand(call: Call, *names: str) -> None:
    if missing := {name: "is needed" for name in names if not call.query.get(name)}:
        raise call.refusal(400, "10002", missing)


def _answer(world: World, call: Call, name: str, found: list[Any], **counts: int) -> Answer:
    reading = "found" if found else world.switches["match_empty"]
    if reading == "404":
        raise call.refusal(404, world.switches["match_empty_code"])
    members: dict[str, Any] = {"inquiryDetail": dict(call.query), **counts}
    if reading != "no_list":
        members[name] = found
    return call.answer(**members)


def _known(world: World, query: Mapping[str, str]) -> Iterator[Document]:
    country = query.get("countryISOAlpha2Code", "").upper()
    rows = world.store.rows("SELECT duns FROM company WHERE mark = '' AND document IS NOT NULL")
    documents = (companies.document(world, row["duns"]) for row in rows)
    return (one for one in documents if country in ("", one.get("countryISOAlpha2Code")))


def _confidence(query: Mapping[str, str], organization: Document) -> int:
    """By the likeness of the names; a registration number that is the same settles it, what differs takes one off."""
    if query.get("registrationNumber") in _registration_numbers(organization):
        return 10
    grades = [_grade(query, organization, component) for component in COMPONENTS if component != "Name"]
    likeness = _likeness(query["name"], _value(organization, ("primaryName",)))
    return max(1, min(10, round(likeness * 10) - grades.count(DIFFERENT)))


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold(), other.casefold()).ratio()


def _registration_numbers(organization: Document) -> set[str]:
    return {one["registrationNumber"] for one in organization.get("registrationNumbers", ())}


def _grade(query: Mapping[str, str], organization: Document, component: str) -> str:
    asked, known = query.get(COMPONENTS[component][0], ""), _value(organization, COMPONENTS[component][1])
    if not asked or not known:
        return UNKNOWN
    likeness = _likeness(asked, known)
    return SAME if likeness == 1 else SIMILAR if likeness >= 0.6 else DIFFERENT


def _value(document: Any, path: Iterable[str | int]) -> str:
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError):
            return ""
    return str(document)


def _candidate(
    world: World, place: int, code: int, organization: Document, query: Mapping[str, str]
) -> dict[str, object]:
    grades = {component: _grade(query, organization, component) for component in COMPONENTS}
    quality: dict[str, object] = {"confidenceCode": code}
    reading = world.switches["match_grades"]
    if reading in ("both", "letters"):
        quality["matchGrade"] = _letters(grades)
    if reading in ("both", "components"):
        rated = [{"componentType": name, "componentRating": grade} for name, grade in grades.items()]
        quality |= {"matchGradeComponentsCount": len(rated), "matchGradeComponents": rated}
    return {
        "displaySequence": place,
        "organization": _shown(world, organization),
        "matchQualityInformation": quality,
    }


def _letters(grades: Mapping[str, str]) -> str:
    letters = [UNKNOWN] * LETTERS
    for component, grade in grades.items():
        letters[PLACES[component]] = grade
    return "".join(letters)


def _shown(world: World, organization: Document) -> Document:
    hidden = ("primaryAddress",) if world.switches["match_address"] == "absent" else ()
    return {name: organization[name] for name in SHOWN if name in organization and name not in hidden}
