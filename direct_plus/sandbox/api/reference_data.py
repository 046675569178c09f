"""D&B's words for its codes. What the answers look like is open: switches play the readings."""

from collections.abc import Iterable
from typing import Any

from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.state.world import World

# By category: its name, and of each code the words in English and in German.
Words = dict[str, tuple[str, str]]
CATEGORIES: dict[str, tuple[str, Words]] = {
    "operatingStatus": (
        "Operating Status",
        {"9074": ("Active", "Aktiv"), "403": ("Out of business", "Geschäftstätigkeit eingestellt")},
    ),
    "businessEntityType": (
        "Business Entity Type",
        {
            "451": ("Corporation", "Kapitalgesellschaft"),
            "118": ("Partnership", "Personengesellschaft"),
            "119": ("Sole Proprietorship", "Einzelunternehmen"),
        },
    ),
    "legalForm": ("Legal Form", {"13": ("Limited company", "Gesellschaft mit beschränkter Haftung")}),
    "registrationNumberType": (
        "Registration Number Type",
        {
            "6863": ("Federal Taxpayer Identification Number", "Bundessteuernummer"),
            "14257": ("VAT number", "USt-IdNr."),
        },
    ),
    "informationScope": (
        "Information Scope",
        {"9066": ("Individual", "Einzelabschluss"), "9067": ("Consolidated", "Konsolidiert")},
    ),
    "reliability": (
        "Reliability",
        {"9092": ("Actual", "Tatsächlich"), "9094": ("Modelled", "Berechnet"), "9093": ("Estimated", "Geschätzt")},
    ),
    "399": (
        "US Standard Industry Code 1987 - 4 digit",
        {
            "3537": ("Industrial trucks and tractors", "Flurförderzeuge und Schlepper"),
            "7372": ("Prepackaged software", "Standardsoftware"),
            "4213": ("Trucking, except local", "Güterfernverkehr"),
        },
    ),
}
LANGUAGES = {"en-US": 0, "de-DE": 1}


def categories(world: World, call: Call) -> Answer:
    shape = world.switches["reference_categories"]
    if shape == "absent":
        raise call.refusal(404, "00037")
    if shape == "names":
        return call.answer(inquiryDetail={}, categories=list(CATEGORIES))
    found = [{"categoryID": _id_of(name, shape), "categoryName": words} for name, (words, _codes) in CATEGORIES.items()]
    return call.answer(inquiryDetail={}, referenceData={"categories": found})


def codes(world: World, call: Call) -> Answer:
    asked = call.path.rpartition("/")[2]
    shape = world.switches["reference_categories"]
    name = next((name for name in CATEGORIES if _id_of(name, shape) == asked), None)
    if name is None:
        raise call.refusal(404, "10001", {"categoryID": "is unknown"})
    language = call.query.get("languageCode") or "en-US"
    place = LANGUAGES.get(language)
    if place is None or (place and not world.switches["reference_german"]):
        if world.switches["reference_language"] == "refuse":
            raise call.refusal(400, "10003", {"languageCode": "is not available"})
        place = 0
    words = {code: text[place] for code, text in CATEGORIES[name][1].items()}
    return call.answer(inquiryDetail={"categoryID": asked, "languageCode": language}, **_shaped(world, words.items()))


def _id_of(name: str, shape: str) -> str:
    """With numbers for categories, the name alone tells which is which."""
    return str(1000 + list(CATEGORIES).index(name)) if shape == "numbers" else name


def _shaped(world: World, words: Iterable[tuple[str, str]]) -> dict[str, Any]:
    shape = world.switches["reference_codes"]
    if shape == "object":
        return {"referenceData": dict(words)}
    code, text = {"code": ("code", "description"), "dnbCode": ("dnbCode", "codeDescription")}[shape]
    return {"referenceData": {"codes": [{code: _number(key), text: value} for key, value in words]}}


def _number(code: str) -> int | str:
    return int(code) if code.isdigit() and not code.startswith("0") else code
