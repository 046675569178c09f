"""The companies of the demo world as whole documents, in D&B's naming; the same for the same seed."""

import math
from collections.abc import Collection, Iterator
from functools import cache
from itertools import product
from random import Random
from typing import Any
from unicodedata import normalize

from direct_plus.sandbox.demo.figures import add_figures
from direct_plus.sandbox.demo.groups import join_groups
from direct_plus.sandbox.demo.tables import COUNTRIES, HOLDINGS, TRADES, Country, Trade
from direct_plus.sandbox.state.companies import Document

# Every company with its country, in the order of the tables: its place here is what events name.
PLACES = [(code, stem) for code, country in COUNTRIES.items() for stem in country.companies]
# The smallest company of the portfolio has a sixth of the employees that are few in its trade.
SMALLEST = 6
ADDED_WORDS = ("International", "Group", "Holding")
LEGAL = ("Bankruptcy", "Insolvency", "Liquidation", "SuspensionOfPayments", "Suits", "Liens", "Judgments")


def build(seed: int, day: str, sound: Collection[int] = ()) -> list[Document]:
    """All companies; those at the places `sound` have all figures and nothing against them yet."""
    random = Random(f"companies {seed}")
    numbers = _numbers(random, len(PLACES) + len(HOLDINGS))
    people = {code: _people(random, country) for code, country in COUNTRIES.items()}
    documents = [_company(random, next(numbers), code, stem, next(people[code])) for code, stem in PLACES]
    join_groups({stem: document for (_, stem), document in zip(PLACES, documents, strict=True)}, numbers)
    for place, document in enumerate(documents):
        rate, luck = COUNTRIES[PLACES[place][0]].rate, Random(f"figures {seed} {place}")
        add_figures(document, rate, luck, day, is_sound=place in sound)
    return documents


def related(place: int) -> list[int]:
    """Companies that could buy this one or merge with it: of its sector, those of its country and trade first."""
    code, stem = PLACES[place]
    trade = COUNTRIES[code].companies[stem]

    def distance(other: int) -> tuple[bool, bool, int]:
        its_code, its_stem = PLACES[other]
        return its_code != code, COUNTRIES[its_code].companies[its_stem] != trade, other

    found = [other for other in range(len(PLACES)) if other != place and _sector(other) == TRADES[trade].sector]
    return sorted(found, key=distance)


@cache
def neighbours(place: int) -> list[int]:
    """Those of its country among them: a company merges into one of the same country."""
    return [other for other in related(place) if PLACES[other][0] == PLACES[place][0]]


def _sector(place: int) -> str:
    code, stem = PLACES[place]
    return TRADES[COUNTRIES[code].companies[stem]].sector


def _people(random: Random, country: Country) -> Iterator[str]:
    """Every given name with every family name, each once."""
    found = _full_names(country)
    random.shuffle(found)
    return iter(found)


def _full_names(country: Country) -> list[str]:
    names = [name.split(" ", 1) for name in country.people]
    return [f"{given} {family}" for (given, _), (_, family) in product(names, names)]


def _numbers(random: Random, count: int) -> Iterator[str]:
    """Nine digits each, about one in eight with leading zeros, none twice."""
    found: dict[str, None] = {}
    while len(found) < count:
        largest = random.choice((10**9, 10**9, 10**9, 10**9, 10**9, 10**9, 10**8, 10**7))
        found[f"{random.randrange(largest // 10, largest):09d}"] = None
    return iter(found)


