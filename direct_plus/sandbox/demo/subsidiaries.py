"""Subsidiaries that no list of the demo holds: they make some groups large, and can be added from their trees."""

from collections.abc import Iterator, Mapping
from itertools import product
from random import Random
from typing import Any

from direct_plus.sandbox.demo.tables import COUNTRIES, SUBSIDIARIES
from direct_plus.sandbox.state.companies import Document, another

PURPOSES = (
    *("Sales", "Service", "Logistics", "Components", "Properties", "Finance", "Trading", "Engineering"),
    *("Research", "Rental", "Export", "Tooling", "Energy", "Packaging", "Training", "Recycling"),
    *("Media", "Insurance", "Consulting", "Supply"),
)
# Each owns as many as it may before the next one does.
OWNED_EACH = 14


def build(documents: list[Document], seed: int, day: str) -> list[Document]:
    """Also tells the members that there were before how large their family is now."""
    found: list[Document] = []
    for name, count in SUBSIDIARIES.items():
        family = _family(documents, name)
        top = family[0]["corporateLinkage"]["globalUltimate"]
        size = family[0]["corporateLinkage"]["globalUltimateFamilyTreeMembersCount"] + count
        found += _grown(name, top, count, size, Random(f"subsidiaries {seed} {name}"), day)
        for one in family:
            one["corporateLinkage"]["globalUltimateFamilyTreeMembersCount"] = size
    return found


def _family(documents: list[Document], name: str) -> list[Document]:
    tops = ((one, one["corporateLinkage"]["globalUltimate"]["primaryName"]) for one in documents)
    return [one for one, top in tops if top.startswith(name)]


def _grown(name: str, top: Mapping[str, Any], count: int, size: int, random: Random, day: str) -> Iterator[Document]:
    """The first are owned by the top, and own the later ones."""
    places = [(code, *place) for code, country in COUNTRIES.items() for place in country.places]
    units = list(product(PURPOSES, places))
    random.shuffle(units)
    duns, stem, owners = top["duns"], " ".join(name.split()[:2]), [dict(top)]
    for number, (purpose, place) in enumerate(units[:count]):
        duns = another(duns)
        known = {"duns": duns, "primaryName": f"{stem} {purpose} {place[1]} {COUNTRIES[place[0]].form[0]}"}
        linkage = {
            "globalUltimate": dict(top),
            "parent": owners[number // OWNED_EACH],
            "globalUltimateFamilyTreeMembersCount": size,
            "branchesCount": 0,
        }
        owners.append(known)
        yield {**known, **_described(random, day, *place), "corporateLinkage": linkage}


def _described(random: Random, day: str, code: str, city: str, region: str, postcode: str) -> Document:
    percentile = random.randint(1, 100)
    return {
        "dunsControlStatus": {"operatingStatus": {"description": "Active", "dnbCode": 9074}, "isDelisted": False},
        "countryISOAlpha2Code": code,
        "primaryAddress": {
            "addressCountry": {"name": COUNTRIES[code].name, "isoAlpha2Code": code},
            "addressLocality": {"name": city},
            "addressRegion": {"name": region},
            "postalCode": postcode,
        },
        "numberOfEmployees": [{"value": random.randint(3, 400)}],
        "dnbAssessment": {
            "failureScore": {
                "nationalPercentile": percentile,
                "classScore": 5 - (percentile - 1) // 20,
                "scoreDate": day,
            }
        },
    }
