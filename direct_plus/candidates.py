"""Companies that D&B finds by name, address and numbers (contract section 6): what is asked, what comes back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from direct_plus.duns import InvalidDuns, normalise_duns
from direct_plus.results import value_at

# What D&B compares, in the order of the letters of a match grade.
COMPONENTS = (
    *("Name", "Street Number", "Street Name", "City", "State", "PO Box", "Phone", "Postal Code"),
    *("Density", "Uniqueness", "SIC"),
)
GRADES = frozenset("ABFZ")  # the same, similar, different, not compared


@dataclass(frozen=True, slots=True)
class CompanyQuery:
    """What is known about a company; Match needs its name and country."""

    name: str
    country: str
    street: str = ""
    city: str = ""
    postal_code: str = ""
    registration_number: str = ""
    telephone: str = ""

    def params(self) -> dict[str, str]:
        asked = {
            "name": self.name,
            "countryISOAlpha2Code": self.country,
            "streetAddressLine1": self.street,
            "addressLocality": self.city,
            "postalCode": self.postal_code,
            "registrationNumber": self.registration_number,
            "telephoneNumber": self.telephone,
        }
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True)
class MatchCandidate:
    """A company that may be meant; `confidence` is 1 to 10, None from typeahead; `grades` are letters by component."""

    duns: str
    name: str
    country: str | None
    address: str
    confidence: int | None
    status: str = ""
    grades: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)


def candidates(document: Mapping[str, Any], member: str = "matchCandidates") -> Iterator[MatchCandidate]:
    """In D&B's order, each number once; what names no company is passed by."""
    seen = set()
    sent = document.get(member)
    for one in sent if isinstance(sent, list) else []:
        candidate = _candidate(one)
        if candidate is not None and candidate.duns not in seen:
            seen.add(candidate.duns)
            yield candidate


def _candidate(sent: Any) -> MatchCandidate | None:
    organization, quality = value_at(sent, "organization"), value_at(sent, "matchQualityInformation")
    try:
        duns = normalise_duns(_text(value_at(organization, "duns")))
    except InvalidDuns:
        return None
    address, confidence = value_at(organization, "primaryAddress"), value_at(quality, "confidenceCode")
    country = value_at(address, "addressCountry", "isoAlpha2Code") or value_at(organization, "countryISOAlpha2Code")
    return MatchCandidate(
        duns=duns,
        name=_text(value_at(organization, "primaryName")),
        country=_text(country) or None,
        address=_address(address),
        confidence=confidence if isinstance(confidence, int) and not isinstance(confidence, bool) else None,
        status=_text(value_at(organization, "dunsControlStatus", "operatingStatus", "description")),
        grades=_grades(quality),
        raw=sent,
    )


def _grades(quality: Any) -> dict[str, str]:
    """By component where D&B names them, else by the places of the letters."""
    listed = value_at(quality, "matchGradeComponents")
    components = listed if isinstance(listed, list) else []
    rated = [(_component(one), _text(value_at(one, "componentRating"))) for one in components]
    letters = _text(value_at(quality, "matchGrade"))
    return {
        name: letter for name, letter in rated or zip(COMPONENTS, letters, strict=False) if name and letter in GRADES
    }


def _component(sent: Any) -> str:
    kind = value_at(sent, "componentType")
    return _text(kind) or _text(value_at(kind, "description"))


def _address(sent: Any) -> str:
    parts = (
        value_at(sent, "streetAddress", "line1"),
        value_at(sent, "postalCode"),
        value_at(sent, "addressLocality", "name"),
        value_at(sent, "addressRegion", "abbreviatedName") or value_at(sent, "addressRegion", "name"),
    )
    return ", ".join(filter(None, map(_text, parts)))


def _text(sent: Any) -> str:
    return sent if isinstance(sent, str) else ""