def _company(random: Random, duns: str, code: str, stem: str, person: str) -> Document:
    country = COUNTRIES[code]
    name, trade = f"{stem} {country.form[0]}", TRADES[country.companies[stem]]
    employees = _employees(random, trade)
    address = _address(random, code, country, stem)
    return {
        "duns": duns,
        "dunsControlStatus": _status(),
        "primaryName": name,
        "registeredName": name,
        "countryISOAlpha2Code": code,
        "primaryAddress": address,
        "registeredAddress": address,
        "telephone": [_telephone(random, country)],
        "websiteAddress": [_website(stem, code)],
        "registrationNumbers": [_registration(random, country)],
        "businessEntityType": {"description": country.form[1], "dnbCode": 451},
        "startDate": str(random.randint(trade.since, 2016)),
        "industryCodes": [_industry(trade)],
        "mostSeniorPrincipal": _principal(person, country),
        "numberOfEmployees": [
            {"value": employees, "informationScopeDescription": "Consolidated", "reliabilityDescription": "Actual"}
        ],
        "financials": [_financials(random, country, trade, employees)],
        "corporateLinkage": {
            "globalUltimate": {"duns": duns, "primaryName": name},
            "domesticUltimate": {"duns": duns, "primaryName": name},
            "globalUltimateFamilyTreeMembersCount": 1,
            "branchesCount": random.randint(0, min(12, employees // 50)),
        },
        "legalEvents": {f"{kind}{event}": False for event in LEGAL for kind in ("has", "hasOpen")},
        "significantEvents": {"hasFireOccurred": False, "hasDisasterOccurred": False, "hasCriminalProceedings": False},
        "exclusions": {"hasActiveExclusions": False},
        "isHighRiskBusiness": False,
        "isDeterioratingBusiness": False,
    }


def _status() -> Document:
    return {
        "operatingStatus": {"description": "Active", "dnbCode": 9074},
        "isMarketable": True,
        "isDelisted": False,
        "isMailUndeliverable": False,
        "isTelephoneDisconnected": False,
    }


def _employees(random: Random, trade: Trade) -> int:
    """Small ones are common, large ones rare; a portfolio holds many that are small for their trade."""
    fewest = max(3, trade.fewest / SMALLEST)
    return round(fewest * math.pow(trade.most / fewest, math.pow(random.random(), 1.6)))


def _address(random: Random, code: str, country: Country, stem: str) -> Document:
    places = {city: (region, postcode) for city, region, postcode in country.places}
    city = country.homes.get(stem) or random.choice(list(places))
    region, postcode = places[city]
    return {
        "addressCountry": {"name": country.name, "isoAlpha2Code": code},
        "addressLocality": {"name": city},
        "addressRegion": {"name": region},
        "postalCode": postcode,
        "streetAddress": _street(random, code, country),
    }


def _street(random: Random, code: str, country: Country) -> Document:
    street, number = random.choice(country.streets), random.randint(1, 180)
    if code == "JP":
        return {"line1": f"{number % 28 + 1}-{number % 9 + 1} {street}"}
    if code in ("BR", "IT"):
        return {"line1": f"{street}, {number}"}
    return {"line1": f"{number} {street}" if code in ("US", "GB", "FR", "IN") else f"{street} {number}"}


def _principal(person: str, country: Country) -> Document:
    return {"fullName": person, "jobTitles": [{"title": country.title}]}


def local_changes(kind: str, place: int, document: Document, random: Random) -> Document:
    """What a change brings is of the company's own country and trade, and is not what was."""
    code, stem = PLACES[place]
    country = COUNTRIES[code]
    if kind == "address_change":
        return {"organization.primaryAddress.streetAddress": _street(random, code, country)}
    if kind == "telephone_change":
        return {"organization.telephone": [_telephone(random, country)]}
    if kind == "principal_change":
        others = [name for name in _full_names(country) if name != document["mostSeniorPrincipal"]["fullName"]]
        return {"organization.mostSeniorPrincipal": _principal(random.choice(others), country)}
    change: dict[str, Any] = {"name_change": _name, "website_change": _new_website, "industry_change": _new_industry}
    return change[kind](code, stem, document) if kind in change else {}


def _name(code: str, stem: str, document: Document) -> Document:
    """One word more before the legal form, not the same for all, or the next one there."""
    form = COUNTRIES[code].form[0]
    names = [f"{stem} {word} {form}" for word in ADDED_WORDS]
    before = document["primaryName"]
    name = names[(names.index(before) + 1) % len(names)] if before in names else names[len(stem) % len(names)]
    return {"organization.primaryName": name, "organization.registeredName": name}


def _new_website(code: str, stem: str, document: Document) -> Document:
    sites = [_website(stem, code), _website(f"{stem} group", code)]
    return {"organization.websiteAddress": [sites[document["websiteAddress"][0] == sites[0]]]}


def _new_industry(code: str, stem: str, document: Document) -> Document:
    """Between its trade and one beside it."""
    trade = TRADES[COUNTRIES[code].companies[stem]]
    beside = {**_industry(trade), "code": trade.related[0], "description": trade.related[1]}
    is_usual = document["industryCodes"][0]["code"] == trade.sic
    return {"organization.industryCodes": [beside if is_usual else _industry(trade)]}


def _telephone(random: Random, country: Country) -> Document:
    number = f"{random.randint(200, 999)}5550{random.randint(100, 199)}"
    return {"telephoneNumber": number, "isdCode": country.dialling, "isUnreachable": False}


def _website(stem: str, code: str) -> Document:
    plain = normalize("NFKD", stem.lower()).encode("ascii", "ignore").decode()
    domain = f"{''.join(letter for letter in plain if letter.isalnum())}-{code.lower()}.example"
    return {"url": f"www.{domain}", "domainName": domain}


def _registration(random: Random, country: Country) -> Document:
    number = "".join(str(random.randint(1, 9)) if sign == "#" else sign for sign in country.number_pattern)
    return {
        "registrationNumber": number,
        "typeDescription": country.number_kind,
        "isPreferredRegistrationNumber": True,
    }


def _industry(trade: Trade) -> Document:
    return {
        "code": trade.sic,
        "description": trade.description,
        "typeDescription": "US Standard Industry Code 1987 - 4 digit",
        "typeDnBCode": 399,
        "priority": 1,
    }


def _financials(random: Random, country: Country, trade: Trade, employees: int) -> Document:
    value = round(employees * trade.revenue_each * random.uniform(0.6, 1.4) * country.rate, 2)
    revenue = {"value": value, "currency": country.currency}
    return {"financialStatementToDate": "2025-12-31", "reliabilityDescription": "Actual", "yearlyRevenue": [revenue]}
